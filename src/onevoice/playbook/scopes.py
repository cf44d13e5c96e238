"""Which names each condition of a playbook can see, and where its conditions are.

Symbols are numbered by position: traits, measures, segments as declared; facts with the built-in ones first; the fields
of an event in the order of its row (an item's event first, then its own); a catalogue's columns and the offers'
parameters in order of appearance. Names that a condition may not use are in its scope too, so that an error can say
why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import (
    CAMPAIGN_NUMBERS,
    OFFER_FAMILY,
    OFFER_PARAMETERS,
    OFFER_PRODUCT,
    OFFER_VALUE,
)
from onevoice.conditions.types import Scope, Symbol, SymbolKind, Type
from onevoice.playbook.builtin import all_events, all_facts, row_fields
from onevoice.playbook.model import (
    Aggregate,
    Campaign,
    EventMatch,
    EventType,
    Fact,
    FieldType,
    Measure,
    Playbook,
    TriggerKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Symbols = dict[str, Symbol]

_TYPES: Final[dict[FieldType, Type | None]] = {
    FieldType.TEXT: None,
    FieldType.KEY: None,
    FieldType.CHOICE: Type.TEXT,
    FieldType.PRODUCT: Type.TEXT,
    FieldType.NUMBER: Type.NUMBER,
    FieldType.BOOLEAN: Type.BOOLEAN,
    FieldType.DATE: Type.DATE,
    FieldType.TIME: Type.TIME,
}
_ONLY_RANK: Final = "only the rank knows it: it is what a campaign is compared by"
_COMPUTED: Final = "it is computed when the offer has won; only a parameter that is given as it stands can be asked for"
_NOTES: Final = {
    FieldType.TEXT: "a text is for messages only; declare it as `choice` to compare it",
    FieldType.KEY: "a key is compared only through `per`",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A condition of a playbook: its key path, its text, the names it sees, and what it must give.

    `event` names the event or item whose row a `where` reads; of several `any of` events each has its own.
    """

    path: str
    text: str
    scope: Scope
    expected: Type
    event: str = ""


class Scopes:
    """The scopes of one playbook, each built once."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self.events = all_events(playbook)
        self.facts = all_facts(playbook)
        self.of_customer = _customer_symbols(playbook, self.facts, self.events)
        self.of_offer = _offer_symbols(playbook)
        self.of_campaign = {
            name: Symbol(SymbolKind.CAMPAIGN, index, Type.NUMBER) for index, name in enumerate(CAMPAIGN_NUMBERS)
        }
        self.by_event: dict[str, Scope] = {}

    def customer(self) -> Scope:
        """Return the scope of a segment."""
        symbols = self.of_campaign | self.of_offer | self.of_customer
        return Scope(symbols, offer=False, purpose="a segment")

    def event(self, name: str) -> Scope:
        """Return the scope of a `where` over this event or item; KeyError where there is none."""
        if name not in self.by_event:
            symbols = self.of_campaign | self.of_offer | self.of_customer | self.event_symbols(name)
            self.by_event[name] = Scope(symbols, customer=False, clock=False, offer=False, purpose="a `where`")
        return self.by_event[name]

    def event_symbols(self, name: str) -> Symbols:
        """Return the fields of a row of this event as `event.field`, and of its products as `event.field.column`."""
        fields = row_fields(self.events, name)
        if fields is None:
            raise KeyError(name)
        symbols: Symbols = {}
        for index, (field, kind) in enumerate(fields.items()):
            symbols[f"event.{field}"] = _symbol(SymbolKind.EVENT_FIELD, index, kind)
            if kind is FieldType.PRODUCT:
                symbols |= _product_symbols(f"event.{field}", SymbolKind.EVENT_PRODUCT_FIELD, index, self.playbook)
        return symbols

    def campaign(self, campaign: Campaign) -> Scope:
        """Return the scope of a campaign's `if`; what it cannot know has no type, and says why."""
        note = "only the rank and a propensity know it: it is what a campaign is compared by"
        return self._of_campaign(campaign, {"propensity": _ONLY_RANK, "age": note})

    def propensity(self, campaign: Campaign) -> Scope:
        """Return the scope of a campaign's propensity: that of its `if`, and how old the wish is."""
        return self._of_campaign(campaign, {"propensity": _ONLY_RANK})

    def _of_campaign(self, campaign: Campaign, untold: Mapping[str, str]) -> Scope:
        numbers = self.of_campaign | {
            name: replace(self.of_campaign[name], type=None, note=note) for name, note in untold.items()
        }
        symbols = numbers | self.of_customer | self.trigger_symbols(campaign)
        about_product = campaign.when.kind is TriggerKind.PRODUCT
        for name, symbol in self.of_offer.items():
            known = bool(campaign.offers) or (about_product and name.startswith("offer.product"))
            note = "the campaign has no offer" if symbol.type else symbol.note
            symbols[name] = symbol if known else replace(symbol, type=None, note=note)
        return Scope(symbols, purpose="a campaign")

    def trigger_symbols(self, campaign: Campaign) -> Symbols:
        """Return the fields of the event that triggers a campaign: none where it is no event, or of several kinds."""
        name = trigger_event(self.playbook, campaign)
        if name and row_fields(self.events, name) is not None:
            return self.event_symbols(name)
        return {}

    def rank(self) -> Scope:
        """Return the scope of the rank."""
        return Scope(self.of_campaign | self.of_offer | self.of_customer, purpose="the rank")

    def suppression(self, purpose: str = "a suppression") -> Scope:
        """Return the scope of a suppression, or of an offer's `if`."""
        note = "only the rank and a campaign's own conditions know it"
        untold = {name: replace(symbol, type=None, note=note) for name, symbol in self.of_campaign.items()}
        return Scope(untold | self.of_offer | self.of_customer, purpose=purpose)


