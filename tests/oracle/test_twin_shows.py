"""Examples of what is shown, computed by hand: caps at placements, fatigue, responses by decision (§5, §9, §11)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onevoice.playbook.model import (
    DAY,
    EACH,
    HOUR,
    MINUTE,
    CampaignClass,
    Cap,
    EventMatch,
    Fact,
    Holdout,
    Offer,
    Placement,
    Refusals,
    Suppression,
    Trigger,
    TriggerKind,
)

from .desk import Desk, book, campaign, event, minutes, named, on, policies

ASKED = Trigger(TriggerKind.ASKED)
OFFERS = named(Offer("gift", family="extension"), Offer("discount", family="extension"), Offer("cover"))


def shown(name: str, priority: float = 0, **parts: object):
    return campaign(name, ASKED, **{"send": (), "placements": ("wall",), "priority": priority, **parts})


def desk_of(*campaigns, wall: Placement | None = None, rules=None, **parts) -> Desk:
    """Return a twin with one placement, `wall`."""
    places = named(wall or Placement("wall"), Placement("screen"))
    return Desk(
        book(campaigns=named(*campaigns), policies=rules or policies(), placements=places, offers=OFFERS, **parts)
    )


def ask(desk: Desk, now: float, who: str = "c1", place: str = "wall") -> list[tuple[str, str]]:
    """Ask, and return (campaign, reason) of each candidate."""
    desk.send(now, event("asked", None, {"card": who}, placement=place))
    return [(line.campaign, line.reason) for line in desk.twin.decisions[-1].lines]


def answer(desk: Desk, now: float, kind: str, decision: float | None, who: str = "c1", **fields: object) -> Desk:
    return desk.send(now, event(kind, None, {"card": who}, decision=decision, **fields))


def test_a_cap_at_a_placement_counts_what_was_shown_there_until_it_has_left_the_window():
    wall = Placement("wall", caps=(Cap(2, rolling_us=HOUR, campaign=EACH),))
    desk = desk_of(shown("a", 2), shown("b", 1), wall=wall)
    assert [ask(desk, now) for now in (0, 10, 20)] == [
        [("a", "won"), ("b", "outranked")],
        [("a", "won"), ("b", "outranked")],
        [("a", "cap"), ("b", "won")],
    ]
    line = desk.twin.decisions[-1].lines[0]
    assert (line.rule, line.value, line.limit, line.until, line.channel) == (0, 2, 2, minutes(60), "")
    assert ask(desk, 60 - 1e-6) == [("a", "cap"), ("b", "won")]
    assert ask(desk, 60) == [("a", "won"), ("b", "cap")]


def test_a_cap_holds_within_one_ask():
    wall = Placement("wall", slots=3, caps=(Cap(2, rolling_us=HOUR, family=EACH),))
    offers = zip("abc", ("gift", "gift", "discount"), strict=True)
    about = [shown(name, 9 - n, offers=(offer,)) for n, (name, offer) in enumerate(offers)]
    desk = desk_of(*about, shown("d", 1, offers=("cover",)), wall=wall)
    assert ask(desk, 0) == [("a", "won"), ("b", "won"), ("c", "cap"), ("d", "won")]
    line = desk.twin.decisions[-1].lines[2]
    assert (line.value, line.limit, line.until) == (2, 2, minutes(60))


def test_when_all_slots_are_taken_the_rest_are_outranked_and_no_cap_is_asked():
    wall = Placement("wall", caps=(Cap(1, rolling_us=HOUR),))
    desk = desk_of(shown("a", 2), shown("b", 1), wall=wall)
    assert ask(desk, 0) == [("a", "won"), ("b", "outranked")]
    assert ask(desk, 1) == [("a", "cap"), ("b", "cap")]


def test_what_is_shown_costs_no_message_and_a_message_no_place():
    caps = (Cap(1, rolling_us=HOUR), Cap(1, rolling_us=HOUR, placement=EACH))
    desk = desk_of(shown("a"), campaign("letter", on("x")), rules=policies(caps=caps, gap_us=MINUTE))
    desk.say(0, "x")
    assert ask(desk, 0) == [("a", "won")]
    assert ask(desk, 1) == [("a", "cap")]
    assert desk.twin.decisions[-1].lines[0].rule == 1
    assert desk.say(2, "x").told()[-1] == (2, "letter", "cap")
    assert [row[1] for row in desk.rows("contacts")] == [0]
    assert [row[1:7] for row in desk.rows("shows")] == [(1, 0, 1, 0, minutes(0), None)]


def test_caps_of_placements_are_numbered_behind_those_of_the_policies():
    wall = Placement("wall", caps=(Cap(5, rolling_us=HOUR), Cap(1, rolling_us=HOUR, klass="sales")))
    rules = policies(caps=(Cap(1, rolling_us=DAY), Cap(9, rolling_us=HOUR, placement="wall", campaign="a")))
    desk = desk_of(shown("a"), wall=wall, rules=rules)
    ask(desk, 0)
    assert ask(desk, 1) == [("a", "cap")]
    assert desk.twin.decisions[-1].lines[0].rule == 3


def test_an_exempt_class_keeps_no_cap_and_one_that_does_not_count_fills_none():
    wall = Placement("wall", caps=(Cap(1, rolling_us=HOUR),))
    rules = policies(exempt={"service": frozenset({"caps"})})
    desk = desk_of(shown("a", 2, klass="service"), shown("b", 1), wall=wall, rules=rules)
    assert ask(desk, 0)[0] == ("a", "won")
    assert ask(desk, 1) == [("a", "won"), ("b", "cap")]
    quiet = replace(rules, classes=rules.classes | {"service": CampaignClass("service", counts=False)}, exempt={})
    desk = desk_of(shown("a", 2, klass="service"), wall=wall, rules=quiet)
    assert [ask(desk, now) for now in (0, 1, 2)] == [[("a", "won")]] * 3


def test_again_after_counts_from_the_last_show_at_any_placement():
    desk = desk_of(shown("a", again_after_us=HOUR, placements=("wall", "screen")))
    assert ask(desk, 0, place="screen") == [("a", "won")]
    assert ask(desk, 59) == [("a", "again_after")]
    line = desk.twin.decisions[-1].lines[0]
    assert (line.value, line.until, line.channel) == (minutes(0), minutes(60), "")
    assert ask(desk, 60) == [("a", "won")]


def test_shown_so_often_without_a_reaction_it_rests_there_and_begins_anew():
    wall = Placement("wall", fatigue_times=2, fatigue_us=HOUR)
    desk = desk_of(shown("a", 2, placements=("wall", "screen")), shown("b", 1), wall=wall)
    assert [ask(desk, now)[0][1] for now in (0, 10, 20)] == ["won", "won", "fatigue"]
    line = desk.twin.decisions[-1].lines[0]
    assert (line.rule, line.value, line.limit, line.until) == (0, 2, 2, minutes(70))
    assert ask(desk, 30, place="screen") == [("a", "won")]
    assert [ask(desk, now)[0][1] for now in (69, 70, 71, 72)] == ["fatigue", "won", "won", "fatigue"]
    assert desk.rows("fatigue")[0] == (0, 0, 0, 2, minutes(71))


@pytest.mark.parametrize(
    ("kind", "fields", "is_over"),
    [
        ("offer_clicked", {"offer": "gift"}, True),  # of its family
        ("offer_not_now", {"family": "extension"}, True),
        ("offer_refused", {"campaign": "a"}, True),
        ("offer_clicked", {"offer": "cover"}, False),
        ("offer_accepted", {"campaign": "b"}, False),
        ("offer_shown", {"offer": "gift"}, False),  # that is no reaction
    ],
)
def test_a_reaction_ends_a_rest(kind, fields, is_over):
    wall = Placement("wall", fatigue_times=1, fatigue_us=HOUR)
    desk = desk_of(shown("a", offers=("discount",)), shown("b", -1), wall=wall)
    ask(desk, 0)
    assert ask(desk, 1)[0] == ("a", "fatigue")
    answer(desk, 2, kind, None, **fields)
    assert ask(desk, 3)[0] == ("a", "won" if is_over else "fatigue")


def test_the_first_gate_gives_the_reason():
    wall = Placement("wall", fatigue_times=1, fatigue_us=4 * HOUR, caps=(Cap(1, rolling_us=DAY),))
    rules = policies(suppress=(Suppression(("sales",), "tier = 'gold'"),))
    desk = desk_of(shown("a", again_after_us=2 * HOUR), wall=wall, rules=rules)
    desk.send(0, event("profile_updated", None, {"card": "c1"}, {"tier": "iron"}))
    assert [ask(desk, now)[0][1] for now in (0, 119, 239, 241)] == ["won", "again_after", "fatigue", "cap"]
    desk.send(300, event("profile_updated", None, {"card": "c1"}, {"tier": "gold"}))
    desk.send(301, {"type": "campaign_paused", "identifiers": {}, "fields": {"campaign": "b"}})
    ask(desk, 302)
    desk.send(303, {"type": "campaign_paused", "identifiers": {}, "fields": {"campaign": "a"}})
    ask(desk, 304)
    assert [reason for _, _, reason in desk.told()[-2:]] == ["suppressed", "paused"]


def test_who_is_held_out_is_shown_nothing_and_leaves_no_show():
    rules = policies(holdout=Holdout(0.999999))
    wall = Placement("wall", fatigue_times=1, fatigue_us=HOUR)
    desk = desk_of(shown("a", again_after_us=HOUR), wall=wall, rules=rules)
    assert [ask(desk, now) for now in (0, 1)] == [[("a", "would_have_won")]] * 2
    assert desk.rows("shows") == desk.rows("fatigue") == []


def test_a_response_by_decision_is_about_what_was_shown():
    rules = policies(refusals=Refusals(refused_us=DAY), suppress=(Suppression(("offers",), "refused(offer.family)"),))
    desk = desk_of(shown("a", 2, offers=("gift",)), shown("b", 1, offers=("discount",)), rules=rules)
    ask(desk, 0)
    answer(desk, 1, "offer_refused", 0)
    assert ask(desk, 2) == [("a", "suppressed"), ("b", "suppressed")]
    assert desk.twin.unknown_decisions == 0


def test_the_event_is_filled_in_before_anything_looks_at_it():
    where = "event.campaign = 'a' and event.offer = 'cover'"
    said = Fact("said_yes", (EventMatch("offer_accepted", where),), per=("family",))
    thanks = campaign("thanks", on("offer_accepted", "event.family = 'cover'"))
    desk = desk_of(shown("a", offers=("cover",)), thanks, facts=named(said))
    ask(desk, 0)
    answer(desk, 1, "offer_accepted", 0)
    assert desk.told()[-1] == (1, "thanks", "won")
    assert [row[1] for row in desk.rows("facts")] == [0, 1, 5]  # refused and not_now closed, said_yes open


@pytest.mark.parametrize(
    ("decision", "who", "fields"),
    [
        (9, "c1", {}),  # nobody made it
        (0.5, "c1", {}),
        (0, "c2", {}),  # of another customer
        (1, "c1", {}),  # nothing was shown by it
        (0, "c1", {"campaign": "b"}),
        (0, "c1", {"offer": "cover"}),
    ],
)
def test_without_its_show_a_response_is_an_event_and_nothing_more(decision, who, fields):
    rules = policies(refusals=Refusals(refused_us=DAY))
    desk = desk_of(shown("a", offers=("gift",)), rules=rules)
    ask(desk, 0)
    ask(desk, 0, place="screen")
    answer(desk, 1, "offer_refused", decision, who, **fields)
    assert desk.twin.unknown_decisions == 1
    families = {str(key[0]) for customer in desk.twin.customers for _, _, key in customer.facts}
    assert families == ({"cover"} if "offer" in fields else {"None"})


def test_of_several_that_were_shown_the_event_says_which():
    wall = Placement("wall", slots=2, fatigue_times=1, fatigue_us=HOUR)
    desk = desk_of(shown("a", 2), shown("b", 1, offers=("gift",)), wall=wall)
    ask(desk, 0)
    answer(desk, 1, "offer_clicked", 0)
    assert desk.twin.unknown_decisions == 1
    answer(desk, 1, "offer_clicked", 0, campaign="a")
    assert ask(desk, 2) == [("a", "won"), ("b", "fatigue")]
    answer(desk, 3, "offer_clicked", 0, offer="gift")
    assert ask(desk, 4) == [("a", "fatigue"), ("b", "won")]
    assert desk.twin.unknown_decisions == 1


def test_a_response_is_understood_for_thirty_days_or_as_long_as_a_window_looks():
    days = 30 * 24 * 60
    for again_us, last in ((0, days), (40 * DAY, 40 * 24 * 60)):
        desk = desk_of(shown("a", again_after_us=again_us))
        ask(desk, 0)
        answer(desk, last - 1, "offer_clicked", 0)
        assert desk.twin.unknown_decisions == 0
        assert answer(desk, last, "offer_clicked", 0).twin.unknown_decisions == 1
        assert desk.rows("shows") == []


def test_in_a_merge_shows_are_united_and_counts_added():
    wall = Placement("wall", fatigue_times=3, fatigue_us=HOUR, caps=(Cap(3, rolling_us=DAY),))
    desk = desk_of(shown("a"), wall=wall)
    ask(desk, 0)
    for now in (1, 2):
        desk.send(now, event("asked", None, {"email": "m@x.lt"}, placement="wall"))
    desk.send(3, event("x", 3, {"card": "c1", "email": "m@x.lt"}))
    assert desk.rows("fatigue") == [(0, 0, 0, 3, minutes(2))]
    assert ask(desk, 4) == [("a", "fatigue")]
    assert desk.twin.decisions[-1].lines[0].until == minutes(62)
    assert ask(desk, 62) == [("a", "cap")]
    answer(desk, 63, "offer_clicked", 2)
    assert desk.twin.unknown_decisions == 0
