"""One customer alone: their lines of the journal, folded one by one while somebody looks on.

Who somebody is depends on others only through shared identifiers, so all lines are taken that hang together by them;
folding those founds and merges the same customers, in the same order, as folding everything did.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar, cast

import msgspec
import numpy as np

from onevoice.engine import state as at
from onevoice.engine.store import COUNT
from onevoice.events.batch import (
    HASH_HIGH,
    HASH_LOW,
    ID,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    ITEM,
    KIND,
    LINE,
    MISSING_TIME,
    OCCURRED_AT,
)
from onevoice.events.built import encode_ndjson
from onevoice.events.pyarrow_untyped import pa
from onevoice.history.timeline import Band, Happened, Timeline
from onevoice.journal.port import Kind, Mode
from onevoice.program import KIND_ANONYMOUS
from onevoice.runtime import customer as customers
from onevoice.runtime.carry import survivor
from onevoice.runtime.decisions import EPOCH, time_of, us_of
from onevoice.runtime.fold import Fold
from onevoice.runtime.payloads import NDJSON
from onevoice.runtime.span import journal_times
from onevoice.runtime.swap import Made, Rebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.history.decision import Decision
    from onevoice.journal.port import Journal, Row
    from onevoice.runtime.decisions import Reading

_SPREAD: Final = np.int64(-7046029254386353131)  # odd: keeps the halves of an identifier apart

_Value = TypeVar("_Value")
_Name: TypeAlias = tuple[str, str, str]  # "fact" or "segment", its name, the key as a text
_Span: TypeAlias = tuple[int, int | None]  # from, until; µs UTC


class _Marks(NamedTuple):
    """What lines carry that can make them hang together: position of a line, its journal time, hash of the mark.

    A mark is an identifier, or the id by which a sender's event is known when it comes twice.
    """

    position: NDArray[np.int64]
    now: NDArray[np.int64]
    mark: NDArray[np.int64]


class _Line(NamedTuple):
    """One line that concerns the customer, as a row of its own."""

    row: Row
    batch: Batch
    content: dict[str, Any]


# The decisions about customers with these numbers, each with the names by which it was read.
Decided: TypeAlias = "Callable[[frozenset[int]], Iterable[tuple[Reading, Decision]]]"


def timeline(journal: Journal, fold: Fold, customer: int, decided: Decided) -> Timeline:
    """Return the history of one customer of a state."""
    seen = watched(journal, fold, customer, decided)
    mine = customers.same_person(fold, customer)
    return Timeline(
        customer=customer,
        playbook=fold.published.playbook.name,
        time_zone=fold.published.playbook.time_zone,
        now=_time(int(fold.machine.state.scalars[at.NOW])),
        events=seen.watch.events(seen.customer),
        bands=seen.watch.bands(seen.customer),
        decisions=tuple(decision for decision in seen.decisions if decision.customer in mine),
    )


class Seen(NamedTuple):
    """What came of watching a customer: their number in the fold that was watched; decisions of all in that fold."""

    watch: Watch
    customer: int
    decisions: list[Decision]


def watched(journal: Journal, fold: Fold, customer: int, decided: Decided) -> Seen:
    """Fold one customer's lines up to the state's time, watching."""
    lines = _marks(journal, fold)
    related = _hanging_together(lines, _identifiers_of(fold, customer))
    numbers = _founders(fold, related)
    decisions = list(decided(frozenset(numbers)))
    contacts = deque(_contacts(decisions, numbers))
    watch = Watch(Fold(fold.published, fold.secret))
    ours = np.isin(lines.mark, related)
    positions, first = np.unique(lines.position[ours], return_index=True)
    for line, now in zip(_read(journal, watch.fold, positions), lines.now[ours][first].tolist(), strict=True):
        while contacts and contacts[0].position <= line.row.position:
            watch.enter(contacts.popleft())
        watch.let_time_pass(now)
        watch.take(line)
    for contact in contacts:
        watch.enter(contact)
    watch.let_time_pass(int(fold.machine.state.scalars[at.NOW]))
    return Seen(watch, numbers.index(customer), [decision for _, decision in decisions])


def _marks(journal: Journal, fold: Fold) -> _Marks:
    """Read the whole journal for who is named where, and when."""
    found = [np.empty((3, 0), np.int64)]
    now = at.NEVER
    for row in journal.read(0):
        if row.kind is Kind.EVENTS:
            batch = fold.decoded(row)
            events = batch.rows[batch.rows[:, ITEM] == 0]
            times = journal_times(row, events, now)
            now = max(now, int(times.max(initial=at.NEVER if row.mode & Mode.IMPORT else row.stamp_us)))
            named = np.stack([events[:, LINE] + row.position, times])
            counts = events[:, IDENTIFIERS_TO] - events[:, IDENTIFIERS_FROM]
            first = np.repeat(events[:, IDENTIFIERS_FROM] - np.cumsum(counts) + counts, counts)
            which = batch.identifiers[first + np.arange(len(first))]
            identifiers = _hash(which[:, HASH_LOW], which[:, HASH_HIGH])
            found.append(np.vstack([np.repeat(named, counts, axis=1), identifiers]))
            with_id = events[:, ID] != 0
            found.append(np.vstack([named[:, with_id], _hash(events[with_id, ID], np.ones(1, np.int64))]))
    return _Marks(*np.concatenate(found, axis=1))


def _hash(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    with np.errstate(over="ignore"):
        return low ^ (high * _SPREAD)


def _identifiers_of(fold: Fold, customer: int) -> NDArray[np.int64]:
    state = fold.machine.state
    rows = state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]]
    own = customers.survivors(state)[rows[:, at.ID_CUSTOMER]] == customer
    return np.unique(_hash(rows[own, at.ID_LOW], rows[own, at.ID_HIGH]))


def _hanging_together(lines: _Marks, identifiers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return these identifiers and all that ever stood in one line with one of them, and so on."""
    count = -1
    while len(identifiers) != count:
        count = len(identifiers)
        together = np.unique(lines.position[np.isin(lines.mark, identifiers)])
        identifiers = np.union1d(identifiers, lines.mark[np.isin(lines.position, together)])
    return identifiers


