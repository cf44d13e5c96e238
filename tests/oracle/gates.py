"""What may stop a candidate on a channel, gate after gate (§10.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import conditions, contacts, facts, hours
from .conditions import View, evaluate
from .state import LOST, NEVER, Reason, Spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.playbook.model import Campaign, Suppression

    from .state import Candidate, Customer
    from .twin import Twin


@dataclass(frozen=True)
class Stop:
    """Why a channel is closed to a candidate; the values go into the record. `until` 0: no known end."""

    reason: Reason
    channel: str
    rule: int = -1
    value: int = 0
    limit: int = 0
    until: int = 0


def view(twin: Twin, customer: Customer, candidate: Candidate) -> View:
    campaign = twin.book.campaigns[candidate.number]
    trigger = candidate.trigger
    offer = twin.book.offer(campaign)
    return View(twin.book, twin.now, customer, trigger.fields, offer, trigger.product, campaign)


def first_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Stop | None:
    """Return the first gate that stops a candidate on a channel; None where it could win."""
    return _lasting_stop(twin, customer, candidate, channel) or _passing_stop(twin, customer, candidate, channel)


def channels(twin: Twin, customer: Customer, candidate: Candidate) -> list[str]:
    """Return the channels a candidate may go by, the preferred first; of a follower the one that is next."""
    campaign = twin.book.campaigns[candidate.number]
    if candidate.stage == "watched":
        return [campaign.unseen_next[candidate.followed]]
    cost = {name: channel.cost for name, channel in twin.book.playbook.channels.items()}
    found = sorted(campaign.send, key=cost.get) if campaign.send_by == "cost" else list(campaign.send)
    own, _ = customer.traits.get(twin.book.channel_trait, (None, None))
    return sorted(found, key=lambda name: name != own)


def _lasting_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Stop | None:
    """Return the first of the gates that only an event, or a suppression's end, lifts."""
    campaign = twin.book.campaigns[candidate.number]
    if not _may_by_consent(twin, customer, campaign, channel):
        return Stop(Reason.NO_CONSENT, channel)
    if not _has_address(twin, customer, channel):
        return Stop(Reason.NO_ADDRESS, channel)
    if candidate.stage == "waits" and channel in candidate.closed:
        return Stop(Reason.FAILED, channel)
    rule = suppressing(twin, customer, candidate)
    return None if rule is None else Stop(Reason.SUPPRESSED, channel, rule)


def _may_by_consent(twin: Twin, customer: Customer, campaign: Campaign, channel: str) -> bool:
    klass = twin.book.klass(campaign)
    key = (channel, klass.purpose or klass.name)
    if facts.is_open(twin.book, customer, "consent", list(key), twin.now):
        return True
    return not klass.consent_required and facts.closing(customer, "consent", key) == NEVER


def _has_address(twin: Twin, customer: Customer, channel: str) -> bool:
    known = twin.book.playbook.channels.get(channel)
    kind = known.address if known else ""
    return not kind or any(each == kind and owner == customer.number for (each, _), owner in twin.index.items())


def _passing_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Stop | None:
    """Return the first of the gates that time lifts: again_after, hours, gap, cap; a follower knows hours and caps."""
    opening = hours.opening(twin.book.policies, channel, conditions.zone_of(twin.book, customer), twin.now)
    closed = Stop(Reason.HOURS, channel, until=opening) if opening > twin.now else None
    if candidate.stage == "watched":
        return closed or _cap_stop(twin, customer, candidate, channel)
    campaign = twin.book.campaigns[candidate.number]
    theirs = [each for each in customer.contacts if each.campaign == campaign.name]
    same = [each.due for each in theirs if each.key == candidate.key and each.state not in LOST]
    if campaign.again_after_us and same and max(same) + campaign.again_after_us > twin.now:
        last = max(same)
        return Stop(Reason.AGAIN_AFTER, channel, value=last, until=last + campaign.again_after_us)
    if closed:
        return closed
    if twin.book.is_exempt(campaign, "gap"):
        counted = [each.due for each in theirs if each.follows < 0 and contacts.stands(twin, each)]
    else:
        counted = [each.due for each in customer.contacts if each.follows < 0 and contacts.counts(twin, each)]
    gap = twin.book.policies.gap_us
    if gap and counted and max(counted) + gap > twin.now:
        return Stop(Reason.GAP, channel, value=max(counted), until=max(counted) + gap)
    return _cap_stop(twin, customer, candidate, channel)


def _cap_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Stop | None:
    campaign = twin.book.campaigns[candidate.number]
    if twin.book.is_exempt(campaign, "caps"):
        return None
    prospect = contacts.prospect(twin, customer, candidate, channel)
    full = contacts.full_cap(twin, customer, prospect, follows=candidate.stage == "watched")
    return None if full is None else Stop(Reason.CAP, channel, full.rule, full.count, full.limit, full.until)


# Suppressions


def suppressing(twin: Twin, customer: Customer, candidate: Candidate) -> int | None:
    """Return the first suppression, in playbook order, that stops this candidate and holds."""
    for rule, suppression in enumerate(twin.book.policies.suppress):
        if _stops(twin, suppression, candidate) and _holds(twin, customer, candidate, rule):
            return rule
    return None


def _stops(twin: Twin, suppression: Suppression, candidate: Candidate) -> bool:
    campaign = twin.book.campaigns[candidate.number]
    has_offer = bool(campaign.offer) or candidate.trigger.world
    return campaign.klass in suppression.stop or ("offers" in suppression.stop and has_offer)


def _holds(twin: Twin, customer: Customer, candidate: Candidate, rule: int) -> bool:
    suppression = twin.book.policies.suppress[rule]
    if not suppression.then_us and not suppression.at_most_us:
        return evaluate(twin.book.suppression(rule), view(twin, customer, candidate)) is True
    spell = customer.spells.get(rule, Spell())
    if spell.since is not None:
        return not suppression.at_most_us or twin.now < spell.since + suppression.at_most_us
    return bool(suppression.then_us) and spell.left_at is not None and twin.now < spell.left_at + suppression.then_us


# Waking


def may_wake(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    able = channels(twin, customer, candidate)
    return any(_lasting_stop(twin, customer, candidate, channel) is None for channel in able)


def has_room_again(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Tell whether the cap that blocks a candidate holds it no more, or not until its wake."""
    assert candidate.recorded
    _, channel, rule, _ = candidate.recorded
    prospect = contacts.prospect(twin, customer, candidate, channel)
    if rule not in contacts.applying(twin, customer, prospect):
        return True
    load = contacts.load_of(twin, customer, prospect, rule)
    return not load.is_full or load.until < candidate.due


def changes(twin: Twin, customer: Customer, candidate: Candidate) -> Iterator[int]:
    """Yield the instants at which what blocks a candidate may lift by time alone."""
    for rule, suppression in enumerate(twin.book.policies.suppress):
        if _stops(twin, suppression, candidate) and not suppression.then_us and not suppression.at_most_us:
            yield from conditions.changes(twin.book.suppression(rule), view(twin, customer, candidate))
