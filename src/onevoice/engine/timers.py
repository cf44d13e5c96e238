"""One heap of timers. A timer that no longer fits what it was set for is ignored when it comes up (lazy deletion)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.tables import Ints

# Columns of `timers`, also the order in which timers of one instant run.
DUE: Final = 0
KIND: Final = 1
CUSTOMER: Final = 2
SLOT: Final = 3
KEY: Final = 4
ROW: Final = 5
WIDTH: Final = 6

# Kinds, in the order in which they run at one instant.
FEED: Final = 0  # of a source
EXPIRY: Final = 1
FACT_END: Final = 2
RELEASE: Final = 3  # of a contact
JUDGEMENT: Final = 4
ABSENCE: Final = 5
SCHEDULE: Final = 6
BIRTH: Final = 7
ROUND: Final = 8
HAND_ON: Final = 9  # of a resource


@kernel
def _is_less(timers: Ints, a: int, b: int) -> bool:
    for column in range(KEY + 1):
        if timers[a, column] != timers[b, column]:
            return timers[a, column] < timers[b, column]
    return False


@kernel
def _move(timers: Ints, source: int, target: int) -> None:
    for column in range(WIDTH):
        timers[target, column] = timers[source, column]


@kernel
def push(state: State, due: int, kind: int, customer: int, slot: int, key: int, row: int) -> None:
    """Set a timer, never before now; there must be room."""
    timers = state.timers
    place = state.pools[at.TIMERS, COUNT]
    state.pools[at.TIMERS, COUNT] += 1
    held = timers.shape[0] - 1  # the new timer waits in a spare row while others move down
    timers[held, DUE] = max(due, state.scalars[at.NOW])
    timers[held, KIND] = kind
    timers[held, CUSTOMER] = customer
    timers[held, SLOT] = slot
    timers[held, KEY] = key
    timers[held, ROW] = row
    while place > 0:
        parent = (place - 1) >> 1
        if not _is_less(timers, held, parent):
            break
        _move(timers, parent, place)
        place = parent
    _move(timers, held, place)


@kernel
def pop(state: State) -> int:
    """Remove the first timer; returns the spare row in which it is left."""
    timers = state.timers
    last = state.pools[at.TIMERS, COUNT] - 1
    state.pools[at.TIMERS, COUNT] = last
    taken = timers.shape[0] - 2
    _move(timers, 0, taken)
    place = 0
    while True:
        child = 2 * place + 1
        if child >= last:
            break
        if child + 1 < last and _is_less(timers, child + 1, child):
            child += 1
        if not _is_less(timers, child, last):
            break
        _move(timers, child, place)
        place = child
    _move(timers, last, place)
    return taken


@kernel
def is_due(state: State, time: int) -> bool:
    """Whether a timer is due at or before `time`."""
    return state.pools[at.TIMERS, COUNT] > 0 and state.timers[0, DUE] <= time
