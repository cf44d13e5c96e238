"""What is known about one customer, in words. Reading changes nothing: no kernel is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from onevoice.engine import facts, measures, moments
from onevoice.engine import state as at
from onevoice.engine.contact_states import ContactState
from onevoice.engine.names import hashes
from onevoice.engine.segments import SINCE
from onevoice.engine.store import COUNT, DATA, KEY, NEXT, OWNER, SLOT_MASK
from onevoice.errors import EventError
from onevoice.events.built import encode_ndjson
from onevoice.events.decode import decode_line_by_line
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.playbook.builtin import all_events, all_facts
from onevoice.playbook.model import Aggregate, FieldType
from onevoice.playbook.scopes import measure_type
from onevoice.program import (
    FACT_LASTS,
    MEASURE_PANE_US,
    MOMENT_FIRST,
    MOMENT_SUBSTEPS,
    MOMENT_WITHIN_US,
    P_HORIZON_US,
    P_SLOT_SEGMENTS,
    SUB_IS_LAST,
    SUB_WITHIN_US,
)
from onevoice.runtime.carry import survivor
from onevoice.runtime.decisions import REASONS, time_of, us_of
from onevoice.runtime.notebook import customer_html
from onevoice.zones import zone_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from onevoice.engine.state import State
    from onevoice.events.batch import Batch
    from onevoice.playbook.model import Measure
    from onevoice.runtime.fold import Fold

Value: TypeAlias = "float | str | bool | date | datetime | None"

_STAGES: Final = {at.WAITING: "waits", at.IN_FLIGHT: "in flight", at.WATCHED: "watched"}
_TOTAL: Final = DATA
_FIRST_PANE: Final = DATA + 1  # plus one; of a measure without a field: its time


@dataclass(frozen=True, slots=True)
class Interval:
    """A fact that is open. `key`: its values, a hash where the text is not known; `until`: when it ends by itself."""

    key: tuple[str | int, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A campaign that wants this customer. `born` is None before its delay is over; `due` when it is looked at next."""

    campaign: str
    key: int
    born: datetime | None
    due: datetime | None
    expires: datetime | None
    reason: str  # why it was held back, empty if nothing holds it
    stage: str = "waits"  # or "in flight" until it is known whether its contact was sent, or "watched" once it is


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact in the ledger; `number` is None where somebody else made it."""

    number: int | None
    campaign: str
    channel: str
    time: datetime | None
    state: str = "sent"


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment that has begun: how many of its events have come, and when an absence would complete it."""

    key: int
    done: int
    of: int
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Customer:
    """What is known about one customer at one time.

    `identifiers` counts the values of each kind (the values themselves are not kept). All names are the playbook's;
    what is not known, not open or not in progress is absent. Measures are those of `time`. Shows itself in notebooks.

    >>> _ = engine.ingest([{"type": "phone_changed", "identifiers": ada}])
    >>> customer = engine.state(ada)
    >>> customer.identifiers, customer.moments["cannot_connect"][0].of
    ({'user_id': 1}, 4)
    """

    number: int
    time: datetime | None
    identifiers: dict[str, int]
    traits: dict[str, Value]
    facts: dict[str, tuple[Interval, ...]]
    measures: dict[str, Value]
    segments: dict[str, datetime | None]
    moments: dict[str, tuple[Progress, ...]]
    candidates: tuple[Waiting, ...]
    contacts: tuple[Contact, ...]

    def __getitem__(self, name: str) -> Any:
        """Return one part by its name.

        >>> _ = engine.ingest([{"type": "profile_updated", "identifiers": ada, "traits": {"churn_risk": 0.5}}])
        >>> engine.state(ada)["traits"]
        {'churn_risk': 0.5}
        """
        return getattr(self, name)

    def _repr_html_(self) -> str:
        """Show what is known as a table in a notebook."""
        return customer_html(self)


def number_of(fold: Fold, identifiers: Mapping[str, str]) -> int | None:
    """Return the number of the customer who has the first known of these identifiers, None where there is none.

    Raises EventError for a kind that the playbook does not have, or a value that is none of its form.
    """
    state = fold.machine.state
    known = state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]]
    for wanted in identified(fold, identifiers):
        alike = np.flatnonzero(known[:, at.ID_LOW] == wanted[at.ID_LOW])
        rows = alike[(known[alike, : at.ID_HIGH + 1] == wanted).all(axis=1)]
        if len(rows):
            return survivor(state, int(known[rows[0], at.ID_CUSTOMER]))
    return None


