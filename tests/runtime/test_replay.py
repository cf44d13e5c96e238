"""One journal, one state and one list of decisions: live or replayed, from snapshots or from nothing, however split."""

from __future__ import annotations

import random

import pytest

from onevoice.errors import JournalError
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind, Mode, Row
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


def test_asking_for_anything_changes_nothing():
    playbook, batches, engine = live(3)
    expected = outcome(engine)
    again = opened(playbook)
    for batch in batches:
        take(again, batch)
        for line in batch.lines:
            if line and line.get("identifiers"):
                again.state({kind: str(value) for kind, value in line["identifiers"].items() if value is not None})
        assert again.decisions_table().num_rows == sum(len(decision.lines) for decision in again.decisions())
    assert outcome(again) == expected


def test_a_journal_with_other_decisions_is_refused_and_says_where():
    playbook, _, engine = live(1)
    engine._writer.flush()
    rows = list(engine._journal.read())
    first = next(number for number, row in enumerate(rows) if row.kind is Kind.DECISIONS)
    journal = MemoryJournal(META)
    others = [row for row in rows[first + 1 :] if row.kind is Kind.DECISIONS]
    journal.append([*rows[:first], Row(Kind.DECISIONS, rows[first].position, 0, 0, Mode.LIVE, others[0].payload)])
    with pytest.raises(
        JournalError, match=f"journal row {first}: replay decides otherwise than was decided"
    ) as refusal:
        Onevoice(Published.of(playbook), journal)
    assert "another version of Onevoice" in str(refusal.value)
