"""The ledger: who sent what when, caps over it, and offers that go unanswered (§9, §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onevoice.playbook.model import DAY, EACH, Period, TriggerKind

from . import clock, controls, facts, flights, groups, resources
from .clock import INFINITE
from .conditions import offered_family, zone_of
from .state import LOST, STATES, Contact, Reason

if TYPE_CHECKING:
    from onevoice.playbook.model import Cap

    from .book import Book
    from .state import Candidate, Customer, Row
    from .twin import Twin

HELD_OUT = -2
LONGEST_US = {Period.DAY: 2 * DAY, Period.WEEK: 8 * DAY, Period.MONTH: 32 * DAY}


def report(twin: Twin, customer: Customer, row: Row) -> None:
    """Enter a contact that somebody else sent; unknown names are none."""
    playbook = twin.book.playbook
    campaign = playbook.campaigns.get(str(row.fields["campaign"]))
    klass, channel, named = row.fields["class"], row.fields["channel"], row.fields["offer"]
    if klass is None and campaign:
        klass = campaign.klass
    if named is None and campaign and len(campaign.offers) == 1:
        named = campaign.offers[0]
    offer = playbook.offers.get(str(named))
    channel = str(channel) if channel in playbook.channels else ""
    customer.contacts.append(
        Contact(
            -1,
            campaign.name if campaign else "",
            str(klass) if klass in twin.book.policies.classes else "",
            channel,
            0,
            row.at[0],
            offered_family(offer) or "",
            offer.product if offer else "",
            _address(twin, customer, channel),
        )
    )


def prospect(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Contact:
    """Return the contact that a candidate would be by a channel now, with the offer that it came with."""
    campaign, offer = twin.book.campaigns[candidate.number], candidate.offer
    return Contact(
        -1,
        campaign.name,
        campaign.klass,
        channel,
        candidate.key,
        twin.now,
        offered_family(offer) or "",
        (offer.product if offer else "") or candidate.trigger.product or "",
        _address(twin, customer, channel),
        offer=offer.name if offer else "",
    )


def _address(twin: Twin, customer: Customer, channel: str) -> str:
    """Return the identifier of the channel's kind that was given last; only where a cap goes by addresses."""
    known = twin.book.playbook.channels.get(channel)
    kind = known.address if known else ""
    if kind not in customer.addresses or not any(cap.address for cap in twin.book.caps):
        return ""
    return f"{kind} {customer.addresses[kind][1]}"


