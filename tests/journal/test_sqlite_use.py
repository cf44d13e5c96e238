"""How the SQLite journal behaves in use: memory, threads, size, and a log that was damaged."""

import random
import shutil
import tracemalloc
from threading import Thread

from onevoice.errors import JournalError
from onevoice.journal.port import Kind, Row
from onevoice.journal.sqlite import SqliteJournal


def row(number, payload=None, count=10):
    return Row(Kind.EVENTS, number * count, count, number, payload=payload or b'{"type":"page_viewed"}\n' * count)


def test_reading_and_opening_hold_one_payload_at_a_time(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    for number in range(60):
        journal.append([row(number, random.Random(number).randbytes(500_000))])
    journal.close()
    tracemalloc.start()
    try:
        journal = SqliteJournal(tmp_path / "journal.db")
        assert sum(len(item.payload) for item in journal.read()) == 30_000_000
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    journal.close()


def test_lines_are_stored_compressed_and_noise_as_it_is(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    noise = random.Random(1).randbytes(100_000)
    journal.append([row(0, b'{"type":"page_viewed","page":"retention-offers"}\n' * 2_000), row(1, noise)])
    sizes = [size for (size,) in journal._db.execute("SELECT length(payload) FROM journal ORDER BY number")]
    assert sizes[0] < 5_000
    assert sizes[1] == 100_000
    assert [item.payload for item in journal.read(1)] == [noise]
    journal.close()


def test_threads_may_read_while_one_appends(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    seen, wrong = [], []

    def read():
        try:
            for _ in range(20):
                positions = [item.position for item in journal.read()]
                if positions != [number * 10 for number in range(len(positions))]:
                    wrong.append(positions)
                seen.append(len(positions))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to fail with it
            wrong.append(error)

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(100):
        journal.append([row(number)])
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(seen) == 60
    assert len(list(journal.read())) == 100
    journal.close()


def test_a_damaged_log_ends_the_journal_early_and_never_alters_it(tmp_path):
    """Rows still in the write-ahead log can be lost to a bad disk; what is given back is always a true beginning."""
    seed = random.randrange(2**32)
    print("seed", seed)
    draw = random.Random(seed)
    live = tmp_path / "journal.db"
    journal = SqliteJournal(live)
    for number in range(30):
        journal.append([row(number)])
    copy = tmp_path / "copy.db"
    log = (tmp_path / "journal.db-wal").read_bytes()
    lengths = []
    for _ in range(40):
        shutil.copy(live, copy)
        offset = draw.randrange(len(log))
        damaged = log[:offset] + bytes([log[offset] ^ 1 << draw.randrange(8)]) + log[offset + 1 :]
        (tmp_path / "copy.db-wal").write_bytes(draw.choice([damaged, log[:offset]]))
        try:
            found = SqliteJournal(copy)
        except JournalError:
            continue
        rows = list(found.read())
        assert [item.position for item in rows] == [number * 10 for number in range(len(rows))]
        lengths.append(len(rows))
        found.close()
    assert lengths
    journal.close()
