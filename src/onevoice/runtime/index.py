"""Where in the journal one customer's lines and decisions stand, kept up as the journal grows.

The journal alone is the truth: what is here can be lost, and is made again from it. So it is written to the disk with
a snapshot of the state; what the journal has beyond that is read again when somebody asks.
"""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from onevoice.engine import state as at
from onevoice.errors import SnapshotError
from onevoice.journal.port import PAYLOAD_BYTES_MAX, Kind
from onevoice.playbook.builtin import SWITCHING
from onevoice.runtime import runs, snapshot
from onevoice.runtime.joins import Joins
from onevoice.runtime.runs import BEFORE, EVERY, NUMBER, PLACES, POSITION, Given, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal, Row
    from onevoice.runtime.fold import Fold

_NAME: Final = re.compile(r"rows-(\d{19})-(\d{19})\.index")
_MARKS: Final = 2  # counts the sets of marks there have been: a file with fewer is made anew
_LINES_GATHERED: Final = 16_384  # what is noted is sorted when it is so much
_ROWS_GATHERED: Final = 4_096
_BYTES_GATHERED: Final = 8 * 1024 * 1024
_ALIKE: Final = 2  # a run is merged with the one before it unless that is so many times as large


class Place(NamedTuple):
    """Where a line stands: its row, its number in that row, the bytes in which it is to be found, its journal time.

    `skipped`: how many lines those bytes hold before it. The
    line's own time counts where `now` is None. Of rows whose lines have no bytes of their own `start` is None.
    """

    position: int
    row: int
    line: int
    start: int | None
    stop: int
    skipped: int
    before: int
    now: int | None


class Stretch(NamedTuple):
    """The last of EVENTS rows that are taken alike; the position and the journal time after it; if only observed."""

    row: int
    after: int
    now: int
    observed: bool


