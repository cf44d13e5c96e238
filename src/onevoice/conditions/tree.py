"""A checked condition as an immutable typed tree, and the names it may use.

Times, dates and intervals are whole microseconds: an instant since the epoch in UTC, a date as its midnight in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Type(StrEnum):
    """What an expression gives."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "condition"
    TIME = "time"
    DATE = "date"
    INTERVAL = "interval"


TEMPORAL: Final = frozenset({Type.TIME, Type.DATE, Type.INTERVAL})


class SymbolKind(IntEnum):
    """Where a named value lives."""

    TRAIT = 0
    MEASURE = 1
    FACT = 2
    SEGMENT = 3
    EVENT_FIELD = 4
    EVENT_PRODUCT_FIELD = 5
    OFFER_FIELD = 6
    OFFER_PRODUCT_FIELD = 7
    CAMPAIGN = 8


CUSTOMER_KINDS: Final = frozenset({SymbolKind.TRAIT, SymbolKind.MEASURE, SymbolKind.FACT, SymbolKind.SEGMENT})
OFFER_KINDS: Final = frozenset({SymbolKind.OFFER_FIELD, SymbolKind.OFFER_PRODUCT_FIELD, SymbolKind.CAMPAIGN})

# Columns of the table of offers that conditions know by name; the parameters follow them.
OFFER_VALUE: Final = 0
OFFER_PRODUCT: Final = 1  # read from the candidate, whose product may differ from the offer's own
OFFER_FAMILY: Final = 2
OFFER_PARAMETERS: Final = 3

# Columns of the table of campaign numbers.
CAMPAIGN_NUMBERS: Final = ("weight", "priority", "lever", "propensity", "age")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that a condition may use.

    `index` is its position among its kind; for an event's product field it is the event field's, and `column` the
    catalogue's. `type` None: the name exists but cannot stand in a condition, and `note` says why. `components` of a
    fact: one entry per part of its key, TEXT where the part is a text or a product, None where it is an unbounded key.
    `is_group`: the fact is a membership, and `any` may ask its members for theirs.
    """

    kind: SymbolKind
    index: int
    type: Type | None
    column: int = -1
    components: tuple[Type | None, ...] = ()
    note: str = ""
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The names a condition sees, by full dotted name: `tier`, `event.page`, `event.product.category`, `offer.value`.

    A bare name is first looked for among the event's fields. `customer`, `clock` and `offer` say which of the symbols
    and functions are allowed; put symbols that are not allowed into `symbols` too, so that the error can say so.
    `purpose` names the kind of condition in such an error, for example "the `where` of a measure".
    """

    symbols: Mapping[str, Symbol] = field(default_factory=lambda: MappingProxyType({}))
    customer: bool = True
    clock: bool = True
    offer: bool = True
    purpose: str = "this condition"


class Operator(StrEnum):
    """What an `Apply` does with its arguments; the SQL spelling where there is one."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    REMAINDER = "%"
    NEGATE = "negate"
    ABS = "abs"
    FLOOR = "floor"
    CEIL = "ceil"
    LEAST = "least"
    GREATEST = "greatest"
    EQUAL = "="
    UNEQUAL = "<>"
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    BETWEEN = "between"
    NOT = "not"
    AND = "and"
    OR = "or"
    IS_NULL = "is null"
    IS_TRUE = "is true"
    IS_FALSE = "is false"
    COALESCE = "coalesce"


class Part(IntEnum):
    """A part of a date or of a local time."""

    YEAR = 0
    MONTH = 1
    DAY = 2
    DOY = 3
    ISODOW = 4
    HOUR = 5
    MINUTE = 6


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. `value` None is NULL; a boolean is 1.0 or 0.0; only a TEXT holds a `str`."""

    type: Type
    value: float | str | None


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a symbol that is not a fact. `name` is its full dotted name."""

    type: Type
    name: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class FactRead:
    """A fact: open for any key, for a key's first component, for a pair; with `count`, how many keys are open."""

    type: Type
    name: str
    symbol: Symbol
    keys: tuple[Expression, ...] = ()
    count: bool = False


@dataclass(frozen=True, slots=True)
class AnyRead:
    """A fact that is open for the customer, or for anybody in a group of theirs. `name` is `GROUP.FACT`."""

    name: str
    group: Symbol
    fact: FactRead
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Clock:
    """`now()` (TIME) or `current_date` in the customer's zone (DATE)."""

    type: Type


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator over its arguments; AND, OR, LEAST, GREATEST and COALESCE take two or more."""

    type: Type
    operator: Operator
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class In:
    """Whether the operand is one of some literals, none of them NULL."""

    operand: Expression
    choices: tuple[Constant, ...]
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Like:
    """Whether a text matches a pattern with `%` and `_`; a backslash means itself."""

    operand: Expression
    pattern: str
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class DatePart:
    """A part of a DATE, or of a TIME as the clock in the customer's zone shows it."""

    part: Part
    operand: Expression
    type: Type = Type.NUMBER


@dataclass(frozen=True, slots=True)
class Case:
    """`case [operand] when … then … else … end`; `default` is a NULL constant where none was written."""

    type: Type
    operand: Expression | None
    branches: tuple[tuple[Expression, Expression], ...]
    default: Expression


Expression = Constant | Read | FactRead | AnyRead | Clock | Apply | In | Like | DatePart | Case


def children(expression: Expression) -> tuple[Expression, ...]:
    """Return the expressions directly inside one, in the order in which they are written."""
    match expression:
        case Apply():
            return expression.arguments
        case In() | Like() | DatePart():
            return (expression.operand,)
        case FactRead():
            return expression.keys
        case AnyRead():
            return (expression.fact,)
        case Case():
            operand = () if expression.operand is None else (expression.operand,)
            branches = tuple(each for branch in expression.branches for each in branch)
            return (*operand, *branches, expression.default)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything inside it, parents first."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def symbols_of(expression: Expression) -> frozenset[tuple[SymbolKind, int]]:
    """Return the symbols an expression reads, as (kind, index); what `any` asks for also reads the membership."""
    parts = list(walk(expression))
    symbols = [each.symbol for each in parts if isinstance(each, Read | FactRead)]
    symbols += [each.group for each in parts if isinstance(each, AnyRead)]
    return frozenset((symbol.kind, symbol.index) for symbol in symbols)


def reads_clock(expression: Expression) -> bool:
    """Tell whether an expression itself mentions `now()` or `current_date`; measures and facts may move too."""
    return any(isinstance(each, Clock) for each in walk(expression))


def stack_depth(expression: Expression) -> int:
    """Return how many values the kernel's stack holds at most while it evaluates an expression."""
    match expression:
        case Case():
            held = 0 if expression.operand is None else 1
            depths = [held + stack_depth(value) for _, value in expression.branches]
            depths += [2 * held + stack_depth(condition) for condition, _ in expression.branches]
            depths += [held + stack_depth(expression.default)]
            return max(depths if expression.operand is None else [*depths, stack_depth(expression.operand)])
        case Apply(operator=Operator.COALESCE):
            return max(stack_depth(each) for each in expression.arguments)
        case Apply(operator=Operator.BETWEEN) | FactRead():
            return max([1, *(held + stack_depth(each) for held, each in enumerate(children(expression)))])
        case _:
            return max([1, *(min(held, 1) + stack_depth(each) for held, each in enumerate(children(expression)))])
