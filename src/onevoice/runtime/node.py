"""Onevoice as one object: it opens the parts, joins them, and is the only place that reads the clock."""

from __future__ import annotations

import logging
import time as system
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import msgspec

from onevoice.engine import canonical
from onevoice.engine import state as at
from onevoice.errors import EventError, JournalError, LimitError, Mistake
from onevoice.events.built import encode_ndjson
from onevoice.events.decode import decode_line_by_line
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind, Mode
from onevoice.journal.sqlite import SqliteJournal
from onevoice.playbook.grammar import did_you_mean
from onevoice.runtime import customer as customers
from onevoice.runtime import faults, outcomes, swap
from onevoice.runtime.ahead import one_ahead
from onevoice.runtime.compiling import compile_once
from onevoice.runtime.decisions import Decision, Reading, time_of, us_of
from onevoice.runtime.fold import Published
from onevoice.runtime.numbering import renumber
from onevoice.runtime.payloads import NDJSON, PIECE_LINES, PIECE_LINES_MAX, Events, Piece, cut, decoded, without
from onevoice.runtime.recovery import recover
from onevoice.runtime.writer import Entered, Entry, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from datetime import datetime

    from onevoice.engine.machine import Outcome
    from onevoice.journal.port import Journal, Row
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.taken import Taken

REJECTED_KEPT: Final = 1_000  # refusals that one answer tells in full; the rest are counted
SNAPSHOT_EVERY: Final = 1_000_000  # lines
JOURNAL: Final = "journal.sqlite"
SNAPSHOTS: Final = "snapshots"
SNAPSHOT_AT_CLOSE: Final = 1_000  # lines that make one worth while when the engine is closed

Time: TypeAlias = "datetime | int"  # with a zone, or µs UTC

_log: Final = logging.getLogger("onevoice")


def clock_us() -> int:
    """Return the present time in µs UTC."""
    return system.time_ns() // 1000


@dataclass
class Ingested:
    """What became of events that were taken in: they are in the journal, durably.

    `position` is the journal's position after them; `accepted` and `rejected_count` are how many lines could and
    could not be used; `rejected` says why, for the first 1,000.
    """

    position: int
    accepted: int = 0
    rejected_count: int = 0
    rejected: list[Mistake] = field(default_factory=list[Mistake])
    _read: Callable[[], Iterator[Decision]] = field(default=lambda: iter(()), repr=False)

    @cached_property
    def decisions(self) -> list[Decision]:
        """What was decided by them, read from the journal when it is first asked for."""
        return list(self._read())

    def count(self, entered: Entered, name: str) -> None:
        """Add what became of one piece; `name` is the file it is from, or empty."""
        batch = entered.entry.batch
        before = self.accepted + self.rejected_count
        room = REJECTED_KEPT - len(self.rejected)
        self.rejected += [rejection.at(before, name) for rejection in batch.rejected[:room]]
        self.rejected_count += len(batch.rejected)
        self.accepted += batch.lines - len(batch.rejected)
        self.position = entered.row.position + entered.row.count


