"""What may stop a candidate on a channel, gate after gate (§10.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from onevoice.playbook.model import DAY

from . import conditions, contacts, facts, hours, resources
from .clock import INFINITE
from .conditions import View, evaluate
from .state import LOST, NEVER, Reason, Spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.playbook.model import Campaign, Offer, Suppression

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


def view(twin: Twin, customer: Customer, candidate: Candidate, offer: Offer | None) -> View:
    campaign = twin.book.campaigns[candidate.number]
    trigger = candidate.trigger
    return View(twin.book, twin.now, customer, trigger.fields, offer, trigger.product, campaign)


def product_of(twin: Twin, candidate: Candidate) -> str | None:
    """Return the product a candidate is about: its offer's, else the world event's."""
    offer = candidate.offer
    return offer.product if offer and offer.product else candidate.trigger.product


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


def is_way(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> bool:
    """Tell whether consent and address let a candidate that waits use a channel, and that is not closed for it."""
    campaign = twin.book.campaigns[candidate.number]
    able = _may_by_consent(twin, customer, campaign, channel) and _has_address(twin, customer, channel)
    return able and channel not in candidate.closed


def _lasting_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Stop | None:
    """Return the first of the gates that only an event, or a suppression's end, lifts."""
    campaign = twin.book.campaigns[candidate.number]
    if not _may_by_consent(twin, customer, campaign, channel):
        return Stop(Reason.NO_CONSENT, channel)
    if not _has_address(twin, customer, channel):
        return Stop(Reason.NO_ADDRESS, channel)
    if candidate.stage == "waits" and channel in candidate.closed:
        return Stop(Reason.FAILED, channel)
    rule = suppressing(twin, customer, candidate, candidate.offer)
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
    """Return the first of the gates that time lifts: again_after, resources, hours, gap, cap.

    A follower knows neither again_after nor gap.
    """
    if candidate.stage == "watched":
        stop = _stop_of_all(twin, customer, candidate, channel)
        return stop or _cap_stop(twin, customer, candidate, channel, twin.now)
    return (
        pause_stop(twin, customer, candidate, channel, twin.now)
        or _stop_of_all(twin, customer, candidate, channel)
        or slot_stop(twin, customer, candidate, channel, twin.now)
    )


def pause_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str, at: int) -> Stop | None:
    """Return the stop by again_after at an instant."""
    campaign = twin.book.campaigns[candidate.number]
    theirs = [each for each in customer.contacts if each.campaign == campaign.name]
    same = [each.due for each in theirs if each.key == candidate.key and each.state not in LOST]
    if campaign.again_after_us and same and max(same) + campaign.again_after_us > at:
        last = max(same)
        return Stop(Reason.AGAIN_AFTER, channel, value=last, until=last + campaign.again_after_us)
    return None


def slot_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str, at: int) -> Stop | None:
    """Return the stop by gap or cap at an instant, of one that follows nothing."""
    campaign = twin.book.campaigns[candidate.number]
    if twin.book.is_exempt(campaign, "gap"):
        theirs = [each for each in customer.contacts if each.campaign == campaign.name]
        own = [each for each in theirs if each.number != contacts.HELD_OUT]
        counted = [each.due for each in own if each.follows < 0 and contacts.stands(twin, each)]
    else:
        counted = [each.due for each in customer.contacts if each.follows < 0 and contacts.counts(twin, each)]
    gap = twin.book.policies.gap_us
    if gap and counted and max(counted) + gap > at:
        return Stop(Reason.GAP, channel, value=max(counted), until=max(counted) + gap)
    return _cap_stop(twin, customer, candidate, channel, at)


