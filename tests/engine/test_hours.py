"""When a channel opens, held against a search by zoneinfo, minute by minute (semantics §10, Hours)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.compiler import compile_playbook
from onevoice.engine import hours
from onevoice.engine.state import INFINITE
from onevoice.playbook.hours import holiday, window, window_text
from onevoice.playbook.model import (
    DAY,
    MINUTE,
    Campaign,
    CampaignClass,
    Channel,
    Holiday,
    Playbook,
    Policies,
    Trigger,
    TriggerKind,
    Window,
)
from onevoice.zones import zone_number

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BASE = Playbook(
    "hours",
    channels={"call": Channel("call")},
    campaigns={"hello": Campaign("hello", "sales", Trigger(TriggerKind.EVENT, "profile_updated"), send=("call",))},
    policies=Policies(classes={"sales": CampaignClass("sales")}),
)
CLOCKS = {  # zone: nights of 2026 in which its clocks change, and one in a year with a leap day
    "Europe/Vilnius": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Helsinki": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Warsaw": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
}
EDGES = (date(2028, 2, 29), date(2026, 12, 31), date(2026, 4, 30), date(2026, 2, 28))
RULES = (  # windows, holidays
    (["08:00-21:00"], []),
    (["00:00-24:00"], []),
    (["00:00-24:00 sun"], []),
    (["09:00-18:00 mon-fri", "10:00-14:00 sat"], []),
    (["21:00-24:00", "00:00-06:00"], []),
    (["00:00-02:30", "03:00-03:30"], []),
    (["01:15-01:45"], []),
    (["02:10-02:20"], []),
    (["02:30-05:00"], []),
    (["03:00-03:01", "04:00-04:01 mon,wed,sun"], []),
    (["00:00-24:00"], ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-10-04", "2026-04-05"]),
    (["08:00-21:00 mon-fri"], ["02-28", "02-29", "12-31", "01-01", "2026-05-01", "2026-04-30"]),
    (["00:00-24:00"], ["01-01", "12-31", "03-01"]),
)


@cache
def program_of(windows, holidays):
    policies = replace(BASE.policies, hours={"call": windows}, holidays=holidays)
    return compile_playbook(replace(BASE, policies=policies)).program


def opens_at(windows, holidays, zone, t):
    program = program_of(windows, holidays)
    found = hours.opens_at(program, zone_number(zone), 0, len(program.windows), t)
    return None if found == INFINITE else int(found)


def us(moment):
    return (moment - EPOCH) // MICROSECOND


def at(zone, text):
    """Return the instant of a local time, `+` or `-` behind it for the first or the second of two."""
    shown = datetime.fromisoformat(text.rstrip("+-"))
    return us(shown.replace(tzinfo=ZoneInfo(zone), fold=int(text.endswith("-"))))


def is_open(windows, holidays, shown):
    """The rule, from the page: one reading of the clock."""
    if any((each.month, each.day) == (shown.month, shown.day) and each.year in {0, shown.year} for each in holidays):
        return False
    minute = shown.hour * 60 + shown.minute
    return any(each.from_minute <= minute < each.to_minute and shown.weekday() in each.weekdays for each in windows)


@cache
def clock(zone, start, days):
    """What the local clock shows at every minute from an instant on."""
    there = ZoneInfo(zone)
    return [(EPOCH + timedelta(microseconds=start + i * MINUTE)).astimezone(there) for i in range(days * 1440)]


# Both days on which clocks change, leap day, ends of months and years


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: " ".join(rule[0]))
@pytest.mark.parametrize("zone", CLOCKS)
def test_it_opens_at_the_first_minute_that_the_clock_allows(zone, rule):
    windows, holidays = tuple(map(window, rule[0])), tuple(map(holiday, rule[1]))
    for day in (*CLOCKS[zone], *EDGES):
        start = us(datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2))
        shown = clock(zone, start, 12)
        coming = None
        expected = [None] * len(shown)
        for i in reversed(range(len(shown))):
            coming = i if is_open(windows, holidays, shown[i]) else coming
            expected[i] = coming
        for i in range(0, 4 * 1440, 7):  # twelve days are enough to find an opening after any of these
            now = start + i * MINUTE
            assert opens_at(windows, holidays, zone, now) == start + expected[i] * MINUTE, shown[i]
            between = now + MINUTE // 3
            wanted = between if expected[i] == i else start + expected[i + 1] * MINUTE
            assert opens_at(windows, holidays, zone, between) == wanted, shown[i]


@pytest.mark.parametrize(
    ("zone", "text", "now", "expected"),
    [
        # The clocks skip a window's start: the first instant after the gap, if it still lies in the window.
        ("Europe/Vilnius", "03:30-05:00", "2026-03-29 00:00", "2026-03-29 04:00"),
        ("Europe/Vilnius", "03:10-03:50", "2026-03-29 00:00", "2026-03-30 03:10"),
        ("Europe/Warsaw", "02:30-05:00", "2026-03-29 00:00", "2026-03-29 03:00"),
        ("America/New_York", "02:30-05:00 sun", "2026-03-07 23:00", "2026-03-08 03:00"),
        ("Australia/Lord_Howe", "02:10-02:40", "2026-10-04 00:00", "2026-10-04 02:30"),
        ("Australia/Lord_Howe", "02:10-02:25", "2026-10-04 00:00", "2026-10-05 02:10"),
        # What they show twice is open twice, and closed between.
        ("Europe/Helsinki", "03:10-03:20", "2026-10-25 00:00", "2026-10-25 03:10+"),
        ("Europe/Helsinki", "03:10-03:20", "2026-10-25 03:20+", "2026-10-25 03:10-"),
        ("Australia/Lord_Howe", "01:40-01:50", "2026-04-05 01:55+", "2026-04-05 01:40-"),
        ("America/New_York", "01:30-01:31", "2026-11-01 01:31-", "2026-11-02 01:30"),
        # A day of 23 or 25 hours is a day.
        ("Europe/Vilnius", "08:00-21:00", "2026-03-28 21:00", "2026-03-29 08:00"),
        ("Europe/Vilnius", "08:00-21:00", "2026-10-24 21:00", "2026-10-25 08:00"),
        # Ends of months and years, and the day that three years of four lack.
        ("Europe/Vilnius", "09:00-18:00 mon-fri", "2027-12-31 18:00", "2028-01-03 09:00"),
        ("Europe/Vilnius", "09:00-18:00 tue", "2028-02-22 18:00", "2028-02-29 09:00"),
        ("Europe/Vilnius", "23:00-24:00", "2026-04-30 23:59", "2026-04-30 23:59"),
        ("Europe/Vilnius", "23:00-24:00", "2026-05-01 00:00", "2026-05-01 23:00"),
    ],
)
def test_hours_by_hand(zone, text, now, expected):
    assert opens_at((window(text),), (), zone, at(zone, now)) == at(zone, expected)


def test_a_holiday_is_a_local_date():
    """At one instant it is Christmas in Tokyo and not yet in New York."""
    windows, holidays = (window("00:00-24:00"),), (holiday("12-25"),)
    now = us(datetime(2026, 12, 24, 16, tzinfo=UTC))
    assert opens_at(windows, holidays, "Asia/Tokyo", now) == at("Asia/Tokyo", "2026-12-26 00:00")
    assert opens_at(windows, holidays, "America/New_York", now) == now


def test_a_dated_holiday_is_of_its_year_and_an_undated_one_of_each():
    for text, expected in (("2026-12-25", "2027-12-25 08:00"), ("12-25", "2027-12-26 08:00")):
        assert opens_at((window("08:00-21:00"),), (holiday(text),), "UTC", at("UTC", "2027-12-25 03:00")) == at(
            "UTC", expected
        )


def test_the_29th_of_february_of_each_year_is_no_other_day():
    windows, holidays = (window("08:00-21:00"),), (holiday("02-29"),)
    assert opens_at(windows, holidays, "UTC", at("UTC", "2027-03-01 03:00")) == at("UTC", "2027-03-01 08:00")
    assert opens_at(windows, holidays, "UTC", at("UTC", "2028-02-28 22:00")) == at("UTC", "2028-03-01 08:00")


def test_an_opening_is_looked_for_400_days_ahead():
    start = date(2026, 3, 1)
    closed = tuple(Holiday(day.month, day.day, day.year) for day in (start + timedelta(days=n) for n in range(400)))
    midnight = at("UTC", "2026-03-01 00:00")
    assert opens_at((window("00:00-24:00"),), closed, "UTC", midnight) is None
    assert opens_at((window("00:00-24:00"),), closed, "UTC", midnight + 1) == midnight + 400 * DAY
    every_day = tuple(Holiday(day.month, day.day) for day in (date(2000, 1, 1) + timedelta(days=n) for n in range(366)))
    assert opens_at((window("00:00-24:00"),), every_day, "Europe/Vilnius", midnight) is None


# Any hours, any zone, any instant

WINDOWS = st.builds(
    lambda first, length, days: Window(first, min(first + length, 1440), tuple(sorted(days))),
    st.integers(0, 1439),
    st.integers(1, 900),
    st.sets(st.integers(0, 6), min_size=1),
)
DAYS = st.dates(date(2025, 12, 1), date(2027, 2, 1))
HOLIDAYS = st.builds(lambda day, each: Holiday(day.month, day.day, 0 if each else day.year), DAYS, st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WINDOWS, min_size=1, max_size=3),
    st.lists(HOLIDAYS, max_size=4),
    st.sampled_from([*CLOCKS, "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "UTC"]),
    st.sampled_from([*(day for days in CLOCKS.values() for day in days), date(2026, 6, 1)]),
    st.integers(-2 * 86_400, 2 * 86_400),
)
def test_it_opens_at_the_first_second_at_which_it_is_open(windows, holidays, zone, day, seconds):
    now = us(datetime(day.year, day.month, day.day, tzinfo=UTC)) + seconds * 1_000_000
    there, found = ZoneInfo(zone), None
    whole = -(-now // MINUTE) * MINUTE  # clocks and windows change on whole minutes alone
    for t in (now, *range(whole, now + 16 * DAY, MINUTE)):
        if is_open(windows, holidays, (EPOCH + timedelta(microseconds=t)).astimezone(there)):
            found = t
            break
    answer = opens_at(tuple(windows), tuple(holidays), zone, now)
    assert answer == found if found is not None else answer is None or answer >= now + 15 * DAY


@given(st.lists(WINDOWS, min_size=1, max_size=3))
def test_what_is_written_is_read_again(windows):
    for each in windows:
        assert window(window_text(each)) == each


def test_windows_are_laid_out_by_channel():
    """A channel without a line has those of `all`, one that is always open none."""
    policies = replace(
        BASE.policies,
        hours={"all": (window("08:00-21:00"),), "call": (window("09:00-12:00 sat"), window("08:00-24:00")), "app": ()},
    )
    channels = {name: Channel(name) for name in ("email", "call", "app")}
    program = compile_playbook(replace(BASE, channels=channels, policies=policies)).program
    spans = program.channels[:, -2:]
    rows = [program.windows[first:last].tolist() for first, last in spans]
    assert rows == [
        [[480 * MINUTE, 1260 * MINUTE, 0b1111111]],
        [[540 * MINUTE, 720 * MINUTE, 0b0100000], [480 * MINUTE, 1440 * MINUTE, 0b1111111]],
        [],
    ]
    assert program.holidays.dtype == np.int64
