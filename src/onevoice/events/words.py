"""The words a playbook gives to events, in a hash table that a kernel can search with letters from a payload."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.events.lean import inlined
from onevoice.events.schema import ABOUT_PRODUCT
from onevoice.playbook.model import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from onevoice.events.schema import Layout, Schema

# Scopes in which words have a meaning; the own fields of layout n are in scope FIELDS + n.
KEYS: Final = 0
TYPES: Final = 1
IDENTIFIERS: Final = 2
TRAITS: Final = 3
SOURCES: Final = 4
FIELDS: Final = 5

# The keys of an event, in the order of `lines.EVENT_KEYS`.
KEY_TYPE, KEY_TIME, KEY_ID, KEY_IDENTIFIERS, KEY_CHANNEL, KEY_SOURCE, KEY_FIELDS, KEY_TRAITS = range(8)
EVENT_KEYS: Final = ("type", "time", "id", "identifiers", "channel", "source", "fields", "traits")

# What a field or trait holds.
TEXT, NUMBER, BOOLEAN, CHOICE, PRODUCT, DATE, TIME, KEY, LIST = range(9)
FIELD_CODES: Final = {
    FieldType.TEXT: TEXT,
    FieldType.NUMBER: NUMBER,
    FieldType.BOOLEAN: BOOLEAN,
    FieldType.CHOICE: CHOICE,
    FieldType.PRODUCT: PRODUCT,
    FieldType.DATE: DATE,
    FieldType.TIME: TIME,
    FieldType.KEY: KEY,
}
# What an identifier is checked for.
AS_IT_IS, EMAIL, PHONE = range(3)
FORMS: Final = {"": AS_IT_IS, "email": EMAIL, "phone": PHONE}

# Columns of `Words.table`.
SCOPE, START, STOP, VALUE, CODE, SEEN = range(6)
WORD_WIDTH: Final = 8

NOBODY: Final = -2


class Words(NamedTuple):
    """Everything the scanner knows of a schema.

    letters: the words one after another, and a newline.
    table: int64[power of two, WORD_WIDTH], an open-addressing table: scope + 1 (0: empty), letters[start:stop], what
        the word stands for (a number, a column, an item type), its code (what a field or trait holds, what an
        identifier is checked for) and the object in which it was last seen.
    about, channels: int64[types + 1]: column of the product of a world event, NOBODY for another event without a
        customer; and of the choice `channel`; or -1.
    """

    letters: bytes
    table: NDArray[np.int64]
    about: NDArray[np.int64]
    channels: NDArray[np.int64]


@lru_cache(maxsize=16)
def words_of(schema: Schema) -> Words:
    """Return the words of a schema."""
    entries = list(_all(schema))
    texts = [word.encode() for _, word, _, _ in entries]
    letters = b"".join(texts) + b"\n"
    table = np.zeros((1 << (4 * len(entries)).bit_length(), WORD_WIDTH), np.int64)
    start = 0
    for text, (scope, _, value, code) in zip(texts, entries, strict=True):
        stop = start + len(text)
        slot = -1 - find(table, scope, np.frombuffer(letters, np.uint8), start, stop)
        table[slot, :SEEN] = scope + 1, start, stop, value, code
        start = stop
    about, channels = zip(*map(_columns, schema.types), (-1, -1), strict=True)
    return Words(letters, table, np.array(about, np.int64), np.array(channels, np.int64))


def _all(schema: Schema) -> Iterator[tuple[int, str, int, int]]:
    """Give (scope, word, value, code) of every word."""
    yield from ((KEYS, word, number, 0) for number, word in enumerate(EVENT_KEYS))
    yield from ((TYPES, word, number, 0) for word, number in schema.events.items())
    yield from ((IDENTIFIERS, kind.name, number, FORMS[kind.format]) for number, kind in enumerate(schema.identifiers))
    yield from ((TRAITS, trait.name, number, FIELD_CODES[trait.type]) for number, trait in enumerate(schema.traits))
    yield from ((SOURCES, word, number, 0) for word, number in schema.sources.items())
    for layout in schema.types:
        scope = FIELDS + layout.number
        yield from ((scope, field.name, field.column, FIELD_CODES[field.type]) for field in layout.own.values())
        yield from ((scope, word, number, LIST) for word, number in layout.lists.items())


def _columns(layout: Layout) -> tuple[int, int]:
    channel = layout.own.get("channel")
    return (
        layout.fields[ABOUT_PRODUCT].column if layout.about_product else (-1 if layout.has_customer else NOBODY),
        channel.column if channel is not None and channel.type is FieldType.CHOICE else -1,
    )


@inlined
def hash_of(letters: Any, start: Any, stop: Any) -> Any:
    """Return 31 bits of a text (FNV-1a, Fowler, Noll and Vo; kept small so that it never overflows)."""
    bits = np.int64(2_166_136_261 & 0x7FFFFFFF)
    for i in range(start, stop):
        bits = ((bits ^ np.int64(letters[i])) * 16_777_619) & 0x7FFFFFFF
    return bits


@inlined
def find(table: Any, scope: Any, letters: Any, start: Any, stop: Any) -> Any:
    """Return the row of the word `letters[start:stop]` in a scope, or -1 - the row where it would be.

    The words of the table stand in `letters` too.
    """
    mask = table.shape[0] - 1
    slot = (hash_of(letters, start, stop) + scope * 7919) & mask
    while table[slot, SCOPE] != 0:
        first = table[slot, START]
        fits = table[slot, SCOPE] == scope + 1 and table[slot, STOP] - first == stop - start
        if fits and same(letters, first, start, stop):
            return slot
        slot = (slot + 1) & mask
    return -1 - slot


@inlined
def same(letters: Any, first: Any, start: Any, stop: Any) -> Any:
    """Tell whether the text `letters[start:stop]` also stands from `first` on."""
    for i in range(stop - start):  # noqa: SIM110 - a generator is no kernel
        if letters[first + i] != letters[start + i]:
            return False
    return True
