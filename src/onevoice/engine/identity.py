"""Who an event is about: identifiers to customers, joined where the playbook's order of trust allows (semantics §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.engine import ledger, merge
from onevoice.engine import state as at
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT, HIGH, chain_length
from onevoice.events.batch import HASH_HIGH, HASH_LOW, KIND
from onevoice.program import (
    KIND_ADDRESS,
    KIND_ANONYMOUS,
    KIND_AT_MOST,
    KIND_UNIQUE,
    P_ZONE,
    SPLIT_HIGH,
    SPLIT_KIND,
    SPLIT_LOW,
    SPLIT_OTHER,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

# Columns behind those of a batch's identifiers.
KNOWN_AS: Final = 3  # its row in the state, -1: not looked up, or not known when it was
_TOUCHED: Final = 4  # what was read for its sake; kept, for what is kept is not left out by the compiler
IDENTIFIERS_WIDTH: Final = 5

_AHEAD: Final = 256  # identifiers that are looked up at once: what is read for them fits the nearest cache
_LINE: Final = 8  # numbers of a cache line


@kernel
def survivor(customers: Ints, customer: int) -> int:
    """Follow aliases to the customer that is left."""
    while customers[customer, at.ALIAS] != customer:
        customer = customers[customer, at.ALIAS]
    return customer


@kernel
def _place(table: Ints, index: Ints, kind: int, low: int, high: int) -> int:
    mask = index.shape[0] - 1
    place = mix(low, high + kind) & mask
    while index[place] != 0:
        row = index[place] - 1
        if table[row, at.ID_LOW] == low and table[row, at.ID_HIGH] == high and table[row, at.ID_KIND] == kind:
            break
        place = (place + 1) & mask
    return place


@kernel
def reindex(table: Ints, index: Ints, count: int) -> None:
    """Fill an empty index from the table of identifiers."""
    for row in range(count):
        index[_place(table, index, table[row, at.ID_KIND], table[row, at.ID_LOW], table[row, at.ID_HIGH])] = row + 1


@kernel
def look_ahead(state: State, identifiers: Ints, start: int) -> int:
    """Look up the next identifiers of a batch, before their events come; returns how many are looked up by now.

    A row stays where it is, so what is found here needs no search later. And here, one search after another and one
    customer after another, the processor waits for many of them at once; when the event comes, they are near.
    """
    stop = min(start + _AHEAD, identifiers.shape[0])
    for i in range(start, stop):
        identifiers[i, KNOWN_AS] = _search(state, identifiers, i)
    for i in range(start, stop):
        if identifiers[i, KNOWN_AS] >= 0:
            identifiers[i, _TOUCHED] = _touch(state, state.identifiers[identifiers[i, KNOWN_AS], at.ID_CUSTOMER])
    return stop


@kernel
def _touch(state: State, customer: int) -> int:
    """Read where an event of a customer will look first; the sum says nothing."""
    touched = state.customers[customer, at.ALIAS] + state.customers[customer, at.ROUND_AT]
    touched += state.active[customer, 0] + state.memberships[customer, 0]
    for initiator in range(0, state.initiators.shape[1], _LINE):
        touched += state.initiators[customer, initiator]
    return touched


@kernel
def _search(state: State, identifiers: Ints, i: int) -> int:
    kind, low, high = identifiers[i, KIND], identifiers[i, HASH_LOW], identifiers[i, HASH_HIGH]
    return state.identifiers_index[_place(state.identifiers, state.identifiers_index, kind, low, high)] - 1


@kernel
def _find(state: State, identifiers: Ints, i: int) -> int:
    """Return the row of the event's identifier `i`, or -1."""
    row = identifiers[i, KNOWN_AS]
    return row if row >= 0 else _search(state, identifiers, i)


@kernel
def _owner(state: State, identifiers: Ints, i: int) -> int:
    """Return the customer who has the event's identifier `i`, or -1."""
    row = _find(state, identifiers, i)
    if row < 0:
        return -1
    return survivor(state.customers, state.identifiers[row, at.ID_CUSTOMER])


@kernel
def may_merge(state: State, identifiers: Ints, start: int, stop: int) -> bool:
    """Whether an event's identifiers belong to more than one customer."""
    first = -1
    for i in range(start, stop):
        owner = _owner(state, identifiers, i)
        if owner >= 0 and first >= 0 and owner != first:
            return True
        first = max(first, owner)
    return False


@kernel
def timers_at_stake(state: State, identifiers: Ints, start: int, stop: int) -> int:
    """Return how many timers may be set anew if all customers named by an event's identifiers are joined."""
    timers = 0
    for i in range(start, stop):
        owner = _owner(state, identifiers, i)
        if owner >= 0:
            timers += 2 * chain_length(state.facts, state.customers[owner, at.FACT_HEAD])
            timers += chain_length(state.progress, state.customers[owner, at.PROGRESS_HEAD])
            timers += ledger.length(state, owner)
            timers += state.customers[owner, at.CANDIDATE_COUNT] + 1
    return timers


