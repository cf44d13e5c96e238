"""What goes by the company's clocks: launches, first and last days, and what there is in a day or month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from .lived import Told, event, lived, told
from .nights import DAY, HOUR, MICROSECOND, MINUTE, NIGHTS, first, local, midnight

ELSEWHERE = {"zone": "Asia/Kathmandu"}  # where all customers are: no rule here goes by their clocks
ON_EACH_NIGHT = pytest.mark.parametrize("night", NIGHTS, ids=str)
LENGTH = 8 * DAY
# Who is there for launches, and how many of them.
ROLES = {"schedules": 1, "held_out": 1, "spaced": 1, "run_of_2": 2, "run_of_3": 2}
SHARED = ("per_hour", "per_day", "per_month", "rate", "opening")


def events_of(night):
    for role, count in ROLES.items():
        for n in range(count):
            yield event(night.start, f"{role}_{n}", "profile_updated", ELSEWHERE | {"role": role})
    for what in SHARED:
        for n in range(2):
            yield event(night.start, f"{what}_{n}", "began", ELSEWHERE, what=what)
    for n, time in enumerate(edges(night)):
        yield event(time, f"from_to_{n}", "began", ELSEWHERE, what="from_to")
    yield event(night.start, "until_to", "began", ELSEWHERE, what="until_to")
    for n, time in enumerate((monday(night) - MICROSECOND, monday(night))):
        yield event(time, f"week_{n}", "began", ELSEWHERE, what="week")


def edges(night):
    """Return the last instant before the night's day, its first and last, and the first after it."""
    start, end = midnight(night.zone, night.day), midnight(night.zone, night.day + DAY)
    return start - MICROSECOND, start, end - MICROSECOND, end


def monday(night):
    return midnight(night.zone, night.day + timedelta(days=7 - night.day.weekday()))


@cache
def engine_of(night):
    return lived(
        "calendar",
        events_of(night),
        min(night.start, edges(night)[0]) - HOUR,
        night.start + LENGTH,
        MONTH_DAY=f"{min(night.day.day, 28)}",
        WEEKDAY=f"{night.day:%A}".lower(),
        ZONE=night.zone,
        WALL=f"{night.odd:%H:%M}",
        DAY=f"{night.day}",
    )


def at(day, minute_of_day):
    return datetime(day.year, day.month, day.day) + minute_of_day * MINUTE  # noqa: DTZ001 - what clocks show has no zone


def launches(night, minute_of_day, *, weekday=None, month_day=None):
    """Return when the clocks first show a time, or a later one, on each day that is meant."""
    days = [local(night.zone, night.start).date() + n * DAY for n in range(-1, 10)]
    meant = [day for day in days if weekday in {None, day.weekday()} and month_day in {None, day.day}]
    times = [first(night.zone, at(day, minute_of_day)) for day in meant]
    return [time for time in times if night.start < time <= night.start + LENGTH]


def won(campaign, times):
    return [Told(time, campaign, "won") for time in times]


@ON_EACH_NIGHT
def test_a_launch_comes_when_clocks_first_show_its_time_or_a_later_one(night):
    minute = night.odd.hour * 60 + night.odd.minute
    odd = first(night.zone, night.odd)
    expected = won("once", [odd]) + won("every_day", launches(night, minute))
    expected += won("every_week", launches(night, minute, weekday=night.day.weekday()))
    expected += won("every_month", launches(night, minute, month_day=min(night.day.day, 28)))
    found = told(engine_of(night), "schedules_0")
    assert sorted(line for line in found if line.reason == "won") == sorted(expected)
    assert Told(odd, "every_day", "won") in found
    assert night.turn - HOUR < odd <= night.turn


@ON_EACH_NIGHT
def test_who_is_held_out_would_have_heard_at_that_instant(night):
    minute = night.odd.hour * 60 + night.odd.minute
    expected = [Told(time, "held_out", "would_have_won") for time in launches(night, minute)]
    assert told(engine_of(night), "held_out_0") == expected


