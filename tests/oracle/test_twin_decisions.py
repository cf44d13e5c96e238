"""Examples of §7 to §12 computed by hand: candidates, rounds, asks. Minutes count from a Monday's midnight."""

from __future__ import annotations

from dataclasses import replace

from onevoice.playbook.model import (
    DAY,
    HOUR,
    MINUTE,
    Aggregate,
    CampaignClass,
    Cap,
    EventMatch,
    Every,
    Fact,
    FieldType,
    Measure,
    Offer,
    Period,
    Placement,
    Refusals,
    Segment,
    Suppression,
    Trait,
    Trigger,
    TriggerKind,
)

from .desk import START, Desk, book, campaign, event, minutes, named, on, policies

ASKED = Trigger(TriggerKind.ASKED)
CASE = Fact("open_case", (EventMatch("a", "n > 0"),), (EventMatch("b"),))


def desk_of(*campaigns, rules=None, **parts) -> Desk:
    return Desk(book(campaigns=named(*campaigns), policies=rules or policies(), **parts))


# §8 Candidates


def test_a_wish_waits_and_wins():
    desk = desk_of(campaign("c", on("a")), rules=policies(wait_us=5 * MINUTE)).say(0, "a").send(10)
    assert desk.told() == [(5, "c", "won")]
    assert [decision.kind for decision in desk.twin.decisions] == ["round"]
    line = desk.lines()[0]
    assert (line.channel, line.rule, line.value, line.until, line.score, line.contact) == ("sms", -1, 0, 0, 0.0, 0)


def test_a_waiting_wish_is_refreshed():
    desk = desk_of(campaign("c", on("a"), wait_us=20 * MINUTE, valid_for_us=15 * MINUTE, condition="event.n > 1"))
    desk.say(0, "a", n=2).say(10, "a", n=3).send(60)
    assert desk.told() == [(20, "c", "won")]  # without the refresh it had expired at 15
    desk.say(100, "a", n=2).say(110, "a", n=0).send(160)
    assert desk.told()[1:] == [(120, "c", "not_eligible")]  # the new context counts


def test_a_wish_per_key():
    desk = desk_of(campaign("c", on("a"), per="k", wait_us=MINUTE)).say(0, "a", k="1").say(0, "a", k="2").say(0, "a")
    assert len(desk.rows("candidates")) == 3
    assert 0 in {row[2] for row in desk.rows("candidates")}


def test_after_delays_the_birth_and_if_is_judged_then():
    desk = desk_of(campaign("c", on("a"), after_us=HOUR, condition="tier = 'gold'")).say(0, "a")
    desk.send(59, event("x", 59, {"card": "c1"}, traits={"tier": "gold"})).send(60)
    assert desk.told() == [(60, "c", "won")]


def test_one_that_is_not_eligible_at_birth_vanishes_without_a_record():
    desk = desk_of(campaign("c", on("a"), condition="tier = 'gold'", wait_us=MINUTE)).say(0, "a")
    assert desk.rows("candidates") == []
    assert desk.send(60).told() == []


def test_no_longer_eligible_at_the_round():
    desk = desk_of(campaign("c", on("a"), condition="tier is null", wait_us=MINUTE)).say(0, "a")
    desk.send(0, event("x", 0, {"card": "c1"}, traits={"tier": "gold"})).send(60)
    assert desk.told() == [(1, "c", "not_eligible")]


def test_valid_for_and_to_end_a_candidate():
    desk = desk_of(
        campaign("short", on("a"), wait_us=HOUR, valid_for_us=10 * MINUTE),
        campaign("until noon", on("a"), wait_us=DAY, to_us=minutes(720)),
    )
    desk.say(0, "a").send(1000)
    assert desk.told() == [(10, "short", "expired"), (720, "until noon", "expired")]
    assert [decision.kind for decision in desk.twin.decisions] == ["end", "end"]


def test_from_and_to_are_half_open():
    desk = desk_of(campaign("c", on("a"), from_us=minutes(10), to_us=minutes(20)))
    for now in (9, 10, 19, 20):
        desk.say(now, "a")
    assert [minute for minute, _, _ in desk.told()] == [10, 19]


def test_until_ends_a_candidate_with_a_record_only_when_born():
    desk = desk_of(
        campaign("born", on("a"), wait_us=HOUR, until=EventMatch("b")),
        campaign("unborn", on("a"), after_us=HOUR, until=EventMatch("b")),
    )
    desk.say(0, "a").say(1, "b").send(100)
    assert desk.told() == [(1, "born", "ended")]


