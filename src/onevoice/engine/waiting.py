"""Who waits for a resource, in the order of their turns: heaps threaded through the candidates (semantics §17).

A resource has a line for each part and class for which room may differ: one for each class with a reserve and one for
all others; of money, which nobody reserves, one for each channel, whose cost is the part. Each line is a skew heap
(Sleator and Tarjan, Self-adjusting heaps, 1986), whose nodes are the rows of `state.waiting`: joining and leaving cost
O(log n), amortised, the first is found at once, and nobody who has left is still met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.program import RESOURCE_IS_MONEY

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def lines_of(program: Program) -> int:
    """Return how many lines each resource has."""
    return max(program.classes.shape[0] + 1, program.channels.shape[0])


@kernel
def line_of(program: Program, resource: int, klass: int, channel: int) -> int:
    """Return the line in which one of a class waits for its part by a channel."""
    first = resource * lines_of(program)
    if program.resources[resource, RESOURCE_IS_MONEY]:
        return first + channel
    return first + (klass if program.reserves[resource, klass] > 0 else program.classes.shape[0])


@kernel
def is_before(state: State, row: int, other: int) -> bool:
    """Whether the turn of one candidate comes before another's; of one instant by customer, campaign, key."""
    candidates = state.candidates
    for column in (at.C_TURN_AT, at.C_CUSTOMER, at.C_CAMPAIGN, at.C_KEY):
        if candidates[row, column] != candidates[other, column]:
            return bool(candidates[row, column] < candidates[other, column])
    return False


@kernel
def _put(state: State, line: int, parent: int, side: int, child: int) -> None:
    """Put a row + 1, 0 for none, under another, or at the top of its line where `parent` is 0."""
    if parent > 0:
        state.waiting[parent - 1, side] = child
    else:
        state.first_waiting[line] = child
    if child > 0:
        state.waiting[child - 1, at.H_PARENT] = parent


@kernel
def _meld(state: State, line: int, parent: int, side: int, a: int, b: int) -> None:
    """Make two heaps, told by their tops + 1, one, and put it where `_put` says."""
    waiting = state.waiting
    while a > 0 and b > 0:
        if is_before(state, b - 1, a - 1):
            a, b = b, a
        _put(state, line, parent, side, a)
        below = waiting[a - 1, at.H_RIGHT]
        waiting[a - 1, at.H_RIGHT] = waiting[a - 1, at.H_LEFT]
        parent, side, a = a, at.H_LEFT, below
    _put(state, line, parent, side, max(a, b))


@kernel
def join(state: State, row: int, line: int, part: int) -> None:
    """Let a candidate that has a turn, and stands in no line, wait in one for its part."""
    waiting = state.waiting
    waiting[row, at.H_LINE] = line + 1
    waiting[row, at.H_LEFT] = waiting[row, at.H_RIGHT] = 0
    waiting[row, at.H_PART] = part
    _meld(state, line, 0, at.H_LEFT, state.first_waiting[line], row + 1)


@kernel
def leave(state: State, row: int) -> None:
    """Let a candidate wait in no line; it may be in none."""
    waiting = state.waiting
    line = waiting[row, at.H_LINE] - 1
    if line < 0:
        return
    waiting[row, at.H_LINE] = 0
    parent = waiting[row, at.H_PARENT]
    is_left = parent > 0 and waiting[parent - 1, at.H_LEFT] == row + 1
    side = at.H_LEFT if is_left else at.H_RIGHT
    _meld(state, line, parent, side, waiting[row, at.H_LEFT], waiting[row, at.H_RIGHT])


@kernel
def move(state: State, source: int, target: int) -> None:
    """Let a candidate wait in the line in which another stood, or it stood itself with another turn or customer."""
    line, part = state.waiting[source, at.H_LINE] - 1, state.waiting[source, at.H_PART]
    leave(state, source)
    leave(state, target)
    if line >= 0:
        join(state, target, line, part)


@kernel
def first(state: State, line: int) -> int:
    """Return the blocked candidate of a line whose turn is the earliest, or -1.

    Who has been unblocked otherwise is looked at in any case, and comes back if it waits still.
    """
    while state.first_waiting[line] > 0:
        row = int(state.first_waiting[line] - 1)
        if state.candidates[row, at.C_BLOCK] > 0:
            return row
        leave(state, row)
    return -1
