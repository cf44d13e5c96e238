"""One customer's lines, decided once more by an engine of their own; and from any point on, decided otherwise.

What is decided about a customer depends on others only through shared identifiers and groups, so an engine that is
given the lines of those who hang together, at the times at which they came, decides what was decided.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from onevoice.engine import feeds, growth, hearsay, switches
from onevoice.engine import state as at
from onevoice.engine.state import INFINITE, State
from onevoice.engine.store import COUNT
from onevoice.events.batch import ITEM, LINE, OCCURRED_AT
from onevoice.events.decode import decode_ndjson
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Mode
from onevoice.program import FEED_SOURCE
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.decisions import Reading, us_of
from onevoice.runtime.fold import Fold, Published
from onevoice.runtime.numbering import numbers_before
from onevoice.runtime.outcomes import of_customers
from onevoice.runtime.payloads import NDJSON, Piece
from onevoice.runtime.recorded import Recorded
from onevoice.runtime.related import related
from onevoice.runtime.steps import Heard, Paused, Round, Step, numbered, past_of, steps_of
from onevoice.runtime.swap import cut
from onevoice.runtime.taken import TakenFiles
from onevoice.runtime.writer import Entry, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from onevoice.compiled import Compiled
    from onevoice.engine.machine import Machine
    from onevoice.events.batch import Batch
    from onevoice.history.decision import Decision
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Playbook
    from onevoice.program import Program
    from onevoice.runtime.index import Index

Patch: TypeAlias = "Callable[[Compiled], Program]"  # the program of another playbook, made of that of the one in force


class Alone:
    """The lines of one customer of a fold, and of those who hang together with them. `customer`: their number here.

    Without an index the whole journal is read for them.
    """

    def __init__(self, journal: Journal, fold: Fold, customer: int, index: Index | None = None) -> None:
        found = related(journal, fold, customer, index)
        self.customer = found.customers.index(customer)
        self._past = past_of(journal, fold, found)
        self._numbers = numbers_before(fold, customers.same_person(fold, customer))
        self.steps = steps_of(journal, fold, found, self._past)
        self.lines = Lines([step.line for step in self.steps if step.line], fold.secret)
        self._journal = MemoryJournal(journal.meta)

    def with_steps(self, steps: Sequence[Step]) -> Alone:
        """Return the same customer with some of the steps left out, or taken in otherwise."""
        other = copy(self)
        other.steps = [*numbered(steps)]
        other.lines = Lines([step.line for step in other.steps if step.line], self.lines.secret)
        return other

    def decisions(self, patch: Patch | None = None) -> list[Decision]:
        """Return all that is decided about the customer."""
        return [decision for _, decision in self.decided(patch)]

    def decided(self, patch: Patch | None = None) -> list[tuple[Playbook, Decision]]:
        """Return all that is decided about the customer, each with the playbook by which it is."""
        return self.decided_by(self.before(INFINITE, patch))

    def decided_by(self, engine: Engine, customer: int | None = None) -> list[tuple[Playbook, Decision]]:
        """Return all that an engine has decided about the customer, or about another one of them."""
        engine.writer.flush()
        recorded = Recorded(engine.writer.journal, engine.writer)
        numbers = engine.numbers(self.customer if customer is None else customer)
        found = recorded.decisions(numbers, recorded.start())
        return [(reading.playbook, decision) for reading, decision in found]

    def recorded(self) -> list[tuple[Playbook, Decision]]:
        """Return all that was decided about the customer among all, as the journal has it, each with its playbook."""
        books = ((each.published.playbook, each.outcome) for each in self._past)
        decided = ((book, decision) for book, outcome in books for decision in Reading(book).decisions(outcome))
        return [(book, decision) for book, decision in decided if decision.customer in self._numbers]

    def before(self, instant: int, patch: Patch | None = None) -> Engine:
        """Return an engine that has decided on all that came before an instant, and let time pass up to it.

        Not beyond what the journal has: a playbook that took over last has decided nothing yet.
        """
        engine = self.begun(patch)
        engine.take_all([step for step in self.steps[1:] if step.takes_place < instant])
        if instant <= self.steps[-1].now:
            engine.take(Step(instant - 1))
        return engine

    def begun(self, patch: Patch | None = None) -> Engine:
        """Return an engine that has taken in nothing but the first playbook."""
        first = self.steps[0].published
        assert first, "a journal begins with a playbook"
        return Engine(first, MemoryJournal(self._journal.meta), self.lines, patch)

    def fork(self, decision: Decision, playbook: Playbook, since: int) -> Fork:
        """Return what may be decided otherwise from an instant up to a decision that was made by a playbook."""
        before, tried = self.parted(decision, playbook, since)
        engine = self.before(since)
        engine.take_all(before)
        return Fork(engine, tried, later=self.later(us_of(decision.time, "decision")))

    def fork_at(self, since: int, until: int, event: str, birth: int) -> Fork:
        """Return what may be decided otherwise from an instant up to another one.

        Where an event of a type comes at the first one, from the last of these on; else from what time brings then,
        before any line. What time brings at the birth of a wish is a step of its own. Playbooks that take over after
        the first instant do not.
        """
        steps = [step for step in self.steps[1:] if since <= step.takes_place <= until]
        here = [place for place, step in enumerate(steps) if step.takes_place == since]
        brought = [place for place in here if steps[place].line and type_of(steps[place].line) == event]
        first = max([0, *brought[-1:], *(place + 1 for place in here if steps[place].published and not brought)])
        engine = self.before(since)
        engine.take_all(steps[:first])
        tried = steps[first:]
        if not brought or birth > since:
            place = next((each for each, step in enumerate(tried) if step.takes_place >= birth), len(tried))
            observing = place < len(tried) and tried[place].observing
            tried = [*tried[:place], Step(birth, observing=observing), *tried[place:]]
        return Fork(engine, tried, later=self.later(until))

    def later(self, last: int) -> list[Step]:
        """Return what is told of sources and limits after an instant: that goes on whatever is tried."""
        return _without_rounds(step for step in self.steps if step.takes_place > last)

    def parted(self, decision: Decision, playbook: Playbook, since: int) -> tuple[list[Step], list[Step]]:
        """Return the steps of an instant that are as they were, and those from there on up to a decision.

        At the decision's own instant only the last line is tried again: what was decided there before it stays. The
        playbook that made the decision has taken over; what took over later is left out.
        """
        last, before = us_of(decision.time, "decision"), decision.position + (decision.kind == "ask")
        steps = [step for step in self.steps[1:] if since <= step.takes_place <= last]
        steps = [step for step in steps if not step.line or step.position < before]
        steps = [step for step in steps if not step.news or step.lines_before <= decision.position]
        lines = [place for place, step in enumerate(steps) if step.line and since == last]
        books = [
            place + 1
            for place, step in enumerate(steps)
            if step.takes_place == since and step.published and step.published.playbook == playbook
        ]
        first = max([0, *lines[-1:], *books[-1:]])
        return steps[:first], steps[first:]


def type_of(line: bytes) -> str:
    """Return the type of the event in a line."""
    return msgspec.json.decode(line, type=_Typed).type


class _Typed(msgspec.Struct):
    type: str


def _without_rounds(steps: Iterable[Step]) -> list[Step]:
    """Return what steps tell of sources and of campaigns that came to their limits."""
    told = ((step, tuple(each for each in step.news if not isinstance(each, Round))) for step in steps)
    return [step._replace(news=news) for step, news in told if news]


class Lines:
    """The lines of steps, decoded together once for each playbook; what is not to be believed was left out before."""

    def __init__(self, lines: Sequence[bytes], secret: tuple[int, int]) -> None:
        self._lines = lines
        self.secret = secret
        self._decoded: dict[str, Batch] = {}

    def batch(self, steps: Sequence[Step], fold: Fold) -> Batch:
        """Return the lines of steps that follow each other, to be used once; no line is a batch, too."""
        lines = [step.position for step in steps if step.line]
        return cut(self._all(fold), lines[0], lines[-1] + 1) if lines else cut(self._all(fold), 0, 0)

    def times(self, fold: Fold) -> dict[int, int]:
        """Return when the events in lines occurred, by the number of the line."""
        rows = self._all(fold).rows
        return dict(rows[rows[:, ITEM] == 0][:, [LINE, OCCURRED_AT]].tolist())

    def decoded(self, lines: bytes, fold: Fold) -> Batch:
        """Return other lines under a playbook."""
        return decode_ndjson(lines, fold.compiled.schema, self.secret)

    def _all(self, fold: Fold) -> Batch:
        version = fold.published.digest
        if version not in self._decoded:
            self._decoded[version] = self.decoded(b"\n".join(self._lines), fold)
        return self._decoded[version]


class Engine:
    """A writer over a journal in memory, its program patched."""

    def __init__(self, published: Published, journal: MemoryJournal, lines: Lines, patch: Patch | None) -> None:
        journal.append([published.row(0, 0)])
        self._patch = patch
        self.lines = lines
        self.writer = Writer(journal, Fold(published, lines.secret), TakenFiles(), playbook_row=0)
        self._patched()

    def take_all(self, steps: Iterable[Step]) -> None:
        """Take in steps; lines that came when they occurred, as in an import, go in together: that is the same."""
        together: list[Step] = []
        times = self.lines.times(self.writer.fold)
        for step in steps:
            occurred = times.get(step.position) if step.is_plain else None
            if occurred == step.now and (not together or together[-1].observing == step.observing):
                together.append(step)
                continue
            self._import(together)
            together = [step] if occurred == step.now else []
            if not together:
                self.take(step)
                times = self.lines.times(self.writer.fold) if step.published else times
        self._import(together)

    def _import(self, steps: Sequence[Step]) -> None:
        if steps:
            mode = Mode.IMPORT | (Mode.OBSERVE if steps[0].observing else Mode.LIVE)
            self._enter(steps, mode, steps[-1].now)

    def take(self, step: Step, line: bytes = b"") -> None:
        """Take in one step; `line`: instead of its own."""
        if step.published:
            self.writer.publish(step.published)
            self._patched()
        else:
            self._enter([step], Mode.OBSERVE if step.observing else Mode.LIVE, step.now, line)

    def _enter(self, steps: Sequence[Step], mode: Mode, stamp: int, line: bytes = b"") -> None:
        piece = Piece(line or b"\n".join(step.line for step in steps), NDJSON, 0)
        stamp = max(stamp, self.writer.journal.last().stamp_us)
        fold = self.writer.fold
        _number(fold.machine.state, steps[0])
        batch = self.lines.decoded(line, fold) if line else self.lines.batch(steps, fold)
        self.writer.enter(Entry(piece, batch, mode, stamp))
        _tell(fold.machine, steps[0])

    def numbers(self, customer: int) -> frozenset[int]:
        """Return every number of the customer who goes by this one now or did once."""
        fold = self.writer.fold
        number = customers.present_number(fold, customer)
        return frozenset[int]() if number is None else customers.same_person(fold, number)

    def _patched(self) -> None:
        """Let the rules be others; failures and sources do here what is told of them, and nothing by themselves."""
        fold = self.writer.fold
        program = what_if.without_looks(what_if.without_failures(fold.published.compiled.program))
        fold.compiled = replace(fold.published.compiled, program=program)
        if self._patch:
            fold.compiled = replace(fold.compiled, program=self._patch(fold.compiled))
        fold.machine.compiled = fold.compiled
        scalars = fold.machine.state.scalars
        scalars[at.TOLD] = max(1, int(scalars[at.TOLD]))
        scalars[at.GIVEN_BACK] = 1  # so that after each event it is asked who is told to be woken


class Fork:
    """What an engine would decide on some steps, from where it is, by another program or in another state.

    Many are tried, so what does not change is made once: the steps' lines in the engine's codes, and a state to try in.
    """

    def __init__(
        self,
        engine: Engine,
        steps: Sequence[Step],
        *,
        later: Sequence[Step] = (),
        instead: Mapping[int, bytes] | None = None,
    ) -> None:
        """`later`: what is told of sources and limits behind the steps; `instead`: other lines, by places of steps."""
        self._engine, self._later = engine, later
        self._fold = engine.writer.fold
        self.steps = steps
        machine = self._fold.machine
        self._batches = [
            machine.learned(engine.lines.decoded(instead[place], self._fold))
            if instead and place in instead
            else machine.learned(engine.lines.batch([step], self._fold))
            for place, step in enumerate(steps)
        ]
        self._nothing = engine.lines.batch([], self._fold)
        self._tried = self._base = machine.state

    @property
    def compiled(self) -> Compiled:
        """The playbook as it is compiled."""
        return self._fold.compiled

    @property
    def fold(self) -> Fold:
        """What is known before the steps, by the playbook in force."""
        return self._fold

    def with_line(self, place: int, line: bytes) -> Fork:
        """Return a fork in one of whose steps another event comes."""
        return Fork(self._engine, self.steps, later=self._later, instead={place: line})

    def without_pauses(self, campaign: str) -> Fork:
        """Return a fork in whose steps nobody tells that a campaign came to its limit."""
        steps, later = ([step.without_pauses(campaign) for step in each] for each in (self.steps, self._later))
        return Fork(self._engine, steps, later=later)

    def code(self, text: str) -> float:
        """Return the number by which the engine knows a text, learning it."""
        machine = self._fold.machine
        machine.state, codes = machine.names.learn(machine.state, [text])
        return float(codes[0])

    def decide(
        self,
        customer: int,
        program: Program | None = None,
        prepare: Callable[[Program, State], None] | None = None,
        until: int = 0,
    ) -> list[Decision]:
        """Return what a program decides about a customer on the steps, after `prepare` has changed the state.

        Then up to `until`.
        """
        return [decision for _, decided in self.run(customer, program, prepare, until) for decision in decided]

    def run(
        self,
        customer: int,
        program: Program | None = None,
        prepare: Callable[[Program, State], None] | None = None,
        until: int = 0,
    ) -> Iterator[tuple[Fold, list[Decision]]]:
        """Yield where each step leads, to be looked at before the next one is taken, and what is decided by it."""
        machine = copy(self._fold.machine)
        machine.state = self._fresh()
        if program:
            machine.compiled = replace(machine.compiled, program=program)
        if prepare:
            machine.state.need[:] = machine.compiled.program.room_for_timer
            if growth.is_short(machine.state, machine.state.need):
                machine.state = growth.grown(machine.state, machine.state.need)
            prepare(machine.compiled.program, machine.state)
        steps = [*zip(self.steps, self._batches, strict=True)]
        steps += [(step, self._nothing) for step in self._later if step.takes_place <= until]
        for step, batch in [*steps, *([(Step(until), self._nothing)] if until else [])]:
            stamp = max(step.now, int(machine.state.scalars[at.NOW]))
            _number(machine.state, step)
            outcome = machine.row(cut(batch, 0, batch.lines), stamp, observing=step.observing)
            _tell(machine, step)
            fold = copy(self._fold)
            fold.machine = machine
            yield fold, list(self._fold.reading.decisions(of_customers(outcome, [customer])))

    def _fresh(self) -> State:
        """Return the state that the engine is in, to be changed until the next is asked for."""
        base = self._fold.machine.state
        if self._tried is base or self._base is not base:
            self._base, self._tried = base, State(**{name: getattr(base, name).copy() for name in State.fields})
        else:
            for name in State.fields:
                np.copyto(getattr(self._tried, name), getattr(base, name))
        return self._tried


def _number(state: State, step: Step) -> None:
    """Let the answer to an ask have the number that it had, by which responses name it."""
    scalars = state.scalars
    scalars[at.NEXT_DECISION] = max(int(scalars[at.NEXT_DECISION]), step.decision)


def _tell(machine: Machine, step: Step) -> None:
    """Let an engine know what others had a part in."""
    rounds = [each for each in step.news if isinstance(each, Round)]
    for each in step.news:
        if isinstance(each, Heard):
            _hear(machine, each)
        elif isinstance(each, Paused):
            _pause(machine, each)
    if rounds:
        _tell_rounds(machine, rounds, is_behind=step.behind)


def _pause(machine: Machine, paused: Paused) -> None:
    """Let a campaign be paused, which came to its limit among all."""
    campaigns = list(machine.compiled.playbook.campaigns)
    if paused.campaign not in campaigns:
        return
    switch = machine.state.switches[campaigns.index(paused.campaign)]
    if switch[at.W_STATE] == switches.ON:
        switch[at.W_STATE] = switches.IS_PAUSED
    switch[at.W_CONTACTS] = max(paused.contacts, int(switch[at.W_CONTACTS]))


def _hear(machine: Machine, heard: Heard) -> None:
    """Let a source be stale or fresh as it was told, at its instant."""
    sources = list(machine.compiled.playbook.sources)
    if heard.source not in sources:
        return
    program = machine.compiled.program
    found = np.flatnonzero(program.feeds[:, FEED_SOURCE] == sources.index(heard.source))
    if not len(found):
        return
    _make_room(machine, int(machine.state.pools[at.CANDIDATES, COUNT]))
    scalars = machine.state.scalars
    now = int(scalars[at.NOW])
    scalars[at.NOW] = max(now, heard.time)  # who is free by it is due then
    feeds.turn(program, machine.state, int(found[0]), int(heard.is_stale), heard.known, heard.stale_from)
    scalars[at.NOW] = now  # for more may be told of that instant


def _tell_rounds(machine: Machine, rounds: Sequence[Round], *, is_behind: bool) -> None:
    """Let an engine know what rounds said, and hold them, if that is not behind the line that comes next."""
    state = machine.state
    position = int(state.scalars[at.END]) + 1 if is_behind else int(state.scalars[at.POSITION])
    told = state.told[: state.scalars[at.TOLD]]
    news = [told[:1], told[1:][told[1:, at.T_AT] >= state.scalars[at.NOW]]]
    for each in rounds:
        rows = np.zeros((len(each.lines), at.TOLD_WIDTH), np.int64)
        rows[:, : at.T_CAMPAIGN] = each.time, position, each.customer, each.decision
        rows[:, at.T_CAMPAIGN :] = np.array(each.lines)[:, at.L_CAMPAIGN : at.L_UNTIL + 1]
        news.append(rows)
    machine.state = state = state.replaced(told=np.concatenate(news))
    state.scalars[at.TOLD] = len(state.told)
    _make_room(machine, len(state.told))
    if not is_behind:
        hearsay.wake(machine.compiled.program, machine.state, position)


def _make_room(machine: Machine, timers: int) -> None:
    """Make room for what a timer may take, and for so many timers."""
    state = machine.state
    state.need[:] = machine.compiled.program.room_for_timer
    state.need[at.TIMERS] += timers
    if growth.is_short(state, state.need):
        machine.state = growth.grown(state, state.need)
