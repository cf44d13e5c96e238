"""From what is on the disk to the state it means: the newest snapshot that fits, and the rest of the journal again.

Replay makes every decision once more. What the journal says was decided must be what comes out; what it does not say
yet, because a crash came first, is written down now. So nothing is decided twice, and nothing is decided differently.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.errors import JournalDamaged, JournalError, Mistake, SnapshotError
from onevoice.journal.port import Kind, Row
from onevoice.runtime import outcomes, snapshot, swap
from onevoice.runtime.ahead import ahead
from onevoice.runtime.fold import Fold, Published
from onevoice.runtime.index import Index
from onevoice.runtime.outcomes import Decided
from onevoice.runtime.taken import TakenFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from onevoice.engine.machine import Outcome
    from onevoice.events.batch import Batch
    from onevoice.journal.port import Journal

_ROWS_AHEAD: Final = 4  # an EVENTS row and those that come between two: what was decided, how far a file was taken


@dataclass
class Recovered:
    """A state brought up to the journal's end. `missing`: what was decided and the journal does not hold yet."""

    fold: Fold
    files: TakenFiles
    playbook_row: int
    index: Index
    replayed: int = 0  # lines that came after the snapshot
    missing: list[Decided] = field(default_factory=list[Decided])
    notes: list[Mistake] = field(default_factory=list[Mistake])


class _Ready(NamedTuple):
    """A row of the journal, ready to be taken up: an EVENTS row decoded, a PLAYBOOK row loaded."""

    number: int
    row: Row
    batch: Batch | None = None
    published: Published | None = None


def recover(journal: Journal, snapshots: Path | None, secret: tuple[int, int]) -> Recovered:
    """Return the state at the end of a journal that holds at least its first playbook.

    JournalError where a decision comes out otherwise than it was written down; JournalDamaged where a row is damaged,
    or the journal ends before a snapshot that was made of it.
    """
    found, notes = _from_snapshot(journal, snapshots, secret)
    from_row = 1
    if found is None:
        row = next(iter(journal.read(0)))
        fold = Fold(Published.of_row(row), secret)
        found = Recovered(fold, TakenFiles(), 0, _index(journal, fold, snapshots))
        found.index.note(0, row)
    else:
        recovered, from_row = found
        found = recovered
    found.notes = notes
    _replay(journal, found, from_row)
    return found


def _from_snapshot(
    journal: Journal, folder: Path | None, secret: tuple[int, int]
) -> tuple[tuple[Recovered, int] | None, list[Mistake]]:
    """Return the state of the newest snapshot that fits the journal, and the row to go on from."""
    notes: list[Mistake] = []
    at_most: int | None = None
    while folder is not None:
        saved, mistakes = snapshot.load_newest(folder, at_most)
        notes += mistakes
        if saved is None:
            break
        try:
            return (_restored(journal, saved, secret), saved.header["rows"]), notes
        except SnapshotError as error:
            notes += error.mistakes
            at_most = saved.header["position"] - 1
    return None, notes


def _restored(journal: Journal, saved: snapshot.Snapshot, secret: tuple[int, int]) -> Recovered:
    header = saved.header
    rows, head = header["rows"], journal.last()
    if rows > head.rows:
        mend = "restore the journal from a backup; or remove the snapshot, to go on without what is lost"
        what = "the journal ends before a snapshot that was made of it: rows are lost"
        raise JournalDamaged(Mistake(what, f"{saved.path}", f"{rows} rows", f"{head.rows} rows", mend))
    chain = next(iter(journal.read(rows - 1))).chain.hex()
    if chain != header["chain"]:
        mend = "the journal is replayed instead"
        what = "the snapshot is of another journal"
        raise SnapshotError(Mistake(what, f"{saved.path}", chain[:16], header["chain"][:16], mend))
    number = header["playbook_row"]
    fold = Fold(Published.of_row(next(iter(journal.read(number)))), secret)
    fold.restore(saved)
    files = TakenFiles()
    files.restore(header["files"])
    return Recovered(fold, files, number, _index(journal, fold, saved.path.parent))


