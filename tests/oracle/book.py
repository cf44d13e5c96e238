"""A playbook with its names resolved: every event type and fact, and every condition as its typed tree."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from onevoice.conditions.types import Type, check
from onevoice.playbook.builtin import row_fields
from onevoice.playbook.scopes import Scopes, conditions_of

from . import groups
from .state import STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from onevoice.conditions.tree import Expression, Scope
    from onevoice.playbook.model import (
        Campaign,
        CampaignClass,
        Cap,
        EventMatch,
        FieldType,
        Offer,
        Playbook,
        TriggerKind,
    )

    from .state import Customer

OFFER_EVENTS = ("offer_shown", "offer_accepted", "offer_refused", "offer_not_now", "offer_clicked")
RECEIPTS = tuple(f"contact_{state}" for state in STATES[1:])
REACTIONS = ("offer_clicked", "offer_accepted", "offer_refused", "offer_not_now")


class Book:
    """What every other file here asks about the playbook."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self.policies = playbook.policies
        self.scopes = Scopes(playbook)
        self.events = self.scopes.events
        self.facts = self.scopes.facts
        self.campaigns = list(playbook.campaigns.values())
        self._checked: dict[tuple[object, str], Expression] = {}
        self.needs: dict[str, set[str]] = {}  # by campaign, the types of event on which it depends
        self.others: Callable[[Customer, str], Iterable[Customer]]  # whom `any` asks; the twin knows

    @cached_property
    def caps(self) -> list[Cap]:
        """Return those of the policies, then those of the placements as caps that name it."""
        places = self.playbook.placements.values()
        return [*self.policies.caps, *(replace(cap, placement=each.name) for each in places for cap in each.caps)]

    @cached_property
    def zone_trait(self) -> str:
        return next((trait.name for trait in self.playbook.traits.values() if trait.means == "time_zone"), "")

    @cached_property
    def channel_trait(self) -> str:
        return next((trait.name for trait in self.playbook.traits.values() if trait.means == "channel"), "")

    def row_fields(self, event: str) -> dict[str, FieldType]:
        return row_fields(self.events, event) or {}

    # Conditions

    def _check(self, kind: object, text: str, scope: Callable[[], Scope], expected: Type = Type.BOOLEAN) -> Expression:
        if (kind, text) not in self._checked:
            self._checked[kind, text] = check(text, scope(), expected, str(kind))
        return self._checked[kind, text]

    def where(self, event: str, text: str) -> Expression:
        return self._check(("where", event), text, lambda: self.scopes.event(event))

    def segment(self, name: str) -> Expression:
        return self._check("segment", self.playbook.segments[name].condition, self.scopes.customer)

    def suppression(self, rule: int) -> Expression:
        return self._check("suppression", self.policies.suppress[rule].condition, self.scopes.suppression)

    def eligibility(self, campaign: Campaign, offer: Offer | None) -> list[Expression]:
        """Return the campaign's `if` and that of an offer of it, those that are written."""
        found: list[Expression] = []
        if campaign.condition:
            found.append(self._check(campaign.name, campaign.condition, lambda: self.scopes.campaign(campaign)))
        if offer and offer.condition:
            found.append(self._check("offer", offer.condition, self.scopes.suppression))
        return found

    def propensity(self, campaign: Campaign) -> Expression | None:
        if not campaign.propensity:
            return None
        return self._check(
            (campaign.name, "p"), campaign.propensity, lambda: self.scopes.propensity(campaign), Type.NUMBER
        )

    @cached_property
    def rank(self) -> Expression:
        return self._check("rank", self.policies.rank, self.scopes.rank, Type.NUMBER)

    # Groups

    @cached_property
    def all_conditions(self) -> list[Expression]:
        """Return every condition that is ever asked: not those of offers that no campaign makes."""
        made = {name for campaign in self.campaigns for name in campaign.offers}
        asked = [
            each
            for each in conditions_of(self.playbook, self.scopes)
            if not each.path.startswith("offers.") or each.path.split(".")[1] in made
        ]
        return [check(each.text, each.scope, each.expected, each.path) for each in asked]

    @cached_property
    def asks(self) -> set[tuple[str, str]]:
        return groups.asks(self)

    @cached_property
    def kept(self) -> set[str]:
        return groups.kept(self)

    # Policies

    def offers(self, campaign: Campaign) -> list[Offer | None]:
        """Return what a campaign may propose, as written; nothing is a way of proposing, too."""
        return [self.playbook.offers[name] for name in campaign.offers] or [None]

    @cached_property
    def computed_names(self) -> list[str]:
        names: list[str] = []
        for offer in self.playbook.offers.values():
            names += [name for name in offer.computed if name not in names]
        return names

    def computed(self, offer: Offer, name: str) -> Expression:
        return self._check("computed", offer.computed[name], self.scopes.suppression, Type.NUMBER)

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
