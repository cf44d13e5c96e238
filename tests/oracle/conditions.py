"""What a condition gives for a customer at an instant, and when it may change by time alone.

NULL is None, a condition is True or False, every number, time, date and interval is a float.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from onevoice.conditions.tree import (
    TEMPORAL,
    AnyRead,
    Apply,
    Case,
    Clock,
    Constant,
    DatePart,
    FactRead,
    In,
    Like,
    Operator,
    Read,
    SymbolKind,
    Type,
    walk,
)
from onevoice.playbook.model import Period

from . import clock, facts, measures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.conditions.tree import Expression
    from onevoice.playbook.model import Campaign, EventMatch, Offer

    from .book import Book
    from .state import Customer, Row, Value

LIMIT_US = 2**61


@dataclass(frozen=True)
class View:
    """What a condition can look at."""

    book: Book
    now: int = 0
    customer: Customer | None = None
    fields: dict[str, Value] | None = None
    offer: Offer | None = None
    product: str | None = None
    campaign: Campaign | None = None
    propensity: Value = 1.0
    age: Value = 0.0

    @property
    def zone(self) -> str:
        return zone_of(self.book, self.customer)


def zone_of(book: Book, customer: Customer | None) -> str:
    """Return the customer's zone, the playbook's where it is not known or no zone at all (§5)."""
    if customer is None:
        return book.playbook.time_zone
    named = customer.traits.get(book.zone_trait, (None,))[0]
    return str(named) if named is not None and clock.is_zone(str(named)) else book.playbook.time_zone


def matches(book: Book, match: EventMatch, row: Row) -> bool:
    """Tell whether a row is of this type and its `where` is true; NULL is not true."""
    if row.type != match.event:
        return False
    return not match.where or evaluate(book.where(match.event, match.where), View(book, fields=row.fields)) is True


# Values


def evaluate(expression: Expression, view: View) -> Value:
    match expression:
        case Constant():
            return bool(expression.value) if _is_condition(expression) else expression.value
        case Read():
            return _read(expression, view)
        case FactRead():
            return _fact(expression, view)
        case AnyRead():
            asked = [_fact(expression.fact, replace(view, customer=each)) for each in _asked(expression, view)]
            return None if None in asked else True in asked
        case Clock():
            return float(view.now) if expression.type is Type.TIME else _today(view)
        case In():
            value = evaluate(expression.operand, view)
            return None if value is None else value in [evaluate(each, view) for each in expression.choices]
        case Like():
            value = evaluate(expression.operand, view)
            return None if value is None else _like(str(value), expression.pattern)
        case DatePart():
            value = evaluate(expression.operand, view)
            zone = view.zone if expression.operand.type is Type.TIME else "UTC"
            return None if value is None else float(clock.part(clock.local(zone, int(value)), expression.part))
        case Case():
            return evaluate(_chosen(expression, view), view)
        case Apply():
            return _apply(expression, view)


def _is_condition(constant: Constant) -> bool:
    return constant.type is Type.BOOLEAN and constant.value is not None


def _today(view: View) -> float:
    return float(clock.midnight_us(clock.local(view.zone, view.now).date()))


def _like(text: str, pattern: str) -> bool:
    parts = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _read(read: Read, view: View) -> Value:
    value = _found(read, view)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _found(read: Read, view: View) -> Value:
    name = read.name
    match read.symbol.kind:
        case SymbolKind.TRAIT:
            return view.customer.traits.get(name, (None,))[0]
        case SymbolKind.MEASURE:
            return measures.value(view.book, view.customer, view.book.playbook.measures[name], view.now)
        case SymbolKind.SEGMENT:
            return name in view.customer.members
        case SymbolKind.EVENT_FIELD:
            return (view.fields or {}).get(name.removeprefix("event."))
        case SymbolKind.EVENT_PRODUCT_FIELD:
            _, field, column = name.split(".")
            return _product_field(view, (view.fields or {}).get(field), column)
        case SymbolKind.OFFER_FIELD:
            return _offer_field(view, name.removeprefix("offer."))
        case SymbolKind.OFFER_PRODUCT_FIELD:
            return _product_field(view, offered_product(view), name.split(".")[2])
        case SymbolKind.CAMPAIGN:
            return _campaign_number(view, name)
        case SymbolKind.FACT:
            raise AssertionError(name)


def offered_product(view: View) -> Value:
    """Return the offer's product, else that of the world event."""
    return (view.offer.product if view.offer else "") or view.product


def offered_family(offer: Offer | None) -> str | None:
    return (offer.family or offer.name) if offer else None


def _offer_field(view: View, field: str) -> Value:
    if field == "product":
        return offered_product(view)
    if field == "family":
        return offered_family(view.offer)
    if view.offer is None:
        return None
    return view.offer.value if field == "value" else view.offer.parameters.get(field)


def _product_field(view: View, product: Value, column: str) -> Value:
    catalogue = view.book.playbook.products
    if product not in catalogue.names:
        return None
    return catalogue.columns[column][catalogue.names.index(str(product))]


def _campaign_number(view: View, name: str) -> Value:
    if view.campaign is None:
        return None
    if name == "weight":
        return view.book.klass(view.campaign).weight
    return getattr(view if name in {"propensity", "age"} else view.campaign, name)


def _fact(read: FactRead, view: View) -> Value:
    if read.count:
        return float(facts.count_open(view.book, view.customer, read.name, view.now))
    keys = [evaluate(each, view) for each in read.keys]
    if None in keys:
        return None
    return facts.is_open(view.book, view.customer, read.name, keys, view.now)


def _asked(read: AnyRead, view: View) -> list[Customer]:
    return list(view.book.others(view.customer, read.name.partition(".")[0]))


