"""Sources that may stop: which events tell of them, and which campaigns depend on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from onevoice import program as at
from onevoice.compiler.rows import Groups, table
from onevoice.playbook.depends import dependents
from onevoice.playbook.feeds import brings

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.tables import Ints


class Feeds(NamedTuple):
    """The tables of the sources with `stale_after` on which campaigns depend, named as in the program."""

    feeds: Ints
    feed_uses: Ints
    campaign_feeds: Ints


def compile_feeds(book: Book, event_types: Ints, campaigns: Ints) -> Feeds:
    """Return the sources that may stop, and for which somebody is held then.

    Marks the event types that tell of them, and the campaigns that depend on them.
    """
    held = dependents(book.playbook)
    sources = [each for each in enumerate(book.playbook.sources.values()) if held.get(each[1].name)]
    uses, depending = Groups(), Groups()
    for feed, (_, source) in enumerate(sources):
        types = brings(book.playbook, source)
        for layout in book.schema.types:
            if layout.name in types:
                uses.add(layout.number, [feed])
        for name in held[source.name]:
            depending.add(book.campaigns[name], [feed])
    of_types, of_campaigns = uses.laid_out(len(event_types), 1), depending.laid_out(len(campaigns), 1)
    event_types[:, at.E_FEEDS_FROM : at.E_FEEDS_TO + 1] = of_types.spans
    campaigns[:, at.CAMPAIGN_FEEDS_FROM : at.CAMPAIGN_FEEDS_TO + 1] = of_campaigns.spans
    rows = table([[number, source.stale_after_us] for number, source in sources], at.FEED_STALE_US + 1)
    return Feeds(rows, of_types.rows, of_campaigns.rows)
