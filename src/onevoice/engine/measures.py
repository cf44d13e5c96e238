"""Measures: numbers and times derived from events, alike in any order of arrival (semantics §5).

A measure of a customer is one cell. Without a window it holds the value; with one it holds a running total and a list
of panes, oldest first. `distinct` holds a list of values, each with the newest pane it was seen in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import DATA, NEXT, OWNER, SLOT_MASK, add, find, give_back, owner_of, remove, take
from onevoice.program import MEASURE_AGGREGATE, MEASURE_BY_FIELD, MEASURE_PANE_US

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program

COUNT: Final = 0
SUM: Final = 1
MIN: Final = 2
MAX: Final = 3
LATEST: Final = 4
FIRST: Final = 5
DISTINCT: Final = 6

PANES: Final = 64
SCALE: Final = 10_000  # sums are in ten-thousandths
SUM_MAX: Final = float(2**39)  # a greater value does not fit in ten-thousandths with room to add
DISTINCT_MAX: Final = 1_024

# What a cell's three numbers are.
_TOTAL: Final = DATA  # count or sum; the value's bits; how many distinct
_HEAD: Final = DATA + 1  # oldest pane + 1, or first value + 1; 0: none. Or occurred_at of latest, first
_TAIL: Final = DATA + 2  # newest pane + 1. Or the position of latest, first


@kernel
def bits_of(value: float) -> int:
    """Return the bits of a float64 as int64."""
    return int(np.float64(value).view(np.int64))


@kernel
def from_bits(bits: int) -> float:
    """Return the float64 with these bits."""
    return np.int64(bits).view(np.float64)


@kernel
def _cell(state: State, customer: int, measure: int) -> int:
    return find(state.cells, state.cells_index, owner_of(customer, measure), 0)


@kernel
def _added(state: State, customer: int, measure: int) -> int:
    owner = owner_of(customer, measure)
    return add(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, owner, 0)


@kernel
def _combined(aggregate: int, a: int, b: int) -> int:
    """Combine two pane values."""
    if aggregate == MIN:
        return bits_of(min(from_bits(a), from_bits(b)))
    if aggregate == MAX:
        return bits_of(max(from_bits(a), from_bits(b)))
    return a + b


@kernel
def _new_pane(state: State, pane: int, value: int, after: int) -> int:
    node = take(state.panes, state.pools, at.PANES, at.PANE_NEXT)
    state.panes[node, at.PANE] = pane
    state.panes[node, at.PANE_VALUE] = value
    state.panes[node, at.PANE_NEXT] = after
    return node


@kernel
def _add_to_pane(state: State, cell: int, aggregate: int, pane: int, value: int) -> None:
    """Add a value to its pane; the common case is the newest one."""
    cells, panes = state.cells, state.panes
    tail = cells[cell, _TAIL] - 1
    if tail >= 0 and panes[tail, at.PANE] == pane:
        panes[tail, at.PANE_VALUE] = _combined(aggregate, panes[tail, at.PANE_VALUE], value)
        return
    if tail < 0 or panes[tail, at.PANE] < pane:
        node = _new_pane(state, pane, value, -1)
        if tail < 0:
            cells[cell, _HEAD] = node + 1
        else:
            panes[tail, at.PANE_NEXT] = node
        cells[cell, _TAIL] = node + 1
        return
    before, node = -1, cells[cell, _HEAD] - 1
    while panes[node, at.PANE] < pane:
        before, node = node, panes[node, at.PANE_NEXT]
    if panes[node, at.PANE] == pane:
        panes[node, at.PANE_VALUE] = _combined(aggregate, panes[node, at.PANE_VALUE], value)
        return
    fresh = _new_pane(state, pane, value, node)
    if before < 0:
        cells[cell, _HEAD] = fresh + 1
    else:
        panes[before, at.PANE_NEXT] = fresh


@kernel
def _drop_old_panes(state: State, cell: int, oldest: int) -> None:
    """Drop the panes before `oldest` from a windowed cell."""
    cells, panes = state.cells, state.panes
    node = cells[cell, _HEAD] - 1
    while node >= 0 and panes[node, at.PANE] < oldest:
        after = panes[node, at.PANE_NEXT]
        cells[cell, _TOTAL] -= panes[node, at.PANE_VALUE]
        give_back(panes, state.pools, at.PANES, at.PANE_NEXT, node)
        node = after
    cells[cell, _HEAD] = node + 1
    if node < 0:
        cells[cell, _TAIL] = 0


@kernel
def _forget(state: State, cell: int) -> None:
    remove(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)


@kernel
def _oldest(program: Program, measure: int, now: int) -> int:
    """Return the oldest pane that the window still holds at `now`."""
    return now // program.measures[measure, MEASURE_PANE_US] - PANES + 1


@kernel
def _add_distinct(state: State, cell: int, value: int, pane: int) -> None:
    """Remember a value, or that it was seen again in a newer pane."""
    cells, panes = state.cells, state.panes
    node = cells[cell, _HEAD] - 1
    while node >= 0:
        if panes[node, at.PANE_VALUE] == value:
            panes[node, at.PANE] = max(panes[node, at.PANE], pane)
            return
        node = panes[node, at.PANE_NEXT]
    if cells[cell, _TOTAL] < DISTINCT_MAX:
        cells[cell, _HEAD] = _new_pane(state, pane, value, cells[cell, _HEAD] - 1) + 1
        cells[cell, _TOTAL] += 1


@kernel
def _drop_old_values(state: State, cell: int, oldest: int) -> None:
    cells, panes = state.cells, state.panes
    before, node = -1, cells[cell, _HEAD] - 1
    while node >= 0:
        after = panes[node, at.PANE_NEXT]
        if panes[node, at.PANE] < oldest:
            cells[cell, _TOTAL] -= 1
            if before < 0:
                cells[cell, _HEAD] = after + 1
            else:
                panes[before, at.PANE_NEXT] = after
            give_back(panes, state.pools, at.PANES, at.PANE_NEXT, node)
        else:
            before = node
        node = after


@kernel
def _keep_latest(state: State, cell: int, later: int, bits: int, time: int, position: int) -> None:
    """Keep the value with the greatest (or least) (time, position)."""
    cells = state.cells
    kept = cells[cell, _HEAD]
    if later:
        wins = time > kept or (time == kept and position >= cells[cell, _TAIL])
    else:
        wins = time < kept or (time == kept and position < cells[cell, _TAIL])
    if wins:
        cells[cell, _TOTAL] = bits
        cells[cell, _HEAD] = time
        cells[cell, _TAIL] = position


@kernel
def _stored(aggregate: int, value: float) -> int:
    """Return a pane's or a cell's form of one value."""
    if aggregate == COUNT:
        return 1
    if aggregate == SUM:
        return int(np.rint(value * SCALE))
    return bits_of(value)


@kernel
def record(
    program: Program, state: State, customer: int, measure: int, value: float, hashed: int, time: int, position: int
) -> None:
    """Take up one event.

    `value` is the field's, 0 where the measure has none; `hashed` its 64-bit hash where it is a text or a key.
    """
    aggregate = program.measures[measure, MEASURE_AGGREGATE]
    pane_us = program.measures[measure, MEASURE_PANE_US]
    if aggregate == SUM and not abs(value) < SUM_MAX:
        state.scalars[at.VALUES_NOT_SUMMED] += 1
        return
    cell = _cell(state, customer, measure)
    fresh = cell < 0
    if pane_us > 0 and time // pane_us < _oldest(program, measure, state.scalars[at.NOW]):
        return
    if fresh:
        cell = _added(state, customer, measure)
    if aggregate == DISTINCT:
        pane = time // pane_us if pane_us > 0 else 0
        if pane_us > 0:
            _drop_old_values(state, cell, _oldest(program, measure, state.scalars[at.NOW]))
        _add_distinct(state, cell, hashed if hashed != 0 else bits_of(value), pane)
    elif aggregate == LATEST or aggregate == FIRST:
        if fresh:
            state.cells[cell, _HEAD] = at.NEVER if aggregate == LATEST else at.INFINITE
        _keep_latest(state, cell, aggregate == LATEST, bits_of(value), time, position)
    elif pane_us > 0:
        _drop_old_panes(state, cell, _oldest(program, measure, state.scalars[at.NOW]))
        _add_to_pane(state, cell, aggregate, time // pane_us, _stored(aggregate, value))
        state.cells[cell, _TOTAL] += _stored(aggregate, value)
    elif fresh:
        state.cells[cell, _TOTAL] = _stored(aggregate, value)
    else:
        state.cells[cell, _TOTAL] = _combined(aggregate, state.cells[cell, _TOTAL], _stored(aggregate, value))


@kernel
def _extreme(state: State, cell: int, aggregate: int) -> float:
    """Return the least or greatest pane of a windowed cell that has one."""
    panes = state.panes
    node = state.cells[cell, _HEAD] - 1
    best = panes[node, at.PANE_VALUE]
    while node >= 0:
        best = _combined(aggregate, best, panes[node, at.PANE_VALUE])
        node = panes[node, at.PANE_NEXT]
    return from_bits(best)


@kernel
def value(program: Program, state: State, customer: int, measure: int, now: int) -> float:
    """Return a measure at `now` as float64; NaN where it has no value. Panes that have left the window are dropped."""
    aggregate = program.measures[measure, MEASURE_AGGREGATE]
    nothing = 0.0 if aggregate == COUNT or aggregate == DISTINCT else np.nan
    cell = _cell(state, customer, measure)
    if cell < 0:
        return nothing
    if program.measures[measure, MEASURE_PANE_US] > 0:
        oldest = _oldest(program, measure, now)
        if aggregate == DISTINCT:
            _drop_old_values(state, cell, oldest)
        else:
            _drop_old_panes(state, cell, oldest)
        if state.cells[cell, _HEAD] == 0:
            _forget(state, cell)
            return nothing
        if aggregate == MIN or aggregate == MAX:
            return _extreme(state, cell, aggregate)
    total = state.cells[cell, _TOTAL]
    if aggregate == COUNT or aggregate == DISTINCT:
        return float(total)
    if aggregate == SUM:
        return total / SCALE
    if (aggregate == LATEST or aggregate == FIRST) and not program.measures[measure, MEASURE_BY_FIELD]:
        return float(state.cells[cell, _HEAD])
    return from_bits(total)


@kernel
def until(program: Program, state: State, customer: int, measure: int, now: int) -> int:
    """Return the instant at which a windowed measure next loses a pane, or INFINITE."""
    pane_us = program.measures[measure, MEASURE_PANE_US]
    cell = _cell(state, customer, measure)
    if pane_us == 0 or cell < 0:
        return at.INFINITE
    oldest = _oldest(program, measure, now)
    first = at.INFINITE
    node = state.cells[cell, _HEAD] - 1
    while node >= 0:
        pane = state.panes[node, at.PANE]
        if pane >= oldest:
            first = min(first, pane)
        node = state.panes[node, at.PANE_NEXT]
    return at.INFINITE if first == at.INFINITE else (first + PANES) * pane_us


@kernel
def _fold(program: Program, state: State, a: int, cell: int) -> None:
    """Fold a merged customer's cell into the survivor's."""
    measure = state.cells[cell, OWNER] & SLOT_MASK
    aggregate = program.measures[measure, MEASURE_AGGREGATE]
    cells, panes = state.cells, state.panes
    kept = _cell(state, a, measure)
    fresh = kept < 0
    if fresh:
        kept = _added(state, a, measure)
    listed = program.measures[measure, MEASURE_PANE_US] > 0 or aggregate == DISTINCT
    if aggregate == LATEST or aggregate == FIRST:
        if fresh:
            cells[kept, _HEAD] = at.NEVER if aggregate == LATEST else at.INFINITE
        bits, time, position = cells[cell, _TOTAL], cells[cell, _HEAD], cells[cell, _TAIL]
        _keep_latest(state, kept, aggregate == LATEST, bits, time, position)
    elif not listed:
        total = cells[cell, _TOTAL]
        cells[kept, _TOTAL] = total if fresh else _combined(aggregate, cells[kept, _TOTAL], total)
    node = cells[cell, _HEAD] - 1 if listed else -1
    while node >= 0:
        after, pane, held = panes[node, at.PANE_NEXT], panes[node, at.PANE], panes[node, at.PANE_VALUE]
        give_back(panes, state.pools, at.PANES, at.PANE_NEXT, node)
        if aggregate == DISTINCT:
            _add_distinct(state, kept, held, pane)
        else:
            _add_to_pane(state, kept, aggregate, pane, held)
            cells[kept, _TOTAL] += held
        node = after


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Fold the measures of customer `b` into those of `a`."""
    cell = state.customers[b, at.CELL_HEAD]
    while cell >= 0:
        after = state.cells[cell, NEXT]
        if (state.cells[cell, OWNER] & SLOT_MASK) < program.measures.shape[0]:
            _fold(program, state, a, cell)
            _forget(state, cell)
        cell = after
