"""Hours computed by hand (§10): the gate, its order, waking. Minutes count from the midnight of Monday 2 March 2026."""

from __future__ import annotations

import pytest

from onevoice.playbook.hours import holiday, window
from onevoice.playbook.model import HOUR, Cap, Period, Placement, Trigger, TriggerKind

from .clock import INFINITE
from .desk import Desk, book, campaign, event, minutes, named, on, policies

DAY = 24 * 60


def desk_of(*campaigns, hours, holidays=(), **rules) -> Desk:
    opening = {name: tuple(map(window, texts)) for name, texts in hours.items()}
    closed = tuple(map(holiday, holidays))
    told = policies(hours=opening, holidays=closed, **rules)
    return Desk(book(campaigns=named(*campaigns), policies=told, placements=named(Placement("here"))))


def moved(desk: Desk, now: float, zone: str | None, who: str = "c1") -> Desk:
    return desk.send(now, event("x", now, {"card": who}, traits={"zone": zone}))


def test_a_wish_waits_until_its_channel_opens():
    desk = desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]}).say(60, "a").send(2 * DAY)
    assert desk.told() == [(60, "c", "hours"), (480, "c", "won")]
    line = desk.lines()[0]
    assert (line.channel, line.rule, line.value, line.limit, line.until, line.score) == (
        "sms",
        -1,
        0,
        0,
        minutes(480),
        None,
    )


@pytest.mark.parametrize("minute", [480, 1259])
def test_within_hours_it_goes_at_once(minute):
    assert desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]}).say(minute, "a").told() == [
        (minute, "c", "won")
    ]


def test_the_end_of_a_window_is_closed():
    desk = desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]}).say(1260, "a")
    assert desk.told() == [(1260, "c", "hours")]


def test_a_holiday_is_closed_all_day():
    desk = desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]}, holidays=["2026-03-02", "03-03"])
    desk.say(600, "a").send(5 * DAY)
    assert desk.told() == [(600, "c", "hours"), (2 * DAY + 480, "c", "won")]


@pytest.mark.parametrize("hours", [{}, {"sms": []}, {"email": ["08:00-09:00"]}])
def test_a_channel_without_hours_knows_no_holidays_either(hours):
    desk = desk_of(campaign("c", on("a")), hours=hours, holidays=["03-02"]).say(60, "a")
    assert desk.told() == [(60, "c", "won")]


def test_another_channel_that_is_open_is_taken():
    desk = desk_of(campaign("c", on("a"), send=("push", "sms")), hours={"push": ["08:00-21:00"]}).say(60, "a")
    assert [line.channel for line in desk.lines()] == ["sms"]


def test_of_two_closed_channels_the_one_that_opens_first_is_the_reason():
    desk = desk_of(
        campaign("c", on("a"), send=("push", "sms")), hours={"push": ["09:00-10:00 wed"], "sms": ["08:00-21:00"]}
    )
    desk.say(60, "a").send(DAY)
    assert [(line.reason, line.channel) for line in desk.lines()] == [("hours", "sms"), ("won", "sms")]
    assert desk.told()[-1][0] == 480


def test_it_wakes_for_the_channel_that_is_free_first_whatever_the_reason():
    """Push is past its hours and stopped by the cap until tomorrow; SMS opens at 20:00 today and has no cap."""
    desk = desk_of(
        campaign("c", on("a"), per="k", send=("push", "sms")),
        hours={"sms": ["20:00-21:00"]},
        caps=(Cap(1, period=Period.DAY, channel="push"),),
    )
    desk.say(60, "a", k="1").say(61, "a", k="2").send(DAY)
    assert [(line.reason, line.channel) for line in desk.lines()] == [("won", "push"), ("cap", "push"), ("won", "sms")]
    assert desk.told()[-1][0] == 1200


def test_hours_come_after_again_after_and_before_the_gap():
    desk = desk_of(
        campaign("c", on("a"), per="k", again_after_us=12 * HOUR),
        campaign("d", on("b")),
        hours={"sms": ["08:00-21:00"]},
        gap_us=12 * HOUR,
    )
    desk.say(1200, "a", k="1").say(1300, "a", k="1").say(1300, "b")
    assert desk.told() == [(1200, "c", "won"), (1300, "c", "again_after"), (1300, "d", "hours")]
    desk.send(3 * DAY)
    # Both are free at 08:00; the one that gives way is when the gap after the other is over.
    assert [minute for minute, _, reason in desk.told() if reason == "won"] == [1200, 1920, 1920 + 12 * 60]


def test_no_class_is_exempt():
    exempt = {"sales": frozenset({"caps", "gap", "wait"})}
    desk = desk_of(campaign("c", on("a")), hours={"all": ["08:00-21:00"]}, exempt=exempt).say(60, "a")
    assert desk.told() == [(60, "c", "hours")]


