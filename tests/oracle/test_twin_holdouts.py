"""Examples of the holdout (§10) computed by hand."""

from __future__ import annotations

from onevoice.playbook.model import (
    DAY,
    HOUR,
    Cap,
    Exploration,
    Holdout,
    Offer,
    Placement,
    Refusals,
    Trigger,
    TriggerKind,
)

from .desk import SECRET, Desk, book, campaign, event, minutes, named, on, policies
from .hashing import MASK, identifier_hash, mix, name_hash

SHARE = 0.5


def place(card: str, name: str = "") -> float:
    """Where a customer stands between 0 and 1, as the page defines it."""
    salted = mix(mix(*identifier_hash("card", card, SECRET)), name_hash("the holdout"))
    return ((mix(salted, name_hash(name) if name else 0) & MASK) >> 11) / 2**53


CARDS = [f"card{number}" for number in range(40)]
OUT = next(card for card in CARDS if place(card) < SHARE)
IN = next(card for card in CARDS if place(card) >= SHARE)


def desk_of(*campaigns, rules, **parts) -> Desk:
    return Desk(book(campaigns=named(*campaigns), policies=rules, **parts))


def reasons(desk: Desk, first: int = 0) -> list[tuple[str, str]]:
    return [(line.campaign, line.reason) for line in desk.lines()[first:]]


def test_who_is_below_the_share_is_held_out():
    desk = desk_of(campaign("c", on("x")), rules=policies(holdout=Holdout(SHARE)))
    for number, card in enumerate(CARDS):
        desk.say(number, "x", who=card)
    expected = [("c", "would_have_won" if place(card) < SHARE else "won") for card in CARDS]
    assert reasons(desk) == expected
    assert {reason for _, reason in expected} == {"won", "would_have_won"}
    held = desk.lines()[CARDS.index(OUT)]
    assert (held.channel, held.score, held.probability, held.contact) == ("sms", 0.0, 1.0, -1)
    assert [kept for _, key, kept, _ in desk.rows("holdouts")] == [int(place(card) < SHARE) for card in CARDS]


def test_a_campaigns_own_holdout_is_drawn_for_itself():
    desk = desk_of(campaign("c", on("x"), holdout=SHARE), campaign("d", on("b"), holdout=SHARE), rules=policies())
    for number, card in enumerate(CARDS):
        desk.say(2 * number, "x", who=card).say(2 * number + 1, "b", who=card)
    drawn = [place(card, name) < SHARE for card in CARDS for name in ("c", "d")]
    assert [reason for _, reason in reasons(desk)] == ["would_have_won" if held else "won" for held in drawn]
    assert drawn[::2] != drawn[1::2]


def test_the_next_best_goes_out_instead():
    best, next_best = campaign("best", on("x"), priority=2), campaign("next", on("x"), klass="service", priority=1)
    rules = policies(holdout=Holdout(SHARE, ("sales",)), gap_us=DAY)
    desk = desk_of(best, next_best, rules=rules).say(0, "x", who=OUT)
    assert reasons(desk) == [("best", "would_have_won"), ("next", "won")]
    desk = desk_of(best, next_best, rules=rules).say(0, "x", who=IN)
    assert reasons(desk) == [("best", "won"), ("next", "outranked")]


def test_what_would_have_won_takes_no_gap_and_no_cap_and_keeps_its_campaign_waiting():
    first, second = campaign("first", on("x"), again_after_us=HOUR), campaign("second", on("b"), klass="service")
    rules = policies(holdout=Holdout(SHARE, ("sales",)), gap_us=2 * HOUR, caps=(Cap(1, rolling_us=DAY),))
    desk = desk_of(first, second, rules=rules).say(0, "x", who=OUT).say(1, "b", who=OUT).say(2, "x", who=OUT)
    assert reasons(desk) == [("first", "would_have_won"), ("second", "won"), ("first", "again_after")]
    assert desk.lines()[2].until == minutes(60)
    assert [row[1] for row in desk.rows("contacts")] == [-2, 0]
    desk = desk_of(first, second, rules=rules).say(0, "x", who=IN).say(1, "b", who=IN)
    assert reasons(desk) == [("first", "won"), ("second", "gap")]


def test_it_counts_as_an_offer_that_went_unanswered():
    rules = policies(holdout=Holdout(SHARE), refusals=Refusals(ignored_times=3, ignored_pause_us=DAY))
    for card in (OUT, IN):
        desk = desk_of(campaign("c", on("x"), offers=("o",)), rules=rules, offers=named(Offer("o", family="f")))
        assert desk.say(0, "x", who=card).say(1, "x", who=card).rows("unanswered")[0][2] == 2


def test_an_ask_shows_the_next_instead():
    asked = Trigger(TriggerKind.ASKED)
    campaigns = [campaign(name, asked, send=(), placements=("wall",), priority=-n) for n, name in enumerate("abc")]
    campaigns[0] = campaign("a", asked, send=(), placements=("wall",), holdout=0.999999)
    desk = desk_of(*campaigns, rules=policies(), placements=named(Placement("wall")))
    desk.send(0, event("asked", None, {"card": "c1"}, placement="wall"))
    assert reasons(desk) == [("a", "would_have_won"), ("b", "won"), ("c", "outranked")]
    assert desk.lines()[2].value == 1
    assert desk.rows("contacts") == []


def test_in_a_merge_what_was_decided_first_holds():
    desk = desk_of(campaign("c", on("x")), rules=policies(holdout=Holdout(SHARE)))
    desk.say(0, "x", who=IN)
    desk.send(1, event("x", 1, {"email": "out@x.lt"}))
    late = desk.rows("holdouts")
    desk.send(2, event("delivered", 2, {"card": IN, "email": "out@x.lt"}))
    assert desk.rows("holdouts") == late[:1]
    assert late[0][2:] == (0, minutes(0))


def test_those_held_out_are_drawn_like_those_who_are_not():
    rules = policies(holdout=Holdout(SHARE), exploration=Exploration(0.5), gap_us=DAY)
    desk = desk_of(campaign("a", on("x"), priority=1), campaign("b", on("x")), rules=rules).say(0, "x", who=OUT)
    lines = desk.lines()
    assert [line.reason for line in lines] == ["would_have_won"] * 2
    assert max(line.probability for line in lines) == 1.0  # the last one has no rival left
    assert {line.probability for line in lines} <= {0.25, 0.75, 1.0}
