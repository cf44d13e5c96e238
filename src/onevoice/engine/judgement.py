"""What follows when a customer has changed: segments judged, candidates woken, births given (semantics §2, §7, §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import (
    arbitration,
    candidates,
    segments,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT
from onevoice.program import (
    P_JUDGES,
)

if TYPE_CHECKING:
    from onevoice.engine.changes import Columns
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def judge(program: Program, state: State, customer: int) -> None:
    """Judge the customer's segments and suppressions, wake what they free, and say when to judge again."""
    due = at.INFINITE
    if program.limits[P_JUDGES]:
        segments.judge(program, state, customer)
        due = segments.next_judgement(program, state, customer)
    if state.customers[customer, at.CANDIDATE_COUNT] > 0:
        due = min(due, arbitration.wake(program, state, customer))
    segments.set_judgement(state, customer, due)


@kernel
def wake(program: Program, state: State, customer: int) -> None:
    """Look at the blocked candidates again after a wish may have refreshed one."""
    if state.customers[customer, at.CANDIDATE_COUNT] > 0:
        due = min(state.customers[customer, at.JUDGE_AT], arbitration.wake(program, state, customer))
        segments.set_judgement(state, customer, due)


@kernel
def give_births(program: Program, state: State, columns: Columns, customer: int, time: int, position: int) -> None:
    """Let what was queued become wishes."""
    count = state.pools[at.QUEUE, COUNT]
    state.pools[at.QUEUE, COUNT] = 0
    for i in range(count):
        campaign, row, key = state.queue[i, at.Q_CAMPAIGN], state.queue[i, at.Q_ROW], state.queue[i, at.Q_KEY]
        if row >= 0:
            candidates.wish(program, state, customer, campaign, key, time, position, -1, columns.values, row)
        else:
            now = state.scalars[at.NOW]
            candidates.wish(program, state, customer, campaign, key, now, -1, -1, state.contexts, -1)
    if count > 0:
        wake(program, state, customer)
