"""What an engine that decides about a few alone is told of what they share with all others: resources and runs.

What others have used of a resource it does not know, nor how many contacts of a campaign they had. It is given, as
`state.told`, what was decided about its own customers among all, round by round: who went out by a channel had room
there, who was stopped by `no_capacity` had none until the turn that the line names, and so with `paused`. Where a round
is not told it had nothing new to say: what was told last still holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates as wishes
from onevoice.engine import resources, switches
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import NO_CAPACITY, PAUSED, WON
from onevoice.engine.store import COUNT
from onevoice.program import CAMPAIGN_UNSEEN_US

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


# Which round is told


@kernel
def _round(state: State, customer: int) -> int:
    """Return the row of `state.told` with which the decision begins that is told of a customer's round now; or -1."""
    now, position = state.scalars[at.NOW], state.scalars[at.POSITION]
    for each in range(1, state.scalars[at.TOLD]):
        told = state.told[each]
        if told[at.T_AT] == now and told[at.T_POSITION] == position and told[at.T_CUSTOMER] == customer:
            return each
    return -1


@kernel
def _line(state: State, row: int) -> int:
    """Return the row of `state.told` that says what became of a candidate in this round; -1 where none does."""
    candidate = state.candidates[row]
    first = _round(state, candidate[at.C_CUSTOMER])
    if first < 0:
        return -1
    for each in range(first, state.scalars[at.TOLD]):
        told = state.told[each]
        if told[at.T_DECISION] != state.told[first, at.T_DECISION]:
            return -1
        if told[at.T_CAMPAIGN] == candidate[at.C_CAMPAIGN] and told[at.T_KEY] == candidate[at.C_KEY]:
            return each
    return -1


@kernel
def who_is_first(state: State, customer: int) -> int:
    """Return whose round is held when that of a customer is due: another's that is due, and told to have been before.

    Rounds of one instant are held by customer number; but for those of who was woken then, one after the other.
    """
    now, position, own = state.scalars[at.NOW], state.scalars[at.POSITION], _round(state, customer)
    found, least = customer, state.told[own, at.T_DECISION] if own >= 0 else 0
    for each in range(1, state.scalars[at.TOLD]):
        told = state.told[each]
        is_now = told[at.T_AT] == now and told[at.T_POSITION] == position and told[at.T_DECISION] < least
        if is_now and told[at.T_CUSTOMER] < state.pools[at.CUSTOMERS, COUNT]:
            if state.customers[told[at.T_CUSTOMER], at.ROUND_AT] == now:
                found, least = told[at.T_CUSTOMER], told[at.T_DECISION]
    return found


@kernel
def close(state: State, customer: int) -> None:
    """Take what is told of a customer's round as taken up: that was it."""
    first = _round(state, customer)
    if first < 0:
        return
    for each in range(first, state.scalars[at.TOLD]):
        if state.told[each, at.T_DECISION] == state.told[first, at.T_DECISION]:
            state.told[each, at.T_AT] = at.NEVER


@kernel
def _takes_part(program: Program, state: State, row: int, time: int) -> bool:
    """Whether a candidate could take part in a round at a time: one that follows a contact only once it was unseen."""
    candidate = state.candidates[row]
    if candidate[at.C_STAGE] == at.WATCHED:
        return candidate[at.C_CONTACT_AT] + program.campaigns[candidate[at.C_CAMPAIGN], CAMPAIGN_UNSEEN_US] <= time
    return candidate[at.C_BORN] and candidate[at.C_STAGE] != at.IN_FLIGHT


@kernel
def wake(program: Program, state: State, position: int) -> None:
    """Let rounds be held that are told of behind a line: others may have been why, who gave back what they had."""
    for each in range(1, state.scalars[at.TOLD]):
        told = state.told[each]
        is_founded = told[at.T_CUSTOMER] < state.pools[at.CUSTOMERS, COUNT]
        if told[at.T_POSITION] != position or told[at.T_AT] < state.scalars[at.NOW] or not is_founded:
            continue
        row = wishes.row_of(state, told[at.T_CUSTOMER], told[at.T_CAMPAIGN], told[at.T_KEY])
        if row >= 0 and _takes_part(program, state, row, told[at.T_AT]):
            state.candidates[row, at.C_BLOCK] = 0
            state.candidates[row, at.C_DUE_AT] = min(state.candidates[row, at.C_DUE_AT], told[at.T_AT])
            wishes.set_round(state, told[at.T_CUSTOMER])


# Runs


