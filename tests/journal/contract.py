"""What every journal must do. A stranger's adapter passes this suite as ours do:

class TestMine(JournalContract):
    @pytest.fixture
    def opened(self, tmp_path):
        return lambda: MyJournal(tmp_path / "store")    # called again: opens the same store again
"""

import random
from dataclasses import replace

import pytest

from onevoice.errors import JournalError, LimitError
from onevoice.journal import port
from onevoice.journal.port import STAMP_NEVER, Kind, Mode, Row, genesis, seal


def batch(position, count=3, stamp_us=1_000, payload=None, **more):
    payload = b'{"type":"page_viewed"}\n' * count if payload is None else payload
    return Row(Kind.EVENTS, position, count, stamp_us, payload=payload, **more)


def drawn_rows(seed, count=40):
    """Rows of every kind, mode and size that follow each other."""
    draw = random.Random(seed)
    position, rows = 0, []
    for number in range(count):
        kind = draw.choice([Kind.EVENTS, Kind.EVENTS, Kind.DECISIONS, Kind.PLAYBOOK])
        lines = draw.choice([0, 1, 2, 1_000])
        mode = Mode(draw.randint(0, 3))
        payload = draw.choice([draw.randbytes(99), b"", b"x", b'{"type":"page_viewed"}' * 900])
        speaks_to = position if kind is Kind.EVENTS else draw.randint(0, position)
        form = draw.choice(["ndjson", "arrow", "yaml-files"])
        rows.append(Row(kind, speaks_to, lines, number * 7 - 20, mode, payload, form))
        position += lines if kind is Kind.EVENTS else 0
    return rows


def content(row):
    return (row.kind, row.position, row.count, row.stamp_us, row.mode, row.payload, row.form)


class JournalContract:
    def test_a_new_journal_is_empty(self, opened):
        journal = opened()
        assert journal.last() == genesis(journal.meta)
        assert (journal.last().rows, journal.last().position, journal.last().stamp_us) == (0, 0, STAMP_NEVER)
        assert list(journal.read()) == []

    @pytest.mark.parametrize("seed", range(3))
    def test_it_gives_back_what_was_appended(self, opened, seed):
        rows = drawn_rows(seed)
        journal = opened()
        journal.append(rows)
        assert list(map(content, journal.read())) == list(map(content, rows))

    def test_part_of_a_row_is_what_the_whole_has_there(self, opened):
        letters = random.Random(3).choices(b"onevoice\n", k=200_000)
        payloads = [bytes(letters), bytes(letters[:40_000]), bytes(letters[:32_768]), b'{"type":"page_viewed"}', b""]
        journal = opened()
        journal.append(drawn_rows(3))
        for payload in payloads:
            journal.append([batch(journal.last().position, payload=payload)])
        for number, whole in enumerate(journal.read()):
            assert journal.part(number) == whole
            for start, stop in (
                (0, 0),
                (0, 10),
                (5, 40),
                (32_760, 32_780),
                (65_536, 98_304),
                (9, 10**6),
                (10**6, 10**7),
            ):
                assert journal.part(number, start, stop) == replace(whole, payload=whole.payload[start:stop])

    def test_rows_are_sealed_alike_by_every_journal(self, opened):
        journal, rows = opened(), drawn_rows(1)
        head, sealed = genesis(journal.meta), []
        for row in rows:
            whole, head = seal(row, head, journal.meta, "by hand")
            sealed.append(whole)
        journal.append(rows)
        assert list(journal.read()) == sealed
        assert journal.last() == head

    def test_how_rows_are_grouped_into_appends_leaves_no_trace(self, opened):
        rows = drawn_rows(2)
        journal = opened()
        meta, draw = journal.meta, random.Random(2)
        while rows:
            size = draw.randint(1, 7)
            journal.append(rows[:size])
            rows = rows[size:]
        head = genesis(meta)
        for row in drawn_rows(2):
            _, head = seal(row, head, meta, "by hand")
        assert journal.last() == head

    def test_it_opens_again_where_it_was_closed(self, opened):
        journal = opened()
        journal.append(drawn_rows(3))
        before, meta, rows = journal.last(), journal.meta, list(journal.read())
        journal.close()
        again = opened()
        assert (again.last(), again.meta, list(again.read())) == (before, meta, rows)
        again.append([batch(before.position, stamp_us=10**6)])
        assert again.last().rows == before.rows + 1

    @pytest.mark.parametrize("from_row", [0, 1, 39, 40, 1_000])
    def test_it_reads_from_any_row(self, opened, from_row):
        journal = opened()
        journal.append(drawn_rows(4))
        assert list(journal.read(from_row)) == list(journal.read())[from_row:]

    def test_a_reader_sees_what_is_appended_meanwhile(self, opened):
        journal = opened()
        journal.append([batch(0)])
        reader = journal.read()
        next(reader)
        journal.append([batch(3)])
        assert [row.position for row in reader] == [3]

    def test_an_append_of_nothing_is_nothing(self, opened):
        journal = opened()
        journal.append([])
        assert journal.last().rows == 0

    def test_a_tick_moves_time_and_not_the_position(self, opened):
        journal = opened()
        journal.append([batch(0), batch(3, count=0, stamp_us=2_000)])
        assert (journal.last().position, journal.last().stamp_us) == (3, 2_000)

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            (batch(4, stamp_us=2_000), "positions have a gap; expected 3; found 4"),
            (batch(2, stamp_us=2_000), "positions have a gap; expected 3; found 2"),
            (batch(3, stamp_us=999), "journal time went back; expected at least 1000; found 999"),
            (Row(Kind.DECISIONS, 4, 1, 1_000), "events not yet in; expected 0 to 3; found 4"),
        ],
    )
    def test_a_row_that_does_not_continue_is_refused_with_its_whole_append(self, opened, row, words):
        journal = opened()
        journal.append([batch(0)])
        before = journal.last()
        with pytest.raises(JournalError) as refusal:
            journal.append([row])
        assert words in str(refusal.value)
        assert "row 1" in str(refusal.value)
        with pytest.raises(JournalError):
            journal.append([Row(Kind.DECISIONS, 3, 1, 1_000), row])
        assert journal.last() == before
        assert len(list(journal.read())) == 1

    def test_a_payload_over_the_limit_is_refused(self, opened, monkeypatch):
        journal = opened()
        monkeypatch.setattr(port, "PAYLOAD_BYTES_MAX", 1_000)
        journal.append([batch(0, payload=b"x" * 1_000)])
        with pytest.raises(LimitError, match="at most 1,000 bytes; found 1,001 bytes; split the batch"):
            journal.append([batch(3, payload=b"x" * 1_001)])

    def test_a_closed_journal_refuses_by_name(self, opened):
        journal = opened()
        journal.append([batch(0)])
        reader = journal.read()
        journal.close()
        journal.close()
        for use in (journal.last, journal.read, lambda: journal.append([batch(3)]), lambda: next(reader)):
            with pytest.raises(JournalError, match="the journal is closed; open it again"):
                use()
