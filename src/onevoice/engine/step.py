"""The event loop: the whole flow of the engine on one screen, in the order in which data moves (semantics §2).

`step` is pure: it reads the batch, the program and the state, and changes only the state. Time comes with the batch.
Before each event and each timer it makes sure that every table has room; where one is short it stops, and is called
again with more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from onevoice.conditions.tree import OFFER_FAMILY, OFFER_PRODUCT
from onevoice.engine import (
    arbitration,
    calendar,
    candidates,
    conditions,
    duplicates,
    facts,
    identity,
    ledger,
    measures,
    moments,
    segments,
    timers,
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
    TRAIT,
    TRAIT_VALUE,
    TRAITS_FROM,
    TRAITS_TO,
    TYPE,
)
from onevoice.program import (
    BY_MOMENT,
    CAMPAIGN_CLASS,
    CAMPAIGN_KEYED,
    E_ENDS,
    E_FACTS_FROM,
    E_FACTS_TO,
    E_FANS_FROM,
    E_FANS_TO,
    E_FIRST,
    E_JUDGES,
    E_MEASURES_FROM,
    E_MEASURES_TO,
    E_MOMENTS_FROM,
    E_MOMENTS_TO,
    E_PRODUCT,
    E_SECOND,
    E_SPECIAL,
    E_THIRD,
    E_TRIGGERS_FROM,
    E_TRIGGERS_TO,
    FACT_JUDGED,
    FACT_STOPS,
    KEY_PART,
    MOMENT_CAMPAIGNS_FROM,
    MOMENT_CAMPAIGNS_TO,
    MOMENT_KEYED,
    MOMENT_SUBSTEPS,
    MU_COLUMN,
    MU_MEASURE,
    MU_PART,
    MU_WHERE,
    NO_PART,
    P_JUDGES,
    P_ZONE,
    P_ZONE_TRAIT,
    ROLE_CAMPAIGN,
    ROLE_CHANNEL,
    ROLE_CLASS,
    ROLE_OFFER,
    ROLE_PLACEMENT,
    SCHEDULE_AT,
    SCHEDULE_CAMPAIGN,
    SCHEDULE_MINUTE,
    SCHEDULE_MONTH_DAY,
    SCHEDULE_WEEKDAY,
    SPECIAL_ASKED,
    SPECIAL_NONE,
    SPECIAL_REACTION,
    SPECIAL_REPORTED,
    T_CAMPAIGN,
    T_FACT,
    T_KEY,
    T_WHERE,
    USE_WHERE,
    USED_BY,
    USED_KEY,
    USED_NEXT,
    USED_ROLE,
    USED_WHERE,
)
from onevoice.tables import Tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

DONE: Final = 0
SHORT: Final = 1  # a table needs `state.need` more rows

_MINUTE_US: Final = 60_000_000


class Columns(Tables):
    """The arrays of a batch whose names are the state's (events/batch.py says what they hold)."""

    fields: ClassVar = {"rows": "i2", "values": "f2", "keys": "i2", "identifiers": "i2", "traits": "f2"}
    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    keys: NDArray[np.int64]
    identifiers: NDArray[np.int64]
    traits: NDArray[np.float64]


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
    while scalars[at.ROW] < rows.shape[0]:
        row = scalars[at.ROW]
        time = _journal_time(scalars, rows[row, OCCURRED_AT], stamp, imported)
        if not scalars[at.STARTED] and not _start(program, state, time):
            return SHORT
        if not _run_timers(program, state, columns, time):
            return SHORT
        stop = _end_of_line(rows, row)
        if not _has_room_for_event(program, state, columns, row, stop):
            return SHORT
        scalars[at.NOW] = time
        scalars[at.POSITION] = base + rows[row, LINE]
        _take_up(program, state, columns, row, stop, stamp)
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
    if program.event_types[kind, E_PRODUCT] >= 0:
        _fan_out(program, state, columns, row, time, position)
        return
    start, end = rows[row, IDENTIFIERS_FROM], rows[row, IDENTIFIERS_TO]
    customers, merges = state.pools[at.CUSTOMERS, COUNT], state.scalars[at.MERGES]
    customer = identity.resolve(program, state, columns.identifiers, start, end)
    _set_traits(program, state, columns, row, customer, time, position)
    for each in range(row, stop):
        _take_special(program, state, columns, each, customer, time)
        _record_facts(program, state, columns, each, customer, time, position)
        _record_measures(program, state, columns, each, customer, time, position)
        _trigger(program, state, columns, each, customer)
        _advance_moments(program, state, columns, each, customer, time)
    is_new = state.pools[at.CUSTOMERS, COUNT] > customers or state.scalars[at.MERGES] > merges
    if is_new or program.event_types[kind, E_JUDGES] or rows[row, TRAITS_FROM] < rows[row, TRAITS_TO]:
        _judge(program, state, customer)
    else:
        _wake(program, state, customer)
    if program.event_types[kind, E_ENDS] or state.scalars[at.MERGES] > merges:
        candidates.end_by_until(program, state, customer)
    _give_births(program, state, columns, customer, time, position)
    if program.event_types[kind, E_SPECIAL] == SPECIAL_ASKED and not state.scalars[at.OBSERVING]:
        _answer(program, state, columns, row, customer)


