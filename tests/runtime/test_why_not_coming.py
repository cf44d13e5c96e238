"""What would still have to come for a campaign that nothing triggered, as `why_not` tells it: then it goes out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from .shop import MONDAY, asked, book, goes_out, order, shop, visit


def sentences(answer):
    return [each.sentence for each in answer.changes]


def moment(steps, campaign="when: moment rush, send: [mail]", **more):
    return book(campaign, more=f"moments: {{rush: {steps}}}", **more)


def test_an_event_that_never_came():
    text = book("when: event visit, send: [mail]")
    assert sentences(asked(shop(text, order(0, 1)))) == ["if visit came 1 more time now"]
    assert goes_out(shop(text, order(0, 1), visit(1)))


@pytest.mark.parametrize("policies", ["suppress: [{stop: [sales], while: orders > 0}]", "gap: 9 days"])
def test_an_event_that_would_not_be_enough_is_none(policies):
    text = book("when: event visit, send: [mail]", policies=policies)
    answer = asked(shop(text, order(0, 1), (0, "contact_reported", {"channel": "mail"}, {})))
    assert answer.headline == "hello was never triggered"
    assert sentences(answer) == []


def test_an_event_with_the_fields_that_were_last_said():
    text = book("when: event order where amount > 5, send: [mail]").replace(
        "visit: {}", "visit: {fields: {amount: number}}"
    )
    assert sentences(asked(shop(text, (0, "visit", {"amount": 9}, {})))) == ["if order came 1 more time now"]
    assert sentences(asked(shop(text, (0, "visit", {"amount": 3}, {})))) == []


def test_events_that_a_moment_still_lacks():
    text = moment("[3 visit within 7 days]")
    answer = asked(shop(text, visit(0)))
    assert sentences(answer) == ["if visit came 2 more times now"]
    assert (answer.smallest.found, answer.smallest.needed) == ("0", "2")
    assert goes_out(shop(text, visit(0), visit(1), visit(1.1)))
    assert not goes_out(shop(text, visit(0), visit(1)))


def test_a_moment_of_a_key():
    text = moment("{per: case_id, steps: [case_opened, case_closed]}")
    answer = asked(shop(text, (0, "case_opened", {"case_id": "a"}, {})))
    assert sentences(answer) == ["if case_closed came 1 more time now"]


def test_events_of_two_types_are_two_changes():
    assert sentences(asked(shop(moment("[visit, order]"), (0, "case_opened", {"case_id": "a"}, {})))) == []


def test_an_absence_that_is_not_over():
    text = moment("[visit, no order for 2 days]")
    answer = asked(shop(text, visit(0)))
    assert [(each.kind, each.at) for each in answer.changes] == [("wait", MONDAY + timedelta(days=2))]
    assert goes_out(shop(text, visit(0), until=48))
    before = asked(shop(text, order(0, 1)))
    assert sentences(before) == ["if visit came 1 more time now"]


@pytest.mark.parametrize(
    ("when", "days"), [("once 2026-03-20 09:00", 18), ("once 2026-09-20 09:00", 202), ("every day 10:00", 1 / 24)]
)
def test_a_time_that_is_still_to_come(when, days):
    answer = asked(shop(book(f'when: "{when}", send: [mail]'), visit(0)))
    assert [(each.kind, each.at) for each in answer.changes] == [("wait", MONDAY + timedelta(days=days))]
