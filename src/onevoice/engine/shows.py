"""Shows: what asks have shown a customer, newest first, and what is shown too often (semantics §9, §11).

A show is a row of the table of contacts in a chain of its own, so that caps count both by the same rules, and what
counts contacts never meets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import caps, ledger
from onevoice.engine import state as at
from onevoice.engine.contact_states import SHOWN
from onevoice.engine.kernel import kernel
from onevoice.engine.store import DATA, KEY, NEXT, OWNER, SLOT_MASK, add, find, owner_of, remove, take
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_NAME,
    CAMPAIGN_PROPOSALS_FROM,
    CAMPAIGN_PROPOSALS_TO,
    NONE,
    P_SHOWN_US,
    P_SHOWS_MAX,
    P_SLOT_TIRED,
    PLACEMENT_PAUSE_US,
    PLACEMENT_TIMES,
    PROPOSAL_CAMPAIGN,
    PROPOSAL_FAMILY,
    SCOPE_PLACEMENT,
    SCOPES,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

# Columns of a cell that counts the shows of a campaign at a placement.
COUNT = DATA
LAST_AT = DATA + 1


@kernel
def describe(program: Program, state: State, customer: int, proposal: int, placement: int, product: int) -> None:
    """Write into `state.scope` what a show would be of a campaign with one of its offers."""
    campaign, family = program.proposals[proposal, PROPOSAL_CAMPAIGN], program.proposals[proposal, PROPOSAL_FAMILY]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    caps.describe(program, state, customer, campaign, klass, NONE, family, product)
    state.scope[SCOPE_PLACEMENT] = placement


@kernel
def enter(program: Program, state: State, customer: int, decision: int, offer: int, time: int) -> None:
    """Enter the show that `state.scope` tells of; `offer` is the name code of its offer, or -1."""
    row = take(state.contacts, state.pools, at.CONTACTS, at.K_NEXT)
    show = state.contacts[row]
    show[at.K_NUMBER] = decision
    show[at.K_KEY] = 0
    show[at.K_DUE_AT] = time
    show[at.K_STATE] = SHOWN
    show[at.K_OPEN_UNTIL] = at.INFINITE
    show[at.K_FOLLOWS] = -1
    show[at.K_OFFER] = offer
    show[at.K_PRODUCT] = -1
    for scope in range(SCOPES):
        show[at.K_SCOPE + scope] = state.scope[scope]
    _link(state, customer, row)
    _tire(program, state, customer, show[at.K_PLACEMENT], show[at.K_CAMPAIGN], time)


@kernel
def _link(state: State, customer: int, row: int) -> None:
    contacts = state.contacts
    before, node = -1, state.customers[customer, at.SHOW_HEAD]
    while node >= 0 and _is_newer(contacts, node, row):
        before, node = node, contacts[node, at.K_NEXT]
    contacts[row, at.K_NEXT] = node
    if before < 0:
        state.customers[customer, at.SHOW_HEAD] = row
    else:
        contacts[before, at.K_NEXT] = row


@kernel
def _is_newer(contacts: Ints, one: int, other: int) -> bool:
    """Whether one show goes before another: by time, then decision, then campaign."""
    for column in (at.K_DUE_AT, at.K_NUMBER, at.K_CAMPAIGN):
        if contacts[one, column] != contacts[other, column]:
            return bool(contacts[one, column] > contacts[other, column])
    return False


@kernel
def forget_old(program: Program, state: State, customer: int) -> None:
    """Give back the shows that nothing looks at any more, and those beyond the newest that are kept."""
    contacts = state.contacts
    oldest, left = state.scalars[at.NOW] - program.limits[P_SHOWN_US], program.limits[P_SHOWS_MAX]
    before, node = -1, state.customers[customer, at.SHOW_HEAD]
    while node >= 0 and left > 0 and contacts[node, at.K_DUE_AT] > oldest:
        before, node = node, contacts[node, at.K_NEXT]
        left -= 1
    ledger.cut_chain(state, customer, at.SHOW_HEAD, before, node)


@kernel
def last_of_campaign(state: State, customer: int, campaign: int, since: int) -> int:
    """Return the time of the newest show of a campaign after `since`, or NEVER."""
    contacts = state.contacts
    row = state.customers[customer, at.SHOW_HEAD]
    while row >= 0 and contacts[row, at.K_DUE_AT] > since:
        if contacts[row, at.K_CAMPAIGN] == campaign:
            return contacts[row, at.K_DUE_AT]
        row = contacts[row, at.K_NEXT]
    return at.NEVER


@kernel
def find_shown(program: Program, state: State, customer: int, decision: float, campaign: float, offer: float) -> int:
    """Return the one show of a decision that agrees with a campaign and an offer (name codes, NaN: any), or -1."""
    contacts, found = state.contacts, -1
    oldest = state.scalars[at.NOW] - program.limits[P_SHOWN_US]
    row = state.customers[customer, at.SHOW_HEAD]
    while row >= 0 and contacts[row, at.K_DUE_AT] > oldest:
        if float(contacts[row, at.K_NUMBER]) == decision and _agrees(program, contacts, row, campaign, offer):
            if found >= 0:
                return -1
            found = row
        row = contacts[row, at.K_NEXT]
    return found


@kernel
def _agrees(program: Program, contacts: Ints, row: int, campaign: float, offer: float) -> bool:
    shown = contacts[row, at.K_CAMPAIGN]
    if campaign == campaign and (shown < 0 or float(program.campaigns[shown, CAMPAIGN_NAME]) != campaign):  # noqa: PLR0124 - NaN is NULL
        return False
    return bool(offer != offer or float(contacts[row, at.K_OFFER]) == offer)  # noqa: PLR0124 - as above


# Fatigue


@kernel
def _count_of(program: Program, state: State, customer: int, placement: int, campaign: int) -> int:
    """Return the cell that counts a campaign's shows at a placement, or -1."""
    owner = owner_of(customer, program.limits[P_SLOT_TIRED] + placement)
    return find(state.cells, state.cells_index, owner, campaign)