@kernel
def _run_timers(program: Program, state: State, columns: Columns, until: int) -> bool:
    """Run every timer due at or before `until`, earliest first; False where a table is short."""
    while timers.is_due(state, until):
        if not _has_room_for_timer(program, state):
            return False
        timer = timers.pop(state)
        state.scalars[at.NOW] = state.timers[timer, timers.DUE]
        kind = state.timers[timer, timers.KIND]
        if kind == timers.EXPIRY:
            candidates.expire(state, timer)
        elif kind == timers.FACT_END:
            _end_fact(program, state, timer)
        elif kind == timers.JUDGEMENT:
            _judge_again(program, state, columns, timer)
        elif kind == timers.ABSENCE:
            _fire_absence(program, state, timer)
        elif kind == timers.SCHEDULE:
            _launch(program, state, timer)
        elif kind == timers.BIRTH:
            candidates.birth(program, state, timer)
        else:
            _hold_round(program, state, timer)
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
def _has_room_for_event(program: Program, state: State, columns: Columns, row: int, stop: int) -> bool:
    """Work out how many rows of each table an event may take, and whether they are there."""
    need = state.need
    rows = columns.rows
    kind = rows[row, TYPE]
    need[:] = 0
    if kind < 0:
        return True
    for pool in range(at.POOLS):
        need[pool] = program.room_for_event[pool]
        for each in range(row, stop):
            need[pool] += program.room_for_row[rows[each, TYPE], pool]
    start, end = rows[row, IDENTIFIERS_FROM], rows[row, IDENTIFIERS_TO]
    need[at.IDENTIFIERS] = end - start
    if end - start > 1:
        need[at.TIMERS] += identity.rows_at_stake(state, columns.identifiers, start, end)
    if program.event_types[kind, E_PRODUCT] >= 0:
        fans = program.event_types[kind, E_FANS_TO] - program.event_types[kind, E_FANS_FROM]
        _need_for_all(state, fans)
    return not at.is_short(state, need)


@kernel
def _has_room_for_timer(program: Program, state: State) -> bool:
    need = state.need
    for pool in range(at.POOLS):
        need[pool] = program.room_for_timer[pool]
    if state.timers[0, timers.KIND] == timers.SCHEDULE:
        _need_for_all(state, 1)
    return not at.is_short(state, need)


@kernel
def _need_for_all(state: State, times: int) -> None:
    """Ask for room for a wish of every customer."""
    customers = state.pools[at.CUSTOMERS, COUNT] * times
    state.need[at.CANDIDATES] += customers
    state.need[at.TIMERS] += 3 * customers
    state.need[at.DECISIONS] += customers
    state.need[at.LINES] += customers


# What an event changes


@kernel
def _holds(program: Program, state: State, columns: Columns, row: int, customer: int, where: int) -> bool:
    """Whether a condition over the event alone is true; none is."""
    if where < 0:
        return True
    now = state.scalars[at.NOW]
    return conditions.evaluate(program, state, state.stack, where, customer, now, columns.values, row, -1, -1) == 1.0


@kernel
def _set_traits(
    program: Program, state: State, columns: Columns, row: int, customer: int, time: int, position: int
) -> None:
    for i in range(columns.rows[row, TRAITS_FROM], columns.rows[row, TRAITS_TO]):
        trait = int(columns.traits[i, TRAIT])
        stamps = state.trait_stamps
        kept = stamps[customer, 2 * trait]
        if time > kept or (time == kept and position >= stamps[customer, 2 * trait + 1]):
            found = columns.traits[i, TRAIT_VALUE]
            state.traits[customer, trait] = found
            stamps[customer, 2 * trait] = time
            stamps[customer, 2 * trait + 1] = position
            if trait == program.limits[P_ZONE_TRAIT]:
                _set_zone(program, state, customer, found)


