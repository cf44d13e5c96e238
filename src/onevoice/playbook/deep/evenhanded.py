"""What may hold back the better of two campaigns and let the other one pass: chance, silence, caps, what is scarce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.capping import caps_of
from onevoice.playbook.model import EACH, TriggerKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.playbook.model import Campaign, Cap, Exploration, Holdout, Placement, Playbook


class Evenhanded:
    """The rules of a playbook that could tell two campaigns apart which are wished for together."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        self._policies = playbook.policies
        self._caps = caps_of(playbook).values()

    def may_be_drawn(self, campaign: Campaign) -> bool:
        """Tell whether exploration may let a campaign win that is not the best (§10)."""
        return self._is_of(campaign, self._policies.exploration)

    def sends_at_once(self, better: Campaign) -> bool:
        """Tell whether a campaign that could win is sent, and with that done, as long as nothing of it fails (§9, §10).

        It is silent to nobody, uses nothing that could run out, never pauses itself, keeps its slot from nobody who is
        planned, counts in the gap of others, and neither waits for receipts nor for somebody who has not looked yet.
        """
        channels = [self._playbook.channels[name] for name in better.send]
        is_plain = not any(each.uses or each.rate or each.receipts_us for each in channels)
        is_plain = is_plain and not (better.uses or better.unseen_next or self._is_of_stock(better))
        never_pauses = not better.at_most_contacts and not better.failures_share
        counts = self._policies.classes[better.klass].counts
        no_plans = not self._policies.look_ahead_us
        return is_plain and never_pauses and counts and no_plans and self._is_plain(better)

    def is_shown_at_once(self, better: Campaign, other: Campaign, placement: Placement) -> bool:
        """Tell whether a campaign that could be shown is, wherever the other one could be (§11)."""
        if placement.fatigue_times or not self._is_plain(better):
            return False
        return self._holds_both((cap for cap in self._caps if cap.placement in {EACH, placement.name}), better, other)

    def caps_hold_both(self, better: Campaign, other: Campaign) -> bool:
        """Tell whether each cap on contacts that holds the better one back holds the other back as well."""
        return self._holds_both((cap for cap in self._caps if not cap.placement), better, other)

    def _is_plain(self, better: Campaign) -> bool:
        """Tell whether a campaign has one rank for each customer, and is held out from none."""
        return len(better.offers) <= 1 and not better.holdout and not self._is_of(better, self._policies.holdout)

    def _is_of(self, campaign: Campaign, rule: Exploration | Holdout) -> bool:
        strict = self._policies.classes[campaign.klass].strict
        return rule.share > 0 and (campaign.klass in rule.classes if rule.classes else not strict)

    def _is_of_stock(self, campaign: Campaign) -> bool:
        stocks = {each.product for each in self._playbook.resources.values() if each.product}
        products = {self._playbook.offers[name].product for name in campaign.offers}
        return bool(stocks) and (campaign.when.kind is TriggerKind.PRODUCT or bool(stocks & products))

    def _holds_both(self, caps: Iterable[Cap], better: Campaign, other: Campaign) -> bool:
        exempt = [campaign for campaign in (better, other) if "caps" in self._policies.exempt.get(campaign.klass, ())]
        if better in exempt:
            return True
        return all(other not in exempt and self._is_even(cap, better, other) for cap in caps)

    def _is_even(self, cap: Cap, better: Campaign, other: Campaign) -> bool:
        """Tell whether a cap does not apply to the better one, or counts the same for both.

        What it says of the channel, the customer, their group and address is the same for both.
        """
        offers = [self._playbook.offers[name] for name in better.offers]
        product = any(each.product for each in offers) or better.when.kind is TriggerKind.PRODUCT
        return (
            (not cap.campaign or cap.campaign not in {EACH, better.name})
            and (not cap.klass or cap.klass not in {EACH, better.klass} or better.klass == other.klass)
            and (not cap.owner or cap.owner not in {EACH, better.owner} or better.owner in {"", other.owner})
            and not (cap.family and offers)
            and not (cap.category and product)
        )
