"""Caps where they are written: among the policies, and at the placements whose shows they count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from onevoice.playbook.model import DAY, EACH, TriggerKind
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign, Cap, Playbook
    from onevoice.playbook.scarce import Checker

SHOWS_MAX: Final = 1_000  # shows that are kept of a customer
RESPONSE_US: Final = 30 * DAY  # how long a response by decision is understood at least


def caps_of(playbook: Playbook) -> dict[str, Cap]:
    """Return every cap by its key path, in the order in which decisions number them.

    Those of the policies come first; those of a placement follow as caps that name it.
    """
    found = {f"policies.caps[{i}]": cap for i, cap in enumerate(playbook.policies.caps)}
    for placement in playbook.placements.values():
        for i, cap in enumerate(placement.caps):
            found[f"placements.{placement.name}.caps[{i}]"] = replace(cap, placement=placement.name)
    return found


def shown_again_us(campaign: Campaign) -> int:
    """Return how long a campaign is not shown again; 0 for one that is not asked."""
    return campaign.again_after_us if campaign.when.kind is TriggerKind.ASKED else 0


def check_shown(checker: Checker) -> None:
    """Check the caps that name a placement: it is there, and what is shown has what they go by."""
    first: dict[tuple[object, ...], str] = {}
    for path, cap in caps_of(checker.playbook).items():
        if not cap.placement:
            continue
        if cap.placement != EACH:
            checker.known(f"{path}.placement", "placement", cap.placement, checker.playbook.placements)
        for key, name in (("channel", cap.channel), ("address", cap.address)):
            if name:
                what = f"{quoted(key)} of a cap that names a placement"
                checker.refuse(f"{path}.{key}", what, mend="what is shown goes by no channel: leave it out")
        if cap.max > SHOWS_MAX:
            expected, found = f"at most {SHOWS_MAX:,}, for so many shows of a customer are kept", f"{cap.max:,}"
            checker.refuse(f"{path}.max", "a cap that is never full", expected=expected, found=quoted(found))
        told = (cap.scope, cap.group, cap.rolling_us, cap.period, cap.for_segment)
        other = first.setdefault(told, path)
        if other.partition("[")[0] != path.partition("[")[0]:
            mend = "of two such caps only the first would count"
            checker.refuse(path, f"a second cap with the same scope and window as {quoted(other)}", mend=mend)
