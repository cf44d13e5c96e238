"""One journal, one state and one list of decisions: live or replayed, from snapshots or from nothing, however split."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from onevoice.engine import state as at
from onevoice.engine.machine import Outcome
from onevoice.errors import JournalError
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind
from onevoice.runtime import outcomes
from onevoice.runtime.fold import Published
from onevoice.runtime.node import Onevoice

from .cases import META, drawn, opened, outcome, take

SEEDS = range(12)


def live(seed):
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    return playbook, batches, engine


def busy():
    """Return the first drawn case that decides ten times or more."""
    return next(case for case in map(live, itertools.count()) if case[2].decision_count >= 10)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_journal_replayed_is_what_it_was_live(seed):
    playbook, _, engine = live(seed)
    expected = outcome(engine)
    rows = list(engine._journal.read())
    again = Onevoice(Published.of(playbook), MemoryJournal(META, rows))
    assert outcome(again) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_that_a_crash_kept_out_of_the_journal_are_made_again_once(seed):
    playbook, _, engine = live(seed)
    expected = outcome(engine)
    rows = list(engine._journal.read())
    while rows and rows[-1].kind is Kind.DECISIONS:
        rows.pop()
    journal = MemoryJournal(META, rows)
    assert outcome(Onevoice(Published.of(playbook), journal)) == expected
    assert outcome(Onevoice(Published.of(playbook), journal)) == expected
    assert [row.digest for row in journal.read()] == [row.digest for row in engine._journal.read()]


@pytest.mark.parametrize("seed", SEEDS)
def test_starts_and_snapshots_in_between_change_nothing(seed, tmp_path):
    playbook, batches, engine = live(seed)
    expected = outcome(engine)
    dice = random.Random(seed)
    again = opened(playbook, tmp_path / "data")
    for batch in batches:
        take(again, batch)
        if dice.random() < 0.1:
            again.snapshot()
        if dice.random() < 0.1:
            again.close()
            again = opened(playbook, tmp_path / "data", snapshot_every=dice.choice([1, 20, 1_000]))
    assert outcome(again) == expected
    again.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_may_be_split_anywhere(seed):
    playbook, batches, engine = live(seed)
    expected = outcome(engine)
    again = opened(playbook, piece_lines=random.Random(seed).randint(1, 5))
    for batch in batches:
        take(again, batch)
    assert outcome(again) == expected


@pytest.mark.parametrize("seed", [0, 4, 10, 13])
def test_decisions_from_a_position_on_are_the_last_of_all(seed, tmp_path):
    """Whatever lies before that position: playbooks, decisions that were written late, starts from a snapshot."""
    playbook, batches = drawn(seed)
    engine = opened(playbook, tmp_path / "data")
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number in {len(batches) // 3, len(batches) // 2}:
            engine.publish(replace(playbook, name=f"playbook{number}"))
        if number % 3 == 0:
            engine._writer.flush()
    for _ in range(2):
        whole, table = list(engine.decisions()), engine.decisions_table()
        for since in range(engine.position + 2):
            assert list(engine.decisions(since=since)) == [one for one in whole if one.position >= since]
            expected = table.filter(pa.compute.greater_equal(table["position"], since))
            assert engine.decisions_table(since).to_pylist() == expected.to_pylist()
        engine.snapshot()
        in_force = engine.playbook
        engine.close()
        engine = opened(in_force, tmp_path / "data")
    engine.close()


def test_decisions_from_a_position_on_are_not_looked_for_in_every_row(monkeypatch):
    engine = opened(drawn(4)[0])
    for number in range(1_000):
        engine.ingest([{"type": "nothing"}], time=number)
    read = []
    fetch = engine._journal.read
    monkeypatch.setattr(engine._journal, "read", lambda number=0: (read.append(row) or row for row in fetch(number)))
    assert list(engine.decisions(since=990)) == []
    assert len(read) < 30


def test_asking_for_anything_changes_nothing():
    playbook, batches, engine = busy()
    expected = outcome(engine)
    again = opened(playbook)
    for batch in batches:
        take(again, batch)
        for line in batch.lines:
            if line and line.get("identifiers"):
                again.state({kind: str(value) for kind, value in line["identifiers"].items() if value is not None})
        assert again.decisions_table().num_rows == sum(len(decision.lines) for decision in again.decisions())
    assert outcome(again) == expected


def otherwise(outcome):
    outcome.decisions[-1, at.D_CUSTOMER] += 1


def less(outcome):
    """Leave the first decision out."""
    number = outcome.decisions[0, at.D_NUMBER]
    lines = outcome.lines[:, at.L_DECISION] > number
    return Outcome(outcome.decisions[1:], outcome.lines[lines], outcome.figures[lines])


def none(outcome):
    return outcomes.nothing()


def more(outcome):
    """Add one that was never made."""
    extra = outcome.decisions[-1:].copy()
    extra[0, at.D_NUMBER] += 1
    return Outcome(np.concatenate([outcome.decisions, extra]), outcome.lines, outcome.figures)


@pytest.mark.parametrize("change", [otherwise, less, none, more])
def test_a_journal_with_other_decisions_is_refused_and_says_where(change):
    playbook, _, engine = busy()
    engine._writer.flush()
    rows = list(engine._journal.read())
    place = max(number for number, row in enumerate(rows) if row.kind is Kind.DECISIONS)
    outcome = outcomes.decode(rows[place].payload)
    payload = outcomes.encode(change(outcome) or outcome)
    journal = MemoryJournal(META)
    journal.append([*rows[:place], replace(rows[place], payload=payload), *rows[place + 1 :]])
    with pytest.raises(JournalError, match=r"journal row \d+: replay decides otherwise than was decided") as refusal:
        Onevoice(Published.of(playbook), journal)
    assert "another version of Onevoice" in str(refusal.value)


def test_decisions_that_are_missing_before_a_swap_are_refused():
    """Those at the end are made up for; in the middle they were written once, or the journal would not go on."""
    playbook, _, engine = busy()
    engine._writer.flush()
    rows = [row for row in engine._journal.read() if row.kind is not Kind.DECISIONS]
    journal = MemoryJournal(META)
    changed = Published.of(replace(playbook, name="other"))
    journal.append([*rows, changed.row(engine.position, 0)])
    with pytest.raises(JournalError, match="replay decides otherwise than was decided"):
        Onevoice(changed, journal)
