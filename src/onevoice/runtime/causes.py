"""What a line's reason came of, where that is not recorded but follows from what is."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from onevoice.engine import state as at
from onevoice.engine.reasons import NO_CAPACITY, OUTRANKED, WON
from onevoice.playbook.hours import is_open
from onevoice.playbook.resources import MONEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from onevoice.playbook.model import Playbook


class Causes:
    """What reasons came of under a playbook. Lines and their figures are as the engine writes them (at.L_, at.F_)."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        classes = playbook.policies.classes
        strict = {name: tier for tier, name in enumerate(classes) if classes[name].strict}
        self._tiers = [strict.get(each.klass, len(classes)) for each in playbook.campaigns.values()]
        self._resources = list(playbook.resources.values())
        self._channels = list(playbook.channels.values())

    def of(self, line: Sequence[int], score: float, won: Mapping[int, Sequence[float]], time: datetime) -> str:
        """Return what the reason of a line with a rank came of; empty where it is what is to be expected.

        `won`: the figures of those that had won of the decision, at `time`.
        """
        if line[at.L_REASON] == OUTRANKED:
            return self._came_first(line, score, won)
        return self._was_short(line, time) if line[at.L_REASON] == NO_CAPACITY else ""

    def _came_first(self, line: Sequence[int], score: float, won: Mapping[int, Sequence[float]]) -> str:
        """Return by what the winner came first, if it was not the rank: a strict class, or exploration that drew it."""
        winner = line[at.L_VALUE]
        if self._tiers[winner] < self._tiers[line[at.L_CAMPAIGN]]:
            return "class"
        figures = won.get(winner)
        if figures is None or figures[at.F_PROBABILITY] >= 1:
            return ""
        return "exploration" if _order(figures[at.F_SCORE]) < _order(score) else ""

    def _was_short(self, line: Sequence[int], time: datetime) -> str:
        """Return what of a resource was short that is not used up; empty where it is."""
        if line[at.L_VALUE] >= line[at.L_LIMIT] or line[at.L_RULE] >= len(self._resources):
            return ""
        resource = self._resources[line[at.L_RULE]]
        if resource.budget:
            is_ever_enough = round(self._channels[line[at.L_CHANNEL]].cost * MONEY) <= line[at.L_LIMIT]
            return "too_little" if is_ever_enough else "too_small"
        local = time.astimezone(ZoneInfo(self._playbook.time_zone))
        return "reserved" if is_open(resource.hours, self._playbook.policies.holidays, local) else "closed"


def winners(lines: Iterable[Sequence[int]], figures: Iterable[Sequence[float]]) -> dict[int, Sequence[float]]:
    """Return the figures of those that had won of a decision, by their campaigns; what follows a contact did not."""
    won = [(line, own) for line, own in zip(lines, figures, strict=True) if line[at.L_REASON] == WON]
    return {line[at.L_CAMPAIGN]: own for line, own in reversed(won) if not isnan(own[at.F_PROBABILITY])}


def _order(score: float) -> float:
    """Return a rank as a number; NULL comes last."""
    return float("-inf") if isnan(score) else score