@kernel
def off(program: Program, state: State, row: int, which: int) -> tuple[int, int, int]:
    """Return (rule, count, limit) by which a candidate's campaign is paused, -1 where it is not.

    `which`: its first switch that is off, or -1. In the instant of a pause it is told who came before it.
    """
    if which < 0:
        return -1, 0, 0
    each, candidate = _line(state, row), state.candidates[row]
    reason, rule = candidate[at.C_LAST_REASON], candidate[at.C_LAST_RULE]
    count, limit = 0, 0
    if each >= 0:
        told = state.told[each]
        reason, rule, count, limit = told[at.T_REASON], told[at.T_RULE], told[at.T_VALUE], told[at.T_LIMIT]
        if reason == WON or reason > PAUSED:
            return -1, 0, 0
    if reason == PAUSED and (rule == which or (rule == switches.FAILURES and which == switches.OF_CAMPAIGN)):
        return rule, count, limit
    return switches.reached(program, state, candidate[at.C_CAMPAIGN], which)


# Resources


@kernel
def _last(state: State, row: int) -> tuple[int, int, int, int, int]:
    """Return (reason, channel, rule, value, until) as told of a candidate in this round, or before; reason 0: never."""
    each = _line(state, row)
    if each >= 0:
        told = state.told[each]
        return told[at.T_REASON], told[at.T_CHANNEL], told[at.T_RULE], told[at.T_VALUE], told[at.T_UNTIL]
    candidate = state.candidates[row]
    reason, until = candidate[at.C_LAST_REASON], candidate[at.C_LAST_UNTIL]
    if reason == NO_CAPACITY and until <= state.scalars[at.NOW]:
        reason = 0  # its turn has come, and nobody has told what of it
    return reason, candidate[at.C_LAST_CHANNEL], candidate[at.C_LAST_RULE], 0, until


@kernel
def _is_told(reason: int) -> bool:
    """Whether a reason says anything of resources: what stops a candidate earlier does not look at them."""
    return reason == WON or reason >= NO_CAPACITY


@kernel
def _first_closed(program: Program, state: State, campaign: int, channel: int, product: int) -> int:
    """Return the first resource of a contact that is closed now, whoever uses it; -1 for none."""
    now, place = state.scalars[at.NOW], 0
    resource, _ = resources.amount_at(program, campaign, channel, product, place)
    while resource >= 0:
        if resources.opens_at(program, resource, now) != now:
            return resource
        place += 1
        resource, _ = resources.amount_at(program, campaign, channel, product, place)
    return -1


@kernel
def _untold_closed(program: Program, state: State, row: int, reason: int, channel: int, product: int) -> int:
    """Return the first resource of a contact that is closed now, -1 for none, where a round is not told.

    Whoever waits for a turn keeps it (`reason`: what was told last).
    """
    if _line(state, row) >= 0 or reason == NO_CAPACITY:
        return -1
    return _first_closed(program, state, state.candidates[row, at.C_CAMPAIGN], channel, product)


@kernel
def _uses(program: Program, campaign: int, channel: int, product: int, wanted: int) -> bool:
    """Whether a contact takes a part of a resource."""
    place = 0
    resource, _ = resources.amount_at(program, campaign, channel, product, place)
    while resource >= 0:
        if resource == wanted:
            return True
        place += 1
        resource, _ = resources.amount_at(program, campaign, channel, product, place)
    return False


@kernel
def shortage(program: Program, state: State, row: int, channel: int, product: int) -> tuple[int, int]:
    """Return the resource without room for a candidate by a channel, and what is used of it; -1 where there is room.

    Of another channel than that which is told there is none: else it would be told of that one, or makes no difference.
    Where nothing is told there is room, as far as resources are open.
    """
    campaign = state.candidates[row, at.C_CAMPAIGN]
    resource, _ = resources.amount_at(program, campaign, channel, product, 0)
    if resource < 0:
        return -1, 0
    reason, by, rule, used, _ = _last(state, row)
    closed = _untold_closed(program, state, row, reason, channel, product)
    if closed >= 0 or not _is_told(reason):
        return closed, 0
    if by != channel:
        return resource, 0
    if reason == NO_CAPACITY and _uses(program, campaign, channel, product, rule):
        return rule, used
    return -1, 0


@kernel
def wait_for_turn(program: Program, state: State, row: int, channel: int, product: int) -> None:
    """Let a candidate wait for the turn that is told; of a resource that is closed until it opens; else for a round."""
    candidates = state.candidates
    reason, by, rule, _, until = _last(state, row)
    closed = _untold_closed(program, state, row, reason, channel, product)
    if closed >= 0:
        rule, until = closed, resources.opens_at(program, closed, state.scalars[at.NOW])
    elif reason != NO_CAPACITY or by != channel:
        return
    candidates[row, at.C_TURN_OF] = rule
    candidates[row, at.C_TURN_AT] = until
    candidates[row, at.C_WAKES_AT] = min(candidates[row, at.C_WAKES_AT], until)
    if candidates[row, at.C_REASON] == NO_CAPACITY:
        candidates[row, at.C_UNTIL] = until
