"""Resources: what many customers share, how much of it is left, and whose turn is when (semantics §17).

`state.resources` has a row for each resource; `state.shares` one for each class of each, and a last one for the line in
which the classes without a reserve wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import calendar, hours, timers
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.program import (
    P_ZONE,
    RESOURCE_LENGTH_US,
    RESOURCE_LIMIT,
    RESOURCE_PERIOD,
    RESOURCE_SHARED,
    RESOURCE_WINDOWS_FROM,
    RESOURCE_WINDOWS_TO,
    STOCK_PRODUCT,
    STOCK_RESOURCE,
    USES_AMOUNT,
    USES_RESOURCE,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


# Buckets


@kernel
def bucket_of(program: Program, resource: int, t: int, ahead: int) -> int:
    """Return when the bucket begins that holds an instant (`ahead` 0), or the next one; INFINITE where none follows."""
    length, period = program.resources[resource, RESOURCE_LENGTH_US], program.resources[resource, RESOURCE_PERIOD]
    if length > 0:
        return t - t % length + ahead * length
    if period > 0:
        return calendar.period_start(program.zones, program.limits[P_ZONE], period, t, ahead)
    return at.INFINITE if ahead else 0


@kernel
def roll(program: Program, state: State, resource: int) -> None:
    """Begin the present bucket, if the one before is over."""
    start = bucket_of(program, resource, state.scalars[at.NOW], 0)
    if state.resources[resource, at.R_BUCKET] != start:
        state.resources[resource, at.R_BUCKET] = start
        state.resources[resource, at.R_USED] = 0
        for klass in range(program.classes.shape[0]):
            state.shares[share_of(program, resource, klass), at.S_USED] = 0


@kernel
def share_of(program: Program, resource: int, klass: int) -> int:
    """Return the row of a class's share; that of the common line for the number of classes."""
    return resource * (program.classes.shape[0] + 1) + klass


@kernel
def opens_at(program: Program, resource: int, t: int) -> int:
    """Return the least instant from `t` on at which a resource is open, INFINITE where none is known."""
    first, last = program.resources[resource, RESOURCE_WINDOWS_FROM], program.resources[resource, RESOURCE_WINDOWS_TO]
    if t == at.INFINITE or first == last:
        return t
    return hours.opens_at(program, program.limits[P_ZONE], first, last, t)


# Room


@kernel
def _has_room(program: Program, state: State, resource: int, klass: int, amount: int) -> bool:
    """Whether so much is left in the present bucket beside what other classes have reserved and not used."""
    roll(program, state, resource)
    wanted = state.resources[resource, at.R_USED] + amount
    for other in range(program.classes.shape[0]):
        if other != klass:
            used = state.shares[share_of(program, resource, other), at.S_USED]
            wanted += max(0, program.reserves[resource, other] - used)
    return wanted <= program.resources[resource, RESOURCE_LIMIT]


@kernel
def is_free(program: Program, state: State, resource: int, klass: int, amount: int) -> bool:
    """Whether a resource is open and has room for a class's part."""
    now = state.scalars[at.NOW]
    roll(program, state, resource)  # also where it is closed: what is used is told
    return opens_at(program, resource, now) == now and _has_room(program, state, resource, klass, amount)


@kernel
def amount_at(program: Program, campaign: int, channel: int, product: int, place: int) -> tuple[int, int]:
    """Return (resource, amount) of the `place`-th use of a contact; the resource is -1 behind the last."""
    span = program.use_spans[campaign * program.channels.shape[0] + channel]
    if span[0] + place < span[1]:
        return program.uses[span[0] + place, USES_RESOURCE], program.uses[span[0] + place, USES_AMOUNT]
    place -= span[1] - span[0]
    for row in range(program.stocks.shape[0]):
        if program.stocks[row, STOCK_PRODUCT] == product:
            if place == 0:
                return program.stocks[row, STOCK_RESOURCE], 1
            place -= 1
    return -1, 0


@kernel
def first_short(
    program: Program, state: State, klass: int, campaign: int, channel: int, product: int
) -> tuple[int, int]:
    """Return the first resource of which a contact would not get its part now, and that part; -1 for none."""
    place = 0
    resource, amount = amount_at(program, campaign, channel, product, place)
    while resource >= 0:
        if not is_free(program, state, resource, klass, amount):
            return resource, amount
        place += 1
        resource, amount = amount_at(program, campaign, channel, product, place)
    return -1, 0


