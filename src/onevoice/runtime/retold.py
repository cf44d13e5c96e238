"""A journal as a rehearsal has it: the same lines came in, and what is decided about them is the rehearsal's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.engine import state as at
from onevoice.journal.port import Kind, Row
from onevoice.runtime import outcomes
from onevoice.runtime.numbering import renumber
from onevoice.runtime.span import BEGINNING, rows_between

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from onevoice.engine.machine import Outcome
    from onevoice.journal.port import Journal
    from onevoice.runtime.fold import Fold, Published
    from onevoice.runtime.span import Past, Place

_LENGTH_BYTES: Final = 8


class _Part(NamedTuple):
    """The rows of a window up to a split: where they end, how many bytes of decisions are kept by then, and rows."""

    end: Place
    kept: int
    rows: int


class Retold:
    """The rows before a window, then its lines with what is decided about them, those between two splits together.

    `past`: the journal as it was where the window begins, None at its beginning; `published` takes over there.
    """

    def __init__(self, journal: Journal, past: Past | None, place: Place, published: Published, kept: Kept) -> None:
        self._journal = journal
        self._past = past
        self._in_force = published.row(0, 0)
        self._kept = kept
        self._parts = [_Part(place, 0, 1 if past is None else past.last().rows + 1)]
        self.rows = self._parts[0].rows

    def add(self, row: Row, outcome: Outcome) -> None:
        """Take note of a row of the window, and of what it decided."""
        self.rows += 1 + self._kept.append(row, outcome)

    def split(self, number: int) -> None:
        """End a part at a row of the journal that keeps people apart, or no more."""
        self._parts.append(_Part(BEGINNING._replace(row=number), self._kept.size, self.rows))

    def read(self, from_row: int = 0) -> Iterator[Row]:
        """Yield the rows up to the last split, from a number on."""
        for number, row in enumerate(self._all()):
            if number >= from_row:
                yield row

    def _all(self) -> Iterator[Row]:
        if self._past is not None:
            yield from self._past.read()
        yield self._in_force
        for before, part in zip(self._parts, self._parts[1:], strict=False):
            rows = rows_between(self._journal, before.end, part.end)
            yield from (row for _, row in rows if row.kind is Kind.EVENTS)
            for payload in self._kept.read(before.kept, part.kept):
                yield Row(Kind.DECISIONS, 0, 0, 0, payload=payload, form=outcomes.FORM)

    def decided(self, fold: Fold) -> Iterator[Outcome]:
        """Yield what was decided in the window, the customers as a state at its end counts them."""
        ends = [(part.kept, part.rows) for part in self._parts[1:]] + [(self._kept.size, self.rows)]
        start = 0
        for stop, rows in ends:
            for payload in self._kept.read(start, stop):
                outcome = outcomes.decode(payload)
                renumber(fold, outcome.decisions[:, at.D_CUSTOMER], rows - 1)
                yield outcome
            start = stop


class Kept:
    """Outcomes in a file, in order, to be read again; `size` is how many bytes there are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = 0
        path.touch()

    def append(self, row: Row, outcome: Outcome) -> int:
        """Add what a row decided, in parts of bounded size; return how many."""
        count = 0
        with self._path.open("ab") as file:
            for each in outcomes.cut(row, outcome):
                payload = outcomes.encode(each.outcome)
                self.size += file.write(len(payload).to_bytes(_LENGTH_BYTES) + payload)
                count += 1
        return count

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield what was added between two sizes, encoded."""
        with self._path.open("rb") as file:
            file.seek(start)
            while file.tell() < stop:
                yield file.read(int.from_bytes(file.read(_LENGTH_BYTES)))
