"""A file made into events by a mapping: in order of time, the same each time, within bounded memory.

DuckDB works in a file of its own under a limit of memory and writes to the disk what does not fit. Lines are joined to
events in parts of at most PART_LINES, since lists cannot be written out half done.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onevoice.conditions.sql import MACROS
from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.importing.bind import bind
from onevoice.importing.clock import instants
from onevoice.importing.sources import json_column, literal, source_of
from onevoice.importing.statements import Statements
from onevoice.importing.summary import FIRST_LINES, Count, Summary

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from onevoice.importing.model import FileMapping
    from onevoice.importing.sources import Source
    from onevoice.playbook.model import Playbook

MEMORY: Final = "1GB"
PART_LINES: Final = 2_000_000
BATCH_EVENTS: Final = 16_384
PIECE_BYTES: Final = 4_000_000
ASIDE: Final = {"file": "VARCHAR", "line": "BIGINT", "reason": "VARCHAR", "found": "VARCHAR", "content": "JSON"}
# A text that cannot be read as JSON is taken out of the way of the statements that read it.
NOT_JSON: Final = """
    update raw set "#error" = 'not a JSON object', "#text" = "#0", "#0" = null
    where "#error" is null and case when json_valid("#0") then json_type("#0") <> 'OBJECT' else true end
"""
CONFIG: Final = {
    "memory_limit": MEMORY,
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Mapped:
    """The events of one file, made; `open_mapped` gives it.

    `summary` says what became of each line.
    """

    def __init__(
        self, path: Path, mapping: FileMapping, playbook: Playbook, folder: Path, latest_us: int | None
    ) -> None:
        source = _with_declared(source_of(path, mapping), mapping)
        self._statements = Statements(bind(mapping, source.columns, playbook), source, latest_us)
        self._path = path
        self._cursors: list[Any] = []
        self._database = _database(folder, mapping.zone)
        try:
            lines = self._make(source)
            self.summary = self._summed_up(mapping.name, lines)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        for cursor in self._cursors:
            cursor.close()
        self._database.close()

    def events(self) -> Any:
        """Return a pyarrow RecordBatchReader of the events in order, in batches of about PIECE_BYTES."""
        cursor = self._database.cursor()
        self._cursors.append(cursor)
        cursor.execute("set TimeZone = 'UTC'")
        found = cursor.sql("select * exclude (line, lines) from events").to_arrow_reader(BATCH_EVENTS)
        return pa.RecordBatchReader.from_batches(found.schema, _pieces(found))

    def line_of(self, number: int) -> int:
        """Return the line of the file at which an event begins; events are counted from 0 as `events` yields them."""
        cursor = self._database.cursor()
        try:
            (line,) = cursor.execute("select line from events where rowid = ?", [number]).fetchone()
        finally:
            cursor.close()
        return int(line)

    def write_aside(self, path: Path) -> None:
        """Write the lines kept aside to a file of NDJSON or Parquet, in place of what it has of the same source.

        Each has `file`, `line`, `reason`, `found` and `content`, the line as it was. Whole or not at all; EventError
        where it cannot be written.
        """
        part = path.with_name(f"{path.name}.part")
        form = "parquet" if path.suffix.lower() == ".parquet" else "json"
        found = f"select {literal(str(self._path))} as file, * from ({self._statements.aside()})"
        statement = f"select * from ({self._before(path, form)} union all {found}) order by file, line"
        try:
            self._database.execute(f"copy ({statement}) to {literal(str(part))} (format {form})")
            part.replace(path)
        except (OSError, _duckdb().IOException) as error:
            part.unlink(missing_ok=True)
            what, mend = "the lines kept aside cannot be written", "see that the folder exists and may be written"
            raise EventError(Mistake(what, f"{path}", found=f"{error}", mend=mend)) from error

    def _before(self, path: Path, form: str) -> str:
        """Return what selects the lines of other files that are there already."""
        if not path.exists() or not path.stat().st_size:
            names = "''::varchar as file, 0::bigint as line, ''::varchar as reason, ''::varchar as found"
            return f"select {names}, null::json as content where false"
        types = ", ".join(f"{name}: '{kind}'" for name, kind in ASIDE.items())
        read = f"read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{types}}})"
        read = f"read_parquet({literal(str(path))})" if form == "parquet" else read
        other = f"where file <> {literal(str(self._path))}"
        return f"select file, line, reason, found, content::json as content from {read} {other}"

    def _make(self, source: Source) -> int:
        """Fill the tables; return how many lines the file has."""
        run = self._database.execute
        count, made = 0, False
        run("begin")  # one for all batches: what is unpacked goes to the disk without waiting for each of them
        for batch in source.batches():
            self._database.register("batch", batch)
            run(f"{'insert into raw' if made else 'create table raw as'} select * from batch")
            self._database.unregister("batch")
            count, made = count + batch.num_rows, True
        run("commit")
        if source.is_json:
            run(NOT_JSON)
        run(self._statements.dropped())
        run(self._statements.judged())
        parts = -(-count // PART_LINES) or 1
        for part in range(parts):
            run(self._statements.made(part, parts))
        run(self._statements.events())
        run("drop table made")
        return count

    def _summed_up(self, mapping: str, lines: int) -> Summary:
        counts = f"count(*), min(line, {FIRST_LINES})"
        aside = """select reason, line from judged where reason is not null
            union all select 'malformed', "#line" from raw where "#error" is not null"""
        reasons = self._rows(f"select reason, {counts} from ({aside}) group by reason order by count(*) desc, reason")
        (dropped,) = self._rows(f"select {counts} from dropped")
        kinds = self._rows("select type, count(*) from events group by type order by count(*) desc, type")
        ((used, first, last),) = self._rows(
            "select coalesce(sum(lines), 0)::bigint, min(epoch_us(time)), max(epoch_us(time)) from events"
        )
        return Summary(
            file=self._path.name,
            mapping=mapping,
            lines=lines,
            used=used,
            duplicates=Count(dropped[0], dropped[1] or []),
            aside={reason: Count(count, first_lines) for reason, count, first_lines in reasons},
            events=dict(kinds),
            first=_shown(first),
            last=_shown(last),
        )

    def _rows(self, statement: str) -> list[Any]:
        return self._database.execute(statement).fetchall()


@contextmanager
def open_mapped(
    path: Path,
    mapping: FileMapping,
    playbook: Playbook,
    folder: Path | None = None,
    *,
    latest_us: int | None = None,
) -> Generator[Mapped]:
    """Make the events of a file; `folder` is emptied for it and removed afterwards, without one it is a temporary one.

    What lies after `latest_us` is kept aside; without it that is left to who takes the events in.

    Raises EventError for a file that cannot be read, MappingError with everything that does not fit it or the playbook.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="onevoice-import-"))
    else:
        shutil.rmtree(folder, ignore_errors=True)  # what a killed import left
        folder.mkdir(parents=True)
    try:
        with _room_told(path), closing(Mapped(path, mapping, playbook, folder, latest_us)) as mapped:
            yield mapped
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _room_told(path: Path) -> Generator[None]:
    """Tell what stops the database, which is a disk that is full, as what it means for the import."""
    try:
        yield
    except (_duckdb().IOException, _duckdb().OutOfMemoryException) as error:
        mend = "see that there is room on the disk for about twice the file, unpacked"
        raise EventError(Mistake("the lines cannot be worked on", f"{path}", found=f"{error}", mend=mend)) from error