@kernel
def take(program: Program, state: State, klass: int, campaign: int, channel: int, product: int) -> None:
    """Let a contact take its part of all it uses."""
    place = 0
    resource, amount = amount_at(program, campaign, channel, product, place)
    while resource >= 0:
        roll(program, state, resource)
        state.resources[resource, at.R_USED] += amount
        state.shares[share_of(program, resource, klass), at.S_USED] += amount
        place += 1
        resource, amount = amount_at(program, campaign, channel, product, place)


@kernel
def stocked(program: Program, product: int) -> int:
    """Return a product if a resource is its stock, else -1."""
    for row in range(program.stocks.shape[0]):
        if program.stocks[row, STOCK_PRODUCT] == product:
            return product
    return -1


@kernel
def give_back(program: Program, state: State, contact: int, sign: int) -> None:
    """Let a contact give back what it took (`sign` 1), or take it after all (-1), of buckets that are still present.

    Nothing comes below nought by it. What is given back is noted, to be handed on when the event is taken up.
    """
    row, place = state.contacts[contact], 0
    campaign, klass, channel = row[at.K_CAMPAIGN], row[at.K_CLASS], row[at.K_CHANNEL]
    if row[at.K_NUMBER] < 0 or campaign < 0 or klass < 0 or channel < 0 or program.resources.shape[0] == 0:
        return
    resource, amount = amount_at(program, campaign, channel, row[at.K_PRODUCT], place)
    while resource >= 0:
        roll(program, state, resource)
        if bucket_of(program, resource, row[at.K_DUE_AT], 0) == state.resources[resource, at.R_BUCKET]:
            used, share = state.resources[resource, at.R_USED], share_of(program, resource, klass)
            state.resources[resource, at.R_USED] = max(min(used, 0), used - sign * amount)
            state.shares[share, at.S_USED] = max(0, state.shares[share, at.S_USED] - sign * amount)
            state.resources[resource, at.R_GIVEN_BACK] += sign > 0
            state.scalars[at.GIVEN_BACK] += sign > 0
        place += 1
        resource, amount = amount_at(program, campaign, channel, row[at.K_PRODUCT], place)


@kernel
def set_used(program: Program, state: State, resource: int, used: int) -> None:
    """Set what is used of the present bucket; no class has used any of its reserve."""
    roll(program, state, resource)
    state.resources[resource, at.R_USED] = used
    for klass in range(program.classes.shape[0]):
        state.shares[share_of(program, resource, klass), at.S_USED] = 0


# Turns


@kernel
def turn(program: Program, state: State, resource: int, klass: int, amount: int) -> int:
    """Give the next turn to one who waits for so much of a resource; INFINITE where no turn is known."""
    reserved = program.reserves[resource, klass]
    places = reserved if reserved > 0 else program.resources[resource, RESOURCE_SHARED]
    line = state.shares[share_of(program, resource, klass if reserved > 0 else program.classes.shape[0])]
    if amount > places:
        return at.INFINITE
    now = state.scalars[at.NOW]
    is_full = not _has_room(program, state, resource, klass, amount)
    due = opens_at(program, resource, bucket_of(program, resource, now, 1) if is_full else now)
    set_handing_on(state, resource, due)
    given = 0
    if due != at.INFINITE and line[at.S_TURN_AT] >= due:
        due, given = line[at.S_TURN_AT], line[at.S_GIVEN]
        if given + amount > places:
            due, given = opens_at(program, resource, bucket_of(program, resource, due, 1)), 0
    if due != at.INFINITE:
        line[at.S_TURN_AT] = due
        line[at.S_GIVEN] = given + amount
    return due


@kernel
def set_handing_on(state: State, resource: int, due: int) -> None:
    """See to it that a resource is handed on at an instant, if that is not INFINITE, or before."""
    row = state.resources[resource]
    if due != at.INFINITE and (row[at.R_HAND_ON_AT] == 0 or due < row[at.R_HAND_ON_AT]):
        row[at.R_HAND_ON_AT] = due
        row[at.R_HOPED] = at.NEVER
        timers.push(state, due, timers.HAND_ON, 0, resource, 0, 0)
