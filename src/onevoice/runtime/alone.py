"""One customer's lines, decided once more by an engine of their own; and from any point on, decided otherwise.

What is decided about a customer depends on others only through shared identifiers, so an engine that is given the
lines of those who hang together, at the times at which they came, decides what was decided.
"""

from __future__ import annotations

from collections import deque
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from onevoice.engine import growth
from onevoice.engine import state as at
from onevoice.engine.state import State
from onevoice.events.built import encode_ndjson
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind, Mode, Row
from onevoice.playbook.builtin import RECEIPTS
from onevoice.playbook.load import digest_files
from onevoice.runtime import customer as customers
from onevoice.runtime import outcomes, what_if
from onevoice.runtime.decisions import Reading, time_of, us_of
from onevoice.runtime.fold import FILES, Fold, Published
from onevoice.runtime.payloads import NDJSON, Piece, decoded
from onevoice.runtime.recorded import Recorded
from onevoice.runtime.related import Line, lines_of, related
from onevoice.runtime.swap import contacts_made
from onevoice.runtime.taken import TakenFiles
from onevoice.runtime.writer import Entry, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from onevoice.events.batch import Batch
    from onevoice.history.decision import Decision
    from onevoice.journal.port import Journal
    from onevoice.program import Compiled, Program
    from onevoice.runtime.related import Related

Patch: TypeAlias = "Callable[[Compiled], Program]"  # the program of another playbook, made of that of the one in force


NOBODY: Final = -1  # whom the decisions are about that pause a campaign


class Step(NamedTuple):
    """What an engine is given at a journal time (µs UTC): a line; a playbook that takes over; or only the time.

    `position`: how many lines come before it, here.
    """

    now: int
    observing: bool = False
    line: bytes = b""
    published: Published | None = None
    position: int = 0


class Alone:
    """The lines of one customer of a fold, and of those who hang together with them. `customer`: their number here."""

    def __init__(self, journal: Journal, fold: Fold, customer: int) -> None:
        found = related(journal, fold, customer)
        self.customer = found.customers.index(customer)
        self.steps = [*_numbered(_without_idle(_steps(journal, fold, found, _contacts(journal, fold, found))))]
        self._journal = MemoryJournal(journal.meta)
        self._secret = fold.secret

    def decisions(self, patch: Patch | None = None) -> list[Decision]:
        """Return all that is decided about the customer."""
        engine = self.before(self.steps[-1].now + 1, patch)
        engine.writer.flush()
        recorded = Recorded(engine.writer.journal, engine.writer)
        numbers = engine.numbers(self.customer)
        return [decision for _, decision in recorded.decisions(numbers, recorded.start())]

    def before(self, instant: int, patch: Patch | None = None) -> Engine:
        """Return an engine that has decided on all that came before an instant, and let time pass up to it."""
        engine: Engine | None = None
        for step in self.steps:
            if engine is None:
                assert step.published, "a journal begins with a playbook"
                engine = Engine(step.published, MemoryJournal(self._journal.meta), self._secret, patch)
            elif step.now < instant:
                engine.take(step)
        assert engine, "a journal begins with a playbook"
        engine.take(Step(instant - 1))
        return engine

    def up_to(self, decision: Decision, first: int) -> list[Step]:
        """Return the steps from an instant on that a decision was made after; those of its own instant included."""
        last = us_of(decision.time, "decision")
        steps = [step for step in self.steps[1:] if first <= step.now <= last]
        before = decision.position + (decision.kind == "ask")
        return [step for step in steps if not step.line or step.position < before]


class Engine:
    """A writer over a journal in memory, its program patched."""

    def __init__(
        self, published: Published, journal: MemoryJournal, secret: tuple[int, int], patch: Patch | None
    ) -> None:
        journal.append([published.row(0, 0)])
        self._patch = patch
        self.writer = Writer(journal, Fold(published, secret), TakenFiles(), playbook_row=0)
        self._patched()

    def take(self, step: Step) -> None:
        """Take in one step."""
        if step.published:
            self.writer.publish(step.published)
            self._patched()
            return
        fold, piece = self.writer.fold, Piece(step.line, NDJSON, 0)
        mode = Mode.OBSERVE if step.observing else Mode.LIVE
        stamp = max(step.now, self.writer.journal.last().stamp_us)
        batch = decoded(piece, mode, stamp, fold.compiled.schema, fold.secret)
        self.writer.enter(Entry(piece, batch, mode, stamp))

    def numbers(self, customer: int) -> frozenset[int]:
        """Return every number of the customer who goes by this one now or did once."""
        fold = self.writer.fold
        number = customers.present_number(fold, customer)
        return frozenset[int]() if number is None else customers.same_person(fold, number)

    def _patched(self) -> None:
        """Let the rules be others; and let nothing be paused by failures, of which so many more are told there."""
        fold = self.writer.fold
        fold.compiled = replace(fold.compiled, program=what_if.without_failures(fold.compiled.program))
        if self._patch:
            fold.compiled = replace(fold.compiled, program=self._patch(fold.compiled))
        fold.machine.compiled = fold.compiled


