"""Handing on what an event gave back of resources: each contact's part wakes one who waits for it (semantics §17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates as wishes
from onevoice.engine import hearsay, resources, waiting
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.program import CAMPAIGN_CLASS

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def hand_on(program: Program, state: State) -> None:
    """Wake one for each part that was given back since this was done last, if there is room for anybody.

    An engine that is told of resources is told who was woken, too; it asks after each event.
    """
    if state.scalars[at.TOLD] > 0:
        hearsay.wake(state, state.scalars[at.POSITION] + 1)
        return
    for resource in range(program.resources.shape[0]):
        while state.resources[resource, at.R_GIVEN_BACK] > 0:
            state.resources[resource, at.R_GIVEN_BACK] -= 1
            _wake_one(program, state, resource)
    state.scalars[at.GIVEN_BACK] = 0


@kernel
def _wake_one(program: Program, state: State, resource: int) -> None:
    """Unblock the candidate of the earliest turn for whom a resource has room now."""
    best = -1
    lines = waiting.lines_of(program)
    for line in range(resource * lines, (resource + 1) * lines):
        row = waiting.first(state, line)
        if row >= 0 and (best < 0 or waiting.is_before(state, row, best)):
            klass = program.campaigns[state.candidates[row, at.C_CAMPAIGN], CAMPAIGN_CLASS]
            if resources.is_free(program, state, resource, klass, state.waiting[row, at.H_PART]):
                best = row
    if best >= 0:
        waiting.leave(state, best)
        state.candidates[best, at.C_BLOCK] = 0
        state.candidates[best, at.C_DUE_AT] = state.scalars[at.NOW]
        wishes.set_round(state, state.candidates[best, at.C_CUSTOMER])
