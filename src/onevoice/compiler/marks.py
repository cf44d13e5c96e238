"""Marks: what no condition asks for is not kept, so facts say who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice import program as at
from onevoice.conditions.tree import AnyRead, FactRead, walk
from onevoice.playbook.builtin import BUILTIN_FACT_NAMES
from onevoice.playbook.model import TriggerKind

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.tables import Ints


def mark_counted(book: Book, facts: Ints) -> None:
    """Mark the facts of which a condition asks for a total, or for a first value of several; and the groups asked."""
    for campaign in book.playbook.campaigns.values():
        if campaign.when.kind is TriggerKind.PRODUCT:
            facts[book.facts[campaign.when.fact], at.FACT_PREFIXED] = 1
    for expression in book.assembler.expressions:
        for each in walk(expression):
            if isinstance(each, FactRead):
                facts[each.symbol.index, at.FACT_PREFIXED if each.keys else at.FACT_TOTALLED] = 1
            elif isinstance(each, AnyRead):
                facts[each.group.index, at.FACT_MEMBERS] = 1
                bit = each.group.index - len(BUILTIN_FACT_NAMES)
                facts[each.fact.symbol.index, at.FACT_GROUPS] |= 1 << bit
    facts[[book.facts[cap.group] for cap in book.caps if cap.group], at.FACT_MEMBERS] = 1
    facts[facts[:, at.FACT_PARTS] == 0, at.FACT_TOTALLED] = 0
    facts[facts[:, at.FACT_PARTS] < 2, at.FACT_PREFIXED] = 0
