"""Candidates: wishes of campaigns for a customer, from their trigger to their end (semantics §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import conditions, facts, ledger, record, resources, switches, timers, waiting
from onevoice.engine import state as at
from onevoice.engine.contact_states import CANCELLED, RESERVED
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import AGAIN_AFTER, CAP, END, ENDED, EXPIRED, GAP, KEPT_FOR, OUTRANKED, TOO_MANY
from onevoice.engine.store import give_back, take
from onevoice.program import (
    CAMPAIGN_AFTER_US,
    CAMPAIGN_FROM,
    CAMPAIGN_IF,
    CAMPAIGN_PROPOSALS_FROM,
    CAMPAIGN_PROPOSALS_TO,
    CAMPAIGN_TO,
    CAMPAIGN_UNTIL,
    CAMPAIGN_UNTIL_KEYED,
    CAMPAIGN_VALID_US,
    CAMPAIGN_WAIT_US,
    P_GROUPS_COUNTED,
    PROPOSAL_CAMPAIGN,
    PROPOSAL_IF,
    PROPOSAL_PRODUCT,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats, Ints

CANDIDATES_MAX: Final = 64  # of one customer, born or not


@kernel
def product_of(program: Program, proposal: int, world: int) -> int:
    """Return the name code of the product that is proposed: the offer's, else that of the world event, else -1."""
    product = program.proposals[proposal, PROPOSAL_PRODUCT]
    return product if product >= 0 else world


@kernel
def proposals_of(program: Program, candidates: Ints, row: int) -> tuple[int, int]:
    """Return the range of what a candidate may propose; what follows a contact proposes what that did."""
    if candidates[row, at.C_STAGE] == at.WATCHED:
        return candidates[row, at.C_PROPOSAL], candidates[row, at.C_PROPOSAL] + 1
    campaign = candidates[row, at.C_CAMPAIGN]
    return program.campaigns[campaign, CAMPAIGN_PROPOSALS_FROM], program.campaigns[campaign, CAMPAIGN_PROPOSALS_TO]


@kernel
def is_eligible(
    program: Program, state: State, customer: int, proposal: int, product: int, values: Floats, row: int
) -> bool:
    """Whether a campaign's `if` and the `if` of one of its offers are true."""
    now, stack = state.scalars[at.NOW], state.stack
    campaign = program.proposals[proposal, PROPOSAL_CAMPAIGN]
    for condition in (program.campaigns[campaign, CAMPAIGN_IF], program.proposals[proposal, PROPOSAL_IF]):
        if condition >= 0:
            found = conditions.evaluate(program, state, stack, condition, customer, now, values, row, proposal, product)
            if found != 1.0:
                return False
    return True


@kernel
def _is_wanted(program: Program, state: State, row: int) -> bool:
    """Whether a candidate is eligible with any of its offers."""
    candidates = state.candidates
    customer = candidates[row, at.C_CUSTOMER]
    start, stop = proposals_of(program, candidates, row)
    for proposal in range(start, stop):
        product = product_of(program, proposal, candidates[row, at.C_PRODUCT])
        if is_eligible(program, state, customer, proposal, product, state.contexts, row):
            return True
    return False


@kernel
def _find(state: State, customer: int, campaign: int, key: int) -> tuple[int, int]:
    """Return (row, row before it in the chain) of a candidate; row is -1 where there is none."""
    candidates = state.candidates
    before, row = -1, state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_CAMPAIGN] == campaign and candidates[row, at.C_KEY] == key:
            return row, before
        if candidates[row, at.C_CAMPAIGN] > campaign or (
            candidates[row, at.C_CAMPAIGN] == campaign and candidates[row, at.C_KEY] > key
        ):
            break
        before, row = row, candidates[row, at.C_NEXT]
    return -1, before


@kernel
def row_of(state: State, customer: int, campaign: int, key: int) -> int:
    """Return a customer's candidate for a campaign and key, or -1."""
    return _find(state, customer, campaign, key)[0]


