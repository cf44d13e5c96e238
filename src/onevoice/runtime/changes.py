"""The single changes after which a campaign would have won, each tried, and one unit less of it.

What is looked for is the least change of one thing, all else being as it was: waiting, then what is known of the
customer, then what stands in the playbook. A value is searched from what it is to the nearest one with which the
campaign wins, first around the constants that it is compared with.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.conditions.opcodes import Op
from onevoice.conditions.tree import SymbolKind, Type
from onevoice.history.language import Span
from onevoice.history.why_not import Change
from onevoice.playbook.capping import caps_of
from onevoice.playbook.model import MINUTE, Aggregate
from onevoice.playbook.reads import reads_of
from onevoice.runtime import what_if
from onevoice.runtime.decisions import time_of, us_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from onevoice.history.decision import Line
    from onevoice.playbook.reads import Known
    from onevoice.runtime.trial import Trial

_UNITS_MAX: Final = 2**44  # how far a value is searched, in its units
_DECIMALS_MAX: Final = 4
_CAP_MORE_MAX: Final = 64
_OPS: Final = {SymbolKind.TRAIT: Op.TRAIT, SymbolKind.MEASURE: Op.MEASURE}


def changes(trial: Trial, lost: Line | None) -> list[Change]:
    """Return the least changes that were found, the smallest first. `lost`: why the campaign lost, if it took part."""
    found = [*_wait(trial, lost), *_customer(trial), *_priority(trial)]
    return [*found, *_rule(trial, lost)] if lost else found


def _wait(trial: Trial, lost: Line | None) -> Iterator[Change]:
    """Yield when the campaign wins if nothing else happens."""
    if lost is None or lost.until is None:
        return
    outcome = trial.outcome(until=us_of(lost.until, "until"))
    if outcome and outcome[1].reason == "won" and outcome[0] > trial.time:
        at = time_of(outcome[0])
        assert at, "what was decided has a time"
        when = trial.words.time(at, ZoneInfo(trial.playbook.time_zone))
        yield Change("wait", trial.words.say("change_wait", time=when), "time", "", at.isoformat(), at)


# What is known of the customer.


def _customer(trial: Trial) -> Iterator[Change]:
    for known, constants in reads_of(trial.playbook, trial.campaign).items():
        found = found_of(trial, known)
        if known.type is Type.BOOLEAN:
            yield from _flipped(trial, known, found)
        elif known.type is Type.TEXT:
            yield from _other_text(trial, known, found, sorted(text for text in constants if isinstance(text, str)))
        elif known.type is Type.NUMBER:
            numbers = [number for number in constants if not isinstance(number, str)]
            yield from _other_number(trial, known, found, numbers)


def found_of(trial: Trial, known: Known) -> object:
    """Return what a name stands for, None where that is not known."""
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
    return trial.wins(what_if.with_value(trial.program, _op(known), known.index, value), anew=True)


def _op(known: Known) -> Op:
    return Op.FACT_COUNT if known.count else _OPS.get(known.kind, Op.FACT_ANY)


def _flipped(trial: Trial, known: Known, found: object) -> Iterator[Change]:
    for value in (True, False):
        if value != found and _wins_with(trial, known, float(value)):
            if known.kind is SymbolKind.FACT:
                sentence = trial.words.say("change_open" if value else "change_not_open", name=known.name)
                yield Change(
                    "customer", sentence, known.name, "open" if found else "not open", "open" if value else "not open"
                )
            else:
                yield _otherwise(trial, known.name, found, shown(value))


def _other_text(trial: Trial, known: Known, found: object, texts: list[str]) -> Iterator[Change]:
    for text in texts:
        if text != found and _wins_with(trial, known, trial.code(text)):
            yield _otherwise(trial, known.name, found, text)
            return


def _otherwise(trial: Trial, name: str, found: object, needed: str) -> Change:
    """Return that a name would have to stand for something else."""
    told = trial.words.say("unknown") if found is None else shown(found)
    sentence = trial.words.say("change_value", name=name, needed=needed, found=told)
    return Change("customer", sentence, name, shown(found), needed)


def _other_number(trial: Trial, known: Known, found: object, constants: Sequence[float]) -> Iterator[Change]:
    """Yield the nearest number with which the campaign wins."""
    decimals = 0 if known.count or (known.name in trial.playbook.measures and _is_count(trial, known.name)) else 2
    start = float(found) if isinstance(found, (int, float)) else 0.0
    decimals = min(_DECIMALS_MAX, max([decimals, *map(_decimals, [start, *constants])]) if decimals else 0)
    unit = Decimal(1).scaleb(-decimals)
    base = Decimal(f"{start:.{decimals}f}")
    compared = what_if.compared_with(trial.program, _op(known), known.index)
    known_to = [*constants, *(compared or ())]
    guesses = [int((Decimal(str(each)) - base) / unit) + more for each in known_to for more in (-1, 0, 1)]
    steps = least(
        lambda count: _wins_with(trial, known, float(base + count * unit)), guesses, is_sure=compared is not None
    )
    if steps is None:
        return
    needed = base + steps * unit
    say, figure = trial.words.say, trial.words.decimals
    told = {"name": known.name, "needed": figure(needed)}
    if found is None:
        sentence = say("change_unknown", **told)
    else:
        key = "change_more" if steps > 0 else "change_less"
        sentence = say(key, more=figure(abs(steps) * unit), found=figure(base), **told)
    yield Change("customer", sentence, known.name, "unknown" if found is None else f"{base:f}", f"{needed:f}")


def _decimals(value: float) -> int:
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def least(wins: Callable[[int], bool], guesses: list[int], *, is_sure: bool = False) -> int | None:
    """Return the whole number nearest to nought that wins while its neighbour nearer to nought does not, or None.

    Nought itself is known not to win. Looked at are the guesses, then powers of two in both directions; what lies
    between nought and the nearest winner is halved until two neighbours are found. `is_sure`: the guesses are next to
    all numbers at which anything changes, so the nearest that wins is one of them, or none does.
    """
    powers = [sign * 2**power for power in range(_UNITS_MAX.bit_length()) for sign in (1, -1)]
    tried = sorted({guess for guess in guesses if guess}, key=abs)
    winner = next((count for count in [*tried, *(() if is_sure else powers)] if wins(count)), None)
    if winner is None or is_sure:
        return winner
    low, high = 0, winner
    while abs(high - low) > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wins(middle) else (middle, high)
    return high


def shown(value: object) -> str:
    """Return a value as it is told."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    return "unknown" if value is None else f"{value}"


