"""Ranking: which of two campaigns comes first for a customer (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import conditions
from onevoice.engine import state as at
from onevoice.engine.calendar import DAY_US
from onevoice.engine.hashing import less_unsigned, mix
from onevoice.engine.kernel import kernel
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_PROPENSITY,
    CAMPAIGN_TIE,
    CLASS_TIER,
    NUMBER_PROPENSITY,
    P_RANK,
    PROPOSAL_CAMPAIGN,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats

# `ranking` of the state
PROPENSITY: Final = 0
AGE: Final = 1  # days


@kernel
def rank(
    program: Program, state: State, customer: int, proposal: int, product: int, birth: int, values: Floats, row: int
) -> float:
    """Return the rank of a campaign with one of its offers for a customer now; NaN where it has none."""
    now, stack = state.scalars[at.NOW], state.stack
    campaign = program.proposals[proposal, PROPOSAL_CAMPAIGN]
    state.ranking[AGE] = (now - birth) / DAY_US
    propensity = program.campaigns[campaign, CAMPAIGN_PROPENSITY]
    found = program.campaign_numbers[campaign, NUMBER_PROPENSITY]
    if propensity >= 0:
        found = conditions.evaluate(program, state, stack, propensity, customer, now, values, row, proposal, product)
    state.ranking[PROPENSITY] = found
    expression = program.limits[P_RANK]
    return conditions.evaluate(program, state, stack, expression, customer, now, values, row, proposal, product)


@kernel
def _tie(program: Program, state: State, customer: int, campaign: int) -> int:
    low, high = state.customers[customer, at.FOUNDING_LOW], state.customers[customer, at.FOUNDING_HIGH]
    return mix(mix(low, high), program.campaigns[campaign, CAMPAIGN_TIE])


@kernel
def beats(
    program: Program,
    state: State,
    customer: int,
    campaign: int,
    score: float,
    expiry: int,
    other: int,
    other_score: float,
    other_expiry: int,
) -> bool:
    """Whether one campaign comes before another: class tier, rank, expiry, tie."""
    tier = program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_TIER]
    other_tier = program.classes[program.campaigns[other, CAMPAIGN_CLASS], CLASS_TIER]
    if tier != other_tier:
        return tier < other_tier
    if np.isnan(score) != np.isnan(other_score):
        return np.isnan(other_score)
    if not np.isnan(score) and score != other_score:
        return score > other_score
    if expiry != other_expiry:
        return expiry < other_expiry
    if campaign == other:
        return False
    return less_unsigned(_tie(program, state, customer, campaign), _tie(program, state, customer, other))
