"""Onevoice as one object: it opens the parts, joins them, and is the only place that reads the clock."""

from __future__ import annotations

import logging
import time as system
from collections import deque
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

import msgspec
import numpy as np

from onevoice.engine import canonical
from onevoice.engine import state as at
from onevoice.errors import JournalError, LimitError, Mistake
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.report import Report, report
from onevoice.history.why import Why, why
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import STAMP_NEVER, Mode
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import carry, explain, faults, outcomes, swap
from onevoice.runtime import customer as customers
from onevoice.runtime.ahead import ahead
from onevoice.runtime.asks import ask
from onevoice.runtime.compiling import compile_once
from onevoice.runtime.decisions import Reading, position_of, time_of, us_of
from onevoice.runtime.fold import Published
from onevoice.runtime.form import Form, form_of
from onevoice.runtime.ingested import Ingested
from onevoice.runtime.payloads import NDJSON, PIECE_LINES, PIECE_LINES_MAX, Events, Piece, cut, decoded, without
from onevoice.runtime.recorded import Recorded, Start
from onevoice.runtime.recovery import recover
from onevoice.runtime.writer import Entered, Entry, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from datetime import datetime

    from onevoice.history.decision import Decision
    from onevoice.history.timeline import Timeline
    from onevoice.importing.model import FileMapping
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.taken import Taken

SNAPSHOT_EVERY: Final = 1_000_000  # lines
JOURNAL: Final = "journal.sqlite"
SNAPSHOTS: Final = "snapshots"
SNAPSHOT_AT_CLOSE: Final = 1_000  # lines that make one worth while when the engine is closed

Time: TypeAlias = "datetime | int"  # with a zone, or µs UTC

_log: Final = logging.getLogger("onevoice")


def clock_us() -> int:
    """Return the present time in µs UTC."""
    return system.time_ns() // 1000


