"""The decisions in a journal, each read by the names of the playbook under which it was made."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from onevoice.engine import state as at
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.why import gap_text, open_text, rule_text
from onevoice.journal.port import Kind
from onevoice.runtime import outcomes
from onevoice.runtime.decisions import Reading, time_of
from onevoice.runtime.fold import Published
from onevoice.runtime.numbering import numbers_before, renumber

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from onevoice.engine.machine import Outcome
    from onevoice.history.decision import Decision
    from onevoice.journal.port import Journal, Row
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.writer import Writer


class Start(NamedTuple):
    """Where reading begins: a row of the journal, and the names that hold there.

    `rows`: those that have to be read, where not all have to be.
    """

    row: int
    reading: Reading
    rows: list[int] | None = None


class Recorded:
    """What was decided, as the journal has it.

    Who reads needs the engine's lock only to find where to begin: rows are never changed.
    """

    def __init__(self, journal: Journal, writer: Writer) -> None:
        self._journal = journal
        self._writer = writer
        self._readings: dict[int, Reading] = {}
        self.note_playbook()

    def note_playbook(self) -> None:
        """Remember the names of the playbook in force, so that they are not read again."""
        self._readings[self._writer.playbook_row] = self._writer.fold.reading

    def now(self) -> Start:
        """Return the end of the journal as it is."""
        return Start(self._journal.last().rows, self._writer.fold.reading)

    def start(self, since: int = 0, customers: frozenset[int] | None = None) -> Start:
        """Return where to begin to see all that was decided at the position `since` and after it.

        That is at a row of a lesser position: events come in order of positions, and decisions after their events, in
        the same order. Looked for under the playbook in force only; row 0 stands for all before it. With `customers`
        only rows with decisions about them are read.
        """
        self._writer.flush()
        found = self._first(since)
        index = self._writer.index
        if customers is None or index is None:
            return found
        index.follow(self._journal, self._writer.fold)
        numbers = index.decided(numbers_before(self._writer.fold, customers), found.row)
        return found._replace(rows=sorted({*numbers, *(row for row in index.books() if row >= found.row)}))

    def _first(self, since: int) -> Start:
        low, high = self._writer.playbook_row, self._journal.last().rows
        if since <= self._row(low).position:
            return Start(0, self._writer.fold.reading)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._row(middle).position < since else (low, middle)
        return Start(low, self._writer.fold.reading)

    def outcomes(self, start: Start) -> Iterator[tuple[Reading, Outcome]]:
        """Yield what each DECISIONS row holds, with the names by which it is read."""
        reading = start.reading
        for number, row in self._rows(start):
            if row.kind is Kind.PLAYBOOK:
                if number not in self._readings:
                    self._readings[number] = Reading(Published.of_row(row).playbook)
                reading = self._readings[number]
            elif row.kind is Kind.DECISIONS:
                outcome = outcomes.decode(row.payload)
                renumber(self._writer.fold, outcome.decisions[:, at.D_CUSTOMER], number)
                yield reading, outcome

    def decisions(self, customers: frozenset[int] | None, start: Start) -> Iterator[tuple[Reading, Decision]]:
        """Yield the decisions about these customers, or all, each with the names by which it was read."""
        for reading, outcome in self.outcomes(start):
            wanted = outcome if customers is None else outcomes.of_customers(outcome, customers)
            yield from ((reading, decision) for decision in reading.decisions(wanted))

    def between(self, start: Start, first: int, last: int) -> Iterator[Decision]:
        """Yield the decisions with numbers from `first` to before `last`."""
        if first == last:
            return
        for _, decision in self.decisions(None, start):
            if first <= decision.number < last:
                yield decision
            if decision.number == last - 1:
                return

    def table(self, start: Start, since: int) -> Table:
        """Return every line of every decision from the position `since` on."""
        tables = [reading.table(outcome) for reading, outcome in self.outcomes(start)]
        found = pa.concat_tables([*tables, start.reading.table(outcomes.nothing())]).unify_dictionaries()
        return found.filter(pa.compute.field("position") >= since) if since else found

    def table_in_words(self) -> tuple[Table, list[Playbook]]:
        """Return every line of every decision, and the playbooks by which they were made, the one in force last.

        A further column `words` has what a line's rule says in the playbook of that time.
        """
        start = self.start()
        tables: list[Table] = []
        playbooks: list[Playbook] = []
        for reading, outcome in chain(self.outcomes(start), [(start.reading, outcomes.nothing())]):
            tables.append(in_words(reading, outcome))
            if not playbooks or playbooks[-1] is not reading.playbook:
                playbooks.append(reading.playbook)
        return pa.concat_tables(tables).unify_dictionaries(), playbooks

    def taken_out(self, campaign: str) -> datetime | None:
        """Return when the last playbook that had a campaign gave way to one without it; None where none ever had it."""
        index = self._writer.index
        if index is None:
            rows = (row for row in self._journal.read(0) if row.kind is Kind.PLAYBOOK)
        else:
            index.follow(self._journal, self._writer.fold)
            rows = map(self._row, index.books())
        since, is_there = None, False
        for row in rows:
            had, is_there = is_there, campaign in Published.of_row(row).playbook.campaigns
            since = time_of(row.stamp_us) if had and not is_there else since
        return None if is_there else since

    def _rows(self, start: Start) -> Iterator[tuple[int, Row]]:
        if start.rows is None:
            yield from enumerate(self._journal.read(start.row), start.row)
        else:
            yield from ((number, self._row(number)) for number in start.rows)

    def _row(self, number: int) -> Row:
        return next(iter(self._journal.read(number)))


def in_words(reading: Reading, outcome: Outcome) -> Table:
    """Return the lines of an outcome as a table, with a further column `words`: what a line's rule says."""
    table, playbook = reading.table(outcome), reading.playbook
    rule, reason, channel = (table[name].chunk(0) for name in ("rule", "reason", "channel"))
    rules = [rule_text(path, playbook) for path in rule.dictionary.to_pylist()]
    hours = [open_text(each, playbook.policies) for each in reading.channels]
    words = [*rules, *hours, gap_text(playbook.policies.gap_us)]
    names = reason.dictionary.to_pylist()
    is_hours, is_gap = (pa.compute.equal(reason.indices, names.index(name)) for name in ("hours", "gap"))
    indices = pa.compute.if_else(is_hours, pa.compute.add(channel.indices, _int32(len(rules))), rule.indices)
    indices = pa.compute.if_else(is_gap, _int32(len(words) - 1), indices)
    return table.append_column("words", pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())))


def _int32(number: int) -> Any:
    return pa.scalar(number, pa.int32())
