"""Triggers: which campaigns an event, a moment or a segment starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from onevoice import program as at
from onevoice.compiler.rows import Groups
from onevoice.playbook.model import TriggerKind

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped, Row
    from onevoice.playbook.model import Trigger


class Triggers(NamedTuple):
    """Campaigns by what starts them."""

    events: Grouped  # by event type
    fans: Grouped  # by event type: events of the world
    moments: Grouped  # by moment
    segments: Grouped  # by twice the segment: entered, then left


def compile_triggers(book: Book) -> Triggers:
    """Return what starts each campaign; those that are asked, or started by time, are not here."""
    events, fans, moments, segments = Groups(), Groups(), Groups(), Groups()
    for number, campaign in enumerate(book.playbook.campaigns.values()):
        when = campaign.when
        match when.kind:
            case TriggerKind.EVENT:
                events.add(*_by_event(book, number, when, campaign.per))
            case TriggerKind.PRODUCT:
                fans.add(*_by_event(book, number, when, campaign.per))
            case TriggerKind.MOMENT:
                moments.add(book.moments[when.name], [number])
            case TriggerKind.SEGMENT_ENTERED:
                segments.add(2 * book.segments[when.name], [number])
            case TriggerKind.SEGMENT_LEFT:
                segments.add(2 * book.segments[when.name] + 1, [number])
            case _:
                pass
    types = len(book.schema.types)
    return Triggers(
        events.laid_out(types, at.T_FACT + 1),
        fans.laid_out(types, at.T_FACT + 1),
        moments.laid_out(len(book.moments), 1),
        segments.laid_out(2 * len(book.segments), 1),
    )


def _by_event(book: Book, number: int, when: Trigger, per: str) -> tuple[int, Row]:
    layout = book.schema.layout(when.name)
    key = book.part(layout, per) if per else at.NO_PART
    return layout.number, [number, book.where(when.name, when.where), key, book.facts.get(when.fact, -1)]
