"""Resources worked out by hand from the page (§17). Minutes count from the midnight of Monday 2 March 2026."""

from dataclasses import replace

import pytest

from onevoice.playbook.hours import window
from onevoice.playbook.model import HOUR, Bucket, Catalogue, Channel, EventMatch, FieldType, Offer, Resource

from .clock import INFINITE
from .desk import Desk, book, campaign, event, minutes, named, on, policies

DAY = 24 * 60


def desk_of(*campaigns, resources, channels=(), products=None, **rules):
    parts = {"products": products} if products else {}
    offers = named(Offer("offer", product="p1"))
    known = named(*channels, *(Channel(name) for name in ("sms", "push") if name not in {c.name for c in channels}))
    made = book(campaigns=named(*campaigns), channels=known, offers=offers, policies=policies(**rules), **parts)
    made = replace(made, resources=named(*resources))
    return Desk(made)


def uses(name, when="a", **parts):
    return campaign(name, on(when), uses=("r",), **parts)


def crowd(desk, now, count, kind="a", first=0):
    for number in range(first, first + count):
        desk.say(now, kind, who=f"c{number}")
    return desk


def turns(desk):
    return [(line.value, line.limit, line.until) for line in desk.lines() if line.reason == "no_capacity"]


def test_so_many_an_hour_go_and_each_other_is_woken_once_in_its_turn():
    it = crowd(desk_of(uses("it"), resources=[Resource("r", 2, per=Bucket.HOUR)]), 10, 7).send(DAY)
    assert turns(it) == [(2, 2, minutes(hour)) for hour in (60, 60, 120, 120, 180)]
    assert [minute for minute, _, reason in it.told() if reason == "won"] == [10, 10, 60, 60, 120, 120, 180]


def test_what_is_left_is_anybodys():
    it = crowd(desk_of(uses("it"), resources=[Resource("r", 2, per=Bucket.HOUR)]), 10, 3)
    it.say(90, "a", who="late").say(91, "a", who="later")
    assert it.told()[3:] == [(60, "it", "won"), (90, "it", "won"), (91, "it", "no_capacity")]


def test_a_turn_is_kept_while_it_is_to_come_and_lost_by_who_no_longer_waits():
    it = desk_of(uses("it"), campaign("other", on("b")), resources=[Resource("r", 1, per=Bucket.HOUR)])
    crowd(it, 10, 3)
    it.say(20, "b", who="c1")  # its round looks at what waits, too
    assert turns(it) == [(1, 1, minutes(60)), (1, 1, minutes(120))]
    assert it.rows("turns") == [(1, 0, 0, 0, minutes(60)), (2, 0, 0, 0, minutes(120))]
    it.send(30, event("campaign_stopped", None, campaign="it")).send(31, event("campaign_resumed", None, campaign="it"))
    it.say(32, "a", who="c9")
    assert turns(it)[2:] == [(1, 1, minutes(180))]


def test_a_reserve_is_kept_for_its_class_and_has_a_line_of_its_own():
    service = campaign("help", on("b"), klass="service", uses=("r",))
    it = desk_of(uses("it"), service, resources=[Resource("r", 4, per=Bucket.HOUR, reserve={"service": 0.3})])
    crowd(it, 10, 4)  # of four one is reserved
    crowd(it, 11, 2, "b", first=10)
    won = [(name, minute) for minute, name, reason in it.told() if reason == "won"]
    assert won == [("it", 10)] * 3 + [("help", 11)]
    assert turns(it) == [(3, 4, minutes(60)), (4, 4, minutes(60))]
    crowd(it, 12, 3, first=20)
    assert [until for _, _, until in turns(it)[2:]] == [minutes(60), minutes(60), minutes(120)]


def test_a_class_for_which_nothing_is_left_has_no_turn():
    it = desk_of(uses("it"), resources=[Resource("r", 2, per=Bucket.HOUR, reserve={"service": 1.0})])
    assert turns(it.say(1, "a")) == [(0, 2, INFINITE)]


@pytest.mark.parametrize(("now", "until"), [(60, 540), (1100, DAY + 540)])
def test_outside_of_its_hours_it_is_closed(now, until):
    hours = (window("09:00-18:00 mon-fri"),)
    it = desk_of(uses("it"), resources=[Resource("r", 1, per=Bucket.HOUR, hours=hours)]).say(now, "a")
    assert turns(it) == [(0, 1, minutes(until))]
    assert it.send(until).told()[-1] == (until, "it", "won")


def test_turns_come_when_it_is_open():
    hours = (window("09:30-10:30"),)
    it = crowd(desk_of(uses("it"), resources=[Resource("r", 1, per=Bucket.HOUR, hours=hours)]), 60, 3).send(3 * DAY)
    assert [minute for minute, _, reason in it.told() if reason == "won"] == [570, 600, DAY + 570]


def test_a_budget_is_of_the_channels_cost():
    it = desk_of(
        campaign("it", on("a"), send=("sms", "push"), uses=("r",)),
        resources=[Resource("r", budget=1.0, per=Bucket.DAY)],
        channels=[Channel("sms", cost=0.6)],
    )
    crowd(it, 10, 2)
    assert [(line.reason, line.channel) for line in it.lines()] == [
        ("won", "sms"),
        ("won", "push"),
    ]  # which costs nothing
    assert it.rows("resources") == [(0, -1, 6000, 0, 0, 0), (0, 1, 6000, 0, 0, 0)]


