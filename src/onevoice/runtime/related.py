"""Whom a customer hangs together with, and the lines of the journal that are about them.

Who somebody is depends on others only through shared identifiers, and what is decided also on those who are or were in
a group with them that is asked or counted; so all lines are taken that hang together by either. Folding those founds
and merges the same customers, in the same order, as folding everything did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

import msgspec
import numpy as np

from onevoice.engine import state as at
from onevoice.engine.names import hashes
from onevoice.engine.store import COUNT
from onevoice.errors import LimitError, Mistake
from onevoice.events.batch import (
    HASH_HIGH,
    HASH_LOW,
    ID,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    ITEM,
    LINE,
    TYPE,
)
from onevoice.events.built import encode_ndjson
from onevoice.events.pyarrow_untyped import pa
from onevoice.journal.port import Kind, Mode
from onevoice.program import E_FACTS_FROM, E_FACTS_TO, FACT_MEMBERS, KEY_PART, USE_CLOSES, USE_FACT, USE_PART
from onevoice.runtime import customer as customers
from onevoice.runtime.payloads import NDJSON
from onevoice.runtime.span import journal_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal, Row
    from onevoice.runtime.fold import Fold

RELATED_MAX: Final = 10_000  # customers
_SPREAD: Final = np.int64(-7046029254386353131)  # odd: keeps the halves of an identifier apart

_Value = TypeVar("_Value")


class _Marks(NamedTuple):
    """What lines carry that can make them hang together: position of a line, its journal time, hash of the mark.

    A mark is an identifier, the id by which a sender's event is known when it comes twice, or a group that is joined.
    """

    position: NDArray[np.int64]
    now: NDArray[np.int64]
    mark: NDArray[np.int64]
    nobodys: NDArray[np.int64]  # position and journal time of the lines that name nobody: int64[2, n]
    ends: list[int]  # journal time after each EVENTS row


class Line(NamedTuple):
    """One line that concerns the customer, as a row of its own; `now`: its journal time in µs UTC."""

    row: Row
    batch: Batch
    content: dict[str, Any]
    now: int


class Related(NamedTuple):
    """The customers of a state that hang together, in order of founding, and where the lines about them stand.

    A fold of these lines alone numbers them 0, 1, 2, … in that order. `position` and `now` (the journal time, µs UTC)
    are one per line; lines that name nobody, as world events, are among them. `ends` is the journal time after each
    EVENTS row.
    """

    customers: list[int]
    position: NDArray[np.int64]
    now: NDArray[np.int64]
    ends: list[int]


def related(journal: Journal, fold: Fold, customer: int) -> Related:
    """Return with whom a customer of a state hangs together.

    Raises LimitError where these are more than RELATED_MAX.
    """
    lines = _marks(journal, fold)
    identifiers = _hanging_together(lines, _identifiers_of(fold, customer))
    ours = np.isin(lines.mark, identifiers)
    named = np.stack([lines.position[ours], lines.now[ours]])
    position, now = np.unique(np.concatenate([named, lines.nobodys], axis=1), axis=1)
    customers = _founders(fold, identifiers)
    if len(customers) > RELATED_MAX:
        expected, mend = f"at most {RELATED_MAX:,}", "is a group known by a value that everybody shares?"
        raise LimitError(Mistake("too many hang together", "groups", expected, f"{len(customers):,} customers", mend))
    return Related(customers, position, now, lines.ends)


def lines_of(journal: Journal, fold: Fold, found: Related) -> Iterator[Line | Row]:
    """Yield the lines in the journal's order, decoded under a fold's playbook; between them its other rows."""
    for row in journal.read(0):
        if row.kind is not Kind.EVENTS:
            yield row
            continue
        first, last = np.searchsorted(found.position, [row.position, row.position + row.count])
        positions, nows = found.position[first:last], found.now[first:last].tolist()
        for position, now, line in zip(positions.tolist(), nows, _lines(row, positions), strict=True):
            alone = replace(row, position=position, count=1, payload=line, form=NDJSON)
            yield Line(alone, fold.decoded(alone), msgspec.json.decode(line), now)
        yield row


def _marks(journal: Journal, fold: Fold) -> _Marks:
    """Read the whole journal for who is named where, and when."""
    found = [np.empty((3, 0), np.int64)]
    nobodys = [np.empty((2, 0), np.int64)]
    ends: list[int] = []
    now = at.NEVER
    of_nobody = np.array([not layout.has_customer for layout in fold.compiled.schema.types] + [False])
    for row in journal.read(0):
        if row.kind is Kind.EVENTS:
            batch = fold.decoded(row)
            events = batch.rows[batch.rows[:, ITEM] == 0]
            times = journal_times(row, events, now)
            now = max(now, int(times.max(initial=at.NEVER if row.mode & Mode.IMPORT else row.stamp_us)))
            ends.append(now)
            named = np.stack([events[:, LINE] + row.position, times])
            counts = events[:, IDENTIFIERS_TO] - events[:, IDENTIFIERS_FROM]
            first = np.repeat(events[:, IDENTIFIERS_FROM] - np.cumsum(counts) + counts, counts)
            which = batch.identifiers[first + np.arange(len(first))]
            identifiers = _hash(which[:, HASH_LOW], which[:, HASH_HIGH])
            found.append(np.vstack([np.repeat(named, counts, axis=1), identifiers]))
            nobodys.append(named[:, (counts == 0) | of_nobody[events[:, TYPE]]])
            with_id = events[:, ID] != 0
            found.append(np.vstack([named[:, with_id], _hash(events[with_id, ID], np.ones(1, np.int64))]))
            found += [np.vstack([named[:, here], marks]) for here, marks in _joined(fold, batch)]
    position, journal_time, mark = np.concatenate(found, axis=1)
    return _Marks(position, journal_time, mark, np.concatenate(nobodys, axis=1), ends)


def _joined(fold: Fold, batch: Batch) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield which events of a batch join groups of a kind that is asked or counted, and the marks of those."""
    program = fold.compiled.program
    first = np.flatnonzero(batch.rows[:, ITEM] == 0)
    named = hashes(batch.names, fold.secret)
    for kind in np.flatnonzero(program.facts[:, FACT_MEMBERS]).tolist():
        joins = (program.fact_uses[:, USE_FACT] == kind) & (program.fact_uses[:, USE_CLOSES] == 0)
        for use in np.flatnonzero(joins).tolist():
            spans = program.event_types
            event = np.flatnonzero((spans[:, E_FACTS_FROM] <= use) & (use < spans[:, E_FACTS_TO]))
            here = np.flatnonzero(np.isin(batch.rows[first, TYPE], event))
            keys = _keys(batch, first[here], int(program.fact_uses[use, USE_PART]), named)
            yield here[keys != 0], _hash(keys[keys != 0], np.full(1, kind + 2, np.int64))


