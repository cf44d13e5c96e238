"""Rows on their way to tables."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from onevoice.tables import Ints

Row = list[int]


def table(rows: Sequence[Row], width: int) -> Ints:
    """Return int64[row, width]; the columns that a row does not give are 0."""
    filled = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        filled[i, : len(row)] = row
    return filled


class Grouped(NamedTuple):
    """Rows laid out owner by owner: those of owner `i` are `[spans[i, 0], spans[i, 1])`."""

    rows: Ints
    spans: Ints

    def of(self, owner: int) -> Ints:
        """Return the rows of one owner."""
        start, stop = self.spans[owner]
        return self.rows[start:stop]


class Groups:
    """Rows that are added in any order and laid out by their owners."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Row]] = defaultdict(list)

    def add(self, owner: int, row: Row) -> None:
        """Add a row behind the owner's others."""
        self._rows[owner].append(row)

    def laid_out(self, owners: int, width: int, order: Callable[[Row], tuple[int, ...]] | None = None) -> Grouped:
        """Return the rows of the owners from 0 to below `owners`, each owner's as they came or in `order`."""
        rows: list[Row] = []
        spans = np.zeros((owners, 2), np.int64)
        for owner in range(owners):
            start = len(rows)
            group = self._rows.get(owner, [])
            rows += sorted(group, key=order) if order else group
            spans[owner] = start, len(rows)
        return Grouped(table(rows, width), spans)
