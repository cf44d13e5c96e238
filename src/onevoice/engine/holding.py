"""Until when an expression keeps its value while only time passes.

The machine of `conditions` once more, over values that move: beside each value runs its slope, how many µs it gains
per µs of the clock. `now()` has slope 1; what the clock changes in steps (a date part, a measure, a fact) has slope 0
and says itself when its step ends. All moving values are whole µs, so the instants found are exact, but for values too
large for a float64 to hold each µs: those of the year 9999 move by 32 µs at once, and an instant may be that much late.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from onevoice.conditions.opcodes import (
    FIRST_OF_CONTROL,
    FIRST_OF_ONE,
    FIRST_OF_TWO,
    OP,
    STACK_MAX,
    START,
    STOP,
    A,
    B,
    Op,
)
from onevoice.conditions.tree import Part
from onevoice.engine import calendar, measures
from onevoice.engine.conditions import both, compare, jumps, of_one, of_two, read
from onevoice.engine.kernel import kernel
from onevoice.engine.state import INFINITE, ZONE

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats

SLOPES: Final = STACK_MAX  # where the slopes begin on the stack
_LIMIT_US: Final = 2**61
_LAST_US: Final = 2**58  # the year 11,104: no timer is set for anything later
_EXACT_US: Final = float(2**53)


@kernel
def holds_until(
    program: Program,
    state: State,
    stack: Floats,
    expression: int,
    customer: int,
    now: int,
    values: Floats,
    row: int,
    proposal: int,
    product: int,
) -> int:
    """Return the earliest instant after `now` at which an expression's value may differ from that at `now`.

    Arguments as for `conditions.evaluate`; INFINITE when time alone cannot change it. The value is the same at all
    instants from `now` up to the result. Segments are taken as they stand: they have judgements of their own.
    """
    code = program.code
    at = program.spans[expression, START]
    stop = program.spans[expression, STOP]
    top = -1
    until = INFINITE
    while at < stop:
        op = code[at, OP]
        a = code[at, A]
        b = code[at, B]
        at += 1
        if op < FIRST_OF_ONE:
            top += 1
            if op == Op.DUPLICATE:
                copy(stack, top, top - 1)
            else:
                stack[top] = read(program, state, op, a, b, customer, now, values, row, proposal, product)
                stack[SLOPES + top] = 1.0 if op == Op.NOW else 0.0
                until = min(until, until_of_read(program, state, op, a, customer, now))
        elif op < FIRST_OF_TWO:
            until = min(until, until_of_one(program, state, op, a, b, customer, now, stack, top))
            stack[top] = of_one(program, state, op, a, b, customer, stack[top])
            stack[SLOPES + top] = -stack[SLOPES + top] if op == Op.NEGATE else 0.0
        elif op < FIRST_OF_CONTROL:
            top -= 1
            until = min(until, until_of_two(op, stack, top, now))
            slope = slope_of_two(op, stack, top)
            stack[top] = of_two(state, op, a, b, customer, stack[top], stack[top + 1])
            stack[SLOPES + top] = slope
        elif op == Op.BETWEEN:
            top -= 2
            until = min(until, until_between(stack, top, now))
            stack[top] = both(
                compare(Op.AT_LEAST, stack[top], stack[top + 1]), compare(Op.AT_MOST, stack[top], stack[top + 2])
            )
            stack[SLOPES + top] = 0.0
        elif op == Op.NIP:
            top -= 1
            copy(stack, top, top + 1)
        elif jumps(op, stack[top]):
            at = a
            if op == Op.JUMP_UNLESS:
                top -= 1
        elif op >= Op.JUMP_IF_KNOWN:
            top -= 1
    return until if until < _LAST_US else INFINITE


@kernel
def copy(stack: Floats, to: int, source: int) -> None:
    """Copy a value and its slope."""
    stack[to] = stack[source]
    stack[SLOPES + to] = stack[SLOPES + source]


@kernel
def until_of_read(program: Program, state: State, op: int, a: int, customer: int, now: int) -> int:
    """Return when the value that an instruction reads may change by itself."""
    if op == Op.MEASURE:
        return measures.until(program, state, customer, a, now)
    if op == Op.TODAY:
        return part_changes(program.zones, state.customers[customer, ZONE], Part.DAY, now, 1, now)
    return INFINITE  # the end of a fact that lasts has a timer of its own, after which the customer is judged


@kernel
def until_of_one(
    program: Program, state: State, op: int, a: int, b: int, customer: int, now: int, stack: Floats, top: int
) -> int:
    """Return when what becomes of the topmost value may change, apart from its own steps."""
    x = stack[top]
    slope = int(stack[SLOPES + top])
    if math.isnan(x) or slope == 0:
        return INFINITE
    if op == Op.DATE_PART:
        return part_changes(program.zones, state.customers[customer, ZONE], a, int(x), slope, now)
    until = INFINITE
    if op == Op.IN:
        for i in range(a, a + b):
            until = min(until, crosses(Op.EQUAL, x, program.constants[i], slope, now))
    return until


@kernel
def until_of_two(op: int, stack: Floats, top: int, now: int) -> int:
    """Return when what becomes of the two topmost values may change, apart from their own steps."""
    x = stack[top]
    y = stack[top + 1]
    if math.isnan(x) or math.isnan(y):
        return INFINITE
    slope_x = int(stack[SLOPES + top])
    slope_y = int(stack[SLOPES + top + 1])
    if slope_x == 0 and slope_y == 0:
        return INFINITE
    if op == Op.ADD:
        return leaves_bounds(int(x) + int(y), slope_x + slope_y, now)
    if op == Op.SUBTRACT:
        return leaves_bounds(int(x) - int(y), slope_x - slope_y, now)
    if op == Op.LEAST:
        op = Op.GREATER
    elif op == Op.GREATEST:
        op = Op.LESS
    return crosses(op, x, y, slope_x - slope_y, now)


@kernel
def slope_of_two(op: int, stack: Floats, top: int) -> float:
    """Return the slope of what becomes of the two topmost values."""
    x = stack[SLOPES + top]
    y = stack[SLOPES + top + 1]
    if op == Op.ADD:
        return x + y
    if op == Op.SUBTRACT:
        return x - y
    if op == Op.LEAST:
        return y if math.isnan(stack[top]) or stack[top + 1] < stack[top] else x
    if op == Op.GREATEST:
        return y if math.isnan(stack[top]) or stack[top + 1] > stack[top] else x
    return 0.0


@kernel
def until_between(stack: Floats, top: int, now: int) -> int:
    """Return when `x between low and high` may change."""
    until = INFINITE
    for bound in range(1, 3):
        slope = int(stack[SLOPES + top] - stack[SLOPES + top + bound])
        if slope != 0 and not math.isnan(stack[top]) and not math.isnan(stack[top + bound]):
            op = Op.AT_LEAST if bound == 1 else Op.AT_MOST
            until = min(until, crosses(op, stack[top], stack[top + bound], slope, now))
    return until


@kernel
def crosses(op: int, x: float, y: float, slope: int, now: int) -> int:
    """Return when a comparison of x and y changes, `slope` being how much faster x grows."""
    return no_sooner(flips(op, int(x) - int(y), slope, now), max(abs(x), abs(y)), now)


@kernel
def no_sooner(until: int, size: float, now: int) -> int:
    """Return an instant at least one step of a value away that is too large to move by single µs."""
    return max(until, now + int(size / _EXACT_US)) if size >= _EXACT_US else until


@kernel
def flips(op: int, difference: int, slope: int, now: int) -> int:
    """Return when a comparison of two values changes, from their difference at `now` and how fast it grows."""
    if slope == 0:
        return INFINITE
    if op in (Op.EQUAL, Op.UNEQUAL):
        if difference == 0:
            return now + 1
        if (difference < 0) == (slope < 0) or difference % slope != 0:
            return INFINITE
        return now - difference // slope
    if op in (Op.LESS, Op.AT_LEAST):
        # whole numbers: x < y is x + 1 <= y
        difference += 1
    if (difference <= 0) == (slope < 0):
        return INFINITE
    if slope > 0:
        return now + -difference // slope + 1
    return now + (difference - slope - 1) // -slope


@kernel
def leaves_bounds(value: int, slope: int, now: int) -> int:
    """Return when a moving sum begins or ceases to be NULL for its size."""
    above = flips(Op.AT_LEAST, value - _LIMIT_US, slope, now)
    return no_sooner(min(above, flips(Op.AT_MOST, value + _LIMIT_US, slope, now)), abs(float(value)), now)


@kernel
def part_changes(zones: Any, zone: int, part: int, t: int, slope: int, now: int) -> int:
    """Return when a part of a moving time may change: at a local boundary or a change of the zone's offset."""
    row = calendar.zone_row(zones, zone, t)
    offset = zones.offsets[row]
    shown = t + offset
    start, following = period(part, shown)
    if slope > 0:
        end = min(following - offset, calendar.next_transition(zones, zone, t))
        until = flips(Op.AT_LEAST, t - end, slope, now)
    else:
        until = flips(Op.LESS, t - max(start - offset, zones.transitions[row]), slope, now)
    return no_sooner(until, abs(float(t)), now)


@kernel
def period(part: int, shown: int) -> tuple[int, int]:
    """Return where the stretch of local time with the same part begins, and where the next one does."""
    if part == Part.MINUTE:
        start = shown - shown % calendar.MINUTE_US
        return start, start + calendar.MINUTE_US
    if part == Part.HOUR:
        start = shown - shown % calendar.HOUR_US
        return start, start + calendar.HOUR_US
    first = shown // calendar.DAY_US
    following = first + 1
    if part in (Part.YEAR, Part.MONTH):
        month = calendar.month_number(first)
        length = 1
        if part == Part.YEAR:
            month -= month % 12
            length = 12
        first = calendar.first_of_month(month)
        following = calendar.first_of_month(month + length)
    return first * calendar.DAY_US, following * calendar.DAY_US
