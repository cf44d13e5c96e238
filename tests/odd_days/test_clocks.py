"""What goes by a customer's own clocks: parts of dates and times, days of placements, hours that are planned for."""

from __future__ import annotations

from functools import cache

import pytest

from .lived import Told, event, lived, told
from .nights import DAY, HOUR, MICROSECOND, MINUTE, NIGHTS, first, local, midnight

ON_EACH_NIGHT = pytest.mark.parametrize("night", NIGHTS, ids=str)
# By customer and segment: what clocks show while they are in it, on a night.
PARTS = {
    ("hours", "hour_1"): lambda shown, _: shown.hour == 1,
    ("hours", "hour_2"): lambda shown, _: shown.hour == 2,
    ("hours", "hour_3"): lambda shown, _: shown.hour == 3,
    ("minutes", "past_20"): lambda shown, _: shown.hour == 2 and shown.minute >= 20,
    ("days", "monday"): lambda shown, _: shown.weekday() == 0,
    ("days", "first_of_month"): lambda shown, _: shown.day == 1,
    ("days", "early_month"): lambda shown, _: shown.month in {1, 3, 5},
    ("days", "day_60"): lambda shown, _: shown.timetuple().tm_yday == 60,
    ("days", "new_year"): lambda shown, _: shown.year == 2027,
    ("days", "own_day"): lambda shown, night: shown.date() == birthday(night),
}
LAST = 30 * HOUR


@cache
def engine_of(night):
    home = {"zone": night.zone, "birthday": f"{birthday(night)}"}
    whose = dict.fromkeys(who for who, _ in PARTS)
    events = [event(night.start, who, "profile_updated", home | {"part": who}) for who in whose]
    events.append(event(night.start, "look_ahead", "began", home, what="look_ahead"))
    events += [event(time, "desk", "asked", home, placement="desk") for time in asks(night)]
    return lived("clocks", events, night.start - HOUR, night.start + LAST)


def birthday(night):
    return local(night.zone, night.start + DAY).date()


def asks(night):
    """Return when the desk asks: at the beginning and end of days, and next to what is odd."""
    day = local(night.zone, night.start).date()
    edges = [midnight(night.zone, day + n * DAY) for n in (1, 2)]
    return sorted({night.start, night.turn - MINUTE, *(edge - MICROSECOND for edge in edges), *edges})


@ON_EACH_NIGHT
def test_a_slot_is_kept_for_when_clocks_let_a_channel_open(night):
    opens = first(night.zone, local(night.zone, night.turn).replace(hour=3, minute=0))
    assert night.start < opens < night.start + 8 * HOUR
    expected = [Told(night.start, "planned", "hours", opens), Told(opens, "planned", "won")]
    if opens < night.start + 3 * HOUR:  # what went out now would be in its way
        expected += [
            Told(night.start, "hasty", "kept_for", opens),
            Told(opens, "hasty", "outranked", opens + 3 * HOUR),
            Told(opens + 3 * HOUR, "hasty", "won"),
        ]
    else:
        expected += [Told(night.start, "hasty", "won")]
    assert sorted(told(engine_of(night), "look_ahead"), key=str) == sorted(expected, key=str)


@cache
def shown_on(night):
    """Return each instant at which a segment may be entered, and what clocks show then."""
    whole = night.start.replace(second=0, microsecond=0)
    times = [night.start, *(whole + n * MINUTE for n in range(1, LAST // MINUTE))]
    return [(time, local(night.zone, time)) for time in times]


@ON_EACH_NIGHT
@pytest.mark.parametrize(("who", "segment"), PARTS)
def test_parts_of_dates_and_times_are_what_clocks_show(night, who, segment):
    """Who is to hear on entering a segment hears at the first instant at which their clocks show it."""
    expected, was_in = [], False
    for time, shown in shown_on(night):
        is_in = PARTS[who, segment](shown, night)
        expected += [Told(time, segment, "won")] if is_in and not was_in else []
        was_in = is_in
    found = told(engine_of(night), who)  # of two at one instant one is outranked until that instant
    assert [line for line in found if line[1:] == (segment, "won", None)] == expected


@ON_EACH_NIGHT
def test_a_placements_day_is_the_customers(night):
    """Once a day, at its first ask of each local day, whether that has 23 hours or 25."""
    seen, expected = set(), []
    for time in asks(night):
        day = local(night.zone, time).date()
        until = midnight(night.zone, day + DAY) if day in seen else None
        expected.append(Told(time, "shown_daily", "cap" if until else "won", until))
        seen.add(day)
    assert told(engine_of(night), "desk") == expected
