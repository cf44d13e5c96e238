"""Arbitration: which of the candidates that want a customer now gets the contact, and why not each other.

Semantics §10 and §11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import conditions, facts, holding, ledger, record, segments, timers
from onevoice.engine import state as at
from onevoice.engine.hashing import less_unsigned, mix
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import (
    AGAIN_AFTER,
    ASK,
    CAP,
    GAP,
    NO_ADDRESS,
    NO_CONSENT,
    NOT_ELIGIBLE,
    OUTRANKED,
    ROUND,
    SUPPRESSED,
    WON,
)
from onevoice.program import (
    CAMPAIGN_AGAIN_US,
    CAMPAIGN_CLASS,
    CAMPAIGN_FAMILY,
    CAMPAIGN_FROM,
    CAMPAIGN_IS_OFFER,
    CAMPAIGN_OFFER_PRODUCT,
    CAMPAIGN_PLACEMENTS,
    CAMPAIGN_PROPENSITY,
    CAMPAIGN_SENDS,
    CAMPAIGN_TIE,
    CAMPAIGN_TO,
    CAP_INDEX,
    CAP_MAX,
    CHANNEL_KIND,
    CHANNEL_NAME,
    CLASS_CONSENT_REQUIRED,
    CLASS_EXEMPT_CAPS,
    CLASS_EXEMPT_GAP,
    CLASS_PURPOSE,
    CLASS_TIER,
    NUMBER_PROPENSITY,
    P_FACT_CONSENT,
    P_GAP_US,
    P_RANK,
    PLACEMENT_SLOTS,
    SUPPRESSION_CLASSES,
    SUPPRESSION_CONDITION,
    SUPPRESSION_JUDGED,
    SUPPRESSION_OFFERS,
    SUPPRESSION_TIMED,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats, Ints

# What `state.asks` says of a campaign; from 0 on: the suppression that holds it back.
_COULD_WIN: Final = -1
_NOT_WANTED: Final = -2
_SHOWN: Final = -3


@kernel
def _has_consent(program: Program, state: State, customer: int, klass: int, channel: int) -> bool:
    """Whether the class's purpose may use a channel: consent given, or never withdrawn where silence will do."""
    fact = program.limits[P_FACT_CONSENT]
    on = state.names[program.channels[channel, CHANNEL_NAME], at.N_HASH]
    purpose = state.names[program.classes[klass, CLASS_PURPOSE], at.N_HASH]
    if facts.key_open(state, customer, fact, mix(on, purpose)):
        return True
    if program.classes[klass, CLASS_CONSENT_REQUIRED]:
        return False
    return not facts.was_closed(program, state, customer, fact, on, purpose)


@kernel
def _has_address(program: Program, state: State, customer: int, channel: int) -> bool:
    kind = program.channels[channel, CHANNEL_KIND]
    return kind < 0 or state.identifier_counts[customer, kind] > 0


@kernel
def _stops(program: Program, rule: int, campaign: int) -> bool:
    """Whether a suppression is about a campaign at all."""
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    if (program.suppressions[rule, SUPPRESSION_CLASSES] >> klass) & 1:
        return True
    return program.suppressions[rule, SUPPRESSION_OFFERS] == 1 and program.campaigns[campaign, CAMPAIGN_IS_OFFER] == 1


@kernel
def _suppression(
    program: Program, state: State, customer: int, campaign: int, product: int, values: Floats, row: int
) -> int:
    """Return the first suppression that stops a campaign for a customer now, or -1."""
    now = state.scalars[at.NOW]
    for rule in range(program.suppressions.shape[0]):
        if not _stops(program, rule, campaign):
            continue
        if program.suppressions[rule, SUPPRESSION_JUDGED]:
            holds = segments.judged_holds(program, state, customer, rule, now)
        else:
            condition = program.suppressions[rule, SUPPRESSION_CONDITION]
            stack = state.stack
            found = conditions.evaluate(program, state, stack, condition, customer, now, values, row, campaign, product)
            holds = found == 1.0
        if holds:
            return rule
    return -1


