"""Measures over all time, or over windows that move in panes (§5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.model import Aggregate, FieldType

from . import conditions
from .hashing import text_hash
from .state import Held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.playbook.model import Measure

    from .book import Book
    from .state import Customer, Moment_, Row, Value

PANES = 64
UNIT = 10_000.0
SUM_MAX = 2**39
DISTINCT_MAX = 1_024
ALL_TIME = -1


def update(book: Book, customer: Customer, row: Row, secret: tuple[int, int]) -> None:
    for measure in book.playbook.measures.values():
        if not conditions.matches(book, measure.match, row):
            continue
        value = row.fields.get(measure.field) if measure.field else row.at[0]
        if value is None:
            continue
        if measure.field and book.row_fields(row.type)[measure.field] is FieldType.KEY:
            value = text_hash(str(value), secret)
        held = customer.measures.setdefault(measure.name, Held())
        _take(measure, held, value, row.at)


def _take(measure: Measure, held: Held, value: Value, at: Moment_) -> None:
    pane = pane_of(measure, at[0])
    match measure.aggregate:
        case Aggregate.COUNT:
            held.panes[pane] = held.panes.get(pane, 0) + 1
        case Aggregate.SUM if abs(value) < SUM_MAX:
            held.panes[pane] = held.panes.get(pane, 0) + round(float(value) * UNIT)
        case Aggregate.MIN:
            held.panes[pane] = min(held.panes.get(pane, value), value)
        case Aggregate.MAX:
            held.panes[pane] = max(held.panes.get(pane, value), value)
        case Aggregate.DISTINCT:
            if value in held.values or len(held.values) < DISTINCT_MAX:
                held.values[value] = max(held.values.get(value, pane), pane)
        case Aggregate.LATEST if held.at is None or at >= held.at:
            held.value, held.at = value, at
        case Aggregate.FIRST if held.at is None or at < held.at:
            held.value, held.at = value, at


def pane_length(measure: Measure) -> int:
    return -(-measure.over_us // PANES)


def pane_of(measure: Measure, t: int) -> int:
    return t // pane_length(measure) if measure.over_us else ALL_TIME


def is_held(measure: Measure, pane: int, now: int) -> bool:
    return not measure.over_us or pane > pane_of(measure, now) - PANES


def value(book: Book, customer: Customer, measure: Measure, now: int) -> Value:
    held = customer.measures.get(measure.name, Held())
    numbers = [number for pane, number in held.panes.items() if is_held(measure, pane, now)]
    match measure.aggregate:
        case Aggregate.COUNT:
            return float(sum(numbers))
        case Aggregate.SUM:
            return sum(numbers) / UNIT if numbers else None
        case Aggregate.MIN:
            return min(numbers, default=None)
        case Aggregate.MAX:
            return max(numbers, default=None)
        case Aggregate.DISTINCT:
            return float(sum(is_held(measure, pane, now) for pane in held.values.values()))
        case Aggregate.LATEST | Aggregate.FIRST:
            return held.value


def ends(book: Book, customer: Customer, name: str, now: int) -> Iterator[int]:
    """Yield the instants at which the window loses a pane that holds something."""
    measure = book.playbook.measures[name]
    held = customer.measures.get(name)
    if held and measure.over_us:
        for pane in (*held.panes, *held.values.values()):
            if is_held(measure, pane, now):
                yield (pane + PANES) * pane_length(measure)


def merge(book: Book, into: Customer, other: Customer) -> None:
    for name, theirs in other.measures.items():
        measure = book.playbook.measures[name]
        ours = into.measures.setdefault(name, Held())
        for pane, number in theirs.panes.items():
            ours.panes[pane] = _joined(measure, ours.panes[pane], number) if pane in ours.panes else number
        for each, pane in theirs.values.items():
            if each in ours.values or len(ours.values) < DISTINCT_MAX:
                ours.values[each] = max(ours.values.get(each, pane), pane)
        if theirs.at is not None:
            _take(measure, ours, theirs.value, theirs.at)


def _joined(measure: Measure, ours: float, theirs: float) -> float:
    match measure.aggregate:
        case Aggregate.MIN:
            return min(ours, theirs)
        case Aggregate.MAX:
            return max(ours, theirs)
        case _:
            return ours + theirs