# What stands in the playbook.


def _priority(trial: Trial) -> Iterator[Change]:
    priority = Decimal(f"{trial.campaign.priority:g}")
    unit = Decimal(1).scaleb(-_decimals(trial.campaign.priority))
    if not trial.wins(what_if.with_priority(trial.program, trial.number, what_if.BEYOND)):
        return

    def wins(count: int) -> bool:
        return trial.wins(what_if.with_priority(trial.program, trial.number, float(priority + count * unit)))

    steps = least(wins, [])
    if steps is not None:
        needed = priority + steps * unit
        told = {"needed": trial.words.decimals(needed), "found": trial.words.decimals(priority)}
        sentence = trial.words.say("change_priority", **told)
        yield Change("playbook", sentence, f"campaigns.{trial.campaign.name}.priority", f"{priority:f}", f"{needed:f}")


def _rule(trial: Trial, lost: Line) -> Iterator[Change]:
    if lost.reason == "cap":
        yield from _cap(trial, lost)
    elif lost.reason == "suppressed":
        if trial.wins(what_if.without_suppression(trial.program, index_of(lost.rule))):
            yield Change("playbook", trial.words.say("change_without", rule=lost.rule), lost.rule, "", "")
    elif lost.reason == "fatigue":
        if trial.wins(what_if.without_fatigue(trial.program)):
            yield Change("playbook", trial.words.say("change_without", rule=lost.rule), lost.rule, "", "")
    elif lost.reason == "stale":
        yield from _heard(trial, lost)
    elif lost.reason == "hours":
        yield from _open(trial, lost.channel)
    elif lost.reason == "gap":
        yield from _shorter(trial, lost, "policies.gap", trial.playbook.policies.gap_us)
    elif lost.reason == "kept_for":
        yield from _nearer(trial, lost)
    elif lost.reason == "again_after":
        yield from _shorter(trial, lost, f"campaigns.{trial.campaign.name}.again_after", trial.campaign.again_after_us)


