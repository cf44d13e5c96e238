"""What is given back of a resource, and who is woken for it, worked out by hand from the page (§17, handing on)."""

from dataclasses import replace

from onevoice.playbook.hours import window
from onevoice.playbook.model import HOUR, Bucket, Channel, EventMatch, Resource

from .clock import INFINITE
from .desk import Desk, book, campaign, event, minutes, named, on, policies

DAY = 24 * 60
SMS, PUSH = Channel("sms", receipts_us=90 * HOUR), Channel("push", receipts_us=90 * HOUR)


def desk_of(*campaigns, resource, channels=(SMS, PUSH)):
    made = book(campaigns=named(*campaigns), channels=named(*channels), policies=policies())
    return Desk(replace(made, resources=named(resource)))


def uses(name, when="a", **parts):
    return campaign(name, on(when), uses=("r",), **parts)


def fails(desk, now, contact, who):
    return desk.say(now, "contact_failed", who=who, contact=contact)


def won(desk):
    """Return (minute, campaign, customer) of each contact."""
    decided = [(each, line) for each in desk.twin.decisions for line in each.lines if line.reason == "won"]
    return [((each.time - minutes(0)) // 60_000_000, line.campaign, each.customer) for each, line in decided]


def test_one_that_fails_wakes_the_one_whose_turn_is_next():
    it = desk_of(uses("it"), resource=Resource("r", stock=1))
    for number in range(4):
        it.say(10 + number, "a", who=f"c{number}")
    assert [row[3:] for row in it.rows("turns")] == [(0, INFINITE)] * 3
    fails(it, 20, 0, "c0")
    assert won(it) == [(10, "it", 0), (20, "it", 1)]
    assert [row[0] for row in it.rows("turns")] == [2, 3]
    fails(it, 30, 1, "c1")
    it.say(40, "contact_cancelled", who="c2", contact=2)
    assert won(it)[2:] == [(30, "it", 2), (40, "it", 3)]


def test_the_earliest_turn_comes_first_whoevers_it_is():
    it = desk_of(uses("it"), resource=Resource("r", 1, per=Bucket.HOUR))
    it.say(1, "x", who="c0").say(2, "x", who="c1")  # so they are the first of all customers
    it.say(10, "a", who="c2").say(11, "a", who="c3").say(12, "a", who="c1").say(13, "a", who="c0")
    assert [(row[0], row[4]) for row in it.rows("turns")] == [(0, minutes(180)), (1, minutes(120)), (3, minutes(60))]
    fails(it, 20, 0, "c2")
    assert won(it)[1:] == [(20, "it", 3)]
    fails(it, 21, 1, "c3")
    assert won(it)[2:] == [(21, "it", 1)]


def test_who_tries_another_channel_meets_who_was_woken_by_customer_number_and_who_finds_no_room_keeps_the_turn():
    both = uses("it", send=("sms", "push"))
    for founded in ("c1", "c2"):  # whoever has the lesser number takes it
        it = desk_of(both, resource=Resource("r", stock=1))
        it.say(1, "x", who=founded).say(2, "a", who="c0").say(3, "a", who="c1")
        fails(it, 20, 0, "c0")
        assert won(it)[1:] == [(20, "it", 0 if founded == "c1" else 1)]
        assert it.rows("turns") == [(1 if founded == "c1" else 2, 0, 0, 0, INFINITE)]


def test_what_is_reserved_for_a_class_is_handed_on_to_that_class_alone():
    service = uses("help", "b", klass="service")
    it = desk_of(uses("it"), service, resource=Resource("r", 4, per=Bucket.DAY, reserve={"service": 0.5}))
    for number in range(3):
        it.say(10, "a", who=f"s{number}")
    for number in range(3):
        it.say(11, "b", who=f"h{number}")
    assert won(it) == [(10, "it", 0), (10, "it", 1), (11, "help", 3), (11, "help", 4)]
    fails(it, 20, 2, "h0")
    assert won(it)[4:] == [(20, "help", 5)]  # for sales there is no room, though its turn is as early
    it.say(21, "b", who="h3")
    fails(it, 22, 0, "s0")
    assert won(it)[5:] == [(22, "it", 2)]  # where there is room for both the lesser customer comes first


def test_of_a_budget_it_wakes_for_whom_it_is_enough():
    sms, push = replace(SMS, cost=0.6), replace(PUSH, cost=0.4)
    dear, cheap = uses("dear"), uses("cheap", "b", send=("push",))
    it = desk_of(dear, cheap, resource=Resource("r", budget=1.0), channels=(sms, push))
    it.say(10, "a", who="c0").say(11, "b", who="c1").say(12, "a", who="c2").say(13, "b", who="c3")
    fails(it, 20, 1, "c1")
    assert won(it)[2:] == [(20, "cheap", 3)]
    fails(it, 21, 0, "c0")
    assert won(it)[3:] == [(21, "dear", 2)]


def test_nobody_is_woken_while_it_is_closed_nor_for_a_bucket_that_is_over():
    hours = (window("09:00-18:00"),)
    it = desk_of(uses("it"), resource=Resource("r", 1, per=Bucket.DAY, hours=hours))
    it.say(600, "a", who="c0").say(601, "a", who="c1")
    fails(it, 1100, 0, "c0")  # after six in the evening
    assert won(it) == [(600, "it", 0)]
    it = desk_of(uses("it"), resource=Resource("r", 1, per=Bucket.HOUR))
    it.say(50, "a", who="c0").say(70, "a", who="c1").say(71, "a", who="c2")
    fails(it, 72, 0, "c0")
    assert won(it) == [(50, "it", 0), (70, "it", 1)]


def test_a_stop_wakes_none_of_those_that_it_ends():
    it = desk_of(uses("it"), uses("other", "b"), resource=Resource("r", stock=1))
    it.say(10, "a", who="c0").say(11, "a", who="c1").say(12, "b", who="c2")
    it.send(20, event("campaign_stopped", None, campaign="it"))
    assert won(it) == [(10, "it", 0), (20, "other", 2)]


def test_what_ends_in_flight_is_handed_on_and_may_be_taken_by_who_comes_with_the_same_event():
    it = desk_of(uses("it", until=EventMatch("b")), uses("other", "b"), resource=Resource("r", stock=1))
    it.say(10, "a", who="c0").say(11, "a", who="c1")
    it.say(20, "b", who="c0")  # the same customer wants again, and has the lesser number
    assert won(it)[1:] == [(20, "other", 0)]
    assert it.rows("turns") == [(1, 0, 0, 0, INFINITE)]


def test_what_the_woken_one_leaves_is_anybodys_and_wakes_nobody_else():
    it = desk_of(uses("it"), uses("other", "b"), resource=Resource("r", stock=1))
    it.say(10, "a", who="c0").say(11, "a", who="c1").say(12, "b", who="c2")
    it.send(15, event("campaign_paused", None, campaign="it"))
    fails(it, 20, 0, "c0")
    assert it.told()[-1] == (20, "it", "paused")
    assert [row[0] for row in it.rows("turns")] == [2]
    assert won(it.say(30, "b", who="c9"))[1:] == [(30, "other", 3)]


def test_each_that_gives_back_wakes_one():
    it = desk_of(uses("it"), uses("other", "b"), resource=Resource("r", stock=2))
    for number, kind in enumerate("aabbb"):
        it.say(10 + number, kind, who=f"c{number}")
    it.send(20, event("campaign_stopped", None, campaign="it"))
    assert won(it)[2:] == [(20, "other", 2), (20, "other", 3)]


def test_one_who_is_two_waits_at_the_better_turn():
    it = desk_of(uses("it"), resource=Resource("r", 1, per=Bucket.HOUR))
    it.say(9, "a", who="c0")
    for number in (1, 2, 3):
        it.send(10 + number, event("a", 10 + number, {"card": f"c{number}"} if number < 3 else {"email": "m"}))
    it.send(20, event("x", 20, {"card": "c2", "email": "m"}))
    assert [(row[0], row[4]) for row in it.rows("turns")] == [(1, minutes(60)), (2, minutes(120))]
    fails(it, 30, 0, "c0")
    fails(it, 31, 1, "c1")
    assert won(it)[1:] == [(30, "it", 1), (31, "it", 2)]