@kernel
def candidates_at_stake(state: State, identifiers: Ints, start: int, stop: int) -> int:
    """Return how many candidates the customers named by an event's identifiers have."""
    candidates = 0
    for i in range(start, stop):
        owner = _owner(state, identifiers, i)
        if owner >= 0:
            candidates += state.customers[owner, at.CANDIDATE_COUNT]
    return candidates


@kernel
def _note_address(program: Program, state: State, identifiers: Ints, i: int, customer: int) -> None:
    """Note that the event's identifier `i` was given to a customer, if caps go by addresses of its kind."""
    place = program.kinds[identifiers[i, KIND], KIND_ADDRESS]
    if place >= 0:
        state.addresses[customer, 2 * place] = state.scalars[at.POSITION]
        state.addresses[customer, 2 * place + 1] = identifiers[i, HASH_LOW]


@kernel
def _has(state: State, customer: int, kind: int, low: int, high: int) -> bool:
    """Whether an identifier is in the index as a customer's."""
    row = state.identifiers_index[_place(state.identifiers, state.identifiers_index, kind, low, high)] - 1
    return row >= 0 and survivor(state.customers, state.identifiers[row, at.ID_CUSTOMER]) == customer


@kernel
def _may_have(program: Program, state: State, customer: int, identifier: Ints) -> bool:
    """Whether a customer may be given a known identifier (its row of a batch) that nobody has."""
    kind = identifier[KIND]
    held = state.identifier_counts[customer, kind]
    if (program.kinds[kind, KIND_UNIQUE] and held > 0) or held >= program.kinds[kind, KIND_AT_MOST]:
        return False
    for row in range(program.splits.shape[0]):
        split = program.splits[row]
        if split[SPLIT_LOW] == identifier[HASH_LOW] and split[SPLIT_HIGH] == identifier[HASH_HIGH]:
            other = split[SPLIT_OTHER:]
            if split[SPLIT_KIND] == kind and _has(
                state, customer, other[SPLIT_KIND], other[SPLIT_LOW], other[SPLIT_HIGH]
            ):
                return False
    return True


@kernel
def _give(program: Program, state: State, identifiers: Ints, i: int, customer: int) -> None:
    """Give a new identifier to a customer, if they may have it."""
    kind = identifiers[i, KIND]
    if not program.kinds[kind, KIND_ANONYMOUS]:
        if not _may_have(program, state, customer, identifiers[i]):
            state.scalars[at.REFUSED_IDENTIFIERS] += 1
            return
        state.customers[customer, at.KNOWN] += 1
    low, high = identifiers[i, HASH_LOW], identifiers[i, HASH_HIGH]
    place = _place(state.identifiers, state.identifiers_index, kind, low, high)
    row = state.pools[at.IDENTIFIERS, COUNT]
    state.pools[at.IDENTIFIERS, COUNT] += 1
    state.identifiers[row, at.ID_KIND] = kind
    state.identifiers[row, at.ID_LOW] = low
    state.identifiers[row, at.ID_HIGH] = high
    state.identifiers[row, at.ID_CUSTOMER] = customer
    state.identifiers_index[place] = row + 1
    _note_address(program, state, identifiers, i, customer)
    state.identifier_counts[customer, kind] += 1


@kernel
def _found(program: Program, state: State, identifiers: Ints, i: int) -> int:
    """Found a customer on the event's identifier `i`."""
    customer = state.pools[at.CUSTOMERS, COUNT]
    state.pools[at.CUSTOMERS, COUNT] += 1
    state.pools[at.CUSTOMERS, HIGH] += 1
    row = state.customers[customer]
    row[at.ALIAS] = customer
    row[at.FOUNDING_LOW] = identifiers[i, HASH_LOW]
    row[at.FOUNDING_HIGH] = identifiers[i, HASH_HIGH]
    row[at.ZONE] = program.limits[P_ZONE]
    for head in (at.FACT_HEAD, at.CELL_HEAD, at.PROGRESS_HEAD, at.CANDIDATE_HEAD, at.CONTACT_HEAD, at.SHOW_HEAD):
        row[head] = -1
    row[at.JUDGE_AT] = at.INFINITE
    row[at.ROUND_AT] = at.INFINITE
    state.addresses[customer, :] = at.NEVER
    state.traits[customer, :] = np.nan
    state.trait_stamps[customer, :] = at.NEVER
    state.initiators[customer, :] = at.NEVER
    return customer