class Fork:
    """What an engine would decide on some steps, from where it is, by another program or in another state."""

    def __init__(self, engine: Engine, steps: Sequence[Step]) -> None:
        self._fold = engine.writer.fold
        self._steps = steps
        machine = self._fold.machine
        for step in steps:  # the names are shared by all that is tried, so they are learnt before
            machine.state, _ = machine.names.learn(machine.state, self._batch(step).names)

    @property
    def compiled(self) -> Compiled:
        """The playbook as it is compiled."""
        return self._fold.compiled

    def code(self, text: str) -> float:
        """Return the number by which the engine knows a text, learning it."""
        machine = self._fold.machine
        machine.state, codes = machine.names.learn(machine.state, [text])
        return float(codes[0])

    def decide(
        self, program: Program | None = None, prepare: Callable[[Program, State], None] | None = None, until: int = 0
    ) -> list[Decision]:
        """Return what a program decides on the steps, after `prepare` has changed the state; and then up to `until`."""
        machine = copy(self._fold.machine)
        machine.state = State(**{name: getattr(machine.state, name).copy() for name in State.fields})
        if program:
            machine.compiled = replace(machine.compiled, program=program)
        if prepare:
            machine.state.need[:] = machine.compiled.program.room_for_timer
            if growth.is_short(machine.state, machine.state.need):
                machine.state = growth.grown(machine.state, machine.state.need)
            prepare(machine.compiled.program, machine.state)
        found: list[Decision] = []
        for step in [*self._steps, Step(until)] if until else self._steps:
            stamp = max(step.now, int(machine.state.scalars[at.NOW]))
            outcome = machine.row(self._batch(step), stamp, observing=step.observing)
            found += self._fold.reading.decisions(outcome)
        return found

    def _batch(self, step: Step) -> Batch:
        fold = self._fold
        return decoded(Piece(step.line, NDJSON, 0), Mode.LIVE, step.now, fold.compiled.schema, fold.secret)


def _contacts(journal: Journal, fold: Fold, found: Related) -> dict[int, int]:
    """Return the number that each contact of those who hang together gets here, where nobody else is contacted."""
    own = set(found.customers)
    made = contacts_made(journal, fold, journal.last().rows)
    theirs = [contact.number for contact in made if contact.customer in own and not contact.cancels]
    numbers = sorted(number for number in theirs if number >= 0)
    return {number: place for place, number in enumerate(numbers)}


def _steps(journal: Journal, fold: Fold, found: Related, contacts: dict[int, int]) -> Iterator[Step]:
    """Yield what the journal holds about those who hang together, and how time went on over everybody."""
    ends, now = iter(found.ends), 0
    stops = deque(_stops(journal, fold, found))
    for each in lines_of(journal, fold, found):
        if isinstance(each, Line):
            while stops and stops[0].position <= each.row.position:
                yield stops.popleft()
            yield Step(each.now, bool(each.row.mode & Mode.OBSERVE), _alone(each, contacts))
        elif each.kind is Kind.EVENTS:
            now = next(ends)
            while stops and stops[0].now <= now:
                yield stops.popleft()
            yield Step(now, bool(each.mode & Mode.OBSERVE))
        elif each.kind is Kind.PLAYBOOK:
            yield Step(now, published=_published(each, fold))


def _stops(journal: Journal, fold: Fold, found: Related) -> Iterator[Step]:
    """Yield a pause for each campaign that came to a limit of its run: others made contacts of it, too.

    Within its instant it comes before what is decided here, unless a contact of that instant came before it.
    """
    campaigns = fold.published.playbook.campaigns.values()
    if not any(campaign.at_most_contacts or campaign.failures_share for campaign in campaigns):
        return
    reading, won = Reading(fold.published.playbook), set[tuple[int, str]]()
    for row in journal.read(0):
        if row.kind is Kind.PLAYBOOK:
            reading = Reading(_published(row, fold).playbook)
        elif row.kind is Kind.DECISIONS:
            decided = outcomes.of_customers(outcomes.decode(row.payload), {NOBODY, *found.customers})
            for decision in reading.decisions(decided):
                time = us_of(decision.time, "decision")
                won |= {(time, line.campaign) for line in decision.won}
                if decision.customer == NOBODY:
                    yield _pause(decision, time if (time, decision.lines[0].campaign) in won else time - 1)


def _pause(decision: Decision, now: int) -> Step:
    paused = {"type": "campaign_paused", "fields": {"campaign": decision.lines[0].campaign}, "time": decision.time}
    return Step(now, line=encode_ndjson([paused]), position=decision.position)


def _alone(line: Line, contacts: dict[int, int]) -> bytes:
    """Return a line with its time, for alone it is taken in at its journal time, and with its contact's number here."""
    fields: Any = line.content.get("fields") or {}
    number: Any = fields.get("contact") if line.content.get("type") in RECEIPTS else None
    if line.content.get("time") is not None and number is None:
        return line.row.payload
    content = dict(line.content)
    if content.get("time") is None:
        content["time"] = time_of(line.row.stamp_us)
    if number is not None:
        content["fields"] = {**fields, "contact": contacts.get(number, -1)}
    return msgspec.json.encode(content)


def _without_idle(steps: Iterable[Step]) -> Iterator[Step]:
    """Leave out where time only passes, as long as it passes in the same way."""
    for step, after in pairwise([*steps, Step(0, line=b"end")]):
        idle = not step.line and not step.published
        if not (idle and not after.line and not after.published and after.observing == step.observing):
            yield step


def _numbered(steps: Iterable[Step]) -> Iterator[Step]:
    position = 0
    for step in steps:
        yield step._replace(position=position)
        position += bool(step.line)


def _published(row: Row, fold: Fold) -> Published:
    """Return the playbook of a row, as it is loaded already where it is the one in force."""
    if row.form == FILES:
        files = msgspec.msgpack.decode(row.payload, type=dict[str, bytes])
        if digest_files(files) == fold.published.digest:
            return fold.published
    return Published.of_row(row)
