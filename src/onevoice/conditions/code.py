"""The kernel's reading of conditions: expressions become rows of a code table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np

from onevoice.conditions.literals import like_pattern
from onevoice.conditions.opcodes import CODE_WIDTH, Op
from onevoice.conditions.tree import (
    OFFER_PRODUCT,
    TEMPORAL,
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
    reads_clock,
    symbols_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_READS: Final = {
    SymbolKind.TRAIT: Op.TRAIT,
    SymbolKind.MEASURE: Op.MEASURE,
    SymbolKind.SEGMENT: Op.SEGMENT,
    SymbolKind.EVENT_FIELD: Op.EVENT_FIELD,
    SymbolKind.EVENT_PRODUCT_FIELD: Op.EVENT_PRODUCT_FIELD,
    SymbolKind.OFFER_FIELD: Op.OFFER_FIELD,
    SymbolKind.OFFER_PRODUCT_FIELD: Op.OFFER_PRODUCT_FIELD,
    SymbolKind.CAMPAIGN: Op.CAMPAIGN,
}
_SIMPLE: Final = {
    Operator.ADD: Op.ADD,
    Operator.SUBTRACT: Op.SUBTRACT,
    Operator.MULTIPLY: Op.MULTIPLY,
    Operator.DIVIDE: Op.DIVIDE,
    Operator.REMAINDER: Op.REMAINDER,
    Operator.NEGATE: Op.NEGATE,
    Operator.ABS: Op.ABS,
    Operator.FLOOR: Op.FLOOR,
    Operator.CEIL: Op.CEIL,
    Operator.LEAST: Op.LEAST,
    Operator.GREATEST: Op.GREATEST,
    Operator.EQUAL: Op.EQUAL,
    Operator.UNEQUAL: Op.UNEQUAL,
    Operator.LESS: Op.LESS,
    Operator.AT_MOST: Op.AT_MOST,
    Operator.GREATER: Op.GREATER,
    Operator.AT_LEAST: Op.AT_LEAST,
    Operator.BETWEEN: Op.BETWEEN,
    Operator.NOT: Op.NOT,
    Operator.IS_NULL: Op.IS_NULL,
    Operator.IS_TRUE: Op.IS_TRUE,
    Operator.IS_FALSE: Op.IS_FALSE,
}
_CHAINS: Final = {Operator.AND: (Op.AND, Op.JUMP_IF_FALSE), Operator.OR: (Op.OR, Op.JUMP_IF_TRUE)}


class Code(NamedTuple):
    """The tables that `engine.conditions.evaluate` reads."""

    code: NDArray[np.int64]  # instruction by CODE_WIDTH
    constants: NDArray[np.float64]
    spans: NDArray[np.int64]  # expression by (START, STOP)


class Assembler:
    """Collects the expressions of a playbook into one code table; equal expressions share a number.

    `code_of` gives the code of a text; it is called once per text literal.
    """

    def __init__(self, code_of: Callable[[str], int]) -> None:
        self.expressions: list[Expression] = []  # by number
        self.patterns: list[str] = []  # of `like`, by pattern number
        self._code_of = code_of
        self._numbers: dict[Expression, int] = {}
        self._spans: list[tuple[int, int]] = []
        self._code: list[tuple[int, int, int]] = []
        self._constants: list[float] = []
        self._constant_at: dict[float | None, int] = {}
        self._pattern_at: dict[str, int] = {}

    def add(self, expression: Expression) -> int:
        """Return the number of an expression, assembling it when it is new."""
        number = self._numbers.get(expression)
        if number is None:
            number = self._numbers[expression] = len(self.expressions)
            self.expressions.append(expression)
            start = len(self._code)
            self._emit(expression)
            self._spans.append((start, len(self._code)))
        return number

    def symbols_of(self, number: int) -> frozenset[tuple[SymbolKind, int]]:
        """Return the symbols an expression reads, as (kind, index)."""
        return symbols_of(self.expressions[number])

    def reads_clock(self, number: int) -> bool:
        """Tell whether an expression itself mentions `now()` or `current_date`."""
        return reads_clock(self.expressions[number])

    def code(self) -> Code:
        """Return the tables of all expressions added so far."""
        rows = np.zeros((len(self._code), CODE_WIDTH), np.int64)
        if self._code:
            rows[:, :3] = self._code
        spans = np.array(self._spans, np.int64).reshape(-1, 2)
        return Code(rows, np.array(self._constants, np.float64), spans)

    def _put(self, op: Op, a: int = 0, b: int = 0) -> int:
        self._code.append((op, a, b))
        return len(self._code) - 1

    def _land(self, jumps: Sequence[int]) -> None:
        """Let jumps lead to the instruction that comes next."""
        for at in jumps:
            op, _, b = self._code[at]
            self._code[at] = (op, len(self._code), b)

    def _emit(self, expression: Expression) -> None:
        match expression:
            case Constant():
                self._put(Op.CONSTANT, self._constant(self._value(expression)))
            case Read():
                self._read(expression)
            case FactRead():
                self._fact(expression)
            case AnyRead():
                self._fact(expression.fact, expression.group.index + 1)
            case Clock():
                self._put(Op.NOW if expression.type is Type.TIME else Op.TODAY)
            case Apply():
                self._apply(expression)
            case In():
                self._emit(expression.operand)
                values = [self._value(each) for each in expression.choices]
                self._put(Op.IN, len(self._constants), len(values))
                self._constants.extend(cast("list[float]", values))
            case Like():
                self._emit(expression.operand)
                self._put(Op.LIKE, self._pattern(expression.pattern))
            case DatePart():
                self._emit(expression.operand)
                self._put(Op.DATE_PART, expression.part, int(expression.operand.type is Type.TIME))
            case Case():
                self._case(expression)

    def _value(self, constant: Constant) -> float | None:
        value = constant.value
        return float(self._code_of(value)) if isinstance(value, str) else value

    def _constant(self, value: float | None) -> int:
        at = self._constant_at.get(value)
        if at is None:
            at = self._constant_at[value] = len(self._constants)
            self._constants.append(float("nan") if value is None else value)
        return at

    def _pattern(self, pattern: str) -> int:
        at = self._pattern_at.setdefault(pattern, len(self.patterns))
        if at == len(self.patterns):
            self.patterns.append(pattern)
        return at

    def _read(self, expression: Read) -> None:
        symbol = expression.symbol
        if symbol.kind is SymbolKind.OFFER_FIELD and symbol.index == OFFER_PRODUCT:
            self._put(Op.OFFERED_PRODUCT)
        elif symbol.kind is SymbolKind.OFFER_PRODUCT_FIELD:
            self._put(Op.OFFER_PRODUCT_FIELD, symbol.column if symbol.column >= 0 else symbol.index)
        else:
            self._put(_READS[symbol.kind], symbol.index, max(symbol.column, 0))

    def _fact(self, expression: FactRead, asked_of: int = 0) -> None:
        """Emit the reading of a fact: of the customer, or of all in their groups of a kind, one after its number."""
        for key in expression.keys:
            self._emit(key)
        ops = (Op.FACT_COUNT if expression.count else Op.FACT_ANY, Op.FACT_PREFIX, Op.FACT_PAIR)
        self._put(ops[len(expression.keys)], expression.symbol.index, asked_of)

    def _apply(self, expression: Apply) -> None:
        operator, arguments = expression.operator, expression.arguments
        if operator in _CHAINS:
            self._chain(*_CHAINS[operator], arguments)
        elif operator is Operator.COALESCE:
            self._coalesce(arguments)
        elif operator in {Operator.LEAST, Operator.GREATEST}:
            self._emit(arguments[0])
            for each in arguments[1:]:
                self._emit(each)
                self._put(_SIMPLE[operator])
        else:
            for each in arguments:
                self._emit(each)
            self._put(_SIMPLE[operator], 0, int(expression.type in TEMPORAL))

    def _chain(self, op: Op, leave: Op, arguments: Sequence[Expression]) -> None:
        """Emit `and` or `or`: what follows is not looked at once the outcome is certain."""
        self._emit(arguments[0])
        jumps: list[int] = []
        for each in arguments[1:]:
            jumps.append(self._put(leave))
            self._emit(each)
            self._put(op)
        self._land(jumps)

    def _coalesce(self, arguments: Sequence[Expression]) -> None:
        jumps: list[int] = []
        for each in arguments[:-1]:
            self._emit(each)
            jumps.append(self._put(Op.JUMP_IF_KNOWN))
        self._emit(arguments[-1])
        self._land(jumps)

    def _case(self, expression: Case) -> None:
        """Emit a case; an operand stays below the values until one of them is chosen."""
        if expression.operand is not None:
            self._emit(expression.operand)
        ends: list[int] = []
        for condition, value in expression.branches:
            if expression.operand is not None:
                self._put(Op.DUPLICATE)
            self._emit(condition)
            if expression.operand is not None:
                self._put(Op.EQUAL)
            skip = self._put(Op.JUMP_UNLESS)
            self._emit(value)
            ends.append(self._put(Op.JUMP))
            self._land([skip])
        self._emit(expression.default)
        self._land(ends)
        if expression.operand is not None:
            self._put(Op.NIP)


def match_patterns(patterns: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Return 1 where a pattern of `like` matches a name, else 0; int64[pattern, name].

    `%` stands for any characters, `_` for one; case counts; a backslash means itself. Computed once per distinct name.
    """
    matches = np.zeros((len(patterns), len(names)), np.int64)
    for row, pattern in enumerate(patterns):
        fits = like_pattern(pattern).fullmatch
        matches[row] = [fits(name) is not None for name in names]
    return matches
