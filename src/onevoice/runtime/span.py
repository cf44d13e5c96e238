"""A journal by time: the place at which an instant lies, the journal as it was there, and the rows between two places.

A row of an import spans days, so a place can lie within a row: which lines of a row come in together changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice.engine import state as at
from onevoice.events.batch import ITEM, LINE, OCCURRED_AT
from onevoice.events.schema import Schema
from onevoice.journal.port import PAYLOAD_BYTES_MAX, Head, Kind, Mode, Row
from onevoice.runtime.fold import Published
from onevoice.runtime.payloads import Piece, decoded, sliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from onevoice.journal.port import Journal, Meta


class Place(NamedTuple):
    """Where an instant lies in a journal: at a row, of whose lines so many come before it.

    `observing`: whether the time up to the instant passes without starting wishes, as it does before an observing row.
    """

    row: int
    line: int = 0
    observing: bool = False


BEGINNING: Final = Place(0)


def place_of(journal: Journal, time: int, secret: tuple[int, int]) -> Place | None:
    """Return where the first line with a journal time of at least `time` (µs UTC) lies, None where there is none."""
    schema: Schema | None = None
    now = at.NEVER
    for number, row in enumerate(journal.read(0)):
        if row.kind is Kind.PLAYBOOK:
            schema = Schema(Published.of_row(row).playbook)
        elif row.kind is Kind.EVENTS:
            assert schema is not None, "a journal begins with its playbook"
            line, now = _first_line(row, schema, secret, now, time)
            if line is not None:
                return Place(number, line, bool(row.mode & Mode.OBSERVE))
    return None


def _first_line(row: Row, schema: Schema, secret: tuple[int, int], now: int, time: int) -> tuple[int | None, int]:
    """Return the first line of a row at `time` or after it, if there is one, and the journal time after the row."""
    if not row.mode & Mode.IMPORT:
        now = max(now, row.stamp_us)
        return (0 if now >= time else None), now
    rows = decoded(Piece(row.payload, row.form, 0), row.mode, row.stamp_us, schema, secret).rows
    events = rows[rows[:, ITEM] == 0]
    times = journal_times(row, events, now)
    first = int(np.searchsorted(times, time))
    line = int(events[first, LINE]) if first < len(events) else None
    return line, int(times.max(initial=now))


def journal_times(row: Row, events: NDArray[np.int64], now: int) -> NDArray[np.int64]:
    """Return int64[events]: the journal time of each, `now` being that of the row before."""
    own = events[:, OCCURRED_AT] if row.mode & Mode.IMPORT else np.full(len(events), row.stamp_us)
    return np.maximum(np.maximum.accumulate(own), now)


def rows_between(journal: Journal, first: Place, last: Place | None) -> Iterator[tuple[int, Row]]:
    """Yield the rows from one place to another, or to the end, that say what came in, or what is in force.

    With their numbers; those at the places are cut.
    """
    for number, row in enumerate(journal.read(first.row), first.row):
        if last is not None and (number, 0) >= last[:2]:
            return
        if row.kind is Kind.PLAYBOOK:
            yield number, row
        elif row.kind is Kind.EVENTS:
            start = first.line if number == first.row else 0
            stop = last.line if last is not None and number == last.row else row.count
            if start < stop or row.count == 0:
                yield number, part(row, start, stop)


def part(row: Row, start: int, stop: int) -> Row:
    """Return lines `[start, stop)` of an EVENTS row as a row of their own."""
    if (start, stop) == (0, row.count):
        return row
    payload = sliced(row.payload, row.form, start, stop)
    return replace(row, position=row.position + start, count=stop - start, payload=payload)


def passing(position: int, time: int, *, observing: bool) -> Row:
    """Return an EVENTS row without lines that lets time pass to the last instant before `time`."""
    return Row(Kind.EVENTS, position, 0, time - 1, Mode.OBSERVE if observing else Mode.LIVE)


class Past:
    """A journal as it was at a place that is not its beginning, time having passed to the last instant before `time`.

    What is added is kept in memory. `heard` is called with the position up to which it was read, each time further.
    """

    def __init__(self, journal: Journal, place: Place, time: int, heard: Callable[[int], None]) -> None:
        self._journal = journal
        self._place = place
        self._heard = heard
        self._furthest = 0
        row = next(iter(journal.read(place.row)))
        self._more = [part(row, 0, place.line)] if place.line else []
        self._more.append(passing(row.position + place.line, time, observing=place.observing))

    @property
    def meta(self) -> Meta:
        """That of the journal."""
        return self._journal.meta

    def read(self, from_row: int = 0) -> Iterator[Row]:
        """Yield the rows from a number on."""
        for number, row in enumerate(self._journal.read(from_row), from_row):
            if number >= self._place.row:
                break
            self._tell(row)
            yield row
        yield from self._more[max(0, from_row - self._place.row) :]

    def part(self, number: int, start: int = 0, stop: int = PAYLOAD_BYTES_MAX) -> Row:
        """Return a row, of its payload the bytes `[start, stop)`."""
        if number < self._place.row:
            return self._journal.part(number, start, stop)
        row = self._more[number - self._place.row]
        return replace(row, payload=row.payload[start:stop])

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows after the place."""
        self._more += rows

    def last(self) -> Head:
        """Return the end; nothing binds the rows after the place to those before it."""
        last = [row for row in self._more if row.kind is Kind.EVENTS][-1]
        return Head(self._place.row + len(self._more), last.position + last.count, last.stamp_us, b"")

    def close(self) -> None:
        """Let go of what was added; the journal stays open."""
        self._more.clear()

    def _tell(self, row: Row) -> None:
        if row.kind is Kind.EVENTS and row.position + row.count > self._furthest:
            self._furthest = row.position + row.count
            self._heard(self._furthest)
