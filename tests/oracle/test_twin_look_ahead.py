"""The look-ahead of §10, by hand: a `talk` is planned for an hour after `a`; a `deal` that `x` brings meets it."""

from __future__ import annotations

from onevoice.playbook.model import (
    HOUR,
    MINUTE,
    CampaignClass,
    Cap,
    Channel,
    EventMatch,
    Holdout,
    Offer,
    Period,
    Suppression,
    Window,
)

from .desk import Desk, book, campaign, minutes, named, on, policies
from .test_twin_holdouts import IN, OUT, SHARE

PLANNED = {"priority": 5, "after_us": HOUR}
RULES = {"gap_us": 2 * HOUR, "look_ahead_us": HOUR}


def desk_of(*campaigns, rules, **parts):
    return Desk(book(campaigns=named(*campaigns), policies=rules, **parts))


def talk(**parts):
    return campaign("talk", on("a"), **PLANNED | parts)


def deal(**parts):
    return campaign("deal", on("x"), **parts)


def met(*campaigns, rules=None, who="c1", **parts):
    """Let the talk be planned at 0 for minute 60, and the deal be wanted at minute 10."""
    desk = desk_of(*(campaigns or (talk(), deal())), rules=policies(**RULES | (rules or {})), **parts)
    return desk.say(0, "a", who=who).say(10, "x", who=who)


KEPT = (10, "deal", "kept_for")
WON = (10, "deal", "won")


def test_the_slot_is_kept_for_what_is_planned():
    desk = met().send(200)
    assert desk.told() == [KEPT, (60, "talk", "won"), (60, "deal", "outranked"), (180, "deal", "won")]
    line = desk.lines()[0]
    assert (line.channel, line.rule, line.value, line.limit, line.until) == ("sms", -1, 0, 0, minutes(60))
    assert line.score == 0.0
    assert met(rules={"look_ahead_us": 0}).told() == [WON]


def test_no_further_than_it_looks():
    assert met(rules={"look_ahead_us": 50 * MINUTE}).told() == [KEPT]
    assert met(rules={"look_ahead_us": 50 * MINUTE - 1}).told() == [WON]


def test_the_wait_after_the_birth_is_part_of_the_plan():
    desk = met(talk(wait_us=20 * MINUTE), deal(), rules={"look_ahead_us": 70 * MINUTE})
    assert desk.lines()[0].until == minutes(80)
    assert met(talk(wait_us=20 * MINUTE), deal()).told() == [WON]


def test_only_what_comes_first_keeps_others_back():
    assert met(talk(priority=0, valid_for_us=HOUR), deal(priority=1)).told() == [WON]
    classes = {"service": CampaignClass("service", strict=True), "sales": CampaignClass("sales")}
    assert met(talk(priority=0, klass="service"), deal(priority=1), rules={"classes": classes}).told() == [KEPT]
    assert met(talk(), deal(klass="service"), rules={"classes": classes}).told() == [WON]


def test_of_equal_ranks_the_expiry_that_it_will_have_decides():
    later = {"priority": 0, "valid_for_us": HOUR}  # until minute 120
    assert met(talk(**later), deal(valid_for_us=2 * HOUR)).told() == [KEPT]
    assert met(talk(**later), deal(valid_for_us=HOUR)).told() == [WON]


def test_what_leaves_room_for_both_goes_out():
    assert met(rules={"gap_us": 50 * MINUTE + 1}).told() == [KEPT]
    assert met(rules={"gap_us": 50 * MINUTE}).told() == [WON]
    assert met(rules={"gap_us": 0}).told() == [WON]
    assert met(rules={"gap_us": 0, "caps": (Cap(1, rolling_us=50 * MINUTE + 1),)}).told() == [KEPT]
    assert met(rules={"gap_us": 0, "caps": (Cap(1, rolling_us=50 * MINUTE),)}).told() == [WON]
    assert met(rules={"gap_us": 0, "caps": (Cap(2, rolling_us=HOUR),)}).told() == [WON]


def test_a_cap_is_asked_for_the_period_in_which_it_is_planned():
    """A day begins at minute 1440, Vilnius being two hours ahead at 1320."""
    for said, expected in ((1200, "kept_for"), (1270, "won")):
        rules = policies(look_ahead_us=2 * HOUR, caps=(Cap(1, period=Period.DAY),))
        desk = desk_of(talk(), deal(), rules=rules, time_zone="Europe/Vilnius")
        desk.say(said, "a").say(said + 10, "x")
        assert desk.told() == [(said + 10, "deal", expected)]


def test_contacts_that_do_not_count_take_no_slot():
    classes = {"service": CampaignClass("service", counts=False), "sales": CampaignClass("sales")}
    rules = {"classes": classes, "caps": (Cap(1, rolling_us=2 * HOUR),)}
    assert met(talk(), deal(klass="service"), rules=rules).told() == [WON]
    assert met(talk(klass="service"), deal(), rules=rules).told() == [KEPT]


def test_who_is_exempt_loses_no_slot():
    exempt = {"exempt": {"service": frozenset({"gap"})}}
    assert met(talk(klass="service"), deal(), rules=exempt).told() == [WON]
    capped = exempt | {"caps": (Cap(1, rolling_us=HOUR),)}
    assert met(talk(klass="service"), deal(), rules=capped).told() == [KEPT]
    free = {"exempt": {"service": frozenset({"gap", "caps"})}, "caps": (Cap(1, rolling_us=HOUR),)}
    assert met(talk(klass="service"), deal(), rules=free).told() == [WON]


