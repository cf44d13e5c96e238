"""Campaigns that are let through and never win: another one is there whenever they are, and is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import Constant, Expression, SymbolKind
from onevoice.playbook.deep.constants import replaced
from onevoice.playbook.deep.evenhanded import Evenhanded
from onevoice.playbook.deep.finding import Claim, Finding, found
from onevoice.playbook.deep.formula import ALWAYS, NOT_TRUE, wanted
from onevoice.playbook.deep.given import Given, meanings
from onevoice.playbook.deep.heeded import all_heeded, heeded
from onevoice.playbook.deep.wish import Wish, wishes_of
from onevoice.playbook.grammar import spelled
from onevoice.playbook.model import Campaign, TriggerKind
from onevoice.playbook.tree import quoted
from onevoice.playbook.unsent import stopping_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.playbook.deep.book import Book

CANDIDATES_MAX: Final = 64  # of a customer (§14)


class Comparison:
    """Campaigns of one playbook compared: which of them is always better than which."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.policies = book.playbook.policies
        self._ranks: dict[str, float | None] = {}
        playbook, policies = book.playbook, book.playbook.policies
        self.known = heeded(playbook, policies, policies.refusals) and all_heeded(
            [
                *(*policies.caps, *policies.suppress, *policies.classes.values()),
                *(*playbook.placements.values(), *playbook.channels.values(), *playbook.offers.values()),
                *playbook.sources.values(),  # one that is stale may hold the better campaign
                *(*playbook.campaigns.values(), *(each.when for each in playbook.campaigns.values())),
            ]
        )
        self._rules = Evenhanded(playbook)
        outbound = [each for each in playbook.campaigns.values() if each.when.kind is not TriggerKind.ASKED]
        # No customer can have so many candidates that one is refused.
        self.has_room = len(outbound) <= CANDIDATES_MAX and not any(each.per for each in outbound)
        self._steady = {each.name: self._is_steady(each) for each in playbook.campaigns.values()}

    # One better campaign

    def beaten(self, campaign: Campaign, others: Sequence[Campaign]) -> Finding | None:
        """Return which campaign always beats another; None where none is proved to.

        Both are born by the same trigger at the same instant, and the better one is open to everybody and passes
        wherever the other does. When it wins, the other is blocked for the gap, and has expired by then: its time to
        live is not longer. A trigger within the gap brings the better one again, too. Nobody stops the better one.
        """
        if (
            not (self.known and self.has_room)
            or not self._expires_in_gap(campaign)
            or self._rules.may_be_drawn(campaign)
        ):
            return None
        for other in others:
            if other is not campaign and self._is_beside(other, campaign) and (why := self._better(other, campaign)):
                return self._told(campaign, other, why)
        return None

    def _expires_in_gap(self, campaign: Campaign) -> bool:
        exempt = "gap" in self.policies.exempt.get(campaign.klass, frozenset())
        return not exempt and not campaign.after_us and 0 < campaign.valid_for_us <= self.policies.gap_us

    def _is_beside(self, other: Campaign, campaign: Campaign) -> bool:
        """Tell whether a campaign is born whenever the other is, lives as long, and may go where the other may."""
        return (
            other.when == campaign.when
            and not other.after_us
            and not other.again_after_us
            and (not other.valid_for_us or other.valid_for_us >= campaign.valid_for_us)
            and other.until in {None, campaign.until}
            and self._is_open_to_all(other, campaign)
            and set(other.send) >= set(campaign.send)
            and self._has_consent(other, campaign)
            and self._rules.sends_at_once(other)
            and self._rules.caps_hold_both(other, campaign)
        )

    def _has_consent(self, other: Campaign, campaign: Campaign) -> bool:
        one, two = self.policies.classes[other.klass], self.policies.classes[campaign.klass]
        same = (one.purpose or one.name) == (two.purpose or two.name)
        return same and (two.consent_required or not one.consent_required)

    def _told(self, campaign: Campaign, other: Campaign, why: tuple[Given, ...]) -> Finding:
        path, other_path = f"campaigns.{campaign.name}", f"campaigns.{other.name}"
        gap = f"by {spelled(self.policies.gap_us)} after a contact it has expired"
        if self.policies.counts_from != "decided":
            gap += f"; only where a contact of {quoted(other.name)} fails may it go after all"
        because = (
            Given(ALWAYS, f"{path}.when", "what it begins with"),
            Given(ALWAYS, f"{other_path}.when", f"so {quoted(other.name)}, as long as it runs, is there, too"),
            *why,
            Given(ALWAYS, f"{path}.valid_for", gap),
        )
        what = f"the campaign {quoted(campaign.name)} can never win: {quoted(other.name)} is always there and better"
        mend = f"raise its priority, give it a `valid_for` longer than the gap, or narrow {quoted(other.name)}"
        return found(self.book, Claim.NEVER_WINS, path, what, because=because, mend=mend)

    # Enough better campaigns

    def never_shown(self, campaign: Campaign, others: Sequence[Campaign]) -> Finding | None:
        """Return why an inbound campaign is never shown: each placement has no more slots than it has betters there.

        The betters are open to everybody and in force whenever it is, so that they are candidates of each ask (§11).
        """
        if not self.known or self._rules.may_be_drawn(campaign):
            return None
        because: list[Given] = []
        for name in campaign.placements:
            placement = self.book.playbook.placements[name]
            betters = [
                (other, why)
                for other in others
                if other is not campaign
                and name in other.placements
                and not other.again_after_us
                and self._rules.is_shown_at_once(other, campaign, placement)
                and self._is_open_to_all(other, campaign)
                and (why := self._better(other, campaign))
            ]
            if len(betters) < placement.slots:
                return None
            names = ", ".join(quoted(other.name) for other, _ in betters[: placement.slots])
            because.append(
                Given(ALWAYS, f"placements.{name}", f"as many slots as {names} take up, as long as they run")
            )
            because += [each for _, why in betters[: placement.slots] for each in why]
        if not because:
            return None
        path = f"campaigns.{campaign.name}"
        what = f"the campaign {quoted(campaign.name)} can never be shown: others take every slot"
        mend = "raise its priority, add slots, or narrow the others"
        return found(self.book, Claim.NEVER_WINS, path, what, because=because, mend=mend)

    # What both need

    def _is_open_to_all(self, other: Campaign, campaign: Campaign) -> bool:
        """Tell whether a campaign is in force, eligible and not stopped whenever the other is."""
        in_force = other.from_us <= campaign.from_us and (not other.to_us or 0 < campaign.to_us <= other.to_us)
        return in_force and self._steady[other.name] and self._is_as_free(other, campaign)

    def _is_steady(self, campaign: Campaign) -> bool:
        """Tell whether the conditions of a campaign are true for everybody, by what its event says, at any time."""
        wish = Wish(self.book, campaign)
        context = wish.context()
        turned = [Given(wanted(each.reads[0], NOT_TRUE), each.path, "", reads=each.reads) for each in wish.eligible()]
        return all(self.book.excluded([each, *context, *meanings(self.book, [each, *context])]) for each in turned)

    def _is_as_free(self, other: Campaign, campaign: Campaign) -> bool:
        """Tell whether each rule that stops a campaign stops the other under the same condition."""
        rules = set(stopping_rules(self.book.playbook, other))
        if not rules <= set(stopping_rules(self.book.playbook, campaign)):
            return False
        one = Wish(self.book, other)
        return all(one.rule(number) == two.rule(number) for two in wishes_of(self.book, campaign) for number in rules)

    def _better(self, other: Campaign, campaign: Campaign) -> tuple[Given, ...]:
        """Return why a campaign is always preferred: a strict class above the other's, or a greater rank (§10, 3)."""
        names = list(self.policies.classes)
        tiers = [
            names.index(each.klass) if self.policies.classes[each.klass].strict else len(names)
            for each in (other, campaign)
        ]
        if tiers[0] < tiers[1]:
            path = f"policies.classes.{other.klass}.strict"
            return (Given(ALWAYS, path, f"{quoted(other.klass)} comes before {quoted(campaign.klass)}"),)
        theirs, ours = self._rank(other), self._rank(campaign)
        if tiers[0] > tiers[1] or theirs is None or ours is None or theirs <= ours:
            return ()
        says = f"the rank is {theirs:g} for {quoted(other.name)}, {ours:g} for {quoted(campaign.name)}"
        return (Given(ALWAYS, "policies.rank", says),)

    def _rank(self, campaign: Campaign) -> float | None:
        """Return the rank of a campaign where it is one number for everybody; of several offers the greatest."""
        if campaign.name not in self._ranks:
            ranks = [self._rank_of(each) for each in wishes_of(self.book, campaign)]
            known = [each for each in ranks if each is not None]
            self._ranks[campaign.name] = max(known) if len(known) == len(ranks) else None
        return self._ranks[campaign.name]

    def _rank_of(self, wish: Wish) -> float | None:
        propensity = self._propensity(wish)
        rank = replaced(
            wish.told(self.book.expressions["policies.rank"]),
            lambda read: propensity if (read.symbol.kind, read.name) == (SymbolKind.CAMPAIGN, "propensity") else None,
        )
        value = rank.value if isinstance(rank, Constant) else None
        return value if isinstance(value, float) else None

    def _propensity(self, wish: Wish) -> Expression | None:
        path = f"{wish.path}.propensity"
        if path not in self.book.expressions:
            return Constant(self.book.expressions["policies.rank"].type, 1.0)
        told = wish.told(self.book.expressions[path])
        return told if isinstance(told, Constant) else None
