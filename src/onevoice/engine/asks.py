"""Asks: a customer stands before us, and a placement has room for a few campaigns (semantics §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import candidates as wishes
from onevoice.engine import exploring, holdouts, proposals, ranking, record, switches
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import ASK, OUTRANKED, PAUSED, SUPPRESSED, WON, WOULD_HAVE_WON
from onevoice.program import (
    CAMPAIGN_FROM,
    CAMPAIGN_PLACEMENTS,
    CAMPAIGN_PROPOSALS_FROM,
    CAMPAIGN_PROPOSALS_TO,
    CAMPAIGN_TO,
    P_EXPLORED,
    PLACEMENT_SLOTS,
    PROPOSAL_OFFER,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats

# What `state.asks` says of a campaign; from 0 on: the suppression that holds it back.
_COULD_WIN: Final = -1
_NOT_WANTED: Final = -2
_SHOWN: Final = -3
_HELD_OUT: Final = -4
_PAUSED: Final = -5  # and below: by which of its switches


@kernel
def _ask_candidates(program: Program, state: State, customer: int, placement: int, values: Floats, row: int) -> None:
    """Mark each campaign in `state.asks`, and rank those that could win."""
    now = state.scalars[at.NOW]
    campaigns = program.campaigns
    for campaign in range(campaigns.shape[0]):
        state.asks[campaign] = _NOT_WANTED
        if not (campaigns[campaign, CAMPAIGN_PLACEMENTS] >> placement) & 1:
            continue
        if not campaigns[campaign, CAMPAIGN_FROM] <= now < campaigns[campaign, CAMPAIGN_TO]:
            continue
        if switches.first_off(program, state, campaign, switches.IS_STOPPED) >= 0:
            continue
        start, stop = (
            program.campaigns[campaign, CAMPAIGN_PROPOSALS_FROM],
            program.campaigns[campaign, CAMPAIGN_PROPOSALS_TO],
        )
        proposal, rule = proposals.choose(program, state, customer, start, stop, -1, now, values, row)
        if proposal < 0:
            continue
        state.ask_proposals[campaign] = proposal
        off = switches.first_off(program, state, campaign, switches.IS_PAUSED)
        if off >= 0:
            state.asks[campaign] = _PAUSED - off
            continue
        state.asks[campaign] = rule if rule >= 0 else _COULD_WIN
        if rule < 0:
            product = wishes.product_of(program, proposal, -1)
            score = ranking.rank(program, state, customer, proposal, product, now, values, row)
            state.ask_ranks[campaign] = score


@kernel
def _best_ask(program: Program, state: State, customer: int) -> int:
    """Return the best campaign that could still win, or -1."""
    best = -1
    for campaign in range(program.campaigns.shape[0]):
        if state.asks[campaign] != _COULD_WIN:
            continue
        if best < 0 or ranking.beats(
            program,
            state,
            customer,
            campaign,
            state.ask_ranks[campaign],
            program.campaigns[campaign, CAMPAIGN_TO],
            best,
            state.ask_ranks[best],
            program.campaigns[best, CAMPAIGN_TO],
        ):
            best = campaign
    return best


@kernel
def _drawn(program: Program, state: State, customer: int, placement: int, turn: int, best: int) -> tuple[int, float]:
    """Return the campaign that fills a slot, which exploration may draw, and its probability to do so."""
    if program.limits[P_EXPLORED] == 0 or not exploring.takes_part(program, best):
        return best, 1.0
    able = 0
    for campaign in range(program.campaigns.shape[0]):
        able += state.asks[campaign] == _COULD_WIN and exploring.takes_part(program, campaign)
    place = exploring.draw(program, state, customer, -1 - placement, turn, able)
    winner = best
    for campaign in range(program.campaigns.shape[0]):
        if state.asks[campaign] == _COULD_WIN and exploring.takes_part(program, campaign):
            if place == 0:
                winner = campaign
            place -= 1
    return winner, exploring.probability(program, winner == best, able)


@kernel
def _fill_slots(program: Program, state: State, customer: int, placement: int) -> int:
    """Give the slots of a placement to the best, or to whom exploration draws; returns the last shown, or -1."""
    last, turn = -1, 0
    slots = program.placements[placement, PLACEMENT_SLOTS]
    while slots > 0:
        best = _best_ask(program, state, customer)
        if best < 0:
            break
        campaign, probability = _drawn(program, state, customer, placement, turn, best)
        state.ask_chances[campaign] = probability
        turn += 1
        if holdouts.is_held_out(program, state, customer, campaign):
            state.asks[campaign] = _HELD_OUT
        else:
            state.asks[campaign] = _SHOWN
            last = campaign
            slots -= 1
    return last


@kernel
def answer(program: Program, state: State, customer: int, placement: int, values: Floats, row: int) -> None:
    """Answer an ask: the best campaigns fill the placement's slots; every candidate gets a line."""
    _ask_candidates(program, state, customer, placement, values, row)
    last = _fill_slots(program, state, customer, placement)
    record.decision(state, ASK, customer, placement)
    for campaign in range(program.campaigns.shape[0]):
        found, proposal = state.asks[campaign], state.ask_proposals[campaign]
        if found == _NOT_WANTED:
            continue
        line = record.line(state, campaign, 0, SUPPRESSED)
        state.lines[line, at.L_OFFER] = program.proposals[proposal, PROPOSAL_OFFER]
        if found >= 0:
            state.lines[line, at.L_RULE] = found
            continue
        if found <= _PAUSED:
            state.lines[line, at.L_REASON] = PAUSED
            state.lines[line, at.L_RULE] = _PAUSED - found
            continue
        state.figures[line, at.F_SCORE] = state.ask_ranks[campaign]
        if found == _HELD_OUT:
            state.lines[line, at.L_REASON] = WOULD_HAVE_WON
            state.figures[line, at.F_PROBABILITY] = state.ask_chances[campaign]
        elif found == _SHOWN:
            state.lines[line, at.L_REASON] = WON
            state.figures[line, at.F_PROBABILITY] = state.ask_chances[campaign]
            product = wishes.product_of(program, proposal, -1)
            proposals.compute(program, state, customer, proposal, product, values, row, line)
        else:
            state.lines[line, at.L_REASON] = OUTRANKED
            state.lines[line, at.L_VALUE] = last
