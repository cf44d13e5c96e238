"""Whom a customer hangs together with, and the lines of the journal that are about them.

Who somebody is depends on others only through shared identifiers, and what is decided also on those who are or were in
a group with them that is asked or counted; so all lines are taken that hang together by either. Folding those founds
and merges the same customers, in the same order, as folding everything did.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

import msgspec
import numpy as np

from onevoice.engine import state as at
from onevoice.engine.store import COUNT
from onevoice.errors import LimitError, Mistake
from onevoice.events.batch import (
    HASH_HIGH,
    HASH_LOW,
    ID,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    ITEM,
    LINE,
    OCCURRED_AT,
    TYPE,
)
from onevoice.events.built import encode_ndjson
from onevoice.events.decode import decode_ndjson
from onevoice.events.pyarrow_untyped import pa
from onevoice.journal.port import Mode
from onevoice.playbook.builtin import SWITCHING
from onevoice.runtime.index import Index
from onevoice.runtime.payloads import NDJSON
from onevoice.runtime.runs import NOBODYS, SWITCHES, mark_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from onevoice.journal.port import Journal, Row
    from onevoice.runtime.fold import Fold
    from onevoice.runtime.index import Place

RELATED_MAX: Final = 10_000  # customers
_AT_ONCE: Final = 16_384  # lines that are read before it is looked whether too many hang together
_FIRST_READ: Final = 64  # lines, where perhaps the last few are enough

_Value = TypeVar("_Value")


class Line(NamedTuple):
    """One line that concerns the customer, as a row of its own; `now`: its journal time in µs UTC.

    `number`: of the journal row that holds it.
    """

    row: Row
    content: dict[str, Any]
    now: int
    number: int


class Related(NamedTuple):
    """The customers of a state that hang together, in order of founding, and the lines about them.

    A fold of these lines alone numbers them 0, 1, 2, … in that order. Lines that name nobody, as world events, are
    among them.
    """

    customers: list[int]
    lines: list[Line]
    found_by: Index


class _Read(NamedTuple):
    """A line, and what makes it hang together with others. `lows`: the lower halves of its identifiers."""

    line: Line
    marks: frozenset[int]
    lows: frozenset[int]
    is_nobodys: bool


def related(journal: Journal, fold: Fold, customer: int, index: Index | None = None) -> Related:
    """Return with whom a customer of a state hangs together; without an index the whole journal is read.

    Raises LimitError where these are more than RELATED_MAX.
    """
    index = index or Index(fold)
    index.follow(journal, fold)
    founding = fold.machine.state.customers[customer]
    wanted = frozenset[int](mark_of(founding[[at.FOUNDING_LOW]], founding[[at.FOUNDING_HIGH]]).tolist())
    read: dict[int, _Read] = {}
    asked = frozenset[int]()
    while unread := wanted - asked:
        asked |= unread
        positions = index.positions(np.array(sorted(unread), np.int64)).tolist()
        positions = [position for position in positions if position not in read]
        for first in range(0, len(positions), _AT_ONCE):
            found = list(_read(fold, index, _raw(journal, index, positions[first : first + _AT_ONCE])))
            read |= {each.line.row.position: each for each in found}
            _check(fold, _together(wanted, found), read)
        wanted = _together(wanted, read.values())
    ours = {position: each for position, each in read.items() if not wanted.isdisjoint(each.marks)}
    ours |= _nobodys(journal, fold, index, [each.line for each in ours.values()])
    lines = [ours[position] for position in sorted(ours)]
    return Related(_founders(fold, wanted, lines), [each.line for each in lines], index)


def _nobodys(journal: Journal, fold: Fold, index: Index, own: Iterable[Line]) -> dict[int, _Read]:
    """Return the lines that name nobody, by position: of world events those of a product that own lines speak of.

    A world event is for those who have a fact open with its product, which came with an event of theirs or its offer.
    """
    playbook = fold.published.playbook
    world = {event.name for event in playbook.events.values() if event.about == "product"}
    known = {offer.product for offer in playbook.offers.values()}
    known.update(text for line in own for text in texts(line.content))
    found: dict[int, _Read] = {}
    positions = index.positions(np.array([NOBODYS])).tolist()
    for first in range(0, len(positions), _AT_ONCE):
        raw = _raw(journal, index, positions[first : first + _AT_ONCE])
        near = [each for each in raw if _concerns(each[2], world, known)]
        found |= {each.line.row.position: each for each in _read(fold, index, near) if each.is_nobodys}
    return found


def switching(journal: Journal, fold: Fold, index: Index) -> Iterator[Line]:
    """Yield the lines that pause, resume or stop, the last first; the index has followed the journal.

    They are read by ever larger parts, so that who wants only the last few reads little.
    """
    positions = index.positions(np.array([SWITCHES])).tolist()
    after, count = len(positions), _FIRST_READ
    while after:
        first = max(0, after - count)
        raw = _raw(journal, index, positions[first:after])
        wanted = [each for each in raw if msgspec.json.decode(each[2], type=_Typed).type in SWITCHING]
        yield from (each.line for each in reversed(list(_read(fold, index, wanted))))
        after, count = first, min(2 * count, _AT_ONCE)


class _Typed(msgspec.Struct):
    type: str


class _World(msgspec.Struct):
    type: str
    fields: dict[str, Any] = {}


def _concerns(line: bytes, world: Collection[str], known: Collection[str]) -> bool:
    """Tell whether a line that names nobody may concern who speaks of these texts."""
    event = msgspec.json.decode(line, type=_World)
    return event.type not in world or any(text in known for text in texts(event.fields))


def texts(value: object) -> Iterator[str]:
    """Yield the texts in a value of JSON, and its numbers as texts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float):
        yield f"{value}"
    elif isinstance(value, dict | list):
        parts = cast("dict[str, object] | list[object]", value)
        for each in parts.values() if isinstance(parts, dict) else parts:
            yield from texts(each)


