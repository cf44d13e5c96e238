"""Cases for comparing engines: one playbook and one journal, drawn from a seed or by hypothesis."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from onevoice.playbook.check import check

from .book import Book
from .draw import Dice, Times
from .draw_playbook import Maker
from .draw_stream import Batch, Case, Stream
from .rows import identifiers_of

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

    from .twin import Pair

__all__ = ["Batch", "Case", "cases", "draw_case", "draw_splits", "split"]

# Least and most rows of a journal beside its history.
USUAL = (15, 60)
FLOOD = (90, 90)


def draw_case(seed: int) -> Case:
    """Return a playbook that passes its check, and the rows of a journal for it. Takes about 10 ms.

    Two of a hundred are a flood: one person's orders reach the limit of candidates.
    """
    dice = Dice.seeded(seed)
    flood = dice.chance(0.02)
    return _case(dice, FLOOD if flood else USUAL, f"seed {seed}", flood=flood)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Give cases of which hypothesis draws every choice; one in twenty is too long for it, and drawn anew."""
    return _case(Dice(lambda count: draw(st.integers(0, count - 1))), USUAL, "hypothesis")


def _case(dice: Dice, rows: tuple[int, int], origin: str, *, flood: bool = False) -> Case:
    times = Times(dice)
    maker = Maker(dice, times)
    playbook = maker.playbook(flood=flood)
    mistakes = check(playbook)
    assert not mistakes, f"{origin}: {mistakes[0]}"
    busy = maker.is_busy or maker.looks_ahead or maker.is_asking
    much = {"busy": busy, "calm": maker.looks_ahead or maker.is_scarce, "scarce": maker.is_scarce}
    much |= {"asking": maker.is_asking, "failing": maker.is_failing}
    return playbook, Stream(dice, times, playbook, rows, flood=flood, **much).rows()


def draw_splits(playbook: Playbook, rows: list[Batch], dice: Dice) -> list[Pair]:
    """Return pairs of known identifiers that an event of the rows names together, said to be two people's."""
    book = Book(playbook)
    named = [identifiers_of(book, line) for row in rows for line in row.lines if line]
    known = [[each for each in given if not playbook.identifiers[each[0]].anonymous] for given in named]
    pairs = [pair for given in known for pair in combinations(given, 2)]
    return [dice.choice(pairs) for _ in range(dice.randint(1, 4))] if pairs else []


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
