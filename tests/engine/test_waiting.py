"""Lines for resources give who waits in the order of sorted lists: by turn, customer, campaign and key."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.compiler import compile_playbook
from onevoice.engine import state as at
from onevoice.engine import waiting
from onevoice.engine.empty import empty
from onevoice.playbook.model import Playbook

LINES = 2
WIDTHS = replace(compile_playbook(Playbook("bare")).widths, lines=LINES)
ROWS = 64  # a new state has so many candidates
PLACE = (at.C_TURN_AT, at.C_CUSTOMER, at.C_CAMPAIGN, at.C_KEY)

rows = st.integers(0, ROWS - 1)
places = st.tuples(st.sampled_from([5, 6, at.INFINITE]), st.integers(0, 2), st.integers(0, 1), st.integers(-2, 2))
joins = st.tuples(rows, st.integers(0, LINES - 1), places)
moves = st.tuples(rows, rows)
acts = st.lists(st.one_of(joins, joins, joins, rows, moves), max_size=200)  # a row alone: it leaves


class Lines:
    """The lines under test, and beside them what each candidate that waits is known to stand by."""

    def __init__(self):
        self.state = empty(WIDTHS)
        self.state.candidates[:, at.C_BLOCK] = 1
        self.known: dict[int, tuple[int, tuple[int, ...]]] = {}

    def leave(self, row):
        waiting.leave(self.state, row)
        self.known.pop(row, None)

    def join(self, row, line, place):
        self.leave(row)
        self.state.candidates[row, PLACE] = place
        waiting.join(self.state, row, line, 10 + row)
        self.known[row] = (line, place)

    def move(self, source, target):
        self.state.candidates[target, PLACE] = self.state.candidates[source, PLACE]
        waiting.move(self.state, source, target)
        gone, _ = self.known.pop(source, None), self.known.pop(target, None)
        if gone is not None:
            self.known[target] = gone

    def first(self, line):
        row = waiting.first(self.state, line)
        return tuple(self.state.candidates[row, PLACE].tolist()) if row >= 0 else None

    def least(self, line):
        return min((place for of, place in self.known.values() if of == line), default=None)


@settings(deadline=None)
@given(acts)
def test_the_first_of_each_line_is_that_of_a_sorted_list(given_acts):
    """Whoever joins, leaves, or is put where another stood; and each in turn when all leave."""
    it = Lines()
    for act in given_acts:
        if isinstance(act, int):
            it.leave(act)
        elif len(act) == 2:
            it.move(*act)
        else:
            it.join(*act)
        for line in range(LINES):
            assert it.first(line) == it.least(line)
    while it.known:
        row = waiting.first(it.state, it.known[next(iter(it.known))][0])
        assert it.known[row][1] == it.least(it.known[row][0])
        it.leave(row)
    assert not it.state.first_waiting.any()


def test_who_was_unblocked_otherwise_is_passed_over():
    it = Lines()
    for row in range(6):
        it.join(row, 1, (5, row, 0, 0))
    it.state.candidates[:4, at.C_BLOCK] = 0
    assert waiting.first(it.state, 1) == 4
    assert it.state.waiting[:4, at.H_LINE].tolist() == [0] * 4
    assert it.state.waiting[4:6, at.H_PART].tolist() == [14, 15]
