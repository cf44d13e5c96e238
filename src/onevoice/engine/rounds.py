"""Rounds: all that want a customer now meet; one gets the contact, and each other its reason (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import contacts, gates, ranking, record, switches, timers
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import (
    CAP,
    FAILED,
    NO_ADDRESS,
    NO_CONSENT,
    NOT_ELIGIBLE,
    OUTRANKED,
    ROUND,
    SUPPRESSED,
    WON,
)
from onevoice.engine.store import COUNT
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_UNSEEN_US,
    CLASS_COUNTS,
    CLASS_EXEMPT_GAP,
    P_CAPS_LIFT,
    P_GAP_US,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

_NO_PART: Final = 0  # the reason of a candidate that takes no part in a round


@kernel
def _look_at(program: Program, state: State, customer: int, row: int) -> bool:
    """Give a candidate its reason; returns whether it could go out."""
    campaign = state.candidates[row, at.C_CAMPAIGN]
    product = wishes.product_of(program, state.candidates, row)
    if wishes.is_eligible(program, state, customer, campaign, product, state.contexts, row):
        gates.pass_all(program, state, customer, row)
    else:
        state.candidates[row, at.C_REASON] = NOT_ELIGIBLE
    return state.candidates[row, at.C_REASON] == WON


@kernel
def _follow(program: Program, state: State, customer: int) -> None:
    """Let each contact that stayed unseen long enough be followed: it has its slot. Takes back all other reasons."""
    candidates, now = state.candidates, state.scalars[at.NOW]
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        candidates[row, at.C_REASON] = _NO_PART
        if candidates[row, at.C_BORN] and candidates[row, at.C_STAGE] == at.WATCHED:
            unseen = program.campaigns[candidates[row, at.C_CAMPAIGN], CAMPAIGN_UNSEEN_US]
            if candidates[row, at.C_CONTACT_AT] + unseen <= now and _look_at(program, state, customer, row):
                candidates[row, at.C_RULE] = candidates[row, at.C_CONTACT]
                state.ranks[row] = np.nan
                contacts.make(program, state, customer, row, candidates[row, at.C_CHANNEL])
        row = candidates[row, at.C_NEXT]


@kernel
def _look_at_all(program: Program, state: State, customer: int) -> int:
    """Judge every candidate that waits; returns the winner's row, or -1. Scores go into `state.ranks`."""
    candidates = state.candidates
    winner, best = -1, np.nan
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        if candidates[row, at.C_BORN] and candidates[row, at.C_STAGE] == at.WAITING:
            if _look_at(program, state, customer, row):
                campaign = candidates[row, at.C_CAMPAIGN]
                product = wishes.product_of(program, candidates, row)
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
def _outrank_others(program: Program, state: State, customer: int, winner: int) -> None:
    """Let all that compete with the winner, and could have won, lose to it."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        competes = candidates[row, at.C_STAGE] == at.WAITING and candidates[row, at.C_REASON] == WON
        if competes and row != winner:
            _outrank(program, state, row, winner)
        row = candidates[row, at.C_NEXT]


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
def _is_lifted_by_event(reason: int) -> bool:
    return reason == NO_CONSENT or reason == NO_ADDRESS or reason == FAILED or reason == SUPPRESSED


@kernel
def _write(state: State, row: int) -> None:
    """Record what became of a candidate in this round."""
    candidates, lines = state.candidates, state.lines
    reason = candidates[row, at.C_REASON]
    line = record.line(state, candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY], reason)
    if reason == WON or candidates[row, at.C_STAGE] == at.WATCHED:
        lines[line, at.L_CONTACT] = candidates[row, at.C_CONTACT]
    if reason == NOT_ELIGIBLE:
        return
    lines[line, at.L_CHANNEL] = candidates[row, at.C_CHANNEL]
    lines[line, at.L_RULE] = candidates[row, at.C_RULE]
    lines[line, at.L_VALUE] = candidates[row, at.C_VALUE]
    lines[line, at.L_LIMIT] = candidates[row, at.C_LIMIT]
    lines[line, at.L_UNTIL] = candidates[row, at.C_UNTIL]
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
    _follow(program, state, customer)
    winner = _look_at_all(program, state, customer)
    if winner >= 0:
        _outrank_others(program, state, customer, winner)
        contacts.make(program, state, customer, winner, candidates[winner, at.C_CHANNEL])
    first = state.pools[at.LINES, COUNT]
    begun = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        if candidates[row, at.C_REASON] != _NO_PART:
            if _is_news(candidates, row):
                if not begun:
                    record.decision(state, ROUND, customer, -1)
                    begun = True
                _write(state, row)
            if candidates[row, at.C_REASON] == NOT_ELIGIBLE:
                wishes.drop(state, row)
            elif candidates[row, at.C_REASON] == WON:
                contacts.leave(program, state, row, candidates[row, at.C_CHANNEL])
            else:
                _block(candidates, row)
        row = after
    _count_contacts(program, state, first, state.pools[at.LINES, COUNT])
    wishes.set_round(state, customer)


@kernel
def _count_contacts(program: Program, state: State, first: int, stop: int) -> None:
    """Count what the lines `[first, stop)` say was won, each contact in its campaign's run."""
    for line in range(first, stop):
        if state.lines[line, at.L_REASON] == WON:
            switches.count_contact(program, state, state.lines[line, at.L_CAMPAIGN])


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
    if _is_lifted_by_event(block):
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
            elif _is_lifted_by_event(block):
                due = min(due, gates.free_again(program, state, customer, row))
        row = candidates[row, at.C_NEXT]
    if woken:
        wishes.set_round(state, customer)
    return due