@kernel
def _timed_gates(
    program: Program, state: State, customer: int, campaign: int, key: int, channel: int
) -> tuple[int, int, int, int, int]:
    """Return (reason, rule, value, limit, until) of again_after, gap and caps; the reason is WON where all are open."""
    now = state.scalars[at.NOW]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    again = program.campaigns[campaign, CAMPAIGN_AGAIN_US]
    if again > 0:
        last = ledger.last_due(state, customer, campaign, key, False)
        if last + again > now:
            return AGAIN_AFTER, -1, last, 0, last + again
    gap = program.limits[P_GAP_US]
    if gap > 0:
        only = campaign if program.classes[klass, CLASS_EXEMPT_GAP] else -1
        last = ledger.last_due(state, customer, only, 0, True)
        if last + gap > now:
            return GAP, -1, last, 0, last + gap
    if not program.classes[klass, CLASS_EXEMPT_CAPS]:
        cap, count, room_at = ledger.full_cap(program, state, customer, campaign, klass, channel)
        if cap >= 0:
            return CAP, program.caps[cap, CAP_INDEX], count, program.caps[cap, CAP_MAX], room_at
    return WON, -1, 0, 0, 0


@kernel
def _pass_gates(program: Program, state: State, customer: int, row: int) -> None:
    """Find the first channel on which a candidate could go out, or the reason of the one that got furthest."""
    candidates = state.candidates
    campaign, key = candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    product = wishes.product_of(program, candidates, row)
    rule = _suppression(program, state, customer, campaign, product, state.contexts, row)
    candidates[row, at.C_REASON] = -1
    for i in range(program.campaigns[campaign, CAMPAIGN_SENDS]):
        channel = program.sends[campaign, i]
        which, value, limit, until = -1, 0, 0, 0
        if not _has_consent(program, state, customer, klass, channel):
            reason = NO_CONSENT
        elif not _has_address(program, state, customer, channel):
            reason = NO_ADDRESS
        elif rule >= 0:
            reason, which = SUPPRESSED, rule
        else:
            reason, which, value, limit, until = _timed_gates(program, state, customer, campaign, key, channel)
        if reason == WON or reason > candidates[row, at.C_REASON]:
            candidates[row, at.C_REASON] = reason
            candidates[row, at.C_CHANNEL] = channel
            candidates[row, at.C_RULE] = which
            candidates[row, at.C_VALUE] = value
            candidates[row, at.C_LIMIT] = limit
            candidates[row, at.C_UNTIL] = until
        if reason == WON:
            return


@kernel
def rank(program: Program, state: State, customer: int, campaign: int, product: int, values: Floats, row: int) -> float:
    """Return a campaign's rank for a customer now; NaN where it has none."""
    now, stack = state.scalars[at.NOW], state.stack
    propensity = program.campaigns[campaign, CAMPAIGN_PROPENSITY]
    found = program.campaign_numbers[campaign, NUMBER_PROPENSITY]
    if propensity >= 0:
        found = conditions.evaluate(program, state, stack, propensity, customer, now, values, row, campaign, product)
    state.propensity[0] = found
    expression = program.limits[P_RANK]
    return conditions.evaluate(program, state, stack, expression, customer, now, values, row, campaign, product)


@kernel
def _tie(program: Program, state: State, customer: int, campaign: int) -> int:
    low, high = state.customers[customer, at.FOUNDING_LOW], state.customers[customer, at.FOUNDING_HIGH]
    return mix(mix(low, high), program.campaigns[campaign, CAMPAIGN_TIE])