def trigger_event(playbook: Playbook, campaign: Campaign) -> str:
    """Return the event type whose fields a campaign's trigger carries; empty where there is none.

    A moment carries its last event, unless it ends with an absence, or in any of several events with other fields.
    """
    when = campaign.when
    if when.kind in {TriggerKind.EVENT, TriggerKind.PRODUCT}:
        return when.name
    if when.kind is TriggerKind.ASKED:
        return "asked"
    moment = playbook.moments.get(when.name) if when.kind is TriggerKind.MOMENT else None
    if moment is None or not moment.steps or moment.steps[-1].absent:
        return ""
    events = all_events(playbook)
    names = [match.event for match in moment.steps[-1].matches]
    rows = [list((row_fields(events, name) or {}).items()) for name in names]
    return names[0] if names and all(row == rows[0] for row in rows) else ""


def measure_type(measure: Measure, events: Mapping[str, EventType]) -> FieldType:
    """Return what a measure gives: a number, the time of an event, or the value of its field."""
    if measure.aggregate not in {Aggregate.LATEST, Aggregate.FIRST}:
        return FieldType.NUMBER
    if not measure.field:
        return FieldType.TIME
    return (row_fields(events, measure.match.event) or {}).get(measure.field, FieldType.TEXT)


def fact_key_types(fact: Fact, events: Mapping[str, EventType]) -> tuple[FieldType, ...]:
    """Return the type of each field of a fact's key, as the first event that has the field declares it."""
    rows = [row_fields(events, match.event) or {} for match in (*fact.opens, *fact.closes)]
    # What no event opens, the engine opens by a text: `ignored` by the family.
    missing = FieldType.KEY if rows else FieldType.CHOICE
    return tuple(next((row[name] for row in rows if name in row), missing) for name in fact.per)


def offer_parameters(playbook: Playbook) -> dict[str, Type]:
    """Return every parameter of the offers with its type, in order of first appearance."""
    found: dict[str, Type] = {}
    for offer in playbook.offers.values():
        for name, value in offer.parameters.items():
            found.setdefault(name, Type.TEXT if isinstance(value, str) else Type.NUMBER)
    return found


def computed_parameters(playbook: Playbook) -> dict[str, int]:
    """Return the names of the parameters that offers compute, numbered in order of first appearance."""
    names = dict.fromkeys(name for offer in playbook.offers.values() for name in offer.computed)
    return {name: number for number, name in enumerate(names)}


def _symbol(kind: SymbolKind, index: int, holds: FieldType) -> Symbol:
    return Symbol(kind, index, _TYPES[holds], note=_NOTES.get(holds, ""))


def _customer_symbols(playbook: Playbook, facts: Mapping[str, Fact], events: Mapping[str, EventType]) -> Symbols:
    symbols: Symbols = {}
    for index, trait in enumerate(playbook.traits.values()):
        symbols[trait.name] = _symbol(SymbolKind.TRAIT, index, trait.type)
    for index, measure in enumerate(playbook.measures.values()):
        symbols[measure.name] = _symbol(SymbolKind.MEASURE, index, measure_type(measure, events))
    for index, fact in enumerate(facts.values()):
        components = tuple(_TYPES[kind] for kind in fact_key_types(fact, events))
        is_group = fact.name in playbook.groups
        symbols[fact.name] = Symbol(SymbolKind.FACT, index, Type.BOOLEAN, components=components, is_group=is_group)
    for index, name in enumerate(playbook.segments):
        symbols[name] = Symbol(SymbolKind.SEGMENT, index, Type.BOOLEAN)
    return symbols


