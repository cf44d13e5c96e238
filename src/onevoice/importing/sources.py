"""The lines of a file as they are written: CSV, NDJSON and Parquet, in batches, each line with its number.

CSV is read by Python's `csv` and not by DuckDB, because a line that cannot be used has to be told by the number an
editor shows, whatever was refused before it and however many line breaks stand between quotes.
"""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.importing.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO

    from onevoice.importing.model import Csv, FileMapping

BATCH_LINES: Final = 16_384
KEYS_FROM: Final = 1_000  # lines of NDJSON whose keys are its columns
COLUMNS_MAX: Final = 2_000
DELIMITED: Final = (".csv", ".tsv", ".txt")
LINES: Final = (".ndjson", ".jsonl", ".json")
PARQUET: Final = ".parquet"

# Of each line: its number, what is wrong with its form, and its text where something is.
NUMBER, ERROR, TEXT = "#line", "#error", "#text"
HEAD: Final = ((NUMBER, "int64"), (ERROR, "string"), (TEXT, "string"))


class Column(NamedTuple):
    """A column by its SQL over what `Source.batches` gives. `kind` None: its values cannot be used.

    `native`: it is of that kind as it stands and not a text.
    """

    sql: str
    kind: Kind | None = Kind.TEXT
    native: bool = False


class Source(NamedTuple):
    """A file: its columns by name, the columns of its batches, SQL for the content of a line as JSON."""

    columns: dict[str, Column]
    physical: tuple[str, ...]
    content: str
    batches: Callable[[], Iterator[Table]]
    is_json: bool = False


def check_files(paths: Iterable[str | Path]) -> None:
    """Raise one EventError for all files that cannot be read or whose ending says no form; reads nothing of them."""
    mistakes: list[Mistake] = []
    for path in map(Path, paths):
        try:
            path.open("rb").close()
            _form(path)
        except OSError as error:
            mistakes += _unreadable(path, error).mistakes
        except EventError as error:
            mistakes += error.mistakes
    if mistakes:
        raise EventError(*mistakes)


def source_of(path: Path, mapping: FileMapping) -> Source:
    """Open a file by its ending; EventError where it cannot be read, or its ending says no form."""
    form = _form(path)
    try:
        if form in DELIMITED:
            return _delimited(path, mapping.csv)
        return _json_lines(path) if form in LINES else _parquet(path)
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error


def _form(path: Path) -> str:
    """Return the ending that says what is in a file, leaving out that it is packed."""
    endings = [ending.lower() for ending in path.suffixes]
    form = next((ending for ending in reversed(endings) if ending != ".gz"), "")
    if form not in (*DELIMITED, *LINES, PARQUET):
        expected = ", ".join((*DELIMITED, *LINES, PARQUET))
        raise EventError(Mistake("unknown form of file", str(path), f"an ending of {expected}", form or "none"))
    return form


def _unreadable(path: Path, error: Exception) -> EventError:
    return EventError(Mistake("cannot be read", str(path), found=str(error)))


class _Lines:
    """The lines of a file as bytes, counted; `taken` are those since it was emptied."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        opened = gzip.open if self.path.suffix.lower() == ".gz" else open
        with cast("IO[bytes]", opened(self.path, "rb")) as file:
            for line in file:
                self.number += 1
                yield line.removeprefix(b"\xef\xbb\xbf") if self.number == 1 else line


class _Texts:
    """The lines of a file as text; `taken` are those since it was emptied, which are one record of CSV."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.lines = _Lines(path)
        self.encoding = encoding
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            try:
                text = line.decode(self.encoding)
            except UnicodeDecodeError as error:
                where = f"{self.lines.path} line {self.lines.number}"
                mend = "name the encoding of the file in the mapping, such as `csv: {encoding: latin-1}`"
                what = f"not a text in {self.encoding}"
                raise EventError(Mistake(what, where, found=f"byte 0x{line[error.start]:02x}", mend=mend)) from error
            self.taken.append(text)
            yield text