@kernel
def _add_count(program: Program, state: State, customer: int, placement: int, campaign: int) -> int:
    cell = _count_of(program, state, customer, placement, campaign)
    if cell < 0:
        owner = owner_of(customer, program.limits[P_SLOT_TIRED] + placement)
        cell = add(
            state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, owner, campaign
        )
        state.cells[cell, LAST_AT] = at.NEVER
    return cell


@kernel
def rests(program: Program, state: State, customer: int, placement: int, campaign: int) -> tuple[int, int]:
    """Return (count, until) of a campaign that rests at a placement; until is 0 where it does not."""
    times = program.placements[placement, PLACEMENT_TIMES]
    cell = _count_of(program, state, customer, placement, campaign) if times > 0 else -1
    if cell < 0 or state.cells[cell, COUNT] < times:
        return 0, 0
    until = state.cells[cell, LAST_AT] + program.placements[placement, PLACEMENT_PAUSE_US]
    return (state.cells[cell, COUNT], until) if until > state.scalars[at.NOW] else (0, 0)


@kernel
def _tire(program: Program, state: State, customer: int, placement: int, campaign: int, time: int) -> None:
    """Count a show at a placement that knows fatigue; the first one after a rest begins anew."""
    if placement < 0 or campaign < 0 or program.placements[placement, PLACEMENT_TIMES] == 0:
        return
    cells = state.cells
    cell = _add_count(program, state, customer, placement, campaign)
    times, pause = program.placements[placement, PLACEMENT_TIMES], program.placements[placement, PLACEMENT_PAUSE_US]
    if cells[cell, COUNT] >= times and cells[cell, LAST_AT] + pause <= time:
        cells[cell, COUNT] = 0
    cells[cell, COUNT] += 1
    cells[cell, LAST_AT] = max(cells[cell, LAST_AT], time)


@kernel
def reacted(program: Program, state: State, customer: int, family: int, campaign: int) -> None:
    """Take away the counts of a campaign, and of all with an offer of a family (its hash); -1 and 0 are none."""
    if program.limits[P_SLOT_TIRED] == 0:
        return
    cells = state.cells
    cell = state.customers[customer, at.CELL_HEAD]
    while cell >= 0:
        after = cells[cell, NEXT]
        if _placement_of(program, cells, cell) >= 0:
            counted = cells[cell, KEY]
            if counted == campaign or _offers(program, state, counted, family):
                remove(cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)
        cell = after


@kernel
def _placement_of(program: Program, cells: Ints, cell: int) -> int:
    """Return at which placement a cell counts shows; -1 if it does not."""
    placement = (cells[cell, OWNER] & SLOT_MASK) - program.limits[P_SLOT_TIRED]
    return placement if 0 <= placement < program.placements.shape[0] else -1


@kernel
def _offers(program: Program, state: State, campaign: int, family: int) -> bool:
    start, stop = (
        program.campaigns[campaign, CAMPAIGN_PROPOSALS_FROM],
        program.campaigns[campaign, CAMPAIGN_PROPOSALS_TO],
    )
    for proposal in range(start, stop):
        name = program.proposals[proposal, PROPOSAL_FAMILY]
        if name >= 0 and state.names[name, at.N_HASH] == family:
            return True
    return False


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Unite the shows of two customers, and add what they were shown without a reaction."""
    row = state.customers[b, at.SHOW_HEAD]
    while row >= 0:
        after = state.contacts[row, at.K_NEXT]
        _link(state, a, row)
        row = after
    state.customers[b, at.SHOW_HEAD] = -1
    if program.limits[P_SLOT_TIRED] == 0:
        return
    cells = state.cells
    cell = state.customers[b, at.CELL_HEAD]
    while cell >= 0:
        after = cells[cell, NEXT]
        placement = _placement_of(program, cells, cell)
        if placement >= 0:
            campaign, count, last_at = cells[cell, KEY], cells[cell, COUNT], cells[cell, LAST_AT]
            remove(cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)
            kept = _add_count(program, state, a, placement, campaign)
            cells[kept, COUNT] += count
            cells[kept, LAST_AT] = max(cells[kept, LAST_AT], last_at)
        cell = after
