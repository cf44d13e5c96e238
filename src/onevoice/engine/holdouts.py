"""Holdouts: customers to whom campaigns stay silent, so that what campaigns bring can be compared (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import state as at
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.store import DATA, KEY, NEXT, OWNER, SLOT_MASK, add, find, owner_of, remove
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_HELD,
    CAMPAIGN_TIE,
    CLASS_HELD,
    P_HELD,
    P_HOLDOUT_SALT,
    P_SLOT_HOLDOUTS,
    SHARES,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program

# What the cell of a membership holds; its key is 0 for that of the classes, else the hash of the campaign's name.
IS_HELD: Final = DATA
SINCE: Final = DATA + 1


@kernel
def is_held_out(program: Program, state: State, customer: int, campaign: int) -> bool:
    """Whether a customer for whom a campaign has won is held out; both memberships are decided the first time."""
    for own in range(2):
        key, share = _holdout(program, campaign, own)
        if share > 0:
            held = 1 if _is_member(program, state, customer, key, share) else 0
            keep(program, state, customer, key, held, state.scalars[at.NOW])
    return would_be_held_out(program, state, customer, campaign)


@kernel
def would_be_held_out(program: Program, state: State, customer: int, campaign: int) -> bool:
    """Whether a customer is held out of a campaign, or would be if it won now; decides nothing."""
    for own in range(2):
        key, share = _holdout(program, campaign, own)
        if share > 0 and _is_member(program, state, customer, key, share):
            return True
    return False


@kernel
def _holdout(program: Program, campaign: int, own: int) -> tuple[int, int]:
    """Return (key, share) of the holdout that a campaign has by its class, or of its own; the share is 0 for none."""
    if own:
        return program.campaigns[campaign, CAMPAIGN_TIE], program.campaigns[campaign, CAMPAIGN_HELD]
    of_class = program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_HELD]
    return 0, program.limits[P_HELD] * of_class


@kernel
def _is_member(program: Program, state: State, customer: int, key: int, share: int) -> bool:
    """Whether a customer is held out, as it was decided, or would be now."""
    owner = owner_of(customer, program.limits[P_SLOT_HOLDOUTS])
    cell = find(state.cells, state.cells_index, owner, key)
    if cell >= 0:
        return bool(state.cells[cell, IS_HELD] == 1)
    low, high = state.customers[customer, at.FOUNDING_LOW], state.customers[customer, at.FOUNDING_HIGH]
    drawn = mix(mix(mix(low, high), program.limits[P_HOLDOUT_SALT]), key)
    return bool(((drawn >> 11) & (SHARES - 1)) < share)


@kernel
def keep(program: Program, state: State, customer: int, key: int, is_held: int, since: int) -> None:
    """Keep a membership, unless one was decided before it; there must be room for a cell."""
    owner = owner_of(customer, program.limits[P_SLOT_HOLDOUTS])
    cell = find(state.cells, state.cells_index, owner, key)
    if cell < 0:
        cell = add(state.cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, owner, key)
    elif state.cells[cell, SINCE] <= since:
        return
    state.cells[cell, IS_HELD] = is_held
    state.cells[cell, SINCE] = since


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Unite the memberships of two customers: of each the earlier holds."""
    cells = state.cells
    cell = state.customers[b, at.CELL_HEAD]
    while cell >= 0:
        after = cells[cell, NEXT]
        if (cells[cell, OWNER] & SLOT_MASK) == program.limits[P_SLOT_HOLDOUTS]:
            keep(program, state, a, cells[cell, KEY], cells[cell, IS_HELD], cells[cell, SINCE])
            remove(cells, state.cells_index, state.pools, at.CELLS, state.customers, at.CELL_HEAD, cell)
        cell = after
