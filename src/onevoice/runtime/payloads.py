"""What comes in, cut to pieces of bounded size, in the form in which a journal row keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

import numpy as np

from onevoice.errors import EventError, JournalError, Mistake
from onevoice.events.arrow import decode_arrow
from onevoice.events.batch import Times
from onevoice.events.built import encode_ndjson
from onevoice.events.decode import decode_ndjson
from onevoice.events.files import pieces
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.journal.port import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onevoice.events.batch import Batch
    from onevoice.events.schema import Schema

PIECE_LINES: Final = 16_384
PIECE_LINES_MAX: Final = 1_000_000
PIECE_BYTES: Final = 4_000_000

NDJSON: Final = "ndjson"
ARROW: Final = "arrow"

# Mappings; newline-delimited JSON; a file; a pyarrow Table, RecordBatch or RecordBatchReader.
Events: TypeAlias = "Iterable[Mapping[str, Any]] | bytes | str | Path | Table"


class Piece(NamedTuple):
    """Part of what came in. `table` is the payload of an Arrow piece before it was written down.

    `taken`: how far its source is used up after it, in bytes of lines or rows of a table.
    """

    payload: bytes
    form: str
    taken: int
    table: Table | None = None


def cut(events: Events, lines_max: int = PIECE_LINES) -> Iterator[Piece]:
    """Cut events of any form into pieces of at most `lines_max` lines and PIECE_BYTES, but never within a line.

    Raises EventError for what is no form of events, or a value that JSON cannot hold.
    """
    taken = 0
    for part in _parts(events):
        if isinstance(part, bytes):
            for lines in _cut_lines(part, lines_max):
                taken += len(lines)
                yield Piece(lines, NDJSON, taken)
            continue
        for start in range(0, part.num_rows, lines_max):
            table = part.slice(start, lines_max)
            taken += int(table.num_rows)
            yield Piece(_ipc(table), ARROW, taken, table)


def without(piece: Piece, taken: int) -> Piece | None:
    """Return what of a piece lies beyond `taken` of its source; None where nothing does."""
    left = piece.taken - taken
    if piece.table is None:
        return piece._replace(payload=piece.payload[-left:]) if left > 0 else None
    if left <= 0:
        return None
    table = piece.table.slice(max(0, piece.table.num_rows - left))
    return piece._replace(payload=_ipc(table), table=table)


def sliced(payload: bytes, form: str, start: int, stop: int) -> bytes:
    """Return lines `[start, stop)` of a journal row's payload as a payload of the same form."""
    if form == ARROW:
        return _ipc(_table(payload).slice(start, stop - start))
    lines = [line for line in payload.split(b"\n") if line.strip()]
    return b"".join(line + b"\n" for line in lines[start:stop])


def decoded(piece: Piece, mode: Mode, stamp: int, schema: Schema, secret: tuple[int, int]) -> Batch:
    """Return the columns of a piece, or of a journal row's payload; `mode` and `stamp` are those of the row.

    What is taken for the time of an event depends on the row alone, so that a replay rejects the same lines. An import
    takes its time from the events: there nothing says where in history a line without a time belongs.
    """
    times = Times(stamp, needed=bool(mode & Mode.IMPORT))
    if piece.form == NDJSON:
        return decode_ndjson(piece.payload, schema, secret, times)
    if piece.form == ARROW:
        table = _table(piece.payload) if piece.table is None else piece.table
        return decode_arrow(table, schema, secret, times=times)
    mistake = Mistake("a form of payload that is not known", "journal", f"{NDJSON} or {ARROW}", piece.form)
    raise JournalError(mistake)


def _parts(events: Events) -> Iterator[bytes | Table]:
    if isinstance(events, (str, Path)):
        yield from pieces(events)
    elif isinstance(events, (bytes, pa.Table, pa.RecordBatch)):
        yield cast("Any", events)
    elif isinstance(events, pa.RecordBatchReader):
        yield from cast("Any", events)
    else:
        yield _lines_of(cast("Iterable[Mapping[str, Any]]", events))


def _lines_of(events: Iterable[Mapping[str, Any]]) -> bytes:
    expected = "mappings with `type` and `identifiers`, NDJSON as bytes, the path of a file, or an Arrow table"
    if isinstance(events, Mapping) or not hasattr(events, "__iter__"):
        mend = "put a single event into a list"
        raise EventError(Mistake("no events", "ingest", expected, f"{type(cast('object', events)).__name__}", mend))
    return encode_ndjson(events)


def _cut_lines(part: bytes, lines_max: int) -> Iterator[bytes]:
    """Cut after each `lines_max`-th newline, and sooner where that would be too many bytes."""
    ends = np.flatnonzero(np.frombuffer(part, np.uint8) == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(part):
        ends = np.append(ends, len(part))
    start, line = 0, 0
    while start < len(part):
        fits = int(np.searchsorted(ends, start + PIECE_BYTES, side="right"))
        line = max(line + 1, min(line + lines_max, fits))
        stop = int(ends[line - 1])
        yield part[start:stop]
        start = stop


def _ipc(table: Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write(table)
    return sink.getvalue().to_pybytes()


def _table(payload: bytes) -> Table:
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()
