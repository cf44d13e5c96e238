"""What is known before anything happens: conditions over literals, and names that have one value for a campaign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from onevoice.conditions.arithmetic import fold
from onevoice.conditions.literals import like_pattern
from onevoice.conditions.tree import (
    AnyRead,
    Apply,
    Case,
    Constant,
    DatePart,
    Expression,
    FactRead,
    In,
    Like,
    Operator,
    Read,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDED: Final = frozenset(
    {
        *(Operator.ADD, Operator.SUBTRACT, Operator.MULTIPLY, Operator.DIVIDE, Operator.REMAINDER),
        Operator.NEGATE,
    }
)


def compared(operator: Operator, left: str | float | None, right: str | float | None) -> bool:
    """Tell whether two literals are known and compare so."""
    if left is None or right is None:
        return False
    if operator is Operator.EQUAL:
        return left == right
    if operator is Operator.UNEQUAL:
        return left != right
    one, other = cast("float", left), cast("float", right)
    match operator:
        case Operator.LESS:
            return one < other
        case Operator.AT_MOST:
            return one <= other
        case Operator.GREATER:
            return one > other
        case _:
            return one >= other


def fits(text: str, pattern: str) -> bool:
    """Tell whether a text matches a pattern of `like`."""
    return like_pattern(pattern).fullmatch(text) is not None


def simplified(expression: Expression) -> Expression:
    """Return the literal that arithmetic over literals gives, or the expression itself."""
    if not isinstance(expression, Apply):
        return expression
    values = [each.value for each in expression.arguments if isinstance(each, Constant)]
    if len(values) < len(expression.arguments):
        return expression
    if expression.operator in _FOLDED:
        return Constant(expression.type, None) if None in values else fold(expression)
    known = [cast("float", value) for value in values if value is not None]
    if expression.operator in {Operator.LEAST, Operator.GREATEST}:
        choose = min if expression.operator is Operator.LEAST else max
        return Constant(expression.type, choose(known, default=None))
    if expression.operator is Operator.ABS:
        return Constant(expression.type, abs(known[0]) if known else None)
    return expression


def replaced(expression: Expression, values: Callable[[Read], Expression | None]) -> Expression:
    """Return an expression with some names replaced by what `values` gives for them, and worked out where it can be."""
    match expression:
        case Read():
            return values(expression) or expression
        case Apply():
            arguments = tuple(replaced(each, values) for each in expression.arguments)
            return simplified(replace(expression, arguments=arguments))
        case In() | Like() | DatePart():
            return replace(expression, operand=replaced(expression.operand, values))
        case FactRead():
            return replace(expression, keys=tuple(replaced(each, values) for each in expression.keys))
        case AnyRead(fact=fact):
            return replace(expression, fact=replace(fact, keys=tuple(replaced(each, values) for each in fact.keys)))
        case Case():
            branches = tuple((replaced(when, values), replaced(value, values)) for when, value in expression.branches)
            operand = None if expression.operand is None else replaced(expression.operand, values)
            return replace(expression, operand=operand, branches=branches, default=replaced(expression.default, values))
        case _:
            return expression
