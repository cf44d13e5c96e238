"""Where each field of each event type lies in the columns of a batch.

Built once per playbook. Event types come in the order: built in, then declared; each type is followed by the item
types of its list fields (`order_placed.items`). Numbers, booleans, choices, products, dates and times have a column in
`values`; keys have one in `keys`; texts have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.playbook.builtin import CONTROL_EVENTS, all_events
from onevoice.playbook.model import FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onevoice.playbook.model import EventType, Identifier, Playbook, Trait

NO_COLUMN: Final = -1
ABOUT_PRODUCT: Final = "product"  # the field of a world event that says which product it is about


class Field(NamedTuple):
    """A field of an event type. `column` is one of `values`, of `keys` for a key, or NO_COLUMN for a text."""

    name: str
    type: FieldType
    column: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one event type or item type.

    `fields` keeps the order in which conditions count them: an item has its parent's fields first, then its own; an
    own field hides the parent's field of the same name. `lists` maps a list field to the number of its item type.
    """

    number: int
    name: str
    fields: Mapping[str, Field]
    own: Mapping[str, Field]  # the fields that are read from the event's, or the item's, own object
    lists: Mapping[str, int]
    values: int  # columns used in `values`
    keys: int  # columns used in `keys`
    parent: int = -1  # number of the event type of which this is an item
    about_product: bool = False
    has_customer: bool = True


class Schema:
    """Numbers and columns of everything an event can carry under one playbook.

    Attributes
    ----------
    types: every event type and item type by its number.
    events: number of each event type by name; item types are not in it, for they are never sent on their own.
    identifiers, traits: in the playbook's order; a kind's position is its number.
    sources: number of each source by name.
    names: what events may name of the playbook, by what it is: `{"campaign": …, "channel": …}`.
    width_values, width_keys: columns of the widest type.

    """

    def __init__(self, playbook: Playbook) -> None:
        self.types: list[Layout] = []
        self.events: dict[str, int] = {}
        self.identifiers: list[Identifier] = list(playbook.identifiers.values())
        self.identifier_numbers: dict[str, int] = {name: number for number, name in enumerate(playbook.identifiers)}
        self.traits: list[Trait] = list(playbook.traits.values())
        self.trait_numbers: dict[str, int] = {name: number for number, name in enumerate(playbook.traits)}
        self.sources: dict[str, int] = {name: number for number, name in enumerate(playbook.sources)}
        self.names: dict[str, frozenset[str]] = {
            "campaign": frozenset(playbook.campaigns),
            "class": frozenset(playbook.policies.classes),
            "channel": frozenset(playbook.channels),
            "offer": frozenset(playbook.offers),
            "placement": frozenset(playbook.placements),
            "resource": frozenset(playbook.resources),
        }
        for event in all_events(playbook).values():
            self._add(event)
        self.width_values: int = max(layout.values for layout in self.types)
        self.width_keys: int = max(layout.keys for layout in self.types)

    def layout(self, name: str) -> Layout:
        """Return the layout of an event type, or of an item type by its name `event.list`.

        Raises KeyError when there is none.
        """
        event, _, items = name.partition(".")
        layout = self.types[self.events[event]]
        return self.types[layout.lists[items]] if items else layout

    def _add(self, event: EventType) -> None:
        number = len(self.types)
        self.events[event.name] = number
        lists = {name: number + 1 + position for position, name in enumerate(event.items)}
        parent = _laid_out(number, event, lists)
        self.types.append(parent)
        for name, own in event.items.items():
            self.types.append(_item_laid_out(lists[name], f"{event.name}.{name}", own, parent))


def _columns(fields: Mapping[str, FieldType], values: int, keys: int) -> tuple[dict[str, Field], int, int]:
    placed: dict[str, Field] = {}
    for name, kind in fields.items():
        if kind is FieldType.TEXT:
            placed[name] = Field(name, kind, NO_COLUMN)
        elif kind is FieldType.KEY:
            placed[name] = Field(name, kind, keys)
            keys += 1
        else:
            placed[name] = Field(name, kind, values)
            values += 1
    return placed, values, keys


def _laid_out(number: int, event: EventType, lists: Mapping[str, int]) -> Layout:
    placed, values, keys = _columns(event.fields, 0, 0)
    about_product = event.about == ABOUT_PRODUCT
    has_customer = not about_product and event.name not in CONTROL_EVENTS
    return Layout(
        number, event.name, placed, placed, lists, values, keys, about_product=about_product, has_customer=has_customer
    )


def _item_laid_out(number: int, name: str, own: Mapping[str, FieldType], parent: Layout) -> Layout:
    """Place an item's own columns behind its parent's, so that a parent's row is copied as it stands."""
    placed, values, keys = _columns(own, parent.values, parent.keys)
    return Layout(number, name, {**parent.fields, **placed}, placed, {}, values, keys, parent=parent.number)