@kernel
def _set_zone(program: Program, state: State, customer: int, name: float) -> None:
    zone = -1
    if name == name:  # noqa: PLR0124 - NaN is NULL
        zone = state.names[int(name), at.N_ZONE]
    state.customers[customer, at.ZONE] = zone if zone >= 0 else program.limits[P_ZONE]


@kernel
def _role(program: Program, columns: Columns, row: int, column: int, role: int) -> int:
    """Return what a name in an event stands for in the playbook, or -1."""
    name = columns.values[row, column]
    if name != name or name >= program.roles.shape[0]:  # noqa: PLR0124 - NaN is NULL
        return -1
    return program.roles[int(name), role]


@kernel
def _take_special(program: Program, state: State, columns: Columns, row: int, customer: int, time: int) -> None:
    """Take up what the engine itself reads in the built-in events."""
    event = program.event_types[columns.rows[row, TYPE]]
    special = event[E_SPECIAL]
    if special == SPECIAL_NONE or special == SPECIAL_ASKED:
        return
    if special == SPECIAL_REPORTED:
        campaign = _role(program, columns, row, event[E_FIRST], ROLE_CAMPAIGN)
        klass = _role(program, columns, row, event[E_SECOND], ROLE_CLASS)
        given = columns.values[row, event[E_SECOND]]
        if given != given and campaign >= 0:  # noqa: PLR0124 - NaN is NULL
            klass = program.campaigns[campaign, CAMPAIGN_CLASS]
        channel = _role(program, columns, row, event[E_THIRD], ROLE_CHANNEL)
        ledger.enter(program, state, customer, -1, campaign, klass, channel, 0, time)
        return
    offer = _role(program, columns, row, event[E_FIRST], ROLE_OFFER)
    if offer >= 0:
        _fill_in(columns, row, event[E_SECOND], program.offers[offer, OFFER_FAMILY])
        _fill_in(columns, row, event[E_THIRD], program.offers[offer, OFFER_PRODUCT])
    if special == SPECIAL_REACTION:
        ledger.reacted(program, state, customer, facts.part_hash(state, columns, row, event[E_SECOND]))


@kernel
def _fill_in(columns: Columns, row: int, column: int, found: float) -> None:
    if columns.values[row, column] != columns.values[row, column]:
        columns.values[row, column] = found


@kernel
def _record_facts(
    program: Program, state: State, columns: Columns, row: int, customer: int, time: int, position: int
) -> None:
    event = program.event_types[columns.rows[row, TYPE]]
    for use in range(event[E_FACTS_FROM], event[E_FACTS_TO]):
        if _holds(program, state, columns, row, customer, program.fact_uses[use, USE_WHERE]):
            facts.record(program, state, customer, use, columns, row, time, position)


@kernel
def _record_measures(
    program: Program, state: State, columns: Columns, row: int, customer: int, time: int, position: int
) -> None:
    event = program.event_types[columns.rows[row, TYPE]]
    uses = program.measure_uses
    for use in range(event[E_MEASURES_FROM], event[E_MEASURES_TO]):
        column, part = uses[use, MU_COLUMN], uses[use, MU_PART]
        value = columns.values[row, column] if column >= 0 else 0.0
        hashed = facts.part_hash(state, columns, row, part)
        if value != value or (part >= KEY_PART and hashed == 0):  # noqa: PLR0124 - NaN is NULL
            continue
        if _holds(program, state, columns, row, customer, uses[use, MU_WHERE]):
            measures.record(program, state, customer, uses[use, MU_MEASURE], value, hashed, time, position)


@kernel
def _trigger(program: Program, state: State, columns: Columns, row: int, customer: int) -> None:
    """Queue the campaigns that wait for this event."""
    event = program.event_types[columns.rows[row, TYPE]]
    for use in range(event[E_TRIGGERS_FROM], event[E_TRIGGERS_TO]):
        if _holds(program, state, columns, row, customer, program.triggers[use, T_WHERE]):
            key = facts.part_hash(state, columns, row, program.triggers[use, T_KEY])
            segments.queue(state, program.triggers[use, T_CAMPAIGN], row, key)


