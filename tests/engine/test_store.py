"""A store is a dict from (customer, slot, key) to a row, with a chain of rows per customer, whatever came before."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onevoice.engine import store
from onevoice.engine.hashing import mix

WIDTH = store.DATA + 1
CUSTOMERS = 3
HEADS = 2
HEAD = 1  # the column of the heads that these chains begin in

owners = st.builds(lambda customer, slot: (customer << store.SLOT_BITS) | slot, st.integers(0, 2), st.integers(0, 1))
keys = st.integers(0, 7) | st.sampled_from([-1, -(2**63), 2**63 - 1])
removals = st.integers(0, 99)  # of which of those that are there
changes = st.lists(st.tuples(owners, keys) | removals, max_size=120)


class Shelf:
    """A store with a table of four rows, doubled whenever it is full: its index is never more than half full."""

    def __init__(self) -> None:
        self.table = np.zeros((4, WIDTH), np.int64)
        self.index = np.zeros(8, np.int64)
        self.pools = np.zeros((1, store.POOL_WIDTH), np.int64)
        self.pools[0, store.FREE] = -1
        self.heads = np.full((CUSTOMERS, HEADS), -1, np.int64)

    def find(self, owner: int, key: int) -> int:
        return int(store.find(self.table, self.index, owner, key))

    def add(self, owner: int, key: int, value: int) -> None:
        if self.pools[0, store.COUNT] == len(self.table):
            self._grow()
        row = store.add(self.table, self.index, self.pools, 0, self.heads, HEAD, owner, key)
        assert not self.table[row, store.DATA :].any()
        self.table[row, store.DATA] = value

    def remove(self, row: int) -> None:
        store.remove(self.table, self.index, self.pools, 0, self.heads, HEAD, row)

    def _grow(self) -> None:
        self.table = np.vstack([self.table, np.zeros_like(self.table)])
        self.index = np.zeros(2 * len(self.index), np.int64)
        store.reindex(self.table, self.index, self.pools, 0)

    def chain(self, customer: int) -> list[tuple[int, int]]:
        """Return owner and key of a customer's rows, following the chain, and check that it leads back, too."""
        found, before, row = [], -1, int(self.heads[customer, HEAD])
        while row >= 0:
            assert self.table[row, store.PREV] == before
            found.append((int(self.table[row, store.OWNER]), int(self.table[row, store.KEY])))
            before, row = row, int(self.table[row, store.NEXT])
        return found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes)
@np.errstate(over="ignore")  # hashes wrap; only the interpreted engine would warn
def test_a_store_holds_what_a_dict_holds(given_changes):
    shelf, expected = Shelf(), {}
    for value, change in enumerate(given_changes, start=1):
        if isinstance(change, tuple) and change not in expected:
            assert shelf.find(*change) == -1
            shelf.add(*change, value)
            expected[change] = value
        elif isinstance(change, int) and expected:
            gone = list(expected)[change % len(expected)]
            shelf.remove(shelf.find(*gone))
            del expected[gone]
            assert shelf.find(*gone) == -1
        for (each, other), kept in expected.items():
            assert shelf.table[shelf.find(each, other), store.DATA] == kept
        assert shelf.pools[0, store.COUNT] == len(expected) == np.count_nonzero(shelf.index)
    newest_first = [place for place, _ in sorted(expected.items(), key=lambda item: -item[1])]
    for customer in range(CUSTOMERS):
        theirs = [place for place in newest_first if place[0] >> store.SLOT_BITS == customer]
        assert shelf.chain(customer) == theirs
        assert store.chain_length(shelf.table, int(shelf.heads[customer, HEAD])) == len(theirs)


def unmixed(mixed: int) -> int:
    """Return the sum of which `hashing.mix` makes `mixed`: its steps backwards, modulo 2^64."""
    first, second, whole = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 2**64
    x = mixed % whole
    x ^= x >> 31 ^ x >> 62
    x = x * pow(second, -1, whole) % whole
    x ^= x >> 27 ^ x >> 54
    x = x * pow(first, -1, whole) % whole
    return x ^ x >> 30 ^ x >> 60


def signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def test_rows_that_share_place_and_tag_are_told_apart():
    """Of a mixed value the index knows the low bits and the top 31: two that differ between them look the same."""
    golden, owner, key = 0x9E3779B97F4A7C15, 1 << store.SLOT_BITS, 5
    with np.errstate(over="ignore"):
        alike = unmixed(int(mix(owner, key)) ^ 1 << 30)
        other_key = signed((alike - owner) * pow(golden, -1, 2**64))
        other_owner = signed(alike - key * golden)
        assert mix(owner, key) ^ 1 << 30 == mix(owner, other_key) == mix(other_owner, key)
        shelf = Shelf()
        shelf.add(owner, key, 1)
        assert shelf.find(owner, other_key) == shelf.find(other_owner, key) == -1
        shelf.add(owner, other_key, 2)
        shelf.remove(shelf.find(owner, key))
        assert shelf.find(owner, key) == -1
        assert shelf.table[shelf.find(owner, other_key), store.DATA] == 2


def test_rows_given_back_are_taken_before_new_ones():
    shelf = Shelf()
    with np.errstate(over="ignore"):
        for turn in range(40):
            for key in range(3):
                shelf.add(turn % CUSTOMERS << store.SLOT_BITS, key, turn)
            for key in range(3):
                shelf.remove(shelf.find(turn % CUSTOMERS << store.SLOT_BITS, key))
    assert len(shelf.table) == 4
    assert shelf.pools[0].tolist()[: store.FREE] == [0, 3]
    assert not shelf.index.any()
