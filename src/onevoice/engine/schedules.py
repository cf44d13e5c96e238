"""Campaigns that go out at a time of their own: `once` and `every` (semantics §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import (
    calendar,
    candidates,
    feeds,
    growth,
    judgement,
    switches,
    timers,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT
from onevoice.program import (
    P_ZONE,
    SCHEDULE_AT,
    SCHEDULE_CAMPAIGN,
    SCHEDULE_MINUTE,
    SCHEDULE_MONTH_DAY,
    SCHEDULE_WEEKDAY,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints


@kernel
def start(program: Program, state: State, time: int) -> bool:
    """Set the schedules that are not over when the first line comes, and when sources are looked at.

    False where there is no room for them.
    """
    state.need[:] = 0
    state.need[at.TIMERS] = program.room_for_event[at.TIMERS]
    if growth.is_short(state, state.need):
        return False
    state.scalars[at.STARTED] = 1
    state.scalars[at.NOW] = time
    for schedule in range(program.schedules.shape[0]):
        _set_schedule(program, state, schedule, time)
    feeds.begin(program, state)
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
            shown = day * calendar.DAY_US + schedules[schedule, SCHEDULE_MINUTE] * calendar.MINUTE_US
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
def launch(program: Program, state: State, timer: int) -> None:
    """Let a schedule wish for every customer."""
    schedule = state.timers[timer, timers.SLOT]
    campaign, now = program.schedules[schedule, SCHEDULE_CAMPAIGN], state.scalars[at.NOW]
    switches.begin_run(state, campaign)
    for customer in range(state.pools[at.CUSTOMERS, COUNT]):
        if state.customers[customer, at.ALIAS] == customer:
            candidates.wish(program, state, customer, campaign, 0, now, -1, -1, state.contexts, -1)
            judgement.wake(program, state, customer)
    if program.schedules[schedule, SCHEDULE_AT] < 0:
        _set_schedule(program, state, schedule, now + 1)
