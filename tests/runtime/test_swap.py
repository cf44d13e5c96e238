"""A changed playbook: history is told again under the new rules, what was decided stays decided, what waits goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onevoice.engine import canonical
from onevoice.journal.memory import MemoryJournal
from onevoice.playbook.load import load_files
from onevoice.runtime.fold import Published
from onevoice.runtime.node import Onevoice

from .cases import META, drawn, opened, outcome, take

SEEDS = range(12)
HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_767_225_600_000_000  # 2026-01-01T00:00Z

SHOP = """
playbook: shop
identifiers: {user_id: {unique: true}, email: {format: email}, cookie: {anonymous: true}}
events:
  viewed: {fields: {product: product, price: number}}
  bought: {fields: {amount: number}}
measures: {spent: sum of bought.amount}
offers: {boots_offer: {product: boots, family: shoes}}
products: {file: products.csv}
campaigns:
  thanks: {class: service, when: event bought, send: [post], again_after: 10 days}
  boots: {class: sales, when: event viewed, if: event.price > 5, offer: boots_offer, send: [post], valid_for: 3 days}
policies:
  classes: {service: {strict: true}, sales: {}}
  gap: 1 day
channels: {post: {}}
"""
FILES = {"playbook.yaml": SHOP.encode(), "products.csv": b"product\nboots\nhat\n"}


def shop(*changes):
    text = SHOP
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return load_files(FILES | {"playbook.yaml": text.encode()})


def event(kind, user="ada", **fields):
    return {"type": kind, "identifiers": {"user_id": user}, "fields": fields}


def renamed(playbook):
    """The same rules under another digest."""
    return replace(playbook, name=playbook.name + "2")


def tables(engine):
    return canonical.tables(engine._writer.fold.machine)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_rules_again_give_the_same_state(seed):
    """Only what waits may differ: it is looked at again."""
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number % 7 == 3:
            before = tables(engine)
            assert engine.publish(renamed(engine.playbook))
            after = tables(engine)
            waiting = [row[:3] for row in before.pop("candidates")]
            assert [row[:3] for row in after.pop("candidates")] == waiting
            for each in (before, after):  # turns are of what waits: they are given anew
                del each["turns"]
                each["resources"] = [row[:3] for row in each["resources"] if row[2]]
            assert after == before


@pytest.mark.parametrize("seed", SEEDS)
def test_a_journal_with_swaps_replayed_is_what_it_was_live(seed, tmp_path):
    playbook, batches = drawn(seed)
    engine = opened(playbook, tmp_path / "data")
    middle = len(batches) // 2
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number in {middle, middle + 3}:
            engine.publish(renamed(engine.playbook))
    expected = outcome(engine)
    in_force, rows = engine.playbook, list(engine._journal.read())
    engine.snapshot()
    engine.close()
    again = opened(in_force, tmp_path / "data")
    assert outcome(again) == expected
    again.close()
    assert outcome(Onevoice(Published.of(in_force), MemoryJournal(META, rows))) == expected


def test_a_new_measure_holds_over_all_of_history():
    engine = opened(shop())
    engine.ingest([event("bought", amount=20), event("bought", amount=30)], time=START)
    engine.publish(shop(("measures: {spent", "measures: {times: count of bought, spent")))
    assert engine.state({"user_id": "ada"}).measures == {"times": 2.0, "spent": 50.0}


def test_a_new_campaign_decides_nothing_for_the_past():
    engine = opened(shop())
    engine.ingest([event("bought", amount=20)], time=START)
    said = len(list(engine.decisions()))
    more = ("campaigns:", "campaigns:\n  again: {class: sales, when: event bought, send: [post]}")
    engine.publish(shop(more))
    engine.tick(START + 5 * DAY)
    assert len(list(engine.decisions())) == said
    found = engine.ingest([event("bought", amount=20)], time=START + 5 * DAY).decisions
    assert [line.campaign for decision in found for line in decision.won] == ["again"]


def test_contacts_made_before_count_under_new_caps():
    engine = opened(shop())
    engine.ingest([event("viewed", price=9)], time=START)
    engine.publish(shop(("  gap: 1 day", "  caps: [{max: 1, per: 7 days}]")))
    (decision,) = engine.ingest([event("bought", amount=1)], time=START + 3 * DAY).decisions
    (line,) = decision.lines
    assert (line.campaign, line.reason, line.rule, line.value, line.limit) == (
        "thanks",
        "cap",
        "policies.caps[0]",
        1,
        1,
    )


def test_what_waits_goes_on_waiting_with_its_context():
    """Held back by the gap; the price it was triggered with is asked for again when it is decided."""
    engine = opened(shop())
    engine.ingest([event("bought", amount=1)], time=START)
    engine.ingest([event("viewed", price=9, product="hat")], time=START + HOUR)
    assert [waiting.reason for waiting in engine.state({"user_id": "ada"}).candidates] == ["gap"]
    fields = ("{product: product, price: number}", "{seen: choice, price: number, product: product}")
    engine.publish(shop(fields, ("if: event.price > 5", "if: event.price > 8 and event.product = 'hat'")))
    (decision,) = engine.tick(START + DAY).decisions[-1:]
    assert [(line.campaign, line.reason) for line in decision.lines] == [("boots", "won")]


def test_what_waits_is_judged_by_the_new_rules():
    engine = opened(shop())
    engine.ingest([event("bought", amount=1)], time=START)
    engine.ingest([event("viewed", price=9)], time=START + HOUR)
    engine.publish(shop(("event.price > 5", "event.price > 10")))
    (decision,) = engine.tick(START + HOUR).decisions
    assert [(line.campaign, line.reason) for line in decision.lines] == [("boots", "not_eligible")]


@pytest.mark.parametrize(
    ("change", "day"),
    [(("owner: sales", "owner: shoes"), 4), (("valid_for: 3 days", "valid_for: 3 days, to: 2026-01-02"), 3)],
)
def test_what_waits_expires_when_it_would_have_and_no_later_than_the_new_last_day(change, day):
    old = [("gap: 1 day", "gap: 8 days"), ("send: [post], valid_for", "owner: sales, send: [post], valid_for")]
    engine = opened(shop(*old))
    engine.ingest([event("bought", amount=1), event("viewed", price=9)], time=START)
    engine.publish(shop(*old, change))
    ended = engine.tick(START + 8 * DAY).decisions
    assert [(d.time.day, line.reason) for d in ended for line in d.lines if d.kind == "end"] == [(day, "expired")]


def test_a_campaign_that_is_gone_wants_nobody():
    engine = opened(shop())
    engine.ingest([event("bought", amount=1), event("viewed", price=9)], time=START)
    engine.publish(shop((SHOP[SHOP.index("  boots:") : SHOP.index("policies:")], "")))
    assert engine.state({"user_id": "ada"}).candidates == ()
    assert engine.tick(START + 9 * DAY).decisions == []


def test_customers_numbered_anew_keep_their_contacts_and_decisions(tmp_path):
    """Under the first playbook nobody knows `visited`; under the second it founds customers earlier."""
    engine = opened(shop(), tmp_path / "data")
    engine.ingest([event("visited", "bob"), event("bought", "ada", amount=1)], time=START)
    engine.ingest([event("bought", "bob", amount=1)], time=START + HOUR)
    before = {user: [repr(d.lines) for d in engine.decisions({"user_id": user})] for user in ("ada", "bob")}
    contacts = {user: engine.state({"user_id": user}).contacts for user in ("ada", "bob")}
    assert engine.state({"user_id": "ada"}).number == 0
    changed = shop(("  bought:", "  visited: {}\n  bought:"))
    engine.publish(changed)
    for _ in range(2):
        assert [engine.state({"user_id": user}).number for user in ("bob", "ada")] == [0, 1]
        assert {user: engine.state({"user_id": user}).contacts for user in contacts} == contacts
        assert {user: [repr(d.lines) for d in engine.decisions({"user_id": user})] for user in before} == before
        expected = outcome(engine)
        engine.snapshot()
        engine.close()
        engine = opened(changed, tmp_path / "data")
        assert outcome(engine) == expected
    (decision,) = engine.ingest([event("bought", "ada", amount=1)], time=START + 2 * HOUR).decisions
    assert [line.reason for line in decision.lines] == ["again_after"]
    engine.close()


RECEIPTS = ("channels: {post: {}}", "channels: {post: {receipts: 2 hours}, van: {}}")
BY_VAN = ("send: [post], again_after", "send: [post, van], if_unseen: {after: 1 day, next: van}, again_after")


def test_what_is_in_flight_stays_so_and_hears_what_becomes_of_it():
    engine = opened(shop(RECEIPTS, BY_VAN))
    engine.ingest([event("bought", amount=1)], time=START)
    engine.publish(shop(RECEIPTS, BY_VAN, ("gap: 1 day", "gap: 2 days")))
    known = engine.state({"user_id": "ada"})
    assert [(each.number, each.state) for each in known.contacts] == [(0, "reserved")]
    assert [each.stage for each in known.candidates] == ["in flight"]
    (decision,) = engine.ingest([event("contact_failed", contact=0)], time=START + HOUR).decisions
    assert [(line.reason, line.channel) for line in decision.lines] == [("won", "van")]


def test_what_was_closed_stays_closed_whatever_the_order_of_channels():
    engine = opened(shop(RECEIPTS, BY_VAN, ("van: {}", "van: {receipts: 1 hour}")))
    engine.ingest([event("bought", amount=1)], time=START)
    engine.ingest([event("contact_failed", contact=0)], time=START + HOUR)
    turned = ("send: [post], again_after", "send: [van, post], again_after")
    engine.publish(shop(RECEIPTS, turned, ("van: {}", "van: {receipts: 1 hour}")))
    (decision,) = engine.ingest([event("contact_failed", contact=1)], time=START + HOUR).decisions
    assert [(decision.kind, line.reason, line.channel) for line in decision.lines] == [("end", "failed", "van")]


@pytest.mark.parametrize(("change", "more"), [((), 1), ((BY_VAN,), 0)])
def test_what_is_watched_goes_on_where_anything_is_left_to_follow(change, more):
    engine = opened(shop(RECEIPTS, BY_VAN))
    engine.ingest([event("bought", amount=1), event("contact_delivered", contact=0)], time=START)
    engine.ingest([event("contact_delivered", contact=0)], time=START)
    back = [] if change else [BY_VAN]
    engine.publish(shop(RECEIPTS, *back, ("gap: 1 day", "gap: 2 days")))
    assert len(engine.state({"user_id": "ada"}).candidates) == more
    assert len(engine.tick(START + 2 * DAY).decisions) == more


def test_what_a_shorter_memory_forgets_in_flight_is_taken_as_sent():
    engine = opened(shop(("channels: {post: {}}", "channels: {post: {receipts: 60 days}}")))
    engine.ingest([event("viewed", price=9)], time=START)
    engine.tick(START + 20 * DAY)
    engine.publish(shop())
    assert engine.state({"user_id": "ada"}).candidates == ()
    engine.ingest([event("viewed", price=9)], time=START + 21 * DAY)
    assert len([line for each in engine.decisions() for line in each.won]) == 2


def test_what_was_cancelled_with_its_candidate_is_cancelled_again():
    until = ("offer: boots_offer, send", "offer: boots_offer, until: bought, send")
    engine = opened(shop(RECEIPTS, until))
    engine.ingest([event("viewed", price=9)], time=START)
    engine.ingest([event("bought", amount=1)], time=START + HOUR)
    engine.publish(shop(RECEIPTS, until, ("gap: 1 day", "gap: 2 days")))
    assert [each.state for each in engine.state({"user_id": "ada"}).contacts][-1] == "cancelled"


def test_customers_numbered_anew_keep_what_became_of_their_contacts():
    engine = opened(shop(RECEIPTS))
    engine.ingest([event("visited", "bob"), event("bought", "ada", amount=1)], time=START)
    engine.ingest([event("contact_seen", "ada", contact=0), event("bought", "bob", amount=1)], time=START + HOUR)
    contacts = {user: engine.state({"user_id": user}).contacts for user in ("ada", "bob")}
    engine.publish(shop(RECEIPTS, ("  bought:", "  visited: {}\n  bought:")))
    assert {user: engine.state({"user_id": user}).contacts for user in contacts} == contacts
    assert [contacts[user][0].state for user in ("ada", "bob")] == ["seen", "reserved"]


def test_a_refusal_counts_from_when_it_was_unanswered():
    """Two unanswered letters, a click between them: the click lies between them in the rebuilt state as well."""
    ignored = ("  gap: 1 day", "  refusals: {ignored: {times: 2, pause: 30 days}}")
    engine = opened(shop(ignored))
    engine.ingest([event("viewed", price=9)], time=START)
    engine.ingest([event("offer_clicked", offer="boots_offer")], time=START + HOUR)
    engine.ingest([event("viewed", price=9)], time=START + 2 * HOUR)
    before = tables(engine)["unanswered"]
    engine.publish(renamed(engine.playbook))
    assert tables(engine)["unanswered"] == before != []
    assert "ignored" not in engine.state({"user_id": "ada"}).facts


def test_the_same_playbook_is_not_published_twice():
    engine = opened(shop())
    rows = engine._journal.last().rows
    assert not engine.publish(shop())
    assert engine._journal.last().rows == rows
