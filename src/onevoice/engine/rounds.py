"""Rounds: all that want a customer now meet; one gets the contact, and each other its reason (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import gates, ledger, ranking, record, resources, segments, switches, timers
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import CAP, NO_ADDRESS, NO_CONSENT, NOT_ELIGIBLE, OUTRANKED, ROUND, SUPPRESSED, WON
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_FAMILY,
    CLASS_COUNTS,
    CLASS_EXEMPT_GAP,
    P_CAPS_LIFT,
    P_GAP_US,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints


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
                gates.pass_all(program, state, customer, row)
            if candidates[row, at.C_REASON] == WON:
                score = ranking.rank(program, state, customer, campaign, product, state.contexts, row)
                state.ranks[row] = score
                expiry = candidates[row, at.C_EXPIRES_AT]
                if winner < 0 or ranking.beats(
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
    """Let a candidate that could have won wait for the gap after the winner, if there is one."""
    candidates = state.candidates
    klass = program.campaigns[candidates[row, at.C_CAMPAIGN], CAMPAIGN_CLASS]
    counts = program.classes[program.campaigns[candidates[winner, at.C_CAMPAIGN], CAMPAIGN_CLASS], CLASS_COUNTS]
    gap = program.limits[P_GAP_US] if counts and not program.classes[klass, CLASS_EXEMPT_GAP] else 0
    candidates[row, at.C_REASON] = OUTRANKED
    candidates[row, at.C_VALUE] = candidates[winner, at.C_CAMPAIGN]
    candidates[row, at.C_UNTIL] = candidates[row, at.C_WAKES_AT] = state.scalars[at.NOW] + gap
    candidates[row, at.C_HOURS_ZONE] = -1


@kernel
def _block(candidates: Ints, row: int) -> None:
    """Block a loser until what stops it can have lifted; what only an event lifts has no such instant."""
    candidates[row, at.C_BLOCK] = candidates[row, at.C_REASON]
    candidates[row, at.C_DUE_AT] = candidates[row, at.C_WAKES_AT]


@kernel
def _contact(program: Program, state: State, customer: int, row: int) -> int:
    """Reserve and commit the winner's contact; returns its number."""
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    number = state.scalars[at.NEXT_CONTACT]
    state.scalars[at.NEXT_CONTACT] += 1
    now, product = state.scalars[at.NOW], wishes.product_of(program, candidates, row)
    gates.describe(program, state, customer, campaign, candidates[row, at.C_CHANNEL], product)
    ledger.enter(program, state, customer, number, candidates[row, at.C_KEY], now)
    candidates[row, at.C_VALUE] = state.names[product, at.N_HASH] if product >= 0 else 0
    if program.resources.shape[0] > 0:
        klass = program.campaigns[campaign, CAMPAIGN_CLASS]
        resources.take(program, state, klass, campaign, candidates[row, at.C_CHANNEL], product)
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
        switches.count_contact(program, state, candidates[winner, at.C_CAMPAIGN])
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
def _has_moved(state: State, row: int) -> bool:
    """Whether the customer's clock is no more the one by which a channel was closed to a candidate."""
    candidates = state.candidates
    zone = candidates[row, at.C_HOURS_ZONE]
    return zone >= 0 and zone != state.customers[candidates[row, at.C_CUSTOMER], at.ZONE]


@kernel
def _is_lifted(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether what blocks a candidate no longer does, otherwise than because its time has come."""
    block = state.candidates[row, at.C_BLOCK]
    if block == NO_CONSENT or block == NO_ADDRESS or block == SUPPRESSED:
        return gates.is_free(program, state, customer, row)
    lifts = block == CAP and program.limits[P_CAPS_LIFT] == 1
    return _has_moved(state, row) or (lifts and gates.has_room_again(program, state, customer, row))


@kernel
def wake(program: Program, state: State, customer: int) -> int:
    """Unblock candidates in whose way consent, address, suppression or cap stand no longer, or whose clock has moved.

    Returns the next instant at which time alone may unblock another.
    """
    candidates = state.candidates
    due, now = at.INFINITE, state.scalars[at.NOW]
    woken = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        block = candidates[row, at.C_BLOCK]
        if candidates[row, at.C_BORN] and block > 0:
            if _is_lifted(program, state, customer, row):
                candidates[row, at.C_BLOCK] = 0
                candidates[row, at.C_DUE_AT] = now
                woken = True
            elif block == NO_CONSENT or block == NO_ADDRESS or block == SUPPRESSED:
                due = min(due, gates.free_again(program, state, customer, row))
        row = candidates[row, at.C_NEXT]
    if woken:
        wishes.set_round(state, customer)
    return due
