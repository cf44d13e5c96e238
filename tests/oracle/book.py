"""A playbook with its names resolved: every event type and fact, and every condition as its typed tree."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from onevoice.conditions.types import Type, check
from onevoice.playbook import builtin
from onevoice.playbook.model import Fact, FieldType, TriggerKind

from . import names

if TYPE_CHECKING:
    from onevoice.conditions.tree import Expression, Scope
    from onevoice.playbook.model import Campaign, CampaignClass, EventMatch, Offer, Playbook

OFFER_EVENTS = ("offer_shown", "offer_accepted", "offer_refused", "offer_not_now", "offer_clicked")
REACTIONS = ("offer_clicked", "offer_accepted", "offer_refused", "offer_not_now")


class Book:
    """What every other file here asks about the playbook."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self.policies = playbook.policies
        self.events = builtin.all_events(playbook)
        self.facts = facts_of(playbook)
        self.campaigns = list(playbook.campaigns.values())
        self._checked: dict[tuple[object, str], Expression] = {}

    @cached_property
    def zone_trait(self) -> str:
        return next((trait.name for trait in self.playbook.traits.values() if trait.means == "time_zone"), "")

    @cached_property
    def segments_in_turn(self) -> list[str]:
        """Return the segments so that each comes after those it reads."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            if name in ordered:
                return
            for read in names.segments_read(self.customer_condition(self.playbook.segments[name].condition)):
                visit(read)
            ordered.append(name)

        for name in self.playbook.segments:
            visit(name)
        return ordered

    def row_fields(self, event: str) -> dict[str, FieldType]:
        return builtin.row_fields(self.events, event) or {}

    # Conditions

    def _check(self, kind: object, text: str, scope: Scope, expected: Type = Type.BOOLEAN) -> Expression:
        if (kind, text) not in self._checked:
            self._checked[kind, text] = check(text, scope, expected, str(kind))
        return self._checked[kind, text]

    def where(self, event: str, text: str) -> Expression:
        if ("where", event, text) not in self._checked:
            self._checked["where", event, text] = check(text, names.event_scope(self, event), Type.BOOLEAN, event)
        return self._checked["where", event, text]

    def customer_condition(self, text: str) -> Expression:
        return self._check("customer", text, names.customer_scope(self))

    def suppression(self, text: str) -> Expression:
        return self._check("suppression", text, names.suppression_scope(self))

    def campaign_condition(self, campaign: Campaign, text: str, expected: Type = Type.BOOLEAN) -> Expression:
        return self._check(campaign.name, text, names.campaign_scope(self, campaign), expected)

    # Policies

    def offer(self, campaign: Campaign) -> Offer | None:
        return self.playbook.offers.get(campaign.offer)

    def klass(self, campaign: Campaign) -> CampaignClass:
        return self.policies.classes[campaign.klass]

    def is_exempt(self, campaign: Campaign, what: str) -> bool:
        return what in self.policies.exempt.get(campaign.klass, frozenset())

    def triggered_by(self, kind: TriggerKind, name: str) -> list[Campaign]:
        return [each for each in self.campaigns if each.when.kind is kind and each.when.name == name]

    def number(self, campaign: Campaign | str) -> int:
        name = campaign if isinstance(campaign, str) else campaign.name
        return list(self.playbook.campaigns).index(name)

    # Sources

    def lag(self, matches: tuple[EventMatch, ...]) -> int:
        """Return the greatest lag of the sources that may bring one of these types (§6.4)."""
        types = {match.event.partition(".")[0] for match in matches}
        bringing = [
            source.lag_us
            for source in self.playbook.sources.values()
            if not source.events or types & {event.partition(".")[0] for event in source.events}
        ]
        return max(bringing, default=0)


def facts_of(playbook: Playbook) -> dict[str, Fact]:
    """Return the facts by name, built-in first; `ignored` has no event of its own (§10)."""
    facts = builtin.all_facts(playbook)
    if "ignored" in facts:
        return facts
    ignored = Fact("ignored", (), (), ("family",), playbook.policies.refusals.ignored_pause_us)
    found = list(facts.values())
    place = list(facts).index("consent") + 1
    return {fact.name: fact for fact in (*found[:place], ignored, *found[place:])}