def _chosen(case: Case, view: View) -> Expression:
    operand = None if case.operand is None else evaluate(case.operand, view)
    for condition, result in case.branches:
        value = evaluate(condition, view)
        met = value is True if case.operand is None else operand is not None and value == operand
        if met:
            return result
    return case.default


def _apply(expression: Apply, view: View) -> Value:
    operator = expression.operator
    values = [evaluate(each, view) for each in expression.arguments]
    match operator:
        case Operator.AND:
            return _all(values)
        case Operator.OR:
            return _not(_all([_not(each) for each in values]))
        case Operator.NOT:
            return _not(values[0])
        case Operator.IS_NULL:
            return values[0] is None
        case Operator.IS_TRUE:
            return values[0] is True
        case Operator.IS_FALSE:
            return values[0] is False
        case Operator.COALESCE:
            return next((each for each in values if each is not None), None)
        case Operator.LEAST | Operator.GREATEST:
            known = [each for each in values if each is not None]
            return (min if operator is Operator.LEAST else max)(known, default=None)
        case Operator.BETWEEN:
            value, low, high = values
            return _all([_compare(Operator.AT_LEAST, value, low), _compare(Operator.AT_MOST, value, high)])
        case _ if expression.type is Type.BOOLEAN:
            return _compare(operator, *values)
        case _:
            return None if None in values else _guarded(expression.type, _calculate(operator, values))


def _all(values: list[Value]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def _not(value: Value) -> bool | None:
    return None if value is None else not value


def _compare(operator: Operator, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    match operator:
        case Operator.EQUAL:
            return left == right
        case Operator.UNEQUAL:
            return left != right
        case Operator.LESS:
            return left < right
        case Operator.AT_MOST:
            return left <= right
        case Operator.GREATER:
            return left > right
        case Operator.AT_LEAST:
            return left >= right
    raise AssertionError(operator)


def _calculate(operator: Operator, values: list[float]) -> float:
    try:
        match operator:
            case Operator.NEGATE:
                return -values[0]
            case Operator.ABS:
                return abs(values[0])
            case Operator.FLOOR:
                return float(math.floor(values[0]))
            case Operator.CEIL:
                return float(math.ceil(values[0]))
            case Operator.ADD:
                return values[0] + values[1]
            case Operator.SUBTRACT:
                return values[0] - values[1]
            case Operator.MULTIPLY:
                return values[0] * values[1]
            case Operator.DIVIDE:
                return values[0] / values[1]
            case Operator.REMAINDER:
                return math.fmod(values[0], values[1])
    except (ZeroDivisionError, ValueError, OverflowError):
        return math.nan
    raise AssertionError(operator)


def _guarded(kind: Type, value: float) -> float | None:
    """Give NULL for what is not finite; times and intervals are whole microseconds."""
    if not math.isfinite(value):
        return None
    if kind not in TEMPORAL:
        return value
    value = float(math.floor(value))
    return value if abs(value) < LIMIT_US else None


# The passing of time


def changes(expression: Expression, view: View) -> Iterator[int]:
    """Yield instants after now, among them the first at which the value changes by time alone."""
    for node in walk(expression):
        match node:
            case Clock(type=Type.DATE):
                yield clock.next_period_start(view.zone, Period.DAY, view.now)
            case DatePart() if node.operand.type is Type.TIME:
                yield from _part_changes(node, view)
            case FactRead():
                yield from facts.ends(view.book, view.customer, node.name, view.now)
            case AnyRead():
                for each in _asked(node, view):
                    yield from facts.ends(view.book, each, node.fact.name, view.now)
            case Read() if node.symbol.kind is SymbolKind.MEASURE:
                yield from measures.ends(view.book, view.customer, node.name, view.now)
            case Apply() | In() | Case():
                yield from _crossings(node, view)


def _part_changes(node: DatePart, view: View) -> Iterator[int]:
    value, pace = _line(node.operand, view)
    if value is None or pace == 0:
        return
    assert pace == 1, "a time that runs at another pace than the clock"
    yield view.now + clock.next_part_change(view.zone, node.part, int(value)) - int(value)


def _crossings(node: Apply | In | Case, view: View) -> Iterator[int]:
    """Yield the instants around which two of the compared times or intervals meet."""
    compared: list[Expression] = []
    if isinstance(node, Apply):
        compared = list(node.arguments)
    elif isinstance(node, In):
        compared = [node.operand, *node.choices]
    elif node.operand is not None:
        compared = [node.operand, *(condition for condition, _ in node.branches)]
    lines = [_line(each, view) for each in compared if each.type in {Type.TIME, Type.INTERVAL}]
    for value, pace in lines:
        for other, other_pace in lines:
            if value is None or other is None or pace <= other_pace:
                continue
            meeting = view.now + math.floor((other - value) / (pace - other_pace))
            yield from (each for each in range(meeting - 1, meeting + 3) if each > view.now)


def _line(expression: Expression, view: View) -> tuple[float | None, int]:
    """Return the value now, and by how much it grows with each microsecond while nothing else changes."""
    return evaluate(expression, view), _pace(expression, view)


def _pace(expression: Expression, view: View) -> int:
    match expression:
        case Clock(type=Type.TIME):
            return 1
        case Case():
            return _pace(_chosen(expression, view), view)
        case Apply():
            paces = [_pace(each, view) for each in expression.arguments]
        case _:
            return 0
    match expression.operator:
        case Operator.ADD:
            return paces[0] + paces[1]
        case Operator.SUBTRACT:
            return paces[0] - paces[1]
        case Operator.NEGATE:
            return -paces[0]
        case Operator.COALESCE | Operator.LEAST | Operator.GREATEST:
            value = evaluate(expression, view)
            values = [evaluate(each, view) for each in expression.arguments]
            return paces[values.index(value)] if value is not None else 0
        case _:
            return 0
