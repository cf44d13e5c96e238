"""Why nothing came of a trigger: the campaign was stopped then, or data was only taken in; as `why_not` tells it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from .shop import ANN, MONDAY, asked, book, goes_out, order, shop, visit

VISIT = book("when: event visit, send: [mail]")
DELAYED = book("when: event visit, after: 2 hours, send: [mail]")


def switched(hours, verb, **said):
    return hours, f"campaign_{verb}", said, {}


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"campaign": "hello"}, "the campaign was stopped"),
        ({"class": "sales"}, "the class sales was stopped"),
        ({"everything": True}, "everything was stopped"),
    ],
)
def test_a_trigger_while_it_was_stopped(said, what):
    events = switched(0, "stopped", **said), visit(1), switched(2, "resumed", **said)
    answer = asked(shop(VISIT, *events, order(3, 1)))
    assert answer.headline == "hello was stopped when it was triggered, or before its delay was over"
    assert [each.sentence for each in answer.obstacles] == [f"{what} on Mon 02 Mar 2026 09:00"]
    assert [each.sentence for each in answer.changes] == ["without the stop"]
    assert goes_out(shop(VISIT, *events[1:], order(3, 1)))


def test_a_stop_while_it_waited_for_its_birth():
    events = visit(0), switched(1, "stopped", campaign="hello"), switched(1.5, "resumed", campaign="hello")
    answer = asked(shop(DELAYED, *events, order(3, 1)))
    assert answer.headline == "hello was stopped when it was triggered, or before its delay was over"
    assert answer.smallest.sentence == "without the stop"
    assert goes_out(shop(DELAYED, visit(0), order(3, 1)))


def test_a_stop_of_another_campaign_or_before_is_none():
    text = book("when: event visit, send: [mail]", more="  other: {class: sales, when: event order, send: [mail]}")
    other = switched(0, "stopped", campaign="other"), switched(2, "resumed", campaign="other")
    assert asked(shop(text, *other, order(3, 1))).headline == "hello was never triggered"
    before = switched(0, "stopped", campaign="hello"), switched(1, "resumed", campaign="hello")
    assert asked(shop(text, *before, order(2, 1))).headline == "hello was never triggered"


def test_what_would_have_stood_there_behind_the_stop_is_told_and_no_change():
    text = book("when: event visit, if: n > 5, send: [mail]")
    stop, resume = switched(0, "stopped", campaign="hello"), switched(2, "resumed", campaign="hello")
    answer = asked(shop(text, stop, visit(1, n=3), resume))
    assert [each.reason for each in answer.obstacles] == ["stopped", "not_eligible"]
    assert answer.changes == ()


def test_triggered_again_while_it_was_stopped():
    stop, resume = switched(30, "stopped", campaign="hello"), switched(40, "resumed", campaign="hello")
    answer = asked(shop(VISIT, visit(0), stop, visit(31), resume, order(41, 1)))
    assert answer.headline.startswith("hello was stopped when it was triggered")
    assert (
        asked(shop(VISIT, visit(0), stop, resume, order(41, 1))).headline == "hello: goes out by mail with a rank of 0"
    )


def test_a_trigger_among_what_was_only_taken_in():
    engine = shop(VISIT)
    visited = {"type": "visit", "identifiers": ANN}
    engine.ingest([visited], time=MONDAY + timedelta(hours=1), decide=False)
    engine.tick(MONDAY + timedelta(hours=2))
    answer = asked(engine)
    assert answer.headline == "hello was triggered only while events were taken in without deciding"
    assert [each.reason for each in answer.obstacles] == ["not_triggered"]
    assert [each.sentence for each in answer.changes] == ["if it had been decided on what came in"]
    assert goes_out(shop(VISIT, visit(1)))


def test_what_was_only_taken_in_and_is_no_trigger():
    engine = shop(VISIT)
    engine.ingest([{"type": "order", "identifiers": ANN}], time=MONDAY + timedelta(hours=1), decide=False)
    assert asked(engine).headline == "hello was never triggered"


def test_two_stops_at_once():
    events = [switched(0, "stopped", everything=True), switched(0.5, "stopped", **{"class": "sales"}), visit(1)]
    events += [switched(2, "resumed", everything=True), switched(2, "resumed", **{"class": "sales"})]
    answer = asked(shop(VISIT, *events, order(3, 1)))
    assert answer.headline == "hello was stopped when it was triggered, or before its delay was over"
    assert [each.rule for each in answer.obstacles] == ["all", "class"]
    assert answer.changes == ()


def test_behind_the_stop_stands_what_it_would_have_lost_by():
    text = book("when: event visit, valid_for: 1 hour, send: [mail]", policies="gap: 1 day")
    stop, resume = switched(0, "stopped", **{"class": "sales"}), switched(20, "resumed", **{"class": "sales"})
    told = (0, "contact_reported", {"channel": "mail"}, {})
    answer = asked(shop(text, told, stop, visit(1), resume, order(21, 1)))
    assert [each.reason for each in answer.obstacles] == ["stopped", "gap"]
    assert answer.time == MONDAY + timedelta(hours=1)
