"""Examples of §10 to §12 computed by hand: several offers, computed parameters, age, exploration."""

from __future__ import annotations

from onevoice.playbook.model import (
    DAY,
    HOUR,
    MINUTE,
    CampaignClass,
    EventMatch,
    Exploration,
    Fact,
    FieldType,
    Offer,
    Placement,
    Refusals,
    Suppression,
    Trait,
    Trigger,
    TriggerKind,
)

from .desk import SECRET, START, Desk, book, campaign, event, named, on, policies
from .hashing import MASK, identifier_hash, mix

A, B, C = Offer("a", value=1.0), Offer("b", value=3.0, condition="tier = 'gold'"), Offer("c", value=2.0)
CASE = Fact("case_of", (EventMatch("a", "c is not null"),), (EventMatch("b"),))
ASKED = Trigger(TriggerKind.ASKED)


def desk_of(*campaigns, rules, **parts) -> Desk:
    return Desk(book(campaigns=named(*campaigns), policies=rules, **parts))


def gold(desk: Desk, now: float, tier: str | None = "gold") -> Desk:
    return desk.send(now, event("delivered", now, {"card": "c1"}, traits={"tier": tier}))


def offers_of(desk: Desk) -> list[tuple[str, str, str]]:
    return [(line.campaign, line.reason, line.offer) for line in desk.lines()]


def test_of_several_offers_the_best_that_may_be_made_is_made():
    desk = desk_of(
        campaign("c", on("x"), offers=("a", "b", "c")), rules=policies(rank="offer.value"), offers=named(A, B, C)
    )
    desk.say(0, "x")
    assert offers_of(desk) == [("c", "won", "c")]
    gold(desk, 1).say(2, "x")
    assert offers_of(desk)[1:] == [("c", "won", "b")]
    assert [line.score for line in desk.lines()] == [2.0, 3.0]


def test_of_equal_offers_the_first_is_made_and_null_is_last():
    offers = named(
        Offer("a", parameters={"p": 1.0}),
        Offer("b", parameters={"p": 2.0}),
        Offer("c"),
        Offer("d", parameters={"p": 2.0}),
    )
    desk = desk_of(campaign("c", on("x"), offers=("c", "a", "b", "d")), rules=policies(rank="offer.p"), offers=offers)
    assert offers_of(desk.say(0, "x")) == [("c", "won", "b")]


def test_with_no_offer_that_may_be_made_it_is_not_eligible():
    offers = named(B, Offer("d", condition="score > 1"))
    desk = desk_of(campaign("c", on("x"), offers=("b", "d"), wait_us=10 * MINUTE), rules=policies(), offers=offers)
    desk.say(0, "x")
    assert desk.rows("candidates") == []
    gold(desk, 1).say(2, "x")
    gold(desk, 3, None).send(20)
    assert offers_of(desk) == [("c", "not_eligible", "")]


def test_the_campaigns_own_condition_is_asked_with_each_offer():
    one = campaign("c", on("x"), offers=("a", "c"), condition="offer.value < 2")
    assert offers_of(desk_of(one, rules=policies(rank="offer.value"), offers=named(A, C)).say(0, "x")) == [
        ("c", "won", "a")
    ]


def test_an_offer_that_is_suppressed_leaves_the_turn_to_another():
    refusals = Refusals(refused_us=DAY)
    rules = policies(
        rank="offer.value", refusals=refusals, suppress=(Suppression(("offers",), "refused(offer.family)"),)
    )
    desk = desk_of(campaign("c", on("x"), offers=("a", "c")), rules=rules, offers=named(A, C))
    desk.say(0, "offer_refused", offer="c").say(1, "x")
    assert offers_of(desk) == [("c", "won", "a")]
    desk.say(2, "offer_refused", offer="a").say(3, "x")
    assert offers_of(desk)[1:] == [("c", "suppressed", "a")]
    assert desk.lines()[1].rule == 0
    desk.send(24 * 60 + 10)  # what was refused first is free first
    assert desk.told()[2:] == [(24 * 60, "c", "won")]
    assert offers_of(desk)[2:] == [("c", "won", "c")]


def test_a_suppressed_one_is_woken_when_another_offer_may_be_made():
    rules = policies(rank="offer.value", suppress=(Suppression(("offers",), "case_of and offer.value = 1"),))
    desk = desk_of(campaign("c", on("x"), offers=("a", "b")), rules=rules, offers=named(A, B), facts=named(CASE))
    desk.say(0, "a", c="open").say(1, "x")
    assert offers_of(desk) == [("c", "suppressed", "a")]
    gold(desk, 5)
    assert desk.told()[1:] == [(5, "c", "won")]
    assert offers_of(desk)[1:] == [("c", "won", "b")]


def test_and_when_an_offers_own_condition_comes_true_by_time():
    timed = Offer("b", value=3.0, condition="now() >= timestamptz '2026-03-02 01:00Z'")
    rules = policies(suppress=(Suppression(("offers",), "offer.value = 1"),))
    desk = desk_of(campaign("c", on("x"), offers=("a", "b")), rules=rules, offers=named(A, timed))
    desk.say(0, "x").send(120)
    assert desk.told() == [(0, "c", "suppressed"), (60, "c", "won")]


def test_the_family_that_goes_unanswered_is_that_of_the_offer_made():
    rules = policies(rank="offer.value", refusals=Refusals(ignored_times=3, ignored_pause_us=DAY))
    desk = desk_of(campaign("c", on("x"), offers=("a", "b")), rules=rules, offers=named(A, B))
    gold(desk, 0).say(1, "x")
    gold(desk, 2, None).say(3, "x").say(4, "x")
    assert sorted(row[2] for row in desk.rows("unanswered")) == [1, 2]


