"""A rule that had always been another one: what it frees may be gone by then, and more of it be needed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from onevoice.playbook.load import load_files

from .shop import ANN, MONDAY, asked, book, order, shop, visit

PROMO = "  promo: {class: sales, priority: 9, when: event order, send: [mail]}\n"
HELLO = "priority: 7, when: event visit, valid_for: 1 day, send: [mail]"
ONE = "caps: [{max: 1, per: week, class: sales}]"


def went_out(engine, hours):
    """Tell whether hello went out so many hours after Monday at nine."""
    time = MONDAY + timedelta(hours=hours)
    return any(line.campaign == "hello" for each in engine.decisions() if each.time == time for line in each.won)


def in_caps(engine):
    return [each.sentence for each in asked(engine).changes if each.name.startswith("policies.caps")]


def with_at_most(count):
    return f"with at most {count} instead of 1 in policies.caps[0]"


def test_what_an_earlier_wish_would_have_taken():
    text, events = book(HELLO, more=PROMO, policies=ONE), [order(0, 1), visit(1), visit(30)]
    answer = asked(shop(text, *events))
    changes = [each for each in answer.changes if each.name == "policies.caps[0].max"]
    assert [(each.needed, each.sentence, each.since) for each in changes] == [
        ("3", with_at_most(3), None),
        ("2", with_at_most(2) + ", only from then on", answer.time),
    ]
    assert went_out(shop(text.replace("max: 1", "max: 3"), *events), 30)
    assert not went_out(shop(text.replace("max: 1", "max: 2"), *events), 30)


def test_the_playbook_is_another_one_from_when_it_came_into_force():
    before, after = (book(HELLO, more=PROMO + more, policies=ONE) for more in ("", "  new: {class: sales}\n"))
    after = after.replace("{class: sales}", "{class: sales, when: event case_opened, send: [mail]}")

    def told(published):
        engine = shop(before, order(0, 1), visit(1), until=28)  # hello's first wish is gone
        engine.publish(load_files({"playbook.yaml": published.encode()}))
        engine.ingest([{"type": "visit", "identifiers": ANN}], time=MONDAY + timedelta(hours=30))
        return engine

    assert in_caps(told(after)) == [with_at_most(2)]
    assert went_out(told(after.replace("max: 1", "max: 2")), 30)
    assert not went_out(told(after), 30)


def test_a_shorter_gap_moves_what_came_before():
    """Hello goes out at one in the night then, and sixteen hours later it may again."""
    text, events = book(HELLO, more=PROMO, policies="gap: 24 hours"), [order(0, 1), visit(1), visit(20), visit(32)]
    found = [each.sentence for each in asked(shop(text, *events, until=34)).changes if each.kind == "playbook"]
    assert found == ["with policies.gap of 16 hours instead of 1 day"]
    assert went_out(shop(text.replace("24 hours", "960 minutes"), *events, until=34), 32)
    assert not went_out(shop(text.replace("24 hours", "961 minutes"), *events, until=34), 32)


@pytest.mark.parametrize("number", [1, 2])
def test_receipts_are_of_the_contacts_of_which_they_were(number):
    """Had hello gone out before, the number of the contact that failed would have been another one."""
    text = book(HELLO, more=PROMO + "  note: {class: care, when: event case_opened, send: [mail]}\n", policies=ONE)
    text = text.replace("{classes: {", "{classes: {care: {}, ").replace(
        "visit: {}", "visit: {fields: {contact: choice}}"
    )

    def told(most, contact):
        failed = (4, "contact_failed", {"contact": contact}, {})
        opened = (3, "case_opened", {"case_id": "1"}, {})
        named = (2, "case_closed", {"contact": "by phone"}, {})  # a field by this name is no receipt
        events = [order(0, 1), visit(1), named, opened, failed, visit(30)]
        return shop(text.replace("max: 1", f"max: {most}"), *events)

    assert in_caps(told(1, 1)) == [with_at_most(3), with_at_most(2) + ", only from then on"]
    assert went_out(told(3, 2), 30)
    assert went_out(told(2, number), 30) is (number == 1)  # of hello's first contact, which makes room; of the note
