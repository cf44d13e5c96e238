"""One line of events as the rows the engine sees: the event itself, then its items."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

import phonenumbers

from onevoice.playbook.model import FieldType

from . import clock
from .book import OFFER_EVENTS
from .conditions import offered_family
from .state import Row

if TYPE_CHECKING:
    from onevoice.playbook.model import Identifier

    from .book import Book
    from .state import Value


def value_of(kind: FieldType, given: Any) -> Value:
    if given is None or kind is FieldType.TEXT:
        return None
    match kind:
        case FieldType.NUMBER:
            return float(given) if math.isfinite(given) else None
        case FieldType.BOOLEAN:
            return bool(given)
        case FieldType.DATE:
            return clock.midnight_us(date.fromisoformat(given))
        case FieldType.TIME:
            return clock.instant(given)
        case FieldType.KEY | FieldType.PRODUCT:
            return str(given) or None
        case _:
            return str(given)


def rows_of(book: Book, line: dict[str, Any], occurred_at: int, position: int) -> list[Row]:
    """Return the event's row and then its items' rows; an item has its event's fields under its own (§5)."""
    event = book.events[line["type"]]
    given = dict(line.get("fields") or {})
    if "channel" in event.fields and given.get("channel") is None:
        given["channel"] = line.get("channel")
    at = (occurred_at, position)
    fields = {name: value_of(kind, given.get(name)) for name, kind in event.fields.items()}
    if event.name in OFFER_EVENTS:
        fill_in(book, fields)
    rows = [Row(event.name, fields, at)]
    for name, own in event.items.items():
        for item in given.get(name) or ():
            own_fields = {field: value_of(kind, item.get(field)) for field, kind in own.items()}
            rows.append(Row(f"{event.name}.{name}", fields | own_fields, at, len(rows)))
    return rows


def fill_in(book: Book, fields: dict[str, Value]) -> None:
    """Fill in the family and the product of an offer event from the offer it names (§5)."""
    offer = book.playbook.offers.get(str(fields["offer"]))
    if offer and fields["family"] is None:
        fields["family"] = offered_family(offer)
    if offer and fields["product"] is None:
        fields["product"] = offer.product or None


def normal(kind: Identifier, text: str) -> str:
    text = text.strip()
    if kind.format == "email":
        return text.lower()
    if kind.format == "phone":
        number = phonenumbers.parse(text, kind.region or None)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return text


def identifiers_of(book: Book, line: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (kind, value) in the playbook's order of trust; only named kinds count (§4)."""
    given = line.get("identifiers") or {}
    return [
        (name, normal(kind, str(given[name])))
        for name, kind in book.playbook.identifiers.items()
        if given.get(name) is not None
    ]
