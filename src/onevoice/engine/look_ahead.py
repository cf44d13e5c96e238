"""Look-ahead: who could win steps back for one that comes first and is planned already (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates as wishes
from onevoice.engine import caps, feeds, gates, holdouts, ledger, proposals, ranking
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import AGAIN_AFTER, CAP, KEPT_FOR, WON
from onevoice.program import (
    CAMPAIGN_AGAIN_US,
    CAMPAIGN_CLASS,
    CAMPAIGN_SENDS,
    CAMPAIGN_WAIT_US,
    CLASS_COUNTS,
    CLASS_EXEMPT_CAPS,
    CLASS_EXEMPT_GAP,
    P_GAP_US,
    P_LOOK_AHEAD_US,
    SCOPE_CAMPAIGN,
    SCOPE_CLASS,
    SCOPES,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def keep_back(program: Program, state: State, customer: int) -> None:
    """Of those that could win in this round, block each that would take the slot of a better one that is planned."""
    if program.limits[P_LOOK_AHEAD_US] == 0 or not _can_matter(state, customer):
        return
    candidates = state.candidates
    _plan_all(program, state, customer)
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if _could_win(state, row):
            planned = _kept_for(program, state, customer, row)
            if planned >= 0:
                _step_back(state, row, planned)
        row = candidates[row, at.C_NEXT]


@kernel
def _could_win(state: State, row: int) -> bool:
    """Whether a candidate competes in this round and nothing stops it; what follows a contact does not compete."""
    return bool(state.candidates[row, at.C_STAGE] == at.WAITING and state.candidates[row, at.C_REASON] == WON)


@kernel
def _can_matter(state: State, customer: int) -> bool:
    """Whether there is one that could win, and another that could not."""
    candidates = state.candidates
    able, others = False, False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if _could_win(state, row):
            able = True
        else:
            others = True
        row = candidates[row, at.C_NEXT]
    return able and others


@kernel
def _step_back(state: State, row: int, planned: int) -> None:
    """Let a candidate that could win wait until another is planned."""
    candidates = state.candidates
    candidates[row, at.C_REASON] = KEPT_FOR
    candidates[row, at.C_VALUE] = candidates[planned, at.C_CAMPAIGN]
    candidates[row, at.C_UNTIL] = candidates[row, at.C_WAKES_AT] = candidates[planned, at.C_PLANNED_AT]
    candidates[row, at.C_HOURS_ZONE] = -1


# Who is planned


@kernel
def _plan_all(program: Program, state: State, customer: int) -> None:
    """Find for each candidate when it is planned, INFINITE where it is not, and rank those that are."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        instant = _planned_at(program, state, customer, row)
        candidates[row, at.C_PLANNED_AT] = instant
        if instant != at.INFINITE:
            if _free_way(program, state, customer, row, False):
                proposal = candidates[row, at.C_PROPOSAL]
                product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
                birth, contexts = _birth(state, row), state.contexts
                state.ranks[row] = ranking.rank(program, state, customer, proposal, product, birth, contexts, row)
            else:
                candidates[row, at.C_PLANNED_AT] = at.INFINITE
        row = candidates[row, at.C_NEXT]


@kernel
def _planned_at(program: Program, state: State, customer: int, row: int) -> int:
    """Return when a candidate that is wanted may go out by the clock, if that is near enough; else INFINITE."""
    candidates, now = state.candidates, state.scalars[at.NOW]
    campaign = candidates[row, at.C_CAMPAIGN]
    start, last = candidates[row, at.C_WAKES_AT], now + program.limits[P_LOOK_AHEAD_US]
    if not candidates[row, at.C_BORN]:
        start = candidates[row, at.C_BIRTH_AT] + program.campaigns[campaign, CAMPAIGN_WAIT_US]
    elif candidates[row, at.C_STAGE] != at.WAITING or not AGAIN_AFTER <= candidates[row, at.C_REASON] <= CAP:
        return at.INFINITE
    if start > last or not _is_wanted(program, state, customer, row):
        return at.INFINITE
    instant = at.INFINITE
    for place in range(program.campaigns[campaign, CAMPAIGN_SENDS]):
        if gates.is_way(program, state, customer, row, place):
            opening = gates.opens_at(program, state, customer, program.sends[campaign, place], start)
            instant = min(instant, opening)
    return instant if now < instant <= last and instant < _expiry(program, state, row) else at.INFINITE


