"""What asks have shown: kept beside the contacts, for caps, fatigue and the responses to it (§5, §9, §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.model import DAY, TriggerKind

from . import rows
from .conditions import offered_family
from .contacts import LONGEST_US
from .state import Contact

if TYPE_CHECKING:
    from onevoice.playbook.model import Placement

    from .book import Book
    from .state import Candidate, Customer, Row
    from .twin import Twin

KEPT = 1_000
RESPONSE_US = 30 * DAY


def prospect(twin: Twin, candidate: Candidate, placement: Placement) -> Contact:
    """Return the show that a candidate of an ask would be; its number is that of the decision to come."""
    campaign, offer = twin.book.campaigns[candidate.number], candidate.offer
    return Contact(
        len(twin.decisions),
        campaign.name,
        campaign.klass,
        channel="",
        key=0,
        due=twin.now,
        family=offered_family(offer) or "",
        product=offer.product if offer else "",
        placement=placement.name,
        offer=offer.name if offer else "",
    )


def enter(twin: Twin, customer: Customer, candidate: Candidate, placement: Placement) -> None:
    """Enter what is shown, and count it where the placement knows fatigue."""
    customer.shows.append(prospect(twin, candidate, placement))
    if placement.fatigue_times:
        count, last = customer.tired.get((placement.name, candidate.campaign), (0, 0))
        if count >= placement.fatigue_times and last + placement.fatigue_us <= twin.now:
            count = 0
        customer.tired[placement.name, candidate.campaign] = (count + 1, twin.now)


def rest(twin: Twin, customer: Customer, placement: Placement, campaign: str) -> tuple[int, int] | None:
    """Return how often a campaign was shown that rests, and until when; None where it does not."""
    count, last = customer.tired.get((placement.name, campaign), (0, 0))
    if not placement.fatigue_times or count < placement.fatigue_times or last + placement.fatigue_us <= twin.now:
        return None
    return count, last + placement.fatigue_us


def react(twin: Twin, customer: Customer, row: Row) -> None:
    """Take away the counts of those with an offer of the family, and of the campaign that is told."""
    for place, name in list(customer.tired):
        offers = [offer for offer in twin.book.offers(twin.book.playbook.campaigns[name]) if offer]
        families = {offered_family(offer) for offer in offers}
        if name == row.fields["campaign"] or row.fields["family"] in families:
            del customer.tired[place, name]


def respond(twin: Twin, customer: Customer, row: Row) -> None:
    """Fill in from the show that an event answers to by its decision; if there is not one, count it."""
    fields = row.fields
    if fields["decision"] is None:
        return
    meant = [
        show
        for show in customer.shows
        if show.number == fields["decision"]
        and not is_forgotten(twin.book, show, twin.now)
        and fields["campaign"] in {None, show.campaign}
        and fields["offer"] in {None, show.offer}
    ]
    if len(meant) != 1:
        twin.unknown_decisions += 1
        return
    told = meant[0]
    fields["campaign"] = fields["campaign"] or told.campaign
    fields["offer"] = fields["offer"] or told.offer or None
    rows.fill_in(twin.book, fields)


def merge(into: Customer, gone: Customer) -> None:
    """Unite the shows of two customers, and add what they were shown without a reaction."""
    into.shows += gone.shows
    for place, (count, last) in gone.tired.items():
        own_count, own_last = into.tired.get(place, (0, last))
        into.tired[place] = (own_count + count, max(own_last, last))


def forget(twin: Twin, customer: Customer) -> None:
    """Keep the newest."""
    campaigns = list(twin.book.playbook.campaigns)
    customer.shows.sort(key=lambda show: (show.due, show.number, campaigns.index(show.campaign)))
    del customer.shows[:-KEPT]


def is_forgotten(book: Book, show: Contact, now: int) -> bool:
    caps = [cap for cap in book.caps if cap.placement]
    windows = [RESPONSE_US, *(cap.rolling_us or LONGEST_US[cap.period] for cap in caps)]
    windows += [each.again_after_us for each in book.campaigns if each.when.kind is TriggerKind.ASKED]
    return show.due + max(windows) <= now