@kernel
def _beats(
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


@kernel
def _look_at_all(program: Program, state: State, customer: int) -> int:
    """Judge every born candidate; returns the winner's row, or -1. Scores go into `state.ranks`."""
    candidates = state.candidates
    winner, best = -1, np.nan
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        if candidates[row, at.C_BORN]:
            campaign = candidates[row, at.C_CAMPAIGN]
            product = wishes.product_of(program, candidates, row)
            if not wishes.is_eligible(program, state, customer, campaign, product, state.contexts, row):
                candidates[row, at.C_REASON] = NOT_ELIGIBLE
            else:
                _pass_gates(program, state, customer, row)
            if candidates[row, at.C_REASON] == WON:
                score = rank(program, state, customer, campaign, product, state.contexts, row)
                state.ranks[row] = score
                expiry = candidates[row, at.C_EXPIRES_AT]
                if winner < 0 or _beats(
                    program,
                    state,
                    customer,
                    campaign,
                    score,
                    expiry,
                    candidates[winner, at.C_CAMPAIGN],
                    best,
                    candidates[winner, at.C_EXPIRES_AT],
                ):
                    winner, best = row, score
        row = after
    return winner


@kernel
def _is_news(candidates: Ints, row: int) -> bool:
    """Whether a candidate's reason differs from what was last recorded of it."""
    reason = candidates[row, at.C_REASON]
    return (
        reason == WON
        or reason == NOT_ELIGIBLE
        or reason == OUTRANKED
        or reason != candidates[row, at.C_LAST_REASON]
        or candidates[row, at.C_CHANNEL] != candidates[row, at.C_LAST_CHANNEL]
        or candidates[row, at.C_RULE] != candidates[row, at.C_LAST_RULE]
        or candidates[row, at.C_UNTIL] != candidates[row, at.C_LAST_UNTIL]
    )


@kernel
def _outrank(program: Program, state: State, row: int, winner: int) -> None:
    """Let a candidate that could have won wait for the gap after the winner."""
    candidates = state.candidates
    klass = program.campaigns[candidates[row, at.C_CAMPAIGN], CAMPAIGN_CLASS]
    gap = 0 if program.classes[klass, CLASS_EXEMPT_GAP] else program.limits[P_GAP_US]
    candidates[row, at.C_REASON] = OUTRANKED
    candidates[row, at.C_VALUE] = candidates[winner, at.C_CAMPAIGN]
    candidates[row, at.C_UNTIL] = state.scalars[at.NOW] + gap


@kernel
def _block(candidates: Ints, row: int) -> None:
    """Block a loser until its reason can have lifted; only an event can lift the first three."""
    reason = candidates[row, at.C_REASON]
    by_event = reason == NO_CONSENT or reason == NO_ADDRESS or reason == SUPPRESSED
    candidates[row, at.C_BLOCK] = reason
    candidates[row, at.C_DUE_AT] = at.INFINITE if by_event else candidates[row, at.C_UNTIL]


@kernel
def _contact(program: Program, state: State, customer: int, row: int) -> int:
    """Reserve and commit the winner's contact; returns its number."""
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    number = state.scalars[at.NEXT_CONTACT]
    state.scalars[at.NEXT_CONTACT] += 1
    klass, now = program.campaigns[campaign, CAMPAIGN_CLASS], state.scalars[at.NOW]
    channel, key = candidates[row, at.C_CHANNEL], candidates[row, at.C_KEY]
    ledger.enter(program, state, customer, number, campaign, klass, channel, key, now)
    family = program.campaigns[campaign, CAMPAIGN_FAMILY]
    if family >= 0:
        if ledger.contacted(program, state, customer, state.names[family, at.N_HASH], now):
            segments.set_judgement(state, customer, now)
    return number


@kernel
def _write(state: State, row: int, contact: int) -> None:
    """Record what became of a candidate in this round."""
    candidates, lines = state.candidates, state.lines
    reason = candidates[row, at.C_REASON]
    line = record.line(state, candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY], reason)
    if reason == NOT_ELIGIBLE:
        return
    lines[line, at.L_CHANNEL] = candidates[row, at.C_CHANNEL]
    lines[line, at.L_RULE] = candidates[row, at.C_RULE]
    lines[line, at.L_VALUE] = candidates[row, at.C_VALUE]
    lines[line, at.L_LIMIT] = candidates[row, at.C_LIMIT]
    lines[line, at.L_UNTIL] = candidates[row, at.C_UNTIL]
    lines[line, at.L_CONTACT] = contact
    if reason == WON or reason == OUTRANKED:
        state.scores[line] = state.ranks[row]
    candidates[row, at.C_LAST_REASON] = reason
    candidates[row, at.C_LAST_CHANNEL] = candidates[row, at.C_CHANNEL]
    candidates[row, at.C_LAST_RULE] = candidates[row, at.C_RULE]
    candidates[row, at.C_LAST_UNTIL] = candidates[row, at.C_UNTIL]


