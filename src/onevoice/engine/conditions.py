"""The condition machine: evaluates expressions of the code table over a customer, an event, an offer and the clock.

A value is a float64: NaN is NULL, booleans are 1.0 and 0.0, a text is its code, a time whole µs. Any arithmetic result
that is not finite is NULL. Cost: about 5 ns an instruction.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.conditions.opcodes import (
    FIRST_OF_CONTROL,
    FIRST_OF_ONE,
    FIRST_OF_TWO,
    OP,
    START,
    STOP,
    A,
    B,
    Op,
)
from onevoice.conditions.tree import Part
from onevoice.engine import bits, calendar, facts, measures
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.state import N_HASH, ZONE
from onevoice.program import NUMBER_PROPENSITY, PROPOSAL_CAMPAIGN, PROPOSAL_OFFER

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats, Ints

NULL: Final = float("nan")
LIMIT_US: Final = float(2**61)  # times, dates and intervals this far out are NULL


@kernel
def evaluate(
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
) -> float:
    """Return the value of an expression.

    `stack`: float64[STACK_ROOM], scratch. `values`: float64[n, fields] with the event in `row`, -1 for none. `proposal`
    -1: no campaign and no offer. `product`: code of the offered product, -1 for none.
    """
    code = program.code
    at = program.spans[expression, START]
    stop = program.spans[expression, STOP]
    top = -1
    while at < stop:
        op = code[at, OP]
        a = code[at, A]
        b = code[at, B]
        at += 1
        if op < FIRST_OF_ONE:
            top += 1
            if op == Op.DUPLICATE:
                stack[top] = stack[top - 1]
            else:
                stack[top] = read(program, state, op, a, b, customer, now, values, row, proposal, product)
        elif op < FIRST_OF_TWO:
            stack[top] = of_one(program, state, op, a, b, customer, stack[top])
        elif op < FIRST_OF_CONTROL:
            top -= 1
            stack[top] = of_two(state, op, a, b, customer, stack[top], stack[top + 1])
        elif op == Op.BETWEEN:
            top -= 2
            stack[top] = both(
                compare(Op.AT_LEAST, stack[top], stack[top + 1]), compare(Op.AT_MOST, stack[top], stack[top + 2])
            )
        elif op == Op.NIP:
            top -= 1
            stack[top] = stack[top + 1]
        elif jumps(op, stack[top]):
            at = a
            if op == Op.JUMP_UNLESS:
                top -= 1
        elif op >= Op.JUMP_IF_KNOWN:
            top -= 1
    return float(stack[top])


@kernel
def jumps(op: int, x: float) -> bool:
    """Tell whether a jump is taken, x being the topmost value."""
    if op == Op.JUMP:
        return True
    if op == Op.JUMP_IF_FALSE:
        return x == 0.0
    if op == Op.JUMP_IF_TRUE:
        return x == 1.0
    if op == Op.JUMP_IF_KNOWN:
        return not math.isnan(x)
    return x != 1.0


@kernel
def read(
    program: Program,
    state: State,
    op: int,
    a: int,
    b: int,
    customer: int,
    now: int,
    values: Floats,
    row: int,
    proposal: int,
    product: int,
) -> float:
    """Return the value that an instruction puts on the stack."""
    if op == Op.CONSTANT:
        return program.constants[a]
    if op == Op.TRAIT:
        return finite(state.traits[customer, a])
    if op == Op.MEASURE:
        return finite(measures.value(program, state, customer, a, now))
    if op == Op.SEGMENT:
        return float(bits.bit(state.memberships, customer, a))
    if op == Op.EVENT_FIELD:
        return finite(values[row, a]) if row >= 0 else NULL
    if op == Op.EVENT_PRODUCT_FIELD:
        return of_product(program, values[row, a], b) if row >= 0 else NULL
    if op == Op.FACT_ANY:
        return 1.0 if facts.any_open(program, state, customer, a, b) else 0.0
    if op == Op.FACT_COUNT:
        return float(facts.count_open(program, state, customer, a))
    if op == Op.NOW:
        return float(now)
    if op == Op.TODAY:
        shown = calendar.local(program.zones, state.customers[customer, ZONE], now)
        return float(shown - shown % calendar.DAY_US)
    if op == Op.OFFERED_PRODUCT:
        return float(product) if product >= 0 else NULL
    if op == Op.OFFER_PRODUCT_FIELD:
        return of_product(program, float(product), a)
    if proposal < 0:
        return NULL
    if op == Op.CAMPAIGN and a >= NUMBER_PROPENSITY:
        return finite(state.ranking[a - NUMBER_PROPENSITY])
    if op == Op.CAMPAIGN:
        return finite(program.campaign_numbers[program.proposals[proposal, PROPOSAL_CAMPAIGN], a])
    offer = program.proposals[proposal, PROPOSAL_OFFER]
    return finite(program.offers[offer, a]) if offer >= 0 else NULL


@kernel
def finite(x: float) -> float:
    """Return a value that came from outside, NULL where it is not finite."""
    if math.isfinite(x):
        return float(x)
    return NULL


@kernel
def of_product(program: Program, code: float, column: int) -> float:
    """Return a catalogue column of a product, NULL where the text is not a product."""
    if code >= 0 and code < program.products.shape[0]:
        return finite(program.products[int(code), column])
    return NULL


@kernel
def of_one(program: Program, state: State, op: int, a: int, b: int, customer: int, x: float) -> float:
    """Return what replaces the topmost value."""
    x = float(x)
    if op == Op.IS_NULL:
        return 1.0 if math.isnan(x) else 0.0
    if op == Op.IS_TRUE:
        return 1.0 if x == 1.0 else 0.0
    if op == Op.IS_FALSE:
        return 1.0 if x == 0.0 else 0.0
    if math.isnan(x):
        return x
    if op == Op.NOT:
        return 1.0 - x
    if op == Op.NEGATE:
        return -x
    if op == Op.ABS:
        return abs(x)
    if op == Op.FLOOR:
        return rounded_down(x)
    if op == Op.CEIL:
        return -rounded_down(-x)
    if op == Op.IN:
        for i in range(a, a + b):
            if program.constants[i] == x:
                return 1.0
        return 0.0
    if op == Op.LIKE:
        return float(state.likes[a, int(x)])
    if op == Op.FACT_PREFIX:
        return 1.0 if facts.first_open(program, state, customer, a, state.names[int(x), N_HASH], b) else 0.0
    return float(date_part(program, state, a, b, customer, int(x)))


@kernel
def rounded_down(x: float) -> float:
    """Return the greatest whole number not above x; numbers of 2**52 and more are whole."""
    if abs(x) >= 2.0**52:
        return x
    return float(math.floor(x))


@kernel
def of_two(state: State, op: int, a: int, b: int, customer: int, x: float, y: float) -> float:
    """Return what replaces the two topmost values, x written before y."""
    x = float(x)
    y = float(y)
    if op == Op.AND:
        return both(x, y)
    if op == Op.OR:
        return either(x, y)
    if op >= Op.EQUAL:
        return compare(op, x, y)
    if op == Op.LEAST:
        return y if math.isnan(x) or y < x else x
    if op == Op.GREATEST:
        return y if math.isnan(x) or y > x else x
    if math.isnan(x) or math.isnan(y):
        return NULL
    if op == Op.FACT_PAIR:
        key = mix(state.names[int(x), N_HASH], state.names[int(y), N_HASH])
        return 1.0 if facts.key_open(state, customer, a, key, b) else 0.0
    return bounded(calculate(op, x, y), b)


@kernel
def calculate(op: int, x: float, y: float) -> float:
    """Return the plain result of arithmetic; a division by zero is NULL."""
    if op == Op.ADD:
        return x + y
    if op == Op.SUBTRACT:
        return x - y
    if op == Op.MULTIPLY:
        return x * y
    if y == 0.0:
        return NULL
    if op == Op.DIVIDE:
        return x / y
    return float(np.fmod(x, y))


@kernel
def bounded(x: float, is_time: int) -> float:
    """Return a result as it counts: finite, and whole µs below LIMIT_US for times, dates and intervals."""
    if not math.isfinite(x):
        return NULL
    if is_time == 0:
        return x
    if abs(x) >= LIMIT_US:
        return NULL
    return rounded_down(x)


@kernel
def compare(op: int, x: float, y: float) -> float:
    """Return the three-valued outcome of a comparison."""
    if math.isnan(x) or math.isnan(y):
        return NULL
    if op == Op.EQUAL:
        return 1.0 if x == y else 0.0
    if op == Op.UNEQUAL:
        return 1.0 if x != y else 0.0
    if op == Op.LESS:
        return 1.0 if x < y else 0.0
    if op == Op.AT_MOST:
        return 1.0 if x <= y else 0.0
    if op == Op.GREATER:
        return 1.0 if x > y else 0.0
    return 1.0 if x >= y else 0.0


@kernel
def judge(program: Program, state: State, expression: int, values: Floats, rows: Ints, holds: Ints) -> None:
    """Set `holds[i]` to 1 where a condition over the event alone is true of row `rows[i]` of `values`, else to 0."""
    for i in range(rows.shape[0]):
        value = evaluate(program, state, state.stack, expression, 0, 0, values, rows[i], -1, -1)
        holds[i] = 1 if value == 1.0 else 0


@kernel
def both(x: float, y: float) -> float:
    """Return the three-valued `x and y`."""
    if x == 0.0 or y == 0.0:
        return 0.0
    return 1.0 if x == y else NULL


@kernel
def either(x: float, y: float) -> float:
    """Return the three-valued `x or y`."""
    if x == 1.0 or y == 1.0:
        return 1.0
    return 0.0 if x == y else NULL


@kernel
def date_part(program: Program, state: State, part: int, is_time: int, customer: int, t: int) -> int:
    """Return a part of a date, or of a time as the customer's clock shows it."""
    shown = calendar.local(program.zones, state.customers[customer, ZONE], t) if is_time == 1 else t
    day = shown // calendar.DAY_US
    if part == Part.HOUR:
        return shown % calendar.DAY_US // calendar.HOUR_US
    if part == Part.MINUTE:
        return shown % calendar.HOUR_US // calendar.MINUTE_US
    if part == Part.ISODOW:
        return (day + 3) % 7 + 1
    year, month, day_of_month = calendar.civil(day)
    if part == Part.YEAR:
        return year
    if part == Part.MONTH:
        return month
    if part == Part.DAY:
        return day_of_month
    return day - calendar.day_number(year, 1, 1) + 1