@kernel
def _may_join(program: Program, state: State, a: int, b: int) -> bool:
    for kind in range(program.kinds.shape[0]):
        if program.kinds[kind, KIND_ANONYMOUS]:
            continue
        in_a, in_b = state.identifier_counts[a, kind], state.identifier_counts[b, kind]
        if program.kinds[kind, KIND_UNIQUE] and in_a > 0 and in_b > 0:
            return False
        if in_a > 0 and in_b > 0 and in_a + in_b > program.kinds[kind, KIND_AT_MOST]:
            return False
    for row in range(program.splits.shape[0]):
        split = program.splits[row]
        other = split[SPLIT_OTHER:]
        if _has(state, a, split[SPLIT_KIND], split[SPLIT_LOW], split[SPLIT_HIGH]) and _has(
            state, b, other[SPLIT_KIND], other[SPLIT_LOW], other[SPLIT_HIGH]
        ):
            return False
    return True


@kernel
def _joined(program: Program, state: State, base: int, other: int) -> int:
    """Join two customers if they may be one; returns who the base is now."""
    if base == other:
        return base
    if not _may_join(program, state, base, other):
        state.scalars[at.REFUSED_JOINS] += 1
        return base
    older, younger = min(base, other), max(base, other)
    merge.merge(program, state, older, younger)
    return older


@kernel
def _may_be(program: Program, state: State, identifiers: Ints, waiting: tuple[int, int], customer: int) -> bool:
    """Whether a customer may have those of the event's known identifiers in a range that nobody has."""
    for i in range(waiting[0], waiting[1]):
        if not program.kinds[identifiers[i, KIND], KIND_ANONYMOUS] and _find(state, identifiers, i) < 0:
            if not _may_have(program, state, customer, identifiers[i]):
                return False
    return True


@kernel
def _give_all(program: Program, state: State, identifiers: Ints, waiting: tuple[int, int], customer: int) -> None:
    for i in range(waiting[0], waiting[1]):
        if not program.kinds[identifiers[i, KIND], KIND_ANONYMOUS] and _find(state, identifiers, i) < 0:
            _give(program, state, identifiers, i, customer)


@kernel
def _by_known(program: Program, state: State, identifiers: Ints, start: int, stop: int) -> int:
    """Resolve by the known identifiers, taken greedily in the order of trust; a customer is founded where none is."""
    base = -1
    for i in range(start, stop):
        if program.kinds[identifiers[i, KIND], KIND_ANONYMOUS]:
            continue
        named = _owner(state, identifiers, i)
        if base >= 0 and named >= 0:
            base = _joined(program, state, base, named)
        elif base >= 0:
            _give(program, state, identifiers, i, base)
        elif named >= 0 and _may_be(program, state, identifiers, (start, i), named):
            base = named
            _give_all(program, state, identifiers, (start, i), base)
        elif named >= 0:
            state.scalars[at.REFUSED_JOINS] += 1
    if base < 0:
        base = _found(program, state, identifiers, start)
        _give_all(program, state, identifiers, (start, stop), base)
    return base


@kernel
def _log_in(program: Program, state: State, identifiers: Ints, i: int, customer: int) -> int:
    """Let a device belong to the customer who identified on it; a visitor not yet known becomes that customer."""
    row = _find(state, identifiers, i)
    if row < 0:
        _give(program, state, identifiers, i, customer)
        return customer
    before = survivor(state.customers, state.identifiers[row, at.ID_CUSTOMER])
    if before == customer:
        return customer
    if state.customers[before, at.KNOWN] == 0:
        return _joined(program, state, customer, before)
    kind = identifiers[i, KIND]
    state.identifier_counts[before, kind] -= 1
    state.identifier_counts[customer, kind] += 1
    state.identifiers[row, at.ID_CUSTOMER] = customer
    _note_address(program, state, identifiers, i, customer)
    return customer


@kernel
def _by_device(program: Program, state: State, identifiers: Ints, start: int, stop: int) -> int:
    """Resolve an event that carries only anonymous identifiers."""
    customer = -1
    for i in range(start, stop):
        customer = _owner(state, identifiers, i)
        if customer >= 0:
            break
    if customer < 0:
        customer = _found(program, state, identifiers, start)
    for i in range(start, stop):
        if _owner(state, identifiers, i) < 0:
            _give(program, state, identifiers, i, customer)
    return customer


@kernel
def resolve(program: Program, state: State, identifiers: Ints, start: int, stop: int) -> int:
    """Return the customer of an event, founded or joined where needed.

    `identifiers[start:stop]` are the event's, in the order of trust; at least one.
    """
    known = False
    for i in range(start, stop):
        if not program.kinds[identifiers[i, KIND], KIND_ANONYMOUS]:
            known = True
    if not known:
        return _by_device(program, state, identifiers, start, stop)
    customer = _by_known(program, state, identifiers, start, stop)
    for i in range(start, stop):
        if program.kinds[identifiers[i, KIND], KIND_ANONYMOUS]:
            customer = _log_in(program, state, identifiers, i, customer)
    return customer
