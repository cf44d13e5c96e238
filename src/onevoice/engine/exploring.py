"""Exploration: now and then one is drawn among those that could win, so that others than the best are heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import state as at
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.program import CAMPAIGN_CLASS, CLASS_EXPLORED, P_EXPLORED, SHARES

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def lot(state: State, customer: int, occasion: int, turn: int) -> int:
    """Return a number from 0 to before SHARES that is drawn for a turn of a decision about a customer now.

    Nothing in it is of others, so that who looks at one customer alone draws the same. `occasion` tells decisions of
    one instant apart.
    """
    low, high = state.customers[customer, at.FOUNDING_LOW], state.customers[customer, at.FOUNDING_HIGH]
    drawn = mix(mix(mix(mix(low, high), state.scalars[at.NOW]), occasion), turn)
    return (drawn >> 11) & (SHARES - 1)


@kernel
def of_round(state: State, customer: int) -> int:
    """Return the occasion of a round: how many contacts of the customer are due now, made by rounds before it."""
    contacts = state.contacts
    found = 0
    row = state.customers[customer, at.CONTACT_HEAD]
    while row >= 0 and contacts[row, at.K_DUE_AT] >= state.scalars[at.NOW]:
        found += contacts[row, at.K_DUE_AT] == state.scalars[at.NOW]
        row = contacts[row, at.K_NEXT]
    return int(found)


@kernel
def takes_part(program: Program, campaign: int) -> bool:
    """Whether a campaign is of a class that is explored."""
    return program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_EXPLORED] == 1


@kernel
def draw(program: Program, state: State, customer: int, occasion: int, turn: int, able: int) -> int:
    """Return which of `able` that could win is drawn at a turn, counted from 0; -1: none, the best one wins."""
    if lot(state, customer, occasion, 2 * turn) >= program.limits[P_EXPLORED]:
        return -1
    return int(lot(state, customer, occasion, 2 * turn + 1) / SHARES * able)


@kernel
def probability(program: Program, is_best: bool, able: int) -> float:
    """Return with which probability one of `able` that could win was to be chosen."""
    share = program.limits[P_EXPLORED] / SHARES
    return (1.0 - share if is_best else 0.0) + share / able
