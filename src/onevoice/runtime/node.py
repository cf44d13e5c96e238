"""Onevoice as one object: it opens the parts, joins them, and is the only place that reads the clock."""

from __future__ import annotations

import logging
import time as system
from contextlib import closing
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self, cast

import msgspec

from onevoice.errors import JournalError, Mistake
from onevoice.events.built import encode_ndjson
from onevoice.journal.port import STAMP_NEVER, Mode
from onevoice.runtime import controls, outcomes
from onevoice.runtime.ahead import ahead
from onevoice.runtime.asks import ask
from onevoice.runtime.controls import Named, Switched
from onevoice.runtime.decisions import time_of, us_of
from onevoice.runtime.fold import Published
from onevoice.runtime.form import Form, form_of
from onevoice.runtime.ingested import Ingested
from onevoice.runtime.payloads import NDJSON, PIECE_LINES, Events, Piece, cut, decoded, without
from onevoice.runtime.reader import Reader, Time
from onevoice.runtime.recorded import Recorded, Start
from onevoice.runtime.recovery import recover
from onevoice.runtime.splits import Parted, parted, split_of, with_split, without_split
from onevoice.runtime.when import TIME_PASSES, When
from onevoice.runtime.writer import Entered, Entry, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from onevoice.history.decision import Decision
    from onevoice.importing.model import FileMapping
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.taken import Taken

SNAPSHOT_EVERY: Final = 1_000_000  # lines
SNAPSHOT_AT_CLOSE: Final = 1_000  # lines that make one worth while when the engine is closed

_log: Final = logging.getLogger("onevoice")


def clock_us() -> int:
    """Return the present time in µs UTC."""
    return system.time_ns() // 1000


