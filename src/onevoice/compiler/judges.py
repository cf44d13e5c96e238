"""What is judged after an event: only the segments and suppressions that read what its type may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice import program as at
from onevoice.compiler.rows import Groups
from onevoice.conditions.tree import SymbolKind
from onevoice.playbook.builtin import RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onevoice.compiler.assemble import Sections
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Ints

_FED: Final = frozenset({SymbolKind.FACT, SymbolKind.MEASURE})  # what events change; after traits all is judged


def compile_judges(book: Book, made: Sections) -> Grouped:
    """Return what is judged after an event of each type; its last owner is all that is judged.

    Marks the facts that segments and suppressions read, and what chooses between several offers.
    """
    facts, segments, suppressions = made.facts.facts, made.segments, made.suppressions
    campaigns, proposals = made.campaigns.campaigns, made.campaigns.proposals
    conditions = {segment: int(row[at.SEGMENT_CONDITION]) for segment, row in enumerate(segments)}
    order = list(conditions)  # a segment reads only those written above it
    for rule in range(len(suppressions)):
        condition = int(suppressions[rule, at.SUPPRESSION_CONDITION])
        facts[_facts_of(book, [condition]), at.FACT_STOPS] = 1
        if suppressions[rule, at.SUPPRESSION_JUDGED]:
            conditions[len(segments) + rule] = condition
            order.append(len(segments) + rule)
    facts[_facts_of(book, _choosing(proposals, campaigns)), at.FACT_STOPS] = 1
    facts[_facts_of(book, conditions.values()), at.FACT_JUDGED] = 1
    reads = _reads(book, conditions, order)
    types = len(book.schema.types)
    judges = Groups()
    for number, fed in enumerate(_fed_by_type(book, made.facts.uses, made.measures.uses)):
        for judged in order:
            if reads[judged] & fed:
                judges.add(number, [judged])
    for judged in order:
        judges.add(types, [judged])
    return judges.laid_out(types + 1, at.JUDGES + 1)


def _reads(book: Book, conditions: dict[int, int], order: list[int]) -> dict[int, set[tuple[SymbolKind, int]]]:
    """Return the facts and measures that decide each of what is judged, also through the segments that it reads."""
    reads: dict[int, set[tuple[SymbolKind, int]]] = {}
    for judged in order:
        symbols = book.assembler.symbols_of(conditions[judged])
        reads[judged] = {symbol for symbol in symbols if symbol[0] in _FED}
        for kind, index in symbols:
            if kind is SymbolKind.SEGMENT:
                reads[judged] |= reads[index]
    return reads


def _fed_by_type(book: Book, fact_uses: Grouped, measure_uses: Grouped) -> list[set[tuple[SymbolKind, int]]]:
    """Return the facts and measures that an event of each type, or an item of it, may change."""
    fed: list[set[tuple[SymbolKind, int]]] = [set() for _ in book.schema.types]
    for layout in book.schema.types:
        own = fed[layout.number if layout.parent < 0 else layout.parent]
        own |= {(SymbolKind.FACT, fact) for fact in fact_uses.of(layout.number)[:, at.USE_FACT].tolist()}
        if book.playbook.policies.refusals.ignored_times and layout.name in RECEIPTS:
            own.add((SymbolKind.FACT, book.facts["ignored"]))
        own |= {(SymbolKind.MEASURE, each) for each in measure_uses.of(layout.number)[:, at.MU_MEASURE].tolist()}
    return fed


def _choosing(proposals: Ints, campaigns: Ints) -> Iterator[int]:
    """Yield the conditions by which campaigns with several offers choose one: their own `if` and the offers'."""
    for row in campaigns:
        several = proposals[row[at.CAMPAIGN_PROPOSALS_FROM] : row[at.CAMPAIGN_PROPOSALS_TO]]
        if len(several) > 1:
            yield from (each for each in (row[at.CAMPAIGN_IF], *several[:, at.PROPOSAL_IF]) if each >= 0)


def _facts_of(book: Book, conditions: Iterable[int]) -> list[int]:
    symbols = {symbol for condition in conditions for symbol in book.assembler.symbols_of(condition)}
    return sorted(index for kind, index in symbols if kind is SymbolKind.FACT)