def test_a_trigger_that_had_ended_before_it_came_does_nothing():
    desk = desk_of(campaign("c", on("a"), until=EventMatch("b")))
    desk.say(10, "b").say(11, "a", at=9)
    assert desk.told() == []
    assert desk.say(12, "a", at=10).told() == [(12, "c", "won")]


def test_until_ends_only_the_same_key_where_the_event_has_it():
    desk = desk_of(
        campaign("c", on("a"), per="k", wait_us=HOUR, until=EventMatch("b")),
        campaign("d", on("a"), per="k", wait_us=HOUR, until=EventMatch("x")),
    )
    desk.say(0, "a", k="1").say(0, "a", k="2").say(1, "b", k="1")
    assert desk.told() == [(1, "c", "ended")]
    assert [line.campaign for line in desk.say(2, "x").lines()] == ["c", "d", "d"]


def test_a_merge_ends_what_the_others_until_ended():
    desk = desk_of(campaign("c", on("a"), wait_us=HOUR, until=EventMatch("b")))
    desk.send(0, event("a", 0, {"card": "1"})).send(1, event("b", 1, {"email": "m"}))
    desk.send(2, event("x", 2, {"card": "1", "email": "m"}))
    assert desk.told() == [(2, "c", "ended")]


def test_a_merge_makes_one_wish_of_two():
    desk = desk_of(campaign("c", on("a"), wait_us=HOUR, condition="event.n > 0"))
    desk.send(0, event("a", 0, {"card": "1"}, n=1)).send(5, event("a", 5, {"email": "m"}, n=2))
    desk.send(6, event("x", 6, {"card": "1", "email": "m"}))
    (row,) = desk.rows("candidates")
    assert (row[4], row[5], row[6]) == (START, minutes(60), minutes(5))


def test_too_many():
    desk = desk_of(campaign("c", on("a"), per="k", wait_us=HOUR))
    for number in range(65):
        desk.say(0, "a", k=str(number))
    assert desk.told() == [(0, "c", "too_many")]
    assert len(desk.rows("candidates")) == 64


def test_observing_starts_no_wish_but_births_and_rounds_go_on():
    desk = desk_of(campaign("c", on("a"), after_us=10 * MINUTE), campaign("d", on("b")))
    desk.say(0, "a").send(20, event("b", 20, {"card": "c1"}), observing=True)
    assert desk.told() == [(10, "c", "won")]


def test_schedules():
    desk = desk_of(
        campaign("once", Trigger(TriggerKind.ONCE, at_us=minutes(90))),
        campaign("passed", Trigger(TriggerKind.ONCE, at_us=minutes(30))),
        campaign("daily", Trigger(TriggerKind.EVERY, every=Every(9 * 60))),
        time_zone="Europe/Vilnius",
    )
    desk.say(60, "x", who="1").say(60, "x", who="2").send(2000)
    assert desk.told() == [
        (90, "once", "won"),
        (90, "once", "won"),
        *[(420, "daily", "won")] * 2,  # nine in Vilnius is seven in winter
        *[(1860, "daily", "won")] * 2,
    ]
    assert [decision.customer for decision in desk.twin.decisions] == [0, 1] * 3


def test_a_world_event_fans_out_to_those_who_have_the_fact_open():
    sought = Fact("sought", (EventMatch("order.items"),), (), ("product", "order_id"))
    desk = desk_of(campaign("c", Trigger(TriggerKind.PRODUCT, "restocked", fact="sought")), facts=named(sought))
    desk.say(0, "order", who="1", order_id="1", items=[{"product": "p"}])
    desk.say(0, "order", who="2", order_id="2", items=[{"product": "q"}])
    desk.send(1, event("restocked", 1, product="p")).send(2)
    assert [(decision.customer, decision.time) for decision in desk.twin.decisions] == [(0, minutes(1))]


# §10 Rounds: who wins


def winners(desk: Desk) -> list[str]:
    return [name for _, name, reason in desk.say(0, "a").send(1).told() if reason == "won"]


def test_a_strict_class_wins_whatever_the_rank():
    classes = {"service": CampaignClass("service", strict=True), "sales": CampaignClass("sales")}
    rules = policies(classes=classes, gap_us=HOUR)
    assert winners(
        desk_of(campaign("c", on("a"), priority=9), campaign("d", on("a"), klass="service"), rules=rules)
    ) == ["d"]


def test_rank_is_an_expression_and_null_comes_last():
    rules = policies(rank="priority * propensity", gap_us=HOUR)
    null = campaign("null", on("a"), priority=9, propensity="score")
    assert winners(desk_of(null, campaign("low", on("a"), priority=-5), rules=rules)) == ["low"]


