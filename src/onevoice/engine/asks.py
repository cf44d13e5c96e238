"""Asks: a customer stands before us, and a placement has room for a few campaigns (semantics §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import candidates as wishes
from onevoice.engine import gates, ranking, record, switches
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import ASK, OUTRANKED, PAUSED, SUPPRESSED, WON
from onevoice.program import CAMPAIGN_FROM, CAMPAIGN_OFFER_PRODUCT, CAMPAIGN_PLACEMENTS, CAMPAIGN_TO, PLACEMENT_SLOTS

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats

# What `state.asks` says of a campaign; from 0 on: the suppression that holds it back.
_COULD_WIN: Final = -1
_NOT_WANTED: Final = -2
_SHOWN: Final = -3
_PAUSED: Final = -4  # and below: by which of its switches


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
        product = campaigns[campaign, CAMPAIGN_OFFER_PRODUCT]
        if wishes.is_eligible(program, state, customer, campaign, product, values, row):
            off = switches.first_off(program, state, campaign, switches.IS_PAUSED)
            if off >= 0:
                state.asks[campaign] = _PAUSED - off
                continue
            rule = gates.suppression(program, state, customer, campaign, product, values, row)
            state.asks[campaign] = rule if rule >= 0 else _COULD_WIN
            if rule < 0:
                state.ask_ranks[campaign] = ranking.rank(program, state, customer, campaign, product, values, row)


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
def answer(program: Program, state: State, customer: int, placement: int, values: Floats, row: int) -> None:
    """Answer an ask: the best campaigns fill the placement's slots; every candidate gets a line."""
    _ask_candidates(program, state, customer, placement, values, row)
    last = -1
    for _ in range(program.placements[placement, PLACEMENT_SLOTS]):
        best = _best_ask(program, state, customer)
        if best < 0:
            break
        state.asks[best] = _SHOWN
        last = best
    record.decision(state, ASK, customer, placement)
    for campaign in range(program.campaigns.shape[0]):
        found = state.asks[campaign]
        if found >= 0:
            line = record.line(state, campaign, 0, SUPPRESSED)
            state.lines[line, at.L_RULE] = found
        elif found <= _PAUSED:
            line = record.line(state, campaign, 0, PAUSED)
            state.lines[line, at.L_RULE] = _PAUSED - found
        elif found != _NOT_WANTED:
            line = record.line(state, campaign, 0, WON if found == _SHOWN else OUTRANKED)
            state.lines[line, at.L_VALUE] = 0 if found == _SHOWN else last
            state.scores[line] = state.ask_ranks[campaign]
