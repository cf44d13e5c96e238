"""Segments, and the order in which they are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice import program as at
from onevoice.compiler.rows import table
from onevoice.conditions.tree import SymbolKind, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Ints


def compile_segments(book: Book, campaigns: Grouped) -> Ints:
    """Return the table of the segments; `campaigns` are those that start when one is entered, and when it is left."""
    conditions = [
        book.condition(segment.condition, book.scopes.customer(), Type.BOOLEAN)
        for segment in book.playbook.segments.values()
    ]
    segments = table([[each, int(book.is_timed(each))] for each in conditions], at.SEGMENT_ORDER + 1)
    segments[:, at.SEGMENT_ENTERED_FROM : at.SEGMENT_LEFT_TO + 1] = campaigns.spans.reshape(-1, 4)
    segments[:, at.SEGMENT_ORDER] = _judging_order(book, conditions)
    return segments


def _judging_order(book: Book, conditions: Sequence[int]) -> list[int]:
    """Return the segments in playbook order, but each after those that it reads."""
    order: list[int] = []

    def visit(number: int) -> None:
        if number in order:
            return
        read = book.assembler.symbols_of(conditions[number])
        for index in sorted(index for kind, index in read if kind is SymbolKind.SEGMENT):
            visit(index)
        order.append(number)

    for number in range(len(conditions)):
        visit(number)
    return order
