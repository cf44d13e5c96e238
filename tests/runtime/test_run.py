"""Files of events: taken in order, each once, and from where the journal ends."""

from __future__ import annotations

import gzip
import random
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onevoice.errors import EventError, LimitError
from onevoice.events.built import encode_ndjson
from onevoice.journal import port
from onevoice.journal.port import Kind
from onevoice.playbook.model import Aggregate, EventMatch, EventType, FieldType, Identifier, Measure, Playbook
from onevoice.runtime import payloads
from onevoice.runtime.payloads import cut, without

from .cases import opened

PLAYBOOK = Playbook(
    "shop",
    identifiers={"user_id": Identifier("user_id")},
    events={"bought": EventType("bought", {"amount": FieldType.NUMBER})},
    measures={"spent": Measure("spent", Aggregate.SUM, EventMatch("bought"), "amount")},
)


def events(count, start=0):
    return [
        {
            "type": "bought",
            "time": f"2026-01-01T00:00:{number % 60:02d}Z",
            "identifiers": {"user_id": "ada"},
            "fields": {"amount": number + 0.5},
        }
        for number in range(start, start + count)
    ]


def spent(engine):
    return engine.state({"user_id": "ada"}).measures["spent"]


def written(path, found):
    lines = encode_ndjson(found)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(lines))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(found), path, row_group_size=40)
    else:
        path.write_bytes(lines)
    return path


FORMS = ["events.ndjson", "events.ndjson.gz", "events.parquet"]


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("seed", range(5))
def test_a_file_that_was_begun_is_gone_on_with_whatever_the_size_of_its_pieces(name, seed, tmp_path):
    file = written(tmp_path / name, events(200))
    dice = random.Random(seed)
    engine = opened(PLAYBOOK, tmp_path / "data")
    taken = 0
    for _ in range(4):

        def stop(done):
            if dice.random() < 0.4:
                raise StoppedError

        with suppress(StoppedError):
            engine.run([file], stop)
        assert engine.position >= taken
        taken = engine.position
        engine.close()
        engine = opened(PLAYBOOK, tmp_path / "data", piece_lines=dice.randint(1, 60))
    engine.run([file])
    assert (engine.position, spent(engine)) == (200, sum(range(200)) + 100)
    engine.close()


def test_a_listener_that_raises_leaves_state_and_journal_alike(tmp_path):
    """Also while its exception, and with it every frame, is still held."""
    engine = opened(PLAYBOOK, piece_lines=10)

    def stop(done):
        raise StoppedError

    with pytest.raises(StoppedError) as held:
        engine.run([written(tmp_path / "events.ndjson", events(100))], stop)
    assert engine.position == engine._writer.fold.machine.position == 20
    assert engine.ingest(events(1)).position == 21
    assert held.tb is not None


def test_a_file_that_is_taken_is_passed_over_under_any_name(tmp_path):
    first = written(tmp_path / "first.ndjson", events(20))
    engine = opened(PLAYBOOK)
    assert engine.run([first, first]).lines == 20
    copy = tmp_path / "copy.ndjson"
    copy.write_bytes(first.read_bytes())
    assert engine.run([copy]).lines == 0


def test_another_file_of_the_same_name_is_another_file(tmp_path):
    engine = opened(PLAYBOOK)
    assert engine.run([written(tmp_path / "events.ndjson", events(20))]).lines == 20
    assert engine.run([written(tmp_path / "events.ndjson", events(20, 20))]).lines == 20
    assert spent(engine) == sum(range(40)) + 20


def test_a_file_that_changed_while_it_was_begun_is_refused(tmp_path):
    def stop(done):
        raise StoppedError

    engine = opened(PLAYBOOK, piece_lines=5)
    with pytest.raises(StoppedError):
        engine.run([written(tmp_path / "events.ndjson", events(20))], stop)
    with pytest.raises(EventError, match=r"the file was begun \(\d+ events are taken\) and has changed since"):
        engine.run([written(tmp_path / "events.ndjson", events(21))])


def test_a_file_that_breaks_in_the_middle_keeps_what_came_before(tmp_path):
    """What is in the journal is in the state, also when the source of more has failed."""
    path = tmp_path / "events.ndjson.gz"
    whole = gzip.compress(encode_ndjson(events(4_000)))
    path.write_bytes(whole[: len(whole) // 2])
    engine = opened(PLAYBOOK, piece_lines=10)
    with pytest.raises(EventError, match="cannot be read"):
        engine.run([path])
    assert engine.position == engine._writer.fold.machine.position
    written(tmp_path / "good.ndjson", events(3))
    assert engine.run([tmp_path / "good.ndjson"]).lines == 3


def test_an_empty_file_is_done_at_once(tmp_path):
    engine = opened(PLAYBOOK)
    assert engine.run([written(tmp_path / "events.ndjson", [])]).lines == 0
    assert [row.kind for row in engine._journal.read()] == [Kind.PLAYBOOK, Kind.FILE]
    assert engine.run([tmp_path / "events.ndjson"]).lines == 0


def test_progress_and_rejections_are_told_as_they_come(tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_bytes(encode_ndjson(events(7)) + b"{\n" + encode_ndjson(events(5)))
    counts, refused = [], []
    engine = opened(PLAYBOOK, piece_lines=5)
    assert engine.run([path], counts.append, on_rejected=refused.append).lines == 13
    assert counts == [5, 10, 13]
    assert [mistake.where.split(":")[0] for mistake in refused] == [f"{path} line 8"]


@pytest.mark.parametrize("lines_max", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_pieces_joined_are_the_whole(lines_max, ending):
    lines = b"\n".join([b"{}", b"", b"[1]", b"x" * 40, b" ", b"{}", b"{}"]) + ending
    pieces = list(cut(lines, lines_max))
    assert b"".join(piece.payload for piece in pieces) == lines
    assert all(piece.payload.count(b"\n") <= lines_max for piece in pieces)
    assert [piece.taken for piece in pieces][-1] == len(lines)
    for taken in range(len(lines) + 1):
        rest = [without(piece, taken) for piece in pieces]
        assert b"".join(piece.payload for piece in rest if piece) == lines[taken:]


def test_pieces_have_a_limit_of_bytes_but_a_line_is_never_cut(monkeypatch):
    monkeypatch.setattr(payloads, "PIECE_BYTES", 10)
    assert [piece.payload for piece in cut(b"1234\n5678\n9\n" + b"x" * 30 + b"\n1\n")] == [
        b"1234\n5678\n",
        b"9\n",
        b"x" * 30 + b"\n",
        b"1\n",
    ]


def test_a_piece_beyond_the_journals_limit_is_refused_and_the_rest_stays(monkeypatch):
    monkeypatch.setattr(port, "PAYLOAD_BYTES_MAX", 3_000)
    engine = opened(PLAYBOOK)
    engine.ingest(events(2))
    with pytest.raises(LimitError, match="the payload is too large"):
        engine.ingest(events(100))
    assert engine.ingest(events(3)).position == 5
