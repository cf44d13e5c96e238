"""A rehearsal: part of the journal folded and decided once more under another playbook. The journal is only read.

What is decided goes into a file, part by part, so that memory holds states and little else: the engine's own, that of
the rehearsal, and while a playbook takes over the one that it takes over from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice.engine import state as at
from onevoice.errors import EventError, Mistake
from onevoice.events.batch import TYPE
from onevoice.playbook.builtin import RECEIPTS
from onevoice.runtime import outcomes, swap
from onevoice.runtime.ahead import ahead
from onevoice.runtime.decisions import us_of
from onevoice.runtime.fold import Fold, Published
from onevoice.runtime.recovery import recover
from onevoice.runtime.span import BEGINNING, Past, Place, passing, place_of, rows_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from onevoice.engine.machine import Outcome
    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal, Row

_LENGTH_BYTES: Final = 8


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
        raise EventError(Mistake("it ends before it begins", "simulate: end", f"a time after {start}", f"{end}"))
    return found


@dataclass
class Rehearsed:
    """The state at the window's end, what was decided in it, and the `lines` that came in.

    `first`: the number of the first decision in the window, as it happened and as it is rehearsed.
    """

    fold: Fold
    first: int
    kept: Kept
    lines: int = 0


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
    as one that is published does; the same rules go on as if nothing was.

    Raises EventError for a window in which nothing comes in.
    """
    place, fold, is_same = _begun(journal, secret, published, window.start, heard)
    found = Rehearsed(fold, int(fold.machine.state.scalars[at.NEXT_DECISION]), kept)
    others = at.INFINITE if is_same else int(fold.machine.state.scalars[at.NEXT_CONTACT])
    last = None if window.end is None else place_of(journal, window.end, secret)
    for row, batch in ahead(_decoded(journal, fold, place, last)):
        _leave_out_receipts(fold, batch, others)
        kept.append(row, _not_before(window.start, fold.step(row, batch)))
        found.lines += row.count
        heard(row.position + row.count)
    if last is not None and window.end is not None:
        row = passing(fold.machine.position, window.end, observing=last.observing)
        kept.append(row, _not_before(window.start, fold.step(row)))
    return found


def _begun(
    journal: Journal, secret: tuple[int, int], published: Published, start: int | None, heard: Callable[[int], None]
) -> tuple[Place, Fold, bool]:
    """Return where the window begins, the state there under the playbook that is rehearsed, and if it was in force."""
    if start is None:
        in_force = Published.of_row(next(iter(journal.read())))
        return BEGINNING, Fold(published, secret), _is_same(in_force, published)
    place = place_of(journal, start, secret)
    if place is None:
        mend = "begin it before the journal's last event"
        raise EventError(Mistake("nothing came in at this time or later", "simulate: start", mend=mend))
    past = Past(journal, place, start, heard)
    recovered = recover(past, None, secret)
    if _is_same(recovered.fold.published, published):
        return place, recovered.fold, True
    past.append([outcomes.row_of([decided]) for decided in recovered.missing])
    published = published.with_splits(recovered.fold.published.splits)
    return place, swap.rebuilt(past, recovered.fold, published, past.last().rows), False


def _is_same(one: Published, other: Published) -> bool:
    """Tell whether two playbooks have the same rules, also where one is of files and the other built of them."""
    return one.digest == other.digest or Published.of(one.playbook).digest == Published.of(other.playbook).digest


def _decoded(journal: Journal, fold: Fold, first: Place, last: Place | None) -> Iterator[tuple[Row, Batch]]:
    for row in rows_between(journal, first, last):
        yield row, fold.decoded(row)


def _leave_out_receipts(fold: Fold, batch: Batch, others: int) -> None:
    """Let receipts of contacts from the number `others` on tell nothing: under other rules the numbers are others'."""
    schema = fold.compiled.schema
    for name in RECEIPTS:
        layout = schema.layout(name)
        told = batch.rows[:, TYPE] == layout.number
        contacts = batch.values[:, layout.fields["contact"].column]
        contacts[told & (contacts >= others)] = np.nan


def _not_before(start: int | None, outcome: Outcome) -> Outcome:
    """Let what a playbook decides as it takes over, an instant before the window, count as of its first instant."""
    if start is not None:
        np.maximum(outcome.decisions[:, at.D_TIME], start, out=outcome.decisions[:, at.D_TIME])
    return outcome


class Kept:
    """Outcomes in a file, in order, to be read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def append(self, row: Row, outcome: Outcome) -> None:
        """Add what a row decided, in parts of bounded size."""
        with self._path.open("ab") as file:
            for each in outcomes.cut(row, outcome):
                payload = outcomes.encode(each.outcome)
                file.write(len(payload).to_bytes(_LENGTH_BYTES) + payload)

    def read(self) -> Iterator[Outcome]:
        """Yield what was added."""
        with self._path.open("rb") as file:
            while length := file.read(_LENGTH_BYTES):
                yield outcomes.decode(file.read(int.from_bytes(length)))