@kernel
def _link(state: State, customer: int, before: int, row: int) -> None:
    candidates, customers = state.candidates, state.customers
    if before < 0:
        candidates[row, at.C_NEXT] = customers[customer, at.CANDIDATE_HEAD]
        customers[customer, at.CANDIDATE_HEAD] = row
    else:
        candidates[row, at.C_NEXT] = candidates[before, at.C_NEXT]
        candidates[before, at.C_NEXT] = row
    customers[customer, at.CANDIDATE_COUNT] += 1


@kernel
def drop(state: State, row: int) -> None:
    """Remove a candidate."""
    candidates = state.candidates
    customer = candidates[row, at.C_CUSTOMER]
    _, before = _find(state, customer, candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY])
    if before < 0:
        state.customers[customer, at.CANDIDATE_HEAD] = candidates[row, at.C_NEXT]
    else:
        candidates[before, at.C_NEXT] = candidates[row, at.C_NEXT]
    state.customers[customer, at.CANDIDATE_COUNT] -= 1
    if candidates[row, at.C_TURN_OF] >= 0:
        waiting.leave(state, row)
    candidates[row, at.C_CUSTOMER] = -1
    give_back(candidates, state.pools, at.CANDIDATES, at.C_NEXT, row)


@kernel
def let_go(state: State, row: int) -> bool:
    """Remove a candidate otherwise than in a round; whoever was kept back for its campaign is free.

    Returns whether there is anybody; the round is then to be set anew.
    """
    customer, campaign = state.candidates[row, at.C_CUSTOMER], state.candidates[row, at.C_CAMPAIGN]
    drop(state, row)
    return free_kept(state, customer, campaign)


@kernel
def free_kept(state: State, customer: int, campaign: int) -> bool:
    """Unblock those that were kept back for a campaign, or for any (-1); returns whether there are any."""
    candidates = state.candidates
    found = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        is_kept = candidates[row, at.C_BORN] and candidates[row, at.C_BLOCK] == KEPT_FOR
        if is_kept and (campaign < 0 or candidates[row, at.C_VALUE] == campaign):
            candidates[row, at.C_BLOCK] = 0
            candidates[row, at.C_DUE_AT] = state.scalars[at.NOW]
            found = True
        row = candidates[row, at.C_NEXT]
    return found


@kernel
def end_with(state: State, row: int, reason: int, rule: int) -> int:
    """Record why a candidate came to an end by itself, by which rule if any, and after which contact; remove it.

    Returns the line.
    """
    candidates = state.candidates
    record.decision(state, END, candidates[row, at.C_CUSTOMER], -1)
    campaign, key = candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY]
    line = record.line(state, campaign, key, reason)
    state.lines[line, at.L_RULE] = rule
    if candidates[row, at.C_STAGE] != at.WAITING:
        state.lines[line, at.L_CONTACT] = candidates[row, at.C_CONTACT]
    let_go(state, row)
    return line


@kernel
def _is_over(program: Program, state: State, customer: int, campaign: int, key: int, time: int, position: int) -> bool:
    """Whether an `until` event came that is later than a trigger at (time, position)."""
    fact = program.campaigns[campaign, CAMPAIGN_UNTIL]
    if fact < 0:
        return False
    until_key = key if program.campaigns[campaign, CAMPAIGN_UNTIL_KEYED] else 0
    found = facts.find_row(state, customer, fact, facts.ENTRY, until_key)
    if found < 0:
        return False
    ended = state.facts[found, at.OPEN_AT]
    return ended > time or (ended == time and state.facts[found, at.OPEN_POSITION] > position)


@kernel
def _has_ended(program: Program, state: State, row: int) -> bool:
    candidate = state.candidates[row]
    customer, campaign, key = candidate[at.C_CUSTOMER], candidate[at.C_CAMPAIGN], candidate[at.C_KEY]
    time, position = candidate[at.C_TRIGGER_AT], candidate[at.C_TRIGGER_POSITION]
    return _is_over(program, state, customer, campaign, key, time, position)


@kernel
def end_by_until(program: Program, state: State, customer: int) -> None:
    """Remove the candidates that have ended; those not yet born without a word."""
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        after = candidates[row, at.C_NEXT]
        if _has_ended(program, state, row):
            if candidates[row, at.C_BORN]:
                end_early(program, state, row, ENDED, -1)
            else:
                let_go(state, row)
        row = after
    set_round(state, customer)


