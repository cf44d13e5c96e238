"""Wishes, births, endings and expiries (§8)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import conditions, controls, flights, gates, look_ahead, segments
from .clock import INFINITE
from .hashing import text_hash
from .state import NEVER, Candidate, Line

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign

    from .state import Customer, Moment_, Row, Trigger
    from .twin import Twin

CANDIDATES_MAX = 64


def wish(twin: Twin, customer: Customer, campaign: Campaign, trigger: Trigger) -> None:
    """Take up a wish: refresh the candidate that waits, or make a new one."""
    number = twin.book.number(campaign)
    key = _key(twin, campaign, trigger)
    if twin.observing or not is_in_force(campaign, twin.now) or controls.is_stopped(twin, campaign) is not None:
        return
    if trigger.at < _last_ending(customer, number, key):
        return
    waiting = customer.candidates.get((number, key))
    if waiting:
        _refresh(twin, customer, waiting, trigger)
    elif len(customer.candidates) >= CANDIDATES_MAX:
        twin.decide("end", customer, [Line(campaign.name, key, "too_many")])
    else:
        _conceive(twin, customer, Candidate(campaign.name, number, key, trigger, twin.now + campaign.after_us))
    customer.look_anew(twin.now)


def is_in_force(campaign: Campaign, now: int) -> bool:
    return campaign.from_us <= now and (not campaign.to_us or now < campaign.to_us)


def _key(twin: Twin, campaign: Campaign, trigger: Trigger) -> int:
    if not campaign.per:
        return 0
    if trigger.key is not None:
        return trigger.key
    value = (trigger.fields or {}).get(campaign.per)
    return 0 if value is None else text_hash(str(value), twin.secret)


def _refresh(twin: Twin, customer: Customer, candidate: Candidate, trigger: Trigger) -> None:
    candidate.trigger = trigger
    if candidate.born:
        candidate.expiry = expiry_from(twin, candidate, twin.now)
    segments.look_again(twin, customer, candidate)


def _conceive(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    customer.candidates[candidate.number, candidate.key] = candidate
    if candidate.birth <= twin.now:
        give_birth(twin, customer, candidate)


def give_birth(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    """Judge an unborn candidate at its birth: it is born, or vanishes without a record."""
    campaign = twin.book.campaigns[candidate.number]
    candidate.birth = twin.now
    candidate.expiry = expiry_from(twin, candidate, twin.now)
    if not is_eligible(twin, customer, candidate) or candidate.expiry <= twin.now:
        let_go(twin, customer, candidate)
        return
    candidate.born = True
    candidate.due = twin.now + wait_of(twin, campaign)


def let_go(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    """Remove a candidate otherwise than in a round: who was kept back for its campaign is free."""
    del customer.candidates[candidate.number, candidate.key]
    look_ahead.free(twin, customer, candidate.number)


def wait_of(twin: Twin, campaign: Campaign) -> int:
    if twin.book.is_exempt(campaign, "wait"):
        return 0
    return campaign.wait_us if campaign.wait_us >= 0 else twin.book.policies.wait_us


def expiry_from(twin: Twin, candidate: Candidate, start: int) -> int:
    campaign = twin.book.campaigns[candidate.number]
    return min(
        start + campaign.valid_for_us if campaign.valid_for_us else INFINITE,
        campaign.to_us or INFINITE,
    )


def is_eligible(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Tell whether the campaign's `if` and that of one of its offers are true."""
    return bool(gates.eligible_offers(twin, customer, candidate))


# Endings


def note_endings(twin: Twin, customer: Customer, row: Row) -> bool:
    """Note what the row ends by `until`: the latest such event per campaign and key. True if there is any."""
    noted = False
    for number, campaign in enumerate(twin.book.campaigns):
        if campaign.until is None or not conditions.matches(twin.book, campaign.until, row):
            continue
        any_key = bool(campaign.per) and campaign.per not in twin.book.row_fields(row.type)
        value = None if any_key or not campaign.per else row.fields.get(campaign.per)
        key = 0 if value is None else text_hash(str(value), twin.secret)
        place = (number, any_key, key)
        customer.endings[place] = max(customer.endings.get(place, NEVER), row.at)
        noted = True
    return noted


def _last_ending(customer: Customer, number: int, key: int) -> Moment_:
    return max(customer.endings.get((number, False, key), NEVER), customer.endings.get((number, True, 0), NEVER))


def end(twin: Twin, customer: Customer) -> None:
    """Remove the candidates that have ended; those that were born are recorded."""
    for (number, key), candidate in sorted(customer.candidates.items()):
        if candidate.trigger.at < _last_ending(customer, number, key):
            if candidate.born:
                close(twin, customer, candidate, "ended")
            else:
                let_go(twin, customer, candidate)


def expire(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    close(twin, customer, candidate, "expired")


def close(twin: Twin, customer: Customer, candidate: Candidate, reason: str, rule: int = -1) -> None:
    """Remove a candidate and record why."""
    let_go(twin, customer, candidate)
    line = Line(candidate.campaign, candidate.key, reason, rule=rule, contact=candidate.under_way)
    twin.decide("end", customer, [line])
    flights.cancel(twin, customer, candidate)


# Merging


def merge(into: Customer, other: Customer) -> None:
    for place, at in other.endings.items():
        into.endings[place] = max(into.endings.get(place, NEVER), at)
    for place, theirs in other.candidates.items():
        ours = into.candidates.get(place)
        into.candidates[place] = theirs if ours is None else _one_of(ours, theirs)


def _one_of(ours: Candidate, theirs: Candidate) -> Candidate:
    """Make one candidate of two: the earlier birth, what the further one has, what the later trigger brought."""
    later = theirs if theirs.trigger.at > ours.trigger.at else ours
    first = theirs if _turn(theirs) < _turn(ours) else ours
    born_later = later if later.born or not first.born else first
    return replace(
        first,
        trigger=later.trigger,
        birth=min(ours.birth, theirs.birth),
        expiry=born_later.expiry,
        closed=ours.closed | theirs.closed,
    )


def _turn(candidate: Candidate) -> tuple[bool, int, int]:
    """Order two candidates of one wish: the born first, of them the further one, then the earlier due or wake."""
    return (not candidate.born, -("waits", "in flight", "watched").index(candidate.stage), candidate.due)