def _founders(fold: Fold, identifiers: NDArray[np.int64]) -> list[int]:
    """Return the customers who were founded by one of these identifiers, in order of founding."""
    state = fold.machine.state
    founding = state.customers[: state.pools[at.CUSTOMERS, COUNT]]
    hashes = _hash(founding[:, at.FOUNDING_LOW], founding[:, at.FOUNDING_HIGH])
    return np.flatnonzero(np.isin(hashes, identifiers)).tolist()


def _contacts(decisions: Iterable[tuple[Reading, Decision]], numbers: list[int]) -> Iterator[Made]:
    """Yield the contacts that were made, their customers numbered as a fold of these alone numbers them."""
    for reading, decision in decisions:
        for line in decision.lines:
            if line.contact is not None:
                campaign = reading.playbook.campaigns[line.campaign]
                offer = reading.playbook.offers.get(campaign.offer)
                yield Made(
                    number=line.contact,
                    customer=numbers.index(decision.customer),
                    time=us_of(decision.time, "decision"),
                    position=decision.position,
                    key=line.key,
                    campaign=line.campaign,
                    klass=campaign.klass,
                    channel=line.channel,
                    family=(offer.family or offer.name) if offer else "",
                )


def _read(journal: Journal, fold: Fold, positions: NDArray[np.int64]) -> Iterator[_Line]:
    """Yield the lines at these positions, each as a journal row of its own."""
    for row in journal.read(0):
        if row.kind is Kind.EVENTS:
            first, last = np.searchsorted(positions, [row.position, row.position + row.count])
            for position, line in zip(positions[first:last].tolist(), _lines(row, positions[first:last]), strict=True):
                alone = replace(row, position=position, count=1, payload=line, form=NDJSON)
                yield _Line(alone, fold.decoded(alone), msgspec.json.decode(line))


def _lines(row: Row, positions: NDArray[np.int64]) -> list[bytes]:
    """Return some lines of a row as JSON."""
    if not len(positions):
        return []
    wanted = positions - row.position
    if row.form == NDJSON:
        lines = [line for line in row.payload.split(b"\n") if line.strip()]
        return [lines[index] for index in wanted.tolist()]
    table = pa.ipc.open_stream(row.payload).read_all().take(pa.array(wanted))
    return [encode_ndjson([_without_nulls(line)]) for line in table.to_pylist()]


