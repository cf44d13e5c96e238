"""The ledger: contacts per customer, newest due first, as far back as the longest window reaches (semantics §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import facts, segments, timers
from onevoice.engine import state as at
from onevoice.engine.contact_states import CANCELLED, FAILED, RESERVED, SENT
from onevoice.engine.kernel import kernel
from onevoice.engine.store import DATA, KEY, NEXT, OWNER, SLOT_MASK, add, find, give_back, owner_of, remove, take
from onevoice.program import (
    CLASS_COUNTS,
    P_COUNTS_FROM,
    P_FACT_IGNORED,
    P_HORIZON_US,
    P_IGNORED_TIMES,
    P_SLOT_IGNORED,
    SCOPES,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints


@kernel
def _link(state: State, customer: int, row: int) -> None:
    """Put a contact into its customer's chain, newest due first."""
    contacts = state.contacts
    before, node = -1, state.customers[customer, at.CONTACT_HEAD]
    while node >= 0 and contacts[node, at.K_DUE_AT] > contacts[row, at.K_DUE_AT]:
        before, node = node, contacts[node, at.K_NEXT]
    contacts[row, at.K_NEXT] = node
    if before < 0:
        state.customers[customer, at.CONTACT_HEAD] = row
    else:
        contacts[before, at.K_NEXT] = row


@kernel
def _forget_old(program: Program, state: State, customer: int) -> None:
    """Give back the contacts that no window reaches any more."""
    contacts = state.contacts
    oldest = state.scalars[at.NOW] - program.limits[P_HORIZON_US]
    before, node = -1, state.customers[customer, at.CONTACT_HEAD]
    while node >= 0 and contacts[node, at.K_DUE_AT] >= oldest:
        before, node = node, contacts[node, at.K_NEXT]
    cut_chain(state, customer, at.CONTACT_HEAD, before, node)


@kernel
def cut_chain(state: State, customer: int, head: int, before: int, row: int) -> None:
    """Give back the rows of a customer's chain from `row` on, which comes after `before`; -1 where it is the first.

    `head`: the column of `customers` where the chain begins, of contacts or of shows.
    """
    contacts = state.contacts
    if before < 0:
        state.customers[customer, head] = -1
    else:
        contacts[before, at.K_NEXT] = -1
    while row >= 0:
        after = contacts[row, at.K_NEXT]
        give_back(contacts, state.pools, at.CONTACTS, at.K_NEXT, row)
        row = after


@kernel
def enter(program: Program, state: State, customer: int, number: int, key: int, due: int) -> int:
    """Enter the contact that `state.scope` tells of (see caps.describe) into the ledger; returns its row.

    It is sent, and nobody will tell more of it.
    """
    _forget_old(program, state, customer)
    row = take(state.contacts, state.pools, at.CONTACTS, at.K_NEXT)
    contact = state.contacts[row]
    contact[at.K_NUMBER] = number
    contact[at.K_KEY] = key
    contact[at.K_DUE_AT] = due
    contact[at.K_STATE] = SENT
    contact[at.K_OPEN_UNTIL] = at.INFINITE
    contact[at.K_FOLLOWS] = contact[at.K_OFFER] = contact[at.K_PRODUCT] = -1
    contact[at.K_COUNTED] = 0
    for scope in range(SCOPES):
        contact[at.K_SCOPE + scope] = state.scope[scope]
    _link(state, customer, row)
    return row


@kernel
def reserve(state: State, customer: int, row: int, open_until: int) -> None:
    """Let a contact just entered be reserved until somebody tells what became of it, or so long."""
    state.contacts[row, at.K_STATE] = RESERVED
    state.contacts[row, at.K_OPEN_UNTIL] = open_until
    timers.push(state, open_until, timers.RELEASE, customer, 0, state.contacts[row, at.K_NUMBER], 0)


@kernel
def row_of(program: Program, state: State, customer: int, number: int) -> int:
    """Return the row of a customer's contact by its number; -1 where there is none, or it is forgotten."""
    oldest = state.scalars[at.NOW] - program.limits[P_HORIZON_US]
    row = state.customers[customer, at.CONTACT_HEAD]
    while row >= 0 and state.contacts[row, at.K_DUE_AT] >= oldest:
        if number >= 0 and state.contacts[row, at.K_NUMBER] == number:
            return row
        row = state.contacts[row, at.K_NEXT]
    return -1


@kernel
def length(state: State, customer: int) -> int:
    """Return how many contacts a customer's ledger holds."""
    found, row = 0, state.customers[customer, at.CONTACT_HEAD]
    while row >= 0:
        found += 1
        row = state.contacts[row, at.K_NEXT]
    return found


@kernel
def is_lost(contacts: Ints, row: int) -> bool:
    """Whether a contact is known to have reached nobody."""
    return contacts[row, at.K_STATE] == CANCELLED or contacts[row, at.K_STATE] == FAILED


@kernel
def stands(program: Program, state: State, row: int) -> bool:
    """Whether a contact has come far enough to count now, or may still."""
    contacts, least = state.contacts, program.limits[P_COUNTS_FROM]
    if least == RESERVED:
        return True
    if is_lost(contacts, row):
        return False
    return contacts[row, at.K_STATE] >= least or state.scalars[at.NOW] < contacts[row, at.K_OPEN_UNTIL]


