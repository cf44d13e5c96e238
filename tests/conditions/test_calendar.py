"""Zone tables and calendar periods against Python's zoneinfo, on the days when clocks move."""

import os
import secrets
import zoneinfo
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from onevoice.engine import calendar
from onevoice.engine.state import INFINITE
from onevoice.program import PERIOD_DAY, PERIOD_MONTH, PERIOD_WEEK
from onevoice.zones import BEGINNING, zone_names, zone_number, zones

SEED = int(os.environ.get("SEED", secrets.randbits(32)))
SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Where and when clocks move, among them midnights that do not exist, or come twice, and a day that was skipped.
MOVES = [
    ("Europe/Vilnius", "2026-03-29"), ("Europe/Vilnius", "2026-10-25"), ("Europe/Vilnius", "1998-03-29"),
    ("Europe/Helsinki", "2026-03-29"), ("Europe/Warsaw", "2026-10-25"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Sao_Paulo", "2018-11-04"), ("America/Sao_Paulo", "2018-02-18"), ("America/Sao_Paulo", "2017-10-15"),
    ("Pacific/Apia", "2011-12-30"), ("Pacific/Apia", "2011-12-31"), ("America/St_Johns", "2010-11-07"),
    ("Asia/Beirut", "2026-03-29"), ("America/Havana", "2026-11-01"), ("Africa/Casablanca", "2026-02-15"),
    ("Europe/Dublin", "2026-10-25"), ("Asia/Kathmandu", "1986-01-01"), ("Africa/Monrovia", "1972-01-07"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _rules_of_the_package():
    """Let zoneinfo read the same rules as the tables: those of the tzdata package."""
    zoneinfo.reset_tzpath([])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


def _shown(zone: str, t: int) -> datetime:
    """Return what the clock shows, without its zone."""
    return (EPOCH + timedelta(microseconds=t)).astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)


def _micros(shown: datetime) -> int:
    return (shown - EPOCH.replace(tzinfo=None)) // timedelta(microseconds=1)


def test_every_zone_agrees_with_zoneinfo() -> None:
    random = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    tables = zones()
    for number, name in enumerate(zone_names()):
        first, last = tables.starts[number]
        transitions = tables.transitions[first:last]
        assert transitions[0] == BEGINNING
        assert (np.diff(transitions) > 0).all()
        around = random.choice(transitions[1:], min(len(transitions) - 1, 6), replace=False).tolist()
        instants = [
            *random.integers(0, 4_102_444_800, 6).tolist(),
            *(each // SECOND + by for each in around for by in (-1, 0)),
        ]
        for second in instants:
            t = second * SECOND
            assert t + calendar.offset_at(tables, number, t) == _micros(_shown(name, t)), (
                f"seed {SEED}: {name} at {second}"
            )


def test_a_zone_is_found_by_its_exact_name() -> None:
    assert zone_names()[zone_number("Europe/Vilnius")] == "Europe/Vilnius"
    assert zone_number("europe/vilnius") == -1
    assert zone_number("") == -1


def _period(shown: datetime, kind: str) -> datetime:
    midnight = shown.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "week":
        return midnight - timedelta(days=midnight.weekday())
    return midnight.replace(day=1) if kind == "month" else midnight


PERIODS = {"day": PERIOD_DAY, "week": PERIOD_WEEK, "month": PERIOD_MONTH}


@pytest.mark.parametrize(("zone", "day"), MOVES)
def test_periods_part_time_without_gaps(zone: str, day: str) -> None:
    """Each instant lies in one period; one ends where the next begins, and starts when its midnight first comes."""
    tables, number = zones(), zone_number(zone)
    noon = (datetime.fromisoformat(day).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    for kind, period in PERIODS.items():

        def start_of(t: int, ahead: int = 0, *, period: int = period) -> int:
            return int(calendar.period_start(tables, number, period, t, ahead))

        for step in range(-3 * 96, 3 * 96):
            t = noon + step * 900 * SECOND + 7
            start, end = start_of(t), start_of(t, 1)
            assert start <= t < end
            assert start_of(start) == start
            assert start_of(end - 1) == start
            assert start_of(end) == end
            assert start_of(start, 1) == end
            # The clock has never shown this midnight before, and shows it now or has just jumped over it.
            wanted = _period(_shown(zone, start), kind)
            assert _shown(zone, start) >= wanted
            assert _shown(zone, start - 1) < wanted


@pytest.mark.parametrize(
    ("zone", "at", "start", "end"),
    [
        # Sao Paulo skips midnight: the day begins at 01:00 local, 03:00 UTC
        ("America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00", "2018-11-05T02:00"),
        # Sao Paulo goes back at midnight: 17 February has 25 hours
        ("America/Sao_Paulo", "2018-02-18T02:30", "2018-02-17T02:00", "2018-02-18T03:00"),
        # Apia skips 30 December
        ("Pacific/Apia", "2011-12-30T09:59", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        # St John's goes back at 00:01 to 23:01: the new day has begun and stays
        ("America/St_Johns", "2010-11-07T02:45", "2010-11-07T02:30", "2010-11-08T03:30"),
        ("Europe/Vilnius", "2026-03-29T12:00", "2026-03-28T22:00", "2026-03-29T21:00"),
    ],
)
def test_known_days(zone: str, at: str, start: str, end: str) -> None:
    t, begins, ends = (_micros(datetime.fromisoformat(each)) for each in (at, start, end))
    assert calendar.period_start(zones(), zone_number(zone), PERIOD_DAY, t, 0) == begins
    assert calendar.period_start(zones(), zone_number(zone), PERIOD_DAY, t, 1) == ends


def test_civil_dates_are_those_of_the_gregorian_calendar() -> None:
    random = np.random.default_rng(SEED)
    first = EPOCH.toordinal()
    for day in [*random.integers(-700_000, 2_000_000, 2000).tolist(), -1, 0, 59, 60, 10_956, 11_016]:
        year, month, of_month = calendar.civil(day)
        date = datetime.fromordinal(first + day)
        assert (year, month, of_month) == (date.year, date.month, date.day)
        assert calendar.day_number(year, month, of_month) == day
        assert calendar.first_of_month(calendar.month_number(day)) == day - of_month + 1


def test_the_next_transition_is_the_next_change_of_the_offset() -> None:
    tables, vilnius, utc = zones(), zone_number("Europe/Vilnius"), zone_number("UTC")
    spring = _micros(datetime.fromisoformat("2026-03-29T01:00"))
    assert calendar.next_transition(tables, vilnius, spring - 1) == spring
    assert calendar.next_transition(tables, vilnius, spring) == _micros(datetime.fromisoformat("2026-10-25T01:00"))
    assert calendar.next_transition(tables, utc, spring) == INFINITE
