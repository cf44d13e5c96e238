"""What is due when: found anew each time by looking at everything (§2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from onevoice.playbook.model import TriggerKind

from . import candidates, clock, contacts, controls, feeds, groups, moments, resources, rounds, segments
from .state import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .state import Customer
    from .twin import Twin


class Kind(IntEnum):
    """The order of timers due at one instant. A fact's end is a judgement."""

    FEED = 0
    EXPIRY = 1
    RELEASE = 2
    JUDGEMENT = 3
    ABSENCE = 4
    SCHEDULE = 5
    BIRTH = 6
    ROUND = 7
    HAND_ON = 8


@dataclass(frozen=True)
class Timer:
    order: tuple[int, Kind, int, int, int]  # due, kind, customer, place in the playbook, key
    run: Callable[[], None]


def run_until(twin: Twin, until: int) -> None:
    """Run all timers due by an instant, earliest first; each time the first of all that are due."""
    while True:
        timer = min(_timers(twin), key=lambda each: each.order, default=None)
        if timer is None or timer.order[0] > until:
            return
        twin.now = timer.order[0]
        before = groups.look(twin)
        timer.run()
        groups.follow(twin, before)


def _timers(twin: Twin) -> Iterator[Timer]:
    yield from _schedules(twin)
    for due, name in feeds.looks(twin):
        place = (-1, twin.feeds[name].number, 0)
        yield _timer(twin, due, Kind.FEED, place, lambda name=name: feeds.look(twin, name))
    for number, (name, pool) in enumerate(twin.pools.items()):
        if pool.hand_on_at:
            run = lambda name=name: resources.hand_on_rest(twin, name)  # noqa: E731
            yield _timer(twin, pool.hand_on_at, Kind.HAND_ON, (-1, number, 0), run)
    for customer in twin.roots():
        yield from _of_customer(twin, customer)


def _timer(twin: Twin, due: int, kind: Kind, place: tuple[int, int, int], run: Callable[[], None]) -> Timer:
    return Timer((max(due, twin.now), kind, *place), run)


def _of_customer(twin: Twin, customer: Customer) -> Iterator[Timer]:
    number = customer.number
    for (campaign, key), each in customer.candidates.items():
        place = (number, campaign, key)
        if each.born and each.expiry < clock.INFINITE and each.stage != "in flight":
            yield _timer(
                twin, each.expiry, Kind.EXPIRY, place, lambda each=each: candidates.expire(twin, customer, each)
            )
        if not each.born:
            yield _timer(
                twin, each.birth, Kind.BIRTH, place, lambda each=each: candidates.give_birth(twin, customer, each)
            )
    for contact in customer.contacts:
        if contact.open_until < clock.INFINITE and not contact.released:
            run = lambda contact=contact: contacts.release(twin, customer, contact)  # noqa: E731
            yield _timer(twin, contact.open_until, Kind.RELEASE, (number, 0, contact.number), run)
    due = segments.next_judgement(twin, customer)
    if due is not None:
        yield _timer(twin, due, Kind.JUDGEMENT, (number, 0, 0), lambda: judge(twin, customer))
    names = list(twin.book.playbook.moments)
    for (name, key), progress in customer.progress.items():
        if progress.due is not None:
            place = (number, names.index(name), key)
            yield _timer(
                twin, progress.due, Kind.ABSENCE, place, lambda name=name, key=key: absence(twin, customer, name, key)
            )
    due = min((each.due for each in customer.candidates.values() if each.born), default=clock.INFINITE)
    if due < clock.INFINITE:
        yield _timer(twin, due, Kind.ROUND, (number, 0, 0), lambda: rounds.hold(twin, customer))


def judge(twin: Twin, customer: Customer) -> None:
    """Judge a customer because time has passed."""
    entered, left = segments.judge(twin, customer)
    segments.wish_for_changes(twin, customer, entered, left)


def absence(twin: Twin, customer: Customer, name: str, key: int) -> None:
    """Fire a moment whose final absence has held."""
    completed_at = moments.fire_absence(twin, customer, name, key)
    for campaign in twin.book.triggered_by(TriggerKind.MOMENT, name):
        candidates.wish(twin, customer, campaign, Trigger((completed_at, clock.INFINITE), key=key))


# Schedules


def _schedules(twin: Twin) -> Iterator[Timer]:
    for number, due in twin.schedules.items():
        yield _timer(twin, due, Kind.SCHEDULE, (-1, number, 0), lambda number=number: schedule(twin, number))


def begin_schedules(twin: Twin, first: int) -> None:
    """Find the first instants; up to the journal time of the first line there is nobody to wish for."""
    for number, campaign in enumerate(twin.book.campaigns):
        if campaign.when.kind is TriggerKind.ONCE and campaign.when.at_us > first:
            twin.schedules[number] = campaign.when.at_us
        elif campaign.when.every:
            twin.schedules[number] = clock.next_occurrence(twin.zone, campaign.when.every, first)


def schedule(twin: Twin, number: int) -> None:
    """Give the wishes of a scheduled campaign to all customers, by number."""
    campaign = twin.book.campaigns[number]
    due = twin.schedules.pop(number)
    if campaign.when.every:
        twin.schedules[number] = clock.next_occurrence(twin.zone, campaign.when.every, due)
    controls.begin_run(twin, campaign)
    for customer in twin.roots():
        candidates.wish(twin, customer, campaign, Trigger((due, -1)))