def test_one_that_expires_before_the_opening_expires():
    desk = desk_of(campaign("c", on("a"), valid_for_us=6 * HOUR), hours={"sms": ["08:00-21:00"]}).say(60, "a").send(DAY)
    assert desk.told() == [(60, "c", "hours"), (420, "c", "expired")]


def test_births_and_asks_know_no_hours():
    ask = campaign("ask", Trigger(TriggerKind.ASKED), send=(), placements=("here",))
    wish = campaign("c", on("a"), after_us=HOUR, condition="tier is null")
    desk = desk_of(wish, ask, hours={"all": ["08:00-21:00"]})
    desk.say(0, "a").send(61, event("x", 61, {"card": "c1"}, traits={"tier": "gold"})).send(DAY)
    assert desk.told() == [
        (60, "c", "hours"),
        (480, "c", "not_eligible"),
    ]  # judged at its birth, and again when it wakes
    assert desk.say(DAY + 60, "asked", placement="here").told()[-1] == (DAY + 60, "ask", "won")


# The customer's clock


@pytest.mark.parametrize(
    ("zone", "minute"), [("Europe/Vilnius", 360), ("Asia/Kathmandu", 135), ("Nowhere", 480), (None, 480)]
)
def test_pitfall_11_without_a_known_zone_the_playbooks_hours_hold(zone, minute):
    """Adobe: where no zone is known the rule is silently off."""
    desk = moved(desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]}), 0, zone)
    desk.say(1, "a").send(DAY)
    assert (minute, "c", "won") in desk.told()


def test_pitfall_11_weekday_and_hour_are_read_from_one_clock():
    """Mautic #17283: the hour of the customer's zone with the weekday of the server's.

    It is Monday 16:00 in UTC and Tuesday 01:00 in Tokyo.
    """
    for text, expected in (("00:00-02:00 tue", "won"), ("00:00-02:00 mon", "hours"), ("16:00-17:00 mon", "hours")):
        desk = moved(desk_of(campaign("c", on("a")), hours={"sms": [text]}), 0, "Asia/Tokyo").say(960, "a")
        assert desk.told() == [(960, "c", expected)]


def test_who_moves_is_looked_at_again_by_the_new_clock():
    desk = desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]})
    moved(desk, 0, "America/New_York").say(60, "a")  # 20:00 the day before is open there
    assert desk.told() == [(60, "c", "won")]
    desk.say(300, "a")  # midnight there, opening at 13:00 UTC
    moved(desk, 310, "Europe/Vilnius")  # 07:10 there, opening at 06:00 UTC
    moved(desk, 320, "Europe/Helsinki")  # the same clock under another name
    desk.send(DAY)
    assert desk.told()[1:] == [(300, "c", "hours"), (310, "c", "hours"), (360, "c", "won")]
    assert [line.until for line in desk.lines()][1:3] == [minutes(780), minutes(360)]


def test_a_trait_that_moves_nobody_wakes_nobody():
    """The other candidate is still collected; a round would compare it before its time."""
    desk = desk_of(campaign("c", on("a")), campaign("d", on("b"), wait_us=2 * HOUR), hours={"sms": ["08:00-21:00"]})
    moved(desk, 0, "Europe/Vilnius").say(1, "a").say(2, "b")
    moved(desk, 10, "Europe/Vilnius")
    assert desk.told() == [(1, "c", "hours")]
    moved(desk, 10, "Europe/Helsinki")
    assert desk.told()[1:] == [(10, "d", "hours")]  # of the first nothing new is to be told: both clocks show the same


def test_a_merge_may_move_the_clock():
    desk = desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]})
    desk.send(0, event("a", 0, {"email": "m1"}))
    moved(desk, 1, "Asia/Tokyo", "c1").send(10, event("x", 10, {"card": "c1", "email": "m1"})).send(DAY)
    assert desk.told() == [(0, "c", "hours"), (10, "c", "won")]  # 09:10 in Tokyo


def test_a_channel_that_never_opens_is_infinite():
    closed = [f"{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    closed += ["02-29", *(f"{month:02}-{day}" for month in (1, 3, 5, 7, 8, 10, 12) for day in (29, 30, 31))]
    closed += [f"{month:02}-{day}" for month in (4, 6, 9, 11) for day in (29, 30)]
    desk = desk_of(campaign("c", on("a")), hours={"sms": ["08:00-21:00"]}, holidays=closed).say(0, "a").send(500 * DAY)
    assert [(line.reason, line.until) for line in desk.lines()] == [("hours", INFINITE)]
