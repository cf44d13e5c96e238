"""Arrow tables to columns: the same events as lines of JSON, the same meaning, read column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.errors import EventError, Mistake
from onevoice.events.arrow_columns import (
    Read,
    Texts,
    identifiers,
    python_values,
    read,
    texts,
    times_us,
    valid,
)
from onevoice.events.batch import (
    ANY_TIME,
    ID,
    IDENTIFIER_WIDTH,
    IDENTIFIERS_FROM,
    ITEM,
    ITEMS_MAX,
    LINE,
    MISSING_TIME,
    OCCURRED_AT,
    ROW_WIDTH,
    SOURCE,
    TRAIT_WIDTH,
    TRAITS_FROM,
    TYPE,
    UNKNOWN_TYPE,
    Times,
)
from onevoice.events.columns import Part, batch_of, identifier_rows, joined, marks_of, part_of
from onevoice.events.lines import EVENT_KEYS, TEXT_KINDS, Lines, Names, count_unknown
from onevoice.events.pyarrow_untyped import Array, Table, pa, pc
from onevoice.events.refusals import clipped
from onevoice.events.schema import ABOUT_PRODUCT, NO_COLUMN
from onevoice.events.siphash import hash_texts_64
from onevoice.playbook.model import FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.events.schema import Layout, Schema

STRUCTS: Final = ("identifiers", "fields", "traits")


class Items(NamedTuple):
    """The entries of one list field for the events of one type, m of them.

    `parents` and `places` (int64[m]) say of which event an entry is and how many of the event's items come before;
    `values` (float64[m, F]) and `keys` (int64[m, K]) hold its own fields; `children` are the entries' columns and
    `select` (int64[m]) the positions in them.
    """

    layout: Layout
    parents: NDArray[np.int64]
    places: NDArray[np.int64]
    values: NDArray[np.float64]
    keys: NDArray[np.int64]
    children: Columns
    select: NDArray[np.int64]


class Columns:
    """Arrays of one length by path, each read once per kind of field."""

    def __init__(self, arrays: dict[str, Array], count: int, names: Names, secret: tuple[int, int]) -> None:
        self.arrays = arrays
        self.count = count
        self._names = names
        self._secret = secret
        self._read: dict[tuple[str, FieldType], Read] = {}
        self._keys: dict[str, tuple[NDArray[np.int64], NDArray[np.bool_]]] = {}

    def read(self, path: str, kind: FieldType) -> Read:
        """Return the column at a path as a field of this kind."""
        if (path, kind) not in self._read:
            self._read[path, kind] = read(self.arrays[path], kind, self._names)
        return self._read[path, kind]

    def keys(self, path: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the 64-bit hashes of a column of references, 0 where there is none, and the rows in doubt."""
        if path not in self._keys:
            found = texts(self.arrays[path])
            hashes = np.zeros(self.count, np.int64)
            hashes[found.given] = hash_texts_64(found.letters, found.spans[found.given], self._secret)
            self._keys[path] = hashes, found.doubtful
        return self._keys[path]

    def code(self, text: str) -> float:
        """Return the code of a name."""
        return self._names.code(text)

    def entries(self, array: Array) -> Columns:
        """Return the columns of the entries of a list of structs, all lists behind one another."""
        flat = array.flatten()
        fields = [flat.type.field(i).name for i in range(flat.type.num_fields)]
        children = dict(zip(fields, flat.flatten(), strict=True))
        return Columns(children, len(flat), self._names, self._secret)

    def under(self, head: str) -> dict[str, Array]:
        """Return the arrays below a path, by the rest of their name."""
        start = head + "."
        return {path[len(start) :]: array for path, array in self.arrays.items() if path.startswith(start)}

    def events(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return some rows as the objects that lines of JSON would hold; null is absent."""
        events: list[dict[str, Any]] = [{} for _ in rows]
        for path, array in self.arrays.items():
            head, _, name = path.partition(".")
            for event, value in zip(events, python_values(array.take(pa.array(rows))), strict=True):
                if value is None:
                    continue
                if head in STRUCTS and name:
                    event.setdefault(head, {})[name] = value
                else:
                    event[path] = value
        return events


def decode_arrow(
    table: Table,
    schema: Schema,
    secret: tuple[int, int],
    mapping: Mapping[str, str] | None = None,
    times: Times = ANY_TIME,
) -> Batch:
    """Return the events of an Arrow table as columns, one event a row, LINE being the row.

    Columns are named like the keys of a line: `type`, `time` (a timestamp with a zone), `id`, `source`, `channel`, and
    `identifiers`, `fields`, `traits` as structs or as flat columns such as `fields.amount`; a list field is a list of
    structs. Null means absent (so a trait is cleared by a line of JSON, not by a null here). `mapping` names the
    table's column for a path: `{"identifiers.email": "customer_mail"}`. Values that are not plain are read as a line
    would be, at a line's cost.

    Raises EventError when `mapping` names a column that the table lacks, or two columns have one path.
    """
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    names = Names()
    columns = Columns(flattened(table, mapping or {}), table.num_rows, names, secret)
    reader = _Reader(columns, schema, secret, times)
    plain = reader.part(names)
    lines = Lines(schema, times)
    count_unknown(lines.unknown, reader.unknown())
    rows = np.flatnonzero(reader.doubtful)
    for row, event in zip(rows.tolist(), columns.events(rows), strict=True):
        lines.read_event(event, row)
    part = joined(plain, part_of(lines, secret), marks_of(schema))
    return batch_of(part, lines, table.num_rows)


def flattened(table: Table, mapping: Mapping[str, str]) -> dict[str, Array]:
    """Return the arrays of a table by path, structs taken apart."""
    renamed: dict[str, str] = {column: path for path, column in mapping.items()}
    missing = [column for column in renamed if column not in table.column_names]
    if missing:
        expected = ", ".join(table.column_names)
        raise EventError(*(Mistake("no such column", f"mapping {renamed[c]}", expected, c) for c in missing))
    arrays: dict[str, Array] = {}
    column: str
    for column, chunks in zip(table.column_names, table.columns, strict=True):
        path = renamed.get(column, column)
        array = _one(chunks)
        parts: dict[str, Array] = {path: array}
        if path in STRUCTS and pa.types.is_struct(array.type):
            fields: list[str] = [array.type.field(i).name for i in range(array.type.num_fields)]
            parts = {f"{path}.{name}": child for name, child in zip(fields, array.flatten(), strict=True)}
        elif path in STRUCTS and array.null_count == len(array):
            parts = {}
        for name, part in parts.items():
            if name in arrays:
                mend = "leave one of them out, or map it to another path"
                raise EventError(Mistake("two columns for one path", f"column {column}", found=name, mend=mend))
            arrays[name] = part
    return arrays


def _one(chunks: Array) -> Array:
    array = chunks.combine_chunks()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


Trait = tuple[int, "NDArray[np.float64]", "NDArray[np.bool_]"]


class _Reader:
    """Reads the plain rows of a table; `doubtful` (bool[n]) is where a closer look is needed."""

    def __init__(self, columns: Columns, schema: Schema, secret: tuple[int, int], times: Times) -> None:
        self.columns = columns
        self.schema = schema
        self.secret = secret
        self.times = times
        self.doubtful = np.zeros(columns.count, np.bool_)
        self._unknown: dict[str, NDArray[np.bool_]] = {}  # name -> rows
        self._items: list[Items] = []
        self._item_counts = np.zeros(columns.count, np.int64)

    def part(self, names: Names) -> Part:
        """Return the events of the rows that are not in doubt."""
        self.types = self._types()
        self.occurred_at = self._times()
        self.ids = self._ids()
        self.sources = self._numbers("source", self.schema.sources, "source ")
        kinds = self._identifiers()
        values, keys = self._fields()
        traits = self._traits()
        for path, array in self.columns.arrays.items():
            head, _, name = path.partition(".")
            if path in STRUCTS:
                self.doubtful |= valid(array)
            elif path not in EVENT_KEYS and not (head in STRUCTS and name):
                self._note(f"$.{path}", valid(array))
        return self._assembled(kinds, values, keys, traits)._replace(names=list(names.codes))

    def unknown(self) -> dict[str, int]:
        """Return how often each unknown name was met in plain rows."""
        counts = {name: int((rows & ~self.doubtful).sum()) for name, rows in self._unknown.items()}
        for items in self._items:
            kept = items.select[~self.doubtful[items.parents]]
            for name, array in items.children.arrays.items():
                if name not in items.layout.own:
                    counts[f"{items.layout.name}.{clipped(name)}"] = int(valid(array)[kept].sum())
        return {name: count for name, count in counts.items() if count}

    def _note(self, name: str, rows: NDArray[np.bool_]) -> None:
        self._unknown[name] = self._unknown.get(name, False) | rows

    def _types(self) -> NDArray[np.int64]:
        types = self._numbers("type", self.schema.events, UNKNOWN_TYPE)
        array = self.columns.arrays.get("type")
        self.doubtful |= True if array is None else ~valid(array)
        return types

    def _numbers(self, path: str, numbers: Mapping[str, int], unknown: str) -> NDArray[np.int64]:
        """Return the number that each row's text has in `numbers`, -1 where it has none."""
        if path not in self.columns.arrays:
            return np.full(self.columns.count, -1, np.int64)
        names = Names()
        found = read(self.columns.arrays[path], FieldType.CHOICE, names)
        self.doubtful |= found.doubtful
        index = np.where(np.isnan(found.values), len(names.codes), found.values).astype(np.int64)
        for name, code in names.codes.items():
            if name not in numbers:
                self._note(unknown + clipped(name), index == code)
                self.doubtful |= (index == code) & (not name)  # an empty name is no name
        return np.array([*(numbers.get(name, -1) for name in names.codes), -1], np.int64)[index]

    def _times(self) -> NDArray[np.int64]:
        times = np.full(self.columns.count, MISSING_TIME, np.int64)
        if "time" in self.columns.arrays:
            times, doubtful = times_us(self.columns.arrays["time"])
            self.doubtful |= doubtful
        self.doubtful |= self.times.doubted(times)
        return times

    def _ids(self) -> NDArray[np.int64]:
        if "id" not in self.columns.arrays:
            return np.zeros(self.columns.count, np.int64)
        hashes, doubtful = self.columns.keys("id")
        self.doubtful |= doubtful
        return hashes

    def _identifiers(self) -> dict[int, Texts]:
        """Return the texts of each kind of identifier by its number; rows that belong to nobody are in doubt."""
        kinds: dict[int, Texts] = {}
        nobody = np.array([not layout.about_product for layout in self.schema.types] + [False])[self.types]
        for name, array in self.columns.under("identifiers").items():
            number = self.schema.identifier_numbers.get(name)
            if number is None:
                self.doubtful |= valid(array)
                continue
            kinds[number] = identifiers(array, self.schema.identifiers[number])
            self.doubtful |= kinds[number].doubtful
            nobody &= ~kinds[number].given
        self.doubtful |= nobody
        return dict(sorted(kinds.items()))

    def _fields(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the values and keys of the events themselves, and find their items."""
        values = np.full((self.columns.count, self.schema.width_values), np.nan)
        keys = np.zeros((self.columns.count, self.schema.width_keys), np.int64)
        channel = self._channel()
        below = self.columns.under("fields")
        present = np.unique(self.types[self.types >= 0])
        for layout in [self.schema.types[int(number)] for number in present]:
            number = layout.number
            mine = self.types == number
            rows = np.flatnonzero(mine)
            self._own(layout, self.columns, "fields.", rows, rows, values, keys)
            if channel is not None and (field := layout.own.get("channel")) and field.type is FieldType.CHOICE:
                empty = rows[np.isnan(values[rows, field.column])]
                values[empty, field.column] = channel[empty]
            if layout.about_product:
                self.doubtful[rows] |= np.isnan(values[rows, layout.fields[ABOUT_PRODUCT].column])
            for name, array in below.items():
                if name in layout.lists:
                    self._list(self.schema.types[layout.lists[name]], array, mine)
                elif name not in layout.own:
                    self._note(f"{layout.name}.{clipped(name)}", mine & valid(array))
        return values, keys

    def _channel(self) -> NDArray[np.float64] | None:
        if "channel" not in self.columns.arrays:
            return None
        found = self.columns.read("channel", FieldType.CHOICE)
        self.doubtful |= found.doubtful
        return np.where(found.values == self.columns.code(""), np.nan, found.values)

    def _own(
        self,
        layout: Layout,
        columns: Columns,
        head: str,
        select: NDArray[np.int64],
        rows: NDArray[np.int64],
        values: NDArray[np.float64],
        keys: NDArray[np.int64],
        parents: NDArray[np.int64] | None = None,
    ) -> None:
        """Write entries `select` of the columns of a layout's own fields to `rows`; doubt falls on the events."""
        for field in layout.own.values():
            path = head + field.name
            if path not in columns.arrays or field.column == NO_COLUMN:
                continue
            if field.type is FieldType.KEY:
                hashes, doubtful = columns.keys(path)
                keys[rows, field.column] = hashes[select]
            else:
                found, doubtful = columns.read(path, field.type)
                values[rows, field.column] = found[select]
            doubted = doubtful[select]
            if doubted.any():
                self.doubtful[(select if parents is None else parents)[doubted]] = True

    def _list(self, layout: Layout, array: Array, mine: NDArray[np.bool_]) -> None:
        """Find the items in one list field of one type; their columns are read when the rows in doubt are known."""
        kind = array.type
        listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        if not listed or not pa.types.is_struct(kind.value_type):
            self.doubtful |= mine & valid(array)
            return
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        everyone = np.repeat(np.arange(len(lengths)), lengths)
        select = np.flatnonzero(mine[everyone])
        parents = everyone[select]
        lengths[~mine] = 0
        places = np.arange(len(parents)) - np.repeat((np.cumsum(lengths) - lengths)[mine], lengths[mine])
        places += self._item_counts[parents]
        self._item_counts += lengths
        self.doubtful[parents[~valid(array.flatten())[select]]] = True
        self.doubtful |= self._item_counts > ITEMS_MAX
        values = np.full((len(parents), self.schema.width_values), np.nan)
        keys = np.zeros((len(parents), self.schema.width_keys), np.int64)
        children = self.columns.entries(array)
        self._own(layout, children, "", select, np.arange(len(parents)), values, keys, parents)
        self._items.append(Items(layout, parents, places, values, keys, children, select))

    def _traits(self) -> list[Trait]:
        """Return number, values and where given of each trait, in the playbook's order."""
        traits: list[Trait] = []
        for name, array in self.columns.under("traits").items():
            number = self.schema.trait_numbers.get(name)
            if number is None:
                self._note(f"traits.{clipped(name)}", valid(array))
            elif self.schema.traits[number].type not in TEXT_KINDS:
                found = self.columns.read(f"traits.{name}", self.schema.traits[number].type)
                self.doubtful |= found.doubtful
                traits.append((number, found.values, valid(array)))
        return sorted(traits, key=lambda trait: trait[0])

    def _assembled(
        self, kinds: dict[int, Texts], values: NDArray[np.float64], keys: NDArray[np.int64], traits: list[Trait]
    ) -> Part:
        """Put the plain rows, each followed by its items, behind one another."""
        kept = np.flatnonzero(~self.doubtful)
        sizes = 1 + self._item_counts[kept]
        event = np.repeat(np.arange(len(kept)), sizes)  # for each row of the part, the position in `kept`
        first = np.cumsum(sizes) - sizes
        parent = kept[event]
        rows = np.zeros((len(parent), ROW_WIDTH), np.int64)
        rows[:, LINE] = parent
        rows[:, ITEM] = np.arange(len(parent)) - first[event]
        for column, of_events in (
            (TYPE, self.types),
            (OCCURRED_AT, self.occurred_at),
            (SOURCE, self.sources),
            (ID, self.ids),
        ):
            rows[:, column] = of_events[parent]
        values, keys = values[parent], keys[parent]
        row_of = np.zeros(self.columns.count, np.int64)
        row_of[kept] = first
        for items in self._items:
            self._place(items, row_of, rows, values, keys)
        identifiers = self._identifier_table(kinds, kept)
        _refer(
            rows,
            IDENTIFIERS_FROM,
            event,
            sum((texts.given[kept].astype(np.int64) for texts in kinds.values()), 0 * kept),
        )
        given = np.array([there[kept] for _, _, there in traits], np.bool_).reshape(len(traits), len(kept)).T
        _refer(rows, TRAITS_FROM, event, given.sum(axis=1))
        which, trait = np.nonzero(given)
        table = np.empty((len(which), TRAIT_WIDTH))
        for position, (number, trait_values, _) in enumerate(traits):
            table[trait == position, 0] = number
            table[trait == position, 1] = trait_values[kept[which[trait == position]]]
        return Part(rows, values, keys, identifiers, table, [])

    def _place(
        self,
        items: Items,
        row_of: NDArray[np.int64],
        rows: NDArray[np.int64],
        values: NDArray[np.float64],
        keys: NDArray[np.int64],
    ) -> None:
        """Write the items of plain rows to their places, their own fields behind their parent's."""
        plain = np.flatnonzero(~self.doubtful[items.parents])
        at = row_of[items.parents[plain]] + 1 + items.places[plain]
        parent, layout = self.schema.types[items.layout.parent], items.layout
        rows[at, TYPE] = layout.number
        values[at, parent.values : layout.values] = items.values[plain, parent.values : layout.values]
        keys[at, parent.keys : layout.keys] = items.keys[plain, parent.keys : layout.keys]

    def _identifier_table(self, kinds: dict[int, Texts], kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the identifiers of the plain rows, each row's in the order of trust."""
        given = np.array([found.given[kept] for found in kinds.values()], np.bool_).reshape(len(kinds), len(kept)).T
        which, position = np.nonzero(given)
        table = np.empty((len(which), IDENTIFIER_WIDTH), np.int64)
        for i, (kind, found) in enumerate(kinds.items()):
            here = position == i
            spans = found.spans[kept[which[here]]]
            numbers = np.full(len(spans), kind, np.int64)
            table[here] = identifier_rows(numbers, found.letters, spans, marks_of(self.schema), self.secret)
        return table


def _refer(rows: NDArray[np.int64], column: int, event: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Give each event its range of `counts` entries; its items get the empty range behind them."""
    stops = np.cumsum(counts)
    rows[:, column] = np.where(rows[:, ITEM] == 0, (stops - counts)[event], stops[event])
    rows[:, column + 1] = stops[event]
