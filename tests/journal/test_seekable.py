"""Payloads in frames: any part of them, whatever wrote them."""

import random

import pyarrow as pa
import pytest

from onevoice.journal import seekable
from onevoice.journal.port import Kind, Row
from onevoice.journal.seekable import FRAME_BYTES
from onevoice.journal.sqlite import SqliteJournal

ZSTD = pa.Codec("zstd", compression_level=1)
SIZES = (1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 200_001)


def drawn(size):
    return bytes(random.Random(size).choices(b"onevoice\n", k=size))


@pytest.mark.parametrize("size", SIZES)
def test_what_reads_zstandard_reads_it(size):
    payload = drawn(size)
    assert ZSTD.decompress(seekable.packed(payload), size, asbytes=True) == payload


@pytest.mark.parametrize("size", SIZES)
def test_no_more_than_the_frames_of_a_part_are_read(size):
    payload = drawn(size)
    stored = seekable.packed(payload)
    asked = []

    def read(offset, count):
        asked.append(count)
        return stored[offset : offset + count]

    frames = seekable.frames_of(read, len(stored))
    assert len(frames) == (-(-size // FRAME_BYTES) + 1 if size > FRAME_BYTES else 0)
    asked.clear()
    for start in range(0, size if frames else 0, 9_999):
        stop = min(size, start + 500)
        assert seekable.part(read, frames, size, start, stop) == payload[start:stop]
    assert all(count < 2 * FRAME_BYTES for count in asked)


def test_a_journal_of_before_is_read_in_part(tmp_path, monkeypatch):
    """Its rows are one frame each, without a table."""
    payload = drawn(200_000)
    with monkeypatch.context() as before:
        before.setattr(seekable, "packed", lambda payload: ZSTD.compress(payload, asbytes=True))
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        journal.append([Row(Kind.EVENTS, 0, 3, 1_000, payload=payload)])
        journal.close()
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.append([Row(Kind.EVENTS, 3, 3, 1_000, payload=payload)])
    for row in journal.read():
        assert row.payload == payload
    for number in (0, 1):
        assert journal.part(number, 99_990, 100_010).payload == payload[99_990:100_010]
    journal.close()