def _together(wanted: frozenset[int], lines: Iterable[_Read]) -> frozenset[int]:
    """Return these marks, and those that stand in a line with one of them."""
    return wanted.union(*(each.marks for each in lines if not wanted.isdisjoint(each.marks)))


def _check(fold: Fold, marks: frozenset[int], read: dict[int, _Read]) -> None:
    """Raise LimitError where too many customers are known by these marks."""
    if len(marks) > RELATED_MAX and (count := len(_founders(fold, marks, read.values()))) > RELATED_MAX:
        expected, mend = f"at most {RELATED_MAX:,}", "is a group known by a value that everybody shares?"
        raise LimitError(Mistake("too many hang together", "groups", expected, f"{count:,} customers", mend))


def _raw(journal: Journal, index: Index, positions: list[int]) -> list[tuple[Place, Row, bytes]]:
    """Return the lines with these positions, in order, as they came in."""
    found: list[tuple[Place, Row, bytes]] = []
    for _, places in groupby(index.places(np.array(positions, np.int64)), lambda place: place.row):
        found += _lines(journal, list(places))
    return found


def _read(fold: Fold, index: Index, found: Sequence[tuple[Place, Row, bytes]]) -> Iterator[_Read]:
    """Yield lines that were read, with what they are about."""
    if not found:
        return
    batch = decode_ndjson(b"\n".join(line for _, _, line in found), fold.compiled.schema, fold.secret)
    events = batch.rows[batch.rows[:, ITEM] == 0]
    types = fold.compiled.schema.types
    joined: dict[int, list[int]] = {}
    for mark, event in zip(*(each.tolist() for each in index.joins.of(batch)), strict=True):
        joined.setdefault(event, []).append(mark)
    rows: list[list[int]] = events.tolist()
    for number, event in enumerate(rows):
        place, row, payload = found[event[LINE]]
        alone = replace(row, position=place.position, count=1, payload=payload, form=NDJSON)
        line = Line(alone, msgspec.json.decode(payload), _now(place, row, event), place.row)
        own = batch.identifiers[event[IDENTIFIERS_FROM] : event[IDENTIFIERS_TO]]
        marks = mark_of(own[:, HASH_LOW], own[:, HASH_HIGH]).tolist()
        marks += mark_of(np.array([event[ID]]), np.ones(1, np.int64)).tolist() if event[ID] else []
        nobodys = not len(own) or (event[TYPE] >= 0 and not types[event[TYPE]].has_customer)
        marks += joined.get(number, [])
        yield _Read(line, frozenset(marks), frozenset(own[:, HASH_LOW].tolist()), nobodys)


def _now(place: Place, row: Row, event: list[int]) -> int:
    """Return the journal time of a line."""
    if place.now is not None:
        return place.now
    return event[OCCURRED_AT] if row.mode & Mode.IMPORT else max(row.stamp_us, place.before)


def _lines(journal: Journal, places: Sequence[Place]) -> Iterator[tuple[Place, Row, bytes]]:
    """Yield some lines of one row as JSON."""
    if places[0].start is None:
        row = journal.part(places[0].row)
        table = pa.ipc.open_stream(row.payload).read_all().take(pa.array([place.line for place in places]))
        for place, line in zip(places, table.to_pylist(), strict=True):
            yield place, row, encode_ndjson([_nested(_without_nulls(line))]).rstrip(b"\n")
        return
    for _, group in groupby(places, lambda place: place.start):
        near = list(group)
        row = journal.part(near[0].row, near[0].start or 0, near[0].stop)
        few = [line for line in row.payload.split(b"\n") if line.strip()]
        yield from ((place, row, few[place.skipped]) for place in near)


def _founders(fold: Fold, marks: frozenset[int], lines: Iterable[_Read]) -> list[int]:
    """Return the customers who were founded by one of these identifiers, all in these lines, in order of founding."""
    lows = frozenset[int]().union(*(each.lows for each in lines))
    state = fold.machine.state
    founding = state.customers[: state.pools[at.CUSTOMERS, COUNT]]
    alike = np.flatnonzero(np.isin(founding[:, at.FOUNDING_LOW], np.array(sorted(lows), np.int64)))
    hashes = mark_of(founding[alike, at.FOUNDING_LOW], founding[alike, at.FOUNDING_HIGH])
    return alike[np.isin(hashes, np.array(sorted(marks), np.int64))].tolist()


def _nested(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of flat columns, as `identifiers.email`, as it would stand in JSON."""
    found: dict[str, Any] = {}
    for name, value in line.items():
        whole, _, part = name.partition(".")
        if part:
            found.setdefault(whole, {})[part] = value
        else:
            found[name] = value
    return found


def _without_nulls(value: _Value) -> _Value:
    """Return a value of an Arrow table as it would stand in JSON, where what is not there is left out."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return cast("_Value", {key: _without_nulls(each) for key, each in found.items() if each is not None})
    if isinstance(value, list):
        return cast("_Value", [_without_nulls(each) for each in cast("list[Any]", value)])
    return value