@kernel
def counts(program: Program, state: State, row: int) -> bool:
    """Whether a contact is in caps and in the gap of others: it was made, and its class does not say that it is not."""
    klass = state.contacts[row, at.K_CLASS]
    is_in = klass < 0 or program.classes[klass, CLASS_COUNTS] == 1
    return is_in and state.contacts[row, at.K_NUMBER] != at.HELD_OUT and stands(program, state, row)


@kernel
def last_of(state: State, customer: int, campaign: int, key: int) -> int:
    """Return the due time of the newest contact of a campaign and key that is not known to be lost, or NEVER.

    Also of one that would have been made and was held out.
    """
    contacts = state.contacts
    row = state.customers[customer, at.CONTACT_HEAD]
    while row >= 0:
        if contacts[row, at.K_CAMPAIGN] == campaign and contacts[row, at.K_KEY] == key and not is_lost(contacts, row):
            return contacts[row, at.K_DUE_AT]
        row = contacts[row, at.K_NEXT]
    return at.NEVER


@kernel
def last_for_gap(program: Program, state: State, customer: int) -> int:
    """Return the due time of the newest contact that the gap of all counts from, or NEVER."""
    contacts = state.contacts
    row = state.customers[customer, at.CONTACT_HEAD]
    while row >= 0:
        if contacts[row, at.K_FOLLOWS] < 0 and counts(program, state, row):
            return contacts[row, at.K_DUE_AT]
        row = contacts[row, at.K_NEXT]
    return at.NEVER


@kernel
def last_of_campaign(program: Program, state: State, customer: int, campaign: int) -> int:
    """Return the due time of the newest contact of a campaign that its own gap counts from, or NEVER."""
    contacts = state.contacts
    row = state.customers[customer, at.CONTACT_HEAD]
    while row >= 0:
        is_first = contacts[row, at.K_FOLLOWS] < 0 and contacts[row, at.K_NUMBER] != at.HELD_OUT
        if is_first and contacts[row, at.K_CAMPAIGN] == campaign and stands(program, state, row):
            return contacts[row, at.K_DUE_AT]
        row = contacts[row, at.K_NEXT]
    return at.NEVER


@kernel
def _unanswered(program: Program, state: State, customer: int, family: int) -> int:
    """Return the cell that counts the contacts of a family since the last reaction; -1 where there was none."""
    return find(state.cells, state.cells_index, owner_of(customer, program.limits[P_SLOT_IGNORED]), family)


@kernel
def _add_unanswered(program: Program, state: State, customer: int, family: int, count: int) -> int:
    cell = _unanswered(program, state, customer, family)
    if cell < 0:
        owner = owner_of(customer, program.limits[P_SLOT_IGNORED])
        cell = add(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, owner, family)
    state.cells[cell, DATA] += count
    return state.cells[cell, DATA]


@kernel
def contacted(program: Program, state: State, customer: int, row: int) -> None:
    """Count a contact that was sent, once; enough about a family without a reaction open the fact `ignored`."""
    if state.contacts[row, at.K_COUNTED] == 1:
        return
    state.contacts[row, at.K_COUNTED] = 1
    times, name = program.limits[P_IGNORED_TIMES], state.contacts[row, at.K_FAMILY]
    if times == 0 or name < 0 or state.contacts[row, at.K_FOLLOWS] >= 0:
        return
    family = state.names[name, at.N_HASH]
    if _add_unanswered(program, state, customer, family, 1) >= times:
        reacted(program, state, customer, family)
        fact, position, due = (
            program.limits[P_FACT_IGNORED],
            state.scalars[at.POSITION],
            state.contacts[row, at.K_DUE_AT],
        )
        facts.set_key(program, state, customer, fact, at.OPEN_AT, family, 0, 0, due, position)
        segments.set_judgement(state, customer, state.scalars[at.NOW])


@kernel
def reacted(program: Program, state: State, customer: int, family: int) -> None:
    """Begin the count of unanswered contacts of a family anew."""
    cell = _unanswered(program, state, customer, family)
    if cell >= 0:
        remove(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Unite the contacts of two customers, and add what they left unanswered."""
    row = state.customers[b, at.CONTACT_HEAD]
    while row >= 0:
        after = state.contacts[row, at.K_NEXT]
        _link(state, a, row)
        open_until = state.contacts[row, at.K_OPEN_UNTIL]
        if state.scalars[at.NOW] < open_until < at.INFINITE:
            timers.push(state, open_until, timers.RELEASE, a, 0, state.contacts[row, at.K_NUMBER], 0)
        row = after
    state.customers[b, at.CONTACT_HEAD] = -1
    cells = state.cells
    cell = state.customers[b, at.CELL_HEAD]
    while cell >= 0:
        after = cells[cell, NEXT]
        if (cells[cell, OWNER] & SLOT_MASK) == program.limits[P_SLOT_IGNORED]:
            _add_unanswered(program, state, a, cells[cell, KEY], cells[cell, DATA])
            remove(cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)
        cell = after
