"""When a channel is open on a customer's clock, by zoneinfo (§10 hours)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from onevoice.playbook.model import DAY, MINUTE, Holiday

from .clock import EPOCH, INFINITE, MICROSECOND, local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from onevoice.playbook.model import Policies, Window

AHEAD_DAYS = 400


def opening(policies: Policies, channel: str, zone: str, now: int) -> int:
    """Return the least instant from now on at which a channel is open; infinite where there is none in 400 days."""
    windows = policies.hours.get(channel, policies.hours.get("all", ()))
    return opens(windows, policies.holidays, zone, now) if windows else now


def opens(windows: tuple[Window, ...], holidays: tuple[Holiday, ...], zone: str, now: int) -> int:
    """Return the least instant from now on at which one of the windows is open."""
    if is_open(windows, holidays, zone, now):
        return now
    minutes = tuple(sorted({window.from_minute for window in windows}))
    for at in _edges(zone, minutes, now):
        if at >= now + AHEAD_DAYS * DAY:
            return INFINITE
        if is_open(windows, holidays, zone, at):
            return at
    return INFINITE


def is_open(windows: tuple[Window, ...], holidays: tuple[Holiday, ...], zone: str, t: int) -> bool:
    shown = local(zone, t)
    minute = shown.hour * 60 + shown.minute
    if {Holiday(shown.month, shown.day), Holiday(shown.month, shown.day, shown.year)} & set(holidays):
        return False
    return any(
        shown.weekday() in window.weekdays and window.from_minute <= minute < window.to_minute for window in windows
    )


def _edges(zone: str, minutes: tuple[int, ...], now: int) -> Iterator[int]:
    """Yield in order the instants after now at which what was closed may open: a window begins, or clocks change."""
    day = local(zone, now).date() - timedelta(days=1)
    for _ in range(AHEAD_DAYS + 4):
        # An edge of a local day may lie in the next one's time: each is given with those of its day of UTC.
        yield from (at for at in _edges_of(zone, minutes, day) if at > now)
        day += timedelta(days=1)


@lru_cache(maxsize=1 << 16)
def _edges_of(zone: str, minutes: tuple[int, ...], day: date) -> tuple[int, ...]:
    """Return the edges within one day of UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start = (midnight - EPOCH) // MICROSECOND
    found = {start + at for at in _changes(zone, start)}
    for ahead in (-1, 0, 1):
        for minute in minutes:
            shown = midnight.replace(tzinfo=None) + timedelta(days=ahead, minutes=minute)
            for fold in (0, 1):
                found.add((shown.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) - EPOCH) // MICROSECOND)
    return tuple(sorted(at for at in found if start <= at < start + DAY))


def _changes(zone: str, start: int) -> Iterator[int]:
    """Yield how long after the start of a day of UTC its clocks change; they do so on whole minutes."""
    if local(zone, start).utcoffset() == local(zone, start + DAY).utcoffset():
        return
    for minute in range(24 * 60):
        at = minute * MINUTE
        if local(zone, start + at).utcoffset() != local(zone, start + at - MINUTE).utcoffset():
            yield at
