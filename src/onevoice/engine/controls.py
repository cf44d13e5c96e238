"""Control events: they have no customer, and turn the switches that all customers' decisions read (semantics §16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import changes, feeds, resources, switches
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.measures import SCALE, SUM_MAX
from onevoice.engine.reasons import PAUSED, STOPPED
from onevoice.engine.store import COUNT
from onevoice.events.batch import TYPE
from onevoice.program import (
    E_FIRST,
    E_SECOND,
    E_SPECIAL,
    E_THIRD,
    P_LOOK_AHEAD_US,
    RESOURCE_IS_MONEY,
    RESOURCE_LIMIT,
    ROLE_CAMPAIGN,
    ROLE_CLASS,
    ROLE_RESOURCE,
    SPECIAL_PAUSED,
    SPECIAL_RESOURCE,
    SPECIAL_STOPPED,
)

if TYPE_CHECKING:
    from onevoice.engine.changes import Columns
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def is_control(program: Program, kind: int) -> bool:
    """Whether events of a type turn switches."""
    return SPECIAL_PAUSED <= program.event_types[kind, E_SPECIAL] <= SPECIAL_RESOURCE


@kernel
def take_up(program: Program, state: State, columns: Columns, row: int) -> None:
    """Do what a control event says, and at once what follows for all who wait."""
    if program.event_types[columns.rows[row, TYPE], E_SPECIAL] == SPECIAL_RESOURCE:
        _set_resource(program, state, columns, row)
    else:
        _turn_switch(program, state, columns, row)


@kernel
def _turn_switch(program: Program, state: State, columns: Columns, row: int) -> None:
    switch = _switch_of(program, state, columns, row)
    if switch < 0:
        state.scalars[at.WITHOUT_EFFECT] += 1
        return
    special = program.event_types[columns.rows[row, TYPE], E_SPECIAL]
    if special == SPECIAL_PAUSED:
        state.switches[switch, at.W_STATE] = switches.IS_PAUSED
        if program.limits[P_LOOK_AHEAD_US] > 0:
            for customer in range(state.pools[at.CUSTOMERS, COUNT]):
                if state.customers[customer, at.CANDIDATE_COUNT] > 0:
                    feeds.free_of_held(program, state, customer)
    elif special == SPECIAL_STOPPED:
        state.switches[switch, at.W_STATE] = switches.IS_STOPPED
        for customer in range(state.pools[at.CUSTOMERS, COUNT]):
            if state.customers[customer, at.CANDIDATE_COUNT] > 0:
                _end_stopped(program, state, customer)
    else:
        state.switches[switch, at.W_STATE] = switches.ON
        if switch < program.campaigns.shape[0]:
            switches.begin_run(state, switch)
        for customer in range(state.pools[at.CUSTOMERS, COUNT]):
            if state.customers[customer, at.CANDIDATE_COUNT] > 0:
                _wake_paused(program, state, customer)


@kernel
def _switch_of(program: Program, state: State, columns: Columns, row: int) -> int:
    """Return the row of the switch that an event names: a campaign's, a class's, or that of everything; -1: none."""
    event = program.event_types[columns.rows[row, TYPE]]
    campaign, klass = columns.values[row, event[E_FIRST]], columns.values[row, event[E_SECOND]]
    if campaign == campaign:  # noqa: PLR0124 - NaN is NULL
        return changes.role_of(program, columns, row, event[E_FIRST], ROLE_CAMPAIGN)
    if klass == klass:  # noqa: PLR0124 - as above
        number = changes.role_of(program, columns, row, event[E_SECOND], ROLE_CLASS)
        return program.campaigns.shape[0] + number if number >= 0 else -1
    return state.switches.shape[0] - 1 if columns.values[row, event[E_THIRD]] == 1.0 else -1


@kernel
def _end_stopped(program: Program, state: State, customer: int) -> None:
    """Remove a customer's candidates of stopped campaigns; those not yet born without a word."""
    candidates = state.candidates
    ended = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        which = switches.first_off(program, state, candidates[row, at.C_CAMPAIGN], switches.IS_STOPPED)
        if which >= 0:
            ended = True
            if candidates[row, at.C_BORN]:
                wishes.end_early(program, state, row, STOPPED, which)
            else:
                wishes.let_go(state, row)
        row = after
    if ended:
        wishes.set_round(state, customer)


@kernel
def _wake_paused(program: Program, state: State, customer: int) -> None:
    """Unblock a customer's candidates whose campaigns go again."""
    candidates = state.candidates
    woken = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_BLOCK] == PAUSED:
            if switches.first_off(program, state, candidates[row, at.C_CAMPAIGN], switches.IS_PAUSED) < 0:
                candidates[row, at.C_BLOCK] = 0
                candidates[row, at.C_DUE_AT] = state.scalars[at.NOW]
                woken = True
        row = candidates[row, at.C_NEXT]
    if woken:
        wishes.set_round(state, customer)


@kernel
def _set_resource(program: Program, state: State, columns: Columns, row: int) -> None:
    """Set what is left of a resource, and let those who wait for it be looked at."""
    event = program.event_types[columns.rows[row, TYPE]]
    resource = changes.role_of(program, columns, row, event[E_FIRST], ROLE_RESOURCE)
    left = columns.values[row, event[E_SECOND]]
    if resource < 0 or not abs(left) < SUM_MAX:
        state.scalars[at.WITHOUT_EFFECT] += 1
        return
    units = int(max(left, 0.0))
    if program.resources[resource, RESOURCE_IS_MONEY]:
        units = int(np.rint(max(left, 0.0) * SCALE))
    resources.set_used(program, state, resource, program.resources[resource, RESOURCE_LIMIT] - units)
    candidates, now = state.candidates, state.scalars[at.NOW]
    for customer in range(state.pools[at.CUSTOMERS, COUNT]):
        woken = False
        waiting = state.customers[customer, at.CANDIDATE_HEAD]
        while waiting >= 0:
            if candidates[waiting, at.C_BLOCK] != 0 and candidates[waiting, at.C_TURN_OF] == resource:
                candidates[waiting, at.C_BLOCK] = 0
                candidates[waiting, at.C_DUE_AT] = now
                woken = True
            waiting = candidates[waiting, at.C_NEXT]
        if woken:
            wishes.set_round(state, customer)
