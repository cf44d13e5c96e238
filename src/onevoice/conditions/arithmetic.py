"""What arithmetic means, for literals: the kernel and the SQL reading do the same on values.

A result that is not finite is NULL. Times, dates and intervals are whole microseconds, and NULL from 2**61 on; their
sums are exact below 2**53 in size. An interval times a number is cut down to whole microseconds.
"""

from __future__ import annotations

import math
from typing import cast

from onevoice.conditions.literals import LIMIT_US
from onevoice.conditions.tree import TEMPORAL, Apply, Constant, Expression, Operator, Type


def fold(expression: Apply) -> Expression:
    """Return the constant an arithmetic expression over literals gives, or the expression itself."""
    values: list[float] = []
    for each in expression.arguments:
        if not isinstance(each, Constant) or each.value is None:
            return expression
        values.append(cast("float", each.value))
    return Constant(expression.type, _guarded(expression.type, _calculate(expression.operator, values)))


def _guarded(kind: Type, value: float) -> float | None:
    if not math.isfinite(value):
        return None
    if kind not in TEMPORAL:
        return value + 0.0  # no minus zero, so that equal literals are one literal
    value = math.floor(value) + 0.0
    return value if abs(value) < LIMIT_US else None


def _calculate(operator: Operator, values: list[float]) -> float:
    if operator is Operator.NEGATE:
        return -values[0]
    left, right = values
    match operator:
        case Operator.ADD:
            return left + right
        case Operator.SUBTRACT:
            return left - right
        case Operator.MULTIPLY:
            return left * right
        case Operator.DIVIDE:
            return left / right if right != 0 else math.nan
        case _:
            return math.fmod(left, right) if right != 0 else math.nan
