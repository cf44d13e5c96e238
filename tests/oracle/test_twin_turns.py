"""Places that are left when a turn comes, worked out by hand from the page (§17, handing on when a turn comes)."""

from dataclasses import replace

from onevoice.playbook.hours import window
from onevoice.playbook.model import HOUR, Bucket, Channel, EventMatch, Fact, Resource, Suppression

from .desk import Desk, book, campaign, event, minutes, named, on, policies
from .draw import Dice

TALKS = Fact("talks", (EventMatch("x"),), (EventMatch("delivered"),))
SUPPRESSED = policies(suppress=(Suppression(("sales",), "talks"),))


def desk_of(*campaigns, resource, channels=(), rules=SUPPRESSED):
    known = named(*channels, *(Channel(name) for name in ("sms", "push") if name not in {c.name for c in channels}))
    made = book(campaigns=named(*campaigns), channels=known, facts=named(TALKS), policies=rules)
    return Desk(replace(made, resources=named(*([resource] if isinstance(resource, Resource) else resource))))


def uses(name="it", when="a", **parts):
    return campaign(name, on(when), uses=("r",), **parts)


def hourly(count, **parts):
    return Resource("r", count, per=Bucket.HOUR, **parts)


def crowd(desk, now, count, kind="a", first=0):
    for number in range(first, first + count):
        desk.say(now, kind, who=f"c{number}")
    return desk