def test_a_way_on_which_it_stays_free_is_enough():
    two = talk(send=("sms", "email"))
    rules = {"gap_us": 0, "caps": (Cap(1, rolling_us=HOUR, channel="sms"),)}
    assert met(two, deal(), rules=rules).told() == [KEPT], "nobody knows an email of c1"
    channels = named(Channel("sms"), Channel("email"))
    assert met(two, deal(), rules=rules, channels=channels).told() == [WON]
    rules["caps"] += (Cap(1, rolling_us=HOUR, channel="email"),)
    assert met(two, deal(), rules=rules, channels=channels).told() == [WON]
    rules["caps"] = (Cap(1, rolling_us=HOUR),)
    assert met(two, deal(), rules=rules, channels=channels).told() == [KEPT]


def test_only_what_is_wanted_now_keeps_others_back():
    assert met(talk(condition="score > 1"), deal()).told() == [WON]
    stop = Suppression(("service",), "score is null")
    assert met(talk(klass="service"), deal(), rules={"suppress": (stop,)}).told() == [WON]
    offers = named(Offer("o", condition="score > 1"), Offer("p"))
    assert met(talk(offers=("o",)), deal(), offers=offers).told() == [WON]
    assert met(talk(offers=("o", "p")), deal(), offers=offers).told() == [KEPT]
    assert met(talk(send=("email",)), deal()).told() == [WON]
    desk = desk_of(talk(), deal(), rules=policies(**RULES)).say(0, "a")
    desk.say(5, "campaign_paused", campaign="talk").say(10, "x")
    assert desk.told() == [WON]


def test_what_expires_before_its_time_is_not_planned():
    assert met(talk(to_us=minutes(60)), deal()).told() == [WON]
    assert met(talk(to_us=minutes(60) + 1), deal()).told() == [KEPT]


def test_again_after_at_its_time():
    again = talk(again_after_us=70 * MINUTE, after_us=0)
    for after, expected in ((5, "won"), (10, "kept_for")):
        desk = desk_of(again, deal(), rules=policies(gap_us=0, look_ahead_us=HOUR, caps=(Cap(2, rolling_us=3 * HOUR),)))
        desk.say(0, "a").say(after, "a").say(after + 1, "x")
        # Born and stopped by again_after it wakes when that ends, 70 minutes after the first.
        assert desk.told()[-1] == (after + 1, "deal", expected)


def test_one_that_was_stopped_is_planned_for_its_wake():
    night = {"hours": {"sms": (Window(60, 1440),)}}
    desk = met(talk(after_us=0), deal(send=("push",)), rules=night, channels=named(Channel("sms"), Channel("push")))
    assert desk.told() == [(0, "talk", "hours"), KEPT]
    assert desk.lines()[1].until == minutes(60)


def test_one_that_is_not_born_is_planned_for_when_its_channel_opens():
    night = {"hours": {"sms": (Window(65, 1440),)}, "look_ahead_us": 55 * MINUTE}
    channels = named(Channel("sms"), Channel("push"))
    desk = met(talk(), deal(send=("push",)), rules=night, channels=channels)
    assert (desk.told(), desk.lines()[0].until) == ([KEPT], minutes(65))
    night["look_ahead_us"] -= 1
    assert met(talk(), deal(send=("push",)), rules=night, channels=channels).told() == [WON]


def test_the_earliest_of_several_is_named():
    soon, late = campaign("soon", on("a"), priority=4, after_us=HOUR), campaign("late", on("a"), **PLANNED)
    rules = {"look_ahead_us": 3 * HOUR}
    assert met(late, soon, deal(), rules=rules).lines()[0].value == 0, "of one instant the better"
    late = campaign("late", on("a"), priority=5, after_us=HOUR + 1)
    desk = met(late, soon, deal(), rules=rules)
    assert (desk.lines()[0].value, desk.lines()[0].until) == (1, minutes(60))


def test_the_others_compete():
    also = campaign("also", on("x"), priority=9)
    desk = met(talk(), deal(), also)
    assert desk.told() == [KEPT, (10, "also", "won")]


def test_an_event_of_the_customer_lets_it_be_looked_at():
    desk = met(talk(condition="score is null"), deal())
    desk.say(20, "b").say(30, "b")
    assert desk.told() == [KEPT], "still kept back: nothing new"
    desk.send(40, {"type": "b", "identifiers": {"card": "c1"}, "traits": {"score": 3}})
    assert desk.send(41).told() == [KEPT, (40, "deal", "won")]


def test_what_ends_the_plan_frees_at_once():
    ended = met(talk(until=EventMatch("b")), deal()).say(30, "b").send(31)
    assert ended.told() == [KEPT, (30, "deal", "won")]
    vanished = met(talk(condition="now() < timestamptz '2026-03-02 01:00+00:00'"), deal(), rules={"gap_us": HOUR})
    assert vanished.send(61).told() == [KEPT, (60, "deal", "won")]


def test_a_pause_and_a_stop_free_at_once():
    for kind in ("campaign_paused", "campaign_stopped"):
        desk = met().say(30, kind, campaign="talk").send(31)
        assert desk.told() == [KEPT, (30, "deal", "won")]
    assert met().say(30, "campaign_paused", campaign="stranger").send(31).told() == [KEPT]


def test_who_is_held_out_of_what_is_planned_is_not_kept_waiting():
    rules = {"holdout": Holdout(SHARE, ("service",))}
    desk = met(talk(klass="service"), deal(), rules=rules, who=OUT)
    assert desk.told() == [WON]
    assert desk.rows("holdouts") == [], "looking ahead decides nothing"
    assert met(talk(klass="service"), deal(), rules=rules, who=IN).told() == [KEPT]
