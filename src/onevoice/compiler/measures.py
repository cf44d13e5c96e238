"""Measures: what each computes, and which events it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice import program as at
from onevoice.compiler.book import CODED
from onevoice.compiler.rows import Groups, table
from onevoice.engine.measures import COUNT, DISTINCT, FIRST, LATEST, MAX, MIN, PANES, SUM
from onevoice.playbook.model import Aggregate, FieldType

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped, Row
    from onevoice.playbook.model import Measure
    from onevoice.tables import Ints

_AGGREGATES: Final = {
    Aggregate.COUNT: COUNT,
    Aggregate.SUM: SUM,
    Aggregate.MIN: MIN,
    Aggregate.MAX: MAX,
    Aggregate.LATEST: LATEST,
    Aggregate.FIRST: FIRST,
    Aggregate.DISTINCT: DISTINCT,
}


class Measures(NamedTuple):
    """The measures, and their uses by event type."""

    measures: Ints
    uses: Grouped


def compile_measures(book: Book) -> Measures:
    """Return the tables of the measures. A window is cut into PANES panes; the last may reach beyond it."""
    rows: list[Row] = []
    uses = Groups()
    for number, measure in enumerate(book.playbook.measures.values()):
        pane_us = -(-measure.over_us // PANES)
        rows.append([_AGGREGATES[measure.aggregate], pane_us, int(bool(measure.field))])
        column, part = _value(book, measure)
        where = book.where(measure.match.event, measure.match.where)
        uses.add(book.schema.layout(measure.match.event).number, [number, where, column, part])
    types = len(book.schema.types)
    return Measures(table(rows, at.MEASURE_BY_FIELD + 1), uses.laid_out(types, at.MU_PART + 1))


def _value(book: Book, measure: Measure) -> tuple[int, int]:
    """Return the column of the value that a measure takes, and where the value has a hash."""
    if not measure.field:
        return -1, at.NO_PART
    layout = book.schema.layout(measure.match.event)
    field = layout.fields[measure.field]
    is_key = field.type is FieldType.KEY
    part = book.part(layout, measure.field) if is_key or field.type in CODED else at.NO_PART
    return -1 if is_key else field.column, part
