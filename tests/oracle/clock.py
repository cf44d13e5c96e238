"""Instants, local time and calendar periods, by zoneinfo (§1, §8 schedules, §10 caps)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from onevoice.conditions.tree import Part
from onevoice.playbook.model import DAY, MINUTE, Period

if TYPE_CHECKING:
    from onevoice.playbook.model import Every

INFINITE = 1 << 62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def instant(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def rfc3339(t: int) -> str:
    return (EPOCH + timedelta(microseconds=t)).isoformat().replace("+00:00", "Z")


def midnight_us(day: date) -> int:
    """Return a date as conditions hold it: the µs of its midnight in UTC."""
    return (day - EPOCH.date()).days * DAY


@lru_cache
def is_zone(name: str) -> bool:
    return name in available_timezones()


def local(zone: str, t: int) -> datetime:
    return (EPOCH + timedelta(microseconds=t)).astimezone(ZoneInfo(zone))


@lru_cache(maxsize=1 << 14)
def local_instant(zone: str, day: date, minute_of_day: int = 0) -> int:
    """Return when a local clock shows a time: the first of two, the instant after the gap when it never does."""
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minute_of_day)  # noqa: DTZ001
    there = ZoneInfo(zone)
    late = (naive.replace(tzinfo=there, fold=0).astimezone(UTC) - EPOCH) // MICROSECOND
    if local(zone, late).replace(tzinfo=None) == naive:
        return late
    early = (naive.replace(tzinfo=there, fold=1).astimezone(UTC) - EPOCH) // MICROSECOND
    after = local(zone, late).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if local(zone, middle).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late


def _first_day(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def _next_first_day(period: Period, day: date) -> date:
    first = _first_day(period, day)
    if period is Period.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if period is Period.WEEK else 1)


def period_start(zone: str, period: Period, t: int) -> int:
    return local_instant(zone, _first_day(period, local(zone, t).date()))


def next_period_start(zone: str, period: Period, t: int) -> int:
    return local_instant(zone, _next_first_day(period, local(zone, t).date()))


def next_occurrence(zone: str, every: Every, after: int) -> int:
    """Return the first instant of a repeating local time that is later than `after`."""
    day = local(zone, after).date() - timedelta(days=1)
    while True:
        wanted = every.weekday in {-1, day.weekday()} and every.month_day in {0, day.day}
        if wanted and (found := local_instant(zone, day, every.minute_of_day)) > after:
            return found
        day += timedelta(days=1)


def part(shown: datetime, which: Part) -> int:
    match which:
        case Part.YEAR:
            return shown.year
        case Part.MONTH:
            return shown.month
        case Part.DAY:
            return shown.day
        case Part.DOY:
            return shown.timetuple().tm_yday
        case Part.ISODOW:
            return shown.isoweekday()
        case Part.HOUR:
            return shown.hour
        case Part.MINUTE:
            return shown.minute


def next_part_change(zone: str, which: Part, t: int) -> int:
    """Return an instant after `t` before which this part of the local time stays what it is.

    Offsets of zones move at whole quarters of an hour, so that a look at each quarter misses no change of the hour.
    """
    if which not in {Part.HOUR, Part.MINUTE}:
        return next_period_start(zone, Period.DAY, t)
    step = MINUTE if which is Part.MINUTE else 15 * MINUTE
    shown = part(local(zone, t), which)
    then = t // step * step + step
    while part(local(zone, then), which) == shown:
        then += step
    return then
