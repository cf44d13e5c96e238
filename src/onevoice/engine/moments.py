"""Moments of truth: sequences with order, counts, windows and absence, by a dynamic programme (semantics §6).

Per (customer, moment, key) each sub-step keeps the best progress `(anchor, time)`: O(sub-steps) memory, no explosion of
runs. Most events touch no progress at all, for two reasons:

- A bit per customer and moment says whether there may be progress.
- Moments that begin with the same event share it: `initiators` holds when each customer did it last. A moment without a
  key keeps progress of its own only where it differs from "the shared first event, and nothing after it": a later
  sub-step is complete, or the first was cleared since, by a firing or a kill. An initiator is noted after all moments
  have been advanced: until then the rows speak of what was before the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import bits, timers
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import KEY, NEXT, OWNER, SLOT_MASK, add, find, owner_of, remove
from onevoice.program import (
    ADVANCE_AFTER,
    ADVANCE_AFTER_US,
    ADVANCE_BEGINS,
    ADVANCE_MOMENT,
    BEGINS_INITIATOR,
    MOMENT_ABSENT_US,
    MOMENT_FIRST,
    MOMENT_INITIATOR,
    MOMENT_KEYED,
    MOMENT_LAG_US,
    MOMENT_SUBSTEPS,
    MOMENT_WITHIN_US,
    SUB_IS_LAST,
    SUB_WITHIN_US,
    USED_ALONE,
    USED_BY,
    USED_FROM,
    USED_ROLE,
    USED_TO,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

# What a use of an event type by a moment does, in the order in which the uses of one moment are applied.
KILL: Final = 0  # "no E" between two steps: clears the sub-steps [from, to)
KILL_WAIT: Final = 1  # the final "no E for D"
STEP: Final = 2  # may complete the sub-steps [from, to)

NOTHING: Final = at.NEVER  # anchor of a sub-step without progress
FIRES: Final = -2  # what `advance` returns where the moment fires


@kernel
def _may_have(state: State, customer: int, moment: int) -> bool:
    """Whether a customer may have progress of their own in a moment; exact for one without a key."""
    return bits.bit(state.active, customer, moment) == 1


@kernel
def find_progress(state: State, customer: int, moment: int, key: int) -> int:
    """Return the row of a customer's progress, or -1."""
    if not _may_have(state, customer, moment):
        return -1
    return find(state.progress, state.progress_index, owner_of(customer, moment), key)


@kernel
def _add_progress(program: Program, state: State, customer: int, moment: int, key: int) -> int:
    bits.set_bit(state.active, customer, moment)
    owner = owner_of(customer, moment)
    pools, customers = state.pools, state.customers
    row = add(state.progress, state.progress_index, pools, at.PROGRESS, customers, at.PROGRESS_HEAD, owner, key)
    state.progress[row, at.WAIT_AT] = state.progress[row, at.WAIT_TIMER] = at.INFINITE
    for sub in range(program.moments[moment, MOMENT_SUBSTEPS]):
        state.progress[row, at.SUBSTEPS + 2 * sub] = NOTHING
    shared = _shared(program, state, customer, moment)
    state.progress[row, at.SUBSTEPS] = shared
    state.progress[row, at.SUBSTEPS + 1] = shared
    return row


@kernel
def _shared(program: Program, state: State, customer: int, moment: int) -> int:
    """Return when the customer did the first event that a moment shares with others, or NOTHING."""
    initiator = program.moments[moment, MOMENT_INITIATOR]
    return state.initiators[customer, initiator] if initiator >= 0 else NOTHING


@kernel
def begin(program: Program, state: State, customer: int, use: int, time: int) -> None:
    """Note that a customer did what moments begin with."""
    initiator = program.begins[use, BEGINS_INITIATOR]
    state.initiators[customer, initiator] = max(state.initiators[customer, initiator], time)


@kernel
def clear(program: Program, state: State, customer: int, moment: int, row: int) -> None:
    """Forget the progress in a row; what other moments still know of the first event is covered by an empty one."""
    for sub in range(program.moments[moment, MOMENT_SUBSTEPS]):
        state.progress[row, at.SUBSTEPS + 2 * sub] = NOTHING
    state.progress[row, at.WAIT_AT] = at.INFINITE
    tidy(program, state, customer, moment, row)


@kernel
def tidy(program: Program, state: State, customer: int, moment: int, row: int) -> None:
    """Drop a row that says no more than the first event that is shared does, or will when it is noted."""
    progress = state.progress
    first = progress[row, at.SUBSTEPS]
    if progress[row, at.WAIT_TIMER] != at.INFINITE or first < _shared(program, state, customer, moment):
        return
    if first != NOTHING and program.moments[moment, MOMENT_INITIATOR] < 0:
        return
    for sub in range(1, program.moments[moment, MOMENT_SUBSTEPS]):
        if progress[row, at.SUBSTEPS + 2 * sub] != NOTHING:
            return
    pools, customers = state.pools, state.customers
    remove(progress, state.progress_index, pools, at.PROGRESS, customers, at.PROGRESS_HEAD, row)
    if not program.moments[moment, MOMENT_KEYED]:
        bits.clear_bit(state.active, customer, moment)


