"""What is known about a customer, and what became of events, as notebooks show it."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from onevoice.history.notebook import block, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.runtime.customer import Customer, Interval
    from onevoice.runtime.ingested import Ingested

_ROWS_MAX: Final = 60
_KEYS_MAX: Final = 3  # of one fact
_MISTAKES_MAX: Final = 8


def customer_html(customer: Customer) -> str:
    """Return a table with a row for each thing that is known, open, begun, waiting or was said lately."""
    identifiers = ", ".join(f"{count} {kind}" for kind, count in customer.identifiers.items()) or "no identifier"
    lead = f"{_time(customer.time)} UTC; known by {identifiers}"
    rows = [*_known(customer), *_happening(customer)]
    if len(rows) > _ROWS_MAX:
        rows[_ROWS_MAX:] = [("…", f"{len(rows) - _ROWS_MAX:,} more", "", "")]
    return block(f"Customer {customer.number}", lead, table(("what", "name", "value", "time"), rows))


def ingested_html(ingested: Ingested) -> str:
    """Return tables of how lines, and parts of lines, were not taken up, and of the first mistakes."""
    counts = {
        "rejected": ingested.reasons,
        "unknown type": ingested.unknown_types,
        "unknown name": ingested.unknown_names,
        "left out": ingested.left_out,
    }
    rows = [(what, name, f"{count:,}") for what, named in counts.items() for name, count in named.most_common()]
    lead = f"{ingested.accepted:,} of {ingested.lines:,} lines accepted"
    lead += f", {ingested.duplicates:,} seen before" if ingested.duplicates else ""
    lead += f"; the journal is at {ingested.position:,}"
    if len(rows) > _ROWS_MAX:
        rows[_ROWS_MAX:] = [("…", f"{len(rows) - _ROWS_MAX:,} more", "")]
    mistakes = [(f"{mistake}",) for mistake in ingested.rejected[:_MISTAKES_MAX]]
    title = "why" if len(mistakes) == ingested.rejected_count else f"why, the first {len(mistakes)}"
    return block(
        "Ingested", lead, table(("not taken up", "which", "times"), rows, numbers=1), table((title,), mistakes)
    )


def _known(customer: Customer) -> Iterator[tuple[str, str, str, str]]:
    for name, value in customer.traits.items():
        yield "trait", name, _value(value), ""
    for name, value in customer.measures.items():
        yield "measure", name, _value(value), ""
    for name, since in customer.segments.items():
        yield "segment", name, "", f"since {_time(since)}"
    for name, held in customer.facts.items():
        first = min((each.since for each in held if each.since), default=None)
        yield "fact", name, _keys(held), f"since {_time(first)}"


def _happening(customer: Customer) -> Iterator[tuple[str, str, str, str]]:
    for name, begun in customer.moments.items():
        for each in begun:
            yield "moment", name, f"{each.done} of {each.of}", f"due {_time(each.due)}" if each.due else ""
    for each in customer.candidates:
        yield each.stage, each.campaign, each.reason, f"until {_time(each.due)}" if each.due else ""
    for each in customer.contacts:
        how = each.channel if each.state == "sent" else f"{each.channel} {each.state}"
        yield "contact", each.campaign, how, _time(each.time) if each.time else ""


def _keys(held: tuple[Interval, ...]) -> str:
    """Return the first keys of a fact, of each what has a text: of an id only the hash is kept."""
    told = {", ".join(part for part in each.key if isinstance(part, str)): None for each in held}
    keys = "; ".join(key for key in islice(told, _KEYS_MAX) if key)
    counted = f"{len(held):,} keys" if len(held) > 1 else ""
    if len(told) > _KEYS_MAX:
        return f"{counted}: {keys}; …"
    return ": ".join(part for part in (counted, keys) if part)


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return _time(value)
    return f"{value:,.10g}" if isinstance(value, float) else f"{value}"


def _time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "ever"
