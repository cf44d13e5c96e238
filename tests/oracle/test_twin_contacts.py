"""Examples of §9 computed by hand: contacts that are told of, in flight, followed. Minutes count from midnight."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onevoice.playbook.hours import window
from onevoice.playbook.model import (
    DAY,
    EACH,
    HOUR,
    MINUTE,
    Aggregate,
    Bucket,
    Cap,
    Channel,
    EventMatch,
    FieldType,
    Measure,
    Offer,
    Refusals,
    SendBy,
    Trait,
)

from .desk import START, Desk, book, campaign, event, minutes, named, on, policies

CHANNELS = named(
    Channel("email", "email", receipts_us=HOUR, cost=2), Channel("sms", receipts_us=HOUR, cost=1), Channel("push")
)
WHO = {"card": "c1", "email": "c1"}
STATES = ("reserved", "cancelled", "sent", "failed", "delivered", "seen", "clicked", "answered")


def desk_of(*campaigns, rules=None, **parts) -> Desk:
    parts = {"channels": CHANNELS, **parts}
    return Desk(book(campaigns=named(*campaigns), policies=rules or policies(), **parts))


def told(desk: Desk, at: float, state: str, contact: int = 0, who=WHO) -> Desk:
    return desk.send(at, event(f"contact_{state}", at, who, contact=contact))


def states(desk: Desk) -> list[str]:
    return [STATES[row[10]] for row in desk.rows("contacts")]


def triggered(*campaigns, rules=None, **parts) -> Desk:
    desk = desk_of(*campaigns, rules=rules, **parts)
    return desk.send(0, event("a", 0, WHO))


def test_what_is_reserved_is_in_flight_until_it_is_sent():
    desk = triggered(campaign("c", on("a"), send=("sms",), valid_for_us=10 * MINUTE))
    assert states(desk) == ["reserved"]
    assert [row[11] for row in desk.rows("candidates")] == [1]
    told(desk.send(30), 31, "sent")
    assert states(desk) == ["sent"]
    assert desk.rows("candidates") == []
    assert desk.told() == [(0, "c", "won")]  # it did not expire on its way
    assert desk.rows("contacts")[0][6] == START


def test_what_nobody_tells_anything_of_is_sent_when_its_time_is_over():
    desk = triggered(campaign("c", on("a"), send=("sms",)))
    assert states(desk.send(59)) == ["reserved"]
    assert desk.send(60).rows("candidates") == []
    assert desk.told() == [(0, "c", "won")]


def test_a_failure_closes_the_channel_and_another_is_tried_at_once():
    desk = triggered(campaign("c", on("a"), send=("sms", "push")), rules=policies(gap_us=HOUR))
    told(desk, 5, "failed")
    assert desk.told() == [(0, "c", "won"), (5, "c", "won")]
    assert [line.channel for line in desk.lines()] == ["sms", "push"]


@pytest.mark.parametrize(("valid_for_us", "reason"), [(0, "failed"), (5 * MINUTE, "expired"), (6 * MINUTE, "failed")])
def test_without_another_channel_it_ends(valid_for_us, reason):
    desk = triggered(campaign("c", on("a"), send=("sms",), valid_for_us=valid_for_us))
    told(desk, 5, "cancelled")
    assert desk.told() == [(0, "c", "won"), (5, "c", reason)]
    assert desk.lines()[1].contact == 0


def test_a_closed_channel_is_failed_until_another_opens():
    desk = desk_of(campaign("c", on("a"), send=("sms", "email"))).say(0, "a")
    told(desk, 5, "failed", who={"card": "c1"})
    assert [(line.reason, line.channel) for line in desk.lines()] == [("won", "sms"), ("failed", "sms")]
    desk.send(9, event("x", 9, WHO))
    assert [(line.reason, line.channel) for line in desk.lines()][2:] == [("won", "email")]


REPORTS = [("sent", "failed"), ("sent", "cancelled"), ("failed", "delivered"), ("seen", "failed"), ("clicked", "seen")]


@pytest.mark.parametrize("reports", REPORTS)
def test_reports_in_any_order_give_the_same(reports):
    found = set()
    for order in (reports, reports[::-1], reports * 2):
        desk = triggered(campaign("c", on("a"), send=("sms", "push")))
        for report in order:
            told(desk, 5, report)
        found.add(tuple(row[10] for row in desk.rows("contacts") if row[1] == 0))
    assert len(found) == 1


def test_an_unknown_number_is_an_event_and_nothing_else():
    desk = triggered(campaign("c", on("a"), send=("sms",)))
    told(told(told(desk, 5, "failed", 1), 6, "failed", -1), 7, "failed", 0, {"card": "c2"})
    assert states(desk) == ["reserved"]


def test_what_ends_in_flight_is_cancelled_and_counts_if_it_is_sent_all_the_same():
    desk = triggered(campaign("c", on("a"), send=("sms",), until=EventMatch("b")), rules=policies(gap_us=HOUR))
    desk.send(5, event("b", 5, WHO))
    assert [(line.reason, line.contact) for line in desk.lines()] == [("won", 0), ("ended", 0)]
    assert states(desk) == ["cancelled"]
    told(desk, 6, "sent")
    desk.send(7, event("a", 7, WHO))
    assert desk.told()[2:] == [(7, "c", "gap")]


COUNTED = {
    "decided": {"cancelled": True, "failed": True, "sent": True, "delivered": True, "seen": True},
    "sent": {"cancelled": False, "failed": False, "sent": True, "delivered": True, "seen": True},
    "delivered": {"cancelled": False, "failed": False, "sent": False, "delivered": True, "seen": True},
    "seen": {"cancelled": False, "failed": False, "sent": False, "delivered": False, "seen": True},
}


@pytest.mark.parametrize("counts_from", COUNTED)
@pytest.mark.parametrize("state", ["cancelled", "failed", "sent", "delivered", "seen"])
def test_from_which_state_on_a_contact_counts(counts_from, state):
    """Told before its time is over; asked for after it."""
    rules = policies(caps=(Cap(1, rolling_us=DAY),), counts_from=counts_from)
    other = campaign("d", on("b"), send=("push",))
    desk = told(triggered(campaign("c", on("a"), send=("sms",)), other, rules=rules), 5, state)
    desk.send(61, event("b", 61, WHO))
    counts = COUNTED[counts_from][state]
    assert desk.told()[-1] == (61, "d", "cap" if counts else "won")


def test_what_is_open_counts_and_what_waits_is_looked_at_when_it_counts_no_more():
    rules = policies(gap_us=DAY, counts_from="delivered")
    desk = triggered(campaign("c", on("a"), send=("sms",)), campaign("d", on("b"), send=("push",)), rules=rules)
    told(desk, 5, "sent").send(6, event("b", 6, WHO))
    assert desk.told()[1:] == [(6, "d", "gap")]
    assert desk.send(70).told()[2:] == [(60, "d", "won")]


def test_a_failure_makes_room_at_once():
    rules = policies(gap_us=DAY)
    desk = triggered(campaign("c", on("a"), send=("sms",)), campaign("d", on("b"), send=("push",)), rules=rules)
    told(desk.send(6, event("b", 6, WHO)), 20, "failed")
    assert desk.told()[1:] == [(6, "d", "gap"), (20, "c", "failed"), (20, "d", "won")]


def test_what_failed_was_not_ignored():
    rules = policies(refusals=Refusals(ignored_times=1, ignored_pause_us=DAY))
    offers = named(Offer("o"))
    asking = campaign("c", on("a"), send=("sms",), offers=("o",))
    ignored = {}
    for state in ("failed", "sent"):
        desk = told(triggered(asking, rules=rules, offers=offers), 5, state)
        ignored[state] = [row[1:2] + row[4:6] for row in desk.rows("facts")]
    assert ignored["failed"] == []
    assert [(fact, at) for fact, at, _ in ignored["sent"]] == [(4, START)]  # as of when it was due


# Which channel


def test_the_cheapest_first_and_the_customers_own_before_all():
    ways = campaign("c", on("a"), send=("email", "sms", "push"), send_by=SendBy.COST)
    traits = named(Trait("way", FieldType.CHOICE, "channel"))
    for own, channel in (("", "push"), ("email", "email"), ("letter", "push")):
        desk = desk_of(ways, traits=traits)
        desk.send(0, event("x", 0, WHO, {"way": own} if own else {})).send(1, event("a", 1, WHO))
        assert [line.channel for line in desk.lines()] == [channel]


# What follows


CHAIN = campaign("c", on("a"), send=("push",), unseen_after_us=2 * HOUR, unseen_next=("sms", "email"))


def test_what_stays_unseen_is_followed_in_the_same_slot():
    rules = policies(gap_us=DAY, caps=(Cap(1, rolling_us=DAY),))
    desk = triggered(CHAIN, rules=rules).send(400)
    lines = [(line.reason, line.channel, line.contact, line.rule, line.score) for line in desk.lines()]
    assert lines == [("won", "push", 0, -1, 0.0), ("won", "sms", 1, 0, None), ("won", "email", 2, 1, None)]
    assert [at for at, *_ in desk.told()] == [0, 120, 240]  # from the due time, though that of the sms was not told
    assert desk.rows("candidates") == []
    desk.send(401, event("a", 401, WHO))
    assert desk.lines()[-1].reason == "gap"
    assert desk.lines()[-1].value == START  # of the first; what follows is no contact of its own


@pytest.mark.parametrize("state", ["seen", "clicked", "answered"])
def test_what_is_seen_is_not_followed(state):
    desk = told(triggered(CHAIN), 119, state).send(400)
    assert desk.told() == [(0, "c", "won")]
    desk = told(told(triggered(CHAIN), 119, "delivered"), 120, state).send(400)
    assert desk.told()[:2] == [(0, "c", "won"), (120, "c", "won")]  # too late by a microsecond
    assert len(desk.told()) == 2  # but not for the next


def test_a_reaction_ends_the_chain():
    for family, others in (("o", 0), ("p", 2)):
        desk = triggered(replace(CHAIN, offers=("o",)), offers=named(Offer("o"), Offer("p")))
        desk.send(30, event("offer_not_now", 30, WHO, offer=family)).send(400)
        assert len(desk.told()) == 1 + others


def test_what_follows_obeys_caps_of_its_channel_and_is_counted_by_them():
    rules = policies(caps=(Cap(1, rolling_us=5 * HOUR, channel="sms"),))
    busy = campaign("d", on("b"), send=("sms",))
    desk = triggered(CHAIN, busy, rules=rules).send(30, event("b", 30, WHO)).send(500)
    assert desk.told()[:4] == [(0, "c", "won"), (30, "d", "won"), (120, "c", "cap"), (330, "c", "won")]
    assert [line.channel for line in desk.lines()][3] == "sms"


def test_two_that_follow_do_not_pass_one_check():
    rules = policies(caps=(Cap(1, rolling_us=DAY, channel="sms"),))
    twin_chain = campaign("d", on("a"), send=("push",), unseen_after_us=2 * HOUR, unseen_next=("sms",))
    desk = triggered(CHAIN, twin_chain, rules=rules).send(130)
    assert [(at, reason) for at, _, reason in desk.told()][-2:] == [(120, "won"), (120, "cap")]


def test_what_follows_and_fails_is_followed_by_the_next():
    desk = told(triggered(CHAIN).send(120), 121, "failed", 1).send(400)
    assert [line.channel for line in desk.lines()] == ["push", "sms", "email"]
    desk = told(told(triggered(CHAIN).send(120), 121, "failed", 1).send(240), 241, "failed", 2)
    assert (desk.lines()[-1].reason, desk.lines()[-1].contact) == ("failed", 2)


def test_what_follows_keeps_the_hours_of_its_channel():
    desk = triggered(CHAIN, rules=policies(gap_us=DAY, hours={"sms": (window("08:00-21:00"),)})).send(500)
    assert [(at, reason) for at, _, reason in desk.told()] == [(0, "won"), (120, "hours"), (480, "won")]
    assert [(line.contact, line.rule) for line in desk.lines()] == [(0, -1), (0, -1), (1, 0)]


@pytest.mark.parametrize(("scope", "held"), [({"channel": EACH}, True), ({"campaign": EACH}, False)])
def test_what_follows_counts_and_is_counted_in_caps_that_name_a_channel_alone(scope, held):
    rules = policies(caps=(Cap(1, rolling_us=DAY, **scope),))
    desk = (
        triggered(CHAIN, rules=rules).send(1, event("contact_reported", 1, WHO, campaign="c", channel="sms")).send(130)
    )
    assert desk.told()[-1] == ((120, "c", "cap") if held else (120, "c", "won"))


# Pause and stop (§16)


def turn(desk: Desk, at: float, verb: str) -> Desk:
    return desk.send(at, event(f"campaign_{verb}", None, everything=True))


def test_stopped_in_flight_its_contact_is_cancelled_and_frees_what_it_held_back():
    desk = triggered(campaign("c", on("a"), send=("sms",)), campaign("d", on("b")), rules=policies(gap_us=DAY))
    desk.send(1, event("b", 1, WHO)).send(2, event("campaign_stopped", None, campaign="c"))
    assert states(desk) == ["cancelled", "reserved"]
    assert desk.told() == [(0, "c", "won"), (1, "d", "gap"), (2, "c", "stopped"), (2, "d", "won")]
    assert (desk.lines()[2].contact, desk.lines()[2].rule) == (0, 0)
    assert states(told(desk, 3, "sent")) == ["sent", "reserved"]


def test_stopped_while_it_is_watched_its_contact_stays_sent():
    desk = turn(triggered(CHAIN), 1, "stopped")
    assert states(desk) == ["sent"]
    desk.send(130)
    assert [(line.reason, line.contact) for line in desk.lines()] == [("won", 0), ("stopped", 0)]


def test_paused_in_flight_it_goes_on_and_what_fails_or_follows_is_held():
    chain = replace(CHAIN, send=("sms",), unseen_next=("push",))
    desk = told(turn(triggered(chain), 1, "paused"), 2, "sent").send(130)
    assert [(at, reason) for at, _, reason in desk.told()] == [(0, "won"), (120, "paused")]
    assert turn(desk, 140, "resumed").send(140).told()[-1] == (140, "c", "won")
    desk = told(turn(triggered(replace(chain, send=("sms", "push"))), 1, "paused"), 2, "failed")
    assert [(at, reason) for at, _, reason in desk.told()] == [(0, "won"), (2, "paused")]


def test_a_contact_that_follows_counts_for_the_run():
    desk = triggered(replace(CHAIN, at_most_contacts=2)).send(500)
    assert [(each.kind, each.lines[0].reason) for each in desk.twin.decisions] == [
        ("round", "won"),
        ("round", "won"),
        ("stop", "paused"),
        ("round", "paused"),
    ]


def test_merging_two_in_flight_keeps_both_contacts():
    desk = desk_of(campaign("c", on("a"), send=("sms",)), rules=policies(gap_us=DAY))
    desk.send(0, event("a", 0, {"card": "c1"})).send(1, event("a", 1, {"email": "e1"}))
    desk.send(2, event("x", 2, {"card": "c1", "email": "e1"}))
    assert [row[1] for row in desk.rows("contacts")] == [0, 1]
    assert [(row[11], row[14]) for row in desk.rows("candidates")] == [(1, 0)]
    told(desk, 3, "sent", 0, {"card": "c1"}).send(100)
    assert sorted(states(desk)) == ["sent", "sent"]
    assert desk.rows("candidates") == []


def test_a_bounce_after_it_was_sent_counts_no_more():
    desk = told(told(triggered(campaign("c", on("a"), send=("sms",), again_after_us=DAY)), 1, "sent"), 2, "failed")
    desk.send(3, event("a", 3, WHO))
    assert desk.told() == [(0, "c", "won"), (3, "c", "won")]
    assert minutes(3) - minutes(0) < DAY


# What follows, and offers, holdouts, resources


def test_what_follows_comes_with_the_offer_of_the_contact_that_it_follows():
    offers = named(Offer("o", value=1.0), Offer("p", value=2.0, condition="tier = 'gold'"))
    desk = triggered(replace(CHAIN, offers=("o", "p")), rules=policies(rank="offer.value"), offers=offers)
    desk.send(30, event("b", 30, WHO, traits={"tier": "gold"})).send(150, event("a", 150, WHO)).send(400)
    assert [(line.channel, line.offer, line.probability) for line in desk.lines()] == [
        ("push", "o", 1.0), ("sms", "o", None), ("email", "o", None),
    ]  # fmt: skip
    desk.send(500, event("a", 500, WHO))
    assert [line.offer for line in desk.lines()][3:] == ["p"]


def test_a_receipt_tells_the_offer_of_its_contact_and_one_that_is_no_more_eligible_ends_the_chain():
    offers = named(Offer("o", value=2.0, condition="tier is null"), Offer("p", value=1.0))
    chain = replace(CHAIN, offers=("o", "p"))
    seen = named(Measure("seen", Aggregate.COUNT, EventMatch("contact_seen", "offer = 'o'")))
    desk = told(triggered(chain, rules=policies(rank="offer.value"), offers=offers, measures=seen), 5, "seen")
    assert [row[3] for row in desk.rows("measures")] == [1]
    desk = triggered(chain, rules=policies(rank="offer.value"), offers=offers)
    desk.send(30, event("b", 30, WHO, traits={"tier": "gold"})).send(400)
    assert desk.told() == [(0, "c", "won"), (120, "c", "not_eligible")]


def test_who_is_held_out_has_no_contact_that_could_be_followed():
    desk = triggered(replace(CHAIN, holdout=0.999999, again_after_us=10 * HOUR)).send(400)
    assert desk.told() == [(0, "c", "would_have_won")]
    assert [row[1] for row in desk.rows("contacts")] == [-2]
    assert desk.rows("candidates") == []


def test_what_follows_takes_its_part_of_what_is_scarce_and_waits_for_it():
    channels = CHANNELS | named(Channel("sms", rate=1, rate_per=Bucket.DAY))
    busy = campaign("d", on("b"), send=("sms",))
    desk = triggered(CHAIN, busy, channels=channels).send(30, event("b", 30, WHO)).send(24 * 60 + 1)
    assert desk.told() == [(0, "c", "won"), (30, "d", "won"), (120, "c", "no_capacity"), (24 * 60, "c", "won")]
    assert [line.contact for line in desk.lines()] == [0, 1, 0, 2]