@kernel
def undo(program: Program, state: State, customer: int, use: int, row: int, time: int) -> int:
    """Apply a use that is a kill; returns its progress row."""
    if row < 0:
        row = _add_progress(program, state, customer, program.moment_uses[use, USED_BY], 0)
    if program.moment_uses[use, USED_ROLE] == KILL:
        _kill(program, state, use, row, time)
    else:
        _kill_wait(program, state, use, row, time)
    return row


@kernel
def _kill(program: Program, state: State, use: int, row: int, time: int) -> None:
    """Clear what an event undoes: sub-steps completed at or before `time`."""
    progress = state.progress
    for sub in range(program.moment_uses[use, USED_FROM], program.moment_uses[use, USED_TO]):
        column = at.SUBSTEPS + 2 * sub
        if progress[row, column] != NOTHING and progress[row, column + 1] <= time:
            progress[row, column] = NOTHING


@kernel
def _kill_wait(program: Program, state: State, use: int, row: int, time: int) -> None:
    """Clear a completed chain that waits for an absence, if the event falls into it."""
    moment = program.moment_uses[use, USED_BY]
    column = at.SUBSTEPS + 2 * (program.moments[moment, MOMENT_SUBSTEPS] - 1)
    completed = state.progress[row, column + 1]
    absent_us = program.moments[moment, MOMENT_ABSENT_US]
    if state.progress[row, column] != NOTHING and completed <= time < completed + absent_us:
        state.progress[row, column] = NOTHING
        state.progress[row, at.WAIT_AT] = at.INFINITE


@kernel
def _new_anchor(program: Program, progress: Ints, row: int, moment: int, sub: int, time: int) -> int:
    """Return the anchor with which an event at `time` completes a sub-step, or NOTHING."""
    window = program.moments[moment, MOMENT_WITHIN_US]
    step = program.moments[moment, MOMENT_FIRST] + sub
    if sub == 0:
        return time
    anchor = progress[row, at.SUBSTEPS + 2 * sub - 2]
    if anchor == NOTHING or progress[row, at.SUBSTEPS + 2 * sub - 1] > time:
        return NOTHING
    if window > 0:
        return anchor if time - anchor < window else NOTHING
    if not program.substeps[step, SUB_IS_LAST]:
        return anchor
    within = program.substeps[step, SUB_WITHIN_US]
    return time if within == 0 or time - anchor < within else NOTHING


@kernel
def _complete(program: Program, state: State, row: int, moment: int, sub: int, time: int) -> bool:
    """Let an event complete a sub-step if it can and that is better; returns whether the state changed."""
    progress = state.progress
    anchor = _new_anchor(program, progress, row, moment, sub, time)
    column = at.SUBSTEPS + 2 * sub
    if anchor == NOTHING or anchor < progress[row, column]:
        return False
    if anchor == progress[row, column] and progress[row, column + 1] <= time:
        return False
    progress[row, column] = anchor
    progress[row, column + 1] = time
    return True


@kernel
def _wait(program: Program, state: State, customer: int, moment: int, row: int) -> None:
    """Set the time at which the completed chain's absence is over."""
    completed = state.progress[row, at.SUBSTEPS + 2 * program.moments[moment, MOMENT_SUBSTEPS] - 1]
    due = completed + program.moments[moment, MOMENT_ABSENT_US] + program.moments[moment, MOMENT_LAG_US]
    due = max(due, state.scalars[at.NOW])
    state.progress[row, at.WAIT_AT] = due
    _time_wait(state, customer, moment, row)


@kernel
def _time_wait(state: State, customer: int, moment: int, row: int) -> None:
    """See to it that a timer is due when a wait is over, or before: then it is set anew."""
    due = state.progress[row, at.WAIT_AT]
    if due < state.progress[row, at.WAIT_TIMER]:
        state.progress[row, at.WAIT_TIMER] = due
        timers.push(state, due, timers.ABSENCE, customer, moment, state.progress[row, KEY], row)


@kernel
def advance(program: Program, state: State, customer: int, use: int, row: int, key: int, time: int) -> int:
    """Let an event complete the sub-steps of one step, the last first; returns its progress row, or FIRES."""
    moment = program.moment_uses[use, USED_BY]
    first, stop = program.moment_uses[use, USED_FROM], program.moment_uses[use, USED_TO]
    last = program.moments[moment, MOMENT_SUBSTEPS] - 1
    absent = program.moments[moment, MOMENT_ABSENT_US] > 0
    if row < 0:
        if last == 0 and not absent:
            return FIRES
        row = _add_progress(program, state, customer, moment, key)
    for back in range(stop - first):
        sub = stop - 1 - back
        if _complete(program, state, row, moment, sub, time) and sub == last:
            if not absent:
                return FIRES
            _wait(program, state, customer, moment, row)
    return row


