"""Which groups lines join, of the kinds that a condition asks for or a cap counts: who was in one hangs together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onevoice.engine.names import hashes
from onevoice.events.batch import ITEM, TYPE
from onevoice.program import E_FACTS_FROM, E_FACTS_TO, FACT_MEMBERS, KEY_PART, USE_CLOSES, USE_FACT, USE_PART
from onevoice.runtime.runs import mark_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.program import Program
    from onevoice.runtime.fold import Fold


class Join(NamedTuple):
    """Events of some types join a group of a kind, by a part of their key."""

    kind: int
    part: int
    types: list[int]


class Joins:
    """Reads under one playbook which groups are joined."""

    def __init__(self, fold: Fold) -> None:
        self.uses = _uses(fold.compiled.program)
        self._secret = fold.secret

    def of(self, batch: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the marks of the groups that a batch's events join, and which of the events each is of.

        The batch is as it was decoded: not yet in the codes of a state.
        """
        marks, events = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        if self.uses:
            first = np.flatnonzero(batch.rows[:, ITEM] == 0)
            named = hashes(batch.names, self._secret)
            for kind, part, types in self.uses:
                here = np.flatnonzero(np.isin(batch.rows[first, TYPE], types))
                keys = _keys(batch, first[here], part, named)
                marks.append(mark_of(keys[keys != 0], np.full(1, kind + 2, np.int64)))
                events.append(here[keys != 0])
        return np.concatenate(marks), np.concatenate(events)


def _uses(program: Program) -> list[Join]:
    found: list[Join] = []
    for kind in np.flatnonzero(program.facts[:, FACT_MEMBERS]).tolist():
        joins = (program.fact_uses[:, USE_FACT] == kind) & (program.fact_uses[:, USE_CLOSES] == 0)
        for use in np.flatnonzero(joins).tolist():
            spans = program.event_types
            types = np.flatnonzero((spans[:, E_FACTS_FROM] <= use) & (use < spans[:, E_FACTS_TO]))
            found.append(Join(kind, int(program.fact_uses[use, USE_PART]), types.tolist()))
    return found


def _keys(batch: Batch, rows: NDArray[np.int64], part: int, named: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the 64-bit hashes of a part of a key in some rows, 0 where it is NULL."""
    if part >= KEY_PART:
        return batch.keys[rows, part - KEY_PART]
    codes = batch.values[rows, part]
    known = ~np.isnan(codes)
    found = np.zeros(len(rows), np.int64)
    found[known] = named[codes[known].astype(np.int64)]
    return found
