"""A journal that lives as long as its process: for tests, rehearsal and questions asked of a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.journal.port import (
    PAYLOAD_BYTES_MAX,
    Head,
    Meta,
    Row,
    closed,
    genesis,
    seal,
    verify_chain,
    verify_payload,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WHERE = "journal in memory"


class MemoryJournal:
    """Rows in a list. `sealed` takes over the rows of another journal with the same meta, verified."""

    def __init__(self, meta: Meta | None = None, sealed: Iterable[Row] = ()) -> None:
        self._meta = meta or Meta.fresh()
        self._rows: list[Row] = []
        self._heads = [genesis(self._meta)]  # the head before each row, and after the last
        self._open = True
        for row in sealed:
            self._heads.append(self._verify(row, len(self._rows)))
            self._rows.append(row)

    @property
    def meta(self) -> Meta:
        """What was fixed when the journal was made."""
        return self._meta

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows at the end, all or none."""
        self._check_open()
        sealed: list[Row] = []
        heads = [self._heads[-1]]
        for row in rows:
            whole, head = seal(row, heads[-1], self._meta, _WHERE)
            sealed.append(whole)
            heads.append(head)
        self._rows.extend(sealed)
        self._heads.extend(heads[1:])

    def read(self, from_row: int = 0) -> Iterator[Row]:
        """Yield the rows from number `from_row` on, each verified."""
        self._check_open()
        return self._read(from_row)

    def part(self, number: int, start: int = 0, stop: int = PAYLOAD_BYTES_MAX) -> Row:
        """Return a row with part of its payload."""
        self._check_open()
        row = self._rows[number]
        return replace(row, payload=row.payload[start:stop])

    def last(self) -> Head:
        """Return the end of the journal."""
        self._check_open()
        return self._heads[-1]

    def close(self) -> None:
        """Refuse every later call."""
        self._open = False

    def _read(self, number: int) -> Iterator[Row]:
        while number < len(self._rows):
            self._check_open()
            self._verify(self._rows[number], number)
            yield self._rows[number]
            number += 1

    def _verify(self, row: Row, number: int) -> Head:
        verify_payload(row, number, _WHERE)
        return verify_chain(row, len(row.payload), self._heads[number], self._meta, _WHERE)

    def _check_open(self) -> None:
        if not self._open:
            raise closed(_WHERE)
