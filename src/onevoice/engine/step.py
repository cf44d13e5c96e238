"""The event loop: the whole flow of the engine on one screen, in the order in which data moves (semantics §2).

`step` is pure: it reads the batch, the program and the state, and changes only the state, and the batch, which is used
up (what an event leaves unsaid is filled in). Time comes with the batch.
Before each event and each timer it makes sure that every table has room; where one is short it stops, and is called
again with more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import (
    asks,
    candidates,
    changes,
    contacts,
    controls,
    duplicates,
    facts,
    feeds,
    groups,
    growth,
    identity,
    judgement,
    moments,
    rounds,
    schedules,
    segments,
    timers,
    waking,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT, KEY
from onevoice.events.batch import (
    ID,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    LINE,
    MISSING_TIME,
    OCCURRED_AT,
    SOURCE,
    TRAITS_FROM,
    TRAITS_TO,
    TYPE,
)
from onevoice.program import (
    BY_MOMENT,
    CAMPAIGN_KEYED,
    E_ENDS,
    E_FANS_FROM,
    E_FANS_TO,
    E_FIRST,
    E_PRODUCT,
    E_SPECIAL,
    FACT_JUDGED,
    FACT_STOPS,
    MOMENT_CAMPAIGNS_FROM,
    MOMENT_CAMPAIGNS_TO,
    MOMENT_SUBSTEPS,
    P_LOOK_AHEAD_US,
    ROLE_PLACEMENT,
    SPECIAL_ASKED,
    T_CAMPAIGN,
    T_FACT,
    T_KEY,
)

if TYPE_CHECKING:
    from onevoice.engine.changes import Columns
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

DONE: Final = 0
SHORT: Final = 1  # a table needs `state.need` more rows


@kernel
def step(
    program: Program, state: State, columns: Columns, base: int, count: int, stamp: int, imported: int, observing: int
) -> int:
    """Process one journal row; returns DONE, or SHORT where it wants more room and to be called again.

    `base`: position of the row's first line; `count`: its lines, rejected ones included. `stamp`: journal time in µs.
    `imported`: each line's journal time is max(time before, occurred_at). `observing`: no wishes, no answers.
    """
    scalars = state.scalars
    scalars[at.OBSERVING] = observing
    rows = columns.rows
    ahead = 0
    while scalars[at.ROW] < rows.shape[0]:
        row = scalars[at.ROW]
        if rows[row, IDENTIFIERS_TO] > ahead:
            ahead = identity.look_ahead(state, columns.identifiers, ahead)
        time = _journal_time(scalars, rows[row, OCCURRED_AT], stamp, imported)
        if not scalars[at.STARTED] and not schedules.start(program, state, time):
            return SHORT
        if not _run_timers(program, state, columns, time):
            return SHORT
        stop = _end_of_line(rows, row)
        if not growth.has_room_for_event(program, state, columns, row, stop):
            return SHORT
        scalars[at.NOW] = time
        scalars[at.POSITION] = base + rows[row, LINE]
        _take_up(program, state, columns, row, stop, stamp)
        if scalars[at.GIVEN_BACK] > 0:
            waking.hand_on(program, state)
        scalars[at.POSITION] = base + rows[row, LINE] + 1
        scalars[at.ROW] = stop
    time = scalars[at.NOW] if imported else max(scalars[at.NOW], stamp)
    if not _run_timers(program, state, columns, time):
        return SHORT
    scalars[at.NOW] = time
    scalars[at.END] = base + count
    scalars[at.ROW] = 0
    return DONE


@kernel
def _take_up(program: Program, state: State, columns: Columns, row: int, stop: int, stamp: int) -> None:
    """Let one event, rows `[row, stop)` with its items, change what is known and start what follows from it."""
    rows = columns.rows
    kind = rows[row, TYPE]
    if kind < 0 or duplicates.is_duplicate(state, rows[row, ID]):
        return
    time, position = rows[row, OCCURRED_AT], state.scalars[at.POSITION]
    if time == MISSING_TIME:
        time = stamp
    feeds.hear(program, state, kind, rows[row, SOURCE], time)
    if program.event_types[kind, E_PRODUCT] >= 0:
        _fan_out(program, state, columns, row, time, position)
        return
    if controls.is_control(program, kind):
        controls.take_up(program, state, columns, row)
        return
    start, end = rows[row, IDENTIFIERS_FROM], rows[row, IDENTIFIERS_TO]
    customers, merges = state.pools[at.CUSTOMERS, COUNT], state.scalars[at.MERGES]
    customer = identity.resolve(program, state, columns.identifiers, start, end)
    changes.set_traits(program, state, columns, row, customer, time, position)
    for each in range(row, stop):
        columns.customers[each] = customer
        changes.take_special(program, state, columns, each, customer, time)
        changes.record_facts(program, state, columns, each, customer, time, position)
        changes.record_measures(program, state, columns, each, customer, time, position)
        changes.trigger(program, state, columns, each, customer)
        changes.advance_moments(program, state, columns, each, customer, time)
    is_new = state.pools[at.CUSTOMERS, COUNT] > customers or state.scalars[at.MERGES] > merges
    if is_new or rows[row, TRAITS_FROM] < rows[row, TRAITS_TO]:
        judgement.judge_all(program, state, customer)
    else:
        judgement.judge_after(program, state, customer, kind)
    if program.limits[P_LOOK_AHEAD_US] > 0 and candidates.free_kept(state, customer, -1):
        candidates.set_round(state, customer)
    if program.event_types[kind, E_ENDS] or state.scalars[at.MERGES] > merges:
        candidates.end_by_until(program, state, customer)
    judgement.give_births(program, state, columns, customer, time, position)
    if program.event_types[kind, E_SPECIAL] == SPECIAL_ASKED and not state.scalars[at.OBSERVING]:
        _answer(program, state, columns, row, customer)


@kernel
def _run_timers(program: Program, state: State, columns: Columns, until: int) -> bool:
    """Run every timer due at or before `until`, earliest first; False where a table is short."""
    while timers.is_due(state, until):
        if not growth.has_room_for_timer(program, state):
            return False
        timer = timers.pop(state)
        state.scalars[at.NOW] = state.timers[timer, timers.DUE]
        kind = state.timers[timer, timers.KIND]
        if kind == timers.FEED:
            feeds.look(program, state, timer)
        elif kind == timers.EXPIRY:
            candidates.expire(state, timer)
        elif kind == timers.FACT_END:
            _end_fact(program, state, timer)
        elif kind == timers.RELEASE:
            contacts.release(program, state, timer)
        elif kind == timers.JUDGEMENT:
            _judge_again(program, state, columns, timer)
        elif kind == timers.ABSENCE:
            _fire_absence(program, state, timer)
        elif kind == timers.SCHEDULE:
            schedules.launch(program, state, timer)
        elif kind == timers.BIRTH:
            candidates.birth(program, state, timer)
        elif kind == timers.ROUND:
            _hold_round(program, state, timer)
        else:
            waking.hand_on_rest(program, state, timer)
    return True


# Time and room


@kernel
def _journal_time(scalars: Ints, occurred_at: int, stamp: int, imported: int) -> int:
    if imported and occurred_at != MISSING_TIME:
        return max(scalars[at.NOW], occurred_at)
    return max(scalars[at.NOW], stamp)


@kernel
def _end_of_line(rows: Ints, row: int) -> int:
    stop = row + 1
    while stop < rows.shape[0] and rows[stop, LINE] == rows[row, LINE]:
        stop += 1
    return stop


@kernel
def _fan_out(program: Program, state: State, columns: Columns, row: int, time: int, position: int) -> None:
    """Let a world event about a product wish for every customer with the fact open for it."""
    event = program.event_types[columns.rows[row, TYPE]]
    product = columns.values[row, event[E_PRODUCT]]
    if product != product:  # noqa: PLR0124 - NaN is NULL
        return
    hashed = state.names[int(product), at.N_HASH]
    for use in range(event[E_FANS_FROM], event[E_FANS_TO]):
        campaign, fact = program.fans[use, T_CAMPAIGN], program.fans[use, T_FACT]
        for customer in range(state.pools[at.CUSTOMERS, COUNT]):
            if state.customers[customer, at.ALIAS] != customer:
                continue
            if facts.first_open(program, state, customer, fact, hashed, 0):
                key = facts.part_hash(state, columns, row, program.fans[use, T_KEY])
                values, code = columns.values, int(product)
                candidates.wish(program, state, customer, campaign, key, time, position, code, values, row)
                judgement.wake(program, state, customer)


@kernel
def _answer(program: Program, state: State, columns: Columns, row: int, customer: int) -> None:
    event = program.event_types[columns.rows[row, TYPE]]
    placement = changes.role_of(program, columns, row, event[E_FIRST], ROLE_PLACEMENT)
    if placement >= 0:
        asks.answer(program, state, customer, placement, columns.values, row)


# What time brings


@kernel
def _end_fact(program: Program, state: State, timer: int) -> None:
    """Judge the customer whose fact has ended, if that can make a difference."""
    fact = state.timers[timer, timers.SLOT] // facts.KINDS
    customer = facts.end(program, state, timer)
    if customer < 0:
        return
    waits = state.customers[customer, at.CANDIDATE_COUNT] > 0
    if program.facts[fact, FACT_JUDGED] or (waits and program.facts[fact, FACT_STOPS]):
        segments.set_judgement(state, customer, state.scalars[at.NOW])


@kernel
def _judge_again(program: Program, state: State, columns: Columns, timer: int) -> None:
    customer = state.timers[timer, timers.CUSTOMER]
    if state.timers[timer, timers.SLOT] == groups.AT_ONCE:
        state.scalars[at.JUDGED_AT_ONCE] += 1
        if state.customers[customer, at.ALIAS] != customer:
            return
    elif state.customers[customer, at.JUDGE_AT] != state.timers[timer, timers.DUE]:
        return
    else:
        state.customers[customer, at.JUDGE_AT] = at.INFINITE
    judgement.judge_all(program, state, customer)
    judgement.give_births(program, state, columns, customer, 0, 0)


@kernel
def _fire_absence(program: Program, state: State, timer: int) -> None:
    row = moments.wait_that_is_over(program, state, timer)
    if row < 0:
        return
    customer, moment = state.timers[timer, timers.CUSTOMER], state.timers[timer, timers.SLOT]
    key = state.progress[row, KEY]
    completed = state.progress[row, at.SUBSTEPS + 2 * program.moments[moment, MOMENT_SUBSTEPS] - 1]
    moments.clear(program, state, customer, moment, row)
    start, stop = program.moments[moment, MOMENT_CAMPAIGNS_FROM], program.moments[moment, MOMENT_CAMPAIGNS_TO]
    for i in range(start, stop):
        campaign = program.moment_campaigns[i, 0]
        wish_key = key if program.campaigns[campaign, CAMPAIGN_KEYED] == BY_MOMENT else 0
        candidates.wish(program, state, customer, campaign, wish_key, completed, at.INFINITE, -1, state.contexts, -1)
    judgement.wake(program, state, customer)


@kernel
def _hold_round(program: Program, state: State, timer: int) -> None:
    customer = rounds.round_timer(program, state, timer)
    judgement.wake(program, state, customer)
