"""Examples of §5, §7 and §10 about groups, computed by hand: who is in one, whom `any` asks, when others are judged."""

from __future__ import annotations

import pytest

from onevoice.playbook.model import HOUR, MINUTE, Cap, EventMatch, Fact, Group, Period, Segment, Suppression

from . import groups
from .desk import Desk, book, campaign, event, minutes, named, on, policies

OPEN = Fact("open", (EventMatch("order"),), (EventMatch("delivered"),), ("order_id",))
SHORT = Fact("short", (EventMatch("order"),), (), (), lasts_us=10 * MINUTE)
FIRM = Group("firm", "k", ("delivered",))  # events a and b carry it; delivered has no k: it ends all
IN = Segment("in", "any firm.open")


def desk_of(*segments: Segment, group: Group = FIRM, **parts) -> Desk:
    return Desk(book(groups=named(group), facts=named(OPEN, SHORT), segments=named(*(segments or (IN,))), **parts))


def members(desk: Desk) -> list[tuple[int, int]]:
    """Return who is a member of which segment, by the number of the customer."""
    return [(customer, segment) for customer, segment, _ in desk.rows("memberships")]


def present(desk: Desk) -> list[int]:
    return [customer for _, _, customer in desk.rows("members")]


def test_an_event_that_carries_the_value_makes_a_member_and_null_none():
    desk = desk_of().say(0, "a", who="c1", k="f").say(1, "b", who="c2", k="f").say(2, "a", who="c3", k=None)
    assert present(desk) == [0, 1]
    assert present(desk.say(3, "x", who="c3")) == [0, 1]


def test_what_nobody_asks_or_counts_is_not_kept():
    desk = desk_of(Segment("in", "open")).say(0, "a", k="f")
    assert (len(desk.rows("facts")), desk.rows("members")) == (1, [])


def test_a_fact_of_one_is_a_fact_of_all_who_are_present_at_once():
    desk = desk_of().say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="f").say(0, "a", who="c3", k="g")
    desk.say(5, "order", who="c1", order_id="o")
    assert desk.rows("memberships") == [(0, 0, desk.twin.now), (1, 0, desk.twin.now)]


def test_who_leaves_hears_of_no_other_and_no_other_of_them():
    desk = desk_of(Segment("in", "any firm.short")).say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="f")
    desk.say(1, "order", who="c1")
    assert members(desk) == [(0, 0), (1, 0)]
    desk.say(2, "delivered", who="c2")
    assert (present(desk), members(desk)) == ([0], [(0, 0)])


@pytest.mark.parametrize(("named_", "left"), [("f", [1]), ("g", [0, 1]), (None, [])])
def test_who_leaves_by_a_value_leaves_that_group(named_, left):
    group = Group("firm", "k", ("b",))
    desk = desk_of(group=group).say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="f")
    desk.say(1, "b", who="c1", k=named_)
    if named_ is None:
        desk.say(1, "b", who="c2", k=None)
    assert present(desk) == left


def test_a_leaving_that_occurred_earlier_ends_nothing():
    desk = desk_of().say(5, "a", k="f").say(6, "delivered", at=4)
    assert present(desk) == [0]
    assert present(desk.say(7, "delivered", at=5)) == []


def test_who_is_in_two_groups_of_a_kind_hears_of_both():
    desk = desk_of().say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="g")
    desk.say(0, "a", who="c3", k="f").say(0, "a", who="c3", k="g").say(1, "order", who="c2", order_id="o")
    assert members(desk) == [(1, 0), (2, 0)]


def test_what_ends_by_time_ends_for_all_at_that_instant():
    desk = desk_of(Segment("in", "any firm.short")).say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="f")
    desk.say(1, "order", who="c1")
    assert members(desk.send(10)) == [(0, 0), (1, 0)]
    assert members(desk.send(11)) == []


def test_a_customer_who_becomes_another_is_in_their_groups_and_they_in_theirs():
    desk = (
        desk_of()
        .say(0, "a", who="c1", k="f")
        .send(0, event("a", 0, {"email": "e"}, k="g"))
        .say(0, "a", who="c3", k="g")
    )
    desk.say(1, "order", who="c1", order_id="o")
    assert members(desk) == [(0, 0)]
    desk.send(2, event("x", 2, {"card": "c1", "email": "e"}))
    assert (sorted(present(desk)), members(desk)) == ([0, 0, 2], [(0, 0), (2, 0)])