def test_weight_is_of_the_class():
    classes = {"service": CampaignClass("service", weight=3), "sales": CampaignClass("sales")}
    campaigns = campaign("c", on("a"), priority=2), campaign("d", on("a"), priority=1, klass="service")
    assert winners(desk_of(*campaigns, rules=policies(classes=classes, gap_us=HOUR))) == ["d"]


def test_in_a_tie_the_earlier_expiry_wins():
    campaigns = campaign("c", on("a")), campaign("d", on("a"), valid_for_us=DAY)
    assert winners(desk_of(*campaigns, rules=policies(gap_us=HOUR))) == ["d"]


def test_the_outranked_meet_again_after_the_gap():
    desk = desk_of(campaign("c", on("a")), campaign("d", on("a"), priority=1), rules=policies(gap_us=HOUR))
    desk.say(0, "a").send(100)
    assert desk.told() == [(0, "c", "outranked"), (0, "d", "won"), (60, "c", "won")]
    line = desk.lines()[0]
    assert (line.value, line.until, line.score, line.channel) == (1, minutes(60), 0.0, "sms")


def test_an_exempt_class_neither_waits_nor_keeps_the_gap():
    rules = policies(gap_us=HOUR, wait_us=HOUR, exempt={"service": frozenset({"gap", "wait"})})
    desk = desk_of(campaign("c", on("a"), klass="service"), campaign("d", on("b"), klass="service"), rules=rules)
    desk.say(0, "a").say(1, "b").say(2, "b").send(100)
    assert desk.told() == [(0, "c", "won"), (1, "d", "won"), (2, "d", "gap"), (61, "d", "won")]


# §10 Gates


def test_the_gap_counts_from_the_last_contact():
    desk = desk_of(campaign("c", on("a")), rules=policies(gap_us=HOUR)).say(0, "a").say(10, "a").send(100)
    assert desk.told() == [(0, "c", "won"), (10, "c", "gap"), (60, "c", "won")]
    line = desk.lines()[1]
    assert (line.value, line.until, line.channel) == (START, minutes(60), "sms")


def test_again_after_is_per_key():
    desk = desk_of(campaign("c", on("a"), per="k", again_after_us=HOUR))
    desk.say(0, "a", k="1").say(1, "a", k="1").say(2, "a", k="2").send(100)
    assert desk.told() == [(0, "c", "won"), (1, "c", "again_after"), (2, "c", "won"), (60, "c", "won")]


def test_a_rolling_cap_has_room_when_enough_have_left():
    desk = desk_of(campaign("c", on("a")), rules=policies(caps=(Cap(2, rolling_us=HOUR),)))
    desk.say(0, "a").say(10, "a").say(20, "a").send(100)
    assert desk.told() == [(0, "c", "won"), (10, "c", "won"), (20, "c", "cap"), (60, "c", "won")]
    line = desk.lines()[2]
    assert (line.rule, line.value, line.limit, line.until) == (0, 2, 2, minutes(60))


def test_a_calendar_cap_is_the_customers_day():
    desk = desk_of(campaign("c", on("a")), rules=policies(caps=(Cap(1, period=Period.DAY),)))
    desk.send(0, event("a", 0, {"card": "1"}, traits={"zone": "Asia/Tokyo"}))
    desk.send(1, event("a", 1, {"card": "1"})).send(2000)
    assert desk.told()[1:] == [(1, "c", "cap"), (15 * 60, "c", "won")]


def test_a_cap_of_a_segment_stands_for_the_one_without():
    rules = policies(caps=(Cap(1, rolling_us=HOUR), Cap(2, rolling_us=HOUR, for_segment="gold")))
    desk = desk_of(campaign("c", on("a")), rules=rules, segments=named(Segment("gold", "tier = 'gold'")))
    desk.send(0, event("a", 0, {"card": "c1"}, traits={"tier": "gold"}))
    desk.say(1, "a").say(2, "a").say(2, "x")
    assert [(reason) for _, _, reason in desk.told()] == ["won", "won", "cap"]
    assert desk.lines()[2].rule == 1


def test_caps_count_in_their_scope_only_and_reported_contacts_too():
    rules = policies(caps=(Cap(1, rolling_us=HOUR, channel="push"), Cap(1, rolling_us=HOUR, klass="service")))
    desk = desk_of(campaign("c", on("a")), campaign("d", on("a"), klass="service"), rules=rules)
    desk.say(0, "contact_reported", campaign="d", channel="nothing").say(1, "a").send(1)
    assert desk.told() == [(1, "c", "won"), (1, "d", "cap")]
    assert desk.rows("contacts")[0] == (0, -1, 1, 0, -1, 0, START, None, None, None, 2, 2**62, -1, None, None)


