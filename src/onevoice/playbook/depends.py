"""Which campaigns depend on what a source brings: on what could end, silence or exclude them (semantics §19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.conditions.tree import SymbolKind, symbols_of
from onevoice.conditions.types import check as check_condition
from onevoice.playbook.builtin import all_facts
from onevoice.playbook.feeds import brings
from onevoice.playbook.model import TriggerKind
from onevoice.playbook.scopes import conditions_of
from onevoice.playbook.unsent import stopping_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onevoice.conditions.tree import Expression
    from onevoice.playbook.model import Campaign, EventMatch, Fact, Playbook


def dependents(playbook: Playbook, expressions: Mapping[str, Expression] | None = None) -> dict[str, tuple[str, ...]]:
    """Return by the name of each source with `stale_after` the campaigns that depend on it, in playbook order.

    `expressions`: the playbook's conditions by key path, where they are read already.
    """
    sources = [source for source in playbook.sources.values() if source.stale_after_us]
    if not sources:
        return {}
    reading = _Reading(playbook, _read(playbook) if expressions is None else expressions)
    needs = {campaign.name: frozenset(reading.needs(campaign)) for campaign in playbook.campaigns.values()}
    types = {source.name: brings(playbook, source) for source in sources}
    return {name: tuple(each for each, needed in needs.items() if needed & own) for name, own in types.items()}


def _read(playbook: Playbook) -> dict[str, Expression]:
    written = conditions_of(playbook)
    return {each.path: check_condition(each.text, each.scope, each.expected, each.path) for each in written}


class _Reading:
    """What the campaigns of one playbook wait for, or are silenced by."""

    def __init__(self, playbook: Playbook, expressions: Mapping[str, Expression]) -> None:
        self.playbook = playbook
        self.expressions = expressions
        self.facts = list(all_facts(playbook).values())
        self.measures = list(playbook.measures.values())
        self.segments = list(playbook.segments)

    def needs(self, campaign: Campaign) -> Iterator[str]:
        """Yield the types of the events that could end, silence or exclude a campaign's candidate."""
        when = campaign.when
        if campaign.until is not None:
            yield _type_of(campaign.until)
        if when.kind is TriggerKind.MOMENT:
            absent = (step for step in self.playbook.moments[when.name].steps if step.absent)
            yield from (_type_of(match) for step in absent for match in step.matches)
        if when.kind is TriggerKind.PRODUCT:
            closings = next(fact.closes for fact in self.facts if fact.name == when.fact)
            yield from map(_type_of, closings)
        for path in self._conditions(campaign):
            yield from self._fed_by(path)
        if campaign.send:
            yield from ("consent_given", "consent_withdrawn")
            if self._is_counted_out(campaign):
                yield "contact_reported"

    def _conditions(self, campaign: Campaign) -> Iterator[str]:
        """Yield the key paths of the conditions that say who gets a campaign; of some there is none."""
        yield f"campaigns.{campaign.name}.if"
        yield from (f"offers.{name}.if" for name in campaign.offers)
        yield from (f"policies.suppress[{rule}].while" for rule in stopping_rules(self.playbook, campaign))
        if campaign.when.kind in {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}:
            yield f"segments.{campaign.when.name}"

    def _fed_by(self, path: str) -> Iterator[str]:
        """Yield the types of the events that may change what a condition says; a segment reads only those before it."""
        expression = self.expressions.get(path)
        for kind, index in symbols_of(expression) if expression is not None else ():
            if kind is SymbolKind.TRAIT:
                yield "profile_updated"
            elif kind is SymbolKind.FACT:
                yield from _changes(self.facts[index])
            elif kind is SymbolKind.MEASURE:
                yield _type_of(self.measures[index].match)
            elif kind is SymbolKind.SEGMENT:
                yield from self._fed_by(f"segments.{self.segments[index]}")

    def _is_counted_out(self, campaign: Campaign) -> bool:
        """Tell whether a contact of others may stop a campaign by the gap or a cap."""
        policies = self.playbook.policies
        exempt = policies.exempt.get(campaign.klass, frozenset())
        by_gap = policies.gap_us > 0 and "gap" not in exempt
        return by_gap or ("caps" not in exempt and any(not cap.placement for cap in policies.caps))


def _type_of(match: EventMatch) -> str:
    return match.event.partition(".")[0]


def _changes(fact: Fact) -> Iterator[str]:
    yield from map(_type_of, (*fact.opens, *fact.closes))
