"""DuckDB's reading of conditions: an expression as SQL over the exported tables.

A row holds a customer and, where the condition knows them, an event, an offer and a campaign. Its columns:

======================================== ===========================================================================
trait, measure, segment                  its name: DOUBLE, VARCHAR, BOOLEAN, TIMESTAMPTZ or DATE
fact                                     its name: VARCHAR[][], the open keys, each a list of its parts (none: `[]`)
`any` fact of a group                    the dotted name, quoted: the open keys of all whom `any` asks, likewise
`event.page`, `event.product.category`   the dotted name, quoted: `"event.page"`; so for `offer.…`
`weight`, `priority`, …                  the campaign's numbers by their names
======================================== ===========================================================================

Inside, numbers are DOUBLE and finite or NULL; times, dates and intervals are DOUBLE microseconds, as in the kernel.
"""

from __future__ import annotations

from typing import Final

from onevoice.conditions.literals import LIMIT_US
from onevoice.conditions.tree import (
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
    Part,
    Read,
    Type,
)

_INFIX: Final = frozenset(
    {
        Operator.EQUAL, Operator.UNEQUAL, Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST,
        Operator.AND, Operator.OR,
    }
)  # fmt: skip
_CALLS: Final = frozenset(
    {Operator.ABS, Operator.FLOOR, Operator.CEIL, Operator.LEAST, Operator.GREATEST, Operator.COALESCE}
)
_TESTS: Final = frozenset({Operator.IS_NULL, Operator.IS_TRUE, Operator.IS_FALSE})
_SQL_TYPE: Final = {Type.TEXT: "VARCHAR", Type.BOOLEAN: "BOOLEAN"}  # all others DOUBLE

# A macro writes its argument wherever it names it, so nested guards would double with each level: through a list of one
# the argument is written, and computed, once.
_MACRO: Final = "create or replace temp macro onevoice_{}(x) as list_transform([x], lambda v: case when {} end)[1]"
MACROS: Final = (
    _MACRO.format("number", "isfinite(v) then v"),
    _MACRO.format("span", f"isfinite(v) and abs(v) < {LIMIT_US} then floor(v)"),
)


class Reading:
    """Writes expressions as SQL for DuckDB.

    `now` is SQL that gives the instant as TIMESTAMPTZ, by default the parameter `$now`; `zone` gives the name of the
    customer's zone. The statement needs `MACROS` run once per connection.
    """

    def __init__(self, now: str = "$now", zone: str = '"time_zone"') -> None:
        self.now = now
        self.zone = zone

    def sql(self, expression: Expression) -> str:
        """Return an expression as SQL text, in parentheses where it is not a single term."""
        match expression:
            case Constant():
                return _literal(expression)
            case Read():
                return _column(expression)
            case FactRead():
                return self._fact(expression, expression.name)
            case AnyRead():
                return self._fact(expression.fact, expression.name)
            case Clock():
                instant = f"timezone({self.zone}, {self.now})::date" if expression.type is Type.DATE else self.now
                return f"epoch_us({instant})::double"
            case Apply():
                return self._apply(expression)
            case In():
                choices = ", ".join(_literal(each) for each in expression.choices)
                return f"({self.sql(expression.operand)} in ({choices}))"
            case Like():
                return f"({self.sql(expression.operand)} like {_text(expression.pattern)})"
            case DatePart():
                return self._date_part(expression)
            case Case():
                return self._case(expression)

    def _apply(self, expression: Apply) -> str:
        operator, arguments = expression.operator, [self.sql(each) for each in expression.arguments]
        if operator in _INFIX:
            return "(" + f" {operator} ".join(arguments) + ")"
        if operator in _CALLS:
            return f"{operator}({', '.join(arguments)})"
        if operator in _TESTS:
            return f"({arguments[0]} {operator})"
        match operator:
            case Operator.NOT:
                return f"(not {arguments[0]})"
            case Operator.NEGATE:
                return f"(-{arguments[0]})"
            case Operator.BETWEEN:
                return f"({arguments[0]} between {arguments[1]} and {arguments[2]})"
            case _:
                guard = "onevoice_span" if expression.type in TEMPORAL else "onevoice_number"
                return f"{guard}({arguments[0]} {operator} {arguments[1]})"

    def _fact(self, expression: FactRead, name: str) -> str:
        column = _name(name)
        if expression.count:
            return f"coalesce(len({column}), 0)::double"
        if not expression.keys:
            return f"(coalesce(len({column}), 0) > 0)"
        keys = [self.sql(each) for each in expression.keys]
        positions = range(1, len(keys) + 1)
        known = " and ".join(f"keys[{at}] is not null" for at in positions)
        equal = " and ".join(f"part[{at}] = keys[{at}]" for at in positions)
        opened = f"coalesce(len(list_filter({column}, lambda part: {equal})), 0) > 0"
        return f"list_transform([[{', '.join(keys)}]], lambda keys: case when {known} then {opened} end)[1]"

    def _date_part(self, expression: DatePart) -> str:
        operand, part = self.sql(expression.operand), Part(expression.part).name.lower()
        instant = f"make_timestamp({operand}::bigint)"
        if expression.operand.type is Type.TIME:
            instant = f"timezone({self.zone}, make_timestamptz({operand}::bigint))"
        return f"date_part('{part}', {instant})::double"

    def _case(self, expression: Case) -> str:
        operand = "" if expression.operand is None else f" {self.sql(expression.operand)}"
        branches = [f"when {self.sql(when)} then {self.sql(then)}" for when, then in expression.branches]
        return f"(case{operand} {' '.join(branches)} else {self.sql(expression.default)} end)"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal(constant: Constant) -> str:
    value = constant.value
    if value is None:
        return f"null::{_SQL_TYPE.get(constant.type, 'DOUBLE')}"
    if isinstance(value, str):
        return _text(value)
    if constant.type is Type.BOOLEAN:
        return "true" if value else "false"
    return f"{value!r}::double" if value >= 0 else f"({value!r}::double)"


def _column(read: Read) -> str:
    name = _name(read.name)
    if read.type is Type.NUMBER:
        return f"onevoice_number({name})"
    if read.type in TEMPORAL:
        return f"epoch_us({name})::double"
    return name