class Onevoice:
    """The engine over one journal: events in, decisions out. Made by `onevoice.open`; a context manager.

    Calls may come from several threads; they are worked on one at a time.
    """

    def __init__(
        self,
        playbook: Published,
        journal: Journal,
        snapshots: Path | None = None,
        *,
        clock: Callable[[], int] = clock_us,
        snapshot_every: int = SNAPSHOT_EVERY,
        piece_lines: int = PIECE_LINES,
    ) -> None:
        self._lock = RLock()
        self._journal = journal
        self._piece_lines = piece_lines
        secret = journal.meta.secret
        self._secret = (
            int.from_bytes(secret[:8], "little", signed=True),
            int.from_bytes(secret[8:], "little", signed=True),
        )
        if journal.last().rows == 0:
            journal.append([playbook.row(0, 0)])
        found = recover(journal, snapshots, self._secret)
        for note in found.notes:
            _log.warning("%s", note)
        self.notes: tuple[Mistake, ...] = tuple(found.notes)
        self._writer = Writer(
            journal,
            found.fold,
            found.files,
            clock,
            unwritten=found.missing,
            playbook_row=found.playbook_row,
            since_snapshot=found.replayed,
            snapshots=snapshots,
            snapshot_every=snapshot_every,
        )
        self._writer.flush()
        self._readings: dict[int, Reading] = {found.playbook_row: found.fold.reading}
        self.publish(playbook)

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def playbook(self) -> Playbook:
        """The playbook in force."""
        return self._writer.fold.published.playbook

    @property
    def position(self) -> int:
        """The journal's position: how many lines have come in."""
        return self._journal.last().position

    @property
    def decision_count(self) -> int:
        """How many decisions were made."""
        return int(self._writer.fold.machine.state.scalars[at.NEXT_DECISION])

    @property
    def next_due(self) -> datetime | None:
        """When the first timer is due; None where none is set."""
        due = self._writer.fold.machine.next_due
        return None if due == at.INFINITE else time_of(due)

    def publish(self, playbook: Published | Playbook | str | Path) -> bool:
        """Put a playbook in force from the present position on; False where it is in force already.

        The state is rebuilt from the whole journal, then takes the old one's place at once; `docs/semantics.md` and
        `runtime/swap.py` say what is carried over. PlaybookError leaves everything as it is.
        """
        published = playbook if isinstance(playbook, Published) else Published.of(playbook)
        with self._lock:
            writer = self._writer
            if published.digest == writer.fold.published.digest:
                return False
            writer.flush()
            head = self._journal.last()
            fold = swap.rebuilt(self._journal, writer.fold, published, head.rows)
            writer.append(published.row(head.position, head.stamp_us))
            writer.fold, writer.playbook_row = fold, head.rows
            self._readings[head.rows] = fold.reading
            return True

    def ingest(
        self, events: Events, *, time: Time | None = None, imported: bool = False, decide: bool = True
    ) -> Ingested:
        """Take in events: mappings, NDJSON as bytes, the path of a file, or an Arrow table.

        They are in the journal, durably, when this returns. `time` stands for the clock; with `imported` the time is
        that of the events. With `decide=False` they build state and start nothing. A line that cannot be used costs its
        neighbours nothing; it is told in `rejected`. Large inputs are taken in pieces, each durable by itself.

        Raises EventError for what is no form of events at all.
        """
        with self._lock:
            mode = _mode(imported=imported, decide=decide)
            entries = (self._entry(piece, mode) for piece in cut(events, self._piece_lines))
            return self._enter(entries, time, str(events) if isinstance(events, (str, Path)) else "")

    def run(
        self,
        files: Iterable[str | Path],
        on_progress: Callable[[int], None] | None = None,
        *,
        decide: bool = True,
        on_rejected: Callable[[Mistake], None] | None = None,
    ) -> int:
        """Import files in order, the time being that of the events; return how many lines were taken in.

        What was taken of a file is in the journal with its events: after a crash the same call goes on where the
        journal ends, and a file that was taken whole is passed over. `on_progress` hears the count after each piece.

        Raises EventError for a file that cannot be read, or was begun and has changed since.
        """
        done = 0
        with self._lock:
            self._writer.check_whole()
            for path in files:
                # Closed here also when a listener raises: what is in the journal has to come into the state.
                with closing(self._run_file(Path(path), _mode(imported=True, decide=decide))) as taken:
                    for entry in taken:
                        if on_rejected:
                            _tell_rejected(entry, f"{path}", on_rejected)
                        done += entry.batch.lines
                        if on_progress:
                            on_progress(done)
        return done

    def decide(
        self, placement: str, identifiers: Mapping[str, str], fields: Mapping[str, Any] | None = None
    ) -> Decision:
        """Answer which campaigns a placement should show a customer now. The ask is in the journal before the answer.

        Raises EventError for a placement or identifier that the playbook does not have.
        """
        with self._lock:
            if placement not in self.playbook.placements:
                known = ", ".join(self.playbook.placements) or "a playbook with placements"
                hint = did_you_mean(placement, self.playbook.placements)
                raise EventError(Mistake("an unknown placement", "decide", known, repr(placement), hint))
            event = {"type": "asked", "identifiers": identifiers, "fields": {**(fields or {}), "placement": placement}}
            piece = Piece(encode_ndjson([event]), NDJSON, 0)
            batch = decode_line_by_line(piece.payload, self._writer.fold.compiled.schema, self._secret)
            if batch.rejected:
                raise EventError(*(rejection.mistake for rejection in batch.rejected))
            outcome = self._writer.enter(Entry(piece, batch, Mode.LIVE)).outcome
            return next(self._writer.fold.reading.decisions(outcomes.answer_of(outcome)))

    def tick(self, time: Time | None = None) -> Ingested:
        """Let time pass: what is due by now, or by `time`, is done."""
        with self._lock:
            return self._enter([self._entry(Piece(b"", NDJSON, 0), Mode.LIVE)], time)

    def decisions(self, customer: Mapping[str, str] | int | None = None, since: int = 0) -> Iterator[Decision]:
        """Return the decisions from the position `since` on, of one customer or all, read from the journal one by one.

        A customer is named by identifiers, or by number; decisions made before a merge are among theirs.
        """
        with self._lock:
            wanted = self._numbers(customer)
            self._writer.flush()
            reading, from_row = self._writer.fold.reading, self._row_before(since)
        found = (
            decision
            for reading, outcome in self._outcomes(from_row, reading)
            for decision in reading.decisions(outcome)
        )
        return (
            decision
            for decision in found
            if decision.position >= since and (wanted is None or decision.customer in wanted)
        )

    def decisions_table(self, since: int = 0) -> Table:
        """Return every line of every decision from the position `since` on, as a pyarrow Table."""
        with self._lock:
            self._writer.flush()
            reading, from_row = self._writer.fold.reading, self._row_before(since)
        tables = [reading.table(outcome) for reading, outcome in self._outcomes(from_row, reading)]
        found = pa.concat_tables([*tables, reading.table(outcomes.nothing())]).unify_dictionaries()
        return found.filter(pa.compute.field("position") >= since) if since else found

    def state(self, identifiers: Mapping[str, str]) -> Customer | None:
        """Return what is known about the customer with these identifiers; None where there is none."""
        with self._lock:
            self._writer.check_whole()
            number = customers.number_of(self._writer.fold, identifiers)
            return None if number is None else customers.view(self._writer.fold, number)

    def hash(self) -> str:
        """Return the digest of the canonical state: equal for equal histories, whatever their batches and restarts."""
        with self._lock:
            self._writer.check_whole()
            return canonical.digest(self._writer.fold.machine)

    def snapshot(self) -> Path | None:
        """Write the state to the disk, so that the next start need not replay; None for an engine in memory."""
        with self._lock:
            return self._writer.save()

    def close(self) -> None:
        """Write what is outstanding, and let go of the journal. Closing twice does no harm."""
        with self._lock:
            if self._writer.is_closed:
                return
            self._writer.close(snapshot_from=SNAPSHOT_AT_CLOSE)
            self._journal.close()

    def _entry(self, piece: Piece, mode: Mode, taken: Taken | None = None) -> Entry:
        """Return a piece decoded; `taken` is how far its file is taken before it."""
        batch = decoded(piece, mode, self._writer.fold.compiled.schema, self._secret)
        if taken is not None:
            taken = msgspec.structs.replace(taken, taken=piece.taken, lines=taken.lines + batch.lines)
        return Entry(piece, batch, mode, taken)

    def _enter(self, entries: Iterable[Entry], time: Time | None, name: str = "") -> Ingested:
        """Let entries in one by one; the answer's decisions are those that were made meanwhile."""
        stamp = None if time is None else us_of(time)
        reading, from_row, first = self._writer.fold.reading, self._journal.last().rows, self.decision_count
        answer = Ingested(self.position)
        for entry in entries:
            answer.count(self._writer.enter(entry, stamp), name)
        last = self.decision_count
        answer._read = lambda: self._decisions_between(from_row, reading, first, last)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return answer

    def _decisions_between(self, from_row: int, reading: Reading, first: int, last: int) -> Iterator[Decision]:
        """Yield the decisions with numbers from `first` to before `last`, which lie in rows from `from_row` on."""
        if first == last:
            return
        with self._lock:
            self._writer.flush()
        for in_force, outcome in self._outcomes(from_row, reading):
            for decision in in_force.decisions(outcome):
                if first <= decision.number < last:
                    yield decision
                if decision.number == last - 1:
                    return

    def _run_file(self, path: Path, mode: Mode) -> Generator[Entry]:
        """Take in what is left of a file, and then write down that there is nothing left."""
        writer = self._writer
        taken = writer.files.of(path)
        if taken.done:
            return
        with (
            closing(one_ahead(self._entries(path, mode, taken))) as entries,
            closing(writer.enter_all(entries)) as entered,
        ):
            for entry, _, _ in entered:
                taken = entry.taken or taken
                yield entry
        head = self._journal.last()
        done = msgspec.structs.replace(taken, done=True)
        writer.append(done.row(head.position, head.stamp_us))
        writer.files.note(done)

    def _entries(self, path: Path, mode: Mode, taken: Taken) -> Iterator[Entry]:
        """Yield what is left of a file, decoded."""
        for piece in cut(path, self._piece_lines):
            rest = without(piece, taken.taken)
            if rest is not None:
                entry = self._entry(rest, mode, taken)
                taken = entry.taken or taken
                yield entry

    def _numbers(self, customer: Mapping[str, str] | int | None) -> frozenset[int] | None:
        """Return every number a customer has had; None stands for everybody."""
        if customer is None:
            return None
        fold = self._writer.fold
        number = customer if isinstance(customer, int) else customers.number_of(fold, customer)
        return frozenset[int]() if number is None else customers.same_person(fold, number)

    def _row_before(self, since: int) -> int:
        """Return a journal row before which nothing was decided at a position from `since` on.

        That is where a row of a lesser position lies: events come in order of positions, and decisions after their
        events, in the same order. Looked for under the playbook in force only; row 0 stands for all before it.
        """
        low, high = self._writer.playbook_row, self._journal.last().rows
        if since <= self._row(low).position:
            return 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._row(middle).position < since else (low, middle)
        return low

    def _row(self, number: int) -> Row:
        return next(iter(self._journal.read(number)))

    def _outcomes(self, from_row: int = 0, reading: Reading | None = None) -> Iterator[tuple[Reading, Outcome]]:
        """Yield what each DECISIONS row holds, with the names by which it is read."""
        for number, row in enumerate(self._journal.read(from_row), from_row):
            if row.kind is Kind.PLAYBOOK:
                if number not in self._readings:
                    self._readings[number] = Reading(Published.of_row(row).playbook)
                reading = self._readings[number]
            elif row.kind is Kind.DECISIONS and reading is not None:
                outcome = outcomes.decode(row.payload)
                renumber(self._writer.fold, outcome.decisions[:, at.D_CUSTOMER], number)
                yield reading, outcome