def reserve(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Contact:
    """Make a contact for a candidate, due now; return it."""
    receipts = twin.book.playbook.channels[channel].receipts_us
    contact = prospect(twin, customer, candidate, channel)
    contact.number = twin.contacts_made
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
    resources.take(twin, twin.book.campaigns[candidate.number], channel, contact.product or None)
    if contact.state == "sent":
        _count_unanswered(twin, customer, contact)
    return contact


def hold_back(twin: Twin, customer: Customer, candidate: Candidate, channel: str) -> Contact:
    """Note what would have been a contact, due now, if its customer were not held out; return it."""
    contact = prospect(twin, customer, candidate, channel)
    contact.number = HELD_OUT
    customer.contacts.append(contact)
    _count_unanswered(twin, customer, contact)
    return contact


def _count_unanswered(twin: Twin, customer: Customer, contact: Contact) -> None:
    """Count the offers of a family since the last reaction; the n-th opens `ignored(family)`."""
    family = contact.family
    times = twin.book.policies.refusals.ignored_times
    if not family or not times or contact.follows >= 0:
        return
    customer.unanswered[family] = customer.unanswered.get(family, 0) + 1
    if customer.unanswered[family] >= times:
        del customer.unanswered[family]
        facts.open_key(customer, "ignored", (family,), (contact.due, twin.position))
        customer.judge_at = twin.now


def is_forgotten(book: Book, contact: Contact, now: int) -> bool:
    policies = book.policies
    windows = [policies.gap_us, *(each.receipts_us for each in book.playbook.channels.values())]
    windows += [each.unseen_after_us for each in book.campaigns]
    windows += [each.again_after_us for each in book.campaigns if each.when.kind is not TriggerKind.ASKED]
    windows += [cap.rolling_us or LONGEST_US[cap.period] for cap in book.caps if not cap.placement]
    return contact.due + max(windows) < now


def has_part(book: Book, contact: Contact) -> bool:
    """Tell whether a contact's class is in caps and in the gap of others."""
    klass = book.policies.classes.get(contact.klass)
    return klass is None or klass.counts


def counts(twin: Twin, contact: Contact) -> bool:
    """Tell whether a contact is in caps and in the gap of others."""
    return contact.number != HELD_OUT and has_part(twin.book, contact) and stands(twin, contact)


def stands(twin: Twin, contact: Contact) -> bool:
    """Tell whether a contact has come as far as it must to count, or may still (§9)."""
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
    twin.unknown_contacts += not told
    for contact in told:
        known = {"campaign": contact.campaign, "class": contact.klass, "channel": contact.channel}
        for name, value in (known | {"offer": contact.offer or None}).items():
            if row.fields[name] is None:
                row.fields[name] = value
        go_up(twin, customer, contact, row.type.removeprefix("contact_"))


def go_up(twin: Twin, customer: Customer, contact: Contact, state: str) -> None:
    if STATES.index(state) <= STATES.index(contact.state):
        return
    was, contact.state = contact.state, state
    if (was in LOST) != (state in LOST):
        resources.give_back(twin, contact, back=state in LOST)
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
    if "failed" in {was, state}:
        controls.count_failure(twin, contact, 1 if state == "failed" else -1)


def release(twin: Twin, customer: Customer, contact: Contact) -> None:
    """Let a contact be over of which nobody told more in its time."""
    contact.released = True
    if contact.state == "reserved":
        go_up(twin, customer, contact, "sent")
    if contact.state not in LOST and not stands(twin, contact):
        free(twin, customer)


def free(twin: Twin, customer: Customer) -> None:
    """Let what other contacts hold back be looked at now: one of them counts no more."""
    for candidate in customer.candidates.values():
        if candidate.reason in {Reason.AGAIN_AFTER, Reason.GAP, Reason.CAP, Reason.KEPT_FOR, Reason.OUTRANKED}:
            candidate.reason, candidate.due = 0, twin.now
    counted = {cap.group for cap in twin.book.policies.caps if cap.group}
    for (kind, _), members in twin.groups.items():
        if kind in counted and customer.number in members:
            for number in members:
                twin.customers[number].judge_at = twin.now


def react(twin: Twin, customer: Customer, row: Row) -> None:
    """Set the count of unanswered offers of a family to nought; nothing follows what is about it any more."""
    family = row.fields["family"]
    customer.unanswered.pop(family, None)
    for candidate in list(customer.candidates.values()):
        if family is not None and candidate.stage != "waits" and offered_family(candidate.offer) == family:
            flights.follow_no_more(twin, customer, candidate)


# Caps


@dataclass(frozen=True)
class Load:
    """A cap and a customer: its number, how many it counts, how many it allows, when it has room if it is full."""

    rule: int
    count: int
    limit: int
    until: int

    @property
    def is_full(self) -> bool:
        return self.count >= self.limit


def full_cap(twin: Twin, customer: Customer, prospect: Contact, at: int, *, follows: bool) -> Load | None:
    """Return the first cap that applies and is full at an instant; for what follows those with a channel alone."""
    rules = applying(twin, customer, prospect)
    if follows:
        rules = [rule for rule in rules if twin.book.caps[rule].channel]
    loads = (load_of(twin, customer, prospect, rule, at) for rule in rules)
    return next((load for load in loads if load.is_full), None)


def applying(twin: Twin, customer: Customer, prospect: Contact) -> list[int]:
    """Return of each set of caps with one scope and window the one that counts, in order of the sets."""
    caps = twin.book.caps
    sets: dict[tuple[object, ...], list[int]] = {}
    for rule, cap in enumerate(caps):
        ours = about(twin.book, prospect)
        if bool(cap.placement) != bool(prospect.placement):
            continue
        if all(wanted in {"", ours[name]} or (wanted == EACH and ours[name]) for name, wanted in _wants(cap).items()):
            sets.setdefault((*_wants(cap).values(), cap.group, cap.rolling_us, cap.period), []).append(rule)
    found: list[int] = []
    for rules in sets.values():
        meant = [rule for rule in rules if caps[rule].for_segment in customer.members]
        meant += [rule for rule in rules if not caps[rule].for_segment]
        found += meant[:1]
    return found


def _wants(cap: Cap) -> dict[str, str]:
    return {
        "channel": cap.channel,
        "class": cap.klass,
        "campaign": cap.campaign,
        "family": cap.family,
        "owner": cap.owner,
        "category": cap.category,
        "address": cap.address,
        "placement": cap.placement,
    }


def about(book: Book, contact: Contact) -> dict[str, str]:
    """Return what a contact is in each scope; empty for nothing."""
    campaign = book.playbook.campaigns.get(contact.campaign)
    return {
        "channel": contact.channel,
        "class": contact.klass,
        "campaign": contact.campaign,
        "family": contact.family,
        "owner": campaign.owner if campaign else "",
        "category": category(book, contact),
        "address": contact.address,
        "placement": contact.placement,
    }


def category(book: Book, contact: Contact) -> str:
    """Return the category of a contact's product; only where a cap goes by categories."""
    catalogue = book.playbook.products
    if contact.product not in catalogue.names or not any(cap.category for cap in book.caps):
        return ""
    return str(catalogue.columns["category"][catalogue.names.index(contact.product)] or "")


def load_of(twin: Twin, customer: Customer, prospect: Contact, rule: int, at: int) -> Load:
    """Count what a cap counts together with a contact to come: in a group cap of the fullest of their groups."""
    cap = twin.book.caps[rule]
    circles = groups.with_others(twin, customer, cap.group) if cap.group else [[customer]]
    others = [[each for each in circle if each.number != customer.number] for circle in circles]
    made = [[each for who in (*circle, customer) for each in _counted_of(who, cap)] for circle in others]
    loads = [_load_of(twin, customer, prospect, rule, each, at) for each in made]
    until = max((load.until for load in loads if load.is_full), default=0)
    return Load(rule, max(load.count for load in loads), loads[0].limit, until)


def _counted_of(customer: Customer, cap: Cap) -> list[Contact]:
    return customer.shows if cap.placement else customer.contacts


def _load_of(twin: Twin, customer: Customer, prospect: Contact, rule: int, made: list[Contact], at: int) -> Load:
    cap = twin.book.caps[rule]
    limit = _limit(customer, cap)
    dues = sorted(each.due for each in made if _is_counted(twin, customer, cap, prospect, each, at))
    if limit == 0:
        until = INFINITE
    elif cap.period:
        until = clock.next_period_start(zone_of(twin.book, customer), cap.period, at)
    else:
        until = dues[len(dues) - limit] + cap.rolling_us if len(dues) >= limit else at
    return Load(rule, len(dues), limit, until)


def _limit(customer: Customer, cap: Cap) -> int:
    """Return `max`, or what the customer chose."""
    chosen = customer.traits.get(cap.own_max, (None,))[0]
    return cap.max if chosen is None else max(0, min(int(chosen), 1_000_000_000))


def _is_counted(twin: Twin, customer: Customer, cap: Cap, prospect: Contact, contact: Contact, at: int) -> bool:
    theirs, ours = about(twin.book, contact), about(twin.book, prospect)
    wants = {name: ours[name] if wanted == EACH else wanted for name, wanted in _wants(cap).items() if wanted}
    if not counts(twin, contact) or any(theirs[name] != wanted for name, wanted in wants.items()):
        return False
    if contact.follows >= 0 and not cap.channel:
        return False
    if cap.rolling_us:
        return contact.due + cap.rolling_us > at
    return contact.due >= clock.period_start(zone_of(twin.book, customer), cap.period, at)
