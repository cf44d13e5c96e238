"""Goals: which events of the journal are what a campaign is to bring about, and whose they are.

The journal is folded once more, for whose an event is follows from all before it. So a goal holds for all of history,
also one that the playbook has only now; and nothing is kept for it while events come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import conditions
from onevoice.events.batch import MISSING_TIME, OCCURRED_AT, TYPE
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.tables import TIME
from onevoice.program import GOAL_CAMPAIGN, GOAL_EVENT, GOAL_WHERE
from onevoice.runtime.customer import survivors
from onevoice.runtime.fold import Fold
from onevoice.runtime.swap import Rebuild, contacts_made

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal, Row
    from onevoice.runtime.swap import Made


def reached(journal: Journal, fold: Fold, rows: int) -> Table:
    """Return each event of the first `rows` rows that is a goal under the playbook in force, once for each campaign.

    A pyarrow Table of `customer`, merges resolved, `campaign` and `time`, when it occurred.
    """
    goals: list[list[int]] = fold.compiled.program.goals.tolist()
    again = _Looking(Fold(fold.published, fold.secret), contacts_made(journal, fold, rows) if goals else (), goals)
    if goals:
        again.replay(journal, rows)
    customers, campaigns, times = np.concatenate(again.found, axis=1)
    names = pa.array(list(fold.published.playbook.campaigns), pa.string())
    columns = {
        "customer": survivors(again.fold.machine.state)[customers],
        "campaign": pa.DictionaryArray.from_arrays(pa.array(campaigns.astype(np.int32)), names),
        "time": pa.array(times).cast(TIME),
    }
    return pa.table(columns)


class _Looking(Rebuild):
    """Folds history with what was shown, for a response by decision is about that, and looks for goals."""

    def __init__(self, fold: Fold, made: Iterable[Made], goals: list[list[int]]) -> None:
        super().__init__(fold, [each for each in made if each.placement], {})
        self.goals = goals
        self.found = [np.empty((3, 0), np.int64)]
        self._whose: list[NDArray[np.int64]] = []  # the customers of a row's events, as it is folded piece by piece

    def _take(self, row: Row, batch: Batch) -> None:
        self._whose = []
        super()._take(row, batch)
        customers = np.concatenate(self._whose)
        self.found += [_of_goal(self.fold, batch, customers, row.stamp_us, goal) for goal in self.goals]

    def _step(self, row: Row, batch: Batch) -> None:
        super()._step(row, batch)
        self._whose.append(self.fold.machine.customers)


def _of_goal(fold: Fold, batch: Batch, customers: NDArray[np.int64], stamp: int, goal: list[int]) -> NDArray[np.int64]:
    """Return int64[3, events]: customer, campaign and time of the events of a batch just folded that are a goal."""
    rows = np.flatnonzero((batch.rows[:, TYPE] == goal[GOAL_EVENT]) & (customers >= 0))
    if goal[GOAL_WHERE] >= 0:
        holds = np.zeros(len(rows), np.int64)
        conditions.judge(fold.compiled.program, fold.machine.state, goal[GOAL_WHERE], batch.values, rows, holds)
        rows = rows[holds == 1]
    times = batch.rows[rows, OCCURRED_AT]
    times = np.where(times == MISSING_TIME, stamp, times)
    return np.stack([customers[rows], np.full(len(rows), goal[GOAL_CAMPAIGN]), times])
