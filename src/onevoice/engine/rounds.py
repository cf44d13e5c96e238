"""Rounds: all that want a customer now meet; one gets the contact, and each other its reason (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates as wishes
from onevoice.engine import (
    exploring,
    gates,
    holdouts,
    ledger,
    proposals,
    ranking,
    record,
    resources,
    segments,
    switches,
    timers,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import (
    CAP,
    NO_ADDRESS,
    NO_CONSENT,
    NOT_ELIGIBLE,
    OUTRANKED,
    ROUND,
    SUPPRESSED,
    WON,
    WOULD_HAVE_WON,
)
from onevoice.program import (
    CAMPAIGN_CLASS,
    CLASS_COUNTS,
    CLASS_EXEMPT_GAP,
    P_CAPS_LIFT,
    P_EXPLORED,
    P_GAP_US,
    PROPOSAL_FAMILY,
    PROPOSAL_OFFER,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints


@kernel
def _look_at_all(program: Program, state: State, customer: int) -> None:
    """Judge every born candidate, and rank those that could win: the scores go into `state.ranks`."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_BORN]:
            campaign = candidates[row, at.C_CAMPAIGN]
            world, birth = candidates[row, at.C_PRODUCT], candidates[row, at.C_BIRTH_AT]
            proposal, rule = proposals.choose(program, state, customer, campaign, world, birth, state.contexts, row)
            candidates[row, at.C_PROPOSAL] = proposal
            if proposal < 0:
                candidates[row, at.C_REASON] = NOT_ELIGIBLE
            else:
                gates.pass_all(program, state, customer, row, rule)
            if candidates[row, at.C_REASON] == WON:
                product = wishes.product_of(program, proposal, world)
                score = ranking.rank(program, state, customer, proposal, product, birth, state.contexts, row)
                state.ranks[row] = score
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
    return bool(candidates[row, at.C_BORN] == 1 and candidates[row, at.C_REASON] == WON)


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
        product = wishes.product_of(program, state.candidates[row, at.C_PROPOSAL], state.candidates[row, at.C_PRODUCT])
        state.candidates[row, at.C_VALUE] = state.names[product, at.N_HASH] if product >= 0 else 0
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
def _contact(program: Program, state: State, customer: int, row: int, number: int) -> None:
    """Enter a contact into the ledger: reserved and committed, or one that would have been if nobody were held out."""
    candidates = state.candidates
    proposal, now = candidates[row, at.C_PROPOSAL], state.scalars[at.NOW]
    product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
    gates.describe(program, state, customer, proposal, candidates[row, at.C_CHANNEL], product)
    ledger.enter(program, state, customer, number, candidates[row, at.C_KEY], now)
    if program.resources.shape[0] > 0 and number != at.HELD_OUT:
        campaign = candidates[row, at.C_CAMPAIGN]
        klass = program.campaigns[campaign, CAMPAIGN_CLASS]
        resources.take(program, state, klass, campaign, candidates[row, at.C_CHANNEL], product)
    family = program.proposals[proposal, PROPOSAL_FAMILY]
    if family >= 0:
        if ledger.contacted(program, state, customer, state.names[family, at.N_HASH], now):
            segments.set_judgement(state, customer, now)


@kernel
def _write(program: Program, state: State, row: int) -> int:
    """Record what became of a candidate in this round; returns the line."""
    candidates, lines = state.candidates, state.lines
    reason = candidates[row, at.C_REASON]
    line = record.line(state, candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY], reason)
    if reason == NOT_ELIGIBLE:
        return line
    lines[line, at.L_CHANNEL] = candidates[row, at.C_CHANNEL]
    lines[line, at.L_RULE] = candidates[row, at.C_RULE]
    lines[line, at.L_VALUE] = candidates[row, at.C_VALUE]
    lines[line, at.L_LIMIT] = candidates[row, at.C_LIMIT]
    lines[line, at.L_UNTIL] = candidates[row, at.C_UNTIL]
    lines[line, at.L_OFFER] = program.proposals[candidates[row, at.C_PROPOSAL], PROPOSAL_OFFER]
    if reason == WON or reason == OUTRANKED or reason == WOULD_HAVE_WON:
        state.figures[line, at.F_SCORE] = state.ranks[row]
    if reason == WON or reason == WOULD_HAVE_WON:
        state.figures[line, at.F_PROBABILITY] = state.chances[row]
    candidates[row, at.C_LAST_REASON] = reason
    candidates[row, at.C_LAST_CHANNEL] = candidates[row, at.C_CHANNEL]
    candidates[row, at.C_LAST_RULE] = candidates[row, at.C_RULE]
    candidates[row, at.C_LAST_UNTIL] = candidates[row, at.C_UNTIL]
    return line


@kernel
def _complete(program: Program, state: State, customer: int, row: int, line: int) -> None:
    """Write into the winner's line its contact, and the parameters of its offer."""
    proposal = state.candidates[row, at.C_PROPOSAL]
    product = wishes.product_of(program, proposal, state.candidates[row, at.C_PRODUCT])
    proposals.compute(program, state, customer, proposal, product, state.contexts, row, line)
    state.lines[line, at.L_CONTACT] = state.scalars[at.NEXT_CONTACT]


@kernel
def _settle(program: Program, state: State, customer: int, winner: int) -> None:
    """Let those that won or would have, and those that are not eligible, go; the others wait."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        reason = candidates[row, at.C_REASON]
        if not candidates[row, at.C_BORN]:
            row = after
            continue
        if row == winner:
            _contact(program, state, customer, row, state.scalars[at.NEXT_CONTACT])
            state.scalars[at.NEXT_CONTACT] += 1
            switches.count_contact(program, state, candidates[row, at.C_CAMPAIGN])
        elif reason == WOULD_HAVE_WON:
            _contact(program, state, customer, row, at.HELD_OUT)
        if row == winner or reason == WOULD_HAVE_WON or reason == NOT_ELIGIBLE:
            wishes.drop(state, row)
        else:
            _block(candidates, row)
        row = after


@kernel
def hold_round(program: Program, state: State, customer: int) -> None:
    """Let all born candidates of a customer meet: one wins at most, each other gets its reason and waits or goes."""
    candidates = state.candidates
    _look_at_all(program, state, customer)
    winner = _winner(program, state, customer)
    begun = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_BORN]:
            if row != winner and candidates[row, at.C_REASON] == WON:
                _outrank(program, state, row, winner)
            if _is_news(candidates, row):
                if not begun:
                    record.decision(state, ROUND, customer, -1)
                    begun = True
                line = _write(program, state, row)
                if row == winner:
                    _complete(program, state, customer, row, line)
        row = candidates[row, at.C_NEXT]
    _settle(program, state, customer, winner)
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