def _index(journal: Journal, fold: Fold, snapshots: Path | None) -> Index:
    """Return the index that lies beside the snapshots."""
    found = Index(fold, snapshots and snapshots.with_name("index"))
    found.load(journal)
    return found


def _replay(journal: Journal, found: Recovered, from_row: int) -> None:
    expected: deque[Decided] = deque()  # decided again, not yet met in the journal
    for ready in ahead(_ready(journal, found.fold, from_row), count=_ROWS_AHEAD):
        row = ready.row
        found.index.note(ready.number, row, ready.batch)
        if row.kind is Kind.EVENTS:
            outcome = found.fold.step(row, ready.batch)
            found.replayed += row.count
            expected += outcomes.cut(row, outcome)
        elif row.kind is Kind.DECISIONS:
            _compare(ready, expected)
        elif row.kind is Kind.FILE:
            found.files.note_row(row)
        elif ready.published is not None:
            if expected:
                raise _difference(ready.number, f"{_counted(expected[0].outcome)} before it", "none")
            found.fold = swap.rebuilt(journal, found.fold, ready.published, ready.number)
            found.index.turn(found.fold)
            found.playbook_row = ready.number
    found.missing = [*expected]


def _ready(journal: Journal, fold: Fold, from_row: int) -> Iterator[_Ready]:
    """Yield the rows from a number on, decoded under the playbook that is in force by then."""
    schema_of = fold
    for number, row in enumerate(journal.read(from_row), from_row):
        if row.kind is Kind.EVENTS:
            yield _Ready(number, row, schema_of.decoded(row))
        elif row.kind is Kind.PLAYBOOK:
            published = Published.of_row(row)
            schema_of = Fold(published, fold.secret)
            yield _Ready(number, row, published=published)
        else:
            yield _Ready(number, row)


def _compare(ready: _Ready, expected: deque[Decided]) -> None:
    """Raise JournalError unless a DECISIONS row says what comes next of all that came out again."""
    found = outcomes.decode(ready.row.payload)
    if not len(found.decisions):
        raise _difference(ready.number, "at least one decision", "none")
    again = outcomes.joined([*_next(expected, len(found.decisions))] or [outcomes.nothing()])
    if not outcomes.is_same(found, again):
        raise _difference(ready.number, *_first_difference(again, found))


def _next(expected: deque[Decided], count: int) -> Iterator[Outcome]:
    """Take the next `count` decisions, however they were cut to rows; fewer where there are no more."""
    while count and expected:
        row, outcome = expected.popleft()
        yield outcomes.part(outcome, 0, count)
        if len(outcome.decisions) > count:
            expected.appendleft(Decided(row, outcomes.part(outcome, count, len(outcome.decisions))))
        count -= min(count, len(outcome.decisions))


def _counted(outcome: Outcome) -> str:
    return f"{len(outcome.decisions)} decisions with {len(outcome.lines)} lines"


def _first_difference(outcome: Outcome, found: Outcome) -> tuple[str, str]:
    """Name the first decision that differs, as replay has it and as the journal has it."""
    for number, (ours, theirs) in enumerate(zip(outcome.decisions, found.decisions, strict=False)):
        if not (ours == theirs).all():
            return f"decision {number} {ours.tolist()}", f"{theirs.tolist()}"
    for number, (ours, theirs) in enumerate(zip(outcome.lines, found.lines, strict=False)):
        if not (ours == theirs).all():
            return f"line {number} {ours.tolist()}", f"{theirs.tolist()}"
    return _counted(outcome), _counted(found)


def _difference(number: int, expected: str, found: str) -> JournalError:
    mend = (
        "the journal was written by another version of Onevoice or of the time zones: open it with that version, "
        "or restore a snapshot made by it"
    )
    return JournalError(
        Mistake("replay decides otherwise than was decided", f"journal row {number}", expected, found, mend)
    )
