"""Runs of journal rows, and what each is about, sorted, so that one customer's lines are found without reading others.

A mark is an identifier, the id by which a sender's event is known when it comes twice, or a group that is joined. Of
it 32 bits are kept beside 32 bits of position: 8 bytes a mark. What is found by them may be about somebody else, and is
looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.events.batch import (
    HASH_HIGH,
    HASH_LOW,
    ID,
    IDENTIFIER_WIDTH,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    ITEM,
    LINE,
    OCCURRED_AT,
    ROW_WIDTH,
    TYPE,
)
from onevoice.events.pyarrow_untyped import pa
from onevoice.journal.port import Kind, Mode
from onevoice.runtime.payloads import NDJSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.journal.port import Row

EVERY: Final = 16  # of so many lines the first has its place in the payload written down
NOBODYS: Final = np.int64(1 << 32)  # the mark of lines that name nobody
SWITCHES: Final = np.int64(2 << 32)  # and of those among them that pause, resume or stop
SPAN_MAX: Final = 2**32  # lines and rows of a run are counted in 32 bits

# Columns of `Run.rows`.
NUMBER: Final = 0  # of the journal row
POSITION: Final = 1  # of its first line
BEFORE: Final = 2  # journal time before it, µs UTC
PLACES: Final = 3  # where in `places` its own begin; -1: its lines have none

_SPREAD: Final = np.int64(-7046029254386353131)  # odd: keeps the halves of an identifier apart
_BITS: Final = np.uint64(32)
_LOW: Final = np.uint64(SPAN_MAX - 1)


class Run(NamedTuple):
    """Journal rows `[first, after)`, of which the first line has a position.

    marks: uint64, sorted; 32 bits of a mark, then the line's position, counted from the run's.
    decided: uint64, sorted; a customer's number plus one, then the DECISIONS row, counted from the run's first.
    rows: int64[n, 4], the EVENTS rows that have lines; places: uint32, of every EVERY-th line of a row its first byte.
    late: int64[n, 2], position and journal time of lines of an import that came after a later one.
    books: int64[n], the PLAYBOOK rows. stretches: int64[n, 3], the last EVENTS row of each stretch of rows that are
    taken alike, the journal time after it, and whether it was only observed.
    """

    first: int
    after: int
    position: int
    marks: NDArray[np.uint64]
    decided: NDArray[np.uint64]
    rows: NDArray[np.int64]
    places: NDArray[np.uint32]
    late: NDArray[np.int64]
    books: NDArray[np.int64]
    stretches: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How much there is to merge."""
        return len(self.marks) + len(self.decided) + len(self.rows)


ARRAYS: Final = Run._fields[3:]


class Given(NamedTuple):
    """A journal row with its number, of EVENTS with its lines decoded, and with the groups that these join.

    `joined`: marks of groups, and which of the events each is of.
    """

    number: int
    row: Row
    batch: Batch | None
    joined: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None


def mark_of(low: Any, high: Any) -> Any:
    """Return 64 bits for the two halves of an identifier's hash."""
    with np.errstate(over="ignore"):
        return low ^ (high * _SPREAD)


