"""What follows when a customer has changed: segments judged, candidates woken, births given (semantics §2, §7, §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import (
    candidates,
    rounds,
    segments,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT
from onevoice.program import (
    E_JUDGES_FROM,
    E_JUDGES_TO,
    P_JUDGES_FROM,
    P_JUDGES_TO,
)

if TYPE_CHECKING:
    from onevoice.engine.changes import Columns
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def judge_all(program: Program, state: State, customer: int) -> None:
    """Judge all of the customer's segments and suppressions, wake what they free, and say when to judge again."""
    start, stop = program.limits[P_JUDGES_FROM], program.limits[P_JUDGES_TO]
    _judge(program, state, customer, start, stop, at.INFINITE)


@kernel
def judge_after(program: Program, state: State, customer: int, kind: int) -> None:
    """Judge what an event of a type may have flipped. The rest is due when it was, or never after.

    A judgement that comes too early finds nothing changed, and says anew when to judge again.
    """
    start, stop = program.event_types[kind, E_JUDGES_FROM], program.event_types[kind, E_JUDGES_TO]
    _judge(program, state, customer, start, stop, state.customers[customer, at.JUDGE_AT])


@kernel
def _judge(program: Program, state: State, customer: int, start: int, stop: int, due: int) -> None:
    segments.judge(program, state, customer, start, stop)
    due = min(due, segments.next_judgement(program, state, customer, start, stop))
    if state.customers[customer, at.CANDIDATE_COUNT] > 0:
        due = min(due, rounds.wake(program, state, customer))
    segments.set_judgement(state, customer, due)


@kernel
def wake(program: Program, state: State, customer: int) -> None:
    """Look at the blocked candidates again after a wish may have refreshed one."""
    if state.customers[customer, at.CANDIDATE_COUNT] > 0:
        due = min(state.customers[customer, at.JUDGE_AT], rounds.wake(program, state, customer))
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
