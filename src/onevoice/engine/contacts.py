"""What becomes of contacts, and with them of the candidates that they are of (semantics §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates as wishes
from onevoice.engine import gates, ledger, resources, switches, timers
from onevoice.engine import state as at
from onevoice.engine.contact_states import CANCELLED, DELIVERED, FAILED, RESERVED, SEEN, SENT
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import EXPIRED
from onevoice.engine.reasons import FAILED as ALL_FAILED
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_FOLLOWS,
    CAMPAIGN_SENDS,
    CAMPAIGN_UNSEEN_US,
    CHANNEL_RECEIPTS_US,
    P_COUNTS_FROM,
    PROPOSAL_FAMILY,
    PROPOSAL_NAME,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


# Contacts that are made


@kernel
def _enter(program: Program, state: State, customer: int, row: int, number: int) -> int:
    """Enter a contact for a candidate into the ledger, due now; returns its row there."""
    candidates = state.candidates
    proposal, channel = candidates[row, at.C_PROPOSAL], candidates[row, at.C_CHANNEL]
    product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
    gates.describe(program, state, customer, proposal, channel, product)
    contact = ledger.enter(program, state, customer, number, candidates[row, at.C_KEY], state.scalars[at.NOW])
    state.contacts[contact, at.K_OFFER] = program.proposals[proposal, PROPOSAL_NAME]
    state.contacts[contact, at.K_PRODUCT] = resources.stocked(program, product)
    candidates[row, at.C_VALUE] = state.names[product, at.N_HASH] if product >= 0 else 0
    if program.resources.shape[0] > 0 and number != at.HELD_OUT:
        campaign = candidates[row, at.C_CAMPAIGN]
        klass = program.campaigns[campaign, CAMPAIGN_CLASS]
        resources.take(program, state, klass, campaign, channel, product)
    return contact


@kernel
def make(program: Program, state: State, customer: int, row: int) -> None:
    """Reserve a contact for a candidate by the channel that it found. `leave` says what becomes of the candidate."""
    candidates, now = state.candidates, state.scalars[at.NOW]
    number = state.scalars[at.NEXT_CONTACT]
    state.scalars[at.NEXT_CONTACT] += 1
    contact = _enter(program, state, customer, row, number)
    if candidates[row, at.C_STAGE] == at.WATCHED:
        state.contacts[contact, at.K_FOLLOWS] = candidates[row, at.C_CONTACT]
        candidates[row, at.C_FOLLOWED] += 1
    else:
        candidates[row, at.C_FIRST] = number
        candidates[row, at.C_FOLLOWED] = 0
    candidates[row, at.C_CONTACT] = number
    candidates[row, at.C_CONTACT_AT] = now
    receipts = program.channels[candidates[row, at.C_CHANNEL], CHANNEL_RECEIPTS_US]
    if receipts > 0:
        ledger.reserve(state, customer, contact, now + receipts)
    else:
        ledger.contacted(program, state, customer, contact)


@kernel
def hold_back(program: Program, state: State, customer: int, row: int) -> None:
    """Note the contact that would have been made for a candidate if its customer were not held out."""
    ledger.contacted(program, state, customer, _enter(program, state, customer, row, at.HELD_OUT))


@kernel
def leave(program: Program, state: State, row: int) -> None:
    """Let a candidate whose contact was just made be in flight, or go on as one whose contact is sent."""
    if program.channels[state.candidates[row, at.C_CHANNEL], CHANNEL_RECEIPTS_US] == 0:
        settle(program, state, row)
        return
    state.candidates[row, at.C_STAGE] = at.IN_FLIGHT
    state.candidates[row, at.C_BLOCK] = 0
    state.candidates[row, at.C_DUE_AT] = at.INFINITE


@kernel
def settle(program: Program, state: State, row: int) -> bool:
    """Let a candidate whose contact is sent be watched, or remove it; returns whether it is still there.

    Nothing can follow where another playbook has its offer no more.
    """
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    is_last = candidates[row, at.C_FOLLOWED] >= program.campaigns[campaign, CAMPAIGN_FOLLOWS]
    if is_last or candidates[row, at.C_PROPOSAL] < 0:
        wishes.drop(state, row)
        return False
    candidates[row, at.C_STAGE] = at.WATCHED
    candidates[row, at.C_BLOCK] = 0
    due = candidates[row, at.C_CONTACT_AT] + program.campaigns[campaign, CAMPAIGN_UNSEEN_US]
    candidates[row, at.C_DUE_AT] = max(due, state.scalars[at.NOW])
    return True


@kernel
def _is_expired(state: State, row: int) -> bool:
    """Record and remove a candidate that expired in flight, or see to its expiry again."""
    if state.candidates[row, at.C_EXPIRES_AT] <= state.scalars[at.NOW]:
        wishes.end_with(state, row, EXPIRED, -1)
        return True
    wishes.time_expiry(state, row)
    return False


# Receipts


@kernel
def go_up(program: Program, state: State, customer: int, contact: int, reached: int) -> None:
    """Let a contact reach a state, if that lies beyond its own, and its candidate follow."""
    contacts = state.contacts
    before, was_lost = contacts[contact, at.K_STATE], ledger.is_lost(contacts, contact)
    if reached <= before:
        return
    contacts[contact, at.K_STATE] = reached
    lost = ledger.is_lost(contacts, contact)
    if lost != was_lost:
        resources.give_back(program, state, contact, 1 if lost else -1)
    if lost:
        wishes.unblock_timed(state, customer)
    elif before <= CANCELLED:
        ledger.contacted(program, state, customer, contact)
    row = _candidate_of(state, customer, contact)
    if row >= 0:
        if lost:
            _lose(program, state, row, contact)
        else:
            _reach(program, state, row, contact, reached)
    if reached == FAILED or before == FAILED:
        campaign, number = contacts[contact, at.K_CAMPAIGN], contacts[contact, at.K_NUMBER]
        switches.count_failure(program, state, campaign, number, 1 if reached == FAILED else -1)
    wishes.set_round(state, customer)


@kernel
def _candidate_of(state: State, customer: int, contact: int) -> int:
    """Return the candidate that a contact is of, or -1."""
    candidates, contacts = state.candidates, state.contacts
    number = contacts[contact, at.K_NUMBER]
    row = wishes.row_of(state, customer, contacts[contact, at.K_CAMPAIGN], contacts[contact, at.K_KEY])
    if row >= 0 and candidates[row, at.C_FIRST] <= number <= candidates[row, at.C_CONTACT]:
        return row
    return -1


@kernel
def _reach(program: Program, state: State, row: int, contact: int, reached: int) -> None:
    """Let a candidate go on whose contact is sent, and let nothing follow once one of its contacts is seen."""
    candidates = state.candidates
    is_last = state.contacts[contact, at.K_NUMBER] == candidates[row, at.C_CONTACT]
    if is_last and candidates[row, at.C_STAGE] != at.WATCHED:
        if not settle(program, state, row) or _is_expired(state, row):
            return
    if reached >= SEEN:
        _follow_no_more(program, state, row)


@kernel
def _follow_no_more(program: Program, state: State, row: int) -> None:
    candidates = state.candidates
    if candidates[row, at.C_STAGE] == at.WATCHED:
        wishes.drop(state, row)
    elif candidates[row, at.C_STAGE] == at.IN_FLIGHT:
        candidates[row, at.C_FOLLOWED] = program.campaigns[candidates[row, at.C_CAMPAIGN], CAMPAIGN_FOLLOWS]


@kernel
def _lose(program: Program, state: State, row: int, contact: int) -> None:
    """Let a candidate whose last contact reached nobody try another channel, or end."""
    candidates, contacts = state.candidates, state.contacts
    number, channel = contacts[contact, at.K_NUMBER], contacts[contact, at.K_CHANNEL]
    stage = candidates[row, at.C_STAGE]
    if number != candidates[row, at.C_CONTACT] or stage == at.WAITING:
        return
    campaign = candidates[row, at.C_CAMPAIGN]
    if contacts[contact, at.K_FOLLOWS] < 0:
        sends = program.campaigns[campaign, CAMPAIGN_SENDS]
        for place in range(sends):
            if program.sends[campaign, place] == channel:
                candidates[row, at.C_CLOSED] |= 1 << place
        ends = candidates[row, at.C_CLOSED] == (1 << sends) - 1
    else:
        ends = candidates[row, at.C_FOLLOWED] >= program.campaigns[campaign, CAMPAIGN_FOLLOWS]
    if _is_expired(state, row):
        return
    if ends:
        line = wishes.end_with(state, row, ALL_FAILED, -1)
        state.lines[line, at.L_CHANNEL] = channel
    elif contacts[contact, at.K_FOLLOWS] < 0:
        candidates[row, at.C_STAGE] = at.WAITING
        candidates[row, at.C_BLOCK] = 0
        candidates[row, at.C_DUE_AT] = state.scalars[at.NOW]
    elif stage == at.IN_FLIGHT:
        settle(program, state, row)


@kernel
def release(program: Program, state: State, timer: int) -> None:
    """Take what nobody told anything of as sent, and let what is over count no more."""
    customer, number = state.timers[timer, timers.CUSTOMER], state.timers[timer, timers.KEY]
    if state.customers[customer, at.ALIAS] != customer:
        return
    contact = ledger.row_of(program, state, customer, number)
    if contact < 0:
        _settle_forgotten(program, state, customer, number)
        return
    contacts = state.contacts
    if contacts[contact, at.K_STATE] == RESERVED:
        go_up(program, state, customer, contact, SENT)
    reached = contacts[contact, at.K_STATE]
    if (reached == SENT or reached == DELIVERED) and reached < program.limits[P_COUNTS_FROM]:
        wishes.unblock_timed(state, customer)
        wishes.set_round(state, customer)


@kernel
def _settle_forgotten(program: Program, state: State, customer: int, number: int) -> None:
    """Let a candidate go on whose contact another playbook remembers for a shorter time than it may be in flight."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_STAGE] == at.IN_FLIGHT and candidates[row, at.C_CONTACT] == number:
            if settle(program, state, row):
                _is_expired(state, row)
            wishes.set_round(state, customer)
            return
        row = candidates[row, at.C_NEXT]


# Reactions


@kernel
def reacted(program: Program, state: State, customer: int, family: int) -> None:
    """Take note of a reaction to an offer's family (its hash): its count begins anew, and nothing follows any more."""
    ledger.reacted(program, state, customer, family)
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        proposal = candidates[row, at.C_PROPOSAL] if candidates[row, at.C_STAGE] != at.WAITING else -1
        name = program.proposals[proposal, PROPOSAL_FAMILY] if proposal >= 0 else -1
        if name >= 0 and state.names[name, at.N_HASH] == family:
            _follow_no_more(program, state, row)
        row = after
    wishes.set_round(state, customer)
