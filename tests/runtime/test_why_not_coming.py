"""What would still have to come for a campaign that nothing triggered, as `why_not` tells it: then it goes out."""

from __future__ import annotations

from datetime import timedelta

import pytest

import onevoice
from onevoice.playbook.load import load_files

from .shop import ANN, MONDAY, asked, book, goes_out, order, shop, visit


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


def test_an_event_with_the_fields_that_the_last_of_its_type_had():
    text = moment("[2 order where amount > 5 within 7 days]")
    assert sentences(asked(shop(text, order(0, 9)))) == ["if order where amount > 5 came 1 more time now"]
    other = text.replace("visit: {}", "visit: {fields: {amount: number}}")
    assert sentences(asked(shop(other, (0, "visit", {"amount": 9}, {})))) == []


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


def test_a_time_that_has_passed_says_so():
    answer = asked(shop(book("when: once 2026-01-01 10:00, send: [mail]"), visit(0)))
    (obstacle,) = answer.obstacles
    assert obstacle.sentence == "waits for its time; its time, Thu 01 Jan 2026 10:00, has passed"
    assert answer.changes == ()


def test_steps_that_are_missing_are_told_with_their_windows():
    answer = asked(shop(moment("[order, 2 visit within 7 days, no order for 6 hours]"), order(0, 1)))
    assert answer.obstacles[0].sentence.endswith("still missing: 2 visit within 1 week, no order for 6 hours")


def test_a_product_that_nobody_asked_for():
    text = book("when: product restocked for seeks, send: [mail]", more="products: {file: products.csv}")
    events = "visit: {fields: {sku: product}}\n  restocked: {about: product, fields: {sku: product}}"
    text = text.replace("visit: {}", events)
    text = text.replace("facts: {", "facts: {seeks: {opens: visit, per: sku}, ")
    files = {"playbook.yaml": text.encode(), "products.csv": b"product,price\na,1\n"}
    engine = onevoice.open(load_files(files))
    engine.ingest([{"type": "order", "identifiers": ANN}], time=MONDAY)
    assert asked(engine).obstacles[0].sentence == "waits for product event restocked; seeks is not open for any product"


def test_items_of_a_list_do_not_come_by_themselves():
    text = book("when: event order.items, send: [mail]")
    text = text.replace("order: {fields: {", "order: {fields: {items: {name: choice}, ")
    answer = asked(shop(text, visit(0)))
    assert answer.headline == "hello was never triggered"
    assert answer.changes == ()