def test_consent_and_address():
    classes = {"sales": CampaignClass("sales", purpose="ads", consent_required=True)}
    desk = desk_of(campaign("c", on("a"), send=("email", "sms")), rules=policies(classes=classes))
    desk.say(0, "a").say(1, "consent_given", channel="email", purpose="ads")
    assert [(line.reason, line.channel) for line in desk.lines()] == [("no_consent", "email")]
    desk.send(2, event("x", 2, {"card": "c1", "email": "m"})).send(3)
    assert desk.told() == [(0, "c", "no_consent"), (2, "c", "won")]
    assert desk.lines()[-1].channel == "email"


def test_silence_is_consent_until_it_is_withdrawn():
    desk = desk_of(campaign("c", on("a"))).say(0, "consent_withdrawn", purpose="sales").say(1, "a")
    desk.say(2, "consent_given", channel="sms", purpose="sales").send(3)
    assert desk.told() == [(1, "c", "no_consent"), (2, "c", "won")]


def test_the_reason_is_that_of_the_channel_that_got_furthest():
    rules = policies(caps=(Cap(1, rolling_us=HOUR, channel="push"),))
    desk = desk_of(campaign("c", on("a"), send=("email", "push")), rules=rules).say(0, "a").say(1, "a").say(2, "x")
    assert [(line.reason, line.channel) for line in desk.lines()] == [("won", "push"), ("cap", "push")]


def test_a_suppression_wakes_what_it_blocked_when_it_ends():
    rules = policies(suppress=(Suppression(("sales",), "open_case"),))
    desk = desk_of(campaign("c", on("x")), rules=rules, facts=named(CASE))
    desk.say(0, "a", n=1).say(1, "x").say(5, "b").send(6)
    assert desk.told() == [(1, "c", "suppressed"), (5, "c", "won")]
    assert desk.lines()[0].rule == 0


def test_then_and_at_most():
    rules = policies(suppress=(Suppression(("sales",), "open_case", then_us=30 * MINUTE, at_most_us=DAY),))
    desk = desk_of(campaign("c", on("x")), rules=rules, facts=named(CASE))
    desk.say(0, "a", n=1).say(5, "b").say(6, "x").send(60)
    assert desk.told() == [(6, "c", "suppressed"), (35, "c", "won")]
    desk.say(100, "a", n=1).say(101, "x").send(3000)
    assert desk.told()[2:] == [(101, "c", "suppressed"), (100 + 1440, "c", "won")]


def test_a_suppression_ends_with_a_fact_that_lasts():
    rules = policies(suppress=(Suppression(("offers",), "open_case"),))
    facts = named(replace(CASE, lasts_us=10 * MINUTE))
    offer = named(Offer("o"))
    desk = desk_of(
        campaign("c", on("x"), offers=("o",)), campaign("d", on("x")), rules=rules, facts=facts, offers=offer
    )
    desk.say(0, "a", n=1).say(1, "x").send(60)
    assert desk.told() == [(1, "c", "suppressed"), (1, "d", "won"), (10, "c", "won")]


def test_a_suppression_looks_at_the_candidates_own_offer():
    owns = Fact("owns", (EventMatch("order.items"),), (), ("product", "order_id"))
    rules = policies(suppress=(Suppression(("offers",), "owns(offer.product)"),))
    offers = named(Offer("o1", product="p"), Offer("o2", product="q"))
    campaigns = campaign("c", on("x"), offers=("o1",)), campaign("d", on("x"), offers=("o2",))
    desk = desk_of(*campaigns, rules=rules, facts=named(owns), offers=offers)
    desk.say(0, "order", order_id="1", items=[{"product": "p"}]).say(1, "x").send(2)
    assert desk.told() == [(1, "c", "suppressed"), (1, "d", "won")]


def test_a_blocked_candidate_is_recorded_only_when_something_changed():
    rules = policies(suppress=(Suppression(("sales",), "open_case"),))
    campaigns = campaign("c", on("x")), campaign("d", on("x"), klass="service", per="n")
    desk = desk_of(*campaigns, rules=rules, facts=named(CASE))
    desk.say(0, "a", n=1).say(1, "x").say(2, "x").send(3)
    assert desk.told() == [(1, "c", "suppressed"), (1, "d", "won"), (2, "d", "won")]


