"""Our journals against the contract."""

import pytest

from onevoice.journal.memory import MemoryJournal
from onevoice.journal.sqlite import SqliteJournal
from tests.journal.contract import JournalContract


class TestMemory(JournalContract):
    @pytest.fixture
    def opened(self):
        made = []

        def open_again():
            journal = MemoryJournal(made[-1].meta, made[-1]._rows) if made else MemoryJournal()
            made.append(journal)
            return journal

        return open_again


class TestSqlite(JournalContract):
    @pytest.fixture
    def opened(self, tmp_path):
        made = []

        def open_again():
            made.append(SqliteJournal(tmp_path / "journal.db"))
            return made[-1]

        yield open_again
        for journal in made:
            journal.close()