def _keys(batch: Batch, rows: NDArray[np.int64], part: int, named: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the 64-bit hashes of a part of a key in some rows, 0 where it is NULL."""
    if part >= KEY_PART:
        return batch.keys[rows, part - KEY_PART]
    codes = batch.values[rows, part]
    known = ~np.isnan(codes)
    found = np.zeros(len(rows), np.int64)
    found[known] = named[codes[known].astype(np.int64)]
    return found


def _hash(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    with np.errstate(over="ignore"):
        return low ^ (high * _SPREAD)


def _identifiers_of(fold: Fold, customer: int) -> NDArray[np.int64]:
    state = fold.machine.state
    rows = state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]]
    own = customers.survivors(state)[rows[:, at.ID_CUSTOMER]] == customer
    return np.unique(_hash(rows[own, at.ID_LOW], rows[own, at.ID_HIGH]))


def _hanging_together(lines: _Marks, identifiers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return these identifiers and all that ever stood in one line with one of them, and so on."""
    count = -1
    while len(identifiers) != count:
        count = len(identifiers)
        together = np.unique(lines.position[np.isin(lines.mark, identifiers)])
        identifiers = np.union1d(identifiers, lines.mark[np.isin(lines.position, together)])
    return identifiers


def _founders(fold: Fold, identifiers: NDArray[np.int64]) -> list[int]:
    """Return the customers who were founded by one of these identifiers, in order of founding."""
    state = fold.machine.state
    founding = state.customers[: state.pools[at.CUSTOMERS, COUNT]]
    hashes = _hash(founding[:, at.FOUNDING_LOW], founding[:, at.FOUNDING_HIGH])
    return np.flatnonzero(np.isin(hashes, identifiers)).tolist()


def _lines(row: Row, positions: NDArray[np.int64]) -> list[bytes]:
    """Return some lines of a row as JSON."""
    if not len(positions):
        return []
    wanted = positions - row.position
    if row.form == NDJSON:
        lines = [line for line in row.payload.split(b"\n") if line.strip()]
        return [lines[index] for index in wanted.tolist()]
    table = pa.ipc.open_stream(row.payload).read_all().take(pa.array(wanted))
    return [encode_ndjson([_without_nulls(line)]) for line in table.to_pylist()]


def _without_nulls(value: _Value) -> _Value:
    """Return a value of an Arrow table as it would stand in JSON, where what is not there is left out."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return cast("_Value", {key: _without_nulls(each) for key, each in found.items() if each is not None})
    if isinstance(value, list):
        return cast("_Value", [_without_nulls(each) for each in cast("list[Any]", value)])
    return value