class _Record(NamedTuple):
    """One record of a CSV file: the number of its first line, its values, what is wrong with it, its text."""

    number: int
    values: list[str]
    error: str = ""
    text: str = ""


def _records(path: Path, form: Csv) -> Iterator[_Record]:
    """Yield every record that is not blank; a broken one costs its neighbours nothing."""
    texts = _Texts(path, form.encoding)
    reader = csv.reader(iter(texts), delimiter=form.delimiter, quotechar=form.quote, strict=True)
    while True:
        number = texts.lines.number + 1
        texts.taken.clear()
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record(number, [], f"not CSV: {error}", "".join(texts.taken).rstrip("\r\n"))
            continue
        except (OSError, EOFError) as error:
            raise _unreadable(path, error) from error
        if values:
            yield _Record(number, values, "", "".join(texts.taken).rstrip("\r\n"))


def _delimited(path: Path, form: Csv) -> Source:
    header = list(form.header) or _header(path, form)
    names = [name.strip() for name in header]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EventError(Mistake("two columns of one name", f"{path} line 1", found=", ".join(twice)))
    if len(names) > COLUMNS_MAX:
        raise EventError(Mistake("too many columns", f"{path}", f"at most {COLUMNS_MAX:,}", f"{len(names):,}"))
    physical = tuple(f"#{at}" for at in range(len(names)))

    def batches() -> Iterator[Table]:
        pending: list[_Record] = []
        records = _records(path, form)
        if not form.header:
            next(records, None)
        for record in records:
            pending.append(_counted(record, len(names)))
            if len(pending) == BATCH_LINES:
                yield _batch(pending, physical)
                pending.clear()
        yield _batch(pending, physical)

    columns = {name: Column(as_name(column)) for name, column in zip(names, physical, strict=True)}
    return Source(columns, physical, _object(columns), batches)


def _header(path: Path, form: Csv) -> list[str]:
    first = next(_records(path, form), None)
    if first is None or first.error:
        found = "an empty file" if first is None else first.error
        raise EventError(Mistake("no header", str(path), "the names of the columns in the first line", found))
    return first.values


def _counted(record: _Record, count: int) -> _Record:
    """Return a record with an error where it has not as many values as there are columns."""
    if record.error or len(record.values) == count:
        return record
    return record._replace(error=f"{len(record.values):,} values for {count:,} columns")


def _batch(records: list[_Record], physical: tuple[str, ...]) -> Table:
    whole = [record.values if not record.error else [None] * len(physical) for record in records]
    columns: list[Any] = [list(column) for column in zip(*whole, strict=True)] or [[] for _ in physical]
    return _table(
        [record.number for record in records],
        [record.error or None for record in records],
        [record.text if record.error else None for record in records],
        dict(zip(physical, (pa.array(column, pa.string()) for column in columns), strict=True)),
    )


def _table(numbers: Any, errors: list[str | None], texts: list[str | None], columns: dict[str, Any]) -> Table:
    head = {
        NUMBER: pa.array(numbers, pa.int64()),
        ERROR: pa.array(errors, pa.string()),
        TEXT: pa.array(texts, pa.string()),
    }
    return pa.table(head | columns)


def _json_lines(path: Path) -> Source:
    names = dict.fromkeys(_keys(path))

    def batches() -> Iterator[Table]:
        lines = _Lines(path)
        pending: list[tuple[int, str, str | None]] = []
        try:
            for line in lines:
                if not line.strip():
                    continue
                pending.append((lines.number, *_decoded(line)))
                if len(pending) == BATCH_LINES:
                    yield _json_batch(pending)
                    pending.clear()
        except (OSError, EOFError) as error:
            raise _unreadable(path, error) from error
        yield _json_batch(pending)

    columns = {name: json_column(name) for name in names}
    return Source(columns, ("#0",), '"#0"', batches, is_json=True)


