"""Marks: what no condition asks for is neither kept nor judged, so facts and event types say who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice import program as at
from onevoice.conditions.tree import FactRead, SymbolKind, walk
from onevoice.playbook.model import TriggerKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Ints


def mark_counted(book: Book, facts: Ints) -> None:
    """Mark the facts of which a condition asks for a total, or for a first value of several."""
    for campaign in book.playbook.campaigns.values():
        if campaign.when.kind is TriggerKind.PRODUCT:
            facts[book.facts[campaign.when.fact], at.FACT_PREFIXED] = 1
    for expression in book.assembler.expressions:
        for each in walk(expression):
            if isinstance(each, FactRead):
                facts[each.symbol.index, at.FACT_PREFIXED if each.keys else at.FACT_TOTALLED] = 1
    facts[facts[:, at.FACT_PARTS] == 0, at.FACT_TOTALLED] = 0
    facts[facts[:, at.FACT_PARTS] < 2, at.FACT_PREFIXED] = 0


def mark_judged(book: Book, facts: Ints, segments: Ints, suppressions: Ints) -> list[int]:
    """Mark the facts that segments and suppressions read; returns the measures that are judged."""
    rules = suppressions[:, at.SUPPRESSION_CONDITION]
    judged = {*segments[:, at.SEGMENT_CONDITION], *rules[suppressions[:, at.SUPPRESSION_JUDGED] == 1]}
    facts[_read(book, judged, SymbolKind.FACT), at.FACT_JUDGED] = 1
    facts[_read(book, rules, SymbolKind.FACT), at.FACT_STOPS] = 1
    return _read(book, judged, SymbolKind.MEASURE)


def mark_judging(
    book: Book, event_types: Ints, facts: Ints, fact_uses: Grouped, measure_uses: Grouped, measures: list[int]
) -> None:
    """Mark the event types after which the customer is judged: they, or their items, touch what is judged."""
    for layout in book.schema.types:
        touched = facts[fact_uses.of(layout.number)[:, at.USE_FACT], at.FACT_JUDGED]
        counted = np.isin(measure_uses.of(layout.number)[:, at.MU_MEASURE], measures)
        if touched.any() or counted.any():
            event_types[layout.number if layout.parent < 0 else layout.parent, at.E_JUDGES] = 1


def _read(book: Book, conditions: Iterable[int], kind: SymbolKind) -> list[int]:
    """Return the symbols of one kind that any of the conditions reads, by index."""
    symbols = {symbol for condition in conditions for symbol in book.assembler.symbols_of(int(condition))}
    return sorted(index for each, index in symbols if each is kind)
