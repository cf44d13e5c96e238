"""The playbook on its way to a program: what every section asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from onevoice.conditions.code import Assembler
from onevoice.conditions.tree import (
    AnyRead,
    Apply,
    Case,
    DatePart,
    Expression,
    FactRead,
    In,
    Like,
    Read,
    SymbolKind,
    Type,
)
from onevoice.conditions.types import check
from onevoice.events.schema import Schema
from onevoice.playbook.capping import caps_of
from onevoice.playbook.model import FieldType
from onevoice.playbook.scopes import Scopes
from onevoice.program import KEY_PART, NO_PART

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from onevoice.conditions.types import Scope
    from onevoice.events.schema import Layout
    from onevoice.playbook.model import Catalogue, Playbook

CODED: Final = frozenset({FieldType.CHOICE, FieldType.PRODUCT})  # held as the code of a name

_EVENT_KINDS: Final = {SymbolKind.EVENT_FIELD, SymbolKind.EVENT_PRODUCT_FIELD}


class Names:
    """Codes of texts, in order of first use; the products come first."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.codes: dict[str, int] = _numbered(catalogue.names)

    def code(self, text: str) -> int:
        """Return the code of a text, a new one where it has none."""
        return self.codes.setdefault(text, len(self.codes))


class Book:
    """A playbook, the numbers of what it names, and the names and conditions met so far.

    Codes of names and numbers of conditions are given in order of first use, so the order in which sections are
    compiled is part of the program.
    """

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self.schema = Schema(playbook)
        self.scopes = Scopes(playbook)
        self.names = Names(playbook.products)
        self.assembler = Assembler(self.names.code)
        # By name, the number that the tables know it by.
        self.facts = _numbered(self.scopes.facts)
        self.segments = _numbered(playbook.segments)
        self.moments = _numbered(playbook.moments)
        self.offers = _numbered(playbook.offers)
        self.campaigns = _numbered(playbook.campaigns)
        self.classes = _numbered(playbook.policies.classes)
        self.channels = _numbered(playbook.channels)
        self.placements = _numbered(playbook.placements)
        self.owners = _numbered(dict.fromkeys(each.owner for each in playbook.campaigns.values() if each.owner))
        # Identifiers by which channels reach a customer whom a cap counts by address.
        self.caps = list(caps_of(playbook).values())
        by_address = any(cap.address for cap in self.caps)
        addressed = [channel.address for channel in playbook.channels.values() if channel.address and by_address]
        self.addresses = _numbered(dict.fromkeys(addressed))

    def condition(self, text: str, scope: Scope, expected: Type, columns: Sequence[int] | None = None) -> int:
        """Return the number of a condition in the code table, -1 for an empty text.

        `columns`: of the event's fields, by position, where the condition may read an event.
        """
        if not text:
            return -1
        expression = check(text, scope, expected, "")
        return self.assembler.add(placed(expression, columns) if columns is not None else expression)

    def where(self, event: str, text: str) -> int:
        """Return the number of a condition over one event, -1 for an empty text."""
        if not text:
            return -1
        return self.condition(text, self.scopes.event(event), Type.BOOLEAN, self.columns(event))

    def columns(self, event: str) -> list[int]:
        """Return the column of each field of an event row, by the field's position."""
        return [field.column for field in self.schema.layout(event).fields.values()]

    def part(self, layout: Layout, name: str) -> int:
        """Return where an event row holds a value of a key; NO_PART where its type lacks the field."""
        field = layout.fields.get(name)
        if field is None or field.column < 0:
            return NO_PART
        return field.column + (KEY_PART if field.type is FieldType.KEY else 0)

    def is_timed(self, condition: int) -> bool:
        """Whether time alone may change a condition, otherwise than by the end of a fact."""
        if condition < 0:
            return False
        measures = list(self.playbook.measures.values())
        windowed = any(
            kind is SymbolKind.MEASURE and measures[index].over_us > 0
            for kind, index in self.assembler.symbols_of(condition)
        )
        return windowed or self.assembler.reads_clock(condition)


def placed(expression: Expression, columns: Sequence[int]) -> Expression:
    """Return an expression whose event fields are numbered by their column instead of their position."""

    def of(each: Expression) -> Expression:
        return placed(each, columns)

    match expression:
        case Read(symbol=symbol) if symbol.kind in _EVENT_KINDS:
            return replace(expression, symbol=replace(symbol, index=columns[symbol.index]))
        case Apply(arguments=arguments):
            return replace(expression, arguments=tuple(map(of, arguments)))
        case In() | Like() | DatePart():
            return replace(expression, operand=of(expression.operand))
        case FactRead(keys=keys):
            return replace(expression, keys=tuple(map(of, keys)))
        case AnyRead(fact=fact):
            return replace(expression, fact=replace(fact, keys=tuple(map(of, fact.keys))))
        case Case():
            branches = tuple((of(condition), of(value)) for condition, value in expression.branches)
            operand = None if expression.operand is None else of(expression.operand)
            return replace(expression, operand=operand, branches=branches, default=of(expression.default))
        case _:
            return expression


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}
