"""Writing decisions and their lines. `step` returns before these tables are full, and the runtime takes them away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT

if TYPE_CHECKING:
    from onevoice.engine.state import State


@kernel
def decision(state: State, kind: int, customer: int, placement: int) -> None:
    """Begin a decision; its lines follow."""
    row = state.pools[at.DECISIONS, COUNT]
    state.pools[at.DECISIONS, COUNT] += 1
    number = state.scalars[at.NEXT_DECISION]
    state.scalars[at.NEXT_DECISION] += 1
    table = state.decisions
    table[row, at.D_NUMBER] = number
    table[row, at.D_KIND] = kind
    table[row, at.D_TIME] = state.scalars[at.NOW]
    table[row, at.D_POSITION] = state.scalars[at.POSITION]
    table[row, at.D_CUSTOMER] = customer
    table[row, at.D_PLACEMENT] = placement


@kernel
def line(state: State, campaign: int, key: int, reason: int) -> int:
    """Write a line of the decision begun last that has only its reason; returns its row, for whatever else there is."""
    row = state.pools[at.LINES, COUNT]
    state.pools[at.LINES, COUNT] += 1
    table = state.lines
    table[row, at.L_DECISION] = state.scalars[at.NEXT_DECISION] - 1
    table[row, at.L_CAMPAIGN] = campaign
    table[row, at.L_KEY] = key
    table[row, at.L_REASON] = reason
    table[row, at.L_CHANNEL] = -1
    table[row, at.L_RULE] = -1
    table[row, at.L_VALUE] = 0
    table[row, at.L_LIMIT] = 0
    table[row, at.L_UNTIL] = 0
    table[row, at.L_CONTACT] = -1
    table[row, at.L_OFFER] = -1
    state.figures[row, :] = np.nan
    return row
