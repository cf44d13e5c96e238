"""From a playbook to the tables of a program.

Each section of a playbook is a file here that fills its tables. `compile_playbook` calls them in order: later sections
need the numbers of earlier ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.compiled import Compiled
from onevoice.compiler.assemble import Sections, assembled, widths_of
from onevoice.compiler.book import Book, placed
from onevoice.compiler.campaigns import compile_campaigns, tie_of
from onevoice.compiler.events import compile_roles
from onevoice.compiler.facts import Facts
from onevoice.compiler.measures import compile_measures
from onevoice.compiler.moments import compile_moments
from onevoice.compiler.offers import compile_offers, compile_products
from onevoice.compiler.policies import compile_limits, compile_policies, compile_suppressions
from onevoice.compiler.segments import compile_segments
from onevoice.compiler.triggers import compile_triggers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.compiled import Split
    from onevoice.playbook.model import Playbook

__all__ = ["compile_playbook", "placed", "tie_of"]


def compile_playbook(playbook: Playbook, splits: Sequence[Split] = ()) -> Compiled:
    """Compile a playbook that has been checked; `splits`: identifiers that are two people's.

    Raises PlaybookError where a limit of the engine is exceeded.
    """
    book = Book(playbook)
    sections = _sections(book)
    program = assembled(book, sections, splits)
    names, patterns = tuple(book.names.codes), tuple(book.assembler.patterns)
    return Compiled(playbook, book.schema, program, widths_of(book, program), names, patterns)


def _sections(book: Book) -> Sections:
    facts = Facts(book)
    measures = compile_measures(book)
    moments = compile_moments(book)
    offers = compile_offers(book)
    campaigns = compile_campaigns(book, facts)
    triggers = compile_triggers(book)
    segments = compile_segments(book, triggers.segments)
    suppressions = compile_suppressions(book)
    policies = compile_policies(book)
    limits = compile_limits(book, segments, suppressions, campaigns.campaigns)
    roles = compile_roles(book)  # of every name that an event may mean: after those who name
    products = compile_products(book)
    return Sections(
        facts.laid_out(),
        measures,
        moments,
        offers,
        campaigns,
        triggers,
        segments,
        suppressions,
        policies,
        limits,
        roles,
        products,
    )