class Index:
    """Follows a journal under one playbook; `folder` is where it is kept, None for one that lives with its process."""

    def __init__(self, fold: Fold, folder: Path | None = None) -> None:
        self._folder = folder
        self._begin(fold)

    def turn(self, fold: Fold) -> None:
        """Go on under another playbook: begin anew where it reads lines otherwise."""
        if _reads(fold) != self._reads:
            self._begin(fold)

    def _begin(self, fold: Fold) -> None:
        types = fold.compiled.schema.types
        self._of_nobody = np.array([not layout.has_customer for layout in types] + [False])
        self._switching = np.array([layout.name in SWITCHING for layout in types] + [False])
        self._reads = _reads(fold)
        self.joins = Joins(fold)
        self._runs: list[Run] = []
        self._given: list[Given] = []
        self._weight = [0, 0]  # lines and bytes of what is gathered
        self._now = at.NEVER
        self._filed = 0  # runs that are in files

    @property
    def rows(self) -> int:
        """How many rows of the journal it has seen."""
        if self._given:
            return self._given[-1].number + 1
        return self._runs[-1].after if self._runs else 0

    def note(self, number: int, row: Row, batch: Batch | None = None) -> None:
        """Take in the journal's next row, an EVENTS row with its lines decoded; others than the next pass by."""
        if number != self.rows:
            return
        self._given.append(Given(number, row, batch, None if batch is None else self.joins.of(batch)))
        self._weight[0] += row.count
        self._weight[1] += len(row.payload)
        heavy = self._weight[0] >= _LINES_GATHERED or self._weight[1] >= _BYTES_GATHERED
        if heavy or len(self._given) >= _ROWS_GATHERED:
            self._gather()

    def follow(self, journal: Journal, fold: Fold) -> None:
        """Take in what of the journal has not been seen; costs a microsecond a line of that."""
        if self.rows < journal.last().rows:
            for number, row in enumerate(journal.read(self.rows), self.rows):
                self.note(number, row, fold.decoded(row) if row.kind is Kind.EVENTS else None)
        self._gather()
        self._merge(self._filed)

    def _gather(self) -> None:
        """Make a run of what was noted."""
        if self._given:
            run, self._now = runs.run_of(self._given, self._now, self._of_nobody, self._switching)
            self._given, self._weight = [], [0, 0]
            self._runs.append(run)

    def _merge(self, first: int) -> None:
        """Merge runs of like size, from a run on, so that there are few."""
        found = self._runs[:first]
        for run in self._runs[first:]:
            found.append(run)
            while len(found) > first + 1 and _are_alike(found[-2], found[-1]):
                last = found.pop()
                found[-1] = runs.merged(found[-1], last)
        self._runs = found

    @property
    def events(self) -> int:
        """How many lines it has seen that could be read; also those of a type that the playbook does not declare."""
        return sum(map(runs.events_in, self._runs))

    def positions(self, marks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where lines stand that may bear one of these marks, in order; few others are among them."""
        keys = np.unique(runs.keys_of(marks))
        found = [runs.found_in(run.marks, keys) + run.position for run in self._runs]
        return np.unique(np.concatenate([np.empty(0, np.int64), *found]))

    def places(self, positions: NDArray[np.int64]) -> list[Place]:
        """Return where lines with these positions, in order, are to be read."""
        found: list[Place] = []
        for run in self._runs:
            if len(run.rows):
                first, after = np.searchsorted(positions, [run.rows[0, POSITION], _end(run, self._runs)])
                found += _places(run, positions[first:after])
        return found

    def decided(self, customers: Iterable[int], first: int = 0) -> list[int]:
        """Return the DECISIONS rows, from a row on, in which there is something about one of these customers."""
        keys = runs.customers_keys(customers)
        found = [runs.found_in(run.decided, keys) + run.first for run in self._runs]
        numbers = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
        return numbers[numbers >= first].tolist()

    def books(self) -> list[int]:
        """Return the PLAYBOOK rows."""
        return [number for run in self._runs for number in run.books.tolist()]

    def stretches(self) -> Iterator[Stretch]:
        """Yield the stretches of EVENTS rows that are taken alike."""
        for run in self._runs:
            later = np.searchsorted(run.rows[:, NUMBER], run.stretches[:, 0], side="right")
            for (row, now, observed), place in zip(run.stretches.tolist(), later.tolist(), strict=True):
                after = int(run.rows[place, POSITION]) if place < len(run.rows) else _end(run, self._runs)
                yield Stretch(row, after, now, bool(observed))

    # On the disk.

    def save(self, journal: Journal, fold: Fold) -> None:
        """Write what is not yet in files; the journal is followed to its end before."""
        if self._folder is None:
            return
        self.follow(journal, fold)
        self._merge(0)
        self._filed = 0
        with suppress(SnapshotError):  # without the files it is made again
            for run in self._runs:
                path = _path(self._folder, run)
                if not path.exists():
                    chain = journal.part(run.after - 1, 0, 0).chain.hex()
                    header = {"first": run.first, "after": run.after, "position": run.position}
                    header |= {"chain": chain, "reads": self._reads}
                    snapshot.write(path, {name: getattr(run, name) for name in runs.ARRAYS}, header)
            self._filed = len(self._runs)
            self._tidy(self._folder)

    def _tidy(self, folder: Path) -> None:
        kept = {_path(folder, run) for run in self._runs}
        for path in folder.iterdir():
            if path not in kept and (_NAME.fullmatch(path.name) or path.suffix == ".part"):
                path.unlink()

    def load(self, journal: Journal) -> None:
        """Take up the files that go on from each other and are of this journal and playbook."""
        folder = self._folder
        if folder is None:
            return
        paths = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []
        for path in paths:
            with suppress(SnapshotError):
                saved = snapshot.load(path, mapped=True)
                if self._continues(journal, saved.header):
                    fixed = (saved.header["first"], saved.header["after"], saved.header["position"])
                    self._runs.append(Run(*fixed, **saved.arrays))
                    self._now = max(self._now, *self._runs[-1].stretches[-1:, 1].tolist(), at.NEVER)
        self._filed = len(self._runs)

    def _continues(self, journal: Journal, header: dict[str, Any]) -> bool:
        if header.get("reads") != self._reads or header["first"] != self.rows or header["after"] > journal.last().rows:
            return False
        return journal.part(header["after"] - 1, 0, 0).chain.hex() == header["chain"]


def _reads(fold: Fold) -> str:
    """Return a digest of all in a playbook by which lines are read, and by which they hang together."""
    told: dict[str, Any] = msgspec.to_builtins(fold.published.playbook)
    names = ("time_zone", "identifiers", "traits", "products", "events", "sources", "groups")
    parts = [_MARKS, *(told.get(name) for name in names), Joins(fold).uses]
    return blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def _path(folder: Path, run: Run) -> Path:
    return folder / f"rows-{run.first:019d}-{run.after:019d}.index"


def _are_alike(a: Run, b: Run) -> bool:
    return runs.fits(a, b) and a.size <= _ALIKE * b.size


def _end(run: Run, among: list[Run]) -> int:
    """Return the position up to which lines may be a run's: where the next that has lines begins."""
    later = (int(each.rows[0, POSITION]) for each in among if each.first >= run.after and len(each.rows))
    return next(later, at.INFINITE)


def _places(run: Run, positions: NDArray[np.int64]) -> list[Place]:
    """Return the places of lines of a run."""
    which = np.searchsorted(run.rows[:, POSITION], positions, side="right") - 1
    late = np.searchsorted(run.late[:, 0], positions)
    found: list[Place] = []
    for position, row, behind in zip(positions.tolist(), which.tolist(), late.tolist(), strict=True):
        number, first, before, own = (int(run.rows[row, column]) for column in (NUMBER, POSITION, BEFORE, PLACES))
        is_late = behind < len(run.late) and int(run.late[behind, 0]) == position
        now = int(run.late[behind, 1]) if is_late else None
        line = position - first
        start, stop = None, PAYLOAD_BYTES_MAX
        if own >= 0:
            place = own + line // EVERY
            start = int(run.places[place])
            stop = int(run.places[place + 1]) if place + 1 < _next_places(run, row) else stop
        found.append(Place(position, number, line, start, stop, line % EVERY, before, now))
    return found


def _next_places(run: Run, row: int) -> int:
    """Return where in `places` those of a row end."""
    later = run.rows[row + 1 :, PLACES]
    if len(later) and later[0] < 0:
        later = later[later >= 0]
    return int(later[0]) if len(later) else len(run.places)
