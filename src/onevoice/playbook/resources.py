"""Reading what is scarce: capacity, stock and money, and which contacts use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from onevoice.playbook import grammar
from onevoice.playbook.grammar import Slip
from onevoice.playbook.hours import WINDOWS_MAX, window
from onevoice.playbook.model import Bucket, FieldType, Resource, Window
from onevoice.playbook.record import Record, opened
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign, Catalogue, Playbook

MONEY: Final = 10_000  # money is counted in ten-thousandths
SHARES: Final = 1_000_000  # and shares in millionths
STOCK_FIELD: Final = "stock"  # of the catalogue
KINDS: Final = ("capacity", "budget", "stock")

_CAPACITY: Final = "a number of contacts and a time, like `50 per hour`"
_BUDGET: Final = "an amount, like `5000`, `200 per day` or `5000 per month`"
_MONEY_MAX: Final = 2.0**39


def resources(root: Record) -> dict[str, Resource]:
    """Read `resources`."""
    return root.each("resources", _resource)


def _resource(name: str, record: Record) -> Resource:
    capacity, per = record.parsed("capacity", capacity_of, (0, None))
    budget, of_budget = record.parsed("budget", _budget, (0.0, None))
    stock, product = record.parsed("stock", _stock, (0, ""))
    given = [kind for kind in KINDS if kind in record.nodes]
    if len(given) != 1:
        record.report.refuse(record.place, "a resource of no one kind", expected=f"one of {', '.join(KINDS)}")
    if "capacity" not in given:
        for key in ("hours", "reserve"):
            if key in record.nodes:
                record.refuse(key, f"{quoted(key)} of what is no capacity", mend="leave it out")
    hours = record.many("hours", window, Window(0, 1))
    if len(hours) > WINDOWS_MAX:
        record.refuse("hours", "too many windows", expected=f"at most {WINDOWS_MAX}", found=f"{len(hours):,}")
    return Resource(
        name, capacity=capacity, budget=budget, stock=stock, product=product, per=per or of_budget, hours=hours,
        reserve=_reserve(record),
    )  # fmt: skip


def capacity_of(text: str) -> tuple[int, Bucket]:
    """Read `50 per hour`."""
    number, per, bucket = text.partition(" per ")
    if not per or bucket.strip() not in {Bucket.MINUTE, Bucket.HOUR, Bucket.DAY}:
        expected = _CAPACITY + "; `minute`, `hour` or `day`"
        raise Slip("not a capacity", expected, quoted(text))
    return grammar.count(number.strip()), Bucket(bucket.strip())


def _budget(text: str) -> tuple[float, Bucket | None]:
    amount, per, bucket = text.partition(" per ")
    if per and bucket.strip() not in {Bucket.DAY, Bucket.MONTH}:
        raise Slip("not a budget", _BUDGET, quoted(text))
    value = grammar.number(amount.strip().replace(",", ""))
    if not 1 / MONEY <= value < _MONEY_MAX:
        raise Slip("not an amount of money", "more than nought, and less than 550 billion", quoted(text))
    return value, Bucket(bucket.strip()) if per else None


def _stock(text: str) -> tuple[int, str]:
    """Read a number of units, or the name of a product whose field `stock` says it."""
    try:
        return grammar.count(text), ""
    except Slip:
        if re.fullmatch(r"[+-]?[\d.,]+", text):
            raise
        return 0, text.strip()


def _reserve(record: Record) -> dict[str, float]:
    node = record.node("reserve")
    if node is None or node.empty:
        return {}
    with opened(record.report, node) as shares:
        found = {name: shares.parsed(name, percent, 0.0) for name in shares.nodes}
    if round(sum(found.values()) * SHARES) > SHARES:
        record.refuse("reserve", "more reserved than there is", expected="shares of 100% together, at most")
    return found


def percent(text: str) -> float:
    """Read `30%` as 0.3."""
    share = grammar.number(text.strip().removesuffix("%")) / 100 if text.strip().endswith("%") else 0.0
    if not 0 < share <= 1:
        raise Slip("not a share", "a share like `30%`", quoted(text))
    return share


def rates(playbook: Playbook) -> list[tuple[str, int, Bucket]]:
    """Return (channel, contacts, per) of each channel with a rate, in order."""
    return [(each.name, each.rate, each.rate_per) for each in playbook.channels.values() if each.rate and each.rate_per]


def resources_of(playbook: Playbook, campaign: Campaign, channel: str, offer: str) -> list[str]:
    """Return the paths of what a contact uses, each once, in order: by its channel, its campaign, then its product."""
    way, product = playbook.channels[channel], playbook.offers[offer].product if offer else ""
    declared = playbook.resources
    free = {name for name, each in declared.items() if each.budget and not round(way.cost * MONEY)}
    used = [f"resources.{name}" for name in way.uses if name not in free]
    used += [f"channels.{channel}.rate"] if way.rate and way.rate_per else []
    used += [f"resources.{name}" for name in campaign.uses if name not in free]
    used += [f"resources.{name}" for name, each in declared.items() if product and each.product == product]
    return list(dict.fromkeys(used))


def stock_of(product: str, catalogue: Catalogue) -> float | None:
    """Return what the catalogue says is in stock of a product, None where it does not say."""
    if catalogue.fields.get(STOCK_FIELD) is not FieldType.NUMBER or product not in catalogue.names:
        return None
    found = catalogue.columns[STOCK_FIELD][catalogue.names.index(product)]
    return found if isinstance(found, float | int) else None


def reserved(share: float, capacity: int) -> int:
    """Return how many places of a capacity a share of it is."""
    return round(share * SHARES) * capacity // SHARES


def limit_of(resource: Resource, catalogue: Catalogue) -> int:
    """Return how much there is in one bucket: contacts, units, or ten-thousandths of money."""
    if resource.budget:
        return round(resource.budget * MONEY)
    if resource.product:
        return max(0, int(stock_of(resource.product, catalogue) or 0))
    return resource.capacity or resource.stock