@ON_EACH_NIGHT
def test_again_after_a_day_is_24_hours_and_not_the_next_launch(night):
    """Noon to noon may be 23 hours: the wish of that launch waits for the hour that is left."""
    expected, last = [], datetime.min.replace(tzinfo=UTC)
    for noon in launches(night, 12 * 60):
        if last + DAY > noon:
            expected.append(Told(noon, "spaced", "again_after", last + DAY))
        last = max(noon, last + DAY)
        expected.append(Told(last, "spaced", "won"))
    expected = [line for line in expected if line.time <= night.start + LENGTH]
    assert told(engine_of(night), "spaced_0") == expected


@ON_EACH_NIGHT
def test_a_run_begins_with_each_launch(night):
    """Two people hear of each: a run of two is at its end with the first launch, and one of three never."""
    times = launches(night, night.odd.hour * 60 + night.odd.minute)
    engine = engine_of(night)
    assert [told(engine, f"run_of_3_{n}") for n in range(2)] == [won("run_of_3", times)] * 2
    stops = [made for made in engine.decisions() if made.kind == "stop"]
    assert [(made.time, made.lines[0].campaign, made.lines[0].value) for made in stops] == [(times[0], "run_of_2", 2)]
    paused = [Told(times[1], "run_of_2", "paused")]  # it is still off, and says so once
    assert [told(engine, f"run_of_2_{n}") for n in range(2)] == [won("run_of_2", times[:1]) + paused] * 2


@ON_EACH_NIGHT
def test_a_campaign_has_the_whole_of_its_days(night):
    before, start, last, after = edges(night)
    assert (before, after) == (start - MICROSECOND, last + MICROSECOND)
    found = [told(engine_of(night), f"from_to_{n}") for n in range(4)]
    assert found == [[], won("from_to", [start]), won("from_to", [last]), []]
    assert told(engine_of(night), "until_to") == [
        Told(night.start, "until_to", "no_consent"),
        Told(after, "until_to", "expired"),
    ]


def bucket_ends(night):
    """Return when there is room again of what each shared campaign uses."""
    zone, shown = night.zone, local(night.zone, night.start)
    tomorrow = midnight(zone, shown.date() + DAY)
    next_month = (shown.date().replace(day=1) + 31 * DAY).replace(day=1)
    return {
        "per_hour": night.start.replace(minute=0, second=0, microsecond=0) + HOUR,
        "per_day": tomorrow,
        "rate": tomorrow,
        "per_month": midnight(zone, next_month),
    }


@ON_EACH_NIGHT
@pytest.mark.parametrize("what", [what for what in SHARED if what != "opening"])
def test_there_is_room_again_with_the_next_hour_day_or_month(night, what):
    """Hours are those of UTC, also where clocks move by half of one; days and months are the company's."""
    engine, end = engine_of(night), bucket_ends(night)[what]
    assert told(engine, f"{what}_0") == won(what, [night.start])
    expected = [Told(night.start, what, "no_capacity", end), Told(end, what, "won")]
    assert told(engine, f"{what}_1") == [line for line in expected if line.time <= night.start + LENGTH]


@ON_EACH_NIGHT
def test_a_capacity_is_there_when_the_companys_clocks_say_so(night):
    day = local(night.zone, night.start).date()
    opens = [first(night.zone, at(each, 3 * 60)) for each in (day, day + DAY, day + 2 * DAY)]
    coming = [time for time in opens if time > night.start][:2]
    for n, time in enumerate(coming):
        assert told(engine_of(night), f"opening_{n}") == [
            Told(night.start, "opening", "no_capacity", time),
            Told(time, "opening", "won"),
        ]


@ON_EACH_NIGHT
def test_results_of_a_week_begin_with_the_companys_monday(night):
    this = local(night.zone, monday(night)).date()
    weeks = [(figures.part, figures.contacts) for figures in engine_of(night).results("week").figures]
    assert weeks == [(f"{this - 7 * DAY}", 1), (f"{this}", 1)]
