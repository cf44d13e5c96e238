"""Segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice import program as at
from onevoice.compiler.rows import table
from onevoice.conditions.tree import Type

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Ints


def compile_segments(book: Book, campaigns: Grouped) -> Ints:
    """Return the table of the segments; `campaigns` are those that start when one is entered, and when it is left."""
    conditions = [
        book.condition(segment.condition, book.scopes.customer(), Type.BOOLEAN)
        for segment in book.playbook.segments.values()
    ]
    segments = table([[each, int(book.is_timed(each))] for each in conditions], at.SEGMENT_WIDTH)
    segments[:, at.SEGMENT_ENTERED_FROM : at.SEGMENT_LEFT_TO + 1] = campaigns.spans.reshape(-1, 4)
    return segments
