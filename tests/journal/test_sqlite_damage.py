"""Whatever is changed in the file is found at open, or at the latest when the row is read, and named."""

import os
import random
import re
import shutil
from pathlib import Path
from zlib import crc32

import apsw
import pytest

from onevoice.errors import JournalDamaged, JournalError
from onevoice.journal.port import Kind, Meta, Row
from onevoice.journal.sqlite import SqliteJournal, salvage

META = Meta(secret=bytes(range(16)), created_us=1_700_000_000_000_000, shard=2)
ROWS = 12
COLUMNS = ["shard", "kind", "position", "count", "stamp_us", "mode", "form", "length", "digest", "chain"]
COLUMNS += ["stored_check", "payload"]


def row(number):
    payload = random.Random(number).randbytes(5_000) + b'{"type":"page_viewed"}' * 2_000
    return Row(Kind.EVENTS, number * 10, 10, 1_000 + number, payload=payload)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    journal = SqliteJournal(path, new=META)
    for number in range(ROWS):
        journal.append([row(number)])
    journal.close()
    return path


@pytest.fixture
def path(whole, tmp_path):
    return Path(shutil.copy(whole, tmp_path / "journal.db"))


def sql(path, *statements):
    db = apsw.Connection(str(path))
    for statement in statements:
        db.execute(statement)
    db.close()


def flipped(value, draw):
    """The value with one bit changed, of the same type."""
    if isinstance(value, int):
        return value ^ (1 << draw.randrange(60))
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(7)
    return bytes(raw) if isinstance(value, bytes) else raw.decode()


@pytest.mark.parametrize("column", COLUMNS)
def test_a_flipped_bit_in_any_column_is_found_at_open_and_named(path, column):
    seed = random.randrange(2**32)
    print("seed", seed)
    draw = random.Random(seed)
    number = draw.randrange(ROWS)
    db = apsw.Connection(str(path))
    value = db.execute(f"SELECT {column} FROM journal WHERE number = ?", (number,)).fetchall()[0][0]
    db.execute(f"UPDATE journal SET {column} = ? WHERE number = ?", (flipped(value, draw), number))
    db.close()
    with pytest.raises(JournalDamaged, match=rf"journal\.db row {number}: ") as damage:
        SqliteJournal(path)
    mistake = damage.value.mistakes[0]
    assert mistake.expected
    assert mistake.found
    assert "restore the journal from a backup" in mistake.mend


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DELETE FROM journal WHERE number = 4"], "row 4: the row is missing"),
        (["DELETE FROM journal WHERE number = 0"], "row 0: the row is missing"),
        (["DELETE FROM journal WHERE number = 11"], "row 11: the row is missing"),
        (["UPDATE head SET rows = 11"], "row 11: the row is beyond the journal's end; expected 11 rows; found row 11"),
        (["UPDATE head SET rows = 13"], "row 12: the row is missing"),
        (["UPDATE head SET chain = zeroblob(32)"], "row 12: the row does not begin where the journal ends"),
        (["DELETE FROM head"], "the file does not say where it ends"),
        (
            [
                "UPDATE journal SET number = -1 WHERE number = 3",
                "UPDATE journal SET number = 3 WHERE number = 4",
                "UPDATE journal SET number = 4 WHERE number = -1",
            ],
            "row 3: the row breaks the chain",
        ),
        (["UPDATE journal SET form = CAST(X'FFFE' AS TEXT) WHERE number = 5"], "row 5: the row cannot be read"),
        (["UPDATE journal SET kind = 77 WHERE number = 5"], "row 5: the row has an unreadable column"),
        (["UPDATE meta SET secret = zeroblob(16)"], "the file has an altered meta"),
        (["UPDATE meta SET shard = 3"], "the file has an altered meta"),
        (["UPDATE meta SET shard = -1"], "the file has an unreadable meta"),
        (["UPDATE meta SET secret = zeroblob(15)"], "the file has an unreadable meta"),
        (["DELETE FROM meta"], "the file has an unreadable meta"),
        (["DROP TABLE head"], "the file is damaged"),
        (["PRAGMA user_version = 0"], "the file has an unknown format; expected 1; found 0"),
    ],
)
def test_missing_swapped_and_altered_rows_are_named(path, statements, words):
    sql(path, *statements)
    with pytest.raises(JournalDamaged, match=re.escape(words)):
        SqliteJournal(path)


