"""What the world can do to the file, and what the operator is told."""

import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import gettempdir

import apsw
import pytest

from onevoice.errors import JournalError
from onevoice.journal.port import Kind, Row
from onevoice.journal.sqlite import SqliteJournal


def row(position=0, payload=b"x\n"):
    return Row(Kind.EVENTS, position, 1, 1_000, payload=payload)


def refusal(path):
    with pytest.raises(JournalError) as error:
        SqliteJournal(path)
    return str(error.value)


def test_a_second_process_is_told_that_the_journal_is_in_use(tmp_path):
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    code = f"from onevoice.journal.sqlite import SqliteJournal; SqliteJournal({str(path)!r})"
    for _ in range(2):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "the journal is in use; found" in second.stderr
        assert "stop the other process" in second.stderr
        journal.append([row(journal.last().position)])
    assert "the journal is in use" in refusal(path)
    journal.close()
    SqliteJournal(path).close()


def test_another_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE t(a)")
    db.close()
    before = path.read_bytes()
    assert "this is no journal; expected a file made by Onevoice; found another SQLite database" in refusal(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_file_is_left_as_it_is(tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'{"type":"page_viewed"}\n' * 1_000)
    before = path.read_bytes()
    assert "this is no journal" in refusal(path)
    assert path.read_bytes() == before


def test_a_newer_format_asks_for_an_upgrade(tmp_path):
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    db = apsw.Connection(str(path))
    db.execute("PRAGMA user_version = 2")
    db.close()
    assert "the journal is of a newer format; expected at most 1; found 2; upgrade Onevoice" in refusal(path)


def test_a_missing_folder_is_named(tmp_path):
    assert "the journal cannot be opened" in refusal(tmp_path / "missing" / "journal.db")
    assert "see that the folder exists" in refusal(tmp_path)


@contextmanager
def bound_by_permissions(folder):
    """Be a user whom permissions bind; root is let through everywhere."""
    for parent in takewhile(Path(gettempdir()).__ne__, (folder, *folder.parents[:3])):
        parent.chmod(0o755)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    with bound_by_permissions(tmp_path):
        if os.access(locked, os.W_OK, effective_ids=True):
            locked.chmod(0o555)
        assert "the journal cannot be opened" in refusal(locked / "journal.db")


def test_a_file_that_may_not_be_written_is_named(tmp_path):
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    path.chmod(0o444)
    with bound_by_permissions(tmp_path):
        assert "the journal may not be written; give this user the right to write" in refusal(path)


def test_a_full_disk_keeps_what_was_acknowledged_and_takes_more_when_there_is_room(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.append([row()])
    pages = journal._db.execute("PRAGMA page_count").fetchall()[0][0]
    journal._db.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
    before = journal.last()
    with pytest.raises(JournalError, match=r"the disk is full; nothing was kept of this; .*make room"):
        journal.append([row(1), row(2, os.urandom(200_000))])
    assert journal.last() == before
    assert len(list(journal.read())) == 1
    journal._db.execute("PRAGMA max_page_count = 1000000").fetchall()
    journal.append([row(1), row(2, os.urandom(200_000))])
    journal.close()
    again = SqliteJournal(tmp_path / "journal.db")
    assert again.last().rows == 3
    again.close()


class BrokenDisk(apsw.VFS):
    """A disk whose syncs fail once `broken` is set."""

    def __init__(self):
        super().__init__("broken-disk", "")
        self.broken = False

    def xOpen(self, name, flags):  # noqa: N802 - SQLite's name
        disk = self

        class File(apsw.VFSFile):
            def xSync(self, flags):  # noqa: N802 - SQLite's name
                if disk.broken:
                    raise apsw.IOError("no such device")
                super().xSync(flags)

        return File("", name, flags)

    def excepthook(self, *_):
        """SQLite answers the error; nothing more is to be said."""


def test_after_a_failed_sync_nothing_more_is_taken_until_the_journal_is_opened_again(tmp_path):
    disk = BrokenDisk()
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path, vfs="broken-disk")
    journal.append([row()])
    disk.broken = True
    with pytest.raises(JournalError, match="the disk failed"):
        journal.append([row(1)])
    disk.broken = False
    for use in (lambda: journal.append([row(1)]), journal.last, journal.read):
        with pytest.raises(JournalError, match=r"an earlier write failed.*open the journal again"):
            use()
    journal.close()
    again = SqliteJournal(path)
    assert again.last().rows in {1, 2}  # not acknowledged: it may be there, whole, or not
    again.append([row(again.last().position)])
    again.close()


def test_a_file_left_by_a_creation_that_did_not_finish_is_made_new(tmp_path):
    path = tmp_path / "journal.db"
    path.touch()
    SqliteJournal(path).close()
    half = tmp_path / "half.db"
    db = apsw.Connection(str(half))
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.close()
    SqliteJournal(half).close()


def test_a_place_without_a_log_is_refused():
    words = refusal(":memory:")
    assert "the journal cannot be durable here; expected a write-ahead log; found memory" in words