def test_any_of_a_key_is_null_where_the_key_is():
    desk = desk_of(
        Segment("in", "any firm.firm(tier)"), Segment("none", "(any firm.firm(tier)) is null"), group=Group("firm", "c")
    )
    desk.say(0, "a", who="c1", c="f")
    assert members(desk) == [(0, 1)]
    desk.send(1, event("x", 1, {"card": "c1"}, {"tier": "f"}))
    assert members(desk) == [(0, 0)]


def test_beyond_the_limit_somebody_is_asked_for_themselves_until_there_is_room(monkeypatch):
    monkeypatch.setattr(groups, "MEMBERS_MAX", 2)
    desk = desk_of(Segment("in", "any firm.short"))
    for who in ("c1", "c2", "c3"):
        desk.say(0, "a", who=who, k="f")
    assert present(desk) == [0, 1]
    assert members(desk.say(1, "order", who="c3")) == [(2, 0)]
    desk.say(2, "delivered", who="c1").say(3, "x", who="c3")
    assert present(desk) == [1]
    assert members(desk.say(4, "a", who="c3", k="f")) == [(1, 0), (2, 0)]


# Suppressions and caps

RULE = Suppression(("sales",), "any firm.open")


def test_a_wish_that_a_colleague_held_back_is_free_when_that_ends():
    rules = policies(suppress=(RULE,))
    desk = desk_of(group=Group("firm", "k"), campaigns=named(campaign("c", on("x"))), policies=rules)
    desk.say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="f").say(0, "order", who="c2", order_id="o")
    desk.say(1, "x", who="c1")
    assert desk.told() == [(1, "c", "suppressed")]
    desk.say(5, "delivered", who="c2", order_id="other")
    assert desk.told()[1:] == []
    desk.say(5, "delivered", who="c2", order_id="o")
    assert desk.told()[1:] == [(5, "c", "won")]


def capped(*caps: Cap) -> Desk:
    desk = desk_of(campaigns=named(campaign("c", on("x"))), policies=policies(caps=caps))
    return desk.say(0, "a", who="c1", k="f").say(0, "a", who="c2", k="f").say(0, "a", who="c3", k="g")


def test_a_cap_counts_all_of_a_group_and_has_room_when_enough_are_over():
    desk = capped(Cap(2, rolling_us=HOUR, group="firm"))
    desk.say(1, "x", who="c1").say(2, "x", who="c2").say(3, "x", who="c1").say(4, "x", who="c3")
    assert [line.reason for line in desk.lines()] == ["won", "won", "cap", "won"]
    line = desk.lines()[2]
    assert (line.value, line.limit, line.until) == (2, 2, minutes(61))
    desk.send(70)
    assert desk.told()[4:] == [(61, "c", "won")]


def test_who_is_in_two_groups_is_stopped_by_the_fuller_and_waits_for_both():
    desk = capped(Cap(1, rolling_us=HOUR, group="firm")).say(0, "a", who="c1", k="g")
    desk.say(1, "x", who="c2").say(5, "x", who="c3").say(6, "x", who="c1")
    assert desk.told() == [(1, "c", "won"), (5, "c", "won"), (6, "c", "cap")]
    assert desk.lines()[2].value == 1
    desk.send(200)
    assert desk.told()[3:] == [(65, "c", "won")]


def test_a_group_and_the_customer_alone_are_two_sets_of_caps():
    desk = capped(Cap(1, period=Period.DAY), Cap(2, period=Period.DAY, group="firm"))
    for minute, who in ((1, "c1"), (2, "c1"), (3, "c2"), (4, "c2")):
        desk.say(minute, "x", who=who)
    assert [(line.reason, line.rule) for line in desk.lines()] == [("won", -1), ("cap", 0), ("won", -1), ("cap", 0)]


def test_a_cap_is_looked_at_again_when_somebody_leaves():
    desk = capped(Cap(1, period=Period.WEEK, group="firm")).say(1, "x", who="c1").say(2, "x", who="c2")
    assert desk.told() == [(1, "c", "won"), (2, "c", "cap")]
    assert desk.say(7, "delivered", who="c1").told()[2:] == [(7, "c", "won")]
