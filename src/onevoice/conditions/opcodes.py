"""The instructions of the condition machine: the code table is written with them here and read by the kernel."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# Columns of the code table.
OP: Final = 0
A: Final = 1
B: Final = 2
CODE_WIDTH: Final = 4  # the last column is spare

# Columns of the table of spans.
START: Final = 0
STOP: Final = 1

STACK_MAX: Final = 32  # values held at once by one expression
STACK_ROOM: Final = 2 * STACK_MAX  # what a stack must hold: values and, in `holds_until`, their slopes


class Op(IntEnum):
    """What one instruction does. `a` and `b` are its operands; x is the topmost value, y the one below it.

    In order: what puts a value on the stack, what replaces x, what replaces y and x, what moves on.
    """

    CONSTANT = 0  # constants[a]
    TRAIT = 1  # trait a
    MEASURE = 2  # measure a
    SEGMENT = 3  # whether the customer is in segment a
    EVENT_FIELD = 4  # field a of the event
    EVENT_PRODUCT_FIELD = 5  # column b of the product in field a of the event
    OFFER_FIELD = 6  # column a of the offer
    OFFERED_PRODUCT = 7
    OFFER_PRODUCT_FIELD = 8  # column a of the offered product
    CAMPAIGN = 9  # column a of the campaign's numbers
    FACT_ANY = 10  # whether any key of fact a is open; here and below: b > 0: or of others in a group, of fact b - 1
    FACT_COUNT = 11  # how many keys of fact a are open
    NOW = 12
    TODAY = 13
    DUPLICATE = 14  # x once more

    FACT_PREFIX = 15  # whether a key of fact a that begins with x is open
    NEGATE = 16
    ABS = 17
    FLOOR = 18
    CEIL = 19
    NOT = 20
    IS_NULL = 21
    IS_TRUE = 22
    IS_FALSE = 23
    IN = 24  # whether x is one of constants[a : a + b]
    LIKE = 25  # whether text x matches pattern a
    DATE_PART = 26  # part a of x; b is 1 where x is a time, to be read in the customer's zone

    FACT_PAIR = 27  # whether key (y, x) of fact a is open
    ADD = 28  # b is 1 where the result is a time, a date or an interval; so for the next two
    SUBTRACT = 29
    MULTIPLY = 30
    DIVIDE = 31
    REMAINDER = 32
    LEAST = 33
    GREATEST = 34
    EQUAL = 35
    UNEQUAL = 36
    LESS = 37
    AT_MOST = 38
    GREATER = 39
    AT_LEAST = 40
    AND = 41
    OR = 42

    BETWEEN = 43  # replaces z, y, x by whether y <= z <= x
    NIP = 44  # drops y
    JUMP = 45  # goes to a
    JUMP_IF_FALSE = 46  # goes to a and keeps x when x is false
    JUMP_IF_TRUE = 47  # goes to a and keeps x when x is true
    JUMP_IF_KNOWN = 48  # goes to a and keeps x when x is not NULL; drops x otherwise
    JUMP_UNLESS = 49  # drops x; goes to a unless it was true


FIRST_OF_ONE: Final = Op.FACT_PREFIX  # instructions from here on replace x
FIRST_OF_TWO: Final = Op.FACT_PAIR  # instructions from here on replace y and x
FIRST_OF_CONTROL: Final = Op.BETWEEN
