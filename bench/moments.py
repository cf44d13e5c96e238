"""Moments alone: events through the engine's own moments stage, columns in memory, customers numbered, one core.

Before measuring: an event touches its customer's line of `active` bits, a cache miss of 80 ns when a million
customers do not fit in the cache, but misses of different events overlap: 15 ns. With one moment of 40 types few
events go further: 50M events/s. With 100 moments of 3 steps an event is used 7.5 times, and a third of the uses are
first steps: kept in a row each, that is 2.5 rows behind a hash, two misses each that hardly overlap: 500 ns, 2M
events/s; kept once per type, 4M or more.
The limit beside it is the same dynamic programme over a dense table of three numbers per customer and moment, without
conditions, keys, late events, merges or absences; it must find as many firings.
"""

from __future__ import annotations

import numpy as np

from bench.report import core_seconds, number, row
from bench.workload import START_US, TYPES, drawn_steps, named, type_name
from onevoice.compiler import compile_playbook
from onevoice.engine import changes, growth
from onevoice.engine import state as at
from onevoice.engine.empty import empty
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT, HIGH
from onevoice.events.batch import LINE, OCCURRED_AT, ROW_WIDTH, SOURCE, TYPE
from onevoice.playbook.model import (
    DAY,
    Campaign,
    CampaignClass,
    Channel,
    EventMatch,
    EventType,
    Identifier,
    Moment,
    Playbook,
    Policies,
    Step,
    Trigger,
    TriggerKind,
)

CUSTOMERS = 1_000_000
EVENTS = 8_000_000  # the first half is for warming up: it brings the state to where it stays
DAYS = 10
TARGETS = {1: 50e6, 10: 15e6, 100: 4e6}
NOTHING = -(2**62)


@kernel
def advance(program, state, columns, customers, start, stop):
    """Run rows `[start, stop)` through the moments stage; returns how often a moment fired."""
    rows = columns.rows
    fired = 0
    for i in range(start, stop):
        changes.advance_moments(program, state, columns, i, customers[i], rows[i, OCCURRED_AT])
        fired += state.pools[at.QUEUE, COUNT]
        state.pools[at.QUEUE, COUNT] = 0
    return fired


@kernel
def advance_dense(uses, spans, latest, customers, kinds, times, window, start, stop):
    """Do the same over `latest`, int64[customers, 3 * moments]: the latest start of a chain that came to each step."""
    fired = 0
    for i in range(start, stop):
        customer, time = customers[i], times[i]
        for use in range(spans[kinds[i]], spans[kinds[i] + 1]):
            column, sub = uses[use, 0], uses[use, 1]
            if sub == 0:
                latest[customer, column] = time
            elif time - latest[customer, column - 1] < window:
                if sub == 1:
                    latest[customer, column] = latest[customer, column - 1]
                else:
                    fired += 1
                    latest[customer, column - 2] = NOTHING
                    latest[customer, column - 1] = NOTHING
    return fired


def playbook(types):
    """Return moments of three steps in a window of a day, each with a campaign so that its firings are queued."""
    moments = [
        Moment(f"moment_{i}", tuple(Step((EventMatch(type_name(kind)),)) for kind in steps), within_us=DAY)
        for i, steps in enumerate(types)
    ]
    whens = [Trigger(TriggerKind.MOMENT, moment.name) for moment in moments]
    campaigns = [Campaign(f"on_{when.name}", "service", when, send=("task",)) for when in whens]
    return Playbook(
        "moments",
        identifiers=named(Identifier("card", unique=True)),
        events=named(*(EventType(type_name(kind)) for kind in range(TYPES))),
        moments=named(*moments),
        campaigns=named(*campaigns),
        policies=Policies(classes=named(CampaignClass("service"))),
        channels=named(Channel("task")),
    )


def columns_of(schema, kinds, times):
    rows = np.zeros((len(kinds), ROW_WIDTH), np.int64)
    rows[:, TYPE] = np.array([schema.layout(type_name(kind)).number for kind in range(TYPES)])[kinds]
    rows[:, OCCURRED_AT] = times
    rows[:, LINE] = np.arange(len(kinds))
    rows[:, SOURCE] = -1
    none = np.zeros((1, 1))
    nobody = np.full(len(kinds), -1)
    return changes.Columns(rows=rows, values=none, keys=none, identifiers=none, traits=none, customers=nobody)


def prepared(compiled, rows):
    """Return a state that knows the customers by number, with room for so many rows of progress, all touched."""
    need = np.zeros(at.POOLS, np.int64)
    need[at.CUSTOMERS], need[at.QUEUE], need[at.PROGRESS] = CUSTOMERS, 1_000, rows
    state = growth.grown(empty(compiled.widths), need)
    state.pools[at.CUSTOMERS, COUNT] = state.pools[at.CUSTOMERS, HIGH] = CUSTOMERS
    state.customers[:CUSTOMERS, at.ALIAS] = np.arange(CUSTOMERS)
    state.customers[:, at.PROGRESS_HEAD] = -1
    for table in (state.active, state.progress, state.progress_index):
        table[:] = 0
    state.initiators[:] = at.NEVER
    return state


def twice(work):
    """Run the warming half and the measured half; returns the seconds of the second, and the firings of both."""
    fired = work(0, 1) + work(1, EVENTS // 2)
    seconds, more = core_seconds(lambda: work(EVENTS // 2, EVENTS))
    return seconds, fired + more


def dense(types, customers, kinds, times):
    """Measure the limit."""
    used = sorted((int(kind), 3 * i + sub, sub) for i, steps in enumerate(types) for sub, kind in enumerate(steps))
    uses = np.array([use[1:] for use in used])
    spans = np.searchsorted([use[0] for use in used], np.arange(TYPES + 1))
    latest = np.full((CUSTOMERS, 3 * len(types)), NOTHING)
    return twice(lambda start, stop: advance_dense(uses, spans, latest, customers, kinds, times, DAY, start, stop))


def measure(count, seed=7):
    types = drawn_steps(count, seed)
    draw = np.random.default_rng(seed)
    customers = draw.integers(0, CUSTOMERS, EVENTS)
    kinds = draw.integers(0, TYPES, EVENTS)
    times = START_US + np.sort(draw.integers(0, DAYS * DAY, EVENTS))
    limit_s, expected = dense(types, customers, kinds, times)
    compiled = compile_playbook(playbook(types))
    columns = columns_of(compiled.schema, kinds, times)
    state = prepared(compiled, EVENTS * count // 1_000)
    seconds, fired = twice(lambda start, stop: advance(compiled.program, state, columns, customers, start, stop))
    assert fired == expected, (fired, expected)
    rate, limit = EVENTS / 2 / seconds, EVENTS / 2 / limit_s
    held = state.pools[at.PROGRESS, COUNT]
    assert state.pools[at.PROGRESS, HIGH] <= len(state.progress), "kernels do not look for room"
    row(
        f"moments alone, {count} of 3 steps, one core",
        rate,
        "events/s",
        TARGETS[count],
        f"a dense table {number(limit)}: x{rate / limit:.2f}; {fired:,} firings in both; {held:,} rows of progress",
    )


def main():
    for count in TARGETS:
        measure(count)


if __name__ == "__main__":
    main()