@kernel
def concerns(program: Program, state: State, customer: int, advance: int, time: int) -> int:
    """Return 1 where an event may do something to a moment, else 0.

    Where no progress is kept it may after the shared first event, within the window; what follows nothing has a window
    of 0, which is always over. No branches: the processor reads for all the moments of an event at once what a branch
    would make it wait for.
    """
    advances = program.advances
    has = bits.bit(state.active, customer, advances[advance, ADVANCE_MOMENT])
    began = state.initiators[customer, advances[advance, ADVANCE_AFTER]]
    late, early = int(time - began >= advances[advance, ADVANCE_AFTER_US]), int(began > time)
    return has | (1 - (late | early)) | advances[advance, ADVANCE_BEGINS]


@kernel
def concerns_any(program: Program, state: State, customer: int, start: int, stop: int, time: int) -> bool:
    """Whether an event may do something to any of `advances[start:stop]`: the quick look few events get past."""
    found = 0
    for advance in range(start, stop):
        found |= concerns(program, state, customer, advance, time)
    return found != 0


@kernel
def may_act(program: Program, state: State, use: int, row: int) -> bool:
    """Whether an event can do anything through this use, before its condition is evaluated."""
    if row < 0:
        return program.moment_uses[use, USED_ALONE] == 1
    first = program.moment_uses[use, USED_FROM]
    if first == 0 or program.moment_uses[use, USED_ROLE] != STEP:
        return True
    for sub in range(first, program.moment_uses[use, USED_TO]):
        if state.progress[row, at.SUBSTEPS + 2 * sub - 2] != NOTHING:
            return True
    return False


@kernel
def wait_that_is_over(program: Program, state: State, timer: int) -> int:
    """Return the progress row whose wait ends with a timer, or -1; a timer that comes too early is set anew."""
    row = state.timers[timer, timers.ROW]
    customer, moment = state.timers[timer, timers.CUSTOMER], state.timers[timer, timers.SLOT]
    progress, due = state.progress, state.timers[timer, timers.DUE]
    if progress[row, OWNER] != owner_of(customer, moment) or progress[row, KEY] != state.timers[timer, timers.KEY]:
        return -1
    if progress[row, at.WAIT_TIMER] != due:
        return -1
    progress[row, at.WAIT_TIMER] = at.INFINITE
    if progress[row, at.WAIT_AT] == due:
        return row
    _time_wait(state, customer, moment, row)
    tidy(program, state, customer, moment, row)
    return -1


def begun(program: Program, state: State, customer: int) -> Iterator[tuple[int, int]]:
    """Give (moment, time) where a customer did the first event that a moment shares, and has no progress of its own.

    Not a kernel: for those who read the state as a whole.
    """
    for moment in range(len(program.moments)):
        time = int(_shared(program, state, customer, moment))
        if time != NOTHING and not _may_have(state, customer, moment):
            yield moment, time


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Keep the better progress of two customers, sub-step by sub-step."""
    progress = state.progress
    row = state.customers[a, at.PROGRESS_HEAD]
    while row >= 0:
        moment = progress[row, OWNER] & SLOT_MASK
        if not _may_have(state, b, moment):
            _keep_better_first(progress, row, _shared(program, state, b, moment))
        row = progress[row, NEXT]
    row = state.customers[b, at.PROGRESS_HEAD]
    while row >= 0:
        after = progress[row, NEXT]
        moment, key = progress[row, OWNER] & SLOT_MASK, progress[row, KEY]
        kept = find_progress(state, a, moment, key)
        if kept < 0:
            kept = _add_progress(program, state, a, moment, key)
        _keep_better(program, state, a, moment, kept, row)
        remove(progress, state.progress_index, state.pools, at.PROGRESS, state.customers, at.PROGRESS_HEAD, row)
        row = after
    state.active[b, :] = 0
    for initiator in range(state.initiators.shape[1]):
        state.initiators[a, initiator] = max(state.initiators[a, initiator], state.initiators[b, initiator])
    state.initiators[b, :] = NOTHING


@kernel
def _keep_better_first(progress: Ints, row: int, time: int) -> None:
    if time > progress[row, at.SUBSTEPS]:
        progress[row, at.SUBSTEPS] = time
        progress[row, at.SUBSTEPS + 1] = time


@kernel
def _keep_better(program: Program, state: State, a: int, moment: int, kept: int, row: int) -> None:
    progress = state.progress
    last = program.moments[moment, MOMENT_SUBSTEPS] - 1
    for sub in range(last + 1):
        column = at.SUBSTEPS + 2 * sub
        anchor, time = progress[row, column], progress[row, column + 1]
        own, own_time = progress[kept, column], progress[kept, column + 1]
        if anchor == NOTHING or anchor < own or (anchor == own and time > own_time):
            continue
        wait = progress[row, at.WAIT_AT]
        if sub == last and wait != at.INFINITE:
            same = anchor == own and time == own_time
            wait = max(wait, progress[kept, at.WAIT_AT]) if same else wait
            progress[kept, at.WAIT_AT] = wait
            _time_wait(state, a, moment, kept)
        progress[kept, column] = anchor
        progress[kept, column + 1] = time
