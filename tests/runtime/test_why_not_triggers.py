"""Which trigger of a campaign `why_not` looks at, and when a wish that waits or was held back goes out by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from .shop import MONDAY, asked, book, goes_out, order, shop, visit


def sentences(told):
    return [each.sentence for each in told]


def test_earlier_triggers_that_came_to_nothing_are_not_in_the_way_of_the_last_one():
    text = book("when: event order, if: n > 5, send: [mail]", policies="gap: 1 day")
    answer = asked(shop(text, order(0, 1), order(2, 1), until=200))
    assert answer.time == MONDAY + timedelta(hours=2)
    assert [each.reason for each in answer.obstacles] == ["not_eligible"]
    assert sentences(answer.changes) == ["if n were 5.01, which is not known"]


def test_what_stood_behind_the_conditions_is_that_of_the_trigger_s_own_time():
    text = book(
        "when: event order, if: n > 5, wait: 1 hour, send: [mail]",
        policies="suppress: [{stop: [sales], while: agrees}]",
    )
    answer = asked(shop(text, visit(0, agrees=True), order(2, 1), visit(4, agrees=False), until=9))
    assert [each.reason for each in answer.obstacles] == ["not_eligible", "suppressed"]


def test_a_wish_that_was_ended_before_it_was_born():
    text = book("when: event order, after: 1 day, until: visit, send: [mail]")
    answer = asked(shop(text, order(0, 1), visit(3), until=40))
    assert answer.headline == "hello was triggered, and ended before it began"
    assert sentences(answer.obstacles) == ["visit came, which ends it"]
    assert sentences(answer.changes) == ["without campaigns.hello.until"]
    assert goes_out(shop(text.replace(", until: visit", ""), order(0, 1), visit(3), until=40))


def test_a_trigger_that_came_after_what_ends_it():
    text = book("when: event order, until: visit, send: [mail]")
    engine = shop(text, visit(5))
    late = {"type": "order", "identifiers": {"email": "ann@x.org"}, "time": MONDAY, "fields": {"amount": 1}}
    engine.ingest([late], time=MONDAY + timedelta(hours=6))
    answer = asked(engine)
    assert answer.headline == "hello was triggered, and ended before it began"
    assert sentences(answer.changes) == ["without campaigns.hello.until"]


def test_out_of_its_days_and_not_eligible():
    text = book("when: event order, to: 2026-03-01, if: n > 5, send: [mail]")
    answer = asked(shop(text, order(0, 1)))
    assert answer.headline == "hello was triggered outside of its days"
    assert sentences(answer.obstacles) == ["to: 2026-03-01", "not true: n > 5"]
    assert answer.changes == ()


@pytest.mark.parametrize(
    ("policies", "hours"),
    [
        ("hours: {all: 08:00-20:00}", 23),
        ("suppress: [{stop: [sales], while: agrees, at_most: 3 days}]", 72),
        ("caps: [{max: 1, per: 30 hours}], gap: 13 hours", 33),  # the cap is behind the gap
    ],
)
def test_a_wish_that_waits_and_then_is_held_back_says_when_it_goes_out(policies, hours):
    text = book("when: event order, after: 12 hours, send: [mail]", policies=policies)
    first = visit(0, agrees=True), (3, "contact_reported", {"channel": "mail"}, {})
    answer = asked(shop(text, *first, order(3, 1)))
    assert answer.headline.startswith("hello waits, and is looked at on Tue 03 Mar 2026 00:00")
    (change,) = answer.changes
    assert (change.kind, change.at) == ("wait", MONDAY + timedelta(hours=hours))
    assert goes_out(shop(text, *first, order(3, 1), until=hours))
    assert not goes_out(shop(text, *first, order(3, 1), until=hours - 0.01))


def test_of_wishes_that_wait_for_keys_the_first_is_told():
    text = book("when: event case_opened, per: event.case_id, after: 1 day, send: [mail]", policies="gap: 1 day")
    opened = [(hours, "case_opened", {"case_id": f"{hours}"}, {}) for hours in (0, 1)]
    answer = asked(shop(text, *opened))
    assert answer.obstacles == ()
    assert answer.smallest.at == MONDAY + timedelta(days=1)


@pytest.mark.parametrize("rule", ["suppress: [{stop: [sales], while: spend > 100}]"])
def test_a_suppression_that_ends_because_time_goes_on(rule):
    text = book("when: event order, send: [mail]", policies=rule)
    answer = asked(shop(text, order(0, 150)))
    change = next(each for each in answer.changes if each.kind == "wait")
    hours = (change.at - MONDAY) / timedelta(hours=1)
    assert goes_out(shop(text, order(0, 150), until=hours))
    assert not goes_out(shop(text, order(0, 150), until=hours - 0.01))


def test_held_out_by_both_is_told_of_both():
    most = "99.99999%"
    text = book(f"when: event visit, send: [mail], holdout: {most}", policies=f"holdout: {{share: {most}}}")
    answer = asked(shop(text, visit(0)))
    assert [each.rule for each in answer.obstacles] == ["campaigns.hello.holdout", "policies.holdout"]
    assert answer.changes == ()


def test_a_contact_that_failed_is_what_stood_in_the_way():
    text = book("when: event visit, send: [mail]").replace("channels: {mail: {}", "channels: {mail: {receipts: 1 day}")
    answer = asked(shop(text, visit(0), (1, "contact_failed", {"contact": 0}, {})))
    assert [each.reason for each in answer.obstacles] == ["failed"]


def test_whose_wish_was_given_to_somebody_else_by_a_split_does_not_wait():
    text = book("when: event visit, send: [mail]", policies="gap: 1 day")
    both = {"email": "ann@x.org", "phone": "+37060000001"}
    engine = shop(text)
    for hours, kind, who in ((0, "order", both), (1, "contact_reported", both), (2, "visit", {"phone": both["phone"]})):
        event = {"type": kind, "identifiers": who, "fields": {"channel": "mail"} if kind != "visit" else {}}
        engine.ingest([event], time=MONDAY + timedelta(hours=hours))
    assert [each.kind for each in asked(engine).changes] == ["wait", "playbook"]
    engine.split({"email": both["email"]}, {"phone": both["phone"]})
    assert "wait" not in [each.kind for each in asked(engine).changes]


@pytest.mark.parametrize("priority", [1, 9])
@pytest.mark.parametrize(
    ("campaign", "headline"),
    [
        ("when: event order, if: n > 5", "hello was triggered, and its conditions were not true"),
        ("when: event order, from: 2026-04-01", "hello was triggered outside of its days"),
        ("when: event order, after: 2 hours, until: visit", "hello was triggered, and ended before it began"),
        ("when: every day 10:00, if: n > 5", "hello was triggered, and its conditions were not true"),
    ],
)
def test_another_campaign_that_goes_out_at_that_instant_hides_nothing(priority, campaign, headline):
    others = (
        "  other: {class: sales, priority: 5, when: event order, send: [mail]}\n"
        "  daily: {class: sales, priority: 5, when: every day 10:00, send: [sms, mail]}"
    )
    text = book(f"{campaign}, priority: {priority}, send: [mail]", more=others)
    answer = asked(shop(text, order(0, 1), visit(0.5), until=4))
    assert answer.headline == headline


def test_a_trigger_while_a_contact_of_an_earlier_one_is_under_way():
    text = book("when: event order, if: event.amount > 50, send: [mail]")
    text = text.replace("channels: {mail: {}", "channels: {mail: {receipts: 3 days}")
    answer = asked(shop(text, order(0, 60), order(5, 5)))
    assert answer.headline == "hello: goes out by mail with a rank of 0"  # its contact is out, whatever comes
    answer = asked(shop(text, order(0, 60), order(500, 5)))
    assert answer.headline == "hello was triggered, and its conditions were not true"
    assert answer.time == MONDAY + timedelta(hours=500)


@pytest.mark.parametrize("after", ["", "after: 1 hour, "])
def test_what_is_triggered_again_while_its_contact_is_under_way_has_not_ended(after):
    text = book(f"when: event order, {after}until: visit, send: [mail]")
    text = text.replace("channels: {mail: {}", "channels: {mail: {receipts: 3 days}")
    answer = asked(shop(text, order(0, 1), order(5, 1), until=7))
    assert answer.headline == "hello: goes out by mail with a rank of 0"


@pytest.mark.parametrize("until", [1, 60])
def test_triggered_before_its_first_day_and_born_within(until):
    text = book("when: order, from: 2026-03-03, after: 2 days, send: [mail]").replace(
        "when: order", "when: event order"
    )
    answer = asked(shop(text, order(0, 1), until=until))
    assert answer.headline == "hello was triggered outside of its days"
    assert sentences(answer.obstacles) == ["from: 2026-03-03"]
    assert sentences(answer.changes) == ["if campaigns.hello.from were 2026-03-02 instead of 2026-03-03"]
    assert goes_out(shop(text.replace("from: 2026-03-03", "from: 2026-03-02"), order(0, 1), until=60))


def test_a_wish_that_will_be_over_before_it_is_born():
    text = book("when: event order, to: 2026-03-03, after: 2 days, send: [mail]")
    answer = asked(shop(text, order(0, 1)))
    assert answer.headline.startswith("hello waits")
    assert sentences(answer.obstacles) == ["to: 2026-03-03"]
    assert sentences(answer.changes) == ["if campaigns.hello.to were 2026-03-04 instead of 2026-03-03"]
