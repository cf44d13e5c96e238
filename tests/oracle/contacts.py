"""The ledger: who sent what when, caps over it, and offers that go unanswered (§9, §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onevoice.playbook.model import DAY, Period

from . import clock, facts
from .conditions import offered_family, zone_of
from .state import Contact

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign, Cap

    from .book import Book
    from .state import Candidate, Customer, Row
    from .twin import Twin

LONGEST_US = {Period.DAY: 2 * DAY, Period.WEEK: 8 * DAY, Period.MONTH: 32 * DAY}


def report(book: Book, customer: Customer, row: Row) -> None:
    """Enter a contact that somebody else sent; unknown names are none."""
    campaign = book.playbook.campaigns.get(str(row.fields["campaign"]))
    klass = row.fields["class"]
    if klass is None and campaign:
        klass = campaign.klass
    channel = row.fields["channel"]
    customer.contacts.append(
        Contact(
            -1,
            campaign.name if campaign else "",
            str(klass) if klass in book.policies.classes else "",
            str(channel) if channel in book.playbook.channels else "",
            0,
            row.at[0],
        )
    )


def commit(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> int:
    """Reserve and commit a contact, due now; return its number."""
    campaign = twin.book.campaigns[candidate.number]
    number = twin.contacts_made
    twin.contacts_made += 1
    customer.contacts.append(Contact(number, campaign.name, campaign.klass, channel, candidate.key, twin.now))
    _count_unanswered(twin, customer, campaign)
    return number


def _count_unanswered(twin: Twin, customer: Customer, campaign: Campaign) -> None:
    """Count the offers of a family since the last reaction; the n-th opens `ignored(family)`."""
    family = offered_family(twin.book.offer(campaign))
    times = twin.book.policies.refusals.ignored_times
    if family is None or not times:
        return
    customer.unanswered[family] = customer.unanswered.get(family, 0) + 1
    if customer.unanswered[family] >= times:
        del customer.unanswered[family]
        facts.open_key(customer, "ignored", (family,), (twin.now, twin.position))
        customer.judge_at = twin.now


def react(customer: Customer, row: Row) -> None:
    """Set the count of unanswered offers of a family to nought."""
    customer.unanswered.pop(row.fields["family"], None)


def is_forgotten(book: Book, contact: Contact, now: int) -> bool:
    policies = book.policies
    windows = [policies.gap_us, *(campaign.again_after_us for campaign in book.campaigns)]
    windows += [cap.rolling_us or LONGEST_US[cap.period] for cap in policies.caps]
    return contact.due + max(windows) <= now


# Caps


@dataclass(frozen=True)
class Full:
    """A cap without room: its number, how many it counts, and when it has room again."""

    rule: int
    count: int
    until: int


def full_cap(twin: Twin, customer: Customer, campaign: Campaign, channel: str) -> Full | None:
    """Return the first cap that applies and is full."""
    for rule in _applying(twin, customer, campaign, channel):
        cap = twin.book.policies.caps[rule]
        dues = sorted(contact.due for contact in customer.contacts if _counts(twin, customer, cap, contact))
        if len(dues) >= cap.max:
            return Full(rule, len(dues), _room_at(twin, customer, cap, dues))
    return None


def _applying(twin: Twin, customer: Customer, campaign: Campaign, channel: str) -> list[int]:
    """Return of each set of caps with one scope and window the one that counts, in order of the sets."""
    caps = twin.book.policies.caps
    sets: dict[tuple[object, ...], list[int]] = {}
    for rule, cap in enumerate(caps):
        if _is_within(cap, channel, campaign.klass, campaign.name):
            scope = (cap.channel, cap.klass, cap.campaign, cap.rolling_us, cap.period)
            sets.setdefault(scope, []).append(rule)
    found: list[int] = []
    for rules in sets.values():
        meant = [rule for rule in rules if caps[rule].for_segment in customer.members]
        meant += [rule for rule in rules if not caps[rule].for_segment]
        found += meant[:1]
    return found


def _is_within(cap: Cap, channel: str, klass: str, campaign: str) -> bool:
    return cap.channel in {"", channel} and cap.klass in {"", klass} and cap.campaign in {"", campaign}


def _counts(twin: Twin, customer: Customer, cap: Cap, contact: Contact) -> bool:
    if not _is_within(cap, contact.channel, contact.klass, contact.campaign):
        return False
    if cap.rolling_us:
        return contact.due + cap.rolling_us > twin.now
    return contact.due >= clock.period_start(zone_of(twin.book, customer), cap.period, twin.now)


def _room_at(twin: Twin, customer: Customer, cap: Cap, dues: list[int]) -> int:
    if cap.rolling_us:
        return dues[len(dues) - cap.max] + cap.rolling_us
    return clock.next_period_start(zone_of(twin.book, customer), cap.period, twin.now)
