"""Rounds: all that want a customer now meet; one gets the contact, and each other its reason (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import (
    contacts,
    exploring,
    gates,
    hearsay,
    holdouts,
    look_ahead,
    proposals,
    ranking,
    record,
    switches,
    timers,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import (
    CAP,
    FAILED,
    KEPT_FOR,
    NO_ADDRESS,
    NO_CONSENT,
    NOT_ELIGIBLE,
    OUTRANKED,
    ROUND,
    SUPPRESSED,
    WON,
    WOULD_HAVE_WON,
)
from onevoice.engine.store import COUNT
from onevoice.program import (
    CAMPAIGN_CLASS,
    CAMPAIGN_UNSEEN_US,
    CLASS_COUNTS,
    CLASS_EXEMPT_GAP,
    P_CAPS_LIFT,
    P_EXPLORED,
    P_GAP_US,
    PROPOSAL_OFFER,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints


_NO_PART: Final = 0  # the reason of a candidate that takes no part in a round


@kernel
def _look_at(program: Program, state: State, customer: int, row: int) -> bool:
    """Give a candidate its reason; returns whether it could go out."""
    candidates = state.candidates
    world, birth = candidates[row, at.C_PRODUCT], candidates[row, at.C_BIRTH_AT]
    start, stop = wishes.proposals_of(program, candidates, row)
    proposal, rule = proposals.choose(program, state, customer, start, stop, world, birth, state.contexts, row)
    candidates[row, at.C_PROPOSAL] = proposal
    if proposal < 0:
        candidates[row, at.C_REASON] = NOT_ELIGIBLE
    else:
        gates.pass_all(program, state, customer, row, rule)
    return bool(candidates[row, at.C_REASON] == WON)


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
                state.ranks[row] = state.chances[row] = np.nan
                contacts.make(program, state, customer, row)
        row = candidates[row, at.C_NEXT]


@kernel
def _look_at_all(program: Program, state: State, customer: int) -> None:
    """Judge every candidate that waits, and rank those that could win: the scores go into `state.ranks`."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        waits = candidates[row, at.C_BORN] and candidates[row, at.C_STAGE] == at.WAITING
        if waits and _look_at(program, state, customer, row):
            proposal, birth = candidates[row, at.C_PROPOSAL], candidates[row, at.C_BIRTH_AT]
            product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
            state.ranks[row] = ranking.rank(program, state, customer, proposal, product, birth, state.contexts, row)
        row = candidates[row, at.C_NEXT]


@kernel
def _best(program: Program, state: State, customer: int) -> int:
    """Return the row of the best candidate that could win, or -1."""
    candidates = state.candidates
    best, best_score = -1, 0.0
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        score = float(state.ranks[row])
        if _could_win(candidates, row) and (
            best < 0
            or ranking.beats(
                program,
                state,
                customer,
                candidates[row, at.C_CAMPAIGN],
                score,
                candidates[row, at.C_EXPIRES_AT],
                candidates[best, at.C_CAMPAIGN],
                best_score,
                candidates[best, at.C_EXPIRES_AT],
            )
        ):
            best, best_score = row, score
        row = candidates[row, at.C_NEXT]
    return best


@kernel
def _could_win(candidates: Ints, row: int) -> bool:
    """Whether a candidate competes and nothing stops it; what follows a contact does not compete."""
    return bool(candidates[row, at.C_STAGE] == at.WAITING and candidates[row, at.C_REASON] == WON)


@kernel
def _drawn(program: Program, state: State, customer: int, turn: int, best: int) -> tuple[int, float]:
    """Return the row that wins, which exploration may draw among those that could, and its probability to do so."""
    candidates = state.candidates
    if program.limits[P_EXPLORED] == 0 or not exploring.takes_part(program, candidates[best, at.C_CAMPAIGN]):
        return best, 1.0
    able = 0
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        able += _could_win(candidates, row) and exploring.takes_part(program, candidates[row, at.C_CAMPAIGN])
        row = candidates[row, at.C_NEXT]
    place = exploring.draw(program, state, customer, exploring.of_round(state, customer), turn, able)
    winner = best
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if _could_win(candidates, row) and exploring.takes_part(program, candidates[row, at.C_CAMPAIGN]):
            if place == 0:
                winner = row
            place -= 1
        row = candidates[row, at.C_NEXT]
    return winner, exploring.probability(program, winner == best, able)


@kernel
def _winner(program: Program, state: State, customer: int) -> int:
    """Return the row that wins, or -1; of those before it the customer is held out."""
    turn = 0
    while True:
        best = _best(program, state, customer)
        if best < 0:
            return -1
        row, probability = _drawn(program, state, customer, turn, best)
        state.chances[row] = probability
        if not holdouts.is_held_out(program, state, customer, state.candidates[row, at.C_CAMPAIGN]):
            return row
        state.candidates[row, at.C_REASON] = WOULD_HAVE_WON
        turn += 1