@kernel
def _advance_moments(program: Program, state: State, columns: Columns, row: int, customer: int, time: int) -> None:
    event = program.event_types[columns.rows[row, TYPE]]
    use = event[E_MOMENTS_FROM]
    while use < event[E_MOMENTS_TO]:
        part = program.moment_uses[use, USED_KEY]
        key = facts.part_hash(state, columns, row, part)
        if part == NO_PART or key != 0:
            _advance_moment(program, state, columns, row, customer, use, key, time)
        use = program.moment_uses[use, USED_NEXT]


@kernel
def _advance_moment(
    program: Program, state: State, columns: Columns, row: int, customer: int, first: int, key: int, time: int
) -> None:
    """Apply an event to one moment: kills, then steps from the last to the first."""
    uses = program.moment_uses
    moment = uses[first, USED_BY]
    keyed = program.moments[moment, MOMENT_KEYED]
    progress = moments.find_progress(state, customer, moment, key)
    killed = False
    for use in range(first, uses[first, USED_NEXT]):
        if not moments.may_start_or_go_on(program, state, use, progress):
            continue
        if not _holds(program, state, columns, row, customer, uses[use, USED_WHERE]):
            continue
        if uses[use, USED_ROLE] != moments.STEP:
            moments.undo(program, state, use, progress, time)
            killed = True
            continue
        found = moments.advance(program, state, customer, use, progress, key, time)
        if found == moments.FIRES:
            moments.clear(state, customer, moment, progress, keyed)
            _queue_moment(program, state, columns, moment, row, key)
            return
        progress = found
    if killed:
        moments.tidy(program, state, customer, moment, progress, keyed)


@kernel
def _queue_moment(program: Program, state: State, columns: Columns, moment: int, row: int, key: int) -> None:
    kind = columns.rows[row, TYPE]
    start, stop = program.moments[moment, MOMENT_CAMPAIGNS_FROM], program.moments[moment, MOMENT_CAMPAIGNS_TO]
    for i in range(start, stop):
        campaign = program.moment_campaigns[i, 0]
        part = int(program.parts[kind, campaign])
        if part == NO_PART:
            wish_key = key if program.campaigns[campaign, CAMPAIGN_KEYED] == BY_MOMENT else 0
        else:
            wish_key = facts.part_hash(state, columns, row, part)
        segments.queue(state, campaign, row, wish_key)


@kernel
def _judge(program: Program, state: State, customer: int) -> None:
    """Judge the customer's segments and suppressions, wake what they free, and say when to judge again."""
    due = at.INFINITE
    if program.limits[P_JUDGES]:
        segments.judge(program, state, customer)
        due = segments.next_judgement(program, state, customer)
    if state.customers[customer, at.CANDIDATE_COUNT] > 0:
        due = min(due, arbitration.wake(program, state, customer))
    segments.set_judgement(state, customer, due)


@kernel
def _give_births(program: Program, state: State, columns: Columns, customer: int, time: int, position: int) -> None:
    """Let what was queued become wishes."""
    count = state.pools[at.QUEUE, COUNT]
    state.pools[at.QUEUE, COUNT] = 0
    for i in range(count):
        campaign, row, key = state.queue[i, at.Q_CAMPAIGN], state.queue[i, at.Q_ROW], state.queue[i, at.Q_KEY]
        if row >= 0:
            candidates.wish(program, state, customer, campaign, key, time, position, -1, columns.values, row)
        else:
            now = state.scalars[at.NOW]
            candidates.wish(program, state, customer, campaign, key, now, -1, -1, state.contexts, -1)
    if count > 0:
        _wake(program, state, customer)


@kernel
def _wake(program: Program, state: State, customer: int) -> None:
    """Look at the blocked candidates again after a wish may have refreshed one."""
    if state.customers[customer, at.CANDIDATE_COUNT] > 0:
        due = min(state.customers[customer, at.JUDGE_AT], arbitration.wake(program, state, customer))
        segments.set_judgement(state, customer, due)


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
            if facts.first_open(program, state, customer, fact, hashed):
                key = facts.part_hash(state, columns, row, program.fans[use, T_KEY])
                values, code = columns.values, int(product)
                candidates.wish(program, state, customer, campaign, key, time, position, code, values, row)
                _wake(program, state, customer)


