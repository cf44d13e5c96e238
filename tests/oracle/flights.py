"""Candidates whose contact is on its way, or was sent and may be followed (§9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import candidates, contacts, resources
from .clock import INFINITE
from .state import Line

if TYPE_CHECKING:
    from .state import Candidate, Contact, Customer
    from .twin import Twin


def leave(twin: Twin, customer: Customer, candidate: Candidate, contact: Contact) -> None:
    """Let a candidate whose contact was just made be in flight, or settle it where that is sent."""
    if contact.state == "reserved":
        candidate.stage, candidate.due, candidate.reason = "in flight", INFINITE, 0
    else:
        settle(twin, customer, candidate)


def settle(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    campaign = twin.book.campaigns[candidate.number]
    if candidate.followed >= len(campaign.unseen_next):
        del customer.candidates[candidate.number, candidate.key]
    else:
        candidate.stage, candidate.reason = "watched", 0
        candidate.due = max(twin.now, candidate.last_due + campaign.unseen_after_us)


def expires(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Record and remove a candidate that expired while it was in flight."""
    place = (candidate.number, candidate.key)
    if place not in customer.candidates or candidate.expiry > twin.now:
        return False
    candidates.let_go(twin, customer, candidate)
    line = Line(candidate.campaign, candidate.key, "expired", contact=candidate.under_way)
    twin.decide("end", customer, [line])
    return True


def reach(twin: Twin, customer: Customer, candidate: Candidate, contact: Contact) -> None:
    """A contact of the candidate is sent, or came further."""
    if contact.number == candidate.last and candidate.stage != "watched":
        settle(twin, customer, candidate)
        expires(twin, customer, candidate)
    if contact.state in {"seen", "clicked", "answered"}:
        follow_no_more(twin, customer, candidate)


def follow_no_more(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    if candidate.stage == "watched":
        customer.candidates.pop((candidate.number, candidate.key), None)
    elif candidate.stage == "in flight":
        candidate.followed = len(twin.book.campaigns[candidate.number].unseen_next)


def lose(twin: Twin, customer: Customer, candidate: Candidate, contact: Contact) -> None:
    """A contact of the candidate was cancelled, or has failed."""
    if contact.number != candidate.last or candidate.stage == "waits":
        return
    campaign = twin.book.campaigns[candidate.number]
    if contact.follows < 0:
        candidate.closed |= {contact.channel}
        hopeless = candidate.closed >= set(campaign.send)
    else:
        hopeless = candidate.followed >= len(campaign.unseen_next)
    if expires(twin, customer, candidate):
        return
    if hopeless:
        candidates.let_go(twin, customer, candidate)
        line = Line(candidate.campaign, candidate.key, "failed", contact.channel, contact=contact.number)
        twin.decide("end", customer, [line])
    elif contact.follows < 0:
        candidate.stage, candidate.reason, candidate.due = "waits", 0, twin.now
    elif candidate.stage == "in flight":
        settle(twin, customer, candidate)


def cancel(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    """Cancel the contact of a candidate that ended in flight."""
    for contact in customer.contacts:
        if candidate.stage == "in flight" and contact.number == candidate.last:
            contact.state = "cancelled"
            resources.give_back(twin, contact)
            contacts.free(twin, customer)