@kernel
def end_early(program: Program, state: State, row: int, reason: int, rule: int) -> None:
    """Record and remove a candidate that is to come to nothing, and cancel the contact of one in flight.

    The contact's number is recorded, so that whoever is to send it may know.
    """
    candidate = state.candidates[row]
    customer, number = candidate[at.C_CUSTOMER], candidate[at.C_CONTACT]
    in_flight = candidate[at.C_STAGE] == at.IN_FLIGHT
    end_with(state, row, reason, rule)
    if not in_flight:
        return
    contact = ledger.row_of(program, state, customer, number)
    if contact >= 0 and state.contacts[contact, at.K_STATE] == RESERVED:
        state.contacts[contact, at.K_STATE] = CANCELLED
        resources.give_back(program, state, contact, 1)
        unblock_timed(program, state, customer)


@kernel
def unblock_timed(program: Program, state: State, customer: int) -> None:
    """Let all that waits for other contacts to lie far enough back be looked at now: one of them counts no more.

    All with whom the customer's contacts are counted together are judged at once.
    """
    candidates = state.candidates
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        block = candidates[row, at.C_BLOCK]
        if block == AGAIN_AFTER or block == GAP or block == CAP or block == KEPT_FOR or block == OUTRANKED:
            candidates[row, at.C_BLOCK] = 0
            candidates[row, at.C_DUE_AT] = state.scalars[at.NOW]
        row = candidates[row, at.C_NEXT]
    facts.wake_groups(program, state, customer, program.limits[P_GROUPS_COUNTED])


@kernel
def expiry(program: Program, campaign: int, start: int) -> int:
    """Return when a candidate of a campaign expires whose life begins at an instant."""
    valid = program.campaigns[campaign, CAMPAIGN_VALID_US]
    end = program.campaigns[campaign, CAMPAIGN_TO]
    return end if valid == 0 else min(start + valid, end)


@kernel
def _set_expiry(program: Program, state: State, row: int, start: int) -> None:
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    due = expiry(program, campaign, start)
    candidates[row, at.C_EXPIRES_AT] = due
    time_expiry(state, row)


@kernel
def time_expiry(state: State, row: int) -> None:
    """See to it that a timer is due when a candidate expires, or before: then it is set anew."""
    candidates = state.candidates
    due = max(candidates[row, at.C_EXPIRES_AT], state.scalars[at.NOW])  # in flight it may have expired before
    if due < candidates[row, at.C_EXPIRY_TIMER]:
        candidates[row, at.C_EXPIRY_TIMER] = due
        customer, campaign, key = (
            candidates[row, at.C_CUSTOMER],
            candidates[row, at.C_CAMPAIGN],
            candidates[row, at.C_KEY],
        )
        timers.push(state, due, timers.EXPIRY, customer, campaign, key, row)


@kernel
def set_round(state: State, customer: int) -> None:
    """Set the customer's round timer anew if its time has changed: the least due or wake time of the born."""
    candidates = state.candidates
    due = at.INFINITE
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_BORN]:
            due = min(due, candidates[row, at.C_DUE_AT])
        row = candidates[row, at.C_NEXT]
    if due != state.customers[customer, at.ROUND_AT]:
        state.customers[customer, at.ROUND_AT] = due
        if due != at.INFINITE:
            timers.push(state, due, timers.ROUND, customer, 0, 0, 0)


@kernel
def _give_birth(program: Program, state: State, row: int) -> None:
    """Let an unborn candidate be born if its campaign still wants this customer; else it vanishes."""
    candidates = state.candidates
    customer, campaign = candidates[row, at.C_CUSTOMER], candidates[row, at.C_CAMPAIGN]
    now = state.scalars[at.NOW]
    wanted = (
        not _has_ended(program, state, row) and expiry(program, campaign, now) > now and _is_wanted(program, state, row)
    )
    if not wanted:
        if let_go(state, row):
            set_round(state, customer)
        return
    candidates[row, at.C_BORN] = 1
    candidates[row, at.C_BIRTH_AT] = now
    candidates[row, at.C_DUE_AT] = now + program.campaigns[campaign, CAMPAIGN_WAIT_US]
    _set_expiry(program, state, row, now)
    set_round(state, customer)