def test_a_row_of_another_journal_breaks_the_chain(path, tmp_path):
    other = SqliteJournal(tmp_path / "other.db")
    other.append([row(0)])
    other.close()
    sql(
        path,
        f"ATTACH '{tmp_path / 'other.db'}' AS other",
        "UPDATE journal SET chain = (SELECT chain FROM other.journal) WHERE number = 0",
    )
    with pytest.raises(JournalDamaged, match="row 0: the row breaks the chain"):
        SqliteJournal(path)


def test_a_payload_altered_together_with_its_check_is_found_when_it_is_read(path):
    payload = row(7).payload[::-1]
    db = apsw.Connection(str(path))
    db.execute("UPDATE journal SET payload = ?, stored_check = ? WHERE number = 7", (payload, crc32(payload)))
    db.close()
    journal = SqliteJournal(path)
    reader = journal.read()
    assert [next(reader).position for _ in range(7)] == list(range(0, 70, 10))
    with pytest.raises(JournalDamaged, match=r"row 7: the row has another payload"):
        next(reader)
    journal.close()


def test_a_byte_flipped_anywhere_in_the_file_is_never_taken_for_the_journal(path, whole):
    """Every outcome is ours: a named error, or (in bytes that hold nothing) the very same rows."""
    seed = random.randrange(2**32)
    print("seed", seed)
    draw = random.Random(seed)
    rows, size = [row(number) for number in range(ROWS)], path.stat().st_size
    found = 0
    for _ in range(150):
        shutil.copy(whole, path)
        with path.open("r+b") as file:
            offset = draw.choice([draw.randrange(size), draw.randrange(size), draw.randrange(100)])
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ (1 << draw.randrange(8))]))
        try:
            journal = SqliteJournal(path)
        except JournalError:
            found += 1
            continue
        assert [item.payload for item in journal.read()] == [item.payload for item in rows], offset
        assert [item.stamp_us for item in journal.read()] == [item.stamp_us for item in rows], offset
        journal.close()
    assert found > 30


def test_a_truncated_file_names_the_first_torn_row(path):
    os.truncate(path, path.stat().st_size * 3 // 4)
    with pytest.raises(JournalDamaged, match=r"journal\.db row \d+: the row "):
        SqliteJournal(path)


@pytest.mark.parametrize("share", [0.001, 0.004, 0.01, 0.2, 0.5, 0.9, 0.999])
def test_a_file_cut_anywhere_is_refused(path, share):
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(JournalError, match=r"journal\.db"):
        SqliteJournal(path)


def test_what_is_whole_can_be_kept(path, tmp_path):
    sql(path, "UPDATE journal SET stamp_us = stamp_us + 1 WHERE number = 7")
    with pytest.raises(
        JournalDamaged, match=r"keep rows 0 to 6 by onevoice\.journal\.sqlite\.salvage\(journal, into, rows=7\)"
    ):
        SqliteJournal(path)
    before = path.read_bytes()
    with pytest.raises(JournalDamaged, match="row 7: the row breaks the chain"):
        salvage(path, tmp_path / "more.db", rows=8)
    head = salvage(path, tmp_path / "kept.db", rows=7)
    assert path.read_bytes() == before
    kept = SqliteJournal(tmp_path / "kept.db")
    assert (kept.meta, kept.last()) == (META, head)
    assert [item.payload for item in kept.read()] == [row(number).payload for number in range(7)]
    kept.append([row(7)])
    kept.close()
    with pytest.raises(JournalError, match="cannot salvage"):
        salvage(path, tmp_path / "kept.db", rows=3)


def test_rows_before_a_cut_can_be_kept(path, tmp_path):
    os.truncate(path, path.stat().st_size * 3 // 4)
    with pytest.raises(JournalDamaged) as damage:
        SqliteJournal(path)
    rows = int(re.search(r"rows=(\d+)", str(damage.value))[1])
    assert rows > 0
    assert salvage(path, tmp_path / "kept.db", rows=rows).rows == rows
