"""Ids of events, remembered for the day on which they came and the next (semantics §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import state as at
from onevoice.engine.calendar import DAY_US
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.tables import Ints

IDS_A_DAY_MAX: Final = 2**22

_HASH: Final = 0
_FIRST_DAY: Final = 1


@kernel
def _place(ids: Ints, wanted: int) -> int:
    mask = ids.shape[0] - 1
    place = mix(wanted, 0) & mask
    while ids[place, _HASH] != 0 and ids[place, _HASH] != wanted:
        place = (place + 1) & mask
    return place


@kernel
def is_duplicate(state: State, hashed: int) -> bool:
    """Whether an id (its 64-bit hash, 0 for none) was seen before; if not it is remembered from now on."""
    if hashed == 0:
        return False
    scalars = state.scalars
    today = scalars[at.NOW] // DAY_US
    place = _place(state.ids, hashed)
    if state.ids[place, _HASH] == hashed and state.ids[place, _FIRST_DAY] >= today - 1:
        scalars[at.DUPLICATES] += 1
        return True
    if scalars[at.ID_DAY] != today:
        scalars[at.ID_DAY] = today
        scalars[at.IDS_TODAY] = 0
    if scalars[at.IDS_TODAY] >= IDS_A_DAY_MAX:
        scalars[at.IDS_NOT_KEPT] += 1
        return False
    scalars[at.IDS_TODAY] += 1
    if state.ids[place, _HASH] == 0:
        state.pools[at.IDS, COUNT] += 1
    state.ids[place, _HASH] = hashed
    state.ids[place, _FIRST_DAY] = today
    return False


@kernel
def refill(old: Ints, ids: Ints, today: int) -> int:
    """Copy the ids that still count into an empty table; returns how many."""
    count = 0
    for row in range(old.shape[0]):
        if old[row, _HASH] != 0 and old[row, _FIRST_DAY] >= today - 1:
            place = _place(ids, old[row, _HASH])
            ids[place, _HASH] = old[row, _HASH]
            ids[place, _FIRST_DAY] = old[row, _FIRST_DAY]
            count += 1
    return count
