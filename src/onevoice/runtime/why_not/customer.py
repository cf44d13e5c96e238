"""What would have to be known of a customer for a campaign to win: the least change of one value, tried.

A value is searched from what it is to the nearest one with which the campaign wins, first around the constants that it
is compared with; one unit less is not enough.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.conditions.opcodes import Op
from onevoice.conditions.tree import SymbolKind, Type
from onevoice.engine.conditions import NULL
from onevoice.history.why_not import Change
from onevoice.playbook.model import Aggregate
from onevoice.playbook.reads import asks_time
from onevoice.runtime import what_if
from onevoice.runtime.why_not.searching import POWERS, decimals_of, least, plain
from onevoice.runtime.why_not.times import shown_time, time_changes
from onevoice.zones import zone_number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from onevoice.history.language import Language
    from onevoice.playbook.model import Playbook
    from onevoice.playbook.reads import Known
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.why_not.trial import Trial

_NONE_OF_THEM: Final = "\0"  # a text that no condition names
_DECIMALS_MAX: Final = 9  # a number of more was computed, not written
_DIGITS: Final = 12  # of the difference to such a number
_LARGE: Final = 1e15  # what is told by its first digits
_FINER: Final = 3  # decimals more that are tried where none of that many is enough
_OPS: Final = {SymbolKind.TRAIT: Op.TRAIT, SymbolKind.MEASURE: Op.MEASURE}


def customer_changes(trial: Trial) -> Iterator[Change]:
    """Yield the least change of each trait, measure and fact that the campaign's conditions read."""
    for known, constants in trial.reads.items():
        found = found_of(trial, known)
        better = [*_otherwise_known(trial, known, constants, found)]
        yield from better or _unknown(trial, known, found)


def _otherwise_known(trial: Trial, known: Known, constants: Collection[float | str], found: object) -> Iterator[Change]:
    """Yield the least change of one value; `constants`: with what it may be compared."""
    numbers = [each for each in constants if not isinstance(each, str)]
    if known.type is Type.BOOLEAN:
        yield from _flipped(trial, known, found)
    elif known.type is Type.TEXT:
        yield from _other_text(trial, known, found, sorted(text for text in constants if isinstance(text, str)))
    elif known.type is Type.NUMBER:
        yield from _other_number(trial, known, found, numbers)
    elif found is None or isinstance(found, date):
        wins = partial(_wins_with, trial, known)
        yield from time_changes(trial, known.type, wins, found, numbers, name=known.name, of="customer")


def found_of(trial: Trial, known: Known) -> object:
    """Return what a name stands for, None where that is not known."""
    if known.asked:
        return trial.answers.get(known.asked, False)
    if trial.known is None:
        return 0 if known.count or known.kind is SymbolKind.FACT else None
    if known.kind is SymbolKind.FACT:
        open_keys = len(trial.known.facts.get(known.name, ()))
        return open_keys if known.count else open_keys > 0
    values = trial.known.traits if known.kind is SymbolKind.TRAIT else trial.known.measures
    return values.get(known.name, 0 if known.kind is SymbolKind.MEASURE and _is_count(trial, known.name) else None)


def _is_count(trial: Trial, measure: str) -> bool:
    return trial.playbook.measures[measure].aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}


def _wins_with(trial: Trial, known: Known, value: float) -> bool:
    if known.asked:
        return trial.wins(what_if.with_answer(trial.program, trial.codes[known.asked], value), prepare=trial.judge)
    return trial.wins(what_if.with_value(trial.program, _op(known), known.index, value), prepare=trial.judge)


def _op(known: Known) -> Op:
    return Op.FACT_COUNT if known.count else _OPS.get(known.kind, Op.FACT_ANY)


def _flipped(trial: Trial, known: Known, found: object) -> Iterator[Change]:
    for value in (True, False):
        if value != found and _wins_with(trial, known, float(value)):
            if known.kind is SymbolKind.FACT:
                sentence = trial.words.say("change_open" if value else "change_not_open", name=known.name)
                states = ("not open", "open") if value else ("open", "not open")
                yield Change("customer", sentence, known.name, *states)
            else:
                yield otherwise(trial, known.name, found, shown(value))


def _other_text(trial: Trial, known: Known, found: object, texts: list[str]) -> Iterator[Change]:
    """Yield the first text that conditions name with which the campaign wins; else that any other is enough."""
    for text in texts:
        if text != found and _wins_with(trial, known, trial.code(text)):
            yield otherwise(trial, known.name, found, text)
            return
    if _wins_with(trial, known, trial.code(_NONE_OF_THEM)):
        but = trial.words.say("or").join(sorted({*texts, *({found} if isinstance(found, str) else ())}))
        sentence = trial.words.say("change_anything", name=known.name, but=but)
        yield Change("customer", sentence, known.name, shown(found), f"anything but {but}")


