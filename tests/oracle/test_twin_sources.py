"""Sources that stop (§19), computed by hand; times are minutes."""

from __future__ import annotations

import pytest

from onevoice.playbook.model import (
    MINUTE,
    Aggregate,
    Cap,
    EventMatch,
    Fact,
    Measure,
    Moment,
    Offer,
    Period,
    Placement,
    Segment,
    Source,
    Step,
    Suppression,
    Trigger,
    TriggerKind,
)

from . import feeds
from .book import Book
from .desk import START, Desk, book, campaign, event, named, on, policies, step

TILL = Source("till", 0, ("b",), 10 * MINUTE)
WEB = Source("web")


def shop(*campaigns, sources=(TILL, WEB), **parts):
    own = campaigns or (campaign("news", on("a"), until=EventMatch("b")),)
    return Desk(book(campaigns=named(*own), sources=named(*sources), **parts))


def sources(desk):
    """What is told of sources, in µs where it is not a whole minute."""
    about = [each for each in desk.twin.decisions if each.customer < 0]
    return [(divmod(each.time - START, MINUTE), each.kind) for each in about]


def test_it_is_stale_from_the_instant_on_and_not_before():
    desk = shop().say(0, "b").say(9.9, "a", who="c1").say(10, "a", who="c2")
    assert desk.told() == [(9.9, "news", "won"), (10, "news", "stale"), (10, "news", "stale")]
    (told,) = [each for each in desk.twin.decisions if each.kind == "source_stale"]
    (line,) = told.lines
    assert (told.customer, line.rule, line.value, line.limit) == (-1, 0, START, START + 10 * MINUTE)
    assert desk.rows("sources") == [(0, START, 1, START, START + 10 * MINUTE)]


def test_never_heard_it_is_stale_once_the_first_instant_is_over():
    desk = shop().say(0, "a").say(1, "a", who="c2")
    assert desk.told()[0] == (0, "news", "won")  # of the first instant nobody knows yet
    assert sources(desk) == [((0, 1), "source_stale")]
    assert desk.told()[-1] == (1, "news", "stale")
    assert desk.rows("sources") == [(0, None, 1, 0, 0)]


def test_heard_within_the_first_instant_it_is_not_told():
    assert sources(shop().send(0, event("a", 0, {"card": "c1"}), event("b", 0, {"card": "c2"})).send(9)) == []