@kernel
def _set_trigger(
    state: State, row: int, time: int, position: int, product: int, values: Floats, values_row: int
) -> None:
    candidates, contexts = state.candidates, state.contexts
    candidates[row, at.C_TRIGGER_AT] = time
    candidates[row, at.C_TRIGGER_POSITION] = position
    candidates[row, at.C_PRODUCT] = product
    for column in range(contexts.shape[1]):
        contexts[row, column] = np.nan if values_row < 0 else values[values_row, column]


@kernel
def wish(
    program: Program,
    state: State,
    customer: int,
    campaign: int,
    key: int,
    time: int,
    position: int,
    product: int,
    values: Floats,
    values_row: int,
) -> None:
    """Let a trigger refresh the candidate for (customer, campaign, key), or start a new one.

    `time` and `position` are the trigger's; `values[values_row]` its fields, -1 for none.
    """
    now = state.scalars[at.NOW]
    campaigns = program.campaigns
    if state.scalars[at.OBSERVING] or not campaigns[campaign, CAMPAIGN_FROM] <= now < campaigns[campaign, CAMPAIGN_TO]:
        return
    if switches.first_off(program, state, campaign, switches.IS_STOPPED) >= 0:
        return
    if _is_over(program, state, customer, campaign, key, time, position):
        return
    candidates = state.candidates
    row, before = _find(state, customer, campaign, key)
    if row >= 0:
        _set_trigger(state, row, time, position, product, values, values_row)
        if candidates[row, at.C_BORN]:
            _set_expiry(program, state, row, now)
        return
    if state.customers[customer, at.CANDIDATE_COUNT] >= CANDIDATES_MAX:
        record.decision(state, END, customer, -1)
        record.line(state, campaign, key, TOO_MANY)
        return
    row = take(candidates, state.pools, at.CANDIDATES, at.C_NEXT)
    candidates[row, :] = 0
    candidates[row, at.C_CUSTOMER] = customer
    candidates[row, at.C_TURN_OF] = -1
    candidates[row, at.C_CAMPAIGN] = campaign
    candidates[row, at.C_KEY] = key
    candidates[row, at.C_EXPIRES_AT] = candidates[row, at.C_EXPIRY_TIMER] = at.INFINITE
    candidates[row, at.C_FIRST] = candidates[row, at.C_CONTACT] = -1
    _link(state, customer, before, row)
    _set_trigger(state, row, time, position, product, values, values_row)
    after_us = campaigns[campaign, CAMPAIGN_AFTER_US]
    if after_us == 0:
        _give_birth(program, state, row)
    else:
        candidates[row, at.C_BIRTH_AT] = now + after_us
        timers.push(state, now + after_us, timers.BIRTH, customer, campaign, key, row)


@kernel
def _row_of(state: State, timer: int, column: int) -> int:
    """Return the candidate for which a timer still holds, or -1."""
    row = state.timers[timer, timers.ROW]
    candidates = state.candidates
    same = (
        candidates[row, at.C_CUSTOMER] == state.timers[timer, timers.CUSTOMER]
        and candidates[row, at.C_CAMPAIGN] == state.timers[timer, timers.SLOT]
        and candidates[row, at.C_KEY] == state.timers[timer, timers.KEY]
        and candidates[row, column] == state.timers[timer, timers.DUE]
    )
    return row if same else -1


@kernel
def birth(program: Program, state: State, timer: int) -> None:
    """Take up a birth timer."""
    row = _row_of(state, timer, at.C_BIRTH_AT)
    if row >= 0 and not state.candidates[row, at.C_BORN]:
        _give_birth(program, state, row)


@kernel
def expire(state: State, timer: int) -> None:
    """Take up an expiry timer."""
    row = _row_of(state, timer, at.C_EXPIRY_TIMER)
    if row < 0:
        return
    state.candidates[row, at.C_EXPIRY_TIMER] = at.INFINITE
    if state.candidates[row, at.C_EXPIRES_AT] > state.timers[timer, timers.DUE]:
        time_expiry(state, row)
        return
    if state.candidates[row, at.C_STAGE] == at.IN_FLIGHT:
        return  # whether it has expired is asked when it is known what became of its contact
    customer = state.candidates[row, at.C_CUSTOMER]
    end_with(state, row, EXPIRED, -1)
    set_round(state, customer)


