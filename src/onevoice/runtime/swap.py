"""A changed playbook: the state is rebuilt from the same history under the new rules, and takes the old one's place.

What happened is folded again, so that new measures, facts, moments and segments hold over all of history. What was
decided is taken from the journal as it was: contacts enter the ledger when they were made. What waited at the swap is
carried over where its campaign still exists, and looked at at once under the new rules. Nothing is decided for the
past: a campaign that is new begins with the first event after the swap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from onevoice.engine import caps, groups, growth, ledger, resources, shows
from onevoice.engine import state as at
from onevoice.engine.contact_states import CANCELLED, RESERVED, SENT
from onevoice.engine.names import hashes
from onevoice.engine.reasons import ASK, ENDED, STOPPED, WON, WOULD_HAVE_WON
from onevoice.engine.store import COUNT
from onevoice.events.batch import IDENTIFIERS_FROM, IDENTIFIERS_TO, LINE, TRAITS_FROM, TRAITS_TO
from onevoice.events.decode import decode_ndjson
from onevoice.journal.port import Kind, Mode
from onevoice.program import NONE, SCOPE_PLACEMENT
from onevoice.runtime import carry, outcomes
from onevoice.runtime.fold import Published
from onevoice.runtime.numbering import renumbering, translated, triggered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from onevoice.engine.machine import Outcome
    from onevoice.events.batch import Batch
    from onevoice.journal.port import Readable, Row
    from onevoice.playbook.model import Campaign, Offer, Playbook
    from onevoice.runtime.fold import Fold

Key: TypeAlias = tuple[int, int]  # a journal's secret

_Number = TypeVar("_Number", np.int64, np.float64)


class Made(NamedTuple):
    """A contact that was made, in the names of the playbook it was made under; `customer` as the old state counts.

    `number` is HELD_OUT of one that would have been made if the customer were not held out. A show has a `placement`;
    its `number` is that of its decision, and its `position` the place behind the line of its ask.
    """

    number: int
    customer: int
    time: int
    position: int
    key: int
    campaign: str
    klass: str
    channel: str
    offer: str
    family: str
    product: int  # 64-bit hash, 0 for none
    follows: int = -1
    receipts_us: int = 0
    cancels: bool = False  # it is no contact but the end of one: its candidate ended while it was in flight
    placement: str = ""


def show_of(
    decision: tuple[int, int, int], customer: int, campaign: Campaign, offer: Offer | None, placement: str, secret: Key
) -> Made:
    """Return what an ask has shown; `decision`: its number, its time in µs, its position."""
    number, time, position = decision
    return Made(
        number=number,
        customer=customer,
        time=time,
        position=position + 1,
        key=0,
        campaign=campaign.name,
        klass=campaign.klass,
        channel="",
        offer=offer.name if offer else "",
        family=(offer.family or offer.name) if offer else "",
        product=int(hashes([offer.product], secret)[0]) if offer and offer.product else 0,
        placement=placement,
    )


def rebuilt(journal: Readable, old: Fold, published: Published, rows: int) -> Fold:
    """Return the state after the first `rows` rows of a journal under another playbook.

    `old` is the state there under the playbook in force; it is not changed. Where the new one counts customers
    otherwise, because its identifiers or event types differ, contacts go to whoever has the customer's identifiers now.
    """
    contacts, became = list(contacts_made(journal, old, rows)), carry.became(old)
    new = Rebuild(old.under(published), contacts, became)
    new.replay(journal, rows)
    numbers = renumbering(old, new.fold)
    if numbers is not None:
        moved = [contact._replace(customer=int(numbers[contact.customer])) for contact in contacts]
        new = Rebuild(old.under(published), [contact for contact in moved if contact.customer >= 0], became)
        new.replay(journal, rows)
    fold = new.fold
    fold.renumbered = [*old.renumbered] if numbers is None else [*old.renumbered, (rows, numbers)]
    scalars, before = fold.machine.state.scalars, old.machine.state.scalars
    scalars[at.NEXT_DECISION] = before[at.NEXT_DECISION]
    scalars[at.NEXT_CONTACT] = before[at.NEXT_CONTACT]
    carry.switches(old, fold)
    carry.resources(old, fold)
    carry.sources(old, fold)
    carry.candidates(old, fold, numbers, triggered(journal, old, fold, rows))
    carry.holdouts(old, fold, numbers)
    return fold


def contacts_made(journal: Readable, old: Fold, rows: int) -> Iterator[Made]:
    """Yield in order the contacts, shows and cancellations that the first `rows` rows of a journal tell of."""
    playbook = old.published.playbook
    for number, row in enumerate(journal.read(0)):
        if number >= rows:
            return
        if row.kind is Kind.PLAYBOOK:
            playbook = Published.of_row(row).playbook
        elif row.kind is Kind.DECISIONS:
            yield from made_by(outcomes.decode(row.payload), playbook, old, number)


def made_by(outcome: Outcome, playbook: Playbook, old: Fold, row: int) -> Iterator[Made]:
    """Yield what a row of decisions tells of, made under a playbook; the customers as the old state counts."""
    campaigns, channels = list(playbook.campaigns.values()), list(playbook.channels)
    offers, placements = list(playbook.offers.values()), list(playbook.placements)
    decided: list[list[int]] = outcome.decisions.tolist()
    decisions = {decision[at.D_NUMBER]: decision for decision in decided}
    reasons, channels_of = outcome.lines[:, at.L_REASON], outcome.lines[:, at.L_CHANNEL]
    told = (outcome.lines[:, at.L_CONTACT] >= 0) & np.isin(reasons, (WON, ENDED, STOPPED))
    held = (reasons == WOULD_HAVE_WON) & (channels_of >= 0)
    asks = outcome.decisions[outcome.decisions[:, at.D_KIND] == ASK, at.D_NUMBER]
    shown = (reasons == WON) & np.isin(outcome.lines[:, at.L_DECISION], asks)
    lines: list[list[int]] = outcome.lines[told | held | shown].tolist()
    for line in lines:
        decision = decisions[line[at.L_DECISION]]
        campaign = campaigns[line[at.L_CAMPAIGN]]
        offer = offers[line[at.L_OFFER]] if line[at.L_OFFER] >= 0 else None
        customer = translated(old, decision[at.D_CUSTOMER], row)
        if customer >= 0 and decision[at.D_KIND] == ASK:
            when = decision[at.D_NUMBER], decision[at.D_TIME], decision[at.D_POSITION]
            yield show_of(when, customer, campaign, offer, placements[decision[at.D_PLACEMENT]], old.secret)
        elif customer >= 0:
            channel = playbook.channels[channels[line[at.L_CHANNEL]]]
            yield Made(
                number=line[at.L_CONTACT] if line[at.L_CONTACT] >= 0 else at.HELD_OUT,
                customer=customer,
                time=decision[at.D_TIME],
                position=decision[at.D_POSITION],
                key=line[at.L_KEY],
                campaign=campaign.name,
                klass=campaign.klass,
                channel=channel.name,
                offer=offer.name if offer else "",
                family=(offer.family or offer.name) if offer else "",
                product=line[at.L_VALUE],
                follows=line[at.L_RULE],
                receipts_us=channel.receipts_us if line[at.L_CONTACT] >= 0 else 0,
                cancels=line[at.L_REASON] in {ENDED, STOPPED},
            )


class Rebuild:
    """Folds history without arbitration, each contact entering at the instant and place at which it was made.

    `became`: what became of contacts, by their numbers. It stays so: by another identity who told of one may be
    somebody else than who had it.
    """

    def __init__(self, fold: Fold, contacts: list[Made], became: Mapping[int, carry.Became]) -> None:
        self.fold = fold
        self.contacts = deque(contacts)
        self.early: list[Made] = []  # of customers who were founded later than that under another numbering
        self.became = became
        self.nothing = decode_ndjson(b"", fold.compiled.schema, fold.secret)
        playbook = fold.published.playbook
        self.campaigns = {name: number for number, name in enumerate(playbook.campaigns)}
        self.classes = {name: number for number, name in enumerate(playbook.policies.classes)}
        self.channels = {name: number for number, name in enumerate(playbook.channels)}
        self.placements = {name: number for number, name in enumerate(playbook.placements)}
        catalogue = fold.machine.state.names[: len(playbook.products.names), at.N_HASH].tolist()
        self.products = {hashed: code for code, hashed in enumerate(catalogue)}

    def replay(self, journal: Readable, rows: int) -> None:
        """Fold the first `rows` rows; what was made for customers who are founded later is entered after them."""
        for number, row in enumerate(journal.read(0)):
            if number >= rows:
                break
            if row.kind is Kind.EVENTS:
                self._take(row, self.fold.machine.learned(self.fold.decoded(row)))
        for contact in [*self.contacts, *self.early]:
            self.enter(contact, is_late=True)
        self._leave_as_they_became()

    def _take(self, row: Row, batch: Batch) -> None:
        """Fold a row, stopping at each contact that was made before one of its lines."""
        start = 0
        while self.contacts and self._is_next(row, self.contacts[0]):
            contact = self.contacts.popleft()
            stop = contact.position - row.position
            if stop > start:
                self._step(row, cut(batch, start, stop))
                start = stop
            self.enter(contact)
        self._step(row, cut(batch, start, batch.lines) if start else batch)

    def _is_next(self, row: Row, contact: Made) -> bool:
        """Tell whether a contact was made before the row's last line, or by time passing before its first."""
        if row.mode & Mode.IMPORT:
            return contact.position < row.position + row.count
        before_last = contact.position < row.position + row.count or contact.position <= row.position
        return before_last and contact.time <= max(int(self.fold.machine.state.scalars[at.NOW]), row.stamp_us)

    def _step(self, row: Row, batch: Batch) -> None:
        self.fold.machine.row(batch, row.stamp_us, imported=bool(row.mode & Mode.IMPORT), observing=True)

    def enter(self, contact: Made, *, is_late: bool = False) -> None:
        """Let time pass to a contact, and enter it into the ledger; if it is late, as what became of it."""
        machine, program = self.fold.machine, self.fold.compiled.program
        if contact.time > machine.state.scalars[at.NOW]:
            machine.row(self.nothing, contact.time, observing=True)
        state = self._with_room()
        if contact.customer >= state.pools[at.CUSTOMERS, COUNT]:
            self.early.append(contact)
            return
        customer = carry.survivor(state, contact.customer)
        if contact.cancels:
            self._cancel(customer, contact.number)
            return
        campaign, channel = self.campaigns.get(contact.campaign, -1), self.channels.get(contact.channel, -1)
        klass = self.classes.get(contact.klass, -1)
        with np.errstate(over="ignore"):  # hashes wrap; only the interpreted engine would warn
            due = contact.time
            family, product = machine.names.code(contact.family), self.products.get(contact.product, NONE)
            caps.describe(program, state, customer, campaign, klass, channel, family, product)
            if contact.placement:
                state.scope[SCOPE_PLACEMENT] = self.placements.get(contact.placement, NONE)
                shows.enter(program, state, customer, contact.number, machine.names.code(contact.offer), due)
                shows.forget_old(program, state, customer)
                return
            row = ledger.enter(program, state, customer, contact.number, contact.key, due)
            entered = state.contacts[row]
            entered[at.K_FOLLOWS] = contact.follows
            entered[at.K_OFFER] = machine.names.code(contact.offer)
            entered[at.K_PRODUCT] = resources.stocked(program, product)
            if contact.receipts_us:
                ledger.reserve(state, customer, row, due + contact.receipts_us)
            known = self.became.get(contact.number)
            if known is not None and not known.was_sent:
                entered[at.K_COUNTED] = 1  # whatever comes out again: it was not sent
            if is_late and known is not None:
                entered[at.K_STATE] = known.state
            if entered[at.K_STATE] >= SENT and not ledger.is_lost(state.contacts, row):
                ledger.contacted(program, state, customer, row)

    def _with_room(self) -> at.State:
        """Return the state with room for all that a contact may bring."""
        machine = self.fold.machine
        machine.state.need[:] = self.fold.compiled.program.room_for_timer
        machine.state.need[at.TIMERS] += groups.timers_at_stake(machine.state, 0)
        if growth.is_short(machine.state, machine.state.need):
            machine.state = growth.grown(machine.state, machine.state.need)
        return machine.state

    def _leave_as_they_became(self) -> None:
        """Leave contacts what became of them, and count what was sent and did not come out as sent again."""
        for customer, row in carry.unheard(self.fold, self.became):
            state = self._with_room()
            with np.errstate(over="ignore"):
                ledger.contacted(self.fold.compiled.program, state, customer, row)
        carry.states(self.fold, self.became)

    def _cancel(self, customer: int, number: int) -> None:
        """Cancel a contact whose candidate ended while it was in flight."""
        state = self.fold.machine.state
        row = ledger.row_of(self.fold.compiled.program, state, customer, number)
        if row >= 0 and state.contacts[row, at.K_STATE] == RESERVED:
            state.contacts[row, at.K_STATE] = CANCELLED


