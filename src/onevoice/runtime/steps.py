"""What one customer is given alone: their lines, and what others did to what all share, as the journal tells of it."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, deque
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from onevoice.engine import state as at
from onevoice.engine.reasons import ASK
from onevoice.events.built import encode_ndjson
from onevoice.journal.port import Mode
from onevoice.playbook.builtin import RECEIPTS
from onevoice.runtime import outcomes
from onevoice.runtime.decisions import Reading, time_of, us_of
from onevoice.runtime.fold import Published
from onevoice.runtime.numbering import numbers_before
from onevoice.runtime.related import Line
from onevoice.runtime.swap import made_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onevoice.engine.machine import Outcome
    from onevoice.history.decision import Decision
    from onevoice.history.decision import Line as LineOf
    from onevoice.journal.port import Journal, Row
    from onevoice.runtime.fold import Fold
    from onevoice.runtime.index import Stretch
    from onevoice.runtime.related import Related

_FAILURES: Final = "failures"
_OWN_SWITCH: Final = {"campaign", _FAILURES}  # rules of a line `paused`
NOBODY: Final = -1  # whom the decisions are about that pause a campaign, or tell of a source


class Heard(NamedTuple):
    """What is told of a source: that it is stale from now on, or fresh; up to when it is known, and from when stale."""

    source: str
    is_stale: bool
    known: int
    stale_from: int


class Run(NamedTuple):
    """How far the run of a campaign had come among all: its contacts; or how many of them failed, of which limit."""

    campaign: str
    contacts: int
    failed: int = 0
    limit: int = 0


class Step(NamedTuple):
    """What an engine is given at a journal time (µs UTC): a line; a playbook that takes over; or only the time.

    `position`: how many lines come before it, here; `decision`: the number that the answer to an ask had; `run`: what
    is to hold of a campaign's run behind it; `heard`: what is told of a source at the next instant. `book`: the row of
    the journal with the playbook under which that was decided.
    """

    now: int
    observing: bool = False
    line: bytes = b""
    published: Published | None = None
    position: int = 0
    decision: int = -1
    run: Run | None = None
    heard: Heard | None = None
    book: int = 0

    @property
    def takes_place(self) -> int:
        """When it does something: what is told of a source holds from the next instant on."""
        return self.now + (self.heard is not None)

    @property
    def is_plain(self) -> bool:
        """Whether it is a line, and nothing else."""
        return bool(self.line) and self.decision < 0 and self.run is None and self.heard is None


def steps_of(journal: Journal, fold: Fold, found: Related) -> list[Step]:
    """Return what an engine is to be given so that it decides about those who hang together as was decided."""
    return [*_numbered(_up_to_asks(_without_idle(_steps(journal, fold, found))))]


class _Past(NamedTuple):
    """A DECISIONS row with what it says about those who hang together and about nobody, and the playbook of then.

    `book`: the row of that.
    """

    number: int
    book: int
    published: Published
    outcome: Outcome


def _past(journal: Journal, fold: Fold, found: Related) -> list[_Past]:
    """Return what was decided, as the journal has it; read are only rows in which there is some of it."""
    ours = numbers_before(fold, frozenset(found.customers)) | {NOBODY}
    books = [(number, _published(journal.part(number), fold)) for number in found.found_by.books()]
    past: list[_Past] = []
    for number in found.found_by.decided(ours):
        book, published = books[bisect(books, number, key=itemgetter(0)) - 1]
        decided = outcomes.decode(journal.part(number).payload)
        past.append(_Past(number, book, published, outcomes.of_customers(decided, ours)))
    return past


def _contacts(fold: Fold, found: Related, past: Iterable[_Past]) -> dict[int, int]:
    """Return the number that each contact of those who hang together gets here, where nobody else is contacted."""
    own = set(found.customers)
    made = (contact for each in past for contact in made_by(each.outcome, each.published.playbook, fold, each.number))
    theirs = [each.number for each in made if not each.placement and each.customer in own and not each.cancels]
    numbers = sorted(number for number in theirs if number >= 0)
    return {number: place for place, number in enumerate(numbers)}


def _asks(past: Iterable[_Past]) -> dict[int, int]:
    """Return the number of the answer to each ask, by the position of its line."""
    found: dict[int, int] = {}
    for each in past:
        decided = each.outcome.decisions
        asks = decided[decided[:, at.D_KIND] == ASK]
        found |= dict(asks[:, [at.D_POSITION, at.D_NUMBER]].tolist())
    return found


def _steps(journal: Journal, fold: Fold, found: Related) -> Iterator[Step]:
    """Yield what the journal holds about those who hang together, and how time went on over everybody.

    Time passes by itself: it is only said how far, where from then on it passes otherwise.
    """
    past = _past(journal, fold, found)
    stops, asks, contacts = deque(_stops(fold, past)), _asks(past), _contacts(fold, found, past)
    rows: list[tuple[int, int, Line | Stretch | None]] = [(line.number, 0, line) for line in found.lines]
    rows += [(stretch.row, 1, stretch) for stretch in found.found_by.stretches()]
    rows += [(number, 0, None) for number in found.found_by.books()]
    rows.sort(key=lambda each: each[:2])
    now = book = 0
    for number, _, each in rows:
        if isinstance(each, Line):
            while stops and _is_before(stops[0], each) and stops[0].book <= book:
                yield stops.popleft()
            decision = asks.get(each.row.position, -1)
            yield Step(each.now, bool(each.row.mode & Mode.OBSERVE), _alone(each, contacts), decision=decision)
        elif each is None:
            book = number
            yield Step(now, published=_published(journal.part(number), fold))
        else:
            now = each.now
            while stops and stops[0].now <= now and stops[0].position <= each.after and stops[0].book <= book:
                yield stops.popleft()
            yield Step(now, each.observed)


def _is_before(stop: Step, line: Line) -> bool:
    """Tell whether a pause holds when a line is taken in, or when what it brings at once is decided."""
    at_once = stop.position == line.row.position + 1 and stop.now == line.now - 1
    return at_once or stop.position <= line.row.position


def _stops(fold: Fold, past: Iterable[_Past]) -> Iterator[Step]:
    """Yield a pause for each campaign that came to a limit of its run, and how far it was where it is told of after.

    Others made contacts of it, too.
    Within its instant it comes before what is decided here. Where contacts of that instant were made here before it,
    the run is let have as many contacts less, and pauses itself with the last of them. What is told of sources comes in
    between: others told of them.
    """
    playbook = fold.published.playbook
    has_limit = any(each.at_most_contacts or each.failures_share for each in playbook.campaigns.values())
    if not has_limit and not any(each.stale_after_us for each in playbook.sources.values()):
        return
    won, stopped = Counter[tuple[int, str]](), set[tuple[int, str]]()
    for each in past:
        for decision in Reading(each.published.playbook).decisions(each.outcome):
            time = us_of(decision.time, "decision")
            won.update((time, line.campaign) for line in decision.won if line.contact is not None)
            if decision.kind == "stop":
                stopped.add((time, decision.lines[0].campaign))
                yield _pause(decision, time, won[time, decision.lines[0].campaign])._replace(book=each.book)
            elif decision.customer == NOBODY:
                yield _news(decision, each.outcome, time - 1)._replace(book=each.book)
            else:
                for line in decision.lines:
                    own = line.reason == "paused" and line.rule in _OWN_SWITCH
                    if own and (time, line.campaign) not in stopped:
                        yield Step(time - 1, position=decision.position, run=_run(line), book=each.book)


def _pause(decision: Decision, time: int, made: int) -> Step:
    """Return what pauses a campaign; `made`: how many contacts of the instant were made here before."""
    line = decision.lines[0]
    run = _run(line)
    if made and line.rule != _FAILURES:
        return Step(time - 1, position=decision.position, run=run._replace(contacts=run.contacts - made))
    paused = {"type": "campaign_paused", "fields": {"campaign": line.campaign}, "time": decision.time}
    return Step(time if made else time - 1, line=encode_ndjson([paused]), position=decision.position, run=run)


def _news(decision: Decision, outcome: Outcome, now: int) -> Step:
    """Return what a decision tells of a source, to be known from the next instant on."""
    line = decision.lines[0]
    (told, *_) = outcome.lines[outcome.lines[:, at.L_DECISION] == decision.number]
    is_stale, source = decision.kind == "source_stale", line.rule.removeprefix("sources.")
    heard = Heard(source, is_stale, int(told[at.L_VALUE]), int(told[at.L_LIMIT]))
    return Step(now, position=decision.position, heard=heard)


def _run(line: LineOf) -> Run:
    """Return how far a campaign's run had come, by a line that tells of its own switch."""
    count = line.value if isinstance(line.value, int) else 0
    if line.rule == _FAILURES:
        return Run(line.campaign, 0, count, line.limit or 0)
    return Run(line.campaign, count)


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
    """Leave out where time only passes, as long as it goes on in the same way; it is said before a playbook."""
    for step, after in pairwise([*steps, None]):
        assert step is not None, "only the last is none"
        tells = step.line or step.published or step.run or step.heard
        if tells or after is None or after.published or after.observing != step.observing:
            yield step


def _up_to_asks(steps: Iterable[Step]) -> Iterator[Step]:
    """Let time pass up to an ask before it: what time brings is decided first, and takes numbers of its own."""
    for step in steps:
        if step.decision >= 0:
            yield Step(step.now, step.observing)
        yield step


def _numbered(steps: Iterable[Step]) -> Iterator[Step]:
    position = 0
    for step in steps:
        yield step._replace(position=position)
        position += bool(step.line)


def _published(row: Row, fold: Fold) -> Published:
    """Return the playbook of a row, as it is loaded already where it is the one in force."""
    return fold.published if fold.published.is_in(row) else Published.of_row(row)