def identified(fold: Fold, identifiers: Mapping[str, str]) -> NDArray[np.int64]:
    """Return identifiers as rows of a batch, hashed, in the playbook's order of trust.

    Raises EventError for a kind that the playbook does not have, or a value that is none of its form.
    """
    line = encode_ndjson([{"type": "profile_updated", "identifiers": identifiers}])
    batch: Batch = decode_line_by_line(line, fold.compiled.schema, fold.secret)
    if batch.rejected:
        raise EventError(*(rejection.mistake for rejection in batch.rejected))
    return batch.identifiers


def survivors(state: State) -> NDArray[np.int64]:
    """Return int64[customers]: who each customer is after all merges."""
    found = state.customers[: state.pools[at.CUSTOMERS, COUNT], at.ALIAS].copy()
    while not np.array_equal(found, further := found[found]):
        found = further
    return found


def table(state: State) -> Table:
    """Return each number, the number by which that customer goes now, and their time zone."""
    now = survivors(state)
    zones, of = np.unique(state.customers[now, at.ZONE], return_inverse=True)
    names = pa.array([zone_names()[zone] for zone in zones.tolist()], pa.string())
    zone = pa.DictionaryArray.from_arrays(pa.array(of.astype(np.int32)), names)
    return pa.table({"customer": np.arange(len(now)), "now": now, "time_zone": zone})


def present_number(fold: Fold, customer: int) -> int | None:
    """Return the number by which a customer goes now who had this one once; None where nobody had it."""
    state = fold.machine.state
    return survivor(state, customer) if 0 <= customer < state.pools[at.CUSTOMERS, COUNT] else None


def zone_of(fold: Fold, customer: int) -> str:
    """Return the time zone of who had this number once; empty where nobody had it."""
    number = present_number(fold, customer)
    return "" if number is None else zone_names()[int(fold.machine.state.customers[number, at.ZONE])]


def same_person(fold: Fold, customer: int) -> frozenset[int]:
    """Return all numbers of the customer who has this one now: their own, and those merged into them."""
    return frozenset(np.flatnonzero(survivors(fold.machine.state) == customer).tolist())


def view(fold: Fold, number: int) -> Customer:
    """Return what is known about a customer at the state's time."""
    seen = _View(fold, number)
    return Customer(
        number=number,
        time=time_of(seen.now),
        identifiers=seen.identifiers(),
        traits=seen.traits(),
        facts=_grouped(seen.facts()),
        measures={name: value for name, value in seen.measures() if value is not None},
        segments=dict(seen.segments()),
        moments=_grouped(seen.moments()),
        candidates=tuple(seen.candidates()),
        contacts=tuple(seen.contacts()),
    )


def facts_of(fold: Fold, number: int, texts: Texts) -> Iterator[tuple[tuple[str, str, str], int, int | None]]:
    """Yield the open facts of a customer: ("fact", name, key), since, until; µs UTC, None where nothing ends it."""
    for name, interval in _View(fold, number, texts).facts():
        until = None if interval.until is None else us_of(interval.until, "until")
        yield ("fact", name, ", ".join(map(str, interval.key))), us_of(interval.since, "since"), until


def segments_of(fold: Fold, number: int, texts: Texts) -> Iterator[tuple[tuple[str, str, str], int, int | None]]:
    """Yield the segments of a customer in the same form."""
    for name, since in _View(fold, number, texts).segments():
        yield ("segment", name, ""), us_of(since, "since"), None