@kernel
def _is_wanted(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether a candidate is wanted now, and may be heard; of one that is not born its offer is found."""
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    if feeds.is_held(program, state, campaign):
        return False
    if holdouts.would_be_held_out(program, state, customer, campaign):
        return False
    if candidates[row, at.C_BORN]:
        return True
    world, birth = candidates[row, at.C_PRODUCT], _birth(state, row)
    start, stop = wishes.proposals_of(program, candidates, row)
    proposal, rule = proposals.choose(program, state, customer, start, stop, world, birth, state.contexts, row)
    if proposal < 0 or rule >= 0:
        return False
    candidates[row, at.C_PROPOSAL] = proposal
    return True


@kernel
def _birth(state: State, row: int) -> int:
    """Return the instant from which a candidate's age is counted: one that is not born has none."""
    candidates = state.candidates
    return int(candidates[row, at.C_BIRTH_AT] if candidates[row, at.C_BORN] else state.scalars[at.NOW])


@kernel
def _expiry(program: Program, state: State, row: int) -> int:
    candidates = state.candidates
    if candidates[row, at.C_BORN]:
        return int(candidates[row, at.C_EXPIRES_AT])
    return wishes.expiry(program, candidates[row, at.C_CAMPAIGN], candidates[row, at.C_BIRTH_AT])


# Whom it keeps back


@kernel
def _kept_for(program: Program, state: State, customer: int, row: int) -> int:
    """Return the row of the first that is planned, comes before a candidate and would lose its slot to it; or -1."""
    candidates = state.candidates
    proposal = candidates[row, at.C_PROPOSAL]
    product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
    gates.describe(program, state, customer, proposal, candidates[row, at.C_CHANNEL], product)
    caps.assume(state)
    found = -1
    planned = state.customers[customer, at.CANDIDATE_HEAD]
    while planned >= 0:
        if candidates[planned, at.C_PLANNED_AT] != at.INFINITE and _comes_first(program, state, planned, row):
            if found < 0 or _is_sooner(program, state, planned, found):
                if not _free_way(program, state, customer, planned, True):
                    found = planned
        planned = candidates[planned, at.C_NEXT]
    return found


@kernel
def _is_sooner(program: Program, state: State, row: int, other: int) -> bool:
    instant, other_instant = state.candidates[row, at.C_PLANNED_AT], state.candidates[other, at.C_PLANNED_AT]
    return bool(instant < other_instant or (instant == other_instant and _comes_first(program, state, row, other)))


@kernel
def _comes_first(program: Program, state: State, row: int, other: int) -> bool:
    """Whether one candidate comes before another in the comparison of a round."""
    candidates = state.candidates
    customer, campaign, rival = (
        candidates[row, at.C_CUSTOMER],
        candidates[row, at.C_CAMPAIGN],
        candidates[other, at.C_CAMPAIGN],
    )
    score, expiry = float(state.ranks[row]), _expiry(program, state, row)
    other_score, other_expiry = float(state.ranks[other]), _expiry(program, state, other)
    if ranking.beats(program, state, customer, campaign, score, expiry, rival, other_score, other_expiry):
        return True
    if campaign != rival or candidates[row, at.C_KEY] >= candidates[other, at.C_KEY]:
        return False
    return not ranking.beats(program, state, customer, rival, other_score, other_expiry, campaign, score, expiry)


@kernel
def _starts_gap(program: Program, state: State, campaign: int) -> bool:
    """Whether the gap before a campaign's next contact counts from the one that is assumed."""
    if program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_EXEMPT_GAP]:
        return bool(state.scope[SCOPES + SCOPE_CAMPAIGN] == campaign)
    return bool(program.classes[state.scope[SCOPES + SCOPE_CLASS], CLASS_COUNTS] == 1)


@kernel
def _free_way(program: Program, state: State, customer: int, row: int, assumed: bool) -> bool:
    """Whether a planned candidate is free on one of its ways when its time has come.

    `assumed`: with the contact of `caps.assume` being made now.
    """
    candidates = state.candidates
    campaign, instant = candidates[row, at.C_CAMPAIGN], candidates[row, at.C_PLANNED_AT]
    proposal = candidates[row, at.C_PROPOSAL]
    product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
    again = program.campaigns[campaign, CAMPAIGN_AGAIN_US]
    if again > 0 and ledger.last_of(state, customer, campaign, candidates[row, at.C_KEY]) + again > instant:
        return False
    last = gates.gap_start(program, state, customer, campaign)
    if assumed and _starts_gap(program, state, campaign):
        last = max(last, state.scalars[at.NOW])
    if last + program.limits[P_GAP_US] > instant:
        return False
    exempt = program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_EXEMPT_CAPS] == 1
    for place in range(program.campaigns[campaign, CAMPAIGN_SENDS]):
        channel = program.sends[campaign, place]
        if not gates.is_way(program, state, customer, row, place):
            continue
        if gates.opens_at(program, state, customer, channel, instant) > instant:
            continue
        gates.describe(program, state, customer, proposal, channel, product)
        if exempt or caps.full_cap(program, state, customer, False, instant, assumed)[0] < 0:
            return True
    return False
