"""The names each kind of condition can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.conditions.tree import CAMPAIGN_NUMBERS, Read, Scope, Symbol, SymbolKind, Type, walk
from onevoice.playbook.model import Aggregate, FieldType, TriggerKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.conditions.tree import Expression
    from onevoice.playbook.model import Campaign, Measure

    from .book import Book

TYPES = {
    FieldType.CHOICE: Type.TEXT,
    FieldType.PRODUCT: Type.TEXT,
    FieldType.NUMBER: Type.NUMBER,
    FieldType.BOOLEAN: Type.BOOLEAN,
    FieldType.DATE: Type.DATE,
    FieldType.TIME: Type.TIME,
}


def segments_read(expression: Expression) -> Iterator[str]:
    return (each.name for each in walk(expression) if isinstance(each, Read) and each.symbol.kind is SymbolKind.SEGMENT)


def measure_type(book: Book, measure: Measure) -> Type | None:
    if measure.aggregate in {Aggregate.COUNT, Aggregate.SUM, Aggregate.DISTINCT}:
        return Type.NUMBER
    if not measure.field:
        return Type.TIME
    return TYPES.get(book.row_fields(measure.match.event)[measure.field])


def _components(book: Book, fact: str) -> tuple[Type | None, ...]:
    opening = next((match.event for match in book.facts[fact].opens), "")
    fields = book.row_fields(opening) if opening else {}
    return tuple(None if fields.get(name) is FieldType.KEY else Type.TEXT for name in book.facts[fact].per)


def _customer(book: Book) -> dict[str, Symbol]:
    playbook = book.playbook
    symbols = {
        name: Symbol(SymbolKind.TRAIT, number, TYPES.get(trait.type))
        for number, (name, trait) in enumerate(playbook.traits.items())
    }
    for number, (name, measure) in enumerate(playbook.measures.items()):
        symbols[name] = Symbol(SymbolKind.MEASURE, number, measure_type(book, measure))
    for number, name in enumerate(book.facts):
        symbols[name] = Symbol(SymbolKind.FACT, number, Type.BOOLEAN, components=_components(book, name))
    for number, name in enumerate(playbook.segments):
        symbols[name] = Symbol(SymbolKind.SEGMENT, number, Type.BOOLEAN)
    return symbols


def _event(book: Book, event: str) -> dict[str, Symbol]:
    symbols: dict[str, Symbol] = {}
    for number, (name, kind) in enumerate(book.row_fields(event).items()):
        symbols[f"event.{name}"] = Symbol(SymbolKind.EVENT_FIELD, number, TYPES.get(kind))
        if kind is FieldType.PRODUCT:
            for column, (field, known) in enumerate(book.playbook.products.fields.items()):
                symbols[f"event.{name}.{field}"] = Symbol(
                    SymbolKind.EVENT_PRODUCT_FIELD, number, TYPES.get(known), column
                )
    return symbols


def _offer(book: Book) -> dict[str, Symbol]:
    field = SymbolKind.OFFER_FIELD
    symbols = {
        "offer.value": Symbol(field, 0, Type.NUMBER),
        "offer.product": Symbol(field, 1, Type.TEXT),
        "offer.family": Symbol(field, 2, Type.TEXT),
    }
    for offer in book.playbook.offers.values():
        for name, value in offer.parameters.items():
            kind = Type.TEXT if isinstance(value, str) else Type.NUMBER
            symbols.setdefault(f"offer.{name}", Symbol(field, len(symbols), kind))
    for column, (name, kind) in enumerate(book.playbook.products.fields.items()):
        symbols[f"offer.product.{name}"] = Symbol(SymbolKind.OFFER_PRODUCT_FIELD, column, TYPES.get(kind), column)
    return symbols


def event_scope(book: Book, event: str) -> Scope:
    return Scope(_event(book, event), customer=False, clock=False, offer=False, purpose="a where")


def customer_scope(book: Book) -> Scope:
    return Scope(_customer(book), offer=False)


def suppression_scope(book: Book) -> Scope:
    return Scope(_customer(book) | _offer(book))


def triggering_event(book: Book, campaign: Campaign) -> str:
    """Return the event type whose fields a campaign's conditions see; "" where there is none or more than one."""
    when = campaign.when
    if when.kind in {TriggerKind.EVENT, TriggerKind.PRODUCT}:
        return when.name
    if when.kind is TriggerKind.ASKED:
        return "asked"
    if when.kind is TriggerKind.MOMENT:
        last = book.playbook.moments[when.name].steps[-1]
        types = {match.event for match in last.matches}
        return types.pop() if len(types) == 1 and not last.absent else ""
    return ""


def campaign_scope(book: Book, campaign: Campaign) -> Scope:
    numbers = {name: Symbol(SymbolKind.CAMPAIGN, at, Type.NUMBER) for at, name in enumerate(CAMPAIGN_NUMBERS)}
    event = triggering_event(book, campaign)
    return Scope({**numbers, **_customer(book), **_offer(book), **(_event(book, event) if event else {})})
