"""Sources that are silent for too long, and who is held for it (§19). Each is looked at by hand; nothing is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onevoice.conditions.tree import SymbolKind, symbols_of
from onevoice.playbook.builtin import CONTROL_EVENTS
from onevoice.playbook.model import TriggerKind

from . import controls, look_ahead
from .state import Decision, Line, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.conditions.tree import Expression
    from onevoice.playbook.model import Campaign, Source

    from .book import Book
    from .twin import Twin


@dataclass
class Feed:
    number: int  # among all sources
    known: int | None = None  # the latest that occurred
    stale: bool = False
    back: int | None = None  # when it is looked at, having been heard again
    told: tuple[int, int] = (0, 0)  # up to when it was known, and from when on it is stale, when it became stale


def feeds_of(book: Book) -> dict[str, Feed]:
    return {
        source.name: Feed(number)
        for number, source in enumerate(book.playbook.sources.values())
        if source.stale_after_us and any(depends(book, campaign, source.name) for campaign in book.campaigns)
    }


def hear(twin: Twin, line: dict[str, Any], kind: str, occurred_at: int) -> None:
    """Let the sources of a line be known up to when it occurred."""
    sources = twin.book.playbook.sources
    for name, feed in twin.feeds.items():
        theirs = line.get("source") in sources and line["source"] != name
        if theirs or not _brings(sources[name], kind) or (feed.known is not None and feed.known >= occurred_at):
            continue
        feed.known = occurred_at
        if feed.stale and feed.back is None and twin.now < occurred_at + sources[name].stale_after_us:
            feed.back = twin.now + 1


def _brings(source: Source, kind: str) -> bool:
    return kind in source.events if source.events else kind not in CONTROL_EVENTS


def looks(twin: Twin) -> Iterator[tuple[int, str]]:
    """Yield when each source is to be looked at next; not before there was a line."""
    for name, feed in twin.feeds.items():
        ends = None if feed.known is None else feed.known + twin.book.playbook.sources[name].stale_after_us
        if feed.stale and feed.back is not None:
            yield feed.back, name
        elif twin.first is not None and not feed.stale:
            yield max(twin.first + 1, ends or 0), name


def look(twin: Twin, name: str) -> None:
    """Find a source stale or fresh; where it is so newly, tell it, and free who is free by it."""
    feed, span = twin.feeds[name], twin.book.playbook.sources[name].stale_after_us
    feed.back = None
    was, feed.stale = feed.stale, feed.known is None or twin.now >= feed.known + span
    if was == feed.stale:
        return
    feed.told = (0, 0) if feed.known is None else (feed.known, feed.known + span)
    _tell(twin, name)
    if not was:
        look_ahead.free_of_held(twin)
        return
    for customer in twin.roots():
        for candidate in customer.candidates.values():
            if candidate.reason == Reason.STALE and holding(twin, twin.book.campaigns[candidate.number]) is None:
                candidate.reason, candidate.due = 0, twin.now


def _tell(twin: Twin, name: str) -> None:
    feed = twin.feeds[name]
    nothing = (None,) * len(twin.book.computed_names)
    held = [each for each in twin.book.campaigns if depends(twin.book, each, name)]
    lines = tuple(
        Line(each.name, 0, "stale", rule=feed.number, value=feed.told[0], limit=feed.told[1], computed=nothing)
        for each in held
    )
    kind = "source_stale" if feed.stale else "source_fresh"
    twin.decisions.append(Decision(len(twin.decisions), kind, twin.now, twin.position, -1, "", lines))


def holding(twin: Twin, campaign: Campaign) -> Feed | None:
    """Return the first stale source on which a campaign depends."""
    return next((feed for name, feed in twin.feeds.items() if feed.stale and depends(twin.book, campaign, name)), None)


def is_held(twin: Twin, campaign: Campaign) -> bool:
    """Tell whether nothing may go out of a campaign: it is off, or a source on which it depends is stale."""
    return controls.is_off(twin, campaign) is not None or holding(twin, campaign) is not None


# Who depends on what


def depends(book: Book, campaign: Campaign, name: str) -> bool:
    return any(_brings(book.playbook.sources[name], kind) for kind in needs(book, campaign))


def needs(book: Book, campaign: Campaign) -> set[str]:
    """Return the types of event that could end, silence or exclude who is wanted by a campaign."""
    if campaign.name not in book.needs:
        book.needs[campaign.name] = {each.partition(".")[0] for each in _needs(book, campaign)}
    return book.needs[campaign.name]


def _needs(book: Book, campaign: Campaign) -> set[str]:
    found = {campaign.until.event} if campaign.until else set()
    when, playbook = campaign.when, book.playbook
    for step in playbook.moments[when.name].steps if when.kind is TriggerKind.MOMENT else ():
        found |= {match.event for match in step.matches if step.absent}
    if when.kind is TriggerKind.PRODUCT:
        found |= {match.event for match in book.facts[when.fact].closes}
    conditions = [each for offer in book.offers(campaign) for each in book.eligibility(campaign, offer)]
    proposes = bool(campaign.offers) or when.kind is TriggerKind.PRODUCT
    for rule, suppression in enumerate(book.policies.suppress):
        if campaign.klass in suppression.stop or ("offers" in suppression.stop and proposes):
            conditions.append(book.suppression(rule))
    if when.kind in {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}:
        conditions.append(book.segment(when.name))
    for condition in conditions:
        found |= _feeding(book, condition)
    return found | (_outbound(book, campaign) if campaign.when.kind is not TriggerKind.ASKED else set())


def _outbound(book: Book, campaign: Campaign) -> set[str]:
    gap = book.policies.gap_us and not book.is_exempt(campaign, "gap")
    capped = [cap for cap in book.policies.caps if not cap.placement] and not book.is_exempt(campaign, "caps")
    return {"consent_given", "consent_withdrawn", *(["contact_reported"] if gap or capped else [])}


def _feeding(book: Book, condition: Expression) -> set[str]:
    """Return the events that may change what a condition says, whatever it reads through."""
    found: set[str] = set()
    for kind, index in symbols_of(condition):
        if kind is SymbolKind.FACT:
            fact = list(book.facts.values())[index]
            found |= {match.event for match in (*fact.opens, *fact.closes)}
        elif kind is SymbolKind.MEASURE:
            found.add(list(book.playbook.measures.values())[index].match.event)
        elif kind is SymbolKind.SEGMENT:
            found |= _feeding(book, book.segment(list(book.playbook.segments)[index]))
        elif kind is SymbolKind.TRAIT:
            found.add("profile_updated")
    return found
