"""Examples of §9 and §10 computed by hand: what caps are about, who chooses, what counts, what lifts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onevoice.playbook.model import (
    EACH,
    HOUR,
    MINUTE,
    CampaignClass,
    Cap,
    Catalogue,
    Channel,
    FieldType,
    Offer,
    Period,
    Segment,
)

from .desk import Desk, book, campaign, event, minutes, named, on, policies

RED, BLUE, LAMP = Offer("red", "p1", family="fam"), Offer("blue", "p2", family="fam"), Offer("lamp", "p3")
CATALOGUE = Catalogue({"category": FieldType.CHOICE}, ("p1", "p2", "p3"), {"category": ("case", "lamp", "lamp")})
THREE = (
    campaign("c", on("a"), offers=("red",), owner="north"),
    campaign("d", on("b"), offers=("blue",), owner="south", send=("push",)),
    campaign("e", on("x"), offers=("lamp",), owner="south", klass="service"),
)


def desk_of(*caps: Cap, campaigns=THREE, **parts) -> Desk:
    rules = policies(caps=caps, **parts.pop("rules", {}))
    offers, products = named(RED, BLUE, LAMP), parts.pop("products", CATALOGUE)
    return Desk(book(campaigns=named(*campaigns), policies=rules, offers=offers, products=products, **parts))


@pytest.mark.parametrize(
    ("scope", "reasons"),
    [
        ({"family": "fam"}, "won cap won"),
        ({"family": EACH}, "won cap won"),
        ({"family": "lamp"}, "won won won"),
        ({"owner": "south"}, "won won cap"),
        ({"owner": EACH}, "won won cap"),
        ({"category": "lamp"}, "won won cap"),
        ({"category": EACH}, "won won cap"),
        ({"klass": EACH}, "won cap won"),
        ({"campaign": EACH}, "won won won"),
        ({"channel": EACH}, "won won cap"),
        ({"channel": EACH, "owner": EACH}, "won won won"),
    ],
)
def test_a_cap_counts_what_has_the_same_in_its_scope(scope, reasons):
    desk = desk_of(Cap(1, rolling_us=HOUR, **scope)).say(0, "a").say(1, "b").say(2, "x")
    assert [reason for _, _, reason in desk.told()] == reasons.split()


def test_what_has_nothing_in_a_scope_is_in_no_such_cap():
    plain = campaign("plain", on("a"))
    for scope in ("family", "owner", "category", "address"):
        desk = desk_of(Cap(1, rolling_us=HOUR, **{scope: EACH}), campaigns=[plain]).say(0, "a").say(1, "a")
        assert [reason for _, _, reason in desk.told()] == ["won", "won"]


def test_a_reported_contact_is_its_offers_or_its_campaigns():
    for fields, reason in (
        ({"offer": "blue"}, "cap"),
        ({"campaign": "d"}, "cap"),
        ({"campaign": "d", "offer": "lamp"}, "won"),
        ({"offer": "stranger", "campaign": "d"}, "won"),
        ({}, "won"),
    ):
        reported = {"campaign": None, "class": None, "channel": None, "offer": None} | fields
        desk = desk_of(Cap(1, rolling_us=HOUR, family=EACH)).say(0, "contact_reported", **reported).say(1, "a")
        assert [told for _, _, told in desk.told()] == [reason], fields


def test_an_address_is_the_one_given_last():
    mail = campaign("mail", on("a"), send=("email",))
    desk = desk_of(Cap(1, rolling_us=HOUR, address=EACH), campaigns=[mail])
    desk.send(0, event("a", 0, {"card": "c1", "email": "one"})).send(1, event("a", 1, {"card": "c1"}))
    assert desk.told()[-1] == (1, "mail", "cap")
    desk.send(2, event("x", 2, {"card": "c1", "email": "two"}))
    assert desk.told()[-1] == (2, "mail", "won")
    desk.send(3, event("a", 3, {"card": "c1", "email": "one"}))  # known already: not given anew
    assert desk.told()[-1] == (3, "mail", "cap")
    desk.send(60, event("x", 60, {"card": "c1"}))
    assert desk.told()[-1] == (3, "mail", "cap")  # `two` frees at 62
    assert desk.send(62).told()[-1] == (62, "mail", "won")


def test_after_a_merge_the_later_address_stays():
    mail = campaign("mail", on("a"), send=("email",))
    channels = named(Channel("email", "email"))
    desk = desk_of(Cap(1, rolling_us=HOUR, address=EACH), campaigns=[mail], channels=channels)
    desk.send(0, event("a", 0, {"email": "late"})).send(1, event("x", 1, {"card": "c1", "email": "first"}))
    desk.send(2, event("x", 2, {"email": "second"})).send(3, event("x", 3, {"card": "c1", "email": "second"}))
    desk.send(4, event("x", 4, {"card": "c1", "email": "late"})).send(5, event("a", 5, {"card": "c1"}))
    assert desk.told() == [(0, "mail", "won"), (5, "mail", "won")]  # to `second`, which was given at 2


def test_the_customers_own_choice_takes_the_place_of_max():
    for score, count in ((None, 2), (0.9, 0), (1, 1), (3.5, 3), (-2, 0), (1e300, 5)):
        desk = desk_of(Cap(2, rolling_us=HOUR, own_max="score"), campaigns=THREE[:1])
        desk.send(0, event("x", 0, {"card": "c1"}, traits={"score": score}))
        for now in range(1, 6):
            desk.say(now, "a")
        assert sum(reason == "won" for _, _, reason in desk.told()) == count, score


def test_a_choice_of_none_holds_until_it_changes():
    desk = desk_of(Cap(2, period=Period.DAY, own_max="score"), campaigns=THREE[:1])
    desk.send(0, event("a", 0, {"card": "c1"}, traits={"score": 0})).send(100_000)
    assert [(line.reason, line.value, line.limit, line.until) for line in desk.lines()] == [("cap", 0, 0, 1 << 62)]
    desk.send(100_001, event("x", 100_001, {"card": "c1"}, traits={"score": None}))
    assert desk.told()[-1] == (100_001, "c", "won")


def test_a_greater_choice_that_is_not_enough_brings_the_wake_nearer():
    desk = desk_of(Cap(1, rolling_us=HOUR, own_max="score"), campaigns=THREE[:1])
    desk.send(0, event("a", 0, {"card": "c1"}, traits={"score": 3})).say(10, "a").say(20, "a")
    desk.send(21, event("a", 21, {"card": "c1"}, traits={"score": 1}))
    desk.send(22, event("x", 22, {"card": "c1"}, traits={"score": 2}))
    last = desk.lines()[-2:]
    assert [(line.reason, line.limit, line.until) for line in last] == [
        ("cap", 1, minutes(80)),
        ("cap", 2, minutes(70)),
    ]
    assert desk.send(70).told()[-1] == (70, "c", "won")


def test_a_class_that_does_not_count_is_in_no_cap_and_in_no_gap():
    classes = {"service": CampaignClass("service", counts=False), "sales": CampaignClass("sales")}
    rules = {"classes": classes, "gap_us": 30 * MINUTE}
    desk = desk_of(Cap(1, rolling_us=HOUR), rules=rules).say(0, "x").say(1, "x").say(2, "a").say(3, "x")
    assert desk.told() == [(0, "e", "won"), (1, "e", "won"), (2, "c", "won"), (3, "e", "gap")]
    assert desk.send(32).told()[-1] == (32, "e", "cap")


def test_a_winner_that_does_not_count_leaves_no_gap_behind():
    classes = {"service": CampaignClass("service", counts=False, strict=True), "sales": CampaignClass("sales")}
    both = [replace(each, when=on("a")) for each in THREE]
    desk = desk_of(campaigns=both, rules={"classes": classes, "gap_us": HOUR}).say(0, "a").send(200)
    assert [told for told in desk.told() if told[2] == "won"] == [(0, "e", "won"), (0, "c", "won"), (60, "d", "won")]


def test_own_contacts_that_do_not_count_are_seen_by_again_after_and_by_the_gap_of_the_exempt():
    classes = {"service": CampaignClass("service", counts=False), "sales": CampaignClass("sales")}
    rules = {"classes": classes, "gap_us": HOUR, "exempt": {"service": frozenset({"gap"})}}
    desk = desk_of(campaigns=[campaign("e", on("a"), klass="service")], rules=rules).say(0, "a").say(1, "a").send(99)
    assert desk.told() == [(0, "e", "won"), (1, "e", "gap"), (60, "e", "won")]
    pausing = campaign("e", on("a"), klass="service", again_after_us=HOUR)
    desk = desk_of(campaigns=[pausing], rules={"classes": classes}).say(0, "a").say(1, "a").send(99)
    assert desk.told() == [(0, "e", "won"), (1, "e", "again_after"), (60, "e", "won")]


def test_a_segment_entered_or_left_lifts_a_cap_at_once():
    gold = {"segments": named(Segment("gold", "tier = 'gold'"))}
    wide = [Cap(1, rolling_us=HOUR), Cap(2, rolling_us=HOUR, for_segment="gold")]
    desk = desk_of(*wide, campaigns=THREE[:1], **gold).say(0, "a").say(1, "a")
    desk.send(2, event("x", 2, {"card": "c1"}, traits={"tier": "gold"}))
    assert desk.told() == [(0, "c", "won"), (1, "c", "cap"), (2, "c", "won")]
    narrow = [Cap(1, rolling_us=HOUR, for_segment="gold")]
    desk = desk_of(*narrow, campaigns=THREE[:1], **gold)
    desk.send(0, event("a", 0, {"card": "c1"}, traits={"tier": "gold"})).say(1, "a")
    desk.send(2, event("x", 2, {"card": "c1"}, traits={"tier": "tin"}))
    assert desk.told() == [(0, "c", "won"), (1, "c", "cap"), (2, "c", "won")]