def cut(batch: Batch, start: int, stop: int) -> Batch:
    """Return lines `[start, stop)` of a batch as one of their own; what it is cut from stays as it is.

    Costs what the part holds: a row of events is cut at each contact that was made meanwhile.
    """
    first, last = (bisect_left(batch.rows[:, LINE], line) for line in (start, stop))
    rows = batch.rows[first:last].copy()
    rows[:, LINE] -= start
    return batch._replace(
        rows=rows,
        values=batch.values[first:last].copy(),
        keys=batch.keys[first:last].copy(),
        identifiers=_own(rows, batch.identifiers, IDENTIFIERS_FROM, IDENTIFIERS_TO),
        traits=_own(rows, batch.traits, TRAITS_FROM, TRAITS_TO),
        lines=stop - start,
    )


def _own(rows: NDArray[np.int64], table: NDArray[_Number], start: int, stop: int) -> NDArray[_Number]:
    """Return the part of a table that rows mean by the columns `start` and `stop`, which are made to mean that part."""
    used = rows[:, stop] > rows[:, start]
    first, last = rows[used, start].min(initial=len(table)), rows[used, stop].max(initial=0)
    for column in (start, stop):
        rows[:, column] = np.where(used, rows[:, column] - first, 0)
    return table[first:last].copy()
