"""A golden table of windows: when each form of a cap begins to count and when it has room, on the days that are odd.

The instants of days and months are written by hand; those of weeks are found by the machine's own calendar.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from onevoice.compiler import compile_playbook
from onevoice.engine import caps, ledger
from onevoice.engine import state as at
from onevoice.engine.empty import empty
from onevoice.playbook.model import DAY, HOUR, MINUTE, CampaignClass, Cap, Period, Playbook, Policies
from onevoice.zones import zone_number
from tests.oracle.clock import instant

# zone, local day, first instant of it and of the next.
DAYS = """
Europe/Vilnius       2026-03-29  2026-03-28T22:00Z  2026-03-29T21:00Z
Europe/Vilnius       2026-10-25  2026-10-24T21:00Z  2026-10-25T22:00Z
Europe/Helsinki      2026-03-29  2026-03-28T22:00Z  2026-03-29T21:00Z
Europe/Helsinki      2026-10-25  2026-10-24T21:00Z  2026-10-25T22:00Z
Europe/Warsaw        2026-03-29  2026-03-28T23:00Z  2026-03-29T22:00Z
Europe/Warsaw        2026-10-25  2026-10-24T22:00Z  2026-10-25T23:00Z
America/New_York     2026-03-08  2026-03-08T05:00Z  2026-03-09T04:00Z
America/New_York     2026-11-01  2026-11-01T04:00Z  2026-11-02T05:00Z
Australia/Lord_Howe  2026-04-05  2026-04-04T13:00Z  2026-04-05T13:30Z
Australia/Lord_Howe  2026-10-04  2026-10-03T13:30Z  2026-10-04T13:00Z
Europe/Vilnius       2028-02-29  2028-02-28T22:00Z  2028-02-29T22:00Z
America/New_York     2028-02-29  2028-02-29T05:00Z  2028-03-01T05:00Z
Europe/Vilnius       2026-02-28  2026-02-27T22:00Z  2026-02-28T22:00Z
Europe/Warsaw        2026-12-31  2026-12-30T23:00Z  2026-12-31T23:00Z
"""
# zone, a local day, first instant of its month and of the next.
MONTHS = """
Europe/Vilnius       2026-03-29  2026-02-28T22:00Z  2026-03-31T21:00Z
Europe/Vilnius       2026-10-25  2026-09-30T21:00Z  2026-10-31T22:00Z
Europe/Helsinki      2026-03-31  2026-02-28T22:00Z  2026-03-31T21:00Z
Europe/Helsinki      2026-10-31  2026-09-30T21:00Z  2026-10-31T22:00Z
Europe/Warsaw        2026-03-31  2026-02-28T23:00Z  2026-03-31T22:00Z
Europe/Warsaw        2026-10-31  2026-09-30T22:00Z  2026-10-31T23:00Z
America/New_York     2026-03-08  2026-03-01T05:00Z  2026-04-01T04:00Z
America/New_York     2026-11-01  2026-11-01T04:00Z  2026-12-01T05:00Z
Australia/Lord_Howe  2026-04-05  2026-03-31T13:00Z  2026-04-30T13:30Z
Australia/Lord_Howe  2026-10-04  2026-09-30T13:30Z  2026-10-31T13:00Z
Europe/Vilnius       2028-02-29  2028-01-31T22:00Z  2028-02-29T22:00Z
America/New_York     2028-02-29  2028-02-01T05:00Z  2028-03-01T05:00Z
Europe/Vilnius       2026-02-28  2026-01-31T22:00Z  2026-02-28T22:00Z
Europe/Warsaw        2026-12-31  2026-11-30T23:00Z  2026-12-31T23:00Z
"""
CUSTOMER = 0


def rows(table: str) -> list[tuple[str, str, int, int]]:
    lines = [line.split() for line in table.strip().splitlines()]
    return [(zone, day, instant(start), instant(stop)) for zone, day, start, stop in lines]


def weeks() -> list[tuple[str, str, int, int]]:
    """The weeks of the days above, by zoneinfo."""
    found: list[tuple[str, str, int, int]] = []
    for zone, day, _, _ in rows(DAYS):
        monday = date.fromisoformat(day) - timedelta(days=date.fromisoformat(day).weekday())
        edges = [datetime.combine(monday + timedelta(days=d), datetime.min.time(), ZoneInfo(zone)) for d in (0, 7)]
        start, stop = (int(edge.astimezone(UTC).timestamp()) * 1_000_000 for edge in edges)
        found.append((zone, day, start, stop))
    return found


CALENDAR = [
    (period, *row) for period, table in ((Period.DAY, rows(DAYS)), (Period.MONTH, rows(MONTHS))) for row in table
]
CALENDAR += [(Period.WEEK, *row) for row in weeks()]


@cache
def program_of(cap: Cap):
    return compile_playbook(Playbook("capped", policies=Policies(classes={"a": CampaignClass("a")}, caps=(cap,))))


class Ledger:
    """One customer of a zone, with one cap."""

    def __init__(self, cap: Cap, zone: str) -> None:
        compiled = program_of(cap)
        self.program, self.state = compiled.program, empty(compiled.widths)
        self.state.customers[CUSTOMER, at.CONTACT_HEAD] = -1
        self.state.customers[CUSTOMER, at.ZONE] = zone_number(zone)

    def enters(self, *dues: int) -> None:
        caps.describe(self.program, self.state, CUSTOMER, -1, 0, -1, -1, -1)
        for due in dues:
            self.state.scalars[at.NOW] = due
            ledger.enter(self.program, self.state, CUSTOMER, 0, 0, due)

    def full(self, now: int) -> tuple[int, int] | None:
        """How many the cap counts and when it has room; None where it is not full."""
        self.state.scalars[at.NOW] = now
        caps.describe(self.program, self.state, CUSTOMER, -1, 0, -1, -1, -1)
        cap, count, _, room_at = caps.full_cap(self.program, self.state, CUSTOMER, False, now, False)
        return (int(count), int(room_at)) if cap >= 0 else None


@pytest.mark.parametrize(("period", "zone", "day", "start", "stop"), CALENDAR)
def test_a_calendar_window_is_the_customers_own(period, zone, day, start, stop):
    noon = datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=ZoneInfo(zone))
    assert start < int(noon.timestamp()) * 1_000_000 < stop
    book = Ledger(Cap(1, period=period), zone)
    book.enters(start - 1)
    assert book.full(start - 1) == (1, start)  # the last instant of the one before
    assert book.full(start) is None
    book.enters(start, stop - 1)
    assert [book.full(now) for now in (start, stop - 1)] == [(2, stop), (2, stop)]
    assert book.full(stop) is None


@pytest.mark.parametrize(("zone", "day", "start", "stop"), rows(DAYS))
@pytest.mark.parametrize("length", [24 * HOUR, 7 * DAY, 90 * MINUTE])
def test_a_rolling_window_is_as_long_on_every_day(zone, day, start, stop, length):
    """Clocks may move in it, days may be odd: what was sent counts for the length, half open, to the microsecond."""
    book = Ledger(Cap(2, rolling_us=length), zone)
    sent = [start, start + HOUR, start + 3 * HOUR // 2 - 1]
    book.enters(*sent)
    now = sent[-1]
    assert book.full(now) == (3, sent[1] + length)
    assert book.full(sent[1] + length - 1) == ((2, sent[1] + length))
    assert book.full(sent[1] + length) is None
    assert stop - start in {23 * HOUR, 24 * HOUR, 25 * HOUR, 47 * HOUR // 2, 49 * HOUR // 2}, day


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Vilnius", 25), ("Australia/Lord_Howe", 24)])
def test_the_hour_that_comes_twice_is_one_day(zone, hours):
    """What was sent in the first of two equal hours counts in the second, and in no day twice."""
    (day,) = [row for row in rows(DAYS) if row[0] == zone and row[3] - row[2] > 24 * HOUR]
    book = Ledger(Cap(1, period=Period.DAY), zone)
    twice = [day[2] + step * MINUTE for step in range(60, 240, 30)]
    book.enters(twice[0])
    assert {book.full(now) for now in twice} == {(1, day[3])}
    assert (day[3] - day[2]) // HOUR == hours