def test_ignored_opens_after_the_nth_unanswered_offer():
    refusals = Refusals(ignored_times=2, ignored_pause_us=HOUR)
    rules = policies(suppress=(Suppression(("offers",), "ignored(offer.family)"),), refusals=refusals)
    desk = desk_of(campaign("c", on("x"), offers=("o",)), rules=rules, offers=named(Offer("o", family="f")))
    desk.say(0, "x").say(1, "offer_clicked", offer="o").say(2, "x").say(3, "x").say(4, "x").send(100)
    assert desk.told() == [
        (0, "c", "won"),
        (2, "c", "won"),
        (3, "c", "won"),
        (4, "c", "suppressed"),
        (63, "c", "won"),
    ]
    assert len(desk.rows("unanswered")) == 1


def test_a_segment_that_reads_ignored_is_judged_when_it_opens():
    rules = policies(refusals=Refusals(ignored_times=1, ignored_pause_us=HOUR))
    segments = named(Segment("bored", "ignored('o')"))
    desk = desk_of(campaign("c", on("x"), offers=("o",)), rules=rules, offers=named(Offer("o")), segments=segments)
    desk.say(0, "x").send(5)
    assert desk.rows("memberships") == [(0, 0, START)]
    assert desk.send(60).rows("memberships") == []


def test_a_contact_is_forgotten_after_the_longest_window():
    desk = desk_of(campaign("c", on("a")), rules=policies(caps=(Cap(1, period=Period.DAY),))).say(0, "a")
    assert len(desk.send(2880).rows("contacts")) == 1
    assert desk.send(2881).rows("contacts") == []


def test_a_refresh_by_a_world_event_about_another_product_is_looked_at_again():
    sought = Fact("sought", (EventMatch("order.items"),), (), ("product", "order_id"))
    rules = policies(suppress=(Suppression(("offers",), "offer.product = 'p'"),))
    back = campaign("c", Trigger(TriggerKind.PRODUCT, "restocked", fact="sought"))
    desk = desk_of(back, rules=rules, facts=named(sought))
    desk.say(0, "order", order_id="1", items=[{"product": "p"}, {"product": "q"}])
    desk.send(1, event("restocked", 1, product="p")).send(2, event("restocked", 2, product="q")).send(3)
    assert desk.told() == [(1, "c", "suppressed"), (2, "c", "won")]


# §11 Asks


def asking(*campaigns, rules=None, **parts) -> Desk:
    placements = named(Placement("banner"), Placement("screen", slots=2))
    return desk_of(*campaigns, rules=rules, placements=placements, **parts)


def shown(name: str, **parts):
    return campaign(name, ASKED, send=(), placements=("banner", "screen"), **parts)


def test_an_ask_shows_the_best_and_records_the_others():
    desk = asking(shown("low"), shown("top", priority=2), shown("mid", priority=1)).say(0, "asked", placement="screen")
    assert desk.told() == [(0, "low", "outranked"), (0, "top", "won"), (0, "mid", "won")]
    assert [line.value for line in desk.lines()] == [2, 0, 0]
    (decision,) = desk.twin.decisions
    assert (decision.kind, decision.placement, decision.position) == ("ask", "screen", 0)
    assert desk.rows("contacts") == []


def test_an_ask_is_suppressed_and_recorded_also_when_nothing_is_left():
    rules = policies(suppress=(Suppression(("sales",), "open_case"),))
    desk = asking(shown("c"), rules=rules, facts=named(CASE)).say(0, "a", n=1).say(1, "asked", placement="banner")
    assert desk.told() == [(1, "c", "suppressed")]
    empty = asking(shown("c", condition="tier = 'gold'")).say(1, "asked", placement="banner")
    assert [decision.lines for decision in empty.twin.decisions] == [()]


def test_an_unknown_placement_and_an_observing_row_are_not_answered():
    desk = asking(shown("c")).say(0, "asked", placement="nowhere")
    desk.send(1, event("asked", 1, {"card": "c1"}, placement="banner"), observing=True)
    assert desk.twin.decisions == []


def test_a_measure_and_a_product_field_in_conditions():
    playbook_parts = {
        "measures": named(Measure("spend", Aggregate.SUM, EventMatch("order", "amount > 1"), "amount")),
        "traits": named(Trait("tier", FieldType.CHOICE)),
    }
    desk = desk_of(campaign("c", on("order", "amount > 5"), condition="spend >= 10"), **playbook_parts)
    desk.say(0, "order", amount=6).say(1, "order", amount=4).say(2, "order", amount=7).send(3)
    assert desk.told() == [(2, "c", "won")]
