"""Segments, suppressions, and the judgement of a customer (§7, §10 waking)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.model import TriggerKind

from . import candidates, conditions, gates
from .conditions import View, evaluate
from .state import Reason, Spell, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.playbook.model import Suppression

    from .state import Candidate, Customer
    from .twin import Twin

WAKEABLE = (Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.FAILED, Reason.SUPPRESSED)


def judge(twin: Twin, customer: Customer) -> tuple[list[str], list[str]]:
    """Judge segments and suppressions, look at blocked candidates again; return segments entered and left."""
    before = set(customer.members)
    for name in twin.book.playbook.segments:
        if evaluate(twin.book.segment(name), View(twin.book, twin.now, customer)) is not True:
            customer.members.pop(name, None)
        else:
            customer.members.setdefault(name, twin.now)
    for rule, suppression in enumerate(twin.book.policies.suppress):
        if is_judged(suppression):
            _judge_suppression(twin, customer, rule)
    wake(twin, customer)
    customer.judge_at = None
    after = set(customer.members)
    order = list(twin.book.playbook.segments)
    return sorted(after - before, key=order.index), sorted(before - after, key=order.index)


def is_judged(suppression: Suppression) -> bool:
    return bool(suppression.then_us or suppression.at_most_us)


def _judge_suppression(twin: Twin, customer: Customer, rule: int) -> None:
    spell = customer.spells.get(rule, Spell())
    if evaluate(twin.book.suppression(rule), View(twin.book, twin.now, customer)) is True:
        if spell.since is None:
            customer.spells[rule] = Spell(since=twin.now)
    elif spell.since is not None:
        customer.spells[rule] = Spell(left_at=twin.now)


def wake(twin: Twin, customer: Customer) -> None:
    """Unblock each candidate that an event may have freed (§10 waking)."""
    for candidate in customer.candidates.values():
        look_again(twin, customer, candidate)


def look_again(twin: Twin, customer: Customer, candidate: Candidate) -> None:
    """Unblock a candidate that consent, address, suppressions or its cap let pass, or whose clock moved."""
    moved = candidate.hours_of not in {"", conditions.zone_of(twin.book, customer)}
    if candidate.born and (_has_lifted(twin, customer, candidate) or (candidate.reason and moved)):
        candidate.reason = 0
        candidate.due = twin.now


def _has_lifted(twin: Twin, customer: Customer, candidate: Candidate) -> bool:
    if candidate.reason == Reason.CAP:
        return gates.has_room_again(twin, customer, candidate)
    return candidate.reason in WAKEABLE and gates.may_wake(twin, customer, candidate)


def wish_for_changes(twin: Twin, customer: Customer, entered: list[str], left: list[str]) -> None:
    """Give the wishes of segments entered and left, in playbook order of the segments."""
    for name in twin.book.playbook.segments:
        for kind, names in ((TriggerKind.SEGMENT_LEFT, left), (TriggerKind.SEGMENT_ENTERED, entered)):
            if name in names:
                for campaign in twin.book.triggered_by(kind, name):
                    candidates.wish(twin, customer, campaign, Trigger((twin.now, -1)))


def next_judgement(twin: Twin, customer: Customer) -> int | None:
    """Return the first instant after now at which a judgement may come out otherwise by time alone."""
    if customer.judge_at is None:
        customer.judge_at = min((at for at in _changes(twin, customer) if at > twin.now), default=-1)
    return None if customer.judge_at < 0 else customer.judge_at


def _changes(twin: Twin, customer: Customer) -> Iterator[int]:
    view = View(twin.book, twin.now, customer)
    for name in twin.book.playbook.segments:
        yield from conditions.changes(twin.book.segment(name), view)
    for rule, suppression in enumerate(twin.book.policies.suppress):
        if is_judged(suppression):
            yield from conditions.changes(twin.book.suppression(rule), view)
            yield from _ends(suppression, customer.spells.get(rule, Spell()))
    for candidate in customer.candidates.values():
        if candidate.born and candidate.reason in WAKEABLE:
            yield from gates.changes(twin, customer, candidate)


def _ends(suppression: Suppression, spell: Spell) -> Iterator[int]:
    if spell.since is not None and suppression.at_most_us:
        yield spell.since + suppression.at_most_us
    if spell.left_at is not None and suppression.then_us:
        yield spell.left_at + suppression.then_us


def merge(into: Customer, other: Customer) -> None:
    for name, since in other.members.items():
        into.members[name] = min(since, into.members.get(name, since))
    for rule, theirs in other.spells.items():
        ours = into.spells.get(rule, Spell())
        since = [each for each in (ours.since, theirs.since) if each is not None]
        left_at = [each for each in (ours.left_at, theirs.left_at) if each is not None]
        into.spells[rule] = Spell(since=min(since)) if since else Spell(left_at=max(left_at, default=None))
