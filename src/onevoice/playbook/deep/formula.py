"""Conditions as formulas: which plain statements must hold for a condition to come out one way.

A condition is true, false or NULL. `wanted` turns "this comes out as one of these" into AND and OR over *literals*,
statements about one term that are simply so or not. What is not understood stays a term of its own that may have any
value, so a formula allows at least what the condition allows: what it excludes is excluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import (
    AnyRead,
    Apply,
    Case,
    Clock,
    Constant,
    DatePart,
    Expression,
    FactRead,
    In,
    Like,
    Operator,
    Read,
    SymbolKind,
    Type,
)
from onevoice.playbook.deep.constants import compared, fits, simplified

if TYPE_CHECKING:
    from collections.abc import Iterable

Outcomes = frozenset[str]
TRUE: Final = frozenset("T")
FALSE: Final = frozenset("F")
NULL: Final = frozenset("N")
NOT_TRUE: Final = frozenset("FN")
NOT_FALSE: Final = frozenset("TN")
KNOWN: Final = frozenset("TF")
ALTERNATIVES_MAX: Final = 32  # values that one `case` or `coalesce` is split into
CACHED: Final = 4_096  # answers kept: a part that stands inside many others is taken apart once

_NEGATED: Final = str.maketrans("TF", "FT")
_OPPOSITE: Final = {
    Operator.EQUAL: Operator.UNEQUAL,
    Operator.UNEQUAL: Operator.EQUAL,
    Operator.LESS: Operator.AT_LEAST,
    Operator.AT_LEAST: Operator.LESS,
    Operator.GREATER: Operator.AT_MOST,
    Operator.AT_MOST: Operator.GREATER,
}
_CHOOSING: Final = frozenset({Operator.COALESCE, Operator.LEAST, Operator.GREATEST})


@dataclass(frozen=True, slots=True)
class Holds:
    """A truth that is no comparison (a boolean value, a fact, a segment) is known, and is so."""

    term: Read | FactRead | AnyRead
    truth: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A value is known; with `known` false it is NULL."""

    term: Expression
    known: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values are known, and compare so."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Among:
    """A value is known, and is one of these; with `inside` false it is none of them."""

    term: Expression
    choices: frozenset[str | float]
    inside: bool = True


@dataclass(frozen=True, slots=True)
class Fits:
    """A text is known, and matches a pattern of `like`, or does not."""

    term: Expression
    pattern: str
    matches: bool


@dataclass(frozen=True, slots=True)
class Between:
    """A value, where it is known, lies between two bounds; `below` says that it does not reach the upper one."""

    term: Expression
    low: float | None
    high: float | None
    whole: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a product's columns is what one row of the catalogue says; nothing, of a product not in it."""

    product: Expression
    columns: tuple[tuple[str, Expression], ...]


Literal = Holds | Known | Compared | Among | Fits | Between | Row


@dataclass(frozen=True, slots=True)
class All:
    """Each of these; of none, what is always so."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of these; of none, what is never so."""

    parts: tuple[Formula, ...] = ()


Formula = Literal | All | Any
ALWAYS: Final = All()
NEVER: Final = Any()


def both(parts: Iterable[Formula]) -> Formula:
    """Return a formula that each of these is so."""
    kept = [part for part in parts if part != ALWAYS]
    if NEVER in kept:
        return NEVER
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def either(parts: Iterable[Formula]) -> Formula:
    """Return a formula that one of these is so."""
    kept = [part for part in parts if part != NEVER]
    if ALWAYS in kept:
        return ALWAYS
    return kept[0] if len(kept) == 1 else Any(tuple(kept))


@lru_cache(maxsize=CACHED)
def wanted(condition: Expression, outcomes: Outcomes) -> Formula:
    """Return the formula that a condition comes out as one of some outcomes: T, F or N."""
    if not outcomes:
        return NEVER
    if len(outcomes) == 3:
        return ALWAYS
    match condition:
        case Constant():
            outcome = "N" if condition.value is None else "T" if condition.value else "F"
            return ALWAYS if outcome in outcomes else NEVER
        case Read():
            return either(_of_truth(condition, outcome) for outcome in sorted(outcomes))
        case FactRead() | AnyRead():
            return either(_of_fact(condition, outcome) for outcome in sorted(outcomes))
        case In() | Like():
            return _of_member(condition, outcomes)
        case Case():
            return either(both((guard, wanted(value, outcomes))) for guard, value in _of_case(condition))
        case Apply():
            return _of_operator(condition, outcomes)
        case _:  # what is not understood may come out in any way
            return ALWAYS


