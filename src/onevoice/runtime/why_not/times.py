"""The nearest time or day with which a campaign wins, and how it is told."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.conditions.tree import Type
from onevoice.history.why_not import Change
from onevoice.playbook.model import DAY, HOUR, MINUTE
from onevoice.playbook.reads import asks_parts
from onevoice.runtime.decisions import EPOCH
from onevoice.runtime.why_not.searching import POWERS, least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from onevoice.runtime.why_not.trial import Trial

_US: Final = timedelta(microseconds=1)
_FIRST: Final = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH) // _US
_LAST: Final = (datetime(9999, 12, 30, tzinfo=UTC) - EPOCH) // _US


def time_changes(
    trial: Trial,
    kind: Type,
    wins: Callable[[int], bool],
    found: date | datetime | None,
    near: Iterable[float],
    *,
    name: str,
    of: str,
) -> Iterator[Change]:
    """Yield the nearest day (of a DATE), or whole minute (of a TIME), with which a campaign wins.

    `wins` is given µs as conditions know them. Looked at first is what lies around the constants `near`, which are
    instants or intervals; `of`: the kind of the change.
    """
    unit = DAY if kind is Type.DATE else MINUTE
    start = trial.time if found is None else _us(found)
    base = start // unit * unit

    def is_enough(count: int) -> bool:
        return _FIRST <= base + count * unit <= _LAST and wins(base + count * unit)

    if (found is None or base != start) and is_enough(0):
        steps: int | None = 0
    else:
        instants = [trial.time, *_around(trial, [start, trial.time], near)]
        guesses = [(each - base) // unit + more for each in instants for more in (-1, 0, 1, 2)]
        steps = least(is_enough, [*guesses, *POWERS])
    if steps is not None:
        better = plain_time(base + steps * unit, kind)
        key, known = ("change_unknown", "unknown") if found is None else ("change_value", found.isoformat())
        told = _told(trial, found) if found is not None else ""
        sentence = trial.words.say(key, name=name, needed=_told(trial, better), found=told)
        yield Change(of, sentence, name, known, better.isoformat())


def _around(trial: Trial, centres: Sequence[int], near: Iterable[float]) -> Iterator[int]:
    """Yield instants, in µs, at which what is compared with constants may change: instants, intervals, parts."""
    constants = [int(each) for each in near]
    for each in constants:
        yield from (each, *(centre + sign * each for centre in centres for sign in (1, -1)))
    if asks_parts(trial.playbook, trial.campaign):
        years = [each for each in constants if date.min.year <= each < date.max.year]
        yield from (_us(date(year, *day)) for year in years for day in ((1, 1), (12, 31)))
        for centre in centres:
            yield from _parts(centre)


def _parts(centre: int) -> Iterator[int]:
    """Yield where the hours of two days, the days of two weeks, the months of two years and leap days begin."""
    for count in range(-24, 25):
        yield (centre // HOUR + count) * HOUR
    for count in range(-7, 8):
        yield (centre // DAY + count) * DAY
    first = plain_time(min(max(centre, _FIRST), _LAST), Type.DATE)
    for month in range(-12, 13):
        year, place = divmod(first.year * 12 + first.month - 1 + month, 12)
        if date.min.year <= year <= date.max.year:
            yield _us(date(year, place + 1, 1))
    leap = [year for year in range(first.year - 8, first.year + 9) if isleap(year) and 1 <= year <= date.max.year]
    yield from (_us(date(year, 2, 29)) for year in leap)


def shown_time(trial: Trial, value: date | datetime) -> str:
    """Return a day, or a time by the clock of the playbook's zone, as values are told."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return value.astimezone(ZoneInfo(trial.playbook.time_zone)).isoformat(" ", "minutes")


def _told(trial: Trial, value: date | datetime) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    return trial.words.time(value, ZoneInfo(trial.playbook.time_zone))


def _us(value: date | datetime) -> int:
    return (value - EPOCH) // _US if isinstance(value, datetime) else (value - EPOCH.date()) // _US


def plain_time(us: int, kind: Type) -> date | datetime:
    """Return the day or the time that conditions know as so many µs."""
    time = EPOCH + timedelta(microseconds=us)
    return time.date() if kind is Type.DATE else time