def won(desk, campaign="it"):
    """Return (minute, customers) of its contacts."""
    found = {}
    for decision in desk.twin.decisions:
        for line in decision.lines:
            if line.reason == "won" and line.campaign == campaign:
                found.setdefault((decision.time - minutes(0)) // 60_000_000, []).append(decision.customer)
    return [(minute, *sorted(customers)) for minute, customers in found.items()]


def next_at(desk):
    return {row[0]: row[5] for row in desk.rows("resources") if row[1] == -1 and row[5]}


def test_when_all_whose_turn_it_is_are_stopped_the_next_are_called_and_the_line_moves_up():
    it = crowd(desk_of(uses(), resource=hourly(5)), 10, 5 + 5 + 20)
    crowd(it, 20, 5, "x", first=5)  # those whose turn is at one o'clock
    it.send(6 * 60)
    assert won(it) == [(10, *range(5))] + [(60 * hour, *range(5 * hour + 5, 5 * hour + 10)) for hour in (1, 2, 3, 4)]


def test_when_nobody_is_stopped_each_is_called_in_turn():
    it = crowd(desk_of(uses(), resource=hourly(5)), 10, 15).send(6 * 60)
    assert won(it) == [(10, *range(5)), (60, *range(5, 10)), (120, *range(10, 15))]


def test_one_more_is_called_for_each_that_is_called_in_vain():
    it = crowd(desk_of(uses(), resource=hourly(2)), 10, 9)
    for number in (2, 3, 5):
        it.say(20, "x", who=f"c{number}")
    assert won(it.send(70))[1:] == [(60, 4, 6)]


def test_no_more_are_called_in_vain_than_a_bucket_holds():
    for places, most in ((2, 10), (12, 12)):
        it = crowd(desk_of(uses(), resource=hourly(places)), 10, 60)
        called = places + places + most  # before, in their turn, and in vain
        crowd(it, 20, called - places + 3, "x", first=places)
        it.send(70)
        assert won(it) == [(10, *range(places))]
        assert [row[0] for row in it.rows("turns")] == [*range(called, 60)]
        assert won(it.send(130))[1:] == [(120, *range(called + 3, called + 3 + places))]


def test_who_ends_or_goes_by_another_way_leaves_a_place_at_that_turn():
    rules = policies(gap_us=2 * HOUR)
    it = desk_of(uses(until=EventMatch("x")), campaign("other", on("b")), resource=hourly(1), rules=rules)
    crowd(it, 10, 5)
    it.say(20, "x", who="c1").say(30, "b", who="c2")  # for c2 there is room, but another campaign's contact was made
    assert won(it.send(70)) == [(10, 0), (60, 3)]
    assert won(it.send(6 * 60))[2:] == [(120, 4), (180, 2)]


def test_who_expires_leaves_a_place():
    it = crowd(desk_of(uses(valid_for_us=HOUR // 2), uses("long", "b"), resource=hourly(1)), 10, 2)
    crowd(it, 11, 2, "b", first=2)
    assert won(it.send(60), "long") == [(60, 2)]


def test_who_comes_when_the_line_is_empty_is_called_before_the_turn_it_was_given():
    it = crowd(desk_of(uses(), resource=hourly(1)), 10, 4)
    it.send(20, event("campaign_stopped", None, campaign="it")).send(21, event("campaign_resumed", None, campaign="it"))
    it.say(30, "a", who="c9")
    assert it.lines()[-1].until == minutes(240)
    assert won(it.send(70))[1:] == [(60, 4)]


def test_what_is_reserved_is_handed_on_to_its_class_alone_and_what_is_not_to_both():
    service = uses("help", "b", klass="service")
    it = desk_of(uses(), service, resource=hourly(4, reserve={"service": 0.25}))
    crowd(it, 10, 8)  # three an hour
    crowd(it, 11, 6, "b", first=20)  # one an hour, and what is left
    crowd(it, 12, 4, "x", first=3)
    it.send(70)
    assert won(it, "help") == [(11, 8), (60, 9, 10, 11)]
    assert won(it) == [(10, 0, 1, 2), (60, 7)]
    assert it.rows("resources")[0][2] == 4


def test_of_a_budget_whoever_it_is_enough_for_is_called():
    channels = [Channel("sms", cost=0.6), Channel("push", cost=0.4)]
    dear, cheap = uses("dear"), uses("cheap", "b", send=("push",))
    it = desk_of(dear, cheap, resource=Resource("r", budget=1.0, per=Bucket.DAY), channels=channels)
    it.say(10, "a", who="c0").say(11, "b", who="c1")
    it.say(12, "a", who="c2").say(13, "a", who="c3").say(14, "b", who="c4").say(15, "x", who="c2")
    it.send(2 * 24 * 60)
    assert won(it, "dear")[1:] == [(24 * 60, 3)]
    assert won(it, "cheap")[1:] == [(24 * 60, 4)]


def test_it_is_handed_on_when_it_opens_and_at_each_bucket_as_long_as_somebody_waits():
    it = crowd(desk_of(uses(), resource=hourly(1, hours=(window("09:30-10:30"),))), 60, 3)
    assert next_at(it) == {0: minutes(570)}
    crowd(it, 100, 1, "x")
    assert won(it.send(575)) == [(570, 1)]
    assert next_at(it) == {0: minutes(600)}
    assert won(it.send(605))[1:] == [(600, 2)]
    assert next_at(it) == {}


def test_one_who_finds_another_resource_short_waits_for_that_and_the_place_goes_on():
    it = desk_of(
        uses(), campaign("both", on("b"), uses=("r", "s")), resource=[hourly(1), Resource("s", 1, per=Bucket.DAY)]
    )
    it.say(10, "b", who="c0").say(11, "b", who="c1").say(12, "a", who="c2").say(13, "a", who="c3")
    it.send(61)
    assert won(it) == [(60, 2)]
    assert [(row[0], row[3], row[4]) for row in it.rows("turns")] == [(1, 1, minutes(24 * 60)), (3, 0, minutes(180))]
    assert won(it.send(2 * 24 * 60))[1:] == [(120, 3)]
    assert won(it, "both")[1:] == [(24 * 60, 1)]


def test_who_waits_for_what_never_comes_is_not_handed_on():
    it = crowd(desk_of(uses(), resource=Resource("r", stock=1)), 10, 3)
    assert next_at(it.send(600)) == {}


def test_no_place_is_left_while_somebody_waits_who_would_take_it_but_for_many_in_vain():
    for seed in range(30):
        dice = Dice.seeded(seed)
        places, people, stopped = dice.randint(1, 4), dice.randint(5, 30), dice.choice((0.2, 0.5, 0.8))
        it = crowd(desk_of(uses(), resource=hourly(places)), 10, people)
        talking = {number for number in range(places, people) if dice.chance(stopped)}
        for number in talking:
            it.say(20, "x", who=f"c{number}")
        waiting = [number for number in range(places, people) if number not in talking]
        while waiting:
            now = it.twin.now // minutes_of(60) * minutes_of(60) + minutes_of(60)
            seen = len(it.twin.decisions)
            turns = {row[0] for row in it.rows("turns") if row[4] == now}
            it.twin.row([], now)
            here = {(each.customer, line.reason) for each in it.twin.decisions[seen:] for line in each.lines}
            in_vain = {customer for customer, reason in here if reason == "suppressed"} - turns
            called = sorted(customer for customer, reason in here if reason == "won")
            assert called == waiting[: len(called)], f"seed {seed}"
            waiting = waiting[len(called) :]
            assert len(called) == places or not waiting or len(in_vain) == 10, f"seed {seed}"


def minutes_of(count):
    return minutes(count) - minutes(0)
