"""What one customer is given alone: their lines, and what others did to what all share, as the journal tells of it."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from onevoice.engine import state as at
from onevoice.engine.reasons import ASK, ROUND, SOURCE_STALE, STOP
from onevoice.engine.switches import FAILURES
from onevoice.journal.port import Mode
from onevoice.playbook.builtin import RECEIPTS
from onevoice.runtime import outcomes
from onevoice.runtime.decisions import time_of
from onevoice.runtime.fold import Published
from onevoice.runtime.numbering import numbers_before, translated
from onevoice.runtime.related import Line
from onevoice.runtime.swap import made_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from onevoice.engine.machine import Outcome
    from onevoice.journal.port import Journal, Row
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.fold import Fold
    from onevoice.runtime.index import Stretch
    from onevoice.runtime.related import Related

NOBODY: Final = -1  # whom the decisions are about that pause a campaign, or tell of a source


class Heard(NamedTuple):
    """What is told of a source: that it is stale from a time on, or fresh; up to when it is known, from when stale."""

    time: int
    source: str
    is_stale: bool
    known: int
    stale_from: int


class Paused(NamedTuple):
    """A campaign that came to a limit of its run, by the contacts of all; `contacts`: so many, 0 where many failed."""

    time: int
    campaign: str
    contacts: int


class Round(NamedTuple):
    """What a round among all said of candidates: its decision's lines, as the engine writes them.

    `customer`: their number here.
    """

    time: int
    customer: int
    decision: int
    lines: Sequence[Sequence[int]]


News: TypeAlias = Heard | Paused | Round


class Step(NamedTuple):
    """What an engine is given at a journal time (µs UTC): a line; a playbook that takes over; or only the time.

    `position`: how many lines come before it, here; `decision`: the number that the answer to an ask had; `news`: what
    others had a part in, all decided at one instant between the same two lines, to be known at that instant; `behind`:
    whether that is right behind the line that comes next. `book`: the row of the journal with the playbook under which
    it was decided.
    """

    now: int
    observing: bool = False
    line: bytes = b""
    published: Published | None = None
    position: int = 0
    decision: int = -1
    news: tuple[News, ...] = ()
    behind: bool = False
    book: int = 0

    @property
    def takes_place(self) -> int:
        """When it does something: what is told holds at its own instant."""
        return self.news[0].time if self.news else self.now

    @property
    def lines_before(self) -> int:
        """How many lines come before what it does."""
        return self.position + self.behind

    @property
    def is_plain(self) -> bool:
        """Whether it is a line, and nothing else."""
        return bool(self.line) and self.decision < 0 and not self.news

    def without_pauses(self, campaign: str) -> Step:
        """Return the step without that a campaign came to a limit of its run."""
        news = (each for each in self.news if not isinstance(each, Paused) or each.campaign != campaign)
        return self._replace(news=tuple(news))


def steps_of(journal: Journal, fold: Fold, found: Related, past: Sequence[Past]) -> list[Step]:
    """Return what an engine is to be given so that it decides about those who hang together as was decided."""
    return [*numbered(_up_to_asks(_without_idle(_steps(journal, fold, found, past))))]


class Past(NamedTuple):
    """A DECISIONS row with what it says about those who hang together and about nobody, and the playbook of then.

    `book`: the row of that.
    """

    number: int
    book: int
    published: Published
    outcome: Outcome


def past_of(journal: Journal, fold: Fold, found: Related) -> list[Past]:
    """Return what was decided, as the journal has it; read are only rows in which there is some of it."""
    ours = numbers_before(fold, frozenset(found.customers)) | {NOBODY}
    books = [(number, _published(journal.part(number), fold)) for number in found.found_by.books()]
    past: list[Past] = []
    for number in found.found_by.decided(ours):
        book, published = books[bisect(books, number, key=itemgetter(0)) - 1]
        decided = outcomes.decode(journal.part(number).payload)
        past.append(Past(number, book, published, outcomes.of_customers(decided, ours)))
    return past


def _contacts(fold: Fold, found: Related, past: Iterable[Past]) -> dict[int, int]:
    """Return the number that each contact of those who hang together gets here, where nobody else is contacted."""
    own = set(found.customers)
    made = (contact for each in past for contact in made_by(each.outcome, each.published.playbook, fold, each.number))
    theirs = [each.number for each in made if not each.placement and each.customer in own and not each.cancels]
    numbers = sorted(number for number in theirs if number >= 0)
    return {number: place for place, number in enumerate(numbers)}


def _asks(past: Iterable[Past]) -> dict[int, int]:
    """Return the number of the answer to each ask, by the position of its line."""
    found: dict[int, int] = {}
    for each in past:
        decided = each.outcome.decisions
        asks = decided[decided[:, at.D_KIND] == ASK]
        found |= dict(asks[:, [at.D_POSITION, at.D_NUMBER]].tolist())
    return found


def _steps(journal: Journal, fold: Fold, found: Related, past: Sequence[Past]) -> Iterator[Step]:
    """Yield what the journal holds about those who hang together, and how time went on over everybody.

    Time passes by itself: it is only said how far, where from then on it passes otherwise.
    """
    stops, asks, contacts = deque(_stops(fold, found, past)), _asks(past), _contacts(fold, found, past)
    rows: list[tuple[int, int, Line | Stretch | None]] = [(line.number, 0, line) for line in found.lines]
    rows += [(stretch.row, 1, stretch) for stretch in found.found_by.stretches()]
    rows += [(number, 0, None) for number in found.found_by.books()]
    rows.sort(key=lambda each: each[:2])
    now = book = 0
    for number, _, each in rows:
        if isinstance(each, Line):
            while stops and _is_before(stops[0], each) and stops[0].book <= book:
                stop = stops.popleft()
                yield stop._replace(behind=_is_at_once(stop, each))
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
    """Tell whether something is known when a line is taken in, or when what it brings at once is decided."""
    return _is_at_once(stop, line) or stop.position <= line.row.position


def _is_at_once(stop: Step, line: Line) -> bool:
    """Tell whether something was decided right behind a line, at its instant."""
    return stop.position == line.row.position + 1 and stop.takes_place == line.now


def _stops(fold: Fold, found: Related, past: Iterable[Past]) -> Iterator[Step]:
    """Yield what others had a part in: pauses of campaigns, what is told of sources, and rounds where they may have.

    What was decided at one instant between the same lines is told at once; what came later in that instant when what
    came before it is done.
    """
    last = Step(-1)
    for (time, position, book), group in groupby(_all_news(fold, found, past), key=itemgetter(0)):
        is_later = last.news and last.takes_place == time
        news = tuple(each for _, each in group)
        last = Step(time if is_later else time - 1, news=news, position=position, book=book)
        yield last


def _all_news(fold: Fold, found: Related, past: Iterable[Past]) -> Iterator[tuple[tuple[int, int, int], News]]:
    """Yield what others had a part in, each with its time, its position and its playbook."""
    numbers = {customer: number for number, customer in enumerate(found.customers)}
    for each in past:
        is_shared = _is_shared(each.published)
        lines: list[list[int]] = each.outcome.lines.tolist()
        of = {number: [*group] for number, group in groupby(lines, key=itemgetter(at.L_DECISION))}
        decisions: list[list[int]] = each.outcome.decisions.tolist()
        for decision in decisions:
            number, kind, time, position, customer, _ = decision
            if customer == NOBODY:
                yield (time, position, each.book), _of_nobody(each.published.playbook, kind, time, of[number][0])
            elif kind == ROUND and is_shared:
                own = numbers.get(translated(fold, customer, each.number))
                if own is not None:
                    yield (time, position, each.book), Round(time, own, number, of[number])


def _of_nobody(playbook: Playbook, kind: int, time: int, line: list[int]) -> News:
    """Return what a decision says that is about no customer, by its first line."""
    if kind == STOP:
        contacts = 0 if line[at.L_RULE] == FAILURES else line[at.L_VALUE]
        return Paused(time, list(playbook.campaigns)[line[at.L_CAMPAIGN]], contacts)
    source = list(playbook.sources)[line[at.L_RULE]]
    return Heard(time, source, kind == SOURCE_STALE, line[at.L_VALUE], line[at.L_LIMIT])


def _is_shared(published: Published) -> bool:
    """Tell whether what others did is a reason in rounds: they use resources, or bring campaigns to their limits."""
    limits = any(each.at_most_contacts or each.failures_share for each in published.playbook.campaigns.values())
    return limits or len(published.compiled.program.resources) > 0


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
        tells = step.line or step.published or step.news
        if tells or after is None or after.published or after.observing != step.observing:
            yield step


def _up_to_asks(steps: Iterable[Step]) -> Iterator[Step]:
    """Let time pass up to an ask before it: what time brings is decided first, and takes numbers of its own."""
    for step in steps:
        if step.decision >= 0:
            yield Step(step.now, step.observing)
        yield step


def numbered(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps with how many lines come before each."""
    position = 0
    for step in steps:
        yield step._replace(position=position)
        position += bool(step.line)


def _published(row: Row, fold: Fold) -> Published:
    """Return the playbook of a row, as it is loaded already where it is the one in force."""
    return fold.published if fold.published.is_in(row) else Published.of_row(row)
