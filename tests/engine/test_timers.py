"""The heap gives timers in the order of a sorted list: by due time, kind, customer, slot and key."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.compiler import compile_playbook
from onevoice.engine import state as at
from onevoice.engine import timers
from onevoice.engine.empty import empty
from onevoice.playbook.model import Playbook

WIDTHS = compile_playbook(Playbook("bare")).widths
SETS_MAX = 60  # a new state has 64 rows of timers, two of them spare

small = st.integers(0, 1)  # so that timers tie in all but the last
kinds = st.sampled_from([timers.EXPIRY, timers.ABSENCE, timers.ROUND])
sets = st.tuples(st.integers(-1, 4), kinds, small, small, st.integers(-2, 2))
turns = st.lists(st.one_of(sets, sets, sets, st.integers(0, 2)), max_size=SETS_MAX)  # a number: let so much time pass


def pop(state):
    return tuple(state.timers[timers.pop(state), : timers.KEY + 1].tolist())


@settings(deadline=None)
@given(turns)
def test_timers_come_up_in_the_order_of_a_sorted_list(given_turns):
    """Those due are taken as time passes, the rest at the end; none is due before the instant at which it was set."""
    state = empty(WIDTHS)
    waiting: list[tuple[int, ...]] = []
    for turn in given_turns:
        now = int(state.scalars[at.NOW])
        if isinstance(turn, tuple):
            timers.push(state, *turn, 0)
            waiting.append((max(turn[0], now), *turn[1:]))
            continue
        state.scalars[at.NOW] = now + turn
        while timers.is_due(state, now + turn):
            waiting.sort()
            assert pop(state) == waiting.pop(0)
        assert all(due > now + turn for due, *_ in waiting)
    assert [pop(state) for _ in range(len(waiting))] == sorted(waiting)
    assert not timers.is_due(state, at.INFINITE)


def test_a_timer_keeps_the_row_it_was_set_for():
    state = empty(WIDTHS)
    for row in range(SETS_MAX):
        timers.push(state, (row * 37) % SETS_MAX, timers.BIRTH, row, 0, 0, 1000 + row)
    taken = [state.timers[timers.pop(state)].tolist() for _ in range(SETS_MAX)]
    assert [each[timers.DUE] for each in taken] == list(range(SETS_MAX))
    assert all(each[timers.ROW] == 1000 + each[timers.CUSTOMER] for each in taken)