def _json_batch(lines: list[tuple[int, str, str | None]]) -> Table:
    good = [None if error else text for _, text, error in lines]
    return _table(
        [number for number, _, _ in lines],
        [error for _, _, error in lines],
        [text if error else None for _, text, error in lines],
        {"#0": pa.array(good, pa.string())},
    )


def _decoded(line: bytes) -> tuple[str, str | None]:
    try:
        return line.decode().strip(), None
    except UnicodeDecodeError as error:
        return line.decode(errors="backslashreplace").strip(), f"not UTF-8: byte 0x{line[error.start]:02x}"


def json_column(name: str) -> Column:
    """Return the column of a key of a JSON object; a dot leads into an object."""
    path = "$" + "".join('."' + part.replace('"', '\\"') + '"' for part in name.split("."))
    return Column(f'json_extract_string("#0", {literal(path)})')


def _keys(path: Path) -> Iterator[str]:
    """Yield the keys of the first lines, those inside objects with dots."""
    for number, line in enumerate(_Lines(path)):
        if number >= KEYS_FROM:
            return
        try:
            yield from _inside(json.loads(line), "")
        except (ValueError, RecursionError):
            continue


def _inside(value: object, head: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, child in cast("dict[str, object]", value).items():
        if isinstance(child, dict):
            yield from _inside(cast("object", child), f"{head}{name}.")
        else:
            yield head + name


def _parquet(path: Path) -> Source:
    import pyarrow.parquet as pq  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - costs 30 ms

    parquet: Any = pq
    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
    physical = tuple(f"#{at}" for at in range(len(schema)))
    columns: dict[str, Column] = {}
    for name, column in zip(schema.names, physical, strict=True):
        columns |= _native(name, as_name(column), schema.field(name).type)

    def batches() -> Iterator[Table]:
        number = 1
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=BATCH_LINES):
                    nothing: list[str | None] = [None] * batch.num_rows
                    numbers = range(number, number + batch.num_rows)
                    yield _table(
                        numbers, nothing, nothing, dict(zip(physical, map(_plain, batch.columns), strict=True))
                    )
                    number += batch.num_rows
            if number == 1:
                nothing = schema.empty_table().columns
                yield _table([], [], [], dict(zip(physical, map(_plain, nothing), strict=True)))
        except (OSError, pa.ArrowInvalid) as error:
            raise _unreadable(path, error) from error

    whole = {name: Column(as_name(column)) for name, column in zip(schema.names, physical, strict=True)}
    return Source(columns, physical, _object(whole), batches)


def _plain(array: Any) -> Any:
    """Return an array whose batches need not agree in their dictionaries."""
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _native(name: str, sql: str, form: Any) -> dict[str, Column]:
    """Return the columns that a column of Parquet gives: itself, or those inside a struct with dots."""
    types = pa.types
    if types.is_struct(form):
        found: dict[str, Column] = {}
        for at in range(form.num_fields):
            inner = form.field(at)
            found |= _native(f"{name}.{inner.name}", f"{sql}.{as_name(inner.name)}", inner.type)
        return found
    if types.is_dictionary(form):
        form = form.value_type
    kinds = {
        Kind.TEXT: types.is_string(form) or types.is_large_string(form) or types.is_string_view(form),
        Kind.NUMBER: types.is_integer(form) or types.is_floating(form) or types.is_decimal(form),
        Kind.BOOLEAN: types.is_boolean(form),
        Kind.DATE: types.is_date(form),
        Kind.TIME: types.is_timestamp(form),
    }
    kind = next((kind for kind, fits in kinds.items() if fits), None)
    column = Column(sql, kind, native=kind is not Kind.TEXT)
    if kind is Kind.TIME:
        told = f"epoch_us({sql})"
        column = Column(told if form.tz else f"onevoice_utc({told})", kind, native=True)
    return {name: column}


def _object(columns: dict[str, Column]) -> str:
    pairs = ", ".join(f"{literal(name)}, {column.sql}" for name, column in columns.items())
    return f"json_object({pairs})"


def as_name(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"
