"""Tables that grow in the middle change nothing, and where they have grown there is the room that was asked for."""

from __future__ import annotations

import os
import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.compiler import compile_playbook
from onevoice.engine import canonical, growth
from onevoice.engine import state as at
from onevoice.engine.empty import empty
from onevoice.engine.store import COUNT
from onevoice.playbook.model import Playbook
from tests.oracle.engine import Engine
from tests.oracle.strategies import draw_case

SEED = int(os.environ.get("GROWTH_SEED") or random.SystemRandom().randrange(2**31))
CASES = 8
LEAST = 4
LARGE = 5_000  # rows of each pool: more than any case drawn takes
INDEXES = (*at.STORES, "identifiers_index", "ids")
WIDTHS = compile_playbook(Playbook("bare")).widths

wishes = st.lists(st.integers(0, 300), min_size=at.POOLS, max_size=at.POOLS)


def tiny(state: at.State) -> at.State:
    """Return a new state with hardly any rows, so that every table grows again and again."""
    short = {name: getattr(state, name)[:LEAST].copy() for name in at.TABLES}
    indexes = {name: getattr(state, name)[: 2 * LEAST].copy() for name in INDEXES}
    return state.replaced(**short, **indexes)


def sizes(state: at.State) -> dict[str, int]:
    return {name: len(getattr(state, name)) for name in (*at.TABLES, *INDEXES)}


def test_a_state_that_grew_equals_one_that_was_large_from_the_start():
    print(f"GROWTH_SEED={SEED}")
    for seed in range(SEED, SEED + CASES):
        playbook, rows = draw_case(seed)
        small, large = Engine(playbook), Engine(playbook)
        small.machine.state = tiny(small.machine.state)
        large.machine.state = growth.grown(large.machine.state, np.full(at.POOLS, LARGE))
        before = sizes(large.machine.state)
        for row in rows:
            small.row(row)
            large.row(row)
        assert small.decisions == large.decisions, f"GROWTH_SEED={seed}"
        assert canonical.digest(small.machine) == canonical.digest(large.machine), f"GROWTH_SEED={seed}"
        assert sizes(large.machine.state) == before
        assert len(small.machine.state.timers) >= 4 * LEAST


@settings(deadline=None)
@given(wishes, wishes)
def test_there_is_room_for_what_was_asked_and_for_no_more_than_the_tables_hold(first, second):
    state = empty(WIDTHS)
    for need in (np.array(first), np.array(second)):
        state = growth.grown(state, need)
        assert not growth.is_short(state, need)
        state.pools[:, COUNT] += need
    for pool in range(at.POOLS):
        full = [len(getattr(state, name)) for name, of in at.TABLES.items() if of == pool]
        full += [len(getattr(state, name)) // 2 for name, of in at.STORES.items() if of == pool]
        full += [len(state.identifiers_index) // 2] if pool == at.IDENTIFIERS else []
        full += [len(state.ids) // 2] if pool == at.IDS else []
        need = np.zeros(at.POOLS, np.int64)
        need[pool] = min(full) - state.pools[pool, COUNT]
        assert not growth.is_short(state, need)
        need[pool] += 1
        assert growth.is_short(state, need)
