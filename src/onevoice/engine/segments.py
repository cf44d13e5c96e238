"""Segments and timed suppressions: judged at each event of the customer and whenever time alone can flip them.

Semantics §7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import bits, conditions, holding, timers
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import DATA, NEXT, OWNER, SLOT_MASK, add, find, owner_of, remove
from onevoice.program import (
    JUDGES,
    P_SLOT_SEGMENTS,
    P_SLOT_SUPPRESSIONS,
    SEGMENT_CONDITION,
    SEGMENT_ENTERED_FROM,
    SEGMENT_ENTERED_TO,
    SEGMENT_LEFT_FROM,
    SEGMENT_LEFT_TO,
    SEGMENT_TIMED,
    SUPPRESSION_AT_MOST_US,
    SUPPRESSION_CONDITION,
    SUPPRESSION_THEN_US,
    SUPPRESSION_TIMED,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program

# The cell of a membership holds SINCE; that of a suppression all three.
SINCE: Final = DATA
IS_ON: Final = DATA + 1
LEFT_AT: Final = DATA + 2


@kernel
def is_member(state: State, customer: int, segment: int) -> bool:
    """Whether a customer was a member of a segment when last judged."""
    return bits.bit(state.memberships, customer, segment) == 1


@kernel
def cell_of(state: State, customer: int, slot: int) -> int:
    """Return the cell of a slot, or -1."""
    return find(state.cells, state.cells_index, owner_of(customer, slot), 0)


@kernel
def _new_cell(state: State, customer: int, slot: int) -> int:
    owner = owner_of(customer, slot)
    return add(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, owner, 0)


@kernel
def _drop_cell(state: State, cell: int) -> None:
    remove(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)


@kernel
def _is_true(program: Program, state: State, customer: int, expression: int) -> bool:
    now = state.scalars[at.NOW]
    return (
        conditions.evaluate(program, state, state.stack, expression, customer, now, state.contexts, -1, -1, -1) == 1.0
    )


@kernel
def _flip(program: Program, state: State, customer: int, segment: int, is_in: int) -> None:
    """Enter or leave a segment."""
    slot = program.limits[P_SLOT_SEGMENTS] + segment
    if is_in:
        bits.set_bit(state.memberships, customer, segment)
        state.cells[_new_cell(state, customer, slot), SINCE] = state.scalars[at.NOW]
    else:
        bits.clear_bit(state.memberships, customer, segment)
        _drop_cell(state, cell_of(state, customer, slot))


@kernel
def _queue_flipped(program: Program, state: State, customer: int, segment: int) -> None:
    """Queue the campaigns that wait for a segment to be entered, or left."""
    if is_member(state, customer, segment):
        start, stop = program.segments[segment, SEGMENT_ENTERED_FROM], program.segments[segment, SEGMENT_ENTERED_TO]
    else:
        start, stop = program.segments[segment, SEGMENT_LEFT_FROM], program.segments[segment, SEGMENT_LEFT_TO]
    for i in range(start, stop):
        queue(state, program.segment_campaigns[i, 0], -1, 0)


@kernel
def queue(state: State, campaign: int, row: int, key: int) -> None:
    """Queue a birth until the customer has been judged."""
    place = state.pools[at.QUEUE, 0]
    state.pools[at.QUEUE, 0] += 1
    state.queue[place, at.Q_CAMPAIGN] = campaign
    state.queue[place, at.Q_ROW] = row
    state.queue[place, at.Q_KEY] = key


@kernel
def _judge_suppression(program: Program, state: State, customer: int, rule: int) -> None:
    """Follow a suppression that has a `then` or an `at_most`."""
    slot = program.limits[P_SLOT_SUPPRESSIONS] + rule
    cell = cell_of(state, customer, slot)
    is_on = _is_true(program, state, customer, program.suppressions[rule, SUPPRESSION_CONDITION])
    was_on = cell >= 0 and state.cells[cell, IS_ON] == 1
    if is_on == was_on:
        return
    if cell < 0:
        cell = _new_cell(state, customer, slot)
        state.cells[cell, LEFT_AT] = at.NEVER
    if is_on:
        state.cells[cell, SINCE] = state.scalars[at.NOW]
        state.cells[cell, IS_ON] = 1
        state.cells[cell, LEFT_AT] = at.NEVER
    else:
        state.cells[cell, LEFT_AT] = state.scalars[at.NOW]
        state.cells[cell, IS_ON] = 0


@kernel
def judge(program: Program, state: State, customer: int, start: int, stop: int) -> None:
    """Judge what `judges[start:stop]` names: segments, then suppressions."""
    segments = program.segments.shape[0]
    flips = 0
    for i in range(start, stop):
        judged = program.judges[i, JUDGES]
        if judged < segments:
            flips += _judge_segment(program, state, customer, judged)
        else:
            _judge_suppression(program, state, customer, judged - segments)
    if flips > 0:
        _queue_flips(program, state, customer)


@kernel
def _judge_segment(program: Program, state: State, customer: int, segment: int) -> int:
    """Judge one segment; returns 1 if it flips."""
    is_in = _is_true(program, state, customer, program.segments[segment, SEGMENT_CONDITION])
    if is_in == is_member(state, customer, segment):
        return 0
    _flip(program, state, customer, segment, is_in)
    state.flipped[segment] = 1
    return 1


@kernel
def _queue_flips(program: Program, state: State, customer: int) -> None:
    """Queue what waits for the segments that flipped, in playbook order."""
    for segment in range(program.segments.shape[0]):
        if state.flipped[segment]:
            state.flipped[segment] = 0
            _queue_flipped(program, state, customer, segment)


@kernel
def judged_holds(program: Program, state: State, customer: int, rule: int, now: int) -> bool:
    """Whether a suppression with `then` or `at_most` holds."""
    cell = cell_of(state, customer, program.limits[P_SLOT_SUPPRESSIONS] + rule)
    if cell < 0:
        return False
    if state.cells[cell, IS_ON] == 1:
        at_most = program.suppressions[rule, SUPPRESSION_AT_MOST_US]
        return at_most == 0 or now < state.cells[cell, SINCE] + at_most
    then = program.suppressions[rule, SUPPRESSION_THEN_US]
    return then > 0 and now < state.cells[cell, LEFT_AT] + then


@kernel
def _judged_until(program: Program, state: State, customer: int, rule: int, now: int) -> int:
    """Return when `at_most` or `then` of a suppression runs out, or INFINITE."""
    cell = cell_of(state, customer, program.limits[P_SLOT_SUPPRESSIONS] + rule)
    if cell < 0:
        return at.INFINITE
    if state.cells[cell, IS_ON] == 1:
        lasts, start = program.suppressions[rule, SUPPRESSION_AT_MOST_US], state.cells[cell, SINCE]
    else:
        lasts, start = program.suppressions[rule, SUPPRESSION_THEN_US], state.cells[cell, LEFT_AT]
    return start + lasts if lasts > 0 and start + lasts > now else at.INFINITE


@kernel
def _holds_until(program: Program, state: State, customer: int, expression: int) -> int:
    now = state.scalars[at.NOW]
    return holding.holds_until(program, state, state.stack, expression, customer, now, state.contexts, -1, -1, -1)


@kernel
def next_judgement(program: Program, state: State, customer: int, start: int, stop: int) -> int:
    """Return the next instant at which time alone may flip something of `judges[start:stop]`."""
    segments = program.segments.shape[0]
    due = at.INFINITE
    for i in range(start, stop):
        judged = program.judges[i, JUDGES]
        if judged >= segments:
            due = min(due, _next_of_suppression(program, state, customer, judged - segments))
        elif program.segments[judged, SEGMENT_TIMED]:
            due = min(due, _holds_until(program, state, customer, program.segments[judged, SEGMENT_CONDITION]))
    return due


@kernel
def _next_of_suppression(program: Program, state: State, customer: int, rule: int) -> int:
    due = _judged_until(program, state, customer, rule, state.scalars[at.NOW])
    if program.suppressions[rule, SUPPRESSION_TIMED]:
        due = min(due, _holds_until(program, state, customer, program.suppressions[rule, SUPPRESSION_CONDITION]))
    return due


@kernel
def set_judgement(state: State, customer: int, due: int) -> None:
    """Set the customer's judgement timer anew if its time has changed."""
    if state.customers[customer, at.JUDGE_AT] != due:
        state.customers[customer, at.JUDGE_AT] = due
        if due != at.INFINITE:
            timers.push(state, due, timers.JUDGEMENT, customer, 0, 0, 0)


