"""Two identifiers said to be two people's: history is folded again with them kept apart, and stays so."""

from __future__ import annotations

import pytest

from onevoice.errors import EventError, LimitError
from onevoice.journal.memory import MemoryJournal
from onevoice.runtime import fold, splits
from onevoice.runtime.fold import Published
from onevoice.runtime.node import Onevoice
from onevoice.runtime.recovery import recover
from tests.oracle.draw import Dice
from tests.oracle.engine import unlike_tables
from tests.oracle.strategies import draw_splits

from .cases import META, drawn, opened, outcome, take
from .test_swap import DAY, HOUR, RECEIPTS, START, event, renamed, shop, tables

SEEDS = range(24)
OF_EVENTS = ("customers", "identifiers", "traits", "facts", "measures", "moments", "suppressions")


def split(engine, pair):
    """Split a drawn pair where somebody has both of its identifiers; tell whether it was."""
    (kind, value), (other, its) = pair
    try:
        engine.split({kind: value}, {other: its})
    except EventError:
        return False
    return True


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_split_all_that_events_tell_is_as_if_they_had_always_been_two(seed):
    """That is what the engine makes of the same rows under these splits, which agrees with its twin (tests/oracle)."""
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    for pair in draw_splits(playbook, batches, Dice.seeded(seed)):
        split(engine, pair)
    always = Onevoice(engine._writer.fold.published, MemoryJournal(META))
    for batch in batches:
        take(always, batch)
    found, expected = tables(engine), tables(always)
    assert not unlike_tables(found, {name: expected[name] for name in OF_EVENTS})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_journal_with_splits_replayed_is_what_it_was_live(seed, tmp_path):
    playbook, batches = drawn(seed)
    engine = opened(playbook, tmp_path / "data")
    pairs = draw_splits(playbook, batches, Dice.seeded(seed))
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number % 9 == 8 and pairs:
            split(engine, pairs.pop())
        if number == len(batches) // 2:
            engine.publish(renamed(engine.playbook))
    expected, in_force, rows = outcome(engine), engine.playbook, list(engine._journal.read())
    engine.snapshot()
    engine.close()
    again = opened(in_force, tmp_path / "data")
    assert outcome(again) == expected
    again.close()
    assert outcome(Onevoice(Published.of(in_force), MemoryJournal(META, rows))) == expected


ADA, MAIL = {"user_id": "ada"}, {"email": "bob@x.lt"}


def joined(*lines):
    """An engine with a customer who has both identifiers, of whom these lines tell."""
    engine = opened(shop())
    engine.ingest([{"type": "viewed", "identifiers": ADA | MAIL, "fields": {"price": 1}}, *lines], time=START)
    return engine


def test_what_waits_goes_to_whom_its_trigger_is_about():
    bought = {"type": "bought", "identifiers": ADA, "fields": {"amount": 1}}
    viewed = {"type": "viewed", "identifiers": MAIL, "fields": {"price": 9, "product": "hat"}}
    engine = joined(bought, viewed)
    assert [waiting.campaign for waiting in engine.state(ADA).candidates] == ["boots"]
    engine.split(ADA, MAIL)
    assert engine.state(ADA).candidates == ()
    assert [waiting.campaign for waiting in engine.state(MAIL).candidates] == ["boots"]
    (decision,) = engine.tick(START + HOUR).decisions  # the gap after Ada's contact is not Bob's
    assert [line.campaign for line in decision.won] == ["boots"]


def test_a_contact_stays_with_whom_the_number_stays():
    engine = joined({"type": "bought", "identifiers": MAIL, "fields": {"amount": 1}})
    one, other = engine.split(ADA, MAIL)
    assert [len(engine.state(who).contacts) for who in (ADA, MAIL)] == [1, 0]
    assert (one, other) == (0, 1)


def test_what_became_of_a_contact_stays_whoever_told_it():
    engine = joined()
    engine.publish(shop(RECEIPTS))
    engine.ingest([event("bought", amount=1)], time=START)
    engine.ingest([{"type": "contact_failed", "identifiers": MAIL, "fields": {"contact": 0}}], time=START + HOUR)
    assert engine.split(ADA, MAIL) == (0, 1)
    assert [contact.state for contact in engine.state(ADA).contacts] == ["failed"]


IGNORED = ("  gap: 1 day", "  refusals: {ignored: {times: 2, pause: 30 days}}")


