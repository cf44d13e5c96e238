"""Room: how much an event or a timer may take of each table, and tables grown where they are short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import (
    duplicates,
    identity,
    store,
    timers,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT
from onevoice.events.batch import (
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    TYPE,
)
from onevoice.program import (
    E_ENDS,
    E_FANS_FROM,
    E_FANS_TO,
    E_PRODUCT,
)

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from onevoice.engine.changes import Columns
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

_LARGE: Final = 2**28  # bytes; a larger table is doubled only


@kernel
def has_room_for_event(program: Program, state: State, columns: Columns, row: int, stop: int) -> bool:
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
    merges = end - start > 1 and identity.may_merge(state, columns.identifiers, start, end)
    if merges:
        need[at.TIMERS] += identity.timers_at_stake(state, columns.identifiers, start, end)
    if merges or program.event_types[kind, E_ENDS]:
        ending = identity.candidates_at_stake(state, columns.identifiers, start, end)
        need[at.DECISIONS] += ending
        need[at.LINES] += ending
    if program.event_types[kind, E_PRODUCT] >= 0:
        fans = program.event_types[kind, E_FANS_TO] - program.event_types[kind, E_FANS_FROM]
        _need_for_all(state, fans)
    return not is_short(state, need)


@kernel
def has_room_for_timer(program: Program, state: State) -> bool:
    """Whether the timer that is due next has all the rows it may take."""
    need = state.need
    for pool in range(at.POOLS):
        need[pool] = program.room_for_timer[pool]
    if state.timers[0, timers.KIND] == timers.SCHEDULE:
        _need_for_all(state, 1)
    elif state.timers[0, timers.KIND] == timers.ROUND:
        need[at.LINES] += state.customers[state.timers[0, timers.CUSTOMER], at.CANDIDATE_COUNT]
    return not is_short(state, need)


@kernel
def _need_for_all(state: State, times: int) -> None:
    """Ask for room for a wish of every customer."""
    customers = state.pools[at.CUSTOMERS, COUNT] * times
    state.need[at.CANDIDATES] += customers
    state.need[at.TIMERS] += 5 * customers
    state.need[at.DECISIONS] += customers
    state.need[at.LINES] += customers


@kernel
def is_short(state: State, need: Ints) -> bool:
    """Whether a pool has not room for `need[pool]` more rows."""
    pools = state.pools
    return (
        state.customers.shape[0] - pools[at.CUSTOMERS, store.COUNT] < need[at.CUSTOMERS]
        or state.identifiers.shape[0] - pools[at.IDENTIFIERS, store.COUNT] < need[at.IDENTIFIERS]
        or state.identifiers_index.shape[0] < 2 * (pools[at.IDENTIFIERS, store.COUNT] + need[at.IDENTIFIERS])
        or state.facts.shape[0] - pools[at.FACTS, store.COUNT] < need[at.FACTS]
        or state.facts_index.shape[0] < 2 * (pools[at.FACTS, store.COUNT] + need[at.FACTS])
        or state.cells.shape[0] - pools[at.CELLS, store.COUNT] < need[at.CELLS]
        or state.cells_index.shape[0] < 2 * (pools[at.CELLS, store.COUNT] + need[at.CELLS])
        or state.progress.shape[0] - pools[at.PROGRESS, store.COUNT] < need[at.PROGRESS]
        or state.progress_index.shape[0] < 2 * (pools[at.PROGRESS, store.COUNT] + need[at.PROGRESS])
        or state.panes.shape[0] - pools[at.PANES, store.COUNT] < need[at.PANES]
        or state.candidates.shape[0] - pools[at.CANDIDATES, store.COUNT] < need[at.CANDIDATES]
        or state.contacts.shape[0] - pools[at.CONTACTS, store.COUNT] < need[at.CONTACTS]
        or state.timers.shape[0] - pools[at.TIMERS, store.COUNT] < need[at.TIMERS]
        or state.queue.shape[0] - pools[at.QUEUE, store.COUNT] < need[at.QUEUE]
        or state.decisions.shape[0] - pools[at.DECISIONS, store.COUNT] < need[at.DECISIONS]
        or state.lines.shape[0] - pools[at.LINES, store.COUNT] < need[at.LINES]
        or state.ids.shape[0] < 2 * (pools[at.IDS, store.COUNT] + need[at.IDS])
    )


def grown(state: State, need: NDArray[np.int64]) -> State:
    """Return the state with room for `need[pool]` more rows in each pool, its tables larger where they were short."""
    changed: dict[str, NDArray[Any]] = {}
    for name, pool in at.TABLES.items():
        table: NDArray[Any] = getattr(state, name)
        wanted = int(state.pools[pool, store.COUNT] + need[pool])
        if table.shape[0] < wanted:
            bigger = np.zeros((_roomier(table, wanted), *table.shape[1:]), table.dtype)
            bigger[: table.shape[0]] = table
            changed[name] = bigger
    for name, pool in at.STORES.items():
        index: NDArray[Any] = getattr(state, name)
        if 2 * int(state.pools[pool, store.COUNT] + need[pool]) > index.shape[0]:
            wanted = 2 * int(state.pools[pool, store.COUNT] + need[pool])
            base = name.removesuffix("_index")
            rows: NDArray[Any] = changed[base] if base in changed else getattr(state, base)
            changed[name] = np.zeros(_doubled(256, wanted), np.int64)
            store.reindex(rows, changed[name], state.pools, pool)
    state = state.replaced(**changed)
    return _grown_sets(state, need)


def _grown_sets(state: State, need: NDArray[np.int64]) -> State:
    count = int(state.pools[at.IDENTIFIERS, store.COUNT] + need[at.IDENTIFIERS])
    if 2 * count > state.identifiers_index.shape[0]:
        index = np.zeros(_doubled(256, 2 * count), np.int64)
        identity.reindex(state.identifiers, index, state.pools[at.IDENTIFIERS, store.COUNT])
        state = state.replaced(identifiers_index=index)
    count = int(state.pools[at.IDS, store.COUNT] + need[at.IDS])
    if 2 * count > state.ids.shape[0]:
        ids = np.zeros((_doubled(256, 2 * count), 2), np.int64)
        state.pools[at.IDS, store.COUNT] = duplicates.refill(state.ids, ids, state.scalars[at.ID_DAY])
        state = state.replaced(ids=ids)
    return state


def _roomier(table: NDArray[Any], wanted: int) -> int:
    """Return how many rows a table gets: memory that is not touched yet is free, copying is not."""
    size = table.shape[0]
    while size < wanted:
        size *= 4 if table.nbytes < _LARGE else 2
    return size


def _doubled(size: int, wanted: int) -> int:
    while size < wanted:
        size *= 2
    return size