def test_a_parameter_is_computed_when_its_offer_wins():
    offer = Offer("o", value=4.0, parameters={"p": 2.0}, computed={"cut": "score / offer.value", "sum": "offer.p + 1"})
    other = Offer("n", computed={"fee": "1"})
    desk = desk_of(
        campaign("c", on("x"), offers=("o",), priority=2),
        campaign("d", on("x"), offers=("n",)),
        rules=policies(gap_us=HOUR),
        offers=named(other, offer),
    )
    desk.send(0, event("x", 0, {"card": "c1"}, traits={"score": 3}))
    won, other_won = desk.lines()
    assert (won.reason, won.computed) == ("won", (None, 0.75, 3.0))  # of all names of the playbook, fee being the first
    assert (other_won.reason, other_won.computed) == ("outranked", (None, None, None))
    desk.send(200, event("x", 200, {"card": "c1"}, traits={"score": None}))
    assert [line.computed for line in desk.lines() if line.reason == "won"][-2:] == [
        (1.0, None, None),
        (None, None, 3.0),
    ]


def test_age_is_counted_in_days_from_the_birth():
    rules = policies(rank="age", gap_us=DAY)
    early, late = campaign("early", on("x")), campaign("late", on("x"), after_us=6 * HOUR)
    desk = desk_of(campaign("now", on("x")), early, late, rules=rules).say(0, "x").send(3 * DAY // MINUTE)
    ranks = {
        (round((made.time - START) / HOUR), line.campaign): line.score
        for made in desk.twin.decisions
        for line in made.lines
    }
    assert (ranks[0, "now"], ranks[0, "early"], ranks[24, "late"]) == (0.0, 0.0, 0.75)
    assert sorted(score for (hour, _), score in ranks.items() if hour == 24) == [0.75, 1.0]


def test_a_trait_called_age_is_what_is_meant_by_it():
    traits = named(Trait("age", FieldType.NUMBER))
    desk = desk_of(campaign("c", on("x"), wait_us=DAY), rules=policies(rank="age"), traits=traits)
    desk.send(0, event("x", 0, {"card": "c1"}, traits={"age": 33})).send(2 * DAY // MINUTE)
    assert [line.score for line in desk.lines()] == [33.0]


# Exploration


def lots(card: str, now: int, occasion: int, turn: int = 0) -> tuple[float, float]:
    """Return the two lots of a turn, as the page defines them."""
    whose = mix(mix(mix(*identifier_hash("card", card, SECRET)), now), occasion)
    return tuple(((mix(whose, 2 * turn + n) & MASK) >> 11) / 2**53 for n in (0, 1))


def test_the_winner_is_drawn_where_the_lot_says_so():
    rules = policies(exploration=Exploration(0.5), gap_us=DAY)
    campaigns = [campaign(name, on("x"), priority=place) for place, name in enumerate(("low", "mid", "top"))]
    desk = desk_of(*campaigns, rules=rules)
    drawn = set()
    for number in range(40):
        desk.say(0, "x", who=f"card{number}")
        made = desk.twin.decisions[-1]
        whether, which = lots(f"card{number}", made.time, 0)
        expected = ("low", "mid", "top")[int(which * 3)] if whether < 0.5 else "top"
        (won,) = [line for line in made.lines if line.reason == "won"]
        assert won.campaign == expected
        assert won.probability == (0.5 if expected == "top" else 0) + 0.5 / 3
        assert {line.probability for line in made.lines if line.reason != "won"} <= {None}
        drawn.add(expected)
    assert drawn == {"low", "mid", "top"}


def test_only_classes_that_are_explored_take_part_and_strict_ones_never():
    classes = {
        "must": CampaignClass("must", strict=True),
        "news": CampaignClass("news"),
        "sales": CampaignClass("sales"),
    }
    rules = policies(classes=classes, exploration=Exploration(0.5, ("sales",)), gap_us=DAY, wait_us=MINUTE)
    campaigns = [
        campaign("must", on("a"), klass="must"),
        campaign("news", on("b"), klass="news", priority=9),
        campaign("one", on("x"), priority=2),
        campaign("two", on("x"), priority=1),
        campaign("three", on("x"), klass="news"),
    ]
    desk = desk_of(*campaigns, rules=rules)
    met = {kind: set() for kind in "abx"}
    for number in range(60):
        kind = "abx"[number % 3]
        lines = [event(each, None, {"card": f"card{number}"}) for each in {kind, "x"}]
        desk.send(2 * number, *lines).send(2 * number + 1)
        line = next(line for line in desk.twin.decisions[-1].lines if line.reason == "won")
        met[kind].add((line.campaign, line.probability))
    assert met["a"] == {("must", 1.0)}
    assert met["b"] == {("news", 1.0)}
    assert met["x"] == {("one", 0.75), ("two", 0.25)}


def test_each_slot_of_an_ask_is_drawn_for_itself():
    campaigns = [campaign(name, ASKED, send=(), placements=("wall",), priority=-n) for n, name in enumerate("abc")]
    desk = desk_of(
        *campaigns, rules=policies(exploration=Exploration(0.5)), placements=named(Placement("wall", slots=2))
    )
    for number in range(30):
        card = f"card{number}"
        desk.send(number, event("asked", None, {"card": card}, placement="wall"))
        made, left, odds = desk.twin.decisions[-1], list("abc"), {}
        for slot in (0, 1):
            whether, which = lots(card, made.time, -1, slot)
            shown = left[int(which * len(left))] if whether < 0.5 else left[0]
            odds[shown] = (0.5 if shown == left[0] else 0) + 0.5 / len(left)
            last = shown
            left.remove(shown)
        assert {line.campaign: line.probability for line in made.lines if line.reason == "won"} == odds
        assert [line.value for line in made.lines if line.reason == "outranked"] == ["abc".index(last)]