class Onevoice:
    """The engine over one journal: events in, decisions out. Made by `onevoice.open`; a context manager.

    Calls may come from several threads; they are worked on one at a time.
    """

    def __init__(
        self,
        playbook: Published | None,
        journal: Journal,
        snapshots: Path | None = None,
        *,
        clock: Callable[[], int] = clock_us,
        snapshot_every: int = SNAPSHOT_EVERY,
        piece_lines: int = PIECE_LINES,
    ) -> None:
        self._lock = RLock()
        self._clock = clock
        self._journal = journal
        self._piece_lines = piece_lines
        self._snapshots = snapshots
        secret = journal.meta.secret
        self._secret = (
            int.from_bytes(secret[:8], "little", signed=True),
            int.from_bytes(secret[8:], "little", signed=True),
        )
        if journal.last().rows == 0:
            if playbook is None:
                mend = "name one: `onevoice.open(playbook, data_dir)`"
                raise JournalError(Mistake("no playbook was ever in force here", "open", mend=mend))
            journal.append([playbook.row(0, 0)])
        found = recover(journal, snapshots, self._secret)
        for note in found.notes:
            _log.warning("%s", note)
        self.notes: tuple[Mistake, ...] = tuple(found.notes)
        self._writer = Writer(
            journal,
            found.fold,
            found.files,
            unwritten=found.missing,
            playbook_row=found.playbook_row,
            since_snapshot=found.replayed,
            snapshots=snapshots,
            snapshot_every=snapshot_every,
        )
        self._writer.flush()
        self._recorded = Recorded(journal, self._writer)
        if playbook is not None:
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
            self._recorded.note_playbook()
            return True

    def ingest(
        self,
        events: Events | bytearray | memoryview,
        *,
        time: Time | None = None,
        imported: bool = False,
        decide: bool = True,
    ) -> Ingested:
        """Take in events: mappings, NDJSON as bytes, the path of a file, or an Arrow table.

        They are in the journal, durably, when this returns. `time` stands for the clock; with `imported` the time is
        that of the events. With `decide=False` they build state and start nothing. A line that cannot be used costs its
        neighbours nothing; it is told in `rejected`, by its number among the lines that are not blank. So is one that
        would have occurred before 1970, or more than a day after the clock. Large inputs are taken in pieces, each
        durable by itself.

        Raises EventError for what is no form of events, or no time, at all.
        """
        with self._lock:
            mode = _mode(imported=imported, decide=decide)
            at_once = None if time is None else us_of(time, "time")
            if isinstance(events, (bytearray, memoryview)):
                events = bytes(cast("bytearray", events))
            pieces = cut(events, self._piece_lines)
            entries = (self._entry(piece, mode, self._stamp(at_once)) for piece in pieces)
            return self._enter(entries, str(events) if isinstance(events, (str, Path)) else "")

    def run(
        self,
        files: Iterable[str | Path],
        on_progress: Callable[[int], None] | None = None,
        *,
        decide: bool = True,
        on_rejected: Callable[[Mistake], None] | None = None,
        mapping: FileMapping | str | Path | None = None,
        aside: str | Path | None = None,
    ) -> Ingested:
        """Import files in order, the time being that of the events; return what became of the lines taken in now.

        What was taken of a file is in the journal with its events: after a crash the same call goes on where the
        journal ends, and a file that was taken whole is passed over. `on_progress` hears the count of lines after each
        piece, `on_rejected` what is wrong with a line. With a `mapping` (YAML) the files are of another form:
        `docs/guide/importing.md`; lines that make no event go to `aside` and are counted in the answer's `summaries`.

        Raises EventError for a file that cannot be read, was begun and has changed since, or was taken under another
        mapping; MappingError for a mapping that is broken, or does not fit the file.
        """
        with self._lock:
            self._writer.check_whole()
            answer = self._answer()
            form = form_of(mapping, aside, self._snapshots, answer.summaries)
            for path in files:
                # Closed here also when a listener raises: what is in the journal has to come into the state.
                with closing(self._run_file(Path(path), form, _mode(imported=True, decide=decide))) as taken:
                    for entered in taken:
                        rejected = form.rejected(entered.entry, Path(path))
                        answer.count(entered, rejected)
                        if on_rejected:
                            for mistake in rejected:
                                on_rejected(mistake)
                        if on_progress:
                            on_progress(answer.lines)
            return answer

    def decide(
        self, placement: str, identifiers: Mapping[str, str], fields: Mapping[str, Any] | None = None
    ) -> Decision:
        """Answer which campaigns a placement should show a customer now. The ask is in the journal before the answer.

        Raises EventError for a placement, identifier or field that the playbook does not have.
        """
        with self._lock:
            schema = self._writer.fold.compiled.schema
            line, batch = ask(self.playbook, schema, self._secret, placement, identifiers, fields)
            outcome = self._writer.enter(Entry(Piece(line, NDJSON, 0), batch, Mode.LIVE, self._stamp())).outcome
            return next(self._writer.fold.reading.decisions(outcomes.answer_of(outcome)))

    def tick(self, time: Time | None = None) -> Ingested:
        """Let time pass: what is due by now, or by `time`, is done."""
        with self._lock:
            stamp = self._stamp(None if time is None else us_of(time, "time"))
            return self._enter([self._entry(Piece(b"", NDJSON, 0), Mode.LIVE, stamp)])

    def decisions(self, customer: Mapping[str, str] | int | None = None, since: int = 0) -> Iterator[Decision]:
        """Return the decisions from the position `since` on, of one customer or all, read from the journal one by one.

        A customer is named by identifiers, or by number; decisions made before a merge are among theirs.
        """
        since = position_of(since)
        with self._lock:
            wanted, start = self._numbers(customer), self._recorded.start(since)
        found = self._recorded.decisions(wanted, start)
        return (decision for _, decision in found if decision.position >= since)

    def decisions_table(self, since: int = 0) -> Table:
        """Return every line of every decision from the position `since` on, as a pyarrow Table."""
        since = position_of(since)
        with self._lock:
            start = self._recorded.start(since)
        return self._recorded.table(start, since)

    def state(self, customer: Mapping[str, str] | int) -> Customer | None:
        """Return what is known about the customer with these identifiers, or this number; None for nobody."""
        with self._lock:
            self._writer.check_whole()
            fold, numbers = self._writer.fold, self._numbers(customer)
            return customers.view(fold, carry.survivor(fold.machine.state, min(numbers))) if numbers else None

    def timeline(self, customer: Mapping[str, str] | int) -> Timeline | None:
        """Return what happened to a customer, what was true meanwhile and what was decided; None for nobody.

        The whole journal is read for the customer's lines, which are folded alone: some seconds a million lines.
        """
        with self._lock:
            fold, start = self._writer.fold, self._recorded.start()
            numbers = self._numbers(customer)
            if not numbers:
                return None
            own = carry.survivor(fold.machine.state, min(numbers))
            decided = partial(self._recorded.decisions, start=start)
            return explain.timeline(self._journal, fold, own, lambda among: [each for _, each in decided(among)])

    def why(self, customer: Mapping[str, str] | int, campaign: str = "", *, last: int = 1) -> list[Why]:
        """Return the `last` decisions about a customer, or about one campaign and that customer, in sentences."""
        with self._lock:
            wanted, start = self._numbers(customer), self._recorded.start()
        found: deque[tuple[Reading, Decision]] = deque(maxlen=last)
        for reading, decision in self._recorded.decisions(wanted, start):
            if not campaign or any(line.campaign == campaign for line in decision.lines):
                found.append((reading, decision))
        return [why(decision, reading.playbook) for reading, decision in found]

    def report(self) -> Report:
        """Return what went out, what was held back and who was crowded, in figures, over all that was decided."""
        with self._lock:
            decided, playbooks = self._recorded.table_in_words()
            state = self._writer.fold.machine.state
            alias = customers.survivors(state)
            column = decided.column_names.index("customer")
            merged = np.append(alias, -1)[decided["customer"].to_numpy()]  # -1: whom this playbook does not know
            decided = decided.set_column(column, "customer", pa.array(merged))
            count = int((alias == np.arange(len(alias))).sum())
            return report(
                decided,
                playbooks,
                version=self._writer.fold.published.digest,
                lines=self.position,
                customers=count,
                decisions=self.decision_count,
            )

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

    def _stamp(self, time: int | None = None, last: int = STAMP_NEVER) -> int:
        """Return the stamp of a row that comes in now: what the clock (or `time`) shows, never less than before."""
        shown = us_of(self._clock(), "clock") if time is None else time
        return max(shown, last, self._journal.last().stamp_us)

    def _entry(self, piece: Piece, mode: Mode, stamp: int, taken: Taken | None = None) -> Entry:
        """Return a piece decoded; `taken` is how far its file is taken before it."""
        batch = decoded(piece, mode, stamp, self._writer.fold.compiled.schema, self._secret)
        if taken is not None:
            taken = msgspec.structs.replace(taken, taken=piece.taken, lines=taken.lines + batch.lines)
        return Entry(piece, batch, mode, stamp, taken)

    def _enter(self, entries: Iterable[Entry], name: str = "") -> Ingested:
        """Let entries in one by one."""
        answer = self._answer()
        for entry in entries:
            entered = self._writer.enter(entry)
            answer.count(entered, [rejection.at(answer.lines, name) for rejection in entry.batch.rejected])
        return answer

    def _answer(self) -> Ingested:
        """Return an answer in which what comes in from now on is to be counted."""
        start, first = self._recorded.now(), self.decision_count
        return Ingested(self.position, _read=lambda count: self._told(start, first, first + count))

    def _told(self, start: Start, first: int, last: int) -> Iterator[Decision]:
        """Yield the decisions with numbers from `first` to before `last`, written down by now."""
        with self._lock:
            self._writer.flush()
        yield from self._recorded.between(start, first, last)

    def _run_file(self, path: Path, form: Form, mode: Mode) -> Generator[Entered]:
        """Take in what is left of a file, and then write down that there is nothing left."""
        writer = self._writer
        taken = writer.files.of(path, form.digest)
        if taken.done:
            return
        with (
            form.opened(path, self.playbook) as events,
            closing(ahead(self._entries(events, mode, taken))) as entries,
            closing(writer.enter_all(entries)) as entered,
        ):
            for each in entered:
                taken = each.entry.taken or taken
                yield each
        head = self._journal.last()
        done = msgspec.structs.replace(taken, done=True)
        writer.append(done.row(head.position, head.stamp_us))
        writer.files.note(done)

    def _entries(self, events: Events, mode: Mode, taken: Taken) -> Iterator[Entry]:
        """Yield what is left of a file, decoded."""
        stamp = STAMP_NEVER
        for piece in cut(events, self._piece_lines):
            rest = without(piece, taken.taken)
            if rest is not None:
                stamp = self._stamp(last=stamp)  # the piece before may not be written yet
                entry = self._entry(rest, mode, stamp, taken)
                taken = entry.taken or taken
                yield entry

    def _numbers(self, customer: Mapping[str, str] | int | None) -> frozenset[int] | None:
        """Return every number a customer has had; None stands for everybody."""
        if customer is None:
            return None
        fold = self._writer.fold
        number = customer if isinstance(customer, int) else customers.number_of(fold, customer)
        return frozenset[int]() if number is None else customers.same_person(fold, number)


def _mode(*, imported: bool, decide: bool) -> Mode:
    mode = Mode.IMPORT if imported else Mode.LIVE
    return mode if decide else mode | Mode.OBSERVE


def _check_setting(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        expected = f"at least {least:,}" if value < least else f"at most {most:,}"
        raise LimitError(Mistake("a setting out of its bounds", f"open: {name}", expected, f"{value:,}"))


def open_node(
    playbook: Playbook | str | Path | None = None,
    data_dir: str | Path | None = None,
    *,
    clock: Callable[[], int] = clock_us,
    snapshot_every: int = SNAPSHOT_EVERY,
    piece_lines: int = PIECE_LINES,
) -> Onevoice:
    """Open an engine: `onevoice.open` says how."""
    _check_setting("piece_lines", piece_lines, 1, PIECE_LINES_MAX)
    _check_setting("snapshot_every", snapshot_every, 0, at.INFINITE)
    published = None if playbook is None else Published.of(playbook)
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