def _unknown(trial: Trial, known: Known, found: object) -> Iterator[Change]:
    """Yield that the campaign wins if a value is not known."""
    if found is not None and not known.asked and known.kind is not SymbolKind.FACT and _wins_with(trial, known, NULL):
        sentence = trial.words.say("change_not_known", name=known.name)
        yield Change("customer", sentence, known.name, shown(found), "unknown")


def otherwise(trial: Trial, name: str, found: object, needed: str) -> Change:
    """Return that a name would have to stand for something else."""
    told = trial.words.say("unknown") if found is None else shown(found)
    sentence = trial.words.say("change_value", name=name, needed=needed, found=told)
    return Change("customer", sentence, name, shown(found), needed)


def _other_number(trial: Trial, known: Known, found: object, constants: Sequence[float]) -> Iterator[Change]:
    whole = known.count or (known.name in trial.playbook.measures and _is_count(trial, known.name))
    compared = what_if.compared_with(trial.program, _op(known), known.index)
    near = [*constants, *(compared or ())]
    number = nearest(
        lambda value: _wins_with(trial, known, value), found, near, whole=whole, is_sure=compared is not None
    )
    if number is not None:
        yield number.change(trial.words, "customer", known.name)


class Nearest(NamedTuple):
    """A number with which a campaign wins, and one unit nearer to what was `found` it does not; None: not known."""

    found: Decimal | None
    needed: Decimal

    def change(self, words: Language, kind: str, name: str) -> Change:
        """Return that a name would have to stand for it."""
        told = {"name": name, "needed": words.decimals(self.needed)}
        if self.found is None:
            return Change(kind, words.say("change_unknown", **told), name, "unknown", f"{self.needed:f}")
        key = "change_more" if self.needed > self.found else "change_less"
        more = abs(self.needed - self.found)
        if decimals_of(float(self.found)) > _DECIMALS_MAX:
            more = Decimal(f"{float(more):.{_DIGITS}g}")
        sentence = words.say(key, more=words.decimals(more), found=words.decimals(self.found), **told)
        return Change(kind, sentence, name, f"{self.found:f}", f"{self.needed:f}")


def nearest(
    wins: Callable[[float], bool], found: object, near: Sequence[float], *, whole: bool = False, is_sure: bool = False
) -> Nearest | None:
    """Return the nearest number to what was found with which `wins`; None where none is. `near`: where to look first.

    Looked at are whole units: of the last digit of these numbers, hundredths at least, but for `whole`.
    """
    exact = plain(found) if isinstance(found, (int, float)) else None
    written = [decimals_of(each) for each in near]
    if exact is not None and decimals_of(float(exact)) <= _DECIMALS_MAX:
        written.append(decimals_of(float(exact)))
    decimals = 0 if whole else min(_DECIMALS_MAX, max([2, *written]))
    number = _nearest(wins, exact, near, decimals, is_sure=is_sure)
    if number is None and not whole:  # perhaps between two constants that are near each other
        return _nearest(wins, exact, near, decimals + _FINER, is_sure=True)
    return number


def _nearest(
    wins: Callable[[float], bool], exact: Decimal | None, near: Sequence[float], decimals: int, *, is_sure: bool
) -> Nearest | None:
    """Return the nearest number of so many decimals with which `wins`."""
    unit = Decimal(1).scaleb(-decimals)
    base = Decimal(f"{float(exact or 0):.{decimals}f}")
    if exact != base and wins(float(base)):  # of what is not known, nought is tried first
        return Nearest(exact, base)
    guesses = [int((Decimal(f"{each!r}") - base) / unit) + more for each in near for more in (-1, 0, 1)]
    guesses += () if is_sure else POWERS
    steps = least(lambda count: wins(float(base + count * unit)), guesses, is_sure=is_sure)
    if steps is None:
        return None
    return Nearest(base if exact == base else exact, base + steps * unit)


def values(trial: Trial) -> dict[str, str]:
    """Return what was known of each name that the campaign's conditions read."""
    found = ((known, found_of(trial, known)) for known in trial.reads)
    at = trial.known.time if trial.known else None
    clock = {"now()": _shown(trial, at)} if at and asks_time(trial.playbook, trial.campaign) else {}
    return clock | {known.name: _shown(trial, value) for known, value in found if value is not None or not known.asked}


def _shown(trial: Trial, value: object) -> str:
    return shown_time(trial, value) if isinstance(value, date) else shown(value)


def shown(value: object) -> str:
    """Return a value as it is told."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{plain(value):f}" if abs(value) < _LARGE else f"{value:g}"
    return "unknown" if value is None else f"{value}"


def zone_of(known: Customer | None, playbook: Playbook) -> str:
    """Return the customer's own time zone as far as it is known; else empty."""
    traits = known.traits if known else {}
    named = [f"{traits.get(each.name)}" for each in playbook.traits.values() if each.means == "time_zone"]
    return next((zone for zone in named if zone_number(zone) >= 0), "")
