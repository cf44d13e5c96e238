"""The nights on which clocks are odd, and what they show: by zoneinfo alone, from the law on the page.

A duration is time that has passed, whatever the clocks do. A calendar goes by them: what is to come at a local time
comes at the first instant at which they show that time or a later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONES = ("Europe/Vilnius", "Europe/Helsinki", "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe")
# Local days that begin at nothing odd but the calendar's own oddities: a leap day, the day after it, ends of months.
DAYS = (
    ("Europe/Vilnius", date(2028, 2, 29)),
    ("Europe/Helsinki", date(2028, 3, 1)),
    ("Europe/Warsaw", date(2026, 5, 1)),
    ("America/New_York", date(2027, 1, 1)),
    ("Australia/Lord_Howe", date(2027, 3, 1)),
)
MICROSECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("microseconds", "minutes", "hours", "days"))


def local(zone: str, instant: datetime) -> datetime:
    """Return what the clocks of a zone show, and nothing else."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def first(zone: str, shown: datetime) -> datetime:
    """Return the first instant at which clocks show this minute or a later one."""
    instant = shown.replace(tzinfo=UTC) - 15 * HOUR
    while local(zone, instant) < shown:
        instant += MINUTE
    return instant


def midnight(zone: str, day: date) -> datetime:
    return first(zone, datetime(day.year, day.month, day.day))  # noqa: DTZ001 - what clocks show has no zone


@dataclass(frozen=True)
class Night:
    """A zone and the instant at which something odd happens: its clocks move, or a day begins."""

    zone: str
    turn: datetime

    def __str__(self) -> str:
        """Name it in the name of a test."""
        return f"{self.zone} {self.day}"

    @property
    def day(self) -> date:
        return local(self.zone, self.turn).date()

    @property
    def start(self) -> datetime:
        """An hour and a half before, and at no whole second: all that happens begins here."""
        return self.turn - 90 * MINUTE - 333_333 * MICROSECOND

    @property
    def odd(self) -> datetime:
        """The local time in the middle of what is skipped or comes twice; else when the day begins."""
        before, after = local(self.zone, self.turn - MINUTE) + MINUTE, local(self.zone, self.turn)
        return min(before, after) + abs(after - before) / 2


def turns(zone: str, year: int) -> list[datetime]:
    """Return the instants of a year at which the clocks of a zone move."""
    quarters = [datetime(year, 1, 1, tzinfo=UTC) + n * 15 * MINUTE for n in range(365 * 96)]
    ahead = [quarter.astimezone(ZoneInfo(zone)).utcoffset() for quarter in quarters]
    return [quarters[n] for n in range(1, len(quarters)) if ahead[n] != ahead[n - 1]]


NIGHTS = [Night(zone, turn) for zone in ZONES for turn in turns(zone, 2026)]
NIGHTS += [Night(zone, midnight(zone, day)) for zone, day in DAYS]
