"""Handing on resources to who waits for them: what an event gave back, and what is left when a turn comes.

Semantics §17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import candidates as wishes
from onevoice.engine import hearsay, resources, timers, waiting
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.program import CAMPAIGN_CLASS, RESOURCE_LIMIT

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program

_VAIN: Final = 10  # so many parts may be left by those woken when a turn comes, however few a bucket holds


@kernel
def hand_on(program: Program, state: State) -> None:
    """Wake one for each part that was given back since this was done last, if there is room for anybody.

    An engine that is told of resources is told who was woken, too; it asks after each event.
    """
    if state.scalars[at.TOLD] > 0:
        hearsay.wake(program, state, state.scalars[at.POSITION] + 1)
        return
    for resource in range(program.resources.shape[0]):
        while state.resources[resource, at.R_GIVEN_BACK] > 0:
            state.resources[resource, at.R_GIVEN_BACK] -= 1
            _wake(state, _next_in_line(program, state, resource))
    state.scalars[at.GIVEN_BACK] = 0


@kernel
def _next_in_line(program: Program, state: State, resource: int) -> int:
    """Return the candidate of the earliest turn for whom a resource has room now, or -1."""
    best = -1
    lines = waiting.lines_of(program)
    for line in range(resource * lines, (resource + 1) * lines):
        row = waiting.first(state, line)
        if row >= 0 and (best < 0 or waiting.is_before(state, row, best)):
            klass = program.campaigns[state.candidates[row, at.C_CAMPAIGN], CAMPAIGN_CLASS]
            if resources.is_free(program, state, resource, klass, state.waiting[row, at.H_PART]):
                best = row
    return best


@kernel
def _wake(state: State, row: int) -> None:
    """Unblock a candidate, -1 for none."""
    if row >= 0:
        waiting.leave(state, row)
        state.candidates[row, at.C_BLOCK] = 0
        state.candidates[row, at.C_DUE_AT] = state.scalars[at.NOW]
        wishes.set_round(state, state.candidates[row, at.C_CUSTOMER])


@kernel
def hand_on_rest(program: Program, state: State, timer: int) -> None:
    """Wake one for what is left when all whose turn it is have had their rounds, and come again after that one's.

    Whatever stops all who wait shall not wear their line down: not many more are woken in vain than a bucket holds.
    """
    resource, now = state.timers[timer, timers.SLOT], state.scalars[at.NOW]
    row = state.resources[resource]
    if row[at.R_HAND_ON_AT] != state.timers[timer, timers.DUE]:
        return
    resources.roll(program, state, resource)
    if row[at.R_HOPED] == at.NEVER:
        row[at.R_HOPED] = row[at.R_USED]
    best = _next_in_line(program, state, resource)
    if best >= 0:
        part = state.waiting[best, at.H_PART]
        if row[at.R_HOPED] - row[at.R_USED] < max(program.resources[resource, RESOURCE_LIMIT], _VAIN * part):
            row[at.R_HOPED] += part
            _wake(state, best)
            timers.push(state, now, timers.HAND_ON, 0, resource, 0, 0)
            return
    row[at.R_HAND_ON_AT] = 0
    if _has_turns(program, state, resource):
        due = resources.opens_at(program, resource, resources.bucket_of(program, resource, now, 1))
        resources.set_handing_on(state, resource, due)


@kernel
def _has_turns(program: Program, state: State, resource: int) -> bool:
    """Whether anybody waits for a turn at a resource that comes some day."""
    lines = waiting.lines_of(program)
    for line in range(resource * lines, (resource + 1) * lines):
        row = waiting.first(state, line)
        if row >= 0 and state.candidates[row, at.C_TURN_AT] != at.INFINITE:
            return True
    return False