def _tell_rejected(entry: Entry, file: str, tell: Callable[[Mistake], None]) -> None:
    before = entry.taken.lines - entry.batch.lines if entry.taken else 0
    for rejection in entry.batch.rejected:
        tell(rejection.at(before, file))


def _mode(*, imported: bool, decide: bool) -> Mode:
    mode = Mode.IMPORT if imported else Mode.LIVE
    return mode if decide else mode | Mode.OBSERVE


def _check_setting(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        expected = f"at least {least:,}" if value < least else f"at most {most:,}"
        raise LimitError(Mistake("a setting out of its bounds", f"open: {name}", expected, f"{value:,}"))


def open_node(
    playbook: Playbook | str | Path,
    data_dir: str | Path | None = None,
    *,
    clock: Callable[[], int] = clock_us,
    snapshot_every: int = SNAPSHOT_EVERY,
    piece_lines: int = PIECE_LINES,
) -> Onevoice:
    """Open an engine: `onevoice.open` says how."""
    _check_setting("piece_lines", piece_lines, 1, PIECE_LINES_MAX)
    _check_setting("snapshot_every", snapshot_every, 0, at.INFINITE)
    published = Published.of(playbook)
    compile_once()  # what is wrong with the playbook does not wait for it
    if data_dir is None:
        return Onevoice(published, MemoryJournal(), clock=clock, piece_lines=piece_lines)
    folder = Path(data_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        mend = "name a folder that may be written"
        raise JournalError(
            Mistake("the folder of the data cannot be made", f"{folder}", found=f"{error}", mend=mend)
        ) from error
    journal = SqliteJournal(folder / JOURNAL, vfs=faults.journal_vfs())
    try:
        return Onevoice(
            published,
            journal,
            folder / SNAPSHOTS,
            clock=clock,
            snapshot_every=snapshot_every,
            piece_lines=piece_lines,
        )
    except BaseException:
        journal.close()
        raise