@kernel
def hold_round(program: Program, state: State, customer: int) -> None:
    """Let all born candidates of a customer meet: one wins at most, each other gets its reason and waits or goes."""
    candidates = state.candidates
    winner = _look_at_all(program, state, customer)
    contact, begun = -1, False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        if candidates[row, at.C_BORN]:
            if row != winner and candidates[row, at.C_REASON] == WON:
                _outrank(program, state, row, winner)
            if _is_news(candidates, row):
                if not begun:
                    record.decision(state, ROUND, customer, -1)
                    begun = True
                if row == winner:
                    contact = _contact(program, state, customer, row)
                _write(state, row, contact if row == winner else -1)
            if candidates[row, at.C_REASON] == NOT_ELIGIBLE:
                wishes.drop(state, row)
            elif row != winner:
                _block(candidates, row)
        row = after
    if winner >= 0:
        wishes.drop(state, winner)
    wishes.set_round(state, customer)


@kernel
def round_timer(program: Program, state: State, timer: int) -> None:
    """Take up a round timer, if it still holds."""
    customer = state.timers[timer, timers.CUSTOMER]
    if state.customers[customer, at.ROUND_AT] == state.timers[timer, timers.DUE]:
        state.customers[customer, at.ROUND_AT] = at.INFINITE
        hold_round(program, state, customer)


@kernel
def wake(program: Program, state: State, customer: int) -> int:
    """Unblock the candidates whose consent, address or suppression no longer stands in the way.

    Returns the next instant at which time alone may unblock another.
    """
    candidates = state.candidates
    due, now = at.INFINITE, state.scalars[at.NOW]
    woken = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        block = candidates[row, at.C_BLOCK]
        if candidates[row, at.C_BORN] and (block == NO_CONSENT or block == NO_ADDRESS or block == SUPPRESSED):
            if _is_free(program, state, customer, row):
                candidates[row, at.C_BLOCK] = 0
                candidates[row, at.C_DUE_AT] = now
                woken = True
            else:
                due = min(due, _free_again(program, state, customer, row))
        row = candidates[row, at.C_NEXT]
    if woken:
        wishes.set_round(state, customer)
    return due


@kernel
def _is_free(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether a candidate passes consent, address and suppression on some channel."""
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    product = wishes.product_of(program, candidates, row)
    if _suppression(program, state, customer, campaign, product, state.contexts, row) >= 0:
        return False
    for i in range(program.campaigns[campaign, CAMPAIGN_SENDS]):
        channel = program.sends[campaign, i]
        has_address = _has_address(program, state, customer, channel)
        if has_address and _has_consent(program, state, customer, klass, channel):
            return True
    return False


@kernel
def _free_again(program: Program, state: State, customer: int, row: int) -> int:
    """Return the next instant at which a suppression of this candidate may change by time alone."""
    candidates = state.candidates
    campaign, now = candidates[row, at.C_CAMPAIGN], state.scalars[at.NOW]
    product = wishes.product_of(program, candidates, row)
    due = at.INFINITE
    for rule in range(program.suppressions.shape[0]):
        timed = program.suppressions[rule, SUPPRESSION_TIMED] and not program.suppressions[rule, SUPPRESSION_JUDGED]
        if timed and _stops(program, rule, campaign):
            condition = program.suppressions[rule, SUPPRESSION_CONDITION]
            until = holding.holds_until(
                program, state, state.stack, condition, customer, now, state.contexts, row, campaign, product
            )
            due = min(due, until)
    return due


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
        product = campaigns[campaign, CAMPAIGN_OFFER_PRODUCT]
        if wishes.is_eligible(program, state, customer, campaign, product, values, row):
            rule = _suppression(program, state, customer, campaign, product, values, row)
            state.asks[campaign] = rule if rule >= 0 else _COULD_WIN
            if rule < 0:
                state.ask_ranks[campaign] = rank(program, state, customer, campaign, product, values, row)


@kernel
def _best_ask(program: Program, state: State, customer: int) -> int:
    """Return the best campaign that could still win, or -1."""
    best = -1
    for campaign in range(program.campaigns.shape[0]):
        if state.asks[campaign] != _COULD_WIN:
            continue
        if best < 0 or _beats(
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
        elif found != _NOT_WANTED:
            line = record.line(state, campaign, 0, WON if found == _SHOWN else OUTRANKED)
            state.lines[line, at.L_VALUE] = 0 if found == _SHOWN else last
            state.scores[line] = state.ask_ranks[campaign]
