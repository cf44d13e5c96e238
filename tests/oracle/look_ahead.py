"""Look-ahead: a slot is kept for who comes first and is planned already (§10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import candidates, conditions, contacts, feeds, gates, holdouts, hours, rounds
from .clock import INFINITE
from .state import Reason

if TYPE_CHECKING:
    from .state import Candidate, Contact, Customer
    from .twin import Twin

STOPPED_BY_TIME = (Reason.AGAIN_AFTER, Reason.NO_CAPACITY, Reason.HOURS, Reason.GAP, Reason.CAP)


@dataclass(frozen=True)
class Plan:
    """A candidate as it will be at an instant: with its offer, its rank of now and its expiry; its ways then."""

    candidate: Candidate
    at: int
    ways: tuple[str, ...]
    place: tuple[object, ...]


def kept_back(
    twin: Twin, customer: Customer, able: list[tuple[Candidate, str]]
) -> dict[int, tuple[int, int, float | None]]:
    """Return of those that could win, by id, who keeps them back: (its campaign, when it is planned, their rank)."""
    span = twin.book.policies.look_ahead_us
    if not span or not able:
        return {}
    competing = {id(candidate) for candidate, _ in able}
    others = [each for _, each in sorted(customer.candidates.items()) if id(each) not in competing]
    plans = [plan for each in others if (plan := _plan(twin, customer, each, span))]
    found: dict[int, tuple[int, int, float | None]] = {}
    for candidate, channel in able:
        rank = gates.score(twin, customer, candidate, candidate.offer)
        place = rounds.precedence(twin, customer, candidate, rank)
        contact = contacts.prospect(twin, customer, candidate, channel)
        before = [plan for plan in plans if plan.place < place and not _ways(twin, customer, plan, [contact])]
        if before:
            first = min(before, key=lambda plan: (plan.at, plan.place))
            found[id(candidate)] = (first.candidate.number, first.at, rank)
    return found


def _plan(twin: Twin, customer: Customer, candidate: Candidate, span: int) -> Plan | None:
    """Return when and by which ways a candidate is planned, None where it is not."""
    then = _wanted(twin, customer, candidate)
    if then is None:
        return None
    campaign, zone = twin.book.campaigns[candidate.number], conditions.zone_of(twin.book, customer)
    start = candidate.due if candidate.born else candidate.birth + candidates.wait_of(twin, campaign)
    ways = [channel for channel in campaign.send if gates.is_way(twin, customer, candidate, channel)]
    if start > twin.now + span:
        return None
    openings = {channel: hours.opening(twin.book.policies, channel, zone, start) for channel in ways}
    at = min(openings.values(), default=INFINITE)
    if not twin.now < at <= twin.now + span or at >= then.expiry:
        return None
    rank = gates.score(twin, customer, then, then.offer)
    place = rounds.precedence(twin, customer, then, rank)
    plan = Plan(then, at, tuple(channel for channel in ways if openings[channel] == at), place)
    return plan if _ways(twin, customer, plan, []) else None


def _wanted(twin: Twin, customer: Customer, candidate: Candidate) -> Candidate | None:
    """Return a candidate that is wanted now, as it will be once it is born; None where it is not wanted."""
    if feeds.is_held(twin, twin.book.campaigns[candidate.number]):
        return None
    if holdouts.would_be_held_out(twin, customer, candidate):
        return None
    if candidate.born:
        if candidate.stage != "waits":
            return None
        return candidate if candidate.reason in STOPPED_BY_TIME else None
    young = replace(candidate, birth=twin.now)
    if not gates.pick_offer(twin, customer, young) or gates.suppressing(twin, customer, young, young.offer) is not None:
        return None
    return replace(young, expiry=candidates.expiry_from(twin, candidate, candidate.birth))


def _ways(twin: Twin, customer: Customer, plan: Plan, more: list[Contact]) -> list[str]:
    """Return the ways on which a plan is free when its time has come, some contacts having been made until then."""
    later = replace(customer, contacts=[*customer.contacts, *more])
    return [
        channel
        for channel in plan.ways
        if gates.pause_stop(twin, later, plan.candidate, channel, plan.at) is None
        and gates.slot_stop(twin, later, plan.candidate, channel, plan.at) is None
    ]


def free(twin: Twin, customer: Customer, campaign: int | None = None) -> None:
    """Unblock those that were kept back for a campaign, or for any."""
    for candidate in customer.candidates.values():
        if candidate.reason == Reason.KEPT_FOR and campaign in {None, candidate.kept_for}:
            candidate.reason, candidate.due = 0, twin.now


def free_of_held(twin: Twin) -> None:
    """Unblock those that were kept back for a campaign that is off now, or held for a source."""
    for number, campaign in enumerate(twin.book.campaigns):
        if feeds.is_held(twin, campaign):
            for customer in twin.roots():
                free(twin, customer, number)
