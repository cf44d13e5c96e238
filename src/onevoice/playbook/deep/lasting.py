"""Conditions that stay true once they are: who is in such a segment is in it for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import (
    TEMPORAL,
    Apply,
    Clock,
    Constant,
    Expression,
    FactRead,
    Operator,
    Read,
    SymbolKind,
    Type,
)
from onevoice.playbook.deep.heeded import heeded
from onevoice.playbook.model import Aggregate

if TYPE_CHECKING:
    from onevoice.playbook.deep.book import Book

_TURNED: Final = {
    Operator.GREATER: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
    Operator.LESS: Operator.GREATER,
    Operator.AT_MOST: Operator.AT_LEAST,
}
_RISING: Final = frozenset({Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.MAX})
_LASTING: Final = frozenset({Aggregate.MIN, Aggregate.MAX, Aggregate.LATEST, Aggregate.FIRST})


def stays_true(book: Book, condition: Expression) -> bool:
    """Tell whether a condition that is true of a customer is true of them ever after.

    Counts over all time and facts without an end only grow, also when customers are joined (§4, §5); time passes.
    """
    match condition:
        case Constant():
            return True
        case FactRead():
            return not condition.count and _never_ends(book, condition)
        case Read() if condition.symbol.kind is SymbolKind.SEGMENT:
            known = heeded(book.playbook.segments[condition.name])
            return known and stays_true(book, book.expressions[f"segments.{condition.name}"])
        case Apply(operator=Operator.AND | Operator.OR):
            return all(stays_true(book, each) for each in condition.arguments)
        case Apply(operator=Operator.NOT):
            return _is_known(book, condition.arguments[0])
        case Apply(operator=operator) if operator in _TURNED:
            left, right = condition.arguments
            if operator in {Operator.LESS, Operator.AT_MOST}:
                left, right = right, left
            return _direction(book, left) >= 0 >= _direction(book, right)
        case _:
            return False


def _is_known(book: Book, condition: Expression) -> bool:
    """Tell whether this is `x is null` of what, once known, is known for good."""
    if not isinstance(condition, Apply) or condition.operator is not Operator.IS_NULL:
        return False
    term = condition.arguments[0]
    if not isinstance(term, Read) or term.symbol.kind is not SymbolKind.MEASURE:
        return False
    measure = book.playbook.measures[term.name]
    return heeded(measure) and not measure.over_us and measure.aggregate in _LASTING


def _never_ends(book: Book, fact: FactRead) -> bool:
    """Tell whether nothing closes a declared fact, for keys that stay the same."""
    declared = book.playbook.facts.get(fact.name)
    if declared is None or not heeded(declared) or declared.closes or declared.lasts_us:
        return False
    return all(isinstance(key, Constant) for key in fact.keys)


def _direction(book: Book, term: Expression) -> float:
    """Return 1 for what only grows, -1 for what only falls, 0 for what stays; otherwise what compares as neither."""
    match term:
        case Constant():
            return 0 if term.value is not None else float("nan")
        case Clock():
            return 1 if term.type is Type.TIME else float("nan")
        case FactRead(count=True):
            return 1 if _never_ends(book, term) else float("nan")
        case Read() if term.symbol.kind is SymbolKind.MEASURE:
            return _measured(book, term)
        case Apply(operator=Operator.ADD | Operator.SUBTRACT) if term.type in TEMPORAL:
            return _sum(book, term)
        case _:
            return float("nan")


def _measured(book: Book, term: Read) -> float:
    measure = book.playbook.measures[term.name]
    if measure.over_us or not heeded(measure):
        return float("nan")
    if measure.aggregate in _RISING or (measure.aggregate is Aggregate.LATEST and not measure.field):
        return 1
    is_falling = measure.aggregate is Aggregate.MIN or (measure.aggregate is Aggregate.FIRST and not measure.field)
    return -1 if is_falling else float("nan")


def _sum(book: Book, term: Apply) -> float:
    left, right = (_direction(book, each) for each in term.arguments)
    turned = -right if term.operator is Operator.SUBTRACT else right
    if left == 0 or turned in {0, left}:
        return max(-1.0, min(1.0, left + turned))
    return float("nan")
