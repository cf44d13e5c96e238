"""Arrow tables to columns: the same events as lines of JSON, the same meaning, read column by column."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.errors import EventError, Mistake
from onevoice.events.arrow_columns import (
    Read,
    Texts,
    distinct,
    identifiers,
    is_text,
    python_values,
    read,
    texts,
    times_us,
    valid,
)
from onevoice.events.arrow_sound import children, declared_paths, refuse_twice, sound, whole
from onevoice.events.batch import (
    ANY_TIME,
    IDENTIFIER_WIDTH,
    ITEMS_MAX,
    LINE,
    MISSING_TIME,
    NAME_CHARACTERS_MAX,
    ROW_WIDTH,
    TRAIT_WIDTH,
    TYPE,
    UNKNOWN_TYPE,
    Times,
)
from onevoice.events.columns import Part, assemble, batch_of, enter, joined, marks_of, part_of, spread
from onevoice.events.lines import EVENT_KEYS, TEXT_KINDS, Lines, Names, count_unknown
from onevoice.events.pyarrow_untyped import Array, Table, pa, pc
from onevoice.events.refusals import clipped, not_utf8
from onevoice.events.schema import ABOUT_PRODUCT, NO_COLUMN
from onevoice.events.siphash import hash_texts_64, hash_texts_128
from onevoice.playbook.model import FieldType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from onevoice.events.batch import Batch
    from onevoice.events.schema import Layout, Schema

STRUCTS: Final = ("identifiers", "fields", "traits")


class Items(NamedTuple):
    """The entries of one list field, m of them.

    `types`, `parents` and `places` (int64[m]) say of which item type an entry is, or -1, of which event, and how many
    of the event's items come before; `values` (float64[m, F]) and `keys` (int64[m, K]) hold its own fields; `arrays`
    are the entries' columns.
    """

    types: NDArray[np.int64]
    parents: NDArray[np.int64]
    places: NDArray[np.int64]
    values: NDArray[np.float64]
    keys: NDArray[np.int64]
    arrays: dict[str, Array]


class Columns:
    """Arrays of one length by path."""

    def __init__(self, arrays: dict[str, Array], count: int, names: Names, secret: tuple[int, int]) -> None:
        self.arrays = arrays
        self.count = count
        self._names = names
        self._secret = secret

    def read(self, path: str, kind: FieldType) -> Read:
        """Return the column at a path as a field of this kind."""
        return read(self.arrays[path], kind, self._names)

    def keys(self, path: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the 64-bit hashes of a column of references, 0 where there is none, and the rows in doubt."""
        found = texts(self.arrays[path])
        hashes = hash_texts_64(found.letters, found.spans, self._secret)
        hashes[~found.given] = 0
        return hashes, found.doubtful

    def code(self, text: str) -> float:
        """Return the code of a name."""
        return self._names.code(text)

    def entries(self, array: Array, where: str) -> Columns:
        """Return the columns of the entries of a list of structs, all lists behind one another."""
        flat = array.flatten()
        return Columns(children(flat, where), len(flat), self._names, self._secret)

    def under(self, head: str) -> dict[str, Array]:
        """Return the arrays below a path, by the rest of their name."""
        start = head + "."
        return {path[len(start) :]: array for path, array in self.arrays.items() if path.startswith(start)}

    def events(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return some rows as the objects that lines of JSON would hold; null is absent."""
        events: list[dict[str, Any]] = [{} for _ in rows]
        if not events:
            return events
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
    broken = reader.broken()
    rows = np.array([row for row in np.flatnonzero(reader.doubtful).tolist() if row not in broken], np.int64)
    for row, event in zip(rows.tolist(), columns.events(rows), strict=True):
        lines.read_event(event, row)
    for row, path in broken.items():
        lines.reject(row, not_utf8(f"$.{path}"))
    lines.rejected.sort(key=lambda rejection: rejection.line)
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
        array = whole(chunks)
        parts: dict[str, Array] = {path: array}
        if path in STRUCTS and pa.types.is_struct(array.type):
            parts = {f"{path}.{name}": child for name, child in children(array, path).items()}
        elif path in STRUCTS and array.null_count == len(array):
            parts = {}
        for name, part in parts.items():
            if name in arrays:
                refuse_twice(column, name)
            arrays[name] = part
    return arrays


Trait = tuple[int, "NDArray[np.float64]", "NDArray[np.bool_]"]
Entry = tuple[int, "NDArray[np.bool_]", "NDArray[Any]"]  # number, bool[n] where it is given, and what is there


class _Reader:
    """Reads the plain rows of a table; `doubtful` (bool[n]) is where a closer look is needed."""

    def __init__(self, columns: Columns, schema: Schema, secret: tuple[int, int], times: Times) -> None:
        self.columns = columns
        self.schema = schema
        self.secret = secret
        self.times = times
        self.doubtful = np.zeros(columns.count, np.bool_)
        self._unknown: dict[str, NDArray[np.bool_]] = {}  # name -> rows
        self._broken: dict[str, NDArray[np.int64]] = {}  # path -> rows whose text there is not UTF-8
        self._items: list[Items] = []
        self._item_counts = np.zeros(columns.count, np.int64)

    def part(self, names: Names) -> Part:
        """Return the events of the rows that are not in doubt."""
        self._mend(self.columns, declared_paths(self.schema))
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

    def broken(self) -> dict[int, str]:
        """Return the rows that hold a text that is not UTF-8, and the path of the first such text."""
        return {int(row): path for path, rows in reversed(self._broken.items()) for row in rows}

    def _mend(self, columns: Columns, names: Collection[str], head: str = "", parents: Any = None) -> None:
        """Make the texts of the named columns such as can be read; broken are their rows, or `parents` (-1: none)."""
        for name in [name for name in columns.arrays if name in names]:
            columns.arrays[name], broken = sound(columns.arrays[name])
            if broken is not None:
                rows = np.flatnonzero(broken)
                rows = rows if parents is None else parents[rows][parents[rows] >= 0]
                self._broken[head + name] = rows
                self.doubtful[rows] = True

    def unknown(self) -> dict[str, int]:
        """Return how often each unknown name was met in plain rows."""
        counts = Counter({name: int((rows & ~self.doubtful).sum()) for name, rows in self._unknown.items()})
        counts.update(self._strange(self.columns.under("fields"), np.where(self.doubtful, -1, self.types)))
        for items in self._items:
            counts.update(self._strange(items.arrays, np.where(self.doubtful[items.parents], -1, items.types)))
        return {name: count for name, count in counts.items() if count}

    def _strange(self, arrays: dict[str, Array], types: NDArray[np.int64]) -> dict[str, int]:
        """Return how often arrays have a value where a row's type has no such field."""
        counts: Counter[str] = Counter()
        present = self._present(types)
        for name, array in arrays.items():
            strangers = [layout for layout in present if name not in layout.own and name not in layout.lists]
            if strangers:
                met = np.bincount((types + 1) * valid(array), minlength=len(self.schema.types) + 1)
                counts.update({f"{layout.name}.{clipped(name)}": int(met[layout.number + 1]) for layout in strangers})
        return counts

    def _present(self, types: NDArray[np.int64]) -> list[Layout]:
        """Return the types that some rows are of."""
        counts = np.bincount(types + 1, minlength=len(self.schema.types) + 1)
        return [layout for layout in self.schema.types if counts[layout.number + 1]]

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
        array = self.columns.arrays[path]
        if not is_text(array.type):
            self.doubtful |= valid(array)
            return np.full(self.columns.count, -1, np.int64)
        names, index = distinct(array)
        for code, name in enumerate(names):
            if name not in numbers:
                self._note(unknown + clipped(name), index == code)
                if not 0 < len(name) <= NAME_CHARACTERS_MAX:
                    self.doubtful |= index == code
        return np.array([*(numbers.get(name, -1) for name in names), -1], np.int64)[index]

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
        nobody = np.array([layout.has_customer for layout in self.schema.types] + [False])[self.types]
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
        values, keys, doubtful = self._own(self.columns, "fields.", self.types)
        self.doubtful |= doubtful
        self._fill_channel(values)
        present = self._present(self.types)
        for layout in present:
            if layout.about_product:
                nothing = np.isnan(values[:, layout.fields[ABOUT_PRODUCT].column])
                self.doubtful |= (self.types == layout.number) & nothing
        for name, array in self.columns.under("fields").items():
            if any(name in layout.lists for layout in present):
                self._list(name, array)
        return values, keys

    def _own(
        self, columns: Columns, head: str, types: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return the own fields of rows of these types as values and keys, and the rows in doubt."""
        values = np.full((columns.count, self.schema.width_values), np.nan)
        keys = np.zeros((columns.count, self.schema.width_keys), np.int64)
        doubtful = np.zeros(columns.count, np.bool_)
        for (name, kind), places in places_of(self.schema).items():
            path = head + name
            if path not in columns.arrays or not (places[types] >= 0).any():
                continue
            if kind is FieldType.KEY:
                spread(*columns.keys(path), types, places, keys, doubtful)
            else:
                spread(*columns.read(path, kind), types, places, values, doubtful)
        return values, keys, doubtful

    def _fill_channel(self, values: NDArray[np.float64]) -> None:
        """Put an event's `channel` into its field of that name where that is NULL."""
        if "channel" not in self.columns.arrays:
            return
        found = self.columns.read("channel", FieldType.CHOICE)
        self.doubtful |= found.doubtful
        places = places_of(self.schema).get(("channel", FieldType.CHOICE))
        if places is not None:
            channel = np.where(found.values == self.columns.code(""), np.nan, found.values)
            rows = np.flatnonzero(places[self.types] >= 0)
            columns = places[self.types[rows]]
            held = values[rows, columns]
            values[rows, columns] = np.where(np.isnan(held), channel[rows], held)

    def _list(self, name: str, array: Array) -> None:
        """Find the items in one list field; their columns are read when the rows in doubt are known."""
        numbers = np.array([*(layout.lists.get(name, -1) for layout in self.schema.types), -1], np.int64)[self.types]
        kind = array.type
        listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        if not listed or not pa.types.is_struct(kind.value_type):
            self.doubtful |= (numbers >= 0) & valid(array)
            return
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        parents = np.repeat(np.arange(len(lengths)), lengths)
        types = numbers[parents]
        places = np.arange(len(parents)) + (self._item_counts - np.cumsum(lengths) + lengths)[parents]
        self._item_counts += np.where(numbers >= 0, lengths, 0)
        entries = self.columns.entries(array, f"fields.{name}")
        lists = {layout.lists[name] for layout in self.schema.types if name in layout.lists}  # of types absent here too
        own = {field for number in lists for field in self.schema.types[number].own}
        self._mend(entries, own, f"fields.{name}.", np.where(types >= 0, parents, -1))
        values, keys, doubtful = self._own(entries, "", types)
        doubtful |= (types >= 0) & ~valid(array.flatten())
        self.doubtful[parents[doubtful]] = True
        self.doubtful |= self._item_counts > ITEMS_MAX
        self._items.append(Items(types, parents, places, values, keys, entries.arrays))

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
        plain = ~self.doubtful
        identifiers = self._hashed(kinds, plain)
        of_traits = [(number, given & plain, held[given & plain, None]) for number, held, given in traits]
        identifier_counts, identifier_table = _tabled(identifiers, np.empty((0, IDENTIFIER_WIDTH), np.int64), plain)
        trait_counts, trait_table = _tabled(of_traits, np.empty((0, TRAIT_WIDTH)), plain)
        sizes = np.where(plain, 1 + self._item_counts, 0)
        rows = np.empty((int(sizes.sum()), ROW_WIDTH), np.int64)
        counts = sizes, identifier_counts, trait_counts
        assemble(self.types, self.occurred_at, self.sources, self.ids, *counts, rows)
        if self._items or not plain.all():
            values, keys = values[rows[:, LINE]], keys[rows[:, LINE]]
        for items in self._items:
            self._place(items, np.cumsum(sizes) - sizes, rows, values, keys)
        return Part(rows, values, keys, identifier_table, trait_table, [])

    def _hashed(self, kinds: dict[int, Texts], plain: NDArray[np.bool_]) -> list[Entry]:
        """Return the identifiers of the plain rows by their kind."""
        entries: list[Entry] = []
        for kind, found in kinds.items():
            given = found.given & plain
            spans = found.spans.take(np.flatnonzero(given), axis=0)
            before = marks_of(self.schema).prefixes
            hashes = hash_texts_128(found.letters, np.full(len(spans), kind, np.int64), spans, before, self.secret)
            entries.append((kind, given, hashes))
        return entries

    def _place(
        self,
        items: Items,
        first: NDArray[np.int64],
        rows: NDArray[np.int64],
        values: NDArray[np.float64],
        keys: NDArray[np.int64],
    ) -> None:
        """Write the items of plain rows to their places, their own fields behind their parent's."""
        for layout in self._present(items.types):
            plain = np.flatnonzero((items.types == layout.number) & ~self.doubtful[items.parents])
            at = first[items.parents[plain]] + 1 + items.places[plain]
            parent = self.schema.types[layout.parent]
            rows[at, TYPE] = layout.number
            values[at, parent.values : layout.values] = items.values[plain, parent.values : layout.values]
            keys[at, parent.keys : layout.keys] = items.keys[plain, parent.keys : layout.keys]


def _tabled(
    entries: list[Entry], table: NDArray[Any], plain: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return how many entries each row has, and a table like `table` of them, each row's in the order of `entries`."""
    counts = np.sum([given for _, given, _ in entries], axis=0, dtype=np.int64) + 0 * plain
    full = np.empty((int(counts.sum()), table.shape[1]), table.dtype)
    following = np.cumsum(counts) - counts
    for number, given, found in entries:
        enter(number, given, found, following, full)
    return counts, full


@lru_cache(maxsize=16)
def places_of(schema: Schema) -> dict[tuple[str, FieldType], NDArray[np.int64]]:
    """Return int64[types + 1] for each name and kind of an own field: its column in a type, -1 where it has none."""
    places: dict[tuple[str, FieldType], NDArray[np.int64]] = {}
    for layout in schema.types:
        for name, kind, column in layout.own.values():
            if column != NO_COLUMN:
                nowhere = np.full(len(schema.types) + 1, NO_COLUMN, np.int64)
                places.setdefault((name, kind), nowhere)[layout.number] = column
    return places
