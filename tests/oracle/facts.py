"""Facts: per key the greatest opening and the greatest closing (§5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import conditions
from .state import NEVER, Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .book import Book
    from .state import Customer, Moment_, Row, Value

Key = tuple[str | None, ...]


def update(book: Book, customer: Customer, row: Row) -> None:
    for fact in book.facts.values():
        nobody = fact.name in book.playbook.groups and row.fields.get(fact.per[0]) is None
        if not nobody and any(conditions.matches(book, match, row) for match in fact.opens):
            open_key(customer, fact.name, tuple(_text(row.fields.get(name)) for name in fact.per), row.at)
        if any(conditions.matches(book, match, row) for match in fact.closes):
            mask, key = _closing(book, fact.name, fact.per, row)
            entry = customer.facts.setdefault((fact.name, mask, key), Interval())
            entry.closing = max(entry.closing, row.at)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def open_key(customer: Customer, fact: str, key: Key, at: Moment_) -> None:
    entry = customer.facts.setdefault((fact, 0, key), Interval())
    entry.opening = max(entry.opening, at)


def _closing(book: Book, fact: str, per: tuple[str, ...], row: Row) -> tuple[int, Key]:
    """Return which parts of the key the closing leaves open (bit i: part i), and the others.

    A part is left open when the event's type lacks it; in a withdrawal of consent, or when somebody leaves a group,
    also when it is NULL.
    """
    mask = 0
    for part, name in enumerate(per):
        missing = name not in book.row_fields(row.type)
        if missing or (fact in {"consent", *book.playbook.groups} and row.fields.get(name) is None):
            mask |= 1 << part
    key = tuple(None if mask >> part & 1 else _text(row.fields.get(name)) for part, name in enumerate(per))
    return mask, key


def closing(customer: Customer, fact: str, key: Key) -> Moment_:
    """Return the greatest closing that matches a key."""
    found = NEVER
    for (name, mask, closed), entry in customer.facts.items():
        if name == fact and all(mask >> part & 1 or closed[part] == value for part, value in enumerate(key)):
            found = max(found, entry.closing)
    return found


def _is_key_open(book: Book, customer: Customer, fact: str, key: Key, now: int) -> bool:
    entry = customer.facts.get((fact, 0, key))
    if entry is None or entry.opening == NEVER or entry.opening <= closing(customer, fact, key):
        return False
    lasts = book.facts[fact].lasts_us
    return not lasts or now < entry.opening[0] + lasts


def open_keys(book: Book, customer: Customer, fact: str, now: int) -> list[Key]:
    keys = [key for name, mask, key in customer.facts if name == fact and mask == 0]
    return [key for key in keys if _is_key_open(book, customer, fact, key, now)]


def is_open(book: Book, customer: Customer, fact: str, values: list[Value], now: int) -> bool:
    """Tell whether a key is open that begins with these values."""
    return any(list(key[: len(values)]) == values for key in open_keys(book, customer, fact, now))


def count_open(book: Book, customer: Customer, fact: str, now: int) -> int:
    return len(open_keys(book, customer, fact, now))


def ends(book: Book, customer: Customer, fact: str, now: int) -> Iterator[int]:
    """Yield the instants at which open keys of a fact end because they have lasted."""
    lasts = book.facts[fact].lasts_us
    if lasts:
        for key in open_keys(book, customer, fact, now):
            yield customer.facts[fact, 0, key].opening[0] + lasts


def remembered(book: Book, fact: str, side: Moment_, now: int) -> Moment_:
    """Return an opening or closing, never where `lasts` has passed since: it makes no difference any more."""
    lasts = book.facts[fact].lasts_us
    return NEVER if lasts and side[0] + lasts <= now else side


def merge(into: Customer, other: Customer) -> None:
    for key, entry in other.facts.items():
        kept = into.facts.setdefault(key, Interval())
        kept.opening = max(kept.opening, entry.opening)
        kept.closing = max(kept.closing, entry.closing)