def test_the_stock_of_a_product_is_used_by_what_is_about_it_until_it_is_set_anew():
    catalogue = Catalogue({"stock": FieldType.NUMBER}, ("p1",), {"stock": (1.9,)})
    it = desk_of(
        campaign("it", on("a"), offers=("offer",)), campaign("other", on("b")), resources=[Resource("r", product="p1")],
        products=catalogue,
    )  # fmt: skip
    crowd(it, 10, 3).say(11, "b", who="c1")
    assert turns(it) == [(1, 1, INFINITE), (1, 1, INFINITE)]
    it.send(20, event("resource_set", None, resource="stranger", left=9)).send(
        20, event("resource_set", None, resource="r")
    )
    assert len(it.told()) == 4
    it.send(30, event("resource_set", None, resource="r", left=1.5)).send(30)
    assert it.told()[4:] == [(30, "it", "won")]  # the other meets what it has been told already
    assert it.rows("resources") == [(0, -1, 1, 0, 0, 0), (0, 1, 1, 0, 0, 0)]


def test_a_channels_rate_is_a_resource_of_its_own():
    it = crowd(
        desk_of(campaign("it", on("a")), resources=[], channels=[Channel("sms", rate=1, rate_per=Bucket.MINUTE)]), 10, 3
    )
    assert turns(it) == [(1, 1, minutes(11)), (1, 1, minutes(12))]


def test_of_two_channels_the_first_that_is_short_gets_the_turn_and_a_free_one_goes():
    day, hour = Resource("r", 1, per=Bucket.DAY), Resource("s", 1, per=Bucket.HOUR)
    it = desk_of(
        campaign("it", on("a"), send=("sms", "push")),
        resources=[day, hour],
        channels=[Channel("sms", uses=("r",)), Channel("push", uses=("s",))],
    )
    crowd(it, 10, 3)
    assert [(line.reason, line.channel, line.rule) for line in it.lines()] == [
        ("won", "sms", -1),
        ("won", "push", -1),
        ("no_capacity", "sms", 0),
    ]
    assert turns(it) == [(1, 1, minutes(DAY))]


TOLD_LATER = Channel("sms", receipts_us=5 * HOUR)


def used(desk):
    """What is used of the only resource, and what of it by the campaigns' class."""
    found = {row[1]: row[2] for row in desk.rows("resources")}
    return found.get(-1, 0), found.get(1, 0)


def test_what_fails_gives_back_what_it_took_and_one_who_waits_takes_it():
    it = crowd(desk_of(uses("it"), resources=[Resource("r", stock=1)], channels=[TOLD_LATER]), 10, 2)
    assert turns(it) == [(1, 1, INFINITE)]
    it.say(20, "contact_failed", who="c0", contact=0)
    assert used(it) == (1, 1)
    it.say(30, "a", who="late")
    assert it.told()[2:] == [(20, "it", "failed"), (20, "it", "won"), (30, "it", "no_capacity")]
    it.say(40, "contact_failed", who="c0", contact=0)
    assert used(it) == (1, 1)  # it gives back once
    it.say(50, "contact_delivered", who="c0", contact=0)
    assert used(it) == (2, 2)  # it went out after all


def test_a_bucket_that_is_over_gets_nothing_back_and_nothing_falls_below_nought():
    it = crowd(desk_of(uses("it"), resources=[Resource("r", 2, per=Bucket.HOUR)], channels=[TOLD_LATER]), 50, 1)
    it.say(70, "a", who="c1").say(71, "contact_failed", who="c0", contact=0)
    assert used(it) == (1, 1)
    it.send(72, event("resource_set", None, resource="r", left=2)).say(73, "contact_cancelled", who="c1", contact=1)
    assert used(it) == (0, 0)


def test_a_wish_that_ends_in_flight_gives_back_and_another_channel_takes_what_is_there():
    ending = uses("it", until=EventMatch("b"))
    it = crowd(desk_of(ending, resources=[Resource("r", stock=1)], channels=[TOLD_LATER]), 10, 1)
    it.say(11, "b", who="c0")
    assert used(it) == (0, 0)
    both = uses("it", send=("sms", "push"))
    it = crowd(desk_of(both, resources=[Resource("r", stock=1)], channels=[TOLD_LATER]), 10, 2)
    it.say(20, "contact_failed", who="c0", contact=0)
    assert [(line.reason, line.channel) for line in it.lines()][2:] == [("won", "push")]
    assert used(it) == (1, 1)


def test_the_stock_of_its_product_gets_back_what_fails():
    catalogue = Catalogue({"stock": FieldType.NUMBER}, ("p1",), {"stock": (1.0,)})
    asked = campaign("it", on("a"), offers=("offer",))
    it = desk_of(asked, resources=[Resource("r", product="p1")], products=catalogue, channels=[TOLD_LATER])
    crowd(it, 10, 1).say(20, "contact_failed", who="c0", contact=0).say(21, "a", who="c1")
    assert [reason for _, _, reason in it.told()] == ["won", "failed", "won"]
    assert [row[-1] for row in it.rows("contacts")] == ["p1", "p1"]
