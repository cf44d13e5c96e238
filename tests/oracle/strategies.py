"""Cases for comparing engines: `draw_case(seed)` is one playbook and one journal, the same for the same seed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from onevoice.playbook.check import check

from .draw import Dice, Times
from .draw_playbook import Maker
from .draw_stream import Batch, Stream

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

__all__ = ["Batch", "cases", "draw_case", "seeds", "split"]


def draw_case(seed: int) -> tuple[Playbook, list[Batch]]:
    """Return a playbook that passes its check, and the rows of a journal for it. Takes about 10 ms.

    Two of a hundred are a flood: one person's orders reach the limit of candidates.
    """
    dice = Dice(seed)
    times = Times(dice)
    flood = dice.chance(0.02)
    playbook = Maker(dice, times).playbook(flood=flood)
    mistakes = check(playbook)
    assert not mistakes, f"seed {seed}: {mistakes[0]}"
    return playbook, Stream(dice, times, playbook, flood=flood).rows()


def split(rows: list[Batch], dice: Dice) -> list[Batch]:
    """Return rows that mean the same: lines cut into other rows, neighbours of one stamp and mode joined."""
    found: list[Batch] = []
    for row in rows:
        for piece in _cut(row, dice):
            if found and found[-1].mode == piece.mode and dice.chance(0.5):
                found[-1] = Batch(found[-1].lines + piece.lines, *piece.mode)
            else:
                found.append(piece)
    return found


def _cut(row: Batch, dice: Dice) -> list[Batch]:
    places = [0, *(place for place in range(1, len(row.lines)) if dice.chance(0.5)), len(row.lines)]
    return [Batch(row.lines[start:stop], *row.mode) for start, stop in pairwise(places)]


seeds = st.integers(0, 2**32 - 1)
cases = seeds.map(draw_case)
