"""Holdouts: customers to whom campaigns stay silent, so that there is something to compare with (§10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .hashing import MASK, mix, name_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state import Candidate, Customer
    from .twin import Twin

PLACES = 2**53


def is_held_out(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Tell whether a customer for whom this candidate has won is held out of its class, or of its campaign."""
    found = [_membership(twin, customer, name, share) for name, share in _shares(twin, candidate)]
    return any(found)


def would_be_held_out(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    """Tell the same of one that has not won, without deciding anything."""
    known = replace(customer, holdouts=dict(customer.holdouts))
    return is_held_out(twin, known, candidate)


def _shares(twin: Twin, candidate: Candidate) -> Iterator[tuple[str, float]]:
    """Yield of which holdouts a candidate is: its campaign's by name, that of the classes without one."""
    campaign = twin.book.campaigns[candidate.number]
    rule, klass = twin.book.policies.holdout, twin.book.klass(campaign)
    classes = rule.classes or [each.name for each in twin.book.policies.classes.values() if not each.strict]
    if campaign.holdout:
        yield campaign.name, campaign.holdout
    if rule.share and klass.name in classes:
        yield "", rule.share


def _membership(twin: Twin, customer: Customer, name: str, share: float) -> bool:
    """Return what was decided the first time, or decide it now."""
    if name not in customer.holdouts:
        salted = mix(mix(*customer.founding), name_hash("the holdout"))
        drawn = (mix(salted, name_hash(name) if name else 0) & MASK) >> 11
        customer.holdouts[name] = (drawn < round(share * PLACES), twin.now)
    return customer.holdouts[name][0]


def merge(into: Customer, other: Customer) -> None:
    for name, (held, since) in other.holdouts.items():
        ours = into.holdouts.get(name)
        if ours is None or since < ours[1]:
            into.holdouts[name] = (held, since)
