"""A row that decides a great deal: what it decided is cut to several rows, and nothing of it is written twice."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from onevoice.engine import state as at
from onevoice.errors import JournalError
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind
from onevoice.playbook.load import load_files
from onevoice.runtime import outcomes
from onevoice.runtime.fold import Published
from onevoice.runtime.node import Onevoice

from .cases import META, drawn, opened, outcome, take

SMALL = 400  # bytes: one decision with four lines, or two with one
START = 1_767_225_600_000_000  # 2026-01-01T00:00Z
DAY = 86_400_000_000
SHOP = """
playbook: shop
identifiers: {user_id: {}}
events: {bought: {}}
campaigns:
  thanks: {class: service, when: event bought, send: [post]}
  daily: {class: sales, when: "every day 09:00", valid_for: 2 days, send: [post]}
  second: {class: sales, when: "every day 09:00", send: [post]}
policies: {classes: {service: {strict: true}, sales: {}}, gap: 30 hours}
channels: {post: {}}
"""


def decided_rows(engine):
    engine._writer.flush()
    return [row for row in engine._journal.read() if row.kind is Kind.DECISIONS]


def all_of(engine):
    """Everything an engine decided, as one outcome."""
    return outcomes.joined([outcomes.nothing(), *(outcomes.decode(row.payload) for row in decided_rows(engine))])


def playbook():
    return load_files({"playbook.yaml": SHOP.encode()})


def calls(engine):
    """A history as calls of an engine; the days that pass decide for everybody in one row."""
    bought = [{"type": "bought", "identifiers": {"user_id": f"u{number}"}} for number in range(6)]
    yield lambda: engine.ingest(bought, time=START)
    yield lambda: engine.tick(START + 4 * DAY)
    yield lambda: engine.ingest(bought[:4], time=START + 4 * DAY)
    yield lambda: engine.ingest(bought[4:], time=START + 8 * DAY)
    yield lambda: engine.tick(START + 10 * DAY)


def live():
    engine = opened(playbook())
    for call in calls(engine):
        call()
    return engine


def replayed(rows):
    return Onevoice(Published.of(playbook()), MemoryJournal(META, rows))


@pytest.mark.parametrize("bound", [1, SMALL, 3_000, outcomes.ROW_BYTES])
def test_parts_are_the_whole_and_within_the_bound(bound, monkeypatch):
    whole = all_of(live())
    monkeypatch.setattr(outcomes, "ROW_BYTES", bound)
    parts = list(outcomes.cut(None, whole))
    assert outcomes.is_same(outcomes.joined([part.outcome for part in parts]), whole)
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        assert len(part.outcome.decisions) == 1 or outcomes._size(part.outcome) <= bound
        if following:
            assert outcomes._size(part.outcome) + outcomes._size(outcomes.part(following.outcome, 0, 1)) > bound


def test_the_bound_is_one_of_bytes():
    """A row is what its decisions are said to take, and what Arrow adds, whatever their number."""
    whole = all_of(live())
    added = [
        len(outcomes.encode(outcomes.part(whole, 0, count))) - outcomes._size(outcomes.part(whole, 0, count))
        for count in range(1, len(whole.decisions))
    ]
    assert len(added) > 20
    assert max(map(abs, added)) < 4_096


def test_nothing_has_no_parts():
    assert list(outcomes.cut(None, outcomes.nothing())) == []
    assert outcomes.fitting([]) == 0
    assert outcomes.is_same(outcomes.part(outcomes.nothing(), 0, 3), outcomes.nothing())


def test_the_bound_changes_no_decision(monkeypatch):
    engine = live()
    expected, whole = outcome(engine), all_of(engine)
    monkeypatch.setattr(outcomes, "ROW_BYTES", SMALL)
    cut = live()
    assert outcome(cut) == expected
    assert outcomes.is_same(all_of(cut), whole)
    assert len(decided_rows(cut)) > 3 * len(decided_rows(engine))


def test_a_start_after_a_death_between_the_rows_writes_the_others_and_none_twice(monkeypatch):
    """At each place: all that one flush wrote, all but the last row of it, and so on to none."""
    monkeypatch.setattr(outcomes, "ROW_BYTES", SMALL)
    engine = live()
    expected = outcome(engine)
    rows = list(engine._journal.read())
    last = max(number for number, row in enumerate(rows) if row.kind is Kind.EVENTS) + 1
    assert len(rows) - last > 8
    for kept in range(last, len(rows) + 1):
        journal = MemoryJournal(META, rows[:kept])
        assert outcome(Onevoice(Published.of(playbook()), journal)) == expected
        assert [row.digest for row in journal.read()] == [row.digest for row in rows]


@pytest.mark.parametrize("bound", [1, SMALL, 3_000])
def test_a_journal_is_read_whatever_the_bound_was_when_it_was_written(bound, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "ROW_BYTES", SMALL)
        engine = live()
        expected, rows = outcome(engine), list(engine._journal.read())
    monkeypatch.setattr(outcomes, "ROW_BYTES", bound)
    for kept in range(len(rows), 0, -5):
        again = replayed(rows[:kept])
        numbers = all_of(again).decisions[:, at.D_NUMBER].tolist()
        assert numbers == list(range(again.decision_count))
    assert outcome(replayed(rows)) == expected


@pytest.mark.parametrize("change", [1, -1])
def test_a_part_that_says_otherwise_is_refused(change, monkeypatch):
    monkeypatch.setattr(outcomes, "ROW_BYTES", SMALL)
    rows = list(live()._journal.read())
    place = [number for number, row in enumerate(rows) if row.kind is Kind.DECISIONS][3]
    found = outcomes.decode(rows[place].payload)
    found.decisions[-1, at.D_CUSTOMER] += change
    journal = MemoryJournal(META)
    journal.append([*rows[:place], replace(rows[place], payload=outcomes.encode(found)), *rows[place + 1 :]])
    with pytest.raises(JournalError, match=f"journal row {place}: replay decides otherwise than was decided"):
        Onevoice(Published.of(playbook()), journal)


def test_a_part_that_is_missing_is_refused(monkeypatch):
    monkeypatch.setattr(outcomes, "ROW_BYTES", SMALL)
    rows = list(live()._journal.read())
    place = [number for number, row in enumerate(rows) if row.kind is Kind.DECISIONS][3]
    journal = MemoryJournal(META)
    journal.append([*rows[:place], *rows[place + 1 :]])
    with pytest.raises(JournalError, match=f"journal row {place}: replay decides otherwise than was decided"):
        Onevoice(Published.of(playbook()), journal)


@pytest.mark.parametrize("seed", range(8))
def test_appends_that_fail_between_the_rows_may_be_tried_again(seed, monkeypatch):
    """The journal may then hold events between two parts of one outcome: it is read alike."""
    expected = outcome(live())
    monkeypatch.setattr(outcomes, "ROW_BYTES", SMALL)
    dice = random.Random(seed)
    failing = opened(playbook())
    append = failing._journal.append

    def moody(rows):
        if dice.random() < 0.5:
            raise OSError("no room")
        append(rows)

    monkeypatch.setattr(failing._journal, "append", moody)
    for call in calls(failing):
        tried(call)
        if dice.random() < 0.5:
            with suppress(OSError):
                failing._writer.flush()
    monkeypatch.undo()
    assert outcome(failing) == expected
    assert outcome(replayed(failing._journal.read())) == expected


@pytest.mark.parametrize("seed", [4, 10, 13])
def test_drawn_journals_mean_the_same_under_a_small_bound(seed, monkeypatch):
    playbook, batches = drawn(seed)
    results = []
    for bound in (outcomes.ROW_BYTES, 1):
        monkeypatch.setattr(outcomes, "ROW_BYTES", bound)
        engine = opened(playbook)
        for batch in batches:
            take(engine, batch)
        results.append(outcome(engine))
        results.append(outcome(Onevoice(Published.of(playbook), MemoryJournal(META, engine._journal.read()))))
    assert results == results[:1] * 4


def tried(call):
    for _ in range(200):
        try:
            return call()
        except OSError:
            continue
    raise AssertionError("never")


def test_a_part_is_a_view():
    """What one row decided may be large; cutting it takes no memory of its own."""
    whole = all_of(live())
    for part in outcomes.cut(None, whole):
        for ours, theirs in zip(part.outcome, whole, strict=True):
            assert np.shares_memory(ours, theirs) or not len(ours)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="a minute with the compiler off")
def test_a_row_that_decides_for_very_many_is_written_and_read_within_the_real_bound():
    people = 20_000
    engine = opened(playbook())
    lines = b"".join(b'{"type":"bought","identifiers":{"user_id":"u%d"}}\n' % number for number in range(people))
    engine.ingest(lines, time=START, decide=False)
    before = engine._journal.last().rows
    engine.tick(START + 6 * DAY)
    engine._writer.flush()
    rows = list(engine._journal.read())
    assert [row.kind for row in rows[before + 1 :]] == [Kind.DECISIONS] * (len(rows) - before - 1)
    assert len(rows) - before > 3
    assert max(len(row.payload) for row in rows) < outcomes.ROW_BYTES + 4_096
    journal = MemoryJournal(META, rows[:-2])
    again = Onevoice(Published.of(playbook()), journal)
    assert [row.digest for row in journal.read()] == [row.digest for row in rows]
    assert again.decision_count == engine.decision_count > 5 * people