@kernel
def _merge_cell(program: Program, state: State, a: int, cell: int) -> None:
    """Fold the cell of a membership or a suppression into the survivor's."""
    cells = state.cells
    slot = cells[cell, OWNER] & SLOT_MASK
    kept = cell_of(state, a, slot)
    if kept < 0:
        kept = _new_cell(state, a, slot)
        for column in range(DATA, at.CELL_WIDTH):
            cells[kept, column] = cells[cell, column]
        segment = slot - program.limits[P_SLOT_SEGMENTS]
        if segment < program.segments.shape[0]:
            bits.set_bit(state.memberships, a, segment)
        return
    if slot < program.limits[P_SLOT_SUPPRESSIONS]:
        cells[kept, SINCE] = min(cells[kept, SINCE], cells[cell, SINCE])
        return
    if cells[cell, IS_ON] == 1:
        own = cells[kept, SINCE] if cells[kept, IS_ON] == 1 else at.INFINITE
        cells[kept, SINCE] = min(own, cells[cell, SINCE])
        cells[kept, IS_ON] = 1
        cells[kept, LEFT_AT] = at.NEVER
    elif cells[kept, IS_ON] == 0:
        cells[kept, LEFT_AT] = max(cells[kept, LEFT_AT], cells[cell, LEFT_AT])


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Unite the memberships and suppressions of two customers: in, if either was."""
    cell = state.customers[b, at.CELL_HEAD]
    first = program.limits[P_SLOT_SEGMENTS]
    last = program.limits[P_SLOT_SUPPRESSIONS] + program.suppressions.shape[0]
    while cell >= 0:
        after = state.cells[cell, NEXT]
        if first <= (state.cells[cell, OWNER] & SLOT_MASK) < last:
            _merge_cell(program, state, a, cell)
            _drop_cell(state, cell)
        cell = after
    state.memberships[b, :] = 0
    state.customers[b, at.JUDGE_AT] = at.INFINITE
