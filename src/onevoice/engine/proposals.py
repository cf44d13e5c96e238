"""Proposals: with which of its offers a campaign comes, and what the offer's parameters then are (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import conditions, gates, ranking
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.program import (
    COMPUTED_COLUMN,
    COMPUTED_EXPRESSION,
    PROPOSAL_COMPUTED_FROM,
    PROPOSAL_COMPUTED_TO,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats


@kernel
def choose(
    program: Program,
    state: State,
    customer: int,
    start: int,
    stop: int,
    world: int,
    birth: int,
    values: Floats,
    row: int,
) -> tuple[int, int]:
    """Return (proposal, suppression): the best of `[start, stop)` that nothing holds back, else the first eligible.

    That with what stops it; both are -1 where they are nothing. `world`: product of the world event that a wish is
    about, or -1.
    """
    best, best_rank, held, rule = -1, np.nan, -1, -1
    for proposal in range(start, stop):
        product = wishes.product_of(program, proposal, world)
        if not wishes.is_eligible(program, state, customer, proposal, product, values, row):
            continue
        found = gates.suppression(program, state, customer, proposal, product, values, row)
        if found >= 0:
            if held < 0:
                held, rule = proposal, found
        elif stop - start == 1:
            return proposal, -1
        else:
            score = ranking.rank(program, state, customer, proposal, product, birth, values, row)
            if best < 0 or score > best_rank or (np.isnan(best_rank) and not np.isnan(score)):
                best, best_rank = proposal, score
    return (held, rule) if best < 0 else (best, -1)


@kernel
def compute(
    program: Program, state: State, customer: int, proposal: int, product: int, values: Floats, row: int, line: int
) -> None:
    """Write into a line's figures what the expressions among the offer's parameters give."""
    now, stack = state.scalars[at.NOW], state.stack
    start, stop = program.proposals[proposal, PROPOSAL_COMPUTED_FROM], program.proposals[proposal, PROPOSAL_COMPUTED_TO]
    for i in range(start, stop):
        expression, column = program.computed[i, COMPUTED_EXPRESSION], program.computed[i, COMPUTED_COLUMN]
        found = conditions.evaluate(program, state, stack, expression, customer, now, values, row, proposal, product)
        state.figures[line, at.F_COMPUTED + column] = found
