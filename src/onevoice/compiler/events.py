"""Event types: which rows of the other tables each of them uses, and what its names mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice import program as at
from onevoice.compiler.book import CODED
from onevoice.compiler.rows import table
from onevoice.engine.contact_states import ContactState
from onevoice.events.schema import ABOUT_PRODUCT
from onevoice.playbook.builtin import RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.compiled import Split
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Ints

_OFFER: Final = ("offer", "family", "product", "decision", "campaign")
_SWITCH: Final = ("campaign", "class", "everything")
_RECEIPT: Final = ("contact", "campaign", "class", "channel", "offer")
_READ_MAX: Final = 5  # fields that one event is read by
# The events that mean something by themselves, and the fields they are read by.
_SPECIAL: Final = {
    "contact_reported": (at.SPECIAL_REPORTED, ("campaign", "class", "channel", "offer")),
    "offer_shown": (at.SPECIAL_OFFER, _OFFER),
    "offer_accepted": (at.SPECIAL_REACTION, _OFFER),
    "offer_refused": (at.SPECIAL_REACTION, _OFFER),
    "offer_not_now": (at.SPECIAL_REACTION, _OFFER),
    "offer_clicked": (at.SPECIAL_REACTION, _OFFER),
    "asked": (at.SPECIAL_ASKED, ("placement",)),
    "campaign_paused": (at.SPECIAL_PAUSED, _SWITCH),
    "campaign_resumed": (at.SPECIAL_RESUMED, _SWITCH),
    "resource_set": (at.SPECIAL_RESOURCE, ("resource", "left")),
    "campaign_stopped": (at.SPECIAL_STOPPED, _SWITCH),
    **{name: (at.SPECIAL_RECEIPT + ContactState[name.partition("_")[2].upper()], _RECEIPT) for name in RECEIPTS},
}

_READ: Final = [at.E_FIRST, at.E_SECOND, at.E_THIRD, at.E_FOURTH, at.E_FIFTH]


def compile_kinds(book: Book) -> Ints:
    """Return the table of the identifiers' kinds."""
    kinds = book.schema.identifiers
    rows = [[int(kind.unique), int(kind.anonymous), kind.at_most, book.addresses.get(kind.name, -1)] for kind in kinds]
    return table(rows, at.KIND_ADDRESS + 1)


def compile_splits(book: Book, splits: Sequence[Split]) -> Ints:
    """Return the table of identifiers that are kept apart; a split over a kind that the playbook lacks holds nobody."""
    kinds = {kind.name: number for number, kind in enumerate(book.schema.identifiers)}
    rows: list[list[int]] = []
    for split in splits:
        if split.kind in kinds and split.other_kind in kinds:
            one = [kinds[split.kind], split.low, split.high]
            other = [kinds[split.other_kind], split.other_low, split.other_high]
            rows += [one + other, other + one]
    return table(rows, at.SPLIT_WIDTH)


def compile_event_types(book: Book, uses: Sequence[Grouped], ends: frozenset[int]) -> Ints:
    """Return the table of the event types.

    `uses`: of facts, measures, moments, their first events, triggers and fans, each by event type. `ends`: the types
    that may end candidates.
    """
    types = np.zeros((len(book.schema.types), at.EVENT_TYPE_WIDTH), np.int64)
    types[:, at.E_FACTS_FROM : at.E_FANS_TO + 1] = np.hstack([each.spans for each in uses])
    for row, layout in zip(types, book.schema.types, strict=True):
        special, names = _SPECIAL.get(layout.name, (at.SPECIAL_NONE, ()))
        read = [layout.fields[name].column for name in names]
        row[at.E_SPECIAL] = special
        row[at.E_ENDS] = layout.number in ends
        row[at.E_PRODUCT] = layout.fields[ABOUT_PRODUCT].column if layout.about_product else -1
        row[at.E_FIRST : at.E_FIFTH + 1] = read + [-1] * (_READ_MAX - len(read))
    return types


def compile_coded(book: Book) -> Ints:
    """Return int64[event type, column of `values`]: 1 where it holds a name."""
    coded = np.zeros((len(book.schema.types), max(book.schema.width_values, 1)), np.int64)
    for layout in book.schema.types:
        for field in layout.fields.values():
            if field.type in CODED:
                coded[layout.number, field.column] = 1
    return coded


def compile_coded_traits(book: Book) -> Ints:
    """Return int64[trait]: 1 where it holds a name."""
    return np.array([trait.type in CODED for trait in book.schema.traits], np.int64)


def compile_roles(book: Book) -> Ints:
    """Return int64[name code, role]: the number of what an event may mean by a name, -1 where nothing."""
    roles = {
        at.ROLE_CAMPAIGN: book.campaigns,
        at.ROLE_CLASS: book.classes,
        at.ROLE_CHANNEL: book.channels,
        at.ROLE_OFFER: book.offers,
        at.ROLE_PLACEMENT: book.placements,
        at.ROLE_RESOURCE: {name: number for number, name in enumerate(book.playbook.resources)},
    }
    coded = [(book.names.code(name), role, each) for role, names in roles.items() for name, each in names.items()]
    table_of_roles = np.full((len(book.names.codes), at.ROLES), -1, np.int64)
    for code, role, number in coded:
        table_of_roles[code, role] = number
    return table_of_roles