def _of_truth(term: Read, outcome: str) -> Formula:
    if outcome != "N":
        return Holds(term, outcome == "T")
    return NEVER if term.symbol.kind is SymbolKind.SEGMENT else Known(term, known=False)


def _of_fact(term: FactRead | AnyRead, outcome: str) -> Formula:
    """Return how a fact comes out, of a customer or of anybody in a group: NULL where a key that it is asked for is."""
    keys = term.fact.keys if isinstance(term, AnyRead) else term.keys
    if outcome == "N":
        return either(nullness(key, null=True) for key in keys)
    return both((*(nullness(key, null=False) for key in keys), Holds(term, outcome == "T")))


def _of_member(condition: In | Like, outcomes: Outcomes) -> Formula:
    return either(
        both((guard, _of_plain_member(condition, term, outcome)))
        for guard, term in alternatives(condition.operand)
        for outcome in sorted(outcomes)
    )


def _of_plain_member(condition: In | Like, term: Expression, outcome: str) -> Formula:
    if outcome == "N":
        return nullness(term, null=True)
    inside = outcome == "T"
    if isinstance(condition, Like):
        if isinstance(term, Constant) and isinstance(term.value, str):
            return ALWAYS if fits(term.value, condition.pattern) is inside else NEVER
        return Fits(term, condition.pattern, inside)
    if term.type is Type.BOOLEAN:
        met = [wanted(_equal(term, each), TRUE) for each in condition.choices]
        return either(met) if inside else both(wanted(_equal(term, each), FALSE) for each in condition.choices)
    choices = frozenset(each.value for each in condition.choices if each.value is not None)
    if isinstance(term, Constant):
        known = term.value is not None
        return ALWAYS if known and (term.value in choices) is inside else NEVER
    return both((nullness(term, null=False), Among(term, choices, inside)))


def _equal(left: Expression, right: Expression) -> Apply:
    return Apply(Type.BOOLEAN, Operator.EQUAL, (left, right))


def _of_case(case: Case) -> list[tuple[Formula, Expression]]:
    """Return each value of a case with the formula that it is the one chosen."""
    found: list[tuple[Formula, Expression]] = []
    passed: list[Formula] = []
    for when, value in case.branches:
        condition = when if case.operand is None else _equal(case.operand, when)
        found.append((both((*passed, wanted(condition, TRUE))), value))
        passed.append(wanted(condition, NOT_TRUE))
    return [*found, (both(passed), case.default)]


def _of_operator(condition: Apply, outcomes: Outcomes) -> Formula:
    arguments = condition.arguments
    match condition.operator:
        case Operator.NOT:
            return wanted(arguments[0], frozenset("".join(outcomes).translate(_NEGATED)))
        case Operator.AND:
            return _of_and(arguments, outcomes)
        case Operator.OR:
            turned = [Apply(Type.BOOLEAN, Operator.NOT, (each,)) for each in arguments]
            return _of_and(turned, frozenset("".join(outcomes).translate(_NEGATED)))
        case Operator.IS_NULL:
            return either(nullness(arguments[0], null=outcome == "T") for outcome in sorted(outcomes - NULL))
        case Operator.IS_TRUE | Operator.IS_FALSE:
            met = TRUE if condition.operator is Operator.IS_TRUE else FALSE
            found = (met if outcome == "T" else frozenset("TFN") - met for outcome in sorted(outcomes - NULL))
            return either(wanted(arguments[0], each) for each in found)
        case Operator.BETWEEN:
            value, low, high = arguments
            least = Apply(Type.BOOLEAN, Operator.AT_LEAST, (value, low))
            most = Apply(Type.BOOLEAN, Operator.AT_MOST, (value, high))
            return _of_and((least, most), outcomes)
        case Operator.COALESCE:
            return either(both((guard, wanted(value, outcomes))) for guard, value in _of_coalesce(arguments))
        case _:
            return either(_of_comparison(condition, outcome) for outcome in sorted(outcomes))


