"""Exploration: now and then one of those that could win is drawn (§10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .hashing import MASK, mix

if TYPE_CHECKING:
    from .state import Candidate, Customer
    from .twin import Twin

T = TypeVar("T", bound="tuple[Candidate, object]")
PLACES = 2**53


def lot(twin: Twin, customer: Customer, placement: int, turn: int) -> float:
    """Return a number from 0 to before 1, the highest 53 bits of a mix."""
    made_now = sum(contact.due == twin.now for contact in customer.contacts)
    occasion = made_now if placement < 0 else -1 - placement
    bits = mix(mix(mix(mix(*customer.founding), twin.now), occasion), turn) & MASK
    return (bits >> 11) / PLACES


def chosen(twin: Twin, customer: Customer, ordered: list[T], turn: int, placement: int = -1) -> tuple[T, float]:
    """Return who wins among those that could, the best being first, and its probability to do so."""
    rule = twin.book.policies.exploration
    names = rule.classes or [name for name, klass in twin.book.policies.classes.items() if not klass.strict]
    pool = [each for each in ordered if _klass(twin, each) in names]
    if not rule.share or _klass(twin, ordered[0]) not in names:
        return ordered[0], 1.0
    share = round(rule.share * PLACES) / PLACES
    winner = ordered[0]
    if lot(twin, customer, placement, 2 * turn) < share:
        pool.sort(key=lambda each: (each[0].number, each[0].key))
        winner = pool[int(lot(twin, customer, placement, 2 * turn + 1) * len(pool))]
    return winner, (1 - share if winner is ordered[0] else 0) + share / len(pool)


def _klass(twin: Twin, each: tuple[Candidate, object]) -> str:
    return twin.book.klass(twin.book.campaigns[each[0].number]).name