def _pieces(batches: Any) -> Iterator[Table]:
    """Cut batches so that one with many items stays small in the journal, too."""
    for batch in batches:
        rows = max(1, batch.num_rows * PIECE_BYTES // max(batch.nbytes, PIECE_BYTES))
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)


def _with_declared(source: Source, mapping: FileMapping) -> Source:
    """Add to the columns of NDJSON those that the mapping declares: the first lines need not have them all."""
    if not source.is_json:
        return source
    return source._replace(columns=source.columns | {name: json_column(name) for name in mapping.columns})


def _database(folder: Path, zone: str) -> Any:
    """Return a connection to an empty database with the functions that the statements use."""
    config = CONFIG | {"temp_directory": str(folder / "spill")}
    database = _duckdb().connect(str(folder / "lines.duckdb"), config=config)
    for statement in ("set TimeZone = 'UTC'", *MACROS):
        database.execute(statement)

    def utc(local: Any) -> Any:
        return pa.array(instants(local.to_numpy().astype(np.int64), zone), pa.int64())

    if zone:
        database.create_function("onevoice_utc", utc, ["BIGINT"], "BIGINT", type="arrow")
    return database


def _duckdb() -> Any:
    import duckdb  # noqa: PLC0415 - costs 50 ms

    return duckdb


def _shown(us: int | None) -> str:
    return "" if us is None else f"{np.datetime64(us, 'us').astype('datetime64[s]')}Z"
