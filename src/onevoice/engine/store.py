"""Rows by owner and key: an open-addressing index over a table, and a chain of the rows of each customer.

A *store* is a table whose first columns are OWNER, KEY, NEXT, PREV, an index, and a head per customer. `owner` packs a
customer and a slot (what the row is about). Facts, cells (measures and the like) and progress (moments) are stores that
differ only in what follows these columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel

if TYPE_CHECKING:
    from onevoice.tables import Ints

OWNER: Final = 0
KEY: Final = 1
NEXT: Final = 2
PREV: Final = 3
DATA: Final = 4

SLOT_BITS: Final = 24
SLOT_MASK: Final = 2**SLOT_BITS - 1

# Columns of `pools`
COUNT: Final = 0  # how many rows live
HIGH: Final = 1  # how many were ever used
FREE: Final = 2  # the first free row, or -1
ROOM: Final = 3  # how many may live before a table or an index of the pool must grow; 0 until counted (growth.py)
POOL_WIDTH: Final = 4


@kernel
def owner_of(customer: int, slot: int) -> int:
    """Pack a customer and a slot."""
    return (customer << SLOT_BITS) | slot


@kernel
def take(table: Ints, pools: Ints, pool: int, link: int) -> int:
    """Take a free row of a pool; there must be room."""
    row = pools[pool, FREE]
    if row >= 0:
        pools[pool, FREE] = table[row, link]
    else:
        row = pools[pool, HIGH]
        pools[pool, HIGH] += 1
    pools[pool, COUNT] += 1
    return row


@kernel
def give_back(table: Ints, pools: Ints, pool: int, link: int, row: int) -> None:
    """Return a row to its pool."""
    table[row, link] = pools[pool, FREE]
    pools[pool, FREE] = row
    pools[pool, COUNT] -= 1


@kernel
def _tag(mixed: int) -> int:
    return (mixed >> 33) & 0x7FFFFFFF


@kernel
def find(table: Ints, index: Ints, owner: int, key: int) -> int:
    """Return the row of (owner, key), or -1."""
    mixed = mix(owner, key)
    tag = _tag(mixed)
    mask = index.shape[0] - 1
    place = mixed & mask
    while True:
        entry = index[place]
        if entry == 0:
            return -1
        if (entry >> 32) == tag:
            row = (entry & 0xFFFFFFFF) - 1
            if table[row, OWNER] == owner and table[row, KEY] == key:
                return int(row)
        place = (place + 1) & mask


@kernel
def _enter(index: Ints, mixed: int, row: int) -> None:
    """Point the index at a row."""
    mask = index.shape[0] - 1
    place = mixed & mask
    while index[place] != 0:
        place = (place + 1) & mask
    index[place] = (_tag(mixed) << 32) | (row + 1)


@kernel
def add(table: Ints, index: Ints, pools: Ints, pool: int, heads: Ints, head: int, owner: int, key: int) -> int:
    """Add a row for (owner, key), not yet there, at the head of its customer's chain; its data is zero."""
    row = take(table, pools, pool, NEXT)
    table[row, OWNER] = owner
    table[row, KEY] = key
    table[row, DATA:] = 0
    _enter(index, mix(owner, key), row)
    customer = owner >> SLOT_BITS
    first = heads[customer, head]
    table[row, NEXT] = first
    table[row, PREV] = -1
    if first >= 0:
        table[first, PREV] = row
    heads[customer, head] = row
    return row


@kernel
def _leave(table: Ints, index: Ints, row: int) -> None:
    """Take a row out of the index; later entries move up, so that no mark is left behind."""
    mask = index.shape[0] - 1
    hole = mix(table[row, OWNER], table[row, KEY]) & mask
    while (index[hole] & 0xFFFFFFFF) != row + 1:
        hole = (hole + 1) & mask
    place = hole
    while True:
        place = (place + 1) & mask
        entry = index[place]
        if entry == 0:
            break
        held = int(entry & 0xFFFFFFFF) - 1
        home = mix(table[held, OWNER], table[held, KEY]) & mask
        if ((place - home) & mask) >= ((place - hole) & mask):
            index[hole] = entry
            hole = place
    index[hole] = 0


@kernel
def remove(table: Ints, index: Ints, pools: Ints, pool: int, heads: Ints, head: int, row: int) -> None:
    """Remove a row from the index and from its customer's chain."""
    _leave(table, index, row)
    after = table[row, NEXT]
    before = table[row, PREV]
    if before >= 0:
        table[before, NEXT] = after
    else:
        heads[table[row, OWNER] >> SLOT_BITS, head] = after
    if after >= 0:
        table[after, PREV] = before
    table[row, OWNER] = -1
    give_back(table, pools, pool, NEXT, row)


@kernel
def reindex(table: Ints, index: Ints, pools: Ints, pool: int) -> None:
    """Fill an empty index from the table's live rows."""
    for row in range(pools[pool, HIGH]):
        if table[row, OWNER] >= 0:
            _enter(index, mix(table[row, OWNER], table[row, KEY]), row)


@kernel
def chain_length(table: Ints, head: int) -> int:
    """Return how many rows a chain has."""
    length = 0
    while head >= 0:
        length += 1
        head = table[head, NEXT]
    return length
