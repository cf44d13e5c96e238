"""What a line's reason came of, where that is not recorded but follows from what is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from onevoice.playbook.hours import is_open
from onevoice.playbook.resources import MONEY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from onevoice.history.decision import Line
    from onevoice.playbook.model import Playbook


def with_causes(lines: Sequence[Line], time: datetime, playbook: Playbook) -> tuple[Line, ...]:
    """Return the lines of a decision of an instant, each with what its reason came of."""
    return tuple(
        replace(line, because=because) if (because := _because(line, lines, time, playbook)) else line for line in lines
    )


def _because(line: Line, beside: Sequence[Line], time: datetime, playbook: Playbook) -> str:
    if line.reason == "outranked":
        return _came_first(line, beside, playbook)
    return _was_short(line, time, playbook) if line.reason == "no_capacity" else ""


def _came_first(lost: Line, beside: Sequence[Line], playbook: Playbook) -> str:
    """Return by what the winner came first, if it was not the rank: a strict class, or exploration that drew it."""
    if _tier(f"{lost.value}", playbook) < _tier(lost.campaign, playbook):
        return "class"
    for each in beside:  # what follows a contact did not compete, and has no probability
        if each.reason == "won" and each.campaign == lost.value and each.probability is not None:
            return "exploration" if each.probability < 1 and _order(each) < _order(lost) else ""
    return ""


def _tier(campaign: str, playbook: Playbook) -> int:
    """Return the place of a campaign's class among the strict ones; those that are not share the last."""
    classes = playbook.policies.classes
    klass = classes.get(playbook.campaigns[campaign].klass)
    return [*classes].index(klass.name) if klass and klass.strict else len(classes)


def _order(line: Line) -> float:
    """Return a rank as a number; NULL comes last."""
    return float("-inf") if line.score is None else line.score


def _was_short(line: Line, time: datetime, playbook: Playbook) -> str:
    """Return what of a resource was short that is not used up; empty where it is."""
    resource = playbook.resources.get(line.rule.removeprefix("resources."))
    if not isinstance(line.value, int) or line.limit is None or line.value >= line.limit or resource is None:
        return ""
    if resource.budget:
        is_ever_enough = round(playbook.channels[line.channel].cost * MONEY) <= line.limit
        return "too_little" if is_ever_enough else "too_small"
    local = time.astimezone(ZoneInfo(playbook.time_zone))
    return "reserved" if is_open(resource.hours, playbook.policies.holidays, local) else "closed"
