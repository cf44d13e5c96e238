"""A rule of the playbook written otherwise: from the decision on, and from when its playbook came into force."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.runtime.decisions import time_of
from onevoice.runtime.why_not.searching import least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onevoice.history.why_not import Change
    from onevoice.program import Program
    from onevoice.runtime.why_not.trial import Trial

_TIMES: Final = tuple(2**power for power in range(7))  # as many units that are tried where what is enough later is not


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


def edited(trial: Trial, edit: Edit, units: int) -> Iterator[Change]:
    """Yield how many units are the least, where so many are from the decision on; and these, if always it takes more.

    What a rule that was always another one frees may have been taken by an earlier wish.
    """
    always = _always(trial, edit, units)
    if always:
        yield edit.change(always)
    if not always or abs(units) < abs(always):
        change = edit.change(units)
        sentence = trial.words.say("change_since", change=change.sentence)
        yield replace(change, sentence=sentence, since=time_of(trial.time))


def _always(trial: Trial, edit: Edit, units: int) -> int | None:
    """Return the least number of units that would always have been enough; None where none that was tried is."""
    nearer = units - (1 if units > 0 else -1)

    @cache
    def untold(count: int) -> list[str] | None:
        return trial.would_have_won(edit.program(count))

    def wins(count: int) -> bool:
        return untold(count) is not None

    if wins(units) and not (nearer and wins(nearer)):
        enough: int | None = units
    else:
        tried = [units * times for times in _TIMES]
        last = [edit.most] if edit.most else []
        enough = least(wins, [each for each in tried if not last or abs(each) < abs(edit.most)] + last)
    trial.untold |= dict.fromkeys(untold(enough) or () if enough else ())
    return enough