@kernel
def _is_further(candidates: Ints, row: int, other: int) -> bool:
    """Whether a candidate has come further than another: its stage, then its due or wake time."""
    if candidates[row, at.C_BORN] != candidates[other, at.C_BORN]:
        return candidates[row, at.C_BORN] == 1
    if candidates[row, at.C_STAGE] != candidates[other, at.C_STAGE]:
        return candidates[row, at.C_STAGE] > candidates[other, at.C_STAGE]
    return candidates[row, at.C_DUE_AT] < candidates[other, at.C_DUE_AT]


@kernel
def _take_place(candidates: Ints, kept: int, row: int) -> None:
    """Let a candidate be as far as another of the same wish."""
    for column in (at.C_DUE_AT, at.C_BLOCK, at.C_LAST_REASON, at.C_LAST_CHANNEL, at.C_LAST_RULE, at.C_LAST_UNTIL):
        candidates[kept, column] = candidates[row, column]
    for column in (at.C_HOURS_ZONE, at.C_TURN_OF, at.C_TURN_AT, at.C_PROPOSAL):
        candidates[kept, column] = candidates[row, column]
    for column in (at.C_STAGE, at.C_FIRST, at.C_CONTACT, at.C_CONTACT_AT, at.C_FOLLOWED):
        candidates[kept, column] = candidates[row, column]
    if not candidates[kept, at.C_BORN]:
        candidates[kept, at.C_BORN] = candidates[row, at.C_BORN]
        candidates[kept, at.C_EXPIRES_AT] = candidates[row, at.C_EXPIRES_AT]


@kernel
def _unite(state: State, kept: int, row: int) -> None:
    """Make two candidates for the same campaign and key one."""
    candidates = state.candidates
    candidates[kept, at.C_BIRTH_AT] = min(candidates[kept, at.C_BIRTH_AT], candidates[row, at.C_BIRTH_AT])
    candidates[kept, at.C_CLOSED] |= candidates[row, at.C_CLOSED]
    if _is_further(candidates, row, kept):
        _take_place(candidates, kept, row)
        waiting.move(state, row, kept)
    time, own = candidates[row, at.C_TRIGGER_AT], candidates[kept, at.C_TRIGGER_AT]
    position, own_position = candidates[row, at.C_TRIGGER_POSITION], candidates[kept, at.C_TRIGGER_POSITION]
    if time > own or (time == own and position > own_position):
        _set_trigger(state, kept, time, position, candidates[row, at.C_PRODUCT], state.contexts, row)
        if candidates[row, at.C_BORN]:
            candidates[kept, at.C_EXPIRES_AT] = candidates[row, at.C_EXPIRES_AT]


@kernel
def merge(state: State, a: int, b: int) -> None:
    """Unite the candidates of two customers; timers are set anew under the survivor."""
    candidates = state.candidates
    while state.customers[b, at.CANDIDATE_HEAD] >= 0:
        row = state.customers[b, at.CANDIDATE_HEAD]
        state.customers[b, at.CANDIDATE_HEAD] = candidates[row, at.C_NEXT]
        campaign, key = candidates[row, at.C_CAMPAIGN], candidates[row, at.C_KEY]
        kept, before = _find(state, a, campaign, key)
        if kept >= 0:
            _unite(state, kept, row)
            waiting.leave(state, row)
            candidates[row, at.C_CUSTOMER] = -1
            give_back(candidates, state.pools, at.CANDIDATES, at.C_NEXT, row)
        else:
            kept = row
            candidates[row, at.C_CUSTOMER] = a
            waiting.move(state, row, row)
            candidates[row, at.C_EXPIRY_TIMER] = at.INFINITE
            _link(state, a, before, row)
        if not candidates[kept, at.C_BORN]:
            timers.push(state, candidates[kept, at.C_BIRTH_AT], timers.BIRTH, a, campaign, key, kept)
        else:
            time_expiry(state, kept)
    state.customers[b, at.CANDIDATE_COUNT] = 0
    state.customers[b, at.ROUND_AT] = at.INFINITE
    set_round(state, a)