def _of_and(arguments: Iterable[Expression], outcomes: Outcomes) -> Formula:
    arguments = list(arguments)
    if outcomes in (TRUE, NOT_FALSE):
        return both(wanted(each, outcomes) for each in arguments)
    if outcomes in (FALSE, NOT_TRUE):
        return either(wanted(each, outcomes) for each in arguments)
    unknown = both((_of_and(arguments, NOT_FALSE), either(wanted(each, NULL) for each in arguments)))
    if outcomes == NULL:
        return unknown
    return either((_of_and(arguments, TRUE), _of_and(arguments, FALSE)))


def _of_comparison(condition: Apply, outcome: str) -> Formula:
    left, right = condition.arguments
    if left.type is Type.BOOLEAN:
        return _of_boolean_comparison(condition, outcome)
    if outcome == "N":
        return either((nullness(left, null=True), nullness(right, null=True)))
    operator = condition.operator if outcome == "T" else _OPPOSITE[condition.operator]
    return either(
        both((guard, other, _plain_comparison(operator, first, second)))
        for guard, first in alternatives(left)
        for other, second in alternatives(right)
    )


def _of_boolean_comparison(condition: Apply, outcome: str) -> Formula:
    left, right = condition.arguments
    if outcome == "N":
        return either((wanted(left, NULL), wanted(right, NULL)))
    same = (condition.operator is Operator.EQUAL) is (outcome == "T")
    others = {TRUE: TRUE, FALSE: FALSE} if same else {TRUE: FALSE, FALSE: TRUE}
    return either(both((wanted(left, one), wanted(right, other))) for one, other in others.items())


def _plain_comparison(operator: Operator, left: Expression, right: Expression) -> Formula:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return ALWAYS if compared(operator, left.value, right.value) else NEVER
    known = both((nullness(left, null=False), nullness(right, null=False)))
    if left == right and operator in {Operator.EQUAL, Operator.AT_MOST, Operator.AT_LEAST}:
        return known
    return both((known, Compared(operator, left, right)))


@lru_cache(maxsize=CACHED)
def nullness(term: Expression, *, null: bool) -> Formula:
    """Return the formula that a value is NULL, or that it is known."""
    if term.type is Type.BOOLEAN:
        return wanted(term, NULL if null else KNOWN)
    match term:
        case Constant():
            return ALWAYS if (term.value is None) is null else NEVER
        case Clock():
            return NEVER if null else ALWAYS
        case FactRead():  # how many keys are open: always known
            return NEVER if null else ALWAYS
        case DatePart():
            return nullness(term.operand, null=null)
        case Case():
            return either(both((guard, nullness(value, null=null))) for guard, value in _of_case(term))
        case Apply(operator=operator) if operator in _CHOOSING:
            join = both if null else either
            return join(nullness(each, null=null) for each in term.arguments)
        case Apply() if not null:  # arithmetic gives NULL for NULL, and also where a result is not finite
            return both((*(nullness(each, null=False) for each in term.arguments), Known(term, known=True)))
        case _:
            return Known(term, known=not null)


@lru_cache(maxsize=CACHED)
def alternatives(term: Expression) -> tuple[tuple[Formula, Expression], ...]:
    """Return the plain values that a value may be, each with the formula that it is the one."""
    found: list[tuple[Formula, Expression]] = [(ALWAYS, term)]
    if isinstance(term, Case):
        found = _of_case(term)
    elif isinstance(term, Apply) and term.operator is Operator.COALESCE:
        found = _of_coalesce(term.arguments)
    if len(found) == 1:
        return tuple((guard, simplified(value)) for guard, value in found)
    split = tuple((both((guard, inner)), plain) for guard, value in found for inner, plain in alternatives(value))
    return split if len(split) <= ALTERNATIVES_MAX else ((ALWAYS, term),)


def _of_coalesce(values: tuple[Expression, ...]) -> list[tuple[Formula, Expression]]:
    found: list[tuple[Formula, Expression]] = []
    passed: list[Formula] = []
    for value in values[:-1]:
        found.append((both((*passed, nullness(value, null=False))), value))
        passed.append(nullness(value, null=True))
    return [*found, (both(passed), values[-1])]
