"""Resources: who gets some, and whose turn is when (§17). Plain sums in one place, found by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from onevoice.playbook.model import HOUR, MINUTE, Bucket, Period

from . import clock, hours
from .clock import INFINITE

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign, Playbook, Window

    from .state import Candidate, Contact
    from .twin import Twin

LENGTHS = {Bucket.MINUTE: MINUTE, Bucket.HOUR: HOUR}
PERIODS = {Bucket.DAY: Period.DAY, Bucket.MONTH: Period.MONTH}


@dataclass
class Pool:
    """A resource as it stands. A class without a reserve waits in the line of ""."""

    limit: int
    per: Bucket | None
    is_money: bool = False
    product: str = ""
    windows: tuple[Window, ...] = ()
    reserves: dict[str, int] = field(default_factory=dict)
    bucket: int = -1
    used: dict[str, int] = field(default_factory=dict)  # by class, "" for what was set
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)  # the last turn, and how much was given for it
    hand_on_at: int = 0  # when it is handed on next, 0 for never
    woken: list[int] = field(default_factory=list)  # the parts of those woken at that instant
    used_before: int = 0  # when the first of them was

    @property
    def total(self) -> int:
        return sum(self.used.values())


def pools_of(playbook: Playbook) -> dict[str, Pool]:
    """Return the declared resources by name, then the rates of channels under `rate of CHANNEL`."""
    found: dict[str, Pool] = {}
    for each in playbook.resources.values():
        limit = each.capacity or each.stock or round(each.budget * 10_000)
        if each.product:
            place = playbook.products.names.index(each.product)
            limit = max(0, int(playbook.products.columns["stock"][place]))
        reserves = {name: int(Fraction(f"{share:.6f}") * limit) for name, share in each.reserve.items()}
        reserves = {name: count for name, count in reserves.items() if count}
        found[each.name] = Pool(limit, each.per, bool(each.budget), each.product, each.hours, reserves)
    for channel in playbook.channels.values():
        if channel.rate:
            found[f"rate of {channel.name}"] = Pool(channel.rate, channel.rate_per)
    return found


def uses(twin: Twin, campaign: Campaign, channel: str, product: str | None) -> list[tuple[str, int]]:
    """Return the resources a contact uses, in order, each with its part."""
    by = twin.book.playbook.channels[channel]
    names = [*by.uses, f"rate of {channel}" if by.rate else "", *campaign.uses]
    parts = {name: round(by.cost * 10_000) if twin.pools[name].is_money else 1 for name in names if name}
    parts |= {name: 1 for name, pool in twin.pools.items() if product is not None and pool.product == product}
    return [(name, part) for name, part in parts.items() if part]


def first_short(twin: Twin, campaign: Campaign, channel: str, product: str | None) -> tuple[str, int] | None:
    for name, part in uses(twin, campaign, channel, product):
        if not _is_free(twin, name, campaign.klass, part):
            return name, part
    return None


def take(twin: Twin, campaign: Campaign, channel: str, product: str | None) -> None:
    for name, part in uses(twin, campaign, channel, product):
        pool = present(twin, name)
        pool.used[campaign.klass] = pool.used.get(campaign.klass, 0) + part


def give_back(twin: Twin, contact: Contact, *, back: bool = True) -> None:
    """Let a contact give back what it took of buckets that are still present, or take it after all."""
    campaign = twin.book.playbook.campaigns[contact.campaign]
    for name, part in uses(twin, campaign, contact.channel, contact.product or None):
        pool = present(twin, name)
        if _start(twin, pool, contact.due) != pool.bucket:
            continue
        if back:
            twin.given_back.append(name)
        less = part if back else -part
        left = max(min(pool.total, 0), pool.total - less)
        pool.used[campaign.klass] = max(0, pool.used.get(campaign.klass, 0) - less)
        pool.used[""] = pool.used.get("", 0) + left - pool.total


def hand_on(twin: Twin) -> None:
    """For each part that was given back wake who comes next, of those who wait for such and for whom there is room."""
    for name in sorted(twin.given_back, key=list(twin.pools).index):
        for candidate in _for_whom_there_is_room(twin, name)[:1]:
            candidate.reason, candidate.due = 0, twin.now
    twin.given_back.clear()


def hand_on_rest(twin: Twin, name: str) -> None:
    """Wake one for what is left at an instant at which a resource is handed on, or find when it is next."""
    pool = present(twin, name)
    if not pool.woken:
        pool.used_before = pool.total
    in_vain = sum(pool.woken) - (pool.total - pool.used_before)
    for candidate in _for_whom_there_is_room(twin, name)[:1]:
        if in_vain < pool.limit or in_vain < 10 * candidate.turn_part:
            pool.woken.append(candidate.turn_part)
            candidate.reason, candidate.due = 0, twin.now
            return
    pool.woken, pool.hand_on_at = [], 0
    if any(turn_at < INFINITE for (turn_at, *_), _ in _waiting(twin, name)):
        _set_handing_on(pool, _opens(twin, pool, _end(twin, pool, twin.now)))


def _set_handing_on(pool: Pool, due: int) -> None:
    if due < INFINITE:
        pool.hand_on_at = min(pool.hand_on_at or due, due)


def _waiting(twin: Twin, name: str) -> list[tuple[tuple[int, ...], Candidate]]:
    """Return who waits for a resource, the earliest turn first."""
    found = [
        ((candidate.turn[1], customer.number, *place), candidate)
        for customer in twin.roots()
        for place, candidate in customer.candidates.items()
        if candidate.reason and candidate.turn and candidate.turn[0] == name
    ]
    return sorted(found, key=lambda each: each[0])


def _for_whom_there_is_room(twin: Twin, name: str) -> list[Candidate]:
    return [
        candidate
        for _, candidate in _waiting(twin, name)
        if _is_free(twin, name, twin.book.campaigns[candidate.number].klass, candidate.turn_part)
    ]


def _is_free(twin: Twin, name: str, klass: str, part: int) -> bool:
    pool = twin.pools[name]
    return _opens(twin, pool, twin.now) == twin.now and _has_room(twin, pool, klass, part)


def present(twin: Twin, name: str) -> Pool:
    """Return a resource with what is used in the present bucket."""
    pool = twin.pools[name]
    start = _start(twin, pool, twin.now)
    if pool.bucket != start:
        pool.bucket, pool.used = start, {}
    return pool


def _has_room(twin: Twin, pool: Pool, klass: str, part: int) -> bool:
    used = pool.used if pool.bucket == _start(twin, pool, twin.now) else {}
    kept = sum(max(0, count - used.get(name, 0)) for name, count in pool.reserves.items() if name != klass)
    return sum(used.values()) + part + kept <= pool.limit


def _start(twin: Twin, pool: Pool, t: int) -> int:
    if pool.per is None:
        return 0
    if pool.per in LENGTHS:
        return t - t % LENGTHS[pool.per]
    return clock.period_start(twin.zone, PERIODS[pool.per], t)


def _end(twin: Twin, pool: Pool, t: int) -> int:
    if pool.per is None:
        return INFINITE
    if pool.per in LENGTHS:
        return _start(twin, pool, t) + LENGTHS[pool.per]
    return clock.next_period_start(twin.zone, PERIODS[pool.per], t)


def _opens(twin: Twin, pool: Pool, t: int) -> int:
    if t == INFINITE or not pool.windows:
        return t
    return hours.opens(pool.windows, twin.book.policies.holidays, twin.zone, t)


def turn(twin: Twin, name: str, klass: str, part: int) -> int:
    """Give the next turn in the line of a class."""
    pool = twin.pools[name]
    own = klass if klass in pool.reserves else ""
    places = pool.reserves[own] if own else pool.limit - sum(pool.reserves.values())
    if part > places:
        return INFINITE
    full = not _has_room(twin, pool, klass, part)
    first = _opens(twin, pool, _end(twin, pool, twin.now) if full else twin.now)
    if first == INFINITE:
        return INFINITE
    _set_handing_on(pool, first)
    last, given = pool.lines.get(own, (-1, 0))
    if last < first:
        last, given = first, 0
    elif given + part > places:
        last, given = _opens(twin, pool, _end(twin, pool, last)), 0
    if last < INFINITE:
        pool.lines[own] = (last, given + part)
    return last


def set_left(twin: Twin, name: str | None, left: float | None) -> None:
    """Set what is left of a resource, and wake who waits for it."""
    if name is None or name not in twin.book.playbook.resources or left is None or not abs(left) < 2.0**39:
        twin.without_effect += 1
        return
    pool = present(twin, name)
    left = max(left, 0.0)
    pool.used = {"": pool.limit - (round(left * 10_000) if pool.is_money else int(left))}
    for customer in twin.roots():
        for candidate in customer.candidates.values():
            if candidate.reason and candidate.turn and candidate.turn[0] == name:
                candidate.reason, candidate.due = 0, twin.now
