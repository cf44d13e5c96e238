"""The sections joined: what one of them knows about another, and all of them as one program."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from onevoice import program as at
from onevoice.compiled import Widths
from onevoice.compiler.events import (
    compile_coded,
    compile_coded_traits,
    compile_event_types,
    compile_kinds,
    compile_splits,
)
from onevoice.compiler.feeds import compile_feeds
from onevoice.compiler.judges import compile_judges
from onevoice.compiler.marks import mark_counted
from onevoice.compiler.room import room_for_event, room_for_row, room_for_timer
from onevoice.conditions.opcodes import STACK_ROOM
from onevoice.engine import state as pool
from onevoice.playbook.scopes import computed_parameters
from onevoice.zones import zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.compiled import Split
    from onevoice.compiler.book import Book
    from onevoice.compiler.campaigns import Campaigns
    from onevoice.compiler.facts import FactTables
    from onevoice.compiler.measures import Measures
    from onevoice.compiler.moments import Moments
    from onevoice.compiler.policies import Policies
    from onevoice.compiler.rows import Grouped
    from onevoice.compiler.triggers import Triggers
    from onevoice.tables import Floats, Ints


class Sections(NamedTuple):
    """What the sections of a playbook gave, in the order in which they are compiled."""

    facts: FactTables
    measures: Measures
    moments: Moments
    offers: Floats
    campaigns: Campaigns
    triggers: Triggers
    segments: Ints
    suppressions: Ints
    policies: Policies
    limits: Ints
    roles: Ints
    products: Floats


def assembled(book: Book, made: Sections, splits: Sequence[Split]) -> at.Program:
    """Return the program of a book whose sections are all made."""
    facts, measures, moments, triggers = made.facts, made.measures, made.moments, made.triggers
    judges = compile_judges(book, made)
    made.limits[[at.P_JUDGES_FROM, at.P_JUDGES_TO]] = judges.spans[-1]
    event_types = _joined(book, made, judges)
    feeds = compile_feeds(book, event_types, made.campaigns.campaigns)
    judged = len(made.segments) + len(made.suppressions)
    flips, schedules, campaigns = len(triggers.segments.rows), len(made.campaigns.schedules), len(book.campaigns)
    cells = judged + int(made.limits[at.P_HOLDOUTS])
    shows = int(made.policies.placements[:, at.PLACEMENT_SLOTS].max(initial=0))
    for_event = room_for_event(cells, flips, schedules, campaigns, shows, len(made.policies.resources))
    for_event[pool.TIMERS] += len(feeds.feeds)
    return at.Program(
        limits=made.limits,
        kinds=compile_kinds(book),
        splits=compile_splits(book, splits),
        event_types=event_types,
        facts=facts.facts,
        fact_uses=facts.uses.rows,
        measures=measures.measures,
        measure_uses=measures.uses.rows,
        moments=moments.moments,
        substeps=moments.substeps,
        advances=moments.advances.rows,
        moment_uses=moments.uses.rows,
        begins=moments.begins.rows,
        moment_campaigns=triggers.moments.rows,
        triggers=triggers.events.rows,
        fans=triggers.fans.rows,
        segments=made.segments,
        segment_campaigns=triggers.segments.rows,
        judges=judges.rows,
        **made.campaigns._asdict(),
        **made.policies._asdict(),
        suppressions=made.suppressions,
        **feeds._asdict(),
        offers=made.offers,
        products=made.products,
        roles=made.roles,
        coded=compile_coded(book),
        coded_traits=compile_coded_traits(book),
        **book.assembler.code()._asdict(),
        zones=at.ZoneTables(**zones()._asdict()),
        room_for_row=room_for_row(event_types, moments.moments, moments.uses),
        room_for_event=for_event,
        room_for_timer=room_for_timer(for_event, campaigns),
    )


def widths_of(book: Book, program: at.Program) -> Widths:
    """Return how wide a state must be for a program."""
    return Widths(
        kinds=len(book.schema.identifiers),
        traits=len(book.schema.traits),
        segments=len(book.segments),
        moments=len(book.moments),
        initiators=int(program.moments[:, at.MOMENT_INITIATOR].max(initial=-1)) + 1,
        substeps=int(program.moments[:, at.MOMENT_SUBSTEPS].max(initial=0)),
        values=book.schema.width_values,
        names=len(book.names.codes),
        likes=len(book.assembler.patterns),
        campaigns=len(book.campaigns),
        classes=len(book.classes),
        resources=len(program.resources),
        computed=len(computed_parameters(book.playbook)),
        stack=STACK_ROOM,
        addresses=len(book.addresses),
        lines=len(program.resources) * max(len(program.classes) + 1, len(program.channels)),
        feeds=len(program.feeds),
    )


def _joined(book: Book, made: Sections, judges: Grouped) -> Ints:
    """Give the moments their campaigns and the facts their marks; returns the event types."""
    facts, measures, moments, triggers = made.facts, made.measures, made.moments, made.triggers
    moments.moments[:, at.MOMENT_CAMPAIGNS_FROM : at.MOMENT_CAMPAIGNS_TO + 1] = triggers.moments.spans
    mark_counted(book, facts.facts)
    uses = (facts.uses, measures.uses, moments.advances, moments.begins, triggers.events, triggers.fans)
    event_types = compile_event_types(book, uses, facts.ends)
    event_types[:, at.E_JUDGES_FROM : at.E_JUDGES_TO + 1] = judges.spans[:-1]
    return event_types
