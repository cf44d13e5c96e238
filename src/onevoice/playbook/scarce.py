"""Checking what is scarce: that what is used is there, and is of something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from onevoice.playbook.model import Campaign, Channel, Playbook, Resource
from onevoice.playbook.resources import STOCK_FIELD, stock_of
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable


class Checker(Protocol):
    """What of the check is needed here."""

    playbook: Playbook

    def known(self, path: str, kind: str, name: str, names: Iterable[str]) -> bool:
        """Tell whether a name is known; record a mistake where it is not."""
        ...

    def refuse(self, path: str, what: str, *, expected: str = "", found: str = "", mend: str = "") -> None:
        """Record a mistake."""
        ...


def check_uses(checker: Checker, user: Campaign | Channel) -> None:
    """Check the resources that the contacts of a campaign, or by a channel, use."""
    resources = checker.playbook.resources
    section = "campaigns" if isinstance(user, Campaign) else "channels"
    for i, name in enumerate(user.uses):
        path = f"{section}.{user.name}.uses[{i}]"
        if checker.known(path, "resource", name, resources) and resources[name].product:
            mend = "contacts about the product use it by themselves: leave it out"
            checker.refuse(path, "the stock of a product", found=quoted(name), mend=mend)


def check_resource(checker: Checker, resource: Resource) -> None:
    """Check what a resource is of, and who has reserved some of it."""
    path, playbook = f"resources.{resource.name}", checker.playbook
    for name in resource.reserve:
        checker.known(f"{path}.reserve.{name}", "class", name, playbook.policies.classes)
    if not resource.product:
        return
    is_known = checker.known(f"{path}.stock", "product", resource.product, playbook.products.names)
    if is_known and stock_of(resource.product, playbook.products) is None:
        expected = f"a field `{STOCK_FIELD}: number` with a value for it under `products`"
        checker.refuse(f"{path}.stock", "a product of unknown stock", expected=expected, found=resource.product)