@kernel
def _answer(program: Program, state: State, columns: Columns, row: int, customer: int) -> None:
    event = program.event_types[columns.rows[row, TYPE]]
    placement = _role(program, columns, row, event[E_FIRST], ROLE_PLACEMENT)
    if placement >= 0:
        arbitration.answer(program, state, customer, placement, columns.values, row)


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
    if state.customers[customer, at.JUDGE_AT] != state.timers[timer, timers.DUE]:
        return
    state.customers[customer, at.JUDGE_AT] = at.INFINITE
    _judge(program, state, customer)
    _give_births(program, state, columns, customer, 0, 0)


@kernel
def _fire_absence(program: Program, state: State, timer: int) -> None:
    row = moments.absence_row(state, timer)
    if row < 0:
        return
    customer, moment = state.timers[timer, timers.CUSTOMER], state.timers[timer, timers.SLOT]
    key = state.progress[row, KEY]
    completed = state.progress[row, at.SUBSTEPS + 2 * program.moments[moment, MOMENT_SUBSTEPS] - 1]
    moments.clear(state, customer, moment, row, program.moments[moment, MOMENT_KEYED])
    start, stop = program.moments[moment, MOMENT_CAMPAIGNS_FROM], program.moments[moment, MOMENT_CAMPAIGNS_TO]
    for i in range(start, stop):
        campaign = program.moment_campaigns[i, 0]
        wish_key = key if program.campaigns[campaign, CAMPAIGN_KEYED] == BY_MOMENT else 0
        candidates.wish(program, state, customer, campaign, wish_key, completed, at.INFINITE, -1, state.contexts, -1)
    _wake(program, state, customer)


@kernel
def _hold_round(program: Program, state: State, timer: int) -> None:
    customer = state.timers[timer, timers.CUSTOMER]
    arbitration.round_timer(program, state, timer)
    _wake(program, state, customer)


@kernel
def _start(program: Program, state: State, time: int) -> bool:
    """Set the schedules that are not over when the first line comes; False where there is no room for them."""
    state.need[:] = 0
    state.need[at.TIMERS] = program.room_for_event[at.TIMERS]
    if at.is_short(state, state.need):
        return False
    state.scalars[at.STARTED] = 1
    state.scalars[at.NOW] = time
    for schedule in range(program.schedules.shape[0]):
        _set_schedule(program, state, schedule, time)
    return True


@kernel
def _set_schedule(program: Program, state: State, schedule: int, earliest: int) -> None:
    due = _next_instant(program, schedule, earliest)
    if due >= earliest and due != at.INFINITE:
        timers.push(state, due, timers.SCHEDULE, 0, schedule, 0, 0)


@kernel
def _next_instant(program: Program, schedule: int, earliest: int) -> int:
    """Return the first instant of a schedule at or after `earliest`; for `once` its only one."""
    schedules = program.schedules
    if schedules[schedule, SCHEDULE_AT] >= 0:
        return schedules[schedule, SCHEDULE_AT]
    zone = program.limits[P_ZONE]
    day = calendar.local_day(program.zones, zone, earliest) - 1
    while True:
        if _is_its_day(schedules, schedule, day):
            shown = day * duplicates.DAY + schedules[schedule, SCHEDULE_MINUTE] * _MINUTE_US
            due = calendar.instant_of(program.zones, zone, shown)
            if due >= earliest:
                return due
        day += 1


@kernel
def _is_its_day(schedules: Ints, schedule: int, day: int) -> bool:
    weekday, month_day = schedules[schedule, SCHEDULE_WEEKDAY], schedules[schedule, SCHEDULE_MONTH_DAY]
    if weekday >= 0 and (day + 3) % 7 != weekday:
        return False
    return month_day == 0 or calendar.civil(day)[2] == month_day


@kernel
def _launch(program: Program, state: State, timer: int) -> None:
    """Let a schedule wish for every customer."""
    schedule = state.timers[timer, timers.SLOT]
    campaign, now = program.schedules[schedule, SCHEDULE_CAMPAIGN], state.scalars[at.NOW]
    for customer in range(state.pools[at.CUSTOMERS, COUNT]):
        if state.customers[customer, at.ALIAS] == customer:
            candidates.wish(program, state, customer, campaign, 0, now, -1, -1, state.contexts, -1)
            _wake(program, state, customer)
    if program.schedules[schedule, SCHEDULE_AT] < 0:
        _set_schedule(program, state, schedule, now + 1)