@kernel
def _is_news(candidates: Ints, row: int) -> bool:
    """Whether a candidate's reason differs from what was last recorded of it."""
    reason = candidates[row, at.C_REASON]
    return (
        reason == WON
        or reason == WOULD_HAVE_WON
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
        if row != winner and _could_win(candidates, row):
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
def _contact_all(program: Program, state: State, customer: int, winner: int) -> None:
    """Make the winner's contact, and note those that would have been made if the customer were not held out."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if row == winner:
            contacts.make(program, state, customer, row)
        elif candidates[row, at.C_REASON] == WOULD_HAVE_WON:
            contacts.hold_back(program, state, customer, row)
        row = candidates[row, at.C_NEXT]


@kernel
def _write(program: Program, state: State, customer: int, row: int) -> None:
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
    lines[line, at.L_OFFER] = program.proposals[candidates[row, at.C_PROPOSAL], PROPOSAL_OFFER]
    if reason == WON or reason == KEPT_FOR or reason == OUTRANKED or reason == WOULD_HAVE_WON:
        state.figures[line, at.F_SCORE] = state.ranks[row]
    if reason == WON or reason == WOULD_HAVE_WON:
        state.figures[line, at.F_PROBABILITY] = state.chances[row]
    candidates[row, at.C_LAST_REASON] = reason
    candidates[row, at.C_LAST_CHANNEL] = candidates[row, at.C_CHANNEL]
    candidates[row, at.C_LAST_RULE] = candidates[row, at.C_RULE]
    candidates[row, at.C_LAST_UNTIL] = candidates[row, at.C_UNTIL]
    if reason == WON:
        _compute(program, state, customer, row, line)


@kernel
def _compute(program: Program, state: State, customer: int, row: int, line: int) -> None:
    """Write into a winner's line the parameters of its offer."""
    proposal = state.candidates[row, at.C_PROPOSAL]
    product = wishes.product_of(program, proposal, state.candidates[row, at.C_PRODUCT])
    proposals.compute(program, state, customer, proposal, product, state.contexts, row, line)


@kernel
def _go_on(program: Program, state: State, row: int) -> None:
    """Let those that would have won, and those that are not eligible, go; who won has a contact; the others wait."""
    reason = state.candidates[row, at.C_REASON]
    if reason == WOULD_HAVE_WON or reason == NOT_ELIGIBLE:
        wishes.drop(state, row)
    elif reason == WON:
        contacts.leave(program, state, row)
    else:
        _block(state.candidates, row)


@kernel
def hold_round(program: Program, state: State, customer: int) -> None:
    """Let all born candidates of a customer meet: one wins at most, each other gets its reason and waits or goes."""
    candidates = state.candidates
    _follow(program, state, customer)
    _look_at_all(program, state, customer)
    look_ahead.keep_back(program, state, customer)
    winner = _winner(program, state, customer)
    if winner >= 0:
        _outrank_others(program, state, customer, winner)
    _contact_all(program, state, customer, winner)
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
                _write(program, state, customer, row)
            _go_on(program, state, row)
        row = after
    if begun and state.scalars[at.TOLD] > 0:
        hearsay.close(state, customer)
    _count_contacts(program, state, first, state.pools[at.LINES, COUNT])
    wishes.set_round(state, customer)


@kernel
def _count_contacts(program: Program, state: State, first: int, stop: int) -> None:
    """Count what the lines `[first, stop)` say was won, each contact in its campaign's run."""
    for line in range(first, stop):
        if state.lines[line, at.L_REASON] == WON:
            switches.count_contact(program, state, state.lines[line, at.L_CAMPAIGN])


@kernel
def round_timer(program: Program, state: State, timer: int) -> int:
    """Take up a round timer, if it still holds; returns whose round it was."""
    customer, due = state.timers[timer, timers.CUSTOMER], state.timers[timer, timers.DUE]
    if state.customers[customer, at.ROUND_AT] != due:
        return int(customer)
    if state.scalars[at.TOLD] > 0:
        first = hearsay.who_is_first(state, customer)
        if first != customer:
            timers.push(state, due, timers.ROUND, customer, 0, 0, 0)
            customer = first
    state.customers[customer, at.ROUND_AT] = at.INFINITE
    hold_round(program, state, customer)
    return int(customer)


@kernel
def _has_moved(state: State, row: int) -> bool:
    """Whether the customer's clock is no more the one by which a channel was closed to a candidate."""
    candidates = state.candidates
    zone = candidates[row, at.C_HOURS_ZONE]
    return zone >= 0 and zone != state.customers[candidates[row, at.C_CUSTOMER], at.ZONE]


@kernel
def _is_lifted_by_event(reason: int) -> bool:
    return reason == NO_CONSENT or reason == NO_ADDRESS or reason == FAILED or reason == SUPPRESSED


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
