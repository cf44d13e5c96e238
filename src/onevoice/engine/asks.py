"""Asks: a customer stands before us, and a placement has room for a few campaigns (semantics §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import candidates as wishes
from onevoice.engine import caps, exploring, feeds, holdouts, proposals, ranking, record, shows, switches
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import (
    AGAIN_AFTER,
    ASK,
    CAP,
    FATIGUE,
    OUTRANKED,
    PAUSED,
    STALE,
    SUPPRESSED,
    WON,
    WOULD_HAVE_WON,
)
from onevoice.program import (
    CAMPAIGN_AGAIN_US,
    CAMPAIGN_CLASS,
    CAMPAIGN_FROM,
    CAMPAIGN_PLACEMENTS,
    CAMPAIGN_PROPOSALS_FROM,
    CAMPAIGN_PROPOSALS_TO,
    CAMPAIGN_TO,
    CAP_INDEX,
    CLASS_EXEMPT_CAPS,
    FEED_SOURCE,
    P_CAPS_SHOWN,
    P_EXPLORED,
    PLACEMENT_SLOTS,
    PLACEMENT_TIMES,
    PROPOSAL_NAME,
    PROPOSAL_OFFER,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats

_COULD_BE_SHOWN: Final = OUTRANKED  # what is said of it, if it is not


@kernel
def _ask_candidates(program: Program, state: State, customer: int, placement: int, values: Floats, row: int) -> None:
    """Say of each campaign in `state.asks` whether it could be shown, or what stops it; rank those that could."""
    now = state.scalars[at.NOW]
    campaigns = program.campaigns
    for campaign in range(campaigns.shape[0]):
        state.asks[campaign, at.A_REASON] = 0
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
        state.asks[campaign, at.A_PROPOSAL] = proposal
        _pass_gates(program, state, customer, placement, campaign, rule)
        if state.asks[campaign, at.A_REASON] == _COULD_BE_SHOWN:
            product = wishes.product_of(program, proposal, -1)
            score = ranking.rank(program, state, customer, proposal, product, now, values, row)
            state.ask_ranks[campaign] = score


@kernel
def _set(state: State, campaign: int, reason: int, rule: int, value: int, limit: int, until: int) -> None:
    ask = state.asks[campaign]
    ask[at.A_REASON] = reason
    ask[at.A_RULE] = rule
    ask[at.A_VALUE] = value
    ask[at.A_LIMIT] = limit
    ask[at.A_UNTIL] = until


@kernel
def _pass_gates(program: Program, state: State, customer: int, placement: int, campaign: int, rule: int) -> None:
    """Note the first gate that stops a campaign, if any; `rule`: the suppression that does, or -1."""
    off = switches.first_off(program, state, campaign, switches.IS_PAUSED)
    if off >= 0:
        _set(state, campaign, PAUSED, off, 0, 0, 0)
        return
    feed = feeds.holding(program, state, campaign)
    if feed >= 0:
        source, told = program.feeds[feed, FEED_SOURCE], state.feeds[feed]
        _set(state, campaign, STALE, source, told[at.F_TOLD_KNOWN], told[at.F_TOLD_FROM], 0)
        return
    if rule >= 0:
        _set(state, campaign, SUPPRESSED, rule, 0, 0, 0)
        return
    again = program.campaigns[campaign, CAMPAIGN_AGAIN_US]
    if again > 0:
        last = shows.last_of_campaign(state, customer, campaign, state.scalars[at.NOW] - again)
        if last != at.NEVER:
            _set(state, campaign, AGAIN_AFTER, -1, last, 0, last + again)
            return
    count, until = shows.rests(program, state, customer, placement, campaign)
    if until > 0:
        _set(state, campaign, FATIGUE, placement, count, program.placements[placement, PLACEMENT_TIMES], until)
        return
    _set(state, campaign, _COULD_BE_SHOWN, -1, 0, 0, 0)
    _pass_caps(program, state, customer, placement, campaign)


@kernel
def _pass_caps(program: Program, state: State, customer: int, placement: int, campaign: int) -> None:
    """Note the first cap that is full for a campaign that could be shown, if any."""
    if program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_EXEMPT_CAPS]:
        return
    if program.limits[P_CAPS_SHOWN] < program.caps.shape[0]:
        _describe(program, state, customer, placement, campaign)
        cap, count, most, room_at = caps.full_cap(program, state, customer, False, state.scalars[at.NOW], False)
        if cap >= 0:
            _set(state, campaign, CAP, program.caps[cap, CAP_INDEX], count, most, room_at)


@kernel
def _describe(program: Program, state: State, customer: int, placement: int, campaign: int) -> None:
    proposal = state.asks[campaign, at.A_PROPOSAL]
    shows.describe(program, state, customer, proposal, placement, wishes.product_of(program, proposal, -1))


@kernel
def _could_be_shown(state: State, campaign: int) -> bool:
    return bool(state.asks[campaign, at.A_REASON] == _COULD_BE_SHOWN)


@kernel
def _best_ask(program: Program, state: State, customer: int) -> int:
    """Return the best campaign that could be shown still, or -1."""
    best = -1
    for campaign in range(program.campaigns.shape[0]):
        if not _could_be_shown(state, campaign):
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
        able += _could_be_shown(state, campaign) and exploring.takes_part(program, campaign)
    place = exploring.draw(program, state, customer, -1 - placement, turn, able)
    winner = best
    for campaign in range(program.campaigns.shape[0]):
        if _could_be_shown(state, campaign) and exploring.takes_part(program, campaign):
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
            state.asks[campaign, at.A_REASON] = WOULD_HAVE_WON
        else:
            state.asks[campaign, at.A_REASON] = WON
            last = campaign
            slots -= 1
            _show(program, state, customer, placement, campaign, slots > 0)
    if last >= 0:
        shows.forget_old(program, state, customer)
    return last


@kernel
def _show(program: Program, state: State, customer: int, placement: int, campaign: int, goes_on: bool) -> None:
    """Enter what is shown; where another slot is to be filled, caps may be full now for those that are left."""
    _describe(program, state, customer, placement, campaign)
    name = program.proposals[state.asks[campaign, at.A_PROPOSAL], PROPOSAL_NAME]
    shows.enter(program, state, customer, state.scalars[at.NEXT_DECISION], name, state.scalars[at.NOW])
    if goes_on and program.limits[P_CAPS_SHOWN] < program.caps.shape[0]:
        for other in range(program.campaigns.shape[0]):
            if _could_be_shown(state, other):
                _pass_caps(program, state, customer, placement, other)


@kernel
def answer(program: Program, state: State, customer: int, placement: int, values: Floats, row: int) -> None:
    """Answer an ask: the best campaigns fill the placement's slots; every candidate gets a line."""
    _ask_candidates(program, state, customer, placement, values, row)
    last = _fill_slots(program, state, customer, placement)
    record.decision(state, ASK, customer, placement)
    for campaign in range(program.campaigns.shape[0]):
        ask = state.asks[campaign]
        reason, proposal = ask[at.A_REASON], ask[at.A_PROPOSAL]
        if reason == 0:
            continue
        line = record.line(state, campaign, 0, reason)
        state.lines[line, at.L_OFFER] = program.proposals[proposal, PROPOSAL_OFFER]
        if reason == OUTRANKED:
            state.lines[line, at.L_VALUE] = last
            state.figures[line, at.F_SCORE] = state.ask_ranks[campaign]
        elif reason == WON or reason == WOULD_HAVE_WON:
            state.figures[line, at.F_SCORE] = state.ask_ranks[campaign]
            state.figures[line, at.F_PROBABILITY] = state.ask_chances[campaign]
        else:
            state.lines[line, at.L_RULE] = ask[at.A_RULE]
            state.lines[line, at.L_VALUE] = ask[at.A_VALUE]
            state.lines[line, at.L_LIMIT] = ask[at.A_LIMIT]
            state.lines[line, at.L_UNTIL] = ask[at.A_UNTIL]
        if reason == WON:
            product = wishes.product_of(program, proposal, -1)
            proposals.compute(program, state, customer, proposal, product, values, row, line)