def _without_nulls(value: _Value) -> _Value:
    """Return a value of an Arrow table as it would stand in JSON, where what is not there is left out."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return cast("_Value", {key: _without_nulls(each) for key, each in found.items() if each is not None})
    if isinstance(value, list):
        return cast("_Value", [_without_nulls(each) for each in cast("list[Any]", value)])
    return value


class Watch:
    """Folds lines one by one, and keeps what was true of whom and when."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._rebuild = Rebuild(fold, [])
        self._texts = customers.Texts(fold)
        self._events: list[tuple[int, Happened]] = []
        self._open: dict[tuple[int, _Name], _Span] = {}
        self._closed: list[tuple[int, _Name, _Span]] = []

    def enter(self, contact: Made) -> None:
        """Let time pass to a contact, and enter it."""
        self.let_time_pass(contact.time)
        self._rebuild.enter(contact)
        self._look_at_all()

    def take(self, line: _Line) -> None:
        """Fold a line, and note who it was about."""
        is_import = bool(line.row.mode & Mode.IMPORT)
        occurred_at = int(line.batch.rows[0, OCCURRED_AT])
        identifiers = line.batch.identifiers
        self.fold.machine.row(line.batch, line.row.stamp_us, imported=is_import, observing=True)
        occurred_at = line.row.stamp_us if occurred_at == MISSING_TIME else occurred_at
        happened = _happened(line, occurred_at)
        self._texts.hear(_texts(happened.fields))
        self._events.append((self._owner(identifiers), happened))
        self._look_at_all()

    def let_time_pass(self, until: int) -> None:
        """Do what time brings, one instant after the other."""
        machine = self.fold.machine
        while machine.next_due < until:
            self._pass(machine.next_due)
        self._pass(until)

    def events(self, customer: int) -> tuple[Happened, ...]:
        """Return the events of a customer, and of those who became them, by time."""
        found = [happened for owner, happened in self._events if self._is(owner, customer)]
        return tuple(sorted(found, key=lambda happened: (happened.time, happened.position)))

    def bands(self, customer: int) -> tuple[Band, ...]:
        """Return what was true of a customer, and of those who became them, in order of names and time."""
        spans = [*self._closed, *((owner, name, span) for (owner, name), span in self._open.items())]
        found = {(name, span) for owner, name, span in spans if self._is(owner, customer)}
        bands = [Band(*name, _time(since), None if until is None else time_of(until)) for name, (since, until) in found]
        return tuple(sorted(bands, key=lambda band: (band.kind, band.name, band.since, band.key)))

    def _is(self, owner: int, customer: int) -> bool:
        return survivor(self.fold.machine.state, owner) == customer

    def _owner(self, identifiers: NDArray[np.int64]) -> int:
        """Return whom an event was about, as its identifiers stand after it: known ones go before devices."""
        state, kinds = self.fold.machine.state, self.fold.compiled.program.kinds
        known = state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]]
        for wanted in sorted(
            identifiers.tolist(), key=lambda wanted: (kinds[wanted[KIND], KIND_ANONYMOUS], wanted[KIND])
        ):
            rows = np.flatnonzero((known[:, : at.ID_HIGH + 1] == wanted).all(axis=1))
            if len(rows):
                return survivor(state, int(known[rows[0], at.ID_CUSTOMER]))
        return -1

    def _pass(self, until: int) -> None:
        """Let time pass; a fact has said when it ends, but nobody knows when a segment will be left."""
        self.fold.machine.row(self._rebuild.nothing, until, observing=True)
        self._look("segment")

    def _look_at_all(self) -> None:
        self._look("segment")
        self._look("fact")

    def _look(self, kind: str) -> None:
        """Compare what is true now with what was true before."""
        now = int(self.fold.machine.state.scalars[at.NOW])
        self._follow_merges()
        true = dict(self._true(kind))
        for key, span in [(key, span) for key, span in self._open.items() if key[1][0] == kind and key not in true]:
            self._close(key, span, now)
        for key, (since, until) in true.items():
            before = self._open.get(key)
            if before and before[1] is not None and before[1] <= since:
                self._close(key, before, now)
                before = None
            self._open[key] = (before[0] if before else since, until)

    def _true(self, kind: str) -> Iterator[tuple[tuple[int, _Name], _Span]]:
        looking = customers.facts_of if kind == "fact" else customers.segments_of
        for number in np.unique(customers.survivors(self.fold.machine.state)).tolist():
            for name, since, until in looking(self.fold, number, self._texts):
                yield (number, name), (since, until)

    def _follow_merges(self) -> None:
        """Let what was true of somebody who became another one go on being true of that one."""
        for (number, name), (since, until) in list(self._open.items()):
            owner = survivor(self.fold.machine.state, number)
            if owner != number:
                del self._open[number, name]
                other = self._open.get((owner, name), (since, until))
                self._open[owner, name] = (min(since, other[0]), until)

    def _close(self, key: tuple[int, _Name], span: _Span, now: int) -> None:
        """End what was true: when it said it would, or now."""
        self._closed.append((*key, (span[0], now if span[1] is None else min(now, span[1]))))
        del self._open[key]


def _happened(line: _Line, occurred_at: int) -> Happened:
    content = line.content
    return Happened(
        time=_time(occurred_at),
        position=line.row.position,
        type=content["type"],
        identifiers=content.get("identifiers") or {},
        fields=content.get("fields") or {},
        traits=content.get("traits") or {},
        source=content.get("source") or "",
        channel=content.get("channel") or "",
    )


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        parts = cast("dict[str, object] | list[object]", value)
        for each in parts.values() if isinstance(parts, dict) else parts:
            yield from _texts(each)


def _time(us: int) -> datetime:
    return time_of(us) or EPOCH