def _heard(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield that the source would have been fresh by anything that occurred late enough."""
    source = [*trial.playbook.sources.values()][source_of(trial, lost)]
    after = time_of(trial.time - source.stale_after_us)
    assert after, "a decision is later than what it waits for"
    if trial.wins(what_if.without_source(trial.program, trial.number, source_of(trial, lost))):
        when = trial.words.time(after, ZoneInfo(trial.playbook.time_zone))
        sentence = trial.words.say("change_heard", source=source.name, time=when)
        found = lost.value.isoformat() if isinstance(lost.value, datetime) else ""
        yield Change("source", sentence, lost.rule, found, after.isoformat())


def source_of(trial: Trial, line: Line) -> int:
    """Return the number of the source that a line names."""
    return list(trial.playbook.sources).index(line.rule.removeprefix("sources."))


def _open(trial: Trial, channel: str) -> Iterator[Change]:
    number = list(trial.playbook.channels).index(channel)
    if trial.wins(what_if.without_hours(trial.program, number)):
        sentence = trial.words.say("change_always_open", channel=channel)
        yield Change("playbook", sentence, f"policies.hours.{channel}", "", "")


def _cap(trial: Trial, lost: Line) -> Iterator[Change]:
    caps, most = caps_of(trial.playbook), lost.limit or 0
    rule, own = [*caps].index(lost.rule), caps[lost.rule].own_max
    for more in range(1, _CAP_MORE_MAX):
        if trial.wins(what_if.with_cap(trial.program, rule, most + more)):
            found, needed = f"{most}", f"{most + more}"
            if own and trial.known and trial.known.traits.get(own) is not None:
                yield _otherwise(trial, own, found, needed)
            else:
                sentence = trial.words.say("change_cap", needed=needed, found=found, rule=lost.rule)
                yield Change("playbook", sentence, f"{lost.rule}.max", found, needed)
            return


def _shorter(trial: Trial, lost: Line, path: str, span_us: int) -> Iterator[Change]:
    """Yield the longest pause, in whole minutes, that would have been over."""
    if lost.until is None:
        return
    left = us_of(lost.until, "until") - trial.time
    needed = (span_us - left) // MINUTE * MINUTE
    if path == "policies.gap":
        program = what_if.with_gap(trial.program, needed)
    else:
        program = what_if.with_again_after(trial.program, trial.number, needed)
    if trial.wins(program):
        yield _another_span(trial, path, span_us, needed)


def _nearer(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield the longest look-ahead, in whole minutes, that would not have seen what it was kept back for."""
    if lost.until is None:
        return
    needed = (us_of(lost.until, "until") - trial.time - 1) // MINUTE * MINUTE
    if trial.wins(what_if.with_look_ahead(trial.program, needed)):
        yield _another_span(trial, "policies.look_ahead", trial.playbook.policies.look_ahead_us, needed)


def _another_span(trial: Trial, path: str, span_us: int, needed_us: int) -> Change:
    found, needed = (Span(trial.words, us // MINUTE, "minute") for us in (span_us, needed_us))
    sentence = trial.words.say("change_span", rule=path, needed=needed, found=found)
    return Change("playbook", sentence, path, f"{span_us // MINUTE} minutes", f"{needed_us // MINUTE} minutes")


def index_of(rule: str) -> int:
    """Return the number in a path such as `policies.caps[2]`."""
    return int(rule.rpartition("[")[2].rstrip("]"))