def marks_of(identifiers: NDArray[np.int64], events: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the marks of some rows of a batch with these identifiers, and which of the rows each is of."""
    counts = events[:, IDENTIFIERS_TO] - events[:, IDENTIFIERS_FROM]
    first = np.repeat(events[:, IDENTIFIERS_FROM] - np.cumsum(counts) + counts, counts)
    which = identifiers[first + np.arange(len(first))]
    with_id = np.flatnonzero(events[:, ID])
    marks = [mark_of(which[:, HASH_LOW], which[:, HASH_HIGH]), mark_of(events[with_id, ID], np.ones(1, np.int64))]
    return np.concatenate(marks), np.concatenate([np.repeat(np.arange(len(events)), counts), with_id])


def keys_of(marks: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return where in a run a mark's lines begin."""
    return marks.view(np.uint64) >> _BITS << _BITS


def run_of(
    given: Sequence[Given], now: int, of_nobody: NDArray[np.bool_], switching: NDArray[np.bool_]
) -> tuple[Run, int]:
    """Return rows that follow each other as a run, and the journal time after them, `now` being that before.

    `of_nobody`: which event types are about no customer, with one more for those that are not known; `switching`: the
    same of those that pause, resume or stop.
    """
    heads = [each for each in given if each.batch is not None]
    identifiers, events, edges = _joined([(each.row, each.batch) for each in heads if each.batch is not None])
    found = _Rows()
    for each, start, stop in zip(heads, edges, edges[1:], strict=False):
        now = found.add(each.number, each.row, events[start:stop], now)
    base = (heads or given)[0].row.position
    books = np.array([each.number for each in given if each.row.kind is Kind.PLAYBOOK], np.int64)
    marks, of = _with_joined(marks_of(identifiers, events), heads, edges)
    nobody = (events[:, IDENTIFIERS_FROM] == events[:, IDENTIFIERS_TO]) | of_nobody[events[:, TYPE]]
    switches = switching[events[:, TYPE]]
    lines = np.concatenate([events[of, LINE], events[nobody, LINE], events[switches, LINE]]) - base
    apart = (np.full(int(nobody.sum()), NOBODYS), np.full(int(switches.sum()), SWITCHES))
    keys = keys_of(np.concatenate([marks, *apart])) | lines.astype(np.uint64)
    return Run(
        first=given[0].number,
        after=given[-1].number + 1,
        position=base,
        marks=np.sort(keys),
        decided=_decided(given),
        rows=_table(found.rows, 4),
        places=np.concatenate([np.empty(0, np.uint32), *found.places]),
        late=np.concatenate([_table([], 2), *found.late]),
        books=books,
        stretches=_without_inner(_table(found.stretches, 3), books),
    ), now


def _with_joined(
    marked: tuple[NDArray[np.int64], NDArray[np.int64]], given: Sequence[Given], edges: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return marks, and which of the events each is of, with those of the groups that the rows' events join."""
    joined = [(*each.joined, start) for each, start in zip(given, edges, strict=False) if each.joined is not None]
    marks, of = marked
    return (
        np.concatenate([marks, *(own for own, _, _ in joined)]),
        np.concatenate([of, *(events + start for _, events, start in joined)]),
    )


@dataclass
class _Rows:
    """What is noted of EVENTS rows by themselves."""

    rows: list[tuple[int, int, int, int]] = field(default_factory=list["tuple[int, int, int, int]"])
    places: list[NDArray[np.uint32]] = field(default_factory=list["NDArray[np.uint32]"])
    late: list[NDArray[np.int64]] = field(default_factory=list["NDArray[np.int64]"])
    stretches: list[tuple[int, int, int]] = field(default_factory=list["tuple[int, int, int]"])
    placed: int = 0

    def add(self, number: int, row: Row, events: NDArray[np.int64], now: int) -> int:
        """Note a row and its lines; return the journal time after it, `now` being that before."""
        before = now
        if row.mode & Mode.IMPORT:
            times = np.maximum(np.maximum.accumulate(events[:, OCCURRED_AT]), now)
            behind = times != events[:, OCCURRED_AT]
            self.late.append(np.stack([events[behind, LINE], times[behind]], axis=1))
            now = int(times[-1]) if len(times) else now
        else:
            now = max(now, row.stamp_us)
        if row.count:
            own = _places(row)
            self.rows.append((number, row.position, before, self.placed if len(own) else -1))
            self.places.append(own)
            self.placed += len(own)
        self.stretches.append((number, now, int(bool(row.mode & Mode.OBSERVE))))
        return now


def merged(a: Run, b: Run) -> Run:
    """Return two runs that follow each other as one."""
    lines, rows = np.uint64((b.position - a.position) % 2**64), np.uint64(b.first - a.first)
    later = b.rows.copy()
    later[later[:, PLACES] >= 0, PLACES] += len(a.places)
    books = np.concatenate([a.books, b.books])
    return Run(
        first=a.first,
        after=b.after,
        position=a.position,
        marks=np.sort(np.concatenate([a.marks, b.marks + lines])),
        decided=np.sort(np.concatenate([a.decided, b.decided + rows])),
        rows=np.concatenate([a.rows, later]),
        places=np.concatenate([a.places, b.places]),
        late=np.concatenate([a.late, b.late]),
        books=books,
        stretches=_without_inner(np.concatenate([a.stretches, b.stretches]), books),
    )


def fits(a: Run, b: Run) -> bool:
    """Tell whether two runs can be merged: what is counted from the first row stays within 32 bits."""
    ends = int(b.rows[-1, POSITION]) if len(b.rows) else b.position
    return ends - a.position < SPAN_MAX // 2 and b.after - a.first < SPAN_MAX


def events_in(run: Run) -> int:
    """Return how many lines of a run are events: each of them has a mark, and a line that was rejected has none."""
    lines = (run.marks & _LOW).astype(np.int64)
    is_event = np.zeros(int(lines.max(initial=-1)) + 1, np.bool_)
    is_event[lines] = True
    return int(np.count_nonzero(is_event))


def found_in(keys: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the low halves of the keys whose high half is that of a wanted one."""
    starts, stops = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted | _LOW, side="right")
    found = [keys[start:stop] & _LOW for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    return np.concatenate([np.empty(0, np.uint64), *found]).astype(np.int64)


def _joined(given: Iterable[tuple[Row, Batch]]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int]]:
    """Return the identifiers of all rows; their events, with positions for lines; where each row's events begin."""
    identifiers, rows, edges, count = (
        [np.empty((0, IDENTIFIER_WIDTH), np.int64)],
        [np.empty((0, ROW_WIDTH), np.int64)],
        [0],
        0,
    )
    for row, batch in given:
        events = batch.rows[batch.rows[:, ITEM] == 0]
        events[:, LINE] += row.position
        events[:, IDENTIFIERS_FROM : IDENTIFIERS_TO + 1] += count
        count += len(batch.identifiers)
        identifiers.append(batch.identifiers)
        rows.append(events)
        edges.append(edges[-1] + len(events))
    return np.concatenate(identifiers), np.concatenate(rows), edges


def _decided(given: Sequence[Given]) -> NDArray[np.uint64]:
    found = [np.empty(0, np.uint64)]
    for each in given:
        if each.row.kind is Kind.DECISIONS:
            with pa.ipc.open_stream(each.row.payload) as reader:
                about = np.unique(reader.read_next_batch().column("customer").to_numpy())
            found.append((about + 1).astype(np.uint64) << _BITS | np.uint64(each.number - given[0].number))
    return np.sort(np.concatenate(found))


def customers_keys(customers: Iterable[int]) -> NDArray[np.uint64]:
    """Return where in a run the decisions about these customers begin; nobody is -1."""
    return (np.array(sorted(customers), np.int64) + 1).astype(np.uint64) << _BITS


def _places(row: Row) -> NDArray[np.uint32]:
    """Return where every EVERY-th line of a payload begins; nothing where lines have no bytes of their own."""
    if row.form != NDJSON:
        return np.empty(0, np.uint32)
    if row.count <= EVERY:
        return np.zeros(1, np.uint32)
    ends = np.flatnonzero(np.frombuffer(row.payload, np.uint8) == ord("\n"))
    begins = np.append(0, ends + 1)
    begins = begins[np.append(ends, len(row.payload)) > begins]
    if len(begins) != row.count:  # some lines are blank without being empty
        begins = np.array([start for start, line in _spread(row.payload) if line.strip()])
    return begins[::EVERY].astype(np.uint32)


def _spread(payload: bytes) -> Iterable[tuple[int, bytes]]:
    start = 0
    for line in payload.split(b"\n"):
        yield start, line
        start += len(line) + 1


def _without_inner(stretches: NDArray[np.int64], books: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep of rows that are taken alike the last, and before each playbook."""
    under = np.searchsorted(books, stretches[:, 0])
    differs = (stretches[1:, 2] != stretches[:-1, 2]) | (under[1:] != under[:-1])
    return stretches[np.append(differs, np.ones(min(1, len(stretches)), np.bool_))]


def _table(rows: list[tuple[int, ...]], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(-1, width)