def _stop_of_all(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Stop | None:
    """Return the first of the gates between that followers know, too: resources, hours."""
    campaign = twin.book.campaigns[candidate.number]
    short = resources.first_short(twin, campaign, channel, product_of(twin, candidate))
    if short is not None:
        pool = resources.present(twin, short[0])
        return Stop(Reason.NO_CAPACITY, channel, [*twin.pools].index(short[0]), pool.total, pool.limit, INFINITE)
    opening = hours.opening(twin.book.policies, channel, conditions.zone_of(twin.book, customer), twin.now)
    return Stop(Reason.HOURS, channel, until=opening) if opening > twin.now else None


def _cap_stop(twin: Twin, customer: Customer, candidate: Candidate, channel: str, at: int) -> Stop | None:
    campaign = twin.book.campaigns[candidate.number]
    if twin.book.is_exempt(campaign, "caps"):
        return None
    prospect = contacts.prospect(twin, customer, candidate, channel)
    full = contacts.full_cap(twin, customer, prospect, at, follows=candidate.stage == "watched")
    return None if full is None else Stop(Reason.CAP, channel, full.rule, full.count, full.limit, full.until)


# Offers


def is_eligible(twin: Twin, customer: Customer, candidate: Candidate, offer: Offer | None) -> bool:
    """Tell whether the campaign's `if` and that of an offer are true."""
    looking = view(twin, customer, candidate, offer)
    campaign = twin.book.campaigns[candidate.number]
    return all(evaluate(condition, looking) is True for condition in twin.book.eligibility(campaign, offer))


def eligible_offers(twin: Twin, customer: Customer, candidate: Candidate) -> list[Offer | None]:
    offers = _possible_offers(twin, candidate)
    return [offer for offer in offers if is_eligible(twin, customer, candidate, offer)]


def pick_offer(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Let a candidate come with its best offer that nothing stops, else with its first; False: it is not eligible."""
    eligible = eligible_offers(twin, customer, candidate)
    if not eligible:
        return False
    free = [offer for offer in eligible if suppressing(twin, customer, candidate, offer) is None]
    ranks = [(score(twin, customer, candidate, offer), offer) for offer in free]
    known = [rank for rank, _ in ranks if rank is not None]
    best = max(known) if known else None
    candidate.offer = next((offer for rank, offer in ranks if rank == best), eligible[0])
    return True


def score(twin: Twin, customer: Customer, candidate: Candidate, offer: Offer | None) -> float | None:
    """Return the rank of a candidate with an offer, by the policy's expression."""
    campaign = twin.book.campaigns[candidate.number]
    looking = replace(view(twin, customer, candidate, offer), age=(twin.now - candidate.birth) / DAY)
    propensity = twin.book.propensity(campaign)
    if propensity:
        looking = replace(looking, propensity=evaluate(propensity, looking))
    return evaluate(twin.book.rank, looking)


def computed(twin: Twin, customer: Customer, candidate: Candidate) -> tuple[float | None, ...]:
    """Return what the computed parameters of a winner's offer come to, by the names there are in the playbook."""
    offer, names = candidate.offer, twin.book.computed_names
    looking = view(twin, customer, candidate, offer)
    return tuple(
        evaluate(twin.book.computed(offer, name), looking) if offer and name in offer.computed else None
        for name in names
    )


# Suppressions


def suppressing(twin: Twin, customer: Customer, candidate: Candidate, offer: Offer | None) -> int | None:
    """Return the first suppression, in playbook order, that stops this candidate with this offer and holds."""
    for rule, suppression in enumerate(twin.book.policies.suppress):
        if _stops(twin, suppression, candidate) and _holds(twin, customer, candidate, offer, rule):
            return rule
    return None


def _stops(twin: Twin, suppression: Suppression, candidate: Candidate) -> bool:
    campaign = twin.book.campaigns[candidate.number]
    has_offer = bool(campaign.offers) or candidate.trigger.world
    return campaign.klass in suppression.stop or ("offers" in suppression.stop and has_offer)


def _holds(twin: Twin, customer: Customer, candidate: Candidate, offer: Offer | None, rule: int) -> bool:
    suppression = twin.book.policies.suppress[rule]
    if not suppression.then_us and not suppression.at_most_us:
        return evaluate(twin.book.suppression(rule), view(twin, customer, candidate, offer)) is True
    spell = customer.spells.get(rule, Spell())
    if spell.since is not None:
        return not suppression.at_most_us or twin.now < spell.since + suppression.at_most_us
    return bool(suppression.then_us) and spell.left_at is not None and twin.now < spell.left_at + suppression.then_us


# Waking


def may_wake(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Tell whether consent, address, failures and suppressions all pass on some channel with some offer; of several
    one that is eligible."""
    offers = _possible_offers(twin, candidate)
    if len(offers) > 1:
        offers = [offer for offer in offers if is_eligible(twin, customer, candidate, offer)]
    for offer in offers:
        tried = replace(candidate, offer=offer)
        able = channels(twin, customer, candidate)
        if any(_lasting_stop(twin, customer, tried, channel) is None for channel in able):
            return True
    return False


def _possible_offers(twin: Twin, candidate: Candidate) -> list[Offer | None]:
    """Return the offers of a candidate; one that follows a contact comes with the offer of that."""
    if candidate.stage == "watched":
        return [candidate.offer]
    return twin.book.offers(twin.book.campaigns[candidate.number])


def has_room_again(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Tell whether the cap that blocks a candidate holds it no more, or not until its wake."""
    assert candidate.recorded
    _, channel, rule, _ = candidate.recorded
    prospect = contacts.prospect(twin, customer, candidate, channel)
    if rule not in contacts.applying(twin, customer, prospect):
        return True
    load = contacts.load_of(twin, customer, prospect, rule, twin.now)
    return not load.is_full or load.until < candidate.due


def changes(twin: Twin, customer: Customer, candidate: Candidate) -> Iterator[int]:
    """Yield the instants at which what blocks a candidate may lift by time alone."""
    campaign = twin.book.campaigns[candidate.number]
    offers = _possible_offers(twin, candidate)
    for offer in offers:
        looking = view(twin, customer, candidate, offer)
        for rule, suppression in enumerate(twin.book.policies.suppress):
            if _stops(twin, suppression, candidate) and not suppression.then_us and not suppression.at_most_us:
                yield from conditions.changes(twin.book.suppression(rule), looking)
        if len(offers) > 1:
            for condition in twin.book.eligibility(campaign, offer):
                yield from conditions.changes(condition, looking)
