"""The single writer: a row into the journal, then into the state; what it decided goes in with a later append.

Decisions that a crash keeps out of the journal are made again at the next start, the same, so they need no sync of
their own (recovery.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.engine import state as at
from onevoice.errors import JournalError, Mistake
from onevoice.journal.port import Kind, Mode, Row
from onevoice.runtime import faults, outcomes, snapshot, swap

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from onevoice.engine.machine import Outcome
    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal
    from onevoice.runtime.fold import Fold, Published
    from onevoice.runtime.index import Index
    from onevoice.runtime.outcomes import Decided
    from onevoice.runtime.payloads import Piece
    from onevoice.runtime.taken import Taken, TakenFiles


# Decisions wait for company before they are written: a row costs 0.2 ms, as much as an ask.
OUTCOMES_GROUPED: Final = 64
LINES_GROUPED: Final = 1_024


class Entry(NamedTuple):
    """A piece of events, decoded, with how far its file is taken once it is in.

    `stamp`: of its row, µs UTC; what the clock showed when it came in, and never less than the stamp before.
    """

    piece: Piece
    batch: Batch
    mode: Mode
    stamp: int
    taken: Taken | None = None


class Entered(NamedTuple):
    """What became of an entry: its row, what was decided, how many lines were there before, what was left out.

    `paused`: the campaigns that came to the limit of their run, with their contacts in it; `failing`: those that
    paused themselves because too many contacts had failed, with so many. `stale`, `fresh`: how often each source
    became so.
    """

    entry: Entry
    row: Row
    outcome: Outcome
    duplicates: int
    left_out: dict[str, int]
    paused: dict[str, int]
    failing: dict[str, int]
    stale: dict[str, int]
    fresh: dict[str, int]


class Writer:
    """Writes a journal and its state, and keeps its index up; not for several threads at once.

    `unwritten` is what was decided and is not in the journal; `playbook_row` the number of the journal row with the
    playbook in force; `since_snapshot` how many lines came after the snapshot this state was loaded from.
    """

    def __init__(
        self,
        journal: Journal,
        fold: Fold,
        files: TakenFiles,
        *,
        unwritten: Sequence[Decided] = (),
        playbook_row: int,
        since_snapshot: int = 0,
        snapshots: Path | None = None,
        snapshot_every: int = 0,
        index: Index | None = None,
    ) -> None:
        self.journal = journal
        self.fold = fold
        self.index = index
        self.files = files
        self.playbook_row = playbook_row
        self.since_snapshot = since_snapshot
        self._snapshots = snapshots
        self._snapshot_every = snapshot_every
        self._unwritten = [*unwritten]
        self._stepping = False
        self.is_closed = False

    def enter(self, entry: Entry) -> Entered:
        """Let one entry into the journal, and then into the state; it is durable when this returns."""
        self.check_whole()
        assert self.fold.machine.position == self.journal.last().position, "all that is written is in the state"
        row = self._row(entry)
        self._write(*self._rows_for(entry, row), entry.batch)
        return self._entered(entry, row)

    def enter_all(self, entries: Iterable[Entry]) -> Generator[Entered]:
        """Let entries in one after another, each worked on while the next one is written.

        Close the generator before anything else is let in: at its end the state is where the journal is.
        """
        self.check_whole()
        written: tuple[Entry, Row] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="onevoice-disk") as disk:
            try:
                for entry in entries:
                    if written and self._wants_snapshot(written[1].count):
                        yield self._entered(*written)
                        written = None
                    row = self._row(entry)
                    writing = disk.submit(self._write, *self._rows_for(entry, row), entry.batch)
                    done, written = written, None
                    try:
                        entered = self._entered(*done) if done else None
                    finally:
                        writing.result()
                    written = entry, row
                    if entered:
                        yield entered
            finally:
                # Also when the source of entries failed: what is in the journal has to be in the state.
                last = self._entered(*written) if written and not self._stepping else None
        if last:
            yield last

    def publish(self, published: Published) -> None:
        """Put another playbook in force: rebuild the state under it from the whole journal, then write its row."""
        self.flush()
        head = self.journal.last()
        fold = swap.rebuilt(self.journal, self.fold, published, head.rows)
        self.append(published.row(head.position, head.stamp_us))
        self.fold, self.playbook_row = fold, head.rows
        if self.index is not None:
            self.index.turn(fold)

    def append(self, row: Row) -> None:
        """Write a row that is not of events, with what was decided before it."""
        self.check_whole()
        rows, count = self._decisions()
        self._write([*rows, row], count)

    def flush(self) -> None:
        """Write the decisions that have not been written yet."""
        rows, count = self._decisions()
        if rows:
            self._write(rows, count)

    def close(self, snapshot_from: int) -> None:
        """Write what is outstanding, and a snapshot if at least so many lines came since the last."""
        self.is_closed = True
        if self._stepping:
            return
        self.flush()
        if self.since_snapshot >= snapshot_from:
            self.save()

    def save(self) -> Path | None:
        """Write a snapshot of the state as it is; None where there is no folder for it, or the state is in doubt."""
        if self._snapshots is None or self._stepping:
            return None
        self.flush()
        head = self.journal.last()
        header = self.fold.header() | {
            "position": head.position,
            "rows": head.rows,
            "chain": head.chain.hex(),
            "playbook_row": self.playbook_row,
            "files": self.files.records(),
        }
        path = snapshot.save(self._snapshots, self.fold.arrays(), header)
        if self.index is not None:
            self.index.save(self.journal, self.fold)
        self.since_snapshot = 0
        return path

    def _row(self, entry: Entry) -> Row:
        form, payload = entry.piece.form, entry.piece.payload
        position = self.journal.last().position
        return Row(Kind.EVENTS, position, entry.batch.lines, entry.stamp, entry.mode, payload, form)

    def _rows_for(self, entry: Entry, row: Row) -> tuple[list[Row], int]:
        """Return the rows of one append, and how much of what is unwritten is among them: little of it waits."""
        rows, count = self._decisions() if self._wants_decisions() else ([], 0)
        rows.append(row)
        if entry.taken is not None:
            rows.append(entry.taken.row(row.position + row.count, row.stamp_us))
        return rows, count

    def _wants_decisions(self) -> bool:
        lines = sum(len(decided.outcome.lines) for decided in self._unwritten)
        return len(self._unwritten) >= OUTCOMES_GROUPED or lines >= LINES_GROUPED

    def _decisions(self) -> tuple[list[Row], int]:
        """Return the row for what is unwritten, if anything is, and how much that is; write first what is too much.

        So no more than one row of decisions is in memory beside the decisions themselves.
        """
        count = outcomes.fitting(self._unwritten)
        while count < len(self._unwritten):
            self._write([outcomes.row_of(self._unwritten[:count])], count)
            count = outcomes.fitting(self._unwritten)
        return [outcomes.row_of(self._unwritten)] if count else [], count

    def _write(self, rows: list[Row], written: int, batch: Batch | None = None) -> None:
        """Append rows, among them the first `written` parts of what is unwritten; `batch`: the lines of its events."""
        first = self.journal.last().rows
        faults.passage("before_commit")
        self.journal.append(rows)
        faults.passage("after_commit")
        del self._unwritten[:written]
        if self.index is not None:
            for number, row in enumerate(rows, first):
                self.index.note(number, row, batch if row.kind is Kind.EVENTS else None)

    def _entered(self, entry: Entry, row: Row) -> Entered:
        """Let a row that is in the journal into the state."""
        self._stepping = True
        before = self.fold.machine.state.scalars.copy()
        outcome = self.fold.step(row, entry.batch)
        self._stepping = False
        self._unwritten += [*outcomes.cut(row, outcome)]
        if entry.taken is not None:
            self.files.note(entry.taken)
        self.since_snapshot += row.count
        if self._wants_snapshot():
            self.save()
        counted: list[int] = (self.fold.machine.state.scalars - before).tolist()
        left_out = {name: counted[scalar] for name, scalar in at.LEFT_OUT.items()}
        reading = self.fold.reading
        paused, failing = reading.paused(outcome, failing=False), reading.paused(outcome, failing=True)
        stale, fresh = reading.sources(outcome, stale=True), reading.sources(outcome, stale=False)
        return Entered(entry, row, outcome, counted[at.DUPLICATES], left_out, paused, failing, stale, fresh)

    def _wants_snapshot(self, more: int = 0) -> bool:
        return 0 < self._snapshot_every <= self.since_snapshot + more and self._snapshots is not None

    def check_whole(self) -> None:
        """Raise JournalError after a step that was broken off: the journal is right, this state is not."""
        if self._stepping:
            mend = "open the data again: the journal has everything that was acknowledged"
            raise JournalError(Mistake("a step was broken off, the state is in doubt", "state", mend=mend))
