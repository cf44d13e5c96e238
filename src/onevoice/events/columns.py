"""Parts of a batch, made by different readers of one payload, joined into one in payload order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from onevoice.engine.kernel import kernel
from onevoice.events.batch import (
    ID,
    IDENTIFIER_WIDTH,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    ITEM,
    LINE,
    OCCURRED_AT,
    ROW_WIDTH,
    SOURCE,
    TRAIT_WIDTH,
    TRAITS_FROM,
    TRAITS_TO,
    TYPE,
    Batch,
)
from onevoice.events.lines import count_unknown
from onevoice.events.siphash import Prefixes, hash_texts_64, hash_texts_128, prefixes
from onevoice.events.strangers import strangers
from onevoice.playbook.model import FieldType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.events.lines import Lines, Messages
    from onevoice.events.schema import Schema

NAMED = frozenset({FieldType.CHOICE, FieldType.PRODUCT})


class Part(NamedTuple):
    """Some of the events of a payload; the arrays are those of `Batch`, `names` in any order."""

    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    keys: NDArray[np.int64]
    identifiers: NDArray[np.int64]
    traits: NDArray[np.float64]
    names: list[str]


class Marks(NamedTuple):
    """Where names stand, and what identifiers are hashed with; derived once per schema.

    columns: bool[types + 1, F], true where `values` holds an index in `names`; the last row serves type -1.
    traits: bool[traits + 1], likewise for `traits`; the last entry serves an empty table.
    """

    columns: NDArray[np.bool_]
    traits: NDArray[np.bool_]
    prefixes: Prefixes


@lru_cache(maxsize=16)
def marks_of(schema: Schema) -> Marks:
    """Return the marks of a schema."""
    columns = np.zeros((len(schema.types) + 1, schema.width_values), np.bool_)
    for layout in schema.types:
        lineage = [layout] if layout.parent < 0 else [schema.types[layout.parent], layout]
        for field in (field for level in lineage for field in level.own.values()):
            if field.type in NAMED:
                columns[layout.number, field.column] = True
    traits = np.array([trait.type in NAMED for trait in schema.traits] + [False], np.bool_)
    kinds = schema.identifiers
    before = prefixes([f"{kind.name}\0".encode() for kind in kinds], [kind.format == "email" for kind in kinds])
    return Marks(columns, traits, before)


def part_of(lines: Lines, secret: tuple[int, int]) -> Part:
    """Return the columns of collected lines."""
    schema = lines.schema
    rows = np.array(lines.rows, np.int64).reshape(-1, ROW_WIDTH)
    values = np.array(lines.values, np.float64).reshape(len(rows), schema.width_values)
    traits = np.array(lines.traits, np.float64).reshape(-1, TRAIT_WIDTH)
    keys = np.zeros(len(rows) * schema.width_keys, np.int64)
    slots, letters, spans = _texts(lines.keys)
    keys[slots] = hash_texts_64(letters, spans, secret)
    slots, letters, spans = _texts(lines.ids)
    rows[slots, ID] = hash_texts_64(letters, spans, secret)
    slots, letters, spans = _texts(lines.identifiers)
    identifiers = identifier_rows(slots, letters, spans, marks_of(schema), secret)
    return Part(rows, values, keys.reshape(len(rows), schema.width_keys), identifiers, traits, list(lines.names.codes))


def identifier_rows(
    kinds: NDArray[np.int64],
    letters: NDArray[np.uint8],
    spans: NDArray[np.int64],
    marks: Marks,
    secret: tuple[int, int],
) -> NDArray[np.int64]:
    """Return int64[m, 3] for `Batch.identifiers` from normalised values lying in `letters`."""
    identifiers = np.empty((len(spans), IDENTIFIER_WIDTH), np.int64)
    identifiers[:, 0] = kinds
    identifiers[:, 1:] = hash_texts_128(letters, kinds, spans, marks.prefixes, secret)
    return identifiers


def _texts(messages: Messages) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    table = np.array(messages.spans, np.int64).reshape(-1, 3)
    letters = np.frombuffer(bytes(messages.letters) + b"\0", np.uint8)
    return np.ascontiguousarray(table[:, 0]), letters, table[:, 1:]


def joined(first: Part, second: Part, marks: Marks) -> Part:
    """Return the events of two parts in the order of their lines."""
    if not len(second.rows):
        return first
    names, second = _with_names_of(first, second, marks)
    if not len(first.rows):
        return second._replace(names=names)
    rows = np.concatenate([first.rows, second.rows])
    from_second = np.arange(len(rows)) >= len(first.rows)
    rows[from_second, IDENTIFIERS_FROM : IDENTIFIERS_TO + 1] += len(first.identifiers)
    rows[from_second, TRAITS_FROM : TRAITS_TO + 1] += len(first.traits)
    order = np.argsort(rows[:, LINE], kind="stable")
    rows = rows[order]
    identifiers = _gathered(rows, IDENTIFIERS_FROM, np.concatenate([first.identifiers, second.identifiers]))
    traits = _gathered(rows, TRAITS_FROM, np.concatenate([first.traits, second.traits]))
    values = np.concatenate([first.values, second.values])[order]
    keys = np.concatenate([first.keys, second.keys])[order]
    return Part(rows, values, keys, identifiers, traits, names)


def without(part: Part, lines: NDArray[np.int64]) -> Part:
    """Return a part without the events of some lines."""
    kept = ~np.isin(part.rows[:, LINE], lines)
    rows = part.rows[kept]
    identifiers = _gathered(rows, IDENTIFIERS_FROM, part.identifiers)
    traits = _gathered(rows, TRAITS_FROM, part.traits)
    return Part(rows, part.values[kept], part.keys[kept], identifiers, traits, part.names)


def _with_names_of(first: Part, second: Part, marks: Marks) -> tuple[list[str], Part]:
    """Return the names of both, and `second` with its codes in them."""
    codes = {name: code for code, name in enumerate(first.names)}
    new = np.array([codes.setdefault(name, len(codes)) for name in second.names], np.float64)
    values, traits = second.values.copy(), second.traits.copy()
    used = marks.columns[second.rows[:, 0]] & ~np.isnan(values)
    values[used] = new[values[used].astype(np.int64)]
    used = marks.traits[traits[:, 0].astype(np.int64)] & ~np.isnan(traits[:, 1])
    traits[used, 1] = new[traits[used, 1].astype(np.int64)]
    return list(codes), second._replace(values=values, traits=traits)


def _gathered(rows: NDArray[np.int64], column: int, table: NDArray[Any]) -> NDArray[Any]:
    """Return `table` in the order of the rows that refer to it, whose ranges at `column` are renewed."""
    starts, counts = rows[:, column].copy(), rows[:, column + 1] - rows[:, column]
    stops = np.cumsum(counts)
    if not len(stops):
        return table[:0]
    rows[:, column] = stops - counts
    rows[:, column + 1] = stops
    within = np.arange(int(stops[-1]), dtype=np.int64) - np.repeat(stops - counts, counts)
    return table[np.repeat(starts, counts) + within]


def batch_of(part: Part, lines: Lines, count: int) -> Batch:
    """Return the batch of a part, with what `lines` noted about names and lines that could not be used."""
    names = renumbered(part, marks_of(lines.schema))
    count_unknown(lines.unknown, strangers(part, names, lines.schema))
    rejected = sorted(lines.rejected, key=lambda rejection: rejection.line)
    return Batch(*part[:5], names, rejected, count, dict(lines.unknown), dict(lines.dropped))


def renumbered(part: Part, marks: Marks) -> list[str]:
    """Renumber the names in place by their first use, row by row; return those in use, in that order."""
    new = np.full(len(part.names) + 1, -1, np.int64)
    order = np.empty(len(part.names) + 1, np.int64)
    count = _renumber(part.rows, part.values, part.traits, marks.columns, marks.traits, new, order)
    return [part.names[code] for code in order[:count].tolist()]


@kernel
def _renumber(rows: Any, values: Any, traits: Any, columns: Any, named_traits: Any, new: Any, order: Any) -> int:
    count = 0
    for row in range(rows.shape[0]):
        kind = rows[row, 0]
        for column in range(values.shape[1]):
            if kind >= 0 and columns[kind, column]:
                count = _renew(values, row, column, new, order, count)
        for trait in range(rows[row, TRAITS_FROM], rows[row, TRAITS_TO]):
            if named_traits[int(traits[trait, 0])]:
                count = _renew(traits, trait, 1, new, order, count)
    return count


@kernel
def _renew(table: Any, row: Any, column: Any, new: Any, order: Any, count: Any) -> Any:
    """Give the name at one place its new number and return how many have one."""
    value = table[row, column]
    if np.isnan(value):
        return count
    code = int(value)
    if new[code] < 0:
        new[code] = count
        order[count] = code
        count += 1
    table[row, column] = new[code]
    return count


@kernel
def spread(found: Any, doubted: Any, types: Any, columns: Any, table: Any, doubtful: Any) -> None:
    """Write what a row has in one field to its type's column for it, and note its doubt.

    found: [n]; doubted, doubtful: bool[n]; types: int64[n], -1 for none; columns: int64[types + 1], -1 for none.
    """
    for row in range(types.shape[0]):
        column = columns[types[row]]
        if column >= 0:
            table[row, column] = found[row]
            doubtful[row] |= doubted[row]


@kernel
def enter(number: Any, given: Any, found: Any, following: Any, table: Any) -> None:
    """Write an entry, `number` and what was found, to a table for each row where it is given (bool[n]).

    found: [entries, width - 1]; following: int64[n], where in the table a row's next entry goes.
    """
    entry = 0
    for row in range(given.shape[0]):
        if given[row]:
            at = following[row]
            following[row] += 1
            table[at, 0] = number
            for column in range(found.shape[1]):
                table[at, 1 + column] = found[entry, column]
            entry += 1


@kernel
def assemble(
    types: Any, times: Any, sources: Any, ids: Any, sizes: Any, identifier_counts: Any, trait_counts: Any, rows: Any
) -> None:
    """Write the rows of all events; `sizes` (int64[n]) says how many an event has, its items among them."""
    at = identifiers = traits = 0
    for event in range(types.shape[0]):
        for item in range(sizes[event]):
            rows[at, TYPE] = types[event]
            rows[at, OCCURRED_AT] = times[event]
            rows[at, LINE] = event
            rows[at, ITEM] = item
            rows[at, SOURCE] = sources[event]
            rows[at, ID] = ids[event]
            rows[at, IDENTIFIERS_FROM] = identifiers
            rows[at, TRAITS_FROM] = traits
            if item == 0:
                identifiers += identifier_counts[event]
                traits += trait_counts[event]
            rows[at, IDENTIFIERS_TO] = identifiers
            rows[at, TRAITS_TO] = traits
            at += 1
