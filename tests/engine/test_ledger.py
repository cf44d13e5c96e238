"""Caps count what brute force counts over all contacts ever made, and have room at the first instant it finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.compiler import compile_playbook
from onevoice.engine import caps, ledger
from onevoice.engine import state as at
from onevoice.engine.empty import empty
from onevoice.playbook.model import (
    HOUR,
    MINUTE,
    Campaign,
    CampaignClass,
    Cap,
    Channel,
    Period,
    Playbook,
    Policies,
    Trigger,
    TriggerKind,
)
from onevoice.zones import zone_number
from tests.oracle.clock import instant

CUSTOMER = 0
CLASSES, CHANNELS = ("care", "sales"), ("email", "sms")
CAMPAIGNS = ("one", "two")
CAPS = (
    Cap(2, rolling_us=6 * HOUR),
    Cap(3, period=Period.DAY),
    Cap(1, rolling_us=2 * HOUR, channel="sms"),
    Cap(2, period=Period.WEEK, klass="sales"),
    Cap(3, period=Period.MONTH, campaign="two"),
)
# Days on which clocks move, a Monday, and the first of a month, each in its zone.
PLACES = (
    ("Europe/Vilnius", instant("2026-03-28T20:00:00Z")),
    ("Europe/Vilnius", instant("2026-10-24T18:00:00Z")),
    ("America/New_York", instant("2026-11-01T03:00:00Z")),
    ("Australia/Lord_Howe", instant("2026-04-04T12:00:00Z")),
    ("Asia/Kathmandu", instant("2026-05-31T17:00:00Z")),
)


class Contact(NamedTuple):
    campaign: int
    klass: int
    channel: int
    due: int


FIRST = Contact(0, 0, 0, 0)


@dataclass(frozen=True)
class Made:
    """What happens in one turn: so much time passes, then a contact is made, due so much earlier."""

    passes: int
    late: int
    campaign: int
    klass: int
    channel: int


one = st.integers(0, 1)
quarters = st.integers(0, 60) | st.integers(0, 8)
turns = st.lists(st.builds(Made, quarters, st.sampled_from([0, 0, 0, 1, 30]), one, one, one), max_size=30)


def program_of(cap: Cap):
    when = Trigger(TriggerKind.EVENT, "profile_updated")
    campaigns = {name: Campaign(name, "sales", when, send=CHANNELS) for name in CAMPAIGNS}
    policies = Policies(classes={name: CampaignClass(name) for name in CLASSES}, caps=(cap,))
    channels = {name: Channel(name) for name in CHANNELS}
    return compile_playbook(Playbook("capped", campaigns=campaigns, channels=channels, policies=policies))


COMPILED = {cap: program_of(cap) for cap in CAPS}


def state_of(cap: Cap, zone: str, now: int) -> at.State:
    state = empty(COMPILED[cap].widths)
    state.customers[CUSTOMER, at.CONTACT_HEAD] = -1
    state.customers[CUSTOMER, at.ZONE] = zone_number(zone)
    state.scalars[at.NOW] = now
    return state


def entered(program, state: at.State, customer: int, contact: Contact, due: int) -> None:
    caps.describe(program, state, customer, *contact[:3], -1, -1)
    ledger.enter(program, state, customer, 0, 0, due)


def full_cap(program, state: at.State, contact: Contact) -> tuple[int, ...]:
    """The first full cap for such a contact, its count and the instant of room."""
    caps.describe(program, state, CUSTOMER, *contact[:3], -1, -1)
    cap, count, _, room_at = caps.full_cap(program, state, CUSTOMER, False, state.scalars[at.NOW], False)
    return int(cap), int(count), int(room_at)


def in_scope(cap: Cap, contact: Contact) -> bool:
    return all(
        not wanted or wanted == names[number]
        for wanted, names, number in (
            (cap.campaign, CAMPAIGNS, contact.campaign),
            (cap.klass, CLASSES, contact.klass),
            (cap.channel, CHANNELS, contact.channel),
        )
    )


def period_starts(period: Period, zone: str, now: int) -> list[int]:
    """Return where the days, weeks or months around an instant begin."""
    day = datetime.fromtimestamp(now // 1_000_000, ZoneInfo(zone)).date() - timedelta(days=40)
    days = [day + timedelta(days=each) for each in range(80)]
    if period is Period.WEEK:
        days = [each for each in days if each.weekday() == 0]
    if period is Period.MONTH:
        days = [each for each in days if each.day == 1]
    midnights = [datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(zone)) for each in days]
    return [int(each.astimezone(UTC).timestamp()) * 1_000_000 for each in midnights]


def counted(cap: Cap, zone: str, contacts: list[Contact], now: int) -> tuple[int, int]:
    """Return how many contacts a cap counts at `now`, and the first instant from then on at which it is not full."""
    dues = [each.due for each in contacts if in_scope(cap, each)]
    if cap.period is None:
        count = sum(due + cap.rolling_us > now for due in dues)
        frees = sorted(max(due + cap.rolling_us, now) for due in dues)
        return count, next((t for t in frees if sum(due + cap.rolling_us > t for due in dues) < cap.max), now)
    edges = period_starts(cap.period, zone, now)
    start, following = next((start, end) for start, end in pairwise(edges) if start <= now < end)
    return sum(due >= start for due in dues), following


@pytest.mark.parametrize("cap", CAPS)
@settings(deadline=None)
@given(st.sampled_from(PLACES), turns)
def test_a_cap_counts_and_has_room_as_brute_force_finds(cap, place, given_turns):
    (zone, start), program = place, COMPILED[cap].program
    state, contacts = state_of(cap, zone, start), []
    for turn in given_turns:
        now = int(state.scalars[at.NOW]) + turn.passes * 15 * MINUTE
        state.scalars[at.NOW] = now
        contact = Contact(turn.campaign, turn.klass, turn.channel, now - turn.late * HOUR)
        entered(program, state, CUSTOMER, contact, contact.due)
        contacts.append(contact)
        for asked in {contact, FIRST, Contact(1, 1, 1, 0)}:
            count, room_at = counted(cap, zone, contacts, now)
            full = in_scope(cap, asked) and count >= cap.max
            assert full_cap(program, state, asked) == ((0, count, room_at) if full else (-1, 0, 0))


@pytest.mark.parametrize(
    ("zone", "day", "hours"), [("Europe/Vilnius", "2026-03-29", 23), ("Europe/Vilnius", "2026-10-25", 25)]
)
def test_a_day_is_as_long_as_the_clock_says(zone, day, hours):
    """A contact at the first instant of the day counts until its last; there is room when the next begins."""
    cap = Cap(3, period=Period.DAY)
    program = COMPILED[cap].program
    midnight = int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
    state = state_of(cap, zone, midnight)
    for _ in range(3):
        entered(program, state, CUSTOMER, FIRST, midnight)
    following = midnight + hours * HOUR
    state.scalars[at.NOW] = following - 1
    assert full_cap(program, state, FIRST) == (0, 3, following)
    state.scalars[at.NOW] = following
    assert full_cap(program, state, FIRST)[0] == -1


@settings(deadline=None)
@given(turns, turns)
def test_contacts_of_two_customers_become_one_history(first, second):
    """After a merge the survivor's contacts come newest first, none lost; old ones no window reaches are given back."""
    cap = CAPS[0]
    program = COMPILED[cap].program
    state, dues = state_of(cap, "UTC", PLACES[0][1]), []
    state.customers[1] = state.customers[CUSTOMER]
    state.customers[:2, at.CELL_HEAD] = -1
    for customer, made in enumerate((first, second)):
        for turn in made:
            state.scalars[at.NOW] += turn.passes * 15 * MINUTE
            due = int(state.scalars[at.NOW]) - turn.late * HOUR
            entered(program, state, customer, FIRST, due)
            dues.append(due)
    ledger.merge(program, state, 0, 1)
    entered(program, state, 0, FIRST, int(state.scalars[at.NOW]))
    now = int(state.scalars[at.NOW])
    found, row = [], int(state.customers[0, at.CONTACT_HEAD])
    while row >= 0:
        found.append(int(state.contacts[row, at.K_DUE_AT]))
        row = int(state.contacts[row, at.K_NEXT])
    reached = [due for due in dues if due >= now - cap.rolling_us]
    assert found == sorted([*reached, now], reverse=True)
    assert state.pools[at.CONTACTS, 0] == len(found)
    assert np.all(state.customers[1, at.CONTACT_HEAD] == -1)