class Texts:
    """The texts of a state's names by their hashes; of a key a state has only the hash, and an event its text."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._known: dict[int, str] = {}
        self._count = 0
        self._heard: set[str] = set()

    def hear(self, texts: Iterable[str]) -> None:
        """Take note of texts of events, any of which may be a key."""
        self._heard.update(texts)

    def of(self, hashed: int) -> str | int:
        """Return the text with a hash, or the hash where no name has it."""
        machine = self._fold.machine
        if hashed not in self._known and self._count < len(machine.names.texts):
            new = machine.names.texts[self._count :]
            theirs: list[int] = machine.state.names[self._count : self._count + len(new), at.N_HASH].tolist()
            self._known.update(zip(theirs, new, strict=True))
            self._count += len(new)
        if hashed not in self._known and self._heard:
            heard = list(self._heard)
            self._known.update(zip(hashes(heard, self._fold.secret).tolist(), heard, strict=True))
            self._heard.clear()
        return self._known.get(hashed, hashed)


def _grouped(pairs: Iterator[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


class _View:
    def __init__(self, fold: Fold, number: int, texts: Texts | None = None) -> None:
        self.playbook = fold.published.playbook
        self.schema = fold.compiled.schema
        self.program = fold.compiled.program
        self.state = fold.machine.state
        self.names = fold.machine.names.texts
        self.texts = texts or Texts(fold)
        self.customer = number
        self.now = int(self.state.scalars[at.NOW])

    def chain(self, table: Any, head: int, link: int = NEXT) -> Iterator[list[int]]:
        row = int(self.state.customers[self.customer, head])
        while row >= 0:
            yield table[row].tolist()
            row = int(table[row, link])

    def identifiers(self) -> dict[str, int]:
        counts = self.state.identifier_counts[self.customer].tolist()
        return {name: count for name, count in zip(self.playbook.identifiers, counts, strict=False) if count}

    def traits(self) -> dict[str, Value]:
        values = self.state.traits[self.customer].tolist()
        pairs = zip(self.schema.traits, values, strict=False)
        found = {trait.name: self._plain(value, trait.type) for trait, value in pairs}
        return {name: value for name, value in found.items() if value is not None}

    def facts(self) -> Iterator[tuple[str, Interval]]:
        names = list(all_facts(self.playbook).values())
        for row in self.chain(self.state.facts, at.FACT_HEAD):
            number, kind = divmod(row[OWNER] & SLOT_MASK, facts.KINDS)
            if kind == facts.ENTRY and number < len(names) and row[at.OPEN]:
                lasts = int(self.program.facts[number, FACT_LASTS])
                keys = row[at.FIRST : at.FIRST + len(names[number].per)]
                until = time_of(row[at.OPEN_AT] + lasts) if lasts else None
                key = tuple(map(self.texts.of, keys))
                yield names[number].name, Interval(key, time_of(row[at.OPEN_AT]), until)

    def measures(self) -> Iterator[tuple[str, Value]]:
        cells = {row[OWNER] & SLOT_MASK: row for row in self.chain(self.state.cells, at.CELL_HEAD)}
        for number, measure in enumerate(self.playbook.measures.values()):
            counts = measure.aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}
            value = self._measure(number, measure, cells[number]) if number in cells else None
            yield measure.name, 0.0 if value is None and counts else value

    def _measure(self, number: int, measure: Measure, cell: list[int]) -> Value:
        pane_us = int(self.program.measures[number, MEASURE_PANE_US])
        if measure.aggregate in {Aggregate.LATEST, Aggregate.FIRST} and not measure.field:
            return time_of(cell[_FIRST_PANE])
        if measure.aggregate in {Aggregate.LATEST, Aggregate.FIRST}:
            kind = measure_type(measure, all_events(self.playbook))
            return self._plain(float(measures.from_bits(cell[_TOTAL])), kind)
        if pane_us == 0 and measure.aggregate is Aggregate.DISTINCT:
            return float(cell[_TOTAL])
        if pane_us == 0:
            return _combined(measure.aggregate, [cell[_TOTAL]])
        oldest = self.now // pane_us - measures.PANES + 1
        return _combined(measure.aggregate, list(self._panes(cell[_FIRST_PANE] - 1, oldest)))

    def _panes(self, node: int, oldest: int) -> Iterator[int]:
        while node >= 0:
            pane = self.state.panes[node].tolist()
            if pane[at.PANE] >= oldest:
                yield pane[at.PANE_VALUE]
            node = pane[at.PANE_NEXT]

    def segments(self) -> Iterator[tuple[str, datetime | None]]:
        names = list(self.playbook.segments)
        first = int(self.program.limits[P_SLOT_SEGMENTS])
        since = {(row[OWNER] & SLOT_MASK) - first: row[SINCE] for row in self.chain(self.state.cells, at.CELL_HEAD)}
        for number in sorted(since):
            if 0 <= number < len(names):
                yield names[number], time_of(since[number])

    def moments(self) -> Iterator[tuple[str, Progress]]:
        names = list(self.playbook.moments)
        for row in self.chain(self.state.progress, at.PROGRESS_HEAD):
            moment = row[OWNER] & SLOT_MASK
            substeps = int(self.program.moments[moment, MOMENT_SUBSTEPS])
            held = [sub for sub in range(substeps) if self._goes_on(moment, sub, row[at.SUBSTEPS + 2 * sub])]
            if held:
                yield names[moment], Progress(row[KEY], held[-1] + 1, substeps, time_of(row[at.WAIT_AT]))
        for moment, time in moments.begun(self.program, self.state, self.customer):
            if self._goes_on(moment, 0, time):
                yield names[moment], Progress(0, 1, int(self.program.moments[moment, MOMENT_SUBSTEPS]), None)

    def _goes_on(self, moment: int, sub: int, anchor: int) -> bool:
        """Tell whether a sub-step is held and another event could follow it now; behind the last one nothing has to."""
        first, substeps, within = self.program.moments[
            moment, [MOMENT_FIRST, MOMENT_SUBSTEPS, MOMENT_WITHIN_US]
        ].tolist()
        if anchor == at.NEVER or sub + 1 == substeps:
            return anchor != at.NEVER
        step = next(each for each in self.program.substeps[first + sub + 1 :] if each[SUB_IS_LAST])
        window = within or int(step[SUB_WITHIN_US])
        return not window or self.now - anchor < window

    def candidates(self) -> Iterator[Waiting]:
        names = list(self.playbook.campaigns)
        for row in self.chain(self.state.candidates, at.CANDIDATE_HEAD, at.C_NEXT):
            born = bool(row[at.C_BORN])
            yield Waiting(
                campaign=names[row[at.C_CAMPAIGN]],
                key=row[at.C_KEY],
                born=time_of(row[at.C_BIRTH_AT]) if born else None,
                due=time_of(row[at.C_DUE_AT] if born else row[at.C_BIRTH_AT]),
                expires=time_of(row[at.C_EXPIRES_AT]) if born else None,
                reason=REASONS.get(row[at.C_BLOCK], ""),
                stage=_STAGES[row[at.C_STAGE]],
            )

    def contacts(self) -> Iterator[Contact]:
        campaigns, channels = list(self.playbook.campaigns), list(self.playbook.channels)
        horizon = int(self.program.limits[P_HORIZON_US])
        for row in self.chain(self.state.contacts, at.CONTACT_HEAD, at.K_NEXT):
            if row[at.K_DUE_AT] + horizon >= self.now and row[at.K_NUMBER] != at.HELD_OUT:
                number, campaign, channel = row[at.K_NUMBER], row[at.K_CAMPAIGN], row[at.K_CHANNEL]
                yield Contact(
                    number if number >= 0 else None,
                    campaigns[campaign] if campaign >= 0 else "",
                    channels[channel] if channel >= 0 else "",
                    time_of(row[at.K_DUE_AT]),
                    ContactState(row[at.K_STATE]).name.lower(),
                )

    def _plain(self, value: float, kind: FieldType) -> Value:
        if value != value:  # noqa: PLR0124 - NaN is NULL
            return None
        if kind in {FieldType.CHOICE, FieldType.PRODUCT}:
            return self.names[int(value)]
        if kind is FieldType.BOOLEAN:
            return bool(value)
        if kind is FieldType.TIME:
            return time_of(int(value))
        if kind is FieldType.DATE:
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value))).date()
        return value


def _combined(aggregate: Aggregate, stored: list[int]) -> float | None:
    """Combine what panes hold; None where there are none."""
    if aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}:
        return float(sum(stored) if aggregate is Aggregate.COUNT else len(stored))
    if not stored:
        return None
    if aggregate is Aggregate.SUM:
        return sum(stored) / measures.SCALE
    extreme = min if aggregate is Aggregate.MIN else max
    return float(extreme(float(measures.from_bits(bits)) for bits in stored))