def _offer_symbols(playbook: Playbook) -> Symbols:
    symbols: Symbols = {
        "offer.value": Symbol(SymbolKind.OFFER_FIELD, OFFER_VALUE, Type.NUMBER),
        "offer.product": Symbol(SymbolKind.OFFER_FIELD, OFFER_PRODUCT, Type.TEXT),
        "offer.family": Symbol(SymbolKind.OFFER_FIELD, OFFER_FAMILY, Type.TEXT),
    }
    for index, (name, kind) in enumerate(offer_parameters(playbook).items()):
        symbols[f"offer.{name}"] = Symbol(SymbolKind.OFFER_FIELD, OFFER_PARAMETERS + index, kind)
    for name in computed_parameters(playbook):
        symbols[f"offer.{name}"] = Symbol(SymbolKind.OFFER_FIELD, -1, None, note=_COMPUTED)
    return symbols | _product_symbols("offer.product", SymbolKind.OFFER_PRODUCT_FIELD, None, playbook)


def _product_symbols(prefix: str, kind: SymbolKind, index: int | None, playbook: Playbook) -> Symbols:
    """Return the catalogue's columns behind a product; without an index of its own each is its column's."""
    symbols: Symbols = {}
    for column, (field, holds) in enumerate(playbook.products.fields.items()):
        symbol = _symbol(kind, column if index is None else index, holds)
        symbols[f"{prefix}.{field}"] = replace(symbol, column=column)
    return symbols


def conditions_of(playbook: Playbook, scopes: Scopes | None = None) -> Iterator[Written]:
    """Give every condition of a playbook; those over an event that does not exist are left out.

    Key paths are canonical: `facts.F.opens[0]`, `moments.M.steps[1]`, `campaigns.C.until`, also where the text uses a
    shorter form. Of several `any of` events each is given once.
    """
    scopes = scopes or Scopes(playbook)
    yield from _event_conditions(playbook, scopes)
    for segment in playbook.segments.values():
        yield Written(f"segments.{segment.name}", segment.condition, scopes.customer(), Type.BOOLEAN)
    for offer in playbook.offers.values():
        if offer.condition:
            yield Written(f"offers.{offer.name}.if", offer.condition, scopes.suppression("an offer"), Type.BOOLEAN)
        for name, text in offer.computed.items():
            path = f"offers.{offer.name}.parameters.{name}.is"
            if text:
                yield Written(path, text, scopes.suppression("a parameter"), Type.NUMBER)
    for campaign in playbook.campaigns.values():
        yield from _campaign_conditions(campaign, scopes)
    yield Written("policies.rank", playbook.policies.rank, scopes.rank(), Type.NUMBER)
    for i, rule in enumerate(playbook.policies.suppress):
        if rule.condition:
            yield Written(f"policies.suppress[{i}].while", rule.condition, scopes.suppression(), Type.BOOLEAN)


def _campaign_conditions(campaign: Campaign, scopes: Scopes) -> Iterator[Written]:
    path, scope = f"campaigns.{campaign.name}", scopes.campaign(campaign)
    if campaign.condition:
        yield Written(f"{path}.if", campaign.condition, scope, Type.BOOLEAN)
    if campaign.propensity:
        yield Written(f"{path}.propensity", campaign.propensity, scopes.propensity(campaign), Type.NUMBER)


def _event_conditions(playbook: Playbook, scopes: Scopes) -> Iterator[Written]:
    for path, match in event_matches(playbook):
        if match.where and row_fields(scopes.events, match.event) is not None:
            yield Written(path, match.where, scopes.event(match.event), Type.BOOLEAN, match.event)


def event_matches(playbook: Playbook) -> Iterator[tuple[str, EventMatch]]:
    """Give every place of a playbook that matches events of a customer, with its key path."""
    for fact in playbook.facts.values():
        for key, matches in (("opens", fact.opens), ("closes", fact.closes)):
            for i, match in enumerate(matches):
                yield f"facts.{fact.name}.{key}[{i}]", match
    for measure in playbook.measures.values():
        yield f"measures.{measure.name}", measure.match
    for moment in playbook.moments.values():
        for i, step in enumerate(moment.steps):
            for match in step.matches:
                yield f"moments.{moment.name}.steps[{i}]", match
    for campaign in playbook.campaigns.values():
        path, when = f"campaigns.{campaign.name}", campaign.when
        if when.kind is TriggerKind.EVENT:
            yield f"{path}.when", EventMatch(when.name, when.where)
        for key, match in (("until", campaign.until), ("goal", campaign.goal)):
            if match is not None:
                yield f"{path}.{key}", match