class Onevoice(Reader):
    """The engine over one journal: events in, decisions out. Made by `onevoice.open`; a context manager.

    Calls may come from several threads; they are worked on one at a time. Times are datetimes with a zone, or whole
    µs UTC. A customer is named by identifiers, `{kind: value}`, of which the first that is known counts, or by the
    number that decisions and reports give them.

    The example of each method goes on from here, at 10:00 UTC on Monday, 2 February 2026:

    >>> engine = onevoice.open("examples/telecom")
    >>> ada = {"user_id": "ada"}
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
            index=found.index,
        )
        self._writer.flush()
        self._recorded = Recorded(journal, self._writer)
        if playbook is not None:
            if note := found.fold.published.changed_into(playbook):
                _log.warning("%s", note)
            self.publish(playbook)

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def publish(self, playbook: Published | Playbook | str | Path) -> bool:
        """Put a playbook in force from the present position on; False where it is in force already.

        `playbook`: its folder, or a `Playbook` built in Python. The state is rebuilt from the whole journal, then takes
        the old one's place at once; `docs/semantics.md` says what is carried over. Costs what a replay costs, some
        seconds a million lines, for which other calls wait.

        Raises PlaybookError, which leaves everything as it is.

        >>> engine.publish("examples/telecom")
        False
        >>> engine.publish("examples/retail/playbook"), engine.playbook.name
        (True, 'retail')
        """
        published = playbook if isinstance(playbook, Published) else Published.of(playbook)
        with self._lock:
            in_force = self._writer.fold.published
            if published.digest == in_force.digest:
                return False
            before, after = in_force.playbook.name, published.playbook.name
            if before != after:
                _log.warning("the data was that of playbook %s; from here on %s decides over all of it", before, after)
            self._publish(published.with_splits(in_force.splits))
            return True

    def _publish(self, published: Published) -> None:
        self._writer.publish(published)
        self._recorded.note_playbook()

    def split(self, one: Mapping[str, str], other: Mapping[str, str], *, undo: bool = False) -> Parted:
        """Say that two identifiers are two people's, who were taken for one, or may be; return who has each now.

        History is folded again without what joined them: each has what came in under their own identifiers, and they
        are never joined. It is a row of the journal, durable when this returns; with `undo` they may be one again.
        Costs what `publish` costs, for which other calls wait. `docs/semantics.md` §15 says whose what was decided is.

        Raises EventError where one of them is not one known identifier that somebody has, or, with `undo`, they are
        not kept apart; LimitError for more than 1,000 of them.

        >>> by_mail = {"email": "ada@x.org"}
        >>> _ = engine.ingest([{"type": "store_visited", "identifiers": ada | by_mail}])
        >>> _ = engine.ingest([{"type": "store_visited", "identifiers": by_mail}])
        >>> engine.split(ada, by_mail)
        Parted(one=0, other=1)
        >>> engine.split(ada, by_mail, undo=True)
        Parted(one=0, other=0)
        """
        with self._lock:
            published = self._writer.fold.published
            change = without_split if undo else with_split
            splits = change(published.splits, split_of(self._writer.fold, one, other))
            if splits != published.splits:
                self._publish(published.with_splits(splits))
            return parted(self._writer.fold, one, other)

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
        durable by itself. Costs microseconds an event, and a few tenths of a millisecond a call; what was decided is
        read only when it is asked for.

        Raises EventError for what is no form of events, or no time, at all.

        >>> order = {"type": "order_placed", "identifiers": ada, "fields": {"order_id": "o-1", "amount": 12.5}}
        >>> taken = engine.ingest([order, order | {"fields": {"amount": "12"}}])
        >>> taken.lines, taken.accepted
        (2, 1)
        >>> print(taken.rejected[0])
        line 2: $.fields.amount: wrong type; expected a number; found "12"; write the number without quotes
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
        piece, `on_rejected` what is wrong with a line. With `decide=False` the events build state and start nothing,
        for a history in which others spoke. With a `mapping` (YAML) the files are of another form:
        `docs/guide/importing.md`; lines that make no event go to `aside` and are counted in the answer's `summaries`.
        Costs a few seconds a million lines.

        Raises EventError for a file that cannot be read, was begun and has changed since, or was taken under another
        mapping; MappingError for a mapping that is broken, or does not fit the file.

        >>> line = '{"type": "store_visited", "time": "2026-01-05T09:00:00Z", "identifiers": {"user_id": "ada"}}'
        >>> _ = Path("january.ndjson").write_text(line)
        >>> engine.run(["january.ndjson"]).accepted, engine.run(["january.ndjson"]).accepted
        (1, 0)
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
        self,
        placement: str,
        identifiers: Mapping[str, str],
        fields: Mapping[str, Any] | None = None,
        *,
        time: Time | None = None,
    ) -> Decision:
        """Answer which campaigns a placement should show a customer now. The ask is in the journal before the answer.

        `identifiers`: who asks, known before or not; `fields` of the ask, for the playbook's conditions. What is due
        by now is done first; with a `time`, only what is due by then, as of `pause`. Costs about a millisecond, most of
        which is the disk's.

        Raises EventError for a placement, identifier or field that the playbook does not have, or for what is no time.

        >>> engine.decide("home_banner", ada).lines
        (<banner_upgrade: won with red_case score 0>,)
        """
        with self._lock:
            schema = self._writer.fold.compiled.schema
            when = self._when(time)
            line, batch = ask(self.playbook, schema, self._secret, placement, identifiers, fields, when.time)
            outcome = self._writer.enter(Entry(Piece(line, NDJSON, 0), batch, when.mode, when.stamp)).outcome
            return next(self._writer.fold.reading.decisions(outcomes.answer_of(outcome)))

    def tick(self, time: Time | None = None) -> Ingested:
        """Let time pass: what is due by now, or by `time`, is done; return what was decided by it.

        Time never falls: one that lies before the last one is taken as that. Costs what is due.

        Raises EventError for what is no time.

        >>> by_phone = ada | {"phone": "+37061234567"}
        >>> _ = engine.ingest([{"type": "order_delivered", "identifiers": by_phone, "fields": {"order_id": "o-1"}}])
        >>> later = datetime(2026, 2, 4, 10, tzinfo=UTC)  # how_was_delivery comes 2 days after
        >>> [line.campaign for decision in engine.tick(later).decisions for line in decision.won]
        ['how_was_delivery']
        """
        with self._lock:
            stamp = self._stamp(None if time is None else us_of(time, "time"))
            return self._enter([self._entry(Piece(b"", NDJSON, 0), Mode.LIVE, stamp)])

    def pause(
        self,
        campaign: str = "",
        *,
        klass: str = "",
        everything: bool = False,
        reason: str = "",
        by: str = "",
        time: Time | None = None,
    ) -> Switched:
        """Hold back a campaign, a class of campaigns or everything from now on, until it is resumed.

        What waits goes on waiting, and expires as ever; new triggers make new wishes. It is an event in the journal,
        with who did it and why, durable when this returns. Costs milliseconds. `docs/semantics.md` §16 says it exactly.

        `campaign` or `klass` names what, or `everything`; `reason` and `by` are kept with the event for people.
        What is due by now is done first, for all campaigns: in a journal of history that may be months. With a `time`
        only what is due by then is done, and the journal stays there; one before `now` is taken as that.

        Raises EventError for a name that the playbook does not have, where not one thing is named, for what is
        stopped, which is more than paused, or for what is no time.

        >>> order = {"type": "order_delivered", "identifiers": ada, "fields": {"order_id": "o-1"}}
        >>> _ = engine.ingest([order])
        >>> engine.pause("how_was_delivery", reason="wrong link")
        Switched(waiting=1, ended=0, woken=0, was='on', off='', reason='wrong link', by='')
        """
        return self._switch("pause", Named(campaign, klass, everything), reason, by, time)

    def resume(
        self,
        campaign: str = "",
        *,
        klass: str = "",
        everything: bool = False,
        reason: str = "",
        by: str = "",
        time: Time | None = None,
    ) -> Switched:
        """Let go on what was paused or stopped, by hand or by its limit; what waited is looked at again at once.

        A campaign goes when neither it, nor its class, nor everything is off. A campaign that is resumed begins a new
        run: its contacts are counted from nought. Costs a look at each customer, and what those woken cost.

        `campaign` or `klass` names what, or `everything`; `reason` and `by` are kept with the event for people; `time`
        as of `pause`.

        Raises EventError as `pause` does.

        >>> _ = engine.pause(everything=True)
        >>> engine.resume(everything=True)
        Switched(waiting=0, ended=0, woken=0, was='paused', off='', reason='', by='')
        """
        return self._switch("resume", Named(campaign, klass, everything), reason, by, time)

    def stop(
        self,
        campaign: str = "",
        *,
        klass: str = "",
        everything: bool = False,
        reason: str = "",
        by: str = "",
        time: Time | None = None,
    ) -> Switched:
        """End a campaign, a class of campaigns or everything: what waits ends, and nothing new is wished for.

        Costs a look at each customer and a decision for each candidate that ends: seconds for a million of them.

        `campaign` or `klass` names what, or `everything`; `reason` and `by` are kept with the event for people; `time`
        as of `pause`.

        Raises EventError as `pause` does.

        >>> order = {"type": "order_delivered", "identifiers": ada, "fields": {"order_id": "o-1"}}
        >>> _ = engine.ingest([order])
        >>> engine.stop("how_was_delivery")
        Switched(waiting=0, ended=1, woken=0, was='on', off='', reason='', by='')
        """
        return self._switch("stop", Named(campaign, klass, everything), reason, by, time)

    def _switch(self, verb: str, named: Named, reason: str, by: str, time: Time | None) -> Switched:
        with self._lock:
            event, when = controls.event(verb, named, self.playbook, reason, by), self._when(time)
            controls.check_weaker(verb, named, self._writer.fold)
            self._let_pass(when)  # what is due by then comes before
            before = controls.seen(self._writer.fold, named)
            self._act(when, event)
            return controls.switched(before, controls.seen(self._writer.fold, named), verb, reason, by)

    def _when(self, time: Time | None) -> When:
        """Return when a call acts: now, or at a time that is its line's own.

        A row's stamp says when it came in, and never falls. So a time given is told as an import tells it, by the line.
        """
        if time is None:
            return When(Mode.LIVE, self._stamp())
        us = max(us_of(time, "time"), self._now)
        return When(Mode.IMPORT, self._stamp(us), time_of(us))

    def _let_pass(self, when: When) -> None:
        """Let time pass up to when a call acts, if anything is due by then."""
        if when.time is None:
            self._enter([self._entry(Piece(b"", NDJSON, 0), when.mode, when.stamp)])
        elif self.next_due is not None and self.next_due <= when.time:
            self._act(when, {"type": TIME_PASSES})  # without a line an import moves no time

    def _act(self, when: When, event: dict[str, Any]) -> None:
        line = encode_ndjson([when.line(event)])
        self._enter([self._entry(Piece(line, NDJSON, 0), when.mode, when.stamp)])

    def snapshot(self) -> Path | None:
        """Write the state to the disk, so that the next start need not replay; None for an engine in memory.

        Returns the file. Nothing depends on it: what it holds is in the journal, too.

        >>> engine.snapshot() is None
        True
        """
        with self._lock:
            return self._writer.save()

    def close(self) -> None:
        """Write what is outstanding, and let go of the journal. Closing twice does no harm.

        >>> engine.close()
        """
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


def _mode(*, imported: bool, decide: bool) -> Mode:
    mode = Mode.IMPORT if imported else Mode.LIVE
    return mode if decide else mode | Mode.OBSERVE