@pytest.mark.parametrize("others", [[], [event("viewed", "zoe", price=1)]], ids=["alone", "numbered anew"])
@pytest.mark.parametrize(("told", "count"), [("failed", 0), ("delivered", 1)])
def test_what_was_left_unanswered_is_what_was_sent_whoever_told_it(told, count, others):
    """By the other's words alone: after the split nobody who has the contact tells of it."""
    engine = opened(shop(IGNORED, RECEIPTS))
    engine.ingest([{"type": "viewed", "identifiers": ADA | MAIL, "fields": {"price": 9}}, *others], time=START)
    engine.ingest([{"type": f"contact_{told}", "identifiers": MAIL, "fields": {"contact": 0}}], time=START + HOUR)
    if told == "failed":
        engine.tick(START + DAY)
    assert [row[2] for row in tables(engine)["unanswered"]] == [1] * count
    for undo in (False, True):
        engine.split(ADA, MAIL, undo=undo)
        assert [row[2] for row in tables(engine)["unanswered"]] == [1] * count


def test_what_others_answered_stays_answered_though_they_are_numbered_anew():
    engine = opened(shop(IGNORED))
    engine.ingest(
        [{"type": "viewed", "identifiers": who, "fields": {"price": 1}} for who in (ADA | MAIL, MAIL)], time=START
    )
    zoe = {"user_id": "zoe"}
    for day in range(2):
        engine.ingest([event("viewed", "zoe", price=9)], time=START + day * DAY)
        engine.ingest([event("offer_clicked", "zoe", offer="boots_offer")], time=START + day * DAY + HOUR)
    assert len(engine.state(zoe).contacts) == 2
    assert engine.split(ADA, MAIL) == (0, 1)
    assert len(engine.state(zoe).contacts) == 2
    assert (tables(engine)["unanswered"], engine.state(zoe).facts) == ([], {})


@pytest.mark.parametrize("others", [[], [event("viewed", "zoe", price=1)]])
def test_a_contact_stays_with_whom_its_number_was_founded_by_whoever_is_numbered_anew(others):
    engine = opened(shop())
    bought = {"type": "bought", "identifiers": MAIL, "fields": {"amount": 1}}
    viewed = {"type": "viewed", "identifiers": ADA | MAIL, "fields": {"price": 1}}
    engine.ingest([bought, viewed, *others], time=START)
    assert engine.split(ADA, MAIL) == (1, 0)
    assert [len(engine.state(who).contacts) for who in (ADA, MAIL)] == [0, 1]


def test_a_split_holds_under_the_next_playbook_and_the_same_again_changes_nothing():
    engine = joined(event("bought", amount=1))
    engine.ingest([{"type": "bought", "identifiers": MAIL, "fields": {"amount": 2}}], time=START + DAY)
    assert engine.split(ADA, MAIL) == (0, 1)
    rows = engine._journal.last().rows
    assert engine.split(MAIL, ADA) == (1, 0)
    assert engine._journal.last().rows == rows
    engine.publish(shop(("measures: {spent", "measures: {times: count of bought, spent")))
    assert [engine.state(who).measures for who in (ADA, MAIL)] == [{"times": 1, "spent": 1}, {"times": 1, "spent": 2}]


def test_a_split_undone_is_as_it_was():
    engine = joined(event("bought", amount=1), {"type": "bought", "identifiers": MAIL, "fields": {"amount": 2}})
    before = engine.state(ADA).measures
    engine.split(ADA, MAIL)
    assert engine.state(ADA).measures != before
    assert engine.split(ADA, MAIL, undo=True) == (0, 0)
    assert engine.state(ADA).measures == before


def test_what_came_in_only_beside_the_other_is_nobodys_until_the_split_is_undone():
    engine = joined()
    assert engine.split(ADA, MAIL) == (0, -1)
    assert engine.split(ADA, MAIL) == (0, -1)
    assert engine.split(ADA, MAIL, undo=True) == (0, 0)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (ADA, {"email": "nobody@x.lt"}, "nobody has this identifier"),
        (ADA, {"emial": "bob@x.lt"}, "did you mean email"),
        (ADA, {"cookie": "k"}, "a device cannot be split"),
        (ADA, ADA, "kept apart from itself"),
        (ADA, ADA | MAIL, "not one identifier"),
    ],
)
def test_what_cannot_be_split_is_refused(one, other, said):
    engine = joined()
    with pytest.raises(EventError) as caught:
        engine.split(one, other)
    assert said in str(caught.value)


def test_what_is_not_kept_apart_cannot_be_let_join():
    with pytest.raises(EventError, match="not kept apart"):
        joined().split(ADA, MAIL, undo=True)


def test_too_many_splits_are_refused(monkeypatch):
    monkeypatch.setattr(splits, "SPLITS_MAX", 0)
    with pytest.raises(LimitError, match="too many splits"):
        joined().split(ADA, MAIL)


def test_a_journal_with_many_splits_loads_its_playbook_once(monkeypatch):
    engine = joined()
    for undo in (False, True, False):
        engine.split(ADA, MAIL, undo=undo)
    fold._loaded.cache_clear()
    checked = []
    monkeypatch.setattr(fold, "check", lambda playbook: checked.append(playbook) or [])
    recovered = recover(engine._journal, None, META.secret).fold
    assert recovered.published.splits == engine._writer.fold.published.splits
    assert len(checked) == 1
