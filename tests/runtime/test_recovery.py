"""What a start finds on the disk, and what it says when that is not as it should be."""

from __future__ import annotations

import shutil
from contextlib import closing

import apsw
import pytest

from onevoice.errors import JournalDamaged, JournalError
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind, Meta, Row
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import fold as folds
from onevoice.runtime import snapshot
from onevoice.runtime.fold import Published
from onevoice.runtime.node import SNAPSHOT_AT_CLOSE, Onevoice
from onevoice.runtime.opening import JOURNAL, SNAPSHOTS

from .cases import META, drawn, opened, outcome, take


@pytest.fixture
def data(tmp_path):
    """A folder with a journal, two snapshots of it, and rows after them; and what it means."""
    playbook, batches = drawn(7)
    engine = opened(playbook, tmp_path / "data")
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number in {len(batches) // 3, len(batches) // 2}:
            engine.snapshot()
    expected = outcome(engine)
    engine.close()
    return playbook, tmp_path / "data", expected


def snapshots(folder):
    return sorted((folder / SNAPSHOTS).iterdir())


def reopened(playbook, folder):
    with opened(playbook, folder) as engine:
        return outcome(engine), [mistake.what for mistake in engine.notes]


def rewrite_headers(paths, **changes):
    """Write snapshots anew, oldest first: each one removes those beyond it."""
    for found in [snapshot.load(path) for path in paths]:
        snapshot.save(found.path.parent, found.arrays, found.header | changes)


def test_a_start_takes_the_newest_snapshot_and_the_rest_of_the_journal(data, monkeypatch):
    playbook, folder, expected = data
    stepped = []
    step = folds.Fold.step
    monkeypatch.setattr(
        folds.Fold, "step", lambda self, row, batch=None: (stepped.append(row), step(self, row, batch))[1]
    )
    assert reopened(playbook, folder) == (expected, [])
    newest = snapshot.load(snapshots(folder)[-1])
    with closing(SqliteJournal(folder / JOURNAL)) as journal:
        rows = [row for row in journal.read(newest.header["rows"]) if row.kind is Kind.EVENTS]
    assert [row.digest for row in stepped] == [row.digest for row in rows]
    assert stepped


def test_a_damaged_snapshot_is_passed_over_with_a_note(data):
    playbook, folder, expected = data
    newest = snapshots(folder)[-1]
    content = bytearray(newest.read_bytes())
    content[64] ^= 1  # where the first array begins
    newest.write_bytes(content)
    found, notes = reopened(playbook, folder)
    assert found == expected
    assert len(notes) == 1
    assert "damaged" in notes[0]


def test_without_snapshots_the_journal_is_enough(data):
    playbook, folder, expected = data
    shutil.rmtree(folder / SNAPSHOTS)
    assert reopened(playbook, folder) == (expected, [])


@pytest.mark.parametrize("key", ["playbook", "program", "layout"])
def test_a_snapshot_of_another_version_is_passed_over_with_a_note(data, key):
    playbook, folder, expected = data
    rewrite_headers(snapshots(folder), **{key: "another"})
    assert reopened(playbook, folder) == (expected, [f"the snapshot has another {key}"] * 2)


def test_a_snapshot_of_another_journal_is_passed_over_with_a_note(data):
    playbook, folder, expected = data
    rewrite_headers(snapshots(folder)[-1:], chain="00" * 32)
    assert reopened(playbook, folder) == (expected, ["the snapshot is of another journal"])


def test_a_journal_that_ends_before_its_snapshot_is_told_of(data):
    """Rows that were acknowledged are lost; going on without a word would be the worst answer."""
    playbook, folder, _ = data
    with closing(SqliteJournal(folder / JOURNAL)) as journal:
        rows = list(journal.read())[:3]
    (folder / JOURNAL).unlink()
    shorter = SqliteJournal(folder / JOURNAL, new=META)
    shorter.append(rows)
    shorter.close()
    with pytest.raises(JournalDamaged, match="the journal ends before a snapshot that was made of it: rows are lost"):
        opened(playbook, folder)
    shutil.rmtree(folder / SNAPSHOTS)
    with opened(playbook, folder) as engine:
        assert engine.position == sum(row.count for row in rows)


def test_a_damaged_row_is_named(data):
    playbook, folder, _ = data
    shutil.rmtree(folder / SNAPSHOTS)
    with closing(apsw.Connection(str(folder / JOURNAL))) as journal:
        ((row, stored),) = journal.execute(
            "select rowid, payload from journal order by length(payload) desc limit 1"
        ).fetchall()
        damaged = bytearray(stored)
        damaged[len(damaged) // 2] ^= 1
        journal.execute("update journal set payload = ? where rowid = ?", (bytes(damaged), row))
    with pytest.raises(JournalDamaged, match=r"row \d+"):
        opened(playbook, folder)


def test_closing_writes_a_snapshot_only_where_that_is_worth_while(tmp_path):
    playbook, _ = drawn(7)
    engine = opened(playbook, tmp_path / "data")
    engine.ingest(b"{\n" * (SNAPSHOT_AT_CLOSE - 1))
    engine.close()
    assert not (tmp_path / "data" / SNAPSHOTS).exists()
    engine = opened(playbook, tmp_path / "data")
    engine.ingest(b"{\n")
    engine.close()
    assert len(snapshots(tmp_path / "data")) == 1


def test_a_step_that_was_broken_off_leaves_the_journal_right_and_says_so(data, monkeypatch):
    playbook, folder, _ = data
    engine = opened(playbook, folder)
    position = engine.position

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine._writer.fold.machine, "row", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.ingest(b"{\n{\n")
    for call in (engine.tick, engine.hash, lambda: engine.state({}), lambda: engine.run([])):
        with pytest.raises(JournalError, match="the state is in doubt"):
            call()
    before = snapshots(folder)
    assert engine.snapshot() is None
    engine.close()
    assert snapshots(folder) == before
    with opened(playbook, folder) as again:
        assert again.position == position + 2


def test_an_append_that_failed_may_be_tried_again(monkeypatch):
    """Nothing of it is in the state, and the decisions that were to go with it are not lost."""
    playbook, batches = drawn(7)
    whole, failing = opened(playbook), opened(playbook)
    append = failing._journal.append
    for batch in batches:
        take(whole, batch)
        with monkeypatch.context() as patch:
            patch.setattr(failing._journal, "append", _full)
            with pytest.raises(OSError, match="no room"):
                take(failing, batch)
        assert failing._journal.append == append
        take(failing, batch)
    assert outcome(failing) == outcome(whole)


def _full(_):
    raise OSError("no room")


def test_a_playbook_built_in_python_comes_back_from_the_journal():
    for seed in range(8):
        playbook, _ = drawn(seed)
        published = Published.of(playbook)
        assert Published.of_row(published.row(0, 0)) == published


def test_a_form_that_is_not_known_is_refused():
    playbook, _ = drawn(7)
    published = Published.of(playbook)
    journal = MemoryJournal(META)
    journal.append([published.row(0, 0), Row(Kind.EVENTS, 0, 1, 0, payload=b"x", form="csv")])
    with pytest.raises(JournalError, match="a form of payload that is not known"):
        Onevoice(published, journal)
    with pytest.raises(JournalError, match="a form of playbook that is not known"):
        Published.of_row(Row(Kind.PLAYBOOK, 0, 0, 0, payload=b"x", form="toml"))


def test_another_secret_gives_other_hashes():
    playbook, batches = drawn(7)
    one, other = opened(playbook), Onevoice(Published.of(playbook), MemoryJournal(Meta(bytes(16), 0)))
    for batch in batches:
        take(one, batch)
        take(other, batch)
    assert one.hash() != other.hash()
