"""The ledger: who sent what when, caps over it, and offers that go unanswered (§9, §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onevoice.playbook.model import DAY, Period

from . import clock, facts, flights
from .conditions import offered_family, zone_of
from .state import LOST, STATES, Contact, Reason

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


def reserve(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> int:
    """Make a contact for a candidate, due now; return its number."""
    campaign = twin.book.campaigns[candidate.number]
    receipts = twin.book.playbook.channels[channel].receipts_us
    contact = Contact(twin.contacts_made, campaign.name, campaign.klass, channel, candidate.key, twin.now)
    twin.contacts_made += 1
    if candidate.stage == "watched":
        contact.follows = candidate.last
        candidate.followed += 1
    else:
        candidate.first, candidate.followed = contact.number, 0
    candidate.last, candidate.last_due = contact.number, twin.now
    if receipts:
        contact.state, contact.open_until = "reserved", twin.now + receipts
    customer.contacts.append(contact)
    if contact.state == "sent":
        _count_unanswered(twin, customer, contact)
    return contact.number


def _count_unanswered(twin: Twin, customer: Customer, contact: Contact) -> None:
    """Count the offers of a family since the last reaction; the n-th opens `ignored(family)`."""
    family = offered_family(twin.book.offer(twin.book.playbook.campaigns[contact.campaign]))
    times = twin.book.policies.refusals.ignored_times
    if family is None or not times or contact.follows >= 0:
        return
    customer.unanswered[family] = customer.unanswered.get(family, 0) + 1
    if customer.unanswered[family] >= times:
        del customer.unanswered[family]
        facts.open_key(customer, "ignored", (family,), (contact.due, twin.position))
        customer.judge_at = twin.now


def is_forgotten(book: Book, contact: Contact, now: int) -> bool:
    policies = book.policies
    windows = [policies.gap_us, *(each.receipts_us for each in book.playbook.channels.values())]
    windows += [each for campaign in book.campaigns for each in (campaign.again_after_us, campaign.unseen_after_us)]
    windows += [cap.rolling_us or LONGEST_US[cap.period] for cap in policies.caps]
    return contact.due + max(windows) < now


def counts(twin: Twin, contact: Contact) -> bool:
    """Tell whether a contact counts in gap and caps (§9)."""
    least = twin.book.policies.counts_from
    if least == "decided":
        return True
    if contact.state in LOST:
        return False
    return twin.now < contact.open_until or STATES.index(contact.state) >= STATES.index(least)


# Receipts


def receive(twin: Twin, customer: Customer, row: Row) -> None:
    """Take up what is told of a contact of the customer, and fill in what the event leaves unsaid of it."""
    told = [each for each in customer.contacts if each.number >= 0 and each.number == row.fields["contact"]]
    told = [each for each in told if not is_forgotten(twin.book, each, twin.now)]
    for contact in told:
        offer = twin.book.playbook.campaigns[contact.campaign].offer or None
        known = {"campaign": contact.campaign, "class": contact.klass, "channel": contact.channel, "offer": offer}
        for name, value in known.items():
            if row.fields[name] is None:
                row.fields[name] = value
        go_up(twin, customer, contact, row.type.removeprefix("contact_"))


def go_up(twin: Twin, customer: Customer, contact: Contact, state: str) -> None:
    if STATES.index(state) <= STATES.index(contact.state):
        return
    was, contact.state = contact.state, state
    if state in LOST:
        free(twin, customer)
    elif was in {"reserved", "cancelled"}:
        _count_unanswered(twin, customer, contact)
    for candidate in list(customer.candidates.values()):
        of = (candidate.campaign, candidate.key) == (contact.campaign, contact.key)
        if of and candidate.first <= contact.number <= candidate.last:
            if state in LOST:
                flights.lose(twin, customer, candidate, contact)
            else:
                flights.reach(twin, customer, candidate, contact)


def release(twin: Twin, customer: Customer, contact: Contact) -> None:
    """Let a contact be over of which nobody told more in its time."""
    contact.released = True
    if contact.state == "reserved":
        go_up(twin, customer, contact, "sent")
    if contact.state not in LOST and not counts(twin, contact):
        free(twin, customer)


def free(twin: Twin, customer: Customer) -> None:
    """Let what other contacts hold back be looked at now: one of them counts no more."""
    for candidate in customer.candidates.values():
        if candidate.reason in {Reason.AGAIN_AFTER, Reason.GAP, Reason.CAP, Reason.OUTRANKED}:
            candidate.reason, candidate.due = 0, twin.now


def react(twin: Twin, customer: Customer, row: Row) -> None:
    """Set the count of unanswered offers of a family to nought; nothing follows what is about it any more."""
    family = row.fields["family"]
    customer.unanswered.pop(family, None)
    for candidate in list(customer.candidates.values()):
        theirs = offered_family(twin.book.offer(twin.book.campaigns[candidate.number]))
        if family is not None and theirs == family:
            flights.follow_no_more(twin, customer, candidate)


# Caps


@dataclass(frozen=True)
class Full:
    """A cap without room: its number, how many it counts, and when it has room again."""

    rule: int
    count: int
    until: int


def full_cap(twin: Twin, customer: Customer, campaign: Campaign, channel: str, *, follows: bool) -> Full | None:
    """Return the first cap that applies and is full; for what follows those with a channel alone."""
    for rule in _applying(twin, customer, campaign, channel):
        cap = twin.book.policies.caps[rule]
        if follows and not cap.channel:
            continue
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
    if not _is_within(cap, contact.channel, contact.klass, contact.campaign) or not counts(twin, contact):
        return False
    if contact.follows >= 0 and not cap.channel:
        return False
    if cap.rolling_us:
        return contact.due + cap.rolling_us > twin.now
    return contact.due >= clock.period_start(zone_of(twin.book, customer), cap.period, twin.now)


def _room_at(twin: Twin, customer: Customer, cap: Cap, dues: list[int]) -> int:
    if cap.rolling_us:
        return dues[len(dues) - cap.max] + cap.rolling_us
    return clock.next_period_start(zone_of(twin.book, customer), cap.period, twin.now)
