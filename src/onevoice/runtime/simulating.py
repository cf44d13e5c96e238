"""What happened and a rehearsal beside each other: both as decided lines, of customers as they are numbered now."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from onevoice.engine import state as at
from onevoice.history.base import opened
from onevoice.history.comparing import HAPPENED, REHEARSED, Frame, Side, compared
from onevoice.history.conflicts import conflicts as told
from onevoice.history.why import why
from onevoice.runtime import customer as customers
from onevoice.runtime import outcomes
from onevoice.runtime.decisions import Reading, time_of
from onevoice.runtime.numbering import renumbering
from onevoice.runtime.recorded import in_words
from onevoice.runtime.rehearsing import Rehearsed, Window, rehearse
from onevoice.runtime.retold import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import timedelta

    from numpy.typing import NDArray

    from onevoice.engine.machine import Outcome
    from onevoice.events.pyarrow_untyped import Table
    from onevoice.history.conflicts import Conflicts
    from onevoice.history.rehearsal import Rehearsal
    from onevoice.history.why import Why
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.fold import Fold, Published
    from onevoice.runtime.recorded import Recorded


class Present(NamedTuple):
    """The engine as it is: its journal, what that says was decided, and the state."""

    journal: Journal
    recorded: Recorded
    fold: Fold


def simulate(present: Present, published: Published, window: Window, heard: Callable[[int], None]) -> Rehearsal:
    """Rehearse a window under a playbook and return it beside what happened in it."""
    with _folder() as folder:
        found = rehearse(present.journal, present.fold.secret, published, window, Kept(folder / "decided"), heard)
        then, now = happened(present, found.first, window.end), rehearsed(present, found)
        frame = Frame(
            version=published.digest,
            before_version=present.fold.published.digest,
            start=None if window.start is None else time_of(window.start),
            end=None if window.end is None else time_of(window.end),
            lines=found.lines,
            customers=count_of(present.fold),
        )
        with opened(folder) as base:
            return compared(base, then.side(HAPPENED), now.side(REHEARSED), frame)


def conflicts(
    present: Present, published: Published | None, campaign: str, within: timedelta, heard: Callable[[int], None]
) -> Conflicts:
    """Return which campaigns want the same customers: as it happened, or under a playbook that is rehearsed for it."""
    in_force = present.fold.published
    with _folder() as folder:
        if published is None:
            decided = happened(present)
        else:
            kept = Kept(folder / "decided")
            found = rehearse(present.journal, present.fold.secret, published, Window(), kept, heard)
            decided = rehearsed(present, found)
        with opened(folder) as base:
            return told(
                base,
                decided.side(HAPPENED),
                campaign,
                within,
                version=(published or in_force).digest,
                customers=count_of(present.fold),
            )


def count_of(fold: Fold) -> int:
    """Return how many customers there are."""
    alias = customers.survivors(fold.machine.state)
    return int((alias == np.arange(len(alias))).sum())


@contextmanager
def _folder() -> Generator[Path]:
    """Give a folder to work in that vanishes afterwards."""
    with tempfile.TemporaryDirectory(prefix="onevoice-rehearsal-") as folder:
        yield Path(folder)


Source: TypeAlias = "Callable[[], Iterator[tuple[Reading, Outcome]]]"


class Decided:
    """Decisions that can be read again and again, as lines and in sentences.

    `read` yields them with the names by which they are read; `playbook` is in force where there are none.
    """

    def __init__(self, read: Source, playbook: Playbook) -> None:
        self._read = read
        self._readings = [Reading(playbook)]

    def side(self, name: str) -> Side:
        """Return them as one side of a comparison."""
        return Side(name, self.lines(), self.playbooks, self.explained)

    def lines(self) -> Iterator[Table]:
        """Yield their lines as tables, the first of which is empty."""
        yield in_words(self._readings[0], outcomes.nothing())
        readings: list[Reading] = []
        for reading, outcome in self._read():
            if not readings or readings[-1] is not reading:
                readings.append(reading)
            yield in_words(reading, outcome)
        self._readings = readings or self._readings

    def playbooks(self) -> list[Playbook]:
        """Return the playbooks by which they were made, the last being in force; known once the lines were read."""
        return [reading.playbook for reading in self._readings]

    def explained(self, numbers: set[int]) -> dict[int, Why]:
        """Return some of them in sentences, by their numbers."""
        found: dict[int, Why] = {}
        for reading, outcome in self._read() if numbers else ():
            wanted = outcomes.of_numbers(outcome, numbers)
            found |= {each.number: why(each, reading.playbook) for each in reading.decisions(wanted)}
        return found


def happened(present: Present, first: int = 0, end: int | None = None) -> Decided:
    """Return what the journal says was decided, from the decision numbered `first` on and before an instant."""
    alias = _alias(present.fold)

    def read() -> Iterator[tuple[Reading, Outcome]]:
        for reading, outcome in present.recorded.outcomes(present.recorded.start()):
            numbers, times = outcome.decisions[:, at.D_NUMBER], outcome.decisions[:, at.D_TIME]
            start = int(np.searchsorted(numbers, first))
            stop = len(times) if end is None else int(np.searchsorted(times, end))
            if start < stop:
                yield reading, _of(outcomes.part(outcome, start, stop), alias)

    return Decided(read, present.fold.published.playbook)


def rehearsed(present: Present, found: Rehearsed) -> Decided:
    """Return what a rehearsal decided."""
    renumbered = renumbering(found.fold, present.fold)
    alias = _alias(present.fold)
    numbers = alias if renumbered is None else np.append(alias[renumbered], -1)

    def read() -> Iterator[tuple[Reading, Outcome]]:
        for outcome in found.decided():
            yield found.fold.reading, _of(outcome, numbers)

    return Decided(read, found.fold.published.playbook)


def _alias(fold: Fold) -> NDArray[np.int64]:
    """Return who each customer is after all merges; the last, -1, is one whom the playbook in force does not know."""
    return np.append(customers.survivors(fold.machine.state), -1)


def _of(outcome: Outcome, numbers: NDArray[np.int64]) -> Outcome:
    """Return an outcome whose customers are given their new numbers, in place."""
    column = outcome.decisions[:, at.D_CUSTOMER]
    column[:] = numbers[column]
    return outcome
