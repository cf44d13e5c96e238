"""A rehearsal: part of the journal folded and decided once more under another playbook. The journal is only read.

What is decided goes into a file, part by part, so that memory holds states and little else: the engine's own, that of
the rehearsal, and while a playbook takes over the one that it takes over from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onevoice.engine import state as at
from onevoice.errors import EventError, Mistake
from onevoice.journal.port import Kind
from onevoice.runtime import outcomes, swap
from onevoice.runtime.ahead import ahead
from onevoice.runtime.decisions import us_of
from onevoice.runtime.fold import Fold, Published
from onevoice.runtime.recovery import recover
from onevoice.runtime.retold import Kept, Retold
from onevoice.runtime.span import BEGINNING, Past, Place, passing, place_of, rows_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from onevoice.engine.machine import Outcome
    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal, Row


class Window(NamedTuple):
    """What is rehearsed: from the instant `start` to before `end`, µs UTC; None for the journal's beginning and end."""

    start: int | None = None
    end: int | None = None


def window_of(start: datetime | int | None, end: datetime | int | None) -> Window:
    """Return a window; EventError for what is no time, or where it ends before it begins."""
    found = Window(
        *(None if time is None else us_of(time, f"simulate: {name}") for name, time in (("start", start), ("end", end)))
    )
    if found.start is not None and found.end is not None and found.end <= found.start:
        what = "it ends where it begins" if found.end == found.start else "it ends before it begins"
        mend = "the end is excluded: for one day name the day after it" if found.end == found.start else ""
        raise EventError(Mistake(what, "simulate: end", f"a time after {start}", f"{end}", mend))
    return found


@dataclass
class Rehearsed:
    """The state at the window's end, what was decided in it, and the `lines` that came in.

    `first`: the number of the first decision in the window, as it happened and as it is rehearsed.
    """

    fold: Fold
    first: int
    told: Retold
    start: int | None
    lines: int = 0

    def decided(self) -> Iterator[Outcome]:
        """Yield what was decided, of customers as the state counts them.

        What a playbook decides as it takes over, an instant before the window, counts as of its first instant.
        """
        for outcome in self.told.decided(self.fold):
            if self.start is not None:
                np.maximum(outcome.decisions[:, at.D_TIME], self.start, out=outcome.decisions[:, at.D_TIME])
            yield outcome


def rehearse(
    journal: Journal,
    secret: tuple[int, int],
    published: Published,
    window: Window,
    kept: Kept,
    heard: Callable[[int], None],
) -> Rehearsed:
    """Fold the window under a playbook and keep what it decides; `heard` is called with the position reached.

    What comes before the window is folded as it was. A playbook of other rules than the one in force there takes over
    as one that is published does; the same rules go on as if nothing was. People are kept apart from where they were.

    Raises EventError for a window in which nothing comes in.
    """
    begun = _begun(journal, secret, published, window.start, heard)
    fold, place = begun.fold, begun.place
    told = Retold(journal, begun.past, place, fold.published, kept)
    found = Rehearsed(fold, int(fold.machine.state.scalars[at.NEXT_DECISION]), told, window.start)
    last = None if window.end is None else place_of(journal, window.end, secret)
    for number, row, batch in ahead(_decoded(journal, fold, place, last)):
        if batch is None:
            found.fold = _kept_apart(told, found.fold, number, row)
        else:
            told.add(row, found.fold.step(row, batch))
            found.lines += row.count
            heard(row.position + row.count)
    if last is not None and window.end is not None:
        row = passing(found.fold.machine.position, window.end, observing=last.observing)
        told.add(row, found.fold.step(row))
    return found


class _Begun(NamedTuple):
    """Where the window begins, the journal as it was there, and the state under the playbook that is rehearsed."""

    place: Place
    past: Past | None
    fold: Fold


def _begun(
    journal: Journal, secret: tuple[int, int], published: Published, start: int | None, heard: Callable[[int], None]
) -> _Begun:
    if start is None:
        in_force = Published.of_row(next(iter(journal.read())))
        fold = Fold(published.with_splits(in_force.splits), secret)
        fold.others = at.INFINITE if _is_same(in_force, published) else 0
        return _Begun(BEGINNING, None, fold)
    place = place_of(journal, start, secret)
    if place is None:
        mend = "begin it before the journal's last event"
        raise EventError(Mistake("nothing came in at this time or later", "simulate: start", mend=mend))
    past = Past(journal, place, start, heard)
    recovered = recover(past, None, secret)
    past.append([outcomes.row_of([decided]) for decided in recovered.missing])
    if _is_same(recovered.fold.published, published):
        return _Begun(place, past, recovered.fold)
    published = published.with_splits(recovered.fold.published.splits)
    fold = swap.rebuilt(past, recovered.fold, published, past.last().rows)
    fold.others = int(fold.machine.state.scalars[at.NEXT_CONTACT])
    return _Begun(place, past, fold)


def _is_same(one: Published, other: Published) -> bool:
    """Tell whether two playbooks have the same rules, also where one is of files and the other built of them."""
    return one.digest == other.digest or Published.of(one.playbook).digest == Published.of(other.playbook).digest


def _decoded(journal: Journal, fold: Fold, first: Place, last: Place | None) -> Iterator[tuple[int, Row, Batch | None]]:
    """Yield the rows of the window with their numbers, those that say what came in decoded."""
    for number, row in rows_between(journal, first, last):
        yield number, row, fold.decoded(row) if row.kind is Kind.EVENTS else None


def _kept_apart(told: Retold, fold: Fold, number: int, row: Row) -> Fold:
    """Return the state with those kept apart who are so by a row that publishes; its playbook is not followed."""
    splits = Published.splits_in(row)
    if splits == fold.published.splits:
        return fold
    told.split(number)
    return swap.rebuilt(told, fold, fold.published.with_splits(splits), told.rows)
