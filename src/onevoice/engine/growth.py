"""Room: how much an event or a timer may take of each table, and tables grown where they are short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import (
    duplicates,
    groups,
    identity,
    store,
    timers,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT, ROOM
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
    E_SPECIAL,
    P_HOLDOUTS,
    SPECIAL_PAUSED,
    SPECIAL_RESOURCE,
)

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from onevoice.engine.changes import Columns
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

_LARGE: Final = 2**28  # bytes; a larger table is doubled only
# Open addressing: an index has at least so many places for each row.
_INDEX_SPREAD: Final = 2
_INDEX_LEAST: Final = 256
_INDEXES: Final = {**at.STORES, "identifiers_index": at.IDENTIFIERS, "ids": at.IDS}

_FACT_ROWS: Final = 3  # of one key: its own, its prefix's, the total's
_TIMERS_OF_WISH: Final = 5  # birth, round, expiry; and the judgement and the round of the customer it wakes


@kernel
def has_room_for_event(program: Program, state: State, columns: Columns, row: int, stop: int) -> bool:
    """Work out how many rows of each table an event may take, and whether they are there."""
    need = state.need
    rows = columns.rows
    kind = rows[row, TYPE]
    need[:] = 0
    if kind < 0:
        need[at.TIMERS] = state.scalars[at.TOLD]
        return not is_short(state, need)
    for pool in range(at.POOLS):
        need[pool] = program.room_for_event[pool]
        for each in range(row, stop):
            need[pool] += program.room_for_row[rows[each, TYPE], pool]
    need[at.TIMERS] += groups.timers_at_stake(state, need[at.MEMBERS]) + state.scalars[at.TOLD]
    start, end = rows[row, IDENTIFIERS_FROM], rows[row, IDENTIFIERS_TO]
    need[at.IDENTIFIERS] = end - start
    merges = end - start > 1 and identity.may_merge(state, columns.identifiers, start, end)
    if merges:
        need[at.TIMERS] += identity.timers_at_stake(state, columns.identifiers, start, end)
    if merges or program.event_types[kind, E_ENDS]:
        ending = identity.candidates_at_stake(state, columns.identifiers, start, end)
        need[at.DECISIONS] += ending
        need[at.LINES] += ending
        need[at.TIMERS] += ending * program.resources.shape[0]  # what each gives back may wake one
    if program.event_types[kind, E_PRODUCT] >= 0:
        fans = program.event_types[kind, E_FANS_TO] - program.event_types[kind, E_FANS_FROM]
        _need_for_all(state, fans)
    if SPECIAL_PAUSED <= program.event_types[kind, E_SPECIAL] <= SPECIAL_RESOURCE:
        for pool in (at.TIMERS, at.DECISIONS, at.LINES):  # each who waits may be ended, or wait no longer
            need[pool] += state.pools[at.CANDIDATES, COUNT]
        need[at.TIMERS] += state.pools[at.CANDIDATES, COUNT]  # what those that end give back may wake the others
    return not is_short(state, need)


@kernel
def has_room_for_timer(program: Program, state: State) -> bool:
    """Whether the timer that is due next has all the rows it may take."""
    need = state.need
    for pool in range(at.POOLS):
        need[pool] = program.room_for_timer[pool]
    need[at.TIMERS] += groups.timers_at_stake(state, 0)
    if state.timers[0, timers.KIND] == timers.SCHEDULE:
        _need_for_all(state, 1)
    elif state.timers[0, timers.KIND] == timers.FEED:
        need[at.TIMERS] += state.pools[at.CANDIDATES, COUNT]  # each who waits may wait no longer
    elif state.timers[0, timers.KIND] == timers.ROUND:
        waiting = state.customers[state.timers[0, timers.CUSTOMER], at.CANDIDATE_COUNT]
        need[at.LINES] += waiting
        need[at.CONTACTS] += waiting
        need[at.TIMERS] += 2 * waiting  # each its own, and one for the resource at which it is given a turn
        if program.limits[P_HOLDOUTS] > 0:
            _need_for_held_out(state, waiting)
    return not is_short(state, need)


@kernel
def _need_for_held_out(state: State, waiting: int) -> None:
    """Ask for room for a round in which all that wait are held out, each with a contact that may have been ignored."""
    state.need[at.CONTACTS] += waiting
    state.need[at.CELLS] += waiting
    state.need[at.FACTS] += _FACT_ROWS * waiting
    state.need[at.TIMERS] += waiting


@kernel
def _need_for_all(state: State, times: int) -> None:
    """Ask for room for a wish of every customer."""
    customers = state.pools[at.CUSTOMERS, COUNT] * times
    state.need[at.CANDIDATES] += customers
    state.need[at.TIMERS] += _TIMERS_OF_WISH * customers
    state.need[at.DECISIONS] += customers
    state.need[at.LINES] += customers


@kernel
def is_short(state: State, need: Ints) -> bool:
    """Whether a pool has not room for `need[pool]` more rows."""
    for pool in range(at.POOLS):
        if state.pools[pool, COUNT] + need[pool] > state.pools[pool, ROOM]:
            return True
    return False


def grown(state: State, need: NDArray[np.int64]) -> State:
    """Return the state with room for `need[pool]` more rows in each pool, its tables larger where they were short."""
    wanted = state.pools[:, COUNT] + need
    changed: dict[str, NDArray[Any]] = {}
    for name, pool in at.TABLES.items():
        table: NDArray[Any] = getattr(state, name)
        if table.shape[0] < wanted[pool]:
            bigger = np.zeros((_roomier(table, int(wanted[pool])), *table.shape[1:]), table.dtype)
            bigger[: table.shape[0]] = table
            changed[name] = bigger
    for name, pool in _INDEXES.items():
        index: NDArray[Any] = getattr(state, name)
        if index.shape[0] < _INDEX_SPREAD * wanted[pool]:
            size = _doubled(_INDEX_LEAST, _INDEX_SPREAD * int(wanted[pool]))
            changed[name] = np.zeros((size, *index.shape[1:]), np.int64)
    bigger = state.replaced(**changed)
    for name in changed.keys() & _INDEXES.keys():
        _fill(state, bigger, name)
    _count_room(bigger)
    return bigger


def _fill(state: State, bigger: State, name: str) -> None:
    """Fill an index that has grown, and is empty, from its table; the ids from those remembered so far."""
    pools = state.pools
    if name == "ids":
        pools[at.IDS, COUNT] = duplicates.refill(state.ids, bigger.ids, state.scalars[at.ID_DAY])
    elif name == "identifiers_index":
        identity.reindex(bigger.identifiers, bigger.identifiers_index, pools[at.IDENTIFIERS, COUNT])
    else:
        store.reindex(getattr(bigger, name.removesuffix("_index")), getattr(bigger, name), pools, at.STORES[name])


def _count_room(state: State) -> None:
    """Write down how many rows of each pool fit its tables and, thinly spread, its index."""
    room = state.pools[:, ROOM]
    room[:] = at.INFINITE
    for name, pool in at.TABLES.items():
        room[pool] = min(room[pool], len(getattr(state, name)))
    for name, pool in _INDEXES.items():
        room[pool] = min(room[pool], len(getattr(state, name)) // _INDEX_SPREAD)


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
