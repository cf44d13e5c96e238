"""A rule of the playbook written otherwise: from the decision on, and from when its playbook came into force."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from onevoice.runtime.decisions import time_of
from onevoice.runtime.why_not.searching import least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onevoice.history.why_not import Change
    from onevoice.program import Program
    from onevoice.runtime.why_not.trial import Trial

_TIMES: Final = tuple(2**power for power in range(7))  # as many units that are tried where what is enough later is not
_PARTS: Final = 8  # into which all units are divided, to be tried where not even all of them are enough later


class Edit(NamedTuple):
    """A rule that is written otherwise by a number of units: its program, and how it is told.

    `most`: how many units there are, 0 for any number of them. Of a rule that is left out there is one.
    """

    program: Callable[[int], Program]
    change: Callable[[int], Change]
    most: int = 0


def without(program: Program, change: Change) -> Edit:
    """Return that a rule is left out."""

    def changed(units: int) -> Program:
        del units
        return program

    def told(units: int) -> Change:
        del units
        return change

    return Edit(changed, told, 1)


def edited(trial: Trial, edit: Edit, units: int | None) -> Iterator[Change]:
    """Yield the least number of units that would always have been enough; and `units` if that is less, or none is.

    `units`: the least that is enough from the decision on, if any is. What a rule that was always another one frees may
    have been taken by an earlier wish; or the wish itself have gone out before.
    """
    always = _always(trial, edit, units)
    if always:
        yield edit.change(always)
    if units and (not always or abs(units) < abs(always)):
        change, since = edit.change(units), time_of(trial.begins)
        assert since, "a decision has a time"
        when = trial.words.time(since, ZoneInfo(trial.playbook.time_zone))
        yield replace(change, sentence=trial.words.say("change_since", change=change.sentence, time=when), since=since)


def _always(trial: Trial, edit: Edit, units: int | None) -> int | None:
    """Return the least number of units that would always have been enough; None where none that was tried is."""

    @cache
    def untold(count: int) -> list[str] | None:
        return trial.would_have_won(edit.program(count))

    def wins(count: int) -> bool:
        return untold(count) is not None

    nearer = units - (1 if units > 0 else -1) if units else 0
    enough = units if units and wins(units) and not (nearer and wins(nearer)) else least(wins, _tried(edit, units))
    trial.untold |= dict.fromkeys(untold(enough) or () if enough else ())
    return enough


def _tried(edit: Edit, units: int | None) -> Iterator[int]:
    """Yield the numbers of units that are tried, where `units` are enough from the decision on, if any are."""
    if units or not edit.most:
        found = ((units or 1) * times for times in _TIMES)
        yield from (each for each in found if not edit.most or abs(each) < abs(edit.most))
    else:
        yield from (edit.most * part // _PARTS for part in range(1, _PARTS))
    yield edit.most
