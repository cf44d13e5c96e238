"""Moments: their sub-steps, and what each event type does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onevoice import program as at
from onevoice.compiler.rows import Groups, table
from onevoice.engine.moments import KILL, KILL_WAIT, STEP
from onevoice.engine.state import INFINITE
from onevoice.errors import Mistake, PlaybookError
from onevoice.playbook.derived import STEPS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped, Row
    from onevoice.playbook.model import EventMatch, Moment, Step
    from onevoice.tables import Ints


class Moments(NamedTuple):
    """The moments, whose campaigns are not known yet; their sub-steps; and what each event type does to them."""

    moments: Ints
    substeps: Ints
    uses: Grouped
    advances: Grouped
    begins: Grouped


class _Use(NamedTuple):
    """What a step does to the sub-steps `[start, stop)` of its moment."""

    step: Step
    role: int
    start: int
    stop: int


def compile_moments(book: Book) -> Moments:
    """Return the tables of the moments. Raises PlaybookError for one with more than STEPS_MAX events."""
    rows: list[Row] = []
    substeps: list[Row] = []
    uses = Groups()
    initiators = _Initiators(book)
    for number, moment in enumerate(book.playbook.moments.values()):
        initiator = initiators.of(moment)
        rows.append([*_moment(book, moment, len(substeps)), 0, 0, initiator])
        substeps += _substeps(moment)
        for use in _uses_of(moment):
            _add_use(book, number, moment, use, initiator, uses)
    types = len(book.schema.types)
    moments, of_types = table(rows, at.MOMENT_WIDTH), uses.laid_out(types, at.USED_WIDTH, _order)
    return Moments(
        moments,
        table(substeps, at.SUBSTEP_WIDTH),
        of_types,
        _advances(book, moments, of_types),
        initiators.begins.laid_out(types, at.BEGINS_WHERE + 1),
    )


class _Initiators:
    """The first events of moments without a key: moments that begin with the same event share them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._numbers: dict[tuple[EventMatch, ...], int] = {}
        self.begins = Groups()

    def of(self, moment: Moment) -> int:
        """Return the initiator of a moment, or -1 for one that keeps its first event itself."""
        if moment.per or _count(moment) == 1:
            return -1
        matches = moment.steps[0].matches
        if matches not in self._numbers:
            number = self._numbers[matches] = len(self._numbers)
            for match in matches:
                layout, where = self._book.schema.layout(match.event), self._book.where(match.event, match.where)
                self.begins.add(layout.number, [number, where])
        return self._numbers[matches]


def _moment(book: Book, moment: Moment, first: int) -> Row:
    count = _count(moment)
    if count > STEPS_MAX:
        where, expected = f"moments.{moment.name}", f"at most {STEPS_MAX} events"
        raise PlaybookError(Mistake("the moment is too long", where, expected, f"{count} events"))
    final = moment.steps[-1] if moment.steps[-1].absent else None
    absent_us, lag_us = (final.within_us, _lag_us(book, final)) if final else (0, 0)
    return [first, count, moment.within_us, absent_us, lag_us, int(bool(moment.per))]


def _count(moment: Moment) -> int:
    return sum(step.count for step in moment.steps if not step.absent)


def _lag_us(book: Book, final: Step) -> int:
    """Return how long a final absence waits for the slowest source of what must not happen."""
    names = {match.event.partition(".")[0] for match in final.matches}
    sources = book.playbook.sources.values()
    return max((source.lag_us for source in sources if not source.events or names & set(source.events)), default=0)


def _substeps(moment: Moment) -> list[Row]:
    """Return one row for each event of a moment."""
    steps = [step for step in moment.steps if not step.absent]
    return [[int(sub == step.count - 1), step.within_us] for step in steps for sub in range(step.count)]


def _uses_of(moment: Moment) -> Iterator[_Use]:
    """Give what each step does; an absence between two steps clears what has begun of the one after it."""
    sub = 0
    for i, step in enumerate(moment.steps):
        if not step.absent:
            yield _Use(step, STEP, sub, sub + step.count)
            sub += step.count
        elif i == len(moment.steps) - 1:
            yield _Use(step, KILL_WAIT, sub - 1, sub)
        else:
            following = next(later for later in moment.steps[i:] if not later.absent)
            yield _Use(step, KILL, sub - 1, sub + following.count - 1)


def _is_alone(use: _Use, initiator: int) -> bool:
    """Whether a use may act where no progress is kept: where there is at most the first event that is shared."""
    if initiator < 0:
        return use.role == STEP and use.start == 0
    return use.start <= 1 < use.stop if use.role == STEP else use.start == 0


def _add_use(book: Book, number: int, moment: Moment, use: _Use, initiator: int, uses: Groups) -> None:
    """Add a row for each event of a step; an event without the moment's key has nothing to do with it."""
    for match in use.step.matches:
        layout = book.schema.layout(match.event)
        if not moment.per or book.part(layout, moment.per) != at.NO_PART:
            where = book.where(match.event, match.where)
            uses.add(layout.number, [number, use.role, use.start, use.stop, where, int(_is_alone(use, initiator))])


def _order(use: Row) -> tuple[int, ...]:
    """By moment; kills before steps, and later steps before earlier ones: each sees what was before the event."""
    return use[at.USED_BY], int(use[at.USED_ROLE] == STEP), -use[at.USED_FROM]


def _advances(book: Book, moments: Ints, uses: Grouped) -> Grouped:
    """Return a row for each event type and moment that it has uses for."""
    advances = Groups()
    pers = [moment.per for moment in book.playbook.moments.values()]
    for layout in book.schema.types:
        start, of_type = int(uses.spans[layout.number][0]), uses.of(layout.number)
        for number in map(int, np.unique(of_type[:, at.USED_BY])):
            places = np.flatnonzero(of_type[:, at.USED_BY] == number).tolist()
            part = book.part(layout, pers[number]) if pers[number] else at.NO_PART
            when = _when_alone(moments[number], of_type[places])
            advances.add(layout.number, [number, start + places[0], start + places[-1] + 1, part, *when])
    return advances.laid_out(len(book.schema.types), at.ADVANCE_WIDTH)


def _when_alone(moment: Ints, uses: Ints) -> Row:
    """Return ADVANCE_BEGINS, ADVANCE_AFTER and ADVANCE_AFTER_US of one moment's uses."""
    alone = uses[uses[:, at.USED_ALONE] == 1]
    if not len(alone):
        return [0, 0, 0]
    initiator, window = int(moment[at.MOMENT_INITIATOR]), int(moment[at.MOMENT_WITHIN_US])
    if initiator < 0:
        return [1, 0, 0]
    is_bound = window > 0 and (alone[:, at.USED_ROLE] == STEP).all()
    return [0, initiator, window if is_bound else INFINITE]
