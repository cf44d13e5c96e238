"""Marks: what no condition asks for is not kept, so facts say who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice import program as at
from onevoice.conditions.tree import FactRead, walk
from onevoice.playbook.model import TriggerKind

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
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