def test_it_is_by_when_it_occurred():
    """What comes late tells of then, and what it tells is kept where something older comes later."""
    desk = shop().say(0, "b").say(12, "b", at=1).say(13, "b", at=2)
    assert sources(desk) == [((10, 0), "source_stale")]
    desk.say(14, "b", at=4).say(14, "b", at=3)
    assert desk.rows("sources") == [(0, START + 4 * MINUTE, 1, START, START + 10 * MINUTE)]  # stale up to 14
    desk.say(14, "b", at=4.5, who="c2").send(15)
    assert sources(desk) == [((10, 0), "source_stale"), ((14, 1), "source_fresh"), ((14, MINUTE // 2), "source_stale")]


def test_all_of_an_instant_is_read_before_what_was_held_goes_on():
    held = shop().say(0, "b", who="c9").say(11, "a").say(11, "a", who="c2")
    held.send(12, event("b", 12, {"card": "c9"}), event("b", 12, {"card": "c1"})).send(13)
    assert [each for each in held.told() if each[2] in {"won", "ended"}] == [
        (12, "news", "ended"),
        (12 + 1 / MINUTE, "news", "won"),
    ]


def test_an_instant_at_which_it_is_stale_again_frees_nobody():
    desk = shop().say(0, "b").say(11, "a")
    desk.twin.row([event("b", 1 + 1e-8, {"card": "c9"})], START + 11 * MINUTE)
    assert desk.send(20).told()[-1] == (11, "news", "stale")


@pytest.mark.parametrize(("source", "frees"), [("till", True), (None, True), ("nobody", True), ("web", False)])
def test_a_line_of_another_source_is_no_news(source, frees):
    line = event("b", 12, {"card": "c9"}) | ({"source": source} if source else {})
    desk = shop().say(0, "b").say(11, "a").send(12, line).send(13)
    assert (desk.told()[-1][2] == "won") == frees


@pytest.mark.parametrize(("mode", "kind"), [({"imported": True}, "b"), ({"observing": True}, "b"), ({}, "b")])
def test_it_is_heard_in_every_mode(mode, kind):
    desk = shop().say(0, "b").say(11, "a").send(12, event(kind, 12, {"card": "c9"}), **mode).send(13)
    assert desk.told()[-1][2] == "won"


def test_a_duplicate_and_a_control_event_are_no_news():
    desk = shop(sources=(Source("any", 0, (), 10 * MINUTE),)).send(0, event("b", 0, {"card": "c9"}, id="x"))
    desk.send(11, event("b", 11, {"card": "c9"}, id="x")).send(12, event("campaign_paused", 12, campaign="nobody"))
    assert sources(desk) == [((10, 0), "source_stale")]
    desk.send(13, event("restocked", 13, product="p1")).send(14)
    assert sources(desk)[-1] == ((13, 1), "source_fresh")


def test_who_is_held_expires_and_ends_as_ever():
    desk = shop(campaign("news", on("a"), until=EventMatch("b"), valid_for_us=5 * MINUTE))
    desk.say(0, "b", who="c9").say(11, "a", at=0.2).say(11, "a", who="c2").say(12, "b", at=0.3).send(20)
    assert desk.told()[3:] == [(12, "news", "ended"), (16, "news", "expired")]


def test_who_is_held_for_another_source_waits_on():
    more = Source("more", 0, ("x",), 20 * MINUTE)
    desk = shop(
        campaign("news", on("a"), until=EventMatch("b"), condition="seen < 9"),
        sources=(TILL, more),
        measures=named(*measures()),
    )
    desk.say(0, "b").say(0, "x", who="c9").say(25, "a").say(26, "b", who="c8").send(27)
    assert [(line.reason, line.rule) for line in desk.lines() if line.key == 0][-1] == ("stale", 0)  # told of the first
    desk.say(28, "x", who="c9").send(29)
    assert desk.told()[-1][2] == "won"


def measures():
    return (Measure("seen", Aggregate.COUNT, EventMatch("x")),)


def test_paused_comes_before_and_consent_behind():
    desk = shop().say(0, "b").say(1, "consent_withdrawn", channel="sms").say(11, "a")
    assert desk.told()[-1][2] == "stale"
    desk.send(12, event("campaign_paused", 12, campaign="news")).say(13, "b", who="c9").send(14)
    assert desk.told()[-1][2] == "paused"
    desk.send(15, event("campaign_resumed", 15, campaign="news")).send(16)
    assert desk.told()[-1][2] == "no_consent"


def test_an_ask_is_not_answered_with_it():
    asked = campaign("banner", Trigger(TriggerKind.ASKED), send=(), placements=("wall",), condition="seen >= 0")
    till = Source("till", 0, ("x",), 10 * MINUTE)
    desk = shop(asked, sources=(till,), measures=named(*measures()), placements=named(Placement("wall")))
    desk.say(0, "x", who="c9").say(1, "asked", placement="wall").say(11, "asked", placement="wall")
    assert [(line.reason, line.rule, line.value) for line in desk.lines() if line.campaign == "banner"] == [
        ("won", -1, 0),
        ("stale", 0, START),
        ("stale", 0, START),
    ]


# On what a campaign depends

CAMPAIGNS = {
    "nothing": campaign("c", on("a")),
    "until": campaign("c", on("a"), until=EventMatch("order.items")),
    "absence": campaign("c", Trigger(TriggerKind.MOMENT, "left")),
    "fact": campaign("c", on("a"), condition="case_of"),
    "measure": campaign("c", on("a"), condition="seen > 1"),
    "segment": campaign("c", on("a"), condition="keen"),
    "entered": campaign("c", Trigger(TriggerKind.SEGMENT_ENTERED, "keen")),
    "trait": campaign("c", on("a"), condition="tier = 'gold'"),
    "offer": campaign("c", on("a"), offers=("gift",)),
    "product": campaign("c", Trigger(TriggerKind.PRODUCT, "restocked", fact="wanted")),
    "service": campaign("c", on("a"), klass="service"),
    "asked": campaign("c", Trigger(TriggerKind.ASKED), send=(), placements=("wall",)),
    "ranked": campaign("c", on("a"), propensity="seen"),
}
CONSENTS = {"consent_given", "consent_withdrawn"}
NEEDS = {
    "nothing": set(),
    "until": {"order"},
    "absence": {"b", "x"},
    "fact": {"a", "delivered"},
    "measure": {"x"},
    "segment": {"x", "profile_updated"},
    "entered": {"x", "profile_updated"},
    "trait": {"profile_updated"},
    "offer": {"x", "order", "delivered"},  # its own `if`, and the rule that stops offers
    "product": {"delivered", "order"},  # what closes it, and the rule
    "service": set(),
    "asked": set(),
    "ranked": set(),
}


LAST = Step((EventMatch("x"),), absent=True, within_us=MINUTE)


def rules(**parts):
    stops = (Suppression(("offers",), "owned"),)
    return policies(suppress=stops, **parts)


def whole(own, **parts):
    return book(
        campaigns=named(own),
        facts=named(
            Fact("case_of", (EventMatch("a"),), (EventMatch("delivered"),)),
            Fact("owned", (EventMatch("order.items"),), (EventMatch("delivered"),)),
            Fact("wanted", (EventMatch("order.items"),), (EventMatch("delivered"),), ("product",)),
        ),
        measures=named(*measures()),
        segments=named(Segment("gold", "tier = 'gold'"), Segment("keen", "gold and seen > 1")),
        moments=named(Moment("left", (step("a"), step("b", absent=True), step("order"), LAST))),
        offers=named(Offer("gift", condition="seen > 2")),
        placements=named(Placement("wall")),
        policies=rules(**parts),
    )


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_it_depends_on_what_could_end_silence_or_exclude(name):
    own = CAMPAIGNS[name]
    sends = set() if name == "asked" else CONSENTS
    assert feeds.needs(Book(whole(own)), own) == NEEDS[name] | sends


@pytest.mark.parametrize(
    ("parts", "counted"),
    [
        ({}, False),
        ({"gap_us": 1}, True),
        ({"gap_us": 1, "exempt": {"sales": frozenset({"gap"})}}, False),
        ({"caps": (Cap(1, period=Period.DAY),)}, True),
        ({"caps": (Cap(1, period=Period.DAY, placement="wall"),)}, False),
        ({"caps": (Cap(1, period=Period.DAY),), "exempt": {"sales": frozenset({"caps"})}}, False),
        ({"gap_us": 1, "caps": (Cap(1, period=Period.DAY),), "exempt": {"sales": frozenset({"caps"})}}, True),
    ],
)
def test_contacts_of_others_count_where_a_gap_or_a_cap_does(parts, counted):
    own = CAMPAIGNS["nothing"]
    assert ("contact_reported" in feeds.needs(Book(whole(own, **parts)), own)) == counted
