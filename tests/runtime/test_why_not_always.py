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


LATER = with_at_most(2) + ", only from Tue 03 Mar 2026 15:00 on"


def test_what_an_earlier_wish_would_have_taken():
    text, events = book(HELLO, more=PROMO, policies=ONE), [order(0, 1), visit(1), visit(30)]
    answer = asked(shop(text, *events))
    changes = [each for each in answer.changes if each.name == "policies.caps[0].max"]
    assert [(each.needed, each.sentence, each.since) for each in changes] == [
        ("3", with_at_most(3), None),
        ("2", LATER, answer.time),
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

    assert in_caps(told(1, 1)) == [with_at_most(3), LATER]
    assert went_out(told(3, 2), 30)
    assert went_out(told(2, number), 30) is (number == 1)  # of hello's first contact, which makes room; of the note


def test_a_contact_that_was_sent_after_its_wish_had_ended_is_told_of_too():
    text = book(f"{HELLO}, until: case_opened, again_after: 7 days", policies="gap: 1 hour")
    text = text.replace("channels: {mail: {}", "channels: {mail: {receipts: 1 day}")
    opened, sent = (1, "case_opened", {"case_id": "1"}, {}), (2, "contact_sent", {"contact": 0}, {})
    found = [each.sentence for each in asked(shop(text, visit(0), opened, sent, visit(48))).changes]
    assert "with campaigns.hello.again_after of 2 days instead of 1 week" in found


def test_responses_are_to_the_shows_to_which_they_were():
    """Had hello gone out before, the number of the decision that showed something would have been another one."""
    show = "  show: {class: sales, when: asked, placements: [page], offer: boots}\n"
    more = f"{PROMO}{show}placements: {{page: {{}}}}\noffers: {{boots: {{family: f}}}}\n"
    rules = f"{ONE}, refusals: {{refused: 10 days}}, suppress: [{{stop: offers, while: refused(offer.family)}}]"
    text = book(HELLO.replace("1 day", "12 hours") + ", offer: boots", more=more, policies=rules)

    def told(most, number):
        asks, refused = (4, "asked", {"placement": "page"}, {}), (4.2, "offer_refused", {"family": "f"}, {})
        accepted = (4.5, "offer_accepted", {"decision": number}, {})
        events = [order(0, 1), visit(1), visit(2), visit(3), asks, refused, accepted, visit(30)]
        return shop(text.replace("max: 1", f"max: {most}"), *events)

    assert in_caps(told(1, 2)) == [with_at_most(5), LATER]
    assert went_out(told(5, 4), 30)
    assert not went_out(told(5, 2), 30)  # refused, and what was accepted is another decision


@pytest.mark.parametrize(
    ("hello", "channels", "hours"),
    [
        (", at_most: 1", "{mail: {}, sms: {address: email}}", 30),
        ("", "{mail: {rate: 1 per day}, sms: {address: email}}", 5),
        ("", "{mail: {cost: 1, uses: [money]}, sms: {address: email}}", 30),
    ],
)
def test_own_contacts_use_up_what_is_scarce(hello, channels, hours):
    """With three hello would have gone out in its first hour, and its run, the day's rate or the money be used up."""
    promo = PROMO.replace("mail", "sms")
    text = book(HELLO.replace("1 day", "2 hours") + hello, more=promo, policies=ONE)
    text = text.replace("channels: {mail: {}, sms: {address: phone}}", f"channels: {channels}")
    text = text.replace("policies:", "resources: {money: {budget: 1}}\npolicies:")
    events = [order(0, 1), visit(1), visit(hours)]
    changes = [each for each in asked(shop(text, *events)).changes if each.name == "policies.caps[0].max"]
    assert [(each.needed, each.since is None) for each in changes] == [("2", False)]
    assert not went_out(shop(text.replace("max: 1", "max: 3"), *events), hours)


def test_a_playbook_that_took_over_again_is_another_one_from_then():
    one, other = book(HELLO, more=PROMO, policies=ONE), book(HELLO, more=PROMO, policies="caps: [{max: 1, per: week}]")

    def told(last):
        engine = shop(one, order(0, 1), visit(1), visit(30), until=60)
        for text in (other, last):
            engine.publish(load_files({"playbook.yaml": text.encode()}))
        engine.ingest([{"type": "visit", "identifiers": ANN}], time=MONDAY + timedelta(hours=70))
        return engine

    assert in_caps(told(one)) == [with_at_most(2)]
    assert went_out(told(one.replace("max: 1", "max: 2")), 70)
    assert not went_out(told(one), 70)


def test_a_suppression_that_would_have_been_over():
    def text(most):
        rule = f"suppress: [{{stop: [sales], while: open_case, at_most: {most}}}]"
        return book(HELLO, policies=rule)

    events = [(0, "case_opened", {"case_id": "1"}, {}), visit(30)]
    sentences = [each.sentence for each in asked(shop(text("10 days"), *events)).changes]
    assert "with policies.suppress[0].at_most of 30 hours instead of 10 days" in sentences
    assert went_out(shop(text("1800 minutes"), *events), 30)
    assert not went_out(shop(text("1801 minutes"), *events), 30)


def test_a_wish_that_would_have_gone_out_before_though_nothing_helps_it_now():
    """At its last decision another letter would have been before it; with a shorter gap it had been out by then."""
    text = book(
        HELLO.replace("1 day", "3 days"), more=PROMO.replace("send", "valid_for: 3 days, send"), policies="gap: 1 day"
    )
    events = [order(0, 1), visit(1), order(2, 1), visit(24.5), order(25, 1)]
    (change,) = [each for each in asked(shop(text, *events)).changes if each.name == "policies.gap"]
    minutes = int(change.needed.split()[0])
    assert change.since is None
    for less in (0, 1):
        engine = shop(text.replace("gap: 1 day", f"gap: {minutes + less} minutes"), *events)
        assert any(line.campaign == "hello" for each in engine.decisions() for line in each.won) is (less == 0)


def test_a_gap_of_which_nothing_may_be_left_is_left_out():
    text = book(HELLO, more=PROMO, policies="gap: 4 hours")
    told = [each.sentence for each in asked(shop(text, order(0, 1), visit(0))).changes]
    assert "without policies.gap" in told
    late = [each.sentence for each in asked(shop(text, order(0, 1), visit(0.005))).changes]
    assert "with policies.gap of 18 seconds instead of 4 hours" in late
