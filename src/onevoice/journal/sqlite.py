"""A journal in one SQLite file: one row a batch, one transaction an append, one process at a time.

At open every row's header is followed along the chain and every stored payload is checked against its CRC-32; the
digest of a payload is checked when the row is read. Figures and reasons: docs/decisions/0003-journal-format.md.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, cast
from zlib import crc32

import apsw
import msgspec

from onevoice.errors import JournalDamaged, JournalError, Mistake
from onevoice.journal import seekable
from onevoice.journal.port import (
    FORM_CHARACTERS_MAX,
    FORMAT,
    PAYLOAD_BYTES_MAX,
    STAMP_NEVER,
    Head,
    Kind,
    Meta,
    Mode,
    Row,
    closed,
    damaged,
    genesis,
    seal,
    verify_chain,
    verify_payload,
)

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

# An apsw.Connection; its own types name `Buffer`, which Python has only from 3.12 on, so a checker cannot read them.
_Database: TypeAlias = Any

_APPLICATION_ID: Final = 0x4F6E6576  # "Onev", in the file's header
_PAGE_BYTES: Final = 16 * 1024
_CHECKPOINT_PAGES: Final = 4 * 1024 * 1024 // _PAGE_BYTES
_LOG_BYTES_KEPT: Final = 16 * 1024 * 1024
_FRAMES_KEPT: Final = 4_096  # rows, of each some hundred numbers

_SCHEMA: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    shard INTEGER NOT NULL, secret BLOB NOT NULL, created_us INTEGER NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), rows INTEGER NOT NULL, chain BLOB NOT NULL) STRICT;
CREATE TABLE journal (
    number INTEGER PRIMARY KEY, shard INTEGER NOT NULL, kind INTEGER NOT NULL, position INTEGER NOT NULL,
    count INTEGER NOT NULL, stamp_us INTEGER NOT NULL, mode INTEGER NOT NULL, form TEXT NOT NULL,
    length INTEGER NOT NULL, digest BLOB NOT NULL, chain BLOB NOT NULL, stored_check INTEGER NOT NULL,
    payload BLOB NOT NULL  -- last, so that a header is read without it; packed when that is shorter than `length`
) STRICT;
"""
_INSERT: Final = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT: Final = """
SELECT number, shard, kind, position, count, stamp_us, mode, form,
       length, digest, chain, stored_check, payload FROM journal
"""
_SELECT_HEADER: Final = """
SELECT kind, position, count, stamp_us, mode, form, digest, chain, length FROM journal WHERE number = ?
"""


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    """The columns of the table, in its order; msgspec checks their types, which damage can change."""

    number: int
    shard: int
    kind: Kind
    position: int
    count: int
    stamp_us: int
    mode: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    form: Annotated[str, msgspec.Meta(max_length=FORM_CHARACTERS_MAX)]
    length: Annotated[int, msgspec.Meta(ge=0, le=PAYLOAD_BYTES_MAX)]
    digest: bytes
    chain: bytes
    stored_check: int
    payload: bytes


_UNREADABLE: Final = (apsw.CorruptError, apsw.IOError, UnicodeDecodeError)  # what damage makes of a column or page


class SqliteJournal:
    """The journal kept in the file at `path`, made with `new` (else a fresh meta) when there is none.

    Verified when opened: JournalDamaged names the first row that is not whole; JournalError says why the file cannot
    be used (in use, not a journal, of a newer version, not writable, disk full). `vfs` names an apsw VFS to go
    through. Threads may share it; a file is open once.
    """

    def __init__(self, path: str | Path, *, new: Meta | None = None, vfs: str | None = None) -> None:
        self._path = Path(path)
        self._where = f"journal {self._path}"
        self._lock = Lock()
        self._failed = False
        self._frames: dict[int, array[int]] = {}  # where those of a row begin, of rows that were read in part
        self._db: _Database | None = None
        db = _connect(self._path, vfs)
        try:
            if _is_blank(db, self._where):
                _create(db, self._path, new or Meta.fresh(), self._where)
            self._meta = _load_meta(db, self._where)
            self._head = _verify(db, self._meta, self._where)
            _trust(db, self._where)
        except BaseException as error:
            db.close()
            if isinstance(error, apsw.Error):
                raise _refusal(error, self._where) from error
            raise
        self._db = db

    @property
    def meta(self) -> Meta:
        """What was fixed when the journal was made."""
        return self._meta

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows at the end in one transaction; they are on the disk when this returns."""
        with self._lock:
            db = self._usable()
            head, stored = self._head, list[_Stored]()
            for row in rows:
                number = head.rows
                sealed, head = seal(row, head, self._meta, self._where)
                stored.append(_store(sealed, number, self._meta))
            if stored:
                self._commit(db, stored, head)
                self._head = head

    def read(self, from_row: int = 0) -> Iterator[Row]:
        """Yield the rows from number `from_row` on, each verified; rows appended meanwhile are included."""
        with self._lock:
            self._usable()
        return self._read(from_row)

    def part(self, number: int, start: int = 0, stop: int = PAYLOAD_BYTES_MAX) -> Row:
        """Return a row with part of its payload, of which no more is read and unpacked than that takes."""
        with self._lock:
            db = self._usable()
            try:
                ((kind, position, count, stamp_us, mode, form, digest, chain, length),) = db.execute(
                    _SELECT_HEADER, (number,)
                ).fetchall()
                with db.blob_open("main", "journal", "payload", number, False) as blob:
                    payload = self._part_of(number, blob, length, min(start, length), min(stop, length))
            except (*_UNREADABLE, ValueError, OSError) as error:
                raise damaged(self._where, number, "cannot be read", "a whole row", f"{error}") from error
        return Row(Kind(kind), position, count, stamp_us, Mode(mode), payload, form, digest, chain)

    def _part_of(self, number: int, blob: Any, length: int, start: int, stop: int) -> bytes:
        """Return bytes `[start, stop)` of the payload that an open blob holds, packed or not."""

        def read(offset: int, count: int) -> bytes:
            blob.seek(offset)
            return blob.read(count)

        size = blob.length()
        if size == length:
            return read(start, max(0, stop - start))
        if number not in self._frames:
            if len(self._frames) >= _FRAMES_KEPT:
                self._frames.clear()
            self._frames[number] = seekable.frames_of(read, size)
        frames = self._frames[number]
        return (
            seekable.part(read, frames, length, start, stop)
            if frames
            else seekable.unpacked(read(0, size), length)[start:stop]
        )

    def last(self) -> Head:
        """Return the end of the journal."""
        with self._lock:
            self._usable()
            return self._head

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _usable(self) -> _Database:
        if self._db is None:
            raise closed(self._where)
        if self._failed:
            mend = "look at the disk, then open the journal again"
            raise JournalError(
                Mistake("an earlier write failed, what is on the disk is not known", self._where, mend=mend)
            )
        return self._db

    def _commit(self, db: _Database, stored: list[_Stored], head: Head) -> None:
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(_INSERT, map(msgspec.structs.astuple, stored))
            db.execute("UPDATE head SET rows = ?, chain = ?", (head.rows, head.chain))
            db.execute("COMMIT")
        except apsw.Error as error:
            # After a failed write or sync nobody knows which pages the disk holds: only a new open can tell.
            self._failed = not isinstance(error, apsw.FullError)
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise _refusal(error, self._where) from error

    def _read(self, number: int) -> Iterator[Row]:
        head = self._head_before(number)
        while number < self._head.rows:
            with self._lock:
                values = _fetch(self._usable(), number, self._where)
            row, head = _check_row(values, head, self._meta, self._where)
            yield row
            number += 1

    def _head_before(self, number: int) -> Head:
        if number == 0:
            return genesis(self._meta)
        if number >= self._head.rows:
            return self._head
        with self._lock:
            values = _fetch(self._usable(), number - 1, self._where)
        return Head(number, 0, STAMP_NEVER, values[10])  # the chain alone is what the next row is checked against


def salvage(path: str | Path, into: str | Path, *, rows: int) -> Head:
    """Copy the first `rows` rows of a damaged journal, each verified, into a new one at `into`; return its head.

    The damaged file is left as it is. JournalDamaged when one of those rows is not whole either.
    """
    where, into = f"journal {path}", Path(into)
    if into.exists() or not Path(path).exists():
        mistake = Mistake("cannot salvage", where, "an existing journal and a new file", f"{path} and {into}")
        raise JournalError(mistake)
    db = _connect(Path(path), None)
    try:
        meta = _load_meta(db, where)
        head = genesis(meta)
        target = SqliteJournal(into, new=meta)
        try:
            for number in range(rows):
                row, head = _check_row(_fetch(db, number, where), head, meta, where)
                target.append([row])
            return target.last()
        finally:
            target.close()
    except apsw.Error as error:
        raise _refusal(error, where) from error
    finally:
        db.close()


def _connect(path: Path, vfs: str | None) -> _Database:
    """Open the file for this process alone, in a way that neither changes nor trusts what is in it."""
    try:
        db: _Database = cast("_Database", apsw.Connection(str(path), vfs=vfs))
    except apsw.Error as error:
        raise _refusal(error, f"journal {path}") from error
    if db.readonly("main"):  # SQLite falls back to reading; the lock would then fail with words about the disk
        db.close()
        raise JournalError(
            Mistake("the journal may not be written", f"journal {path}", mend="give this user the right to write")
        )
    db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    # Lets a file that is shorter than its header says be read up to the row that is torn.
    db.execute("PRAGMA writable_schema = ON")
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    return db


def _is_blank(db: _Database, where: str) -> bool:
    """Tell whether nothing was ever made in the file; refuse a file that is something else."""
    application = _number(db, "PRAGMA application_id")
    version = _number(db, "PRAGMA user_version")
    if application == 0 and _number(db, "SELECT count(*) FROM sqlite_schema") == 0:
        return True
    if application != _APPLICATION_ID:
        mistake = Mistake("this is no journal", where, "a file made by Onevoice", "another SQLite database")
        raise JournalError(mistake)
    if version > FORMAT:
        mend = "upgrade Onevoice"
        raise JournalError(Mistake("the journal is of a newer format", where, f"at most {FORMAT}", f"{version}", mend))
    if version != FORMAT:
        raise _damaged_file(where, "has an unknown format", f"{FORMAT}", f"{version}")
    return False


def _create(db: _Database, path: Path, meta: Meta, where: str) -> None:
    assert meta.format == FORMAT, "a journal is made in the present format"
    db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    _write_ahead(db, where)
    with db:
        db.execute(_SCHEMA)
        chain = genesis(meta).chain
        db.execute("INSERT INTO meta VALUES (1, ?, ?, ?, ?)", (meta.shard, meta.secret, meta.created_us, chain))
        db.execute("INSERT INTO head VALUES (1, 0, ?)", (chain,))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _trust(db: _Database, where: str) -> None:
    """Make the verified file ready for appends."""
    db.execute("PRAGMA writable_schema = OFF")
    db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    _write_ahead(db, where)
    db.execute("BEGIN EXCLUSIVE")  # a file that cannot be written is refused now, not at the first append
    db.execute("COMMIT")


def _write_ahead(db: _Database, where: str) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchall()[0][0]
    if mode != "wal":
        mend = "keep the journal in a file on a local disk"
        raise JournalError(Mistake("the journal cannot be durable here", where, "a write-ahead log", f"{mode}", mend))
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_KEPT}")


def _load_meta(db: _Database, where: str) -> Meta:
    try:
        ((*fixed, chain),) = db.execute("SELECT secret, created_us, shard, chain FROM meta").fetchall()
        meta = msgspec.convert(dict(zip(("secret", "created_us", "shard"), fixed, strict=True)), Meta)
    except ValueError as error:
        raise _damaged_file(where, "has an unreadable meta", "one row of secret, time and shard", f"{error}") from error
    if chain != genesis(meta).chain:
        raise _damaged_file(where, "has an altered meta", "the meta that its chain begins with", "another")
    return meta


def _verify(db: _Database, meta: Meta, where: str) -> Head:
    """Follow the chain through all rows and check every stored payload; return the end of the journal."""
    rows, chain = _load_head(db, where)
    head = genesis(meta)
    while head.rows < rows:
        # Each row is looked up by its number, as later reads will: a scan would pass by a damaged inner page.
        _, head = _check_stored(_fetch(db, head.rows, where), head, meta, where)
    last = _number(db, "SELECT coalesce(max(number), -1) FROM journal")
    if last != rows - 1:
        raise damaged(where, rows, "is beyond the journal's end", f"{rows} rows", f"row {last}")
    if chain != head.chain:
        raise damaged(where, rows, "does not begin where the journal ends", head.chain.hex()[:16], f"{chain!r:.40}")
    return head


def _load_head(db: _Database, where: str) -> tuple[int, Any]:
    try:
        ((rows, chain),) = db.execute("SELECT rows, chain FROM head").fetchall()
        return msgspec.convert(rows, int), chain
    except ValueError as error:
        raise _damaged_file(where, "does not say where it ends", "one row of head", f"{error}") from error


def _fetch(db: _Database, number: int, where: str) -> tuple[Any, ...]:
    try:
        values = db.execute(_SELECT + "WHERE number = ?", (number,)).fetchall()
    except _UNREADABLE as error:
        raise damaged(where, number, "cannot be read", "a whole file", f"{error}") from error
    if not values:
        raise damaged(where, number, "is missing", "a row", "none")
    return values[0]


def _check_stored(values: tuple[Any, ...], head: Head, meta: Meta, where: str) -> tuple[Row, Head]:
    """Return the row of these columns with its payload as stored, and the head after it; the digest is not checked."""
    if values[0] != head.rows:
        raise damaged(where, head.rows, "is missing", f"row {head.rows}", f"row {values[0]}")
    try:
        stored = msgspec.convert(values, _Stored)
    except ValueError as error:
        raise damaged(where, head.rows, "has an unreadable column", "a column as written", f"{error}") from error
    if stored.shard != meta.shard:
        raise damaged(where, head.rows, "is of another shard", f"{meta.shard}", f"{stored.shard}")
    fixed = (stored.kind, stored.position, stored.count, stored.stamp_us, Mode(stored.mode))
    row = Row(*fixed, stored.payload, stored.form, stored.digest, stored.chain)
    after = verify_chain(row, stored.length, head, meta, where)
    check = crc32(stored.payload)
    if check != stored.stored_check:
        raise damaged(where, head.rows, "has an altered payload", f"CRC-32 {stored.stored_check}", f"{check}")
    return row, after


def _check_row(values: tuple[Any, ...], head: Head, meta: Meta, where: str) -> tuple[Row, Head]:
    """Return the row of these columns, wholly verified, and the head after it."""
    row, after = _check_stored(values, head, meta, where)
    length = values[8]
    if len(row.payload) < length:
        try:
            row = replace(row, payload=seekable.unpacked(row.payload, length))
        except OSError as error:
            raise damaged(where, head.rows, "does not unpack", f"{length} bytes", f"{error}") from error
    verify_payload(row, head.rows, where)
    return row, after


def _store(row: Row, number: int, meta: Meta) -> _Stored:
    """Return the columns of a sealed row; the payload is compressed where that makes it shorter."""
    packed = seekable.packed(row.payload)
    payload = packed if len(packed) < len(row.payload) else row.payload
    fixed = (row.kind, row.position, row.count, row.stamp_us, int(row.mode), row.form)
    sealed = (len(row.payload), row.digest, row.chain, crc32(payload), payload)
    return _Stored(number, meta.shard, *fixed, *sealed)


def _number(db: _Database, query: str) -> int:
    return db.execute(query).fetchall()[0][0]


def _damaged_file(where: str, what: str, expected: str, found: str) -> JournalDamaged:
    return JournalDamaged(Mistake(f"the file {what}", where, expected, found, mend="restore the journal from a backup"))


def _refusal(error: apsw.Error, where: str) -> JournalError:
    """Return what an error of SQLite means for whoever runs the journal."""
    meant = ((what, mend) for kinds, what, mend in _MEANINGS if isinstance(error, kinds))
    what, mend = next(meant, ("the journal cannot be used", "look at the disk and its permissions"))
    kind = JournalDamaged if isinstance(error, (apsw.CorruptError, apsw.SQLError)) else JournalError
    return kind(Mistake(what, where, found=f"{error}", mend=mend))


_MEANINGS: Final[tuple[tuple[tuple[type[apsw.Error], ...], str, str], ...]] = (
    (
        (apsw.BusyError, apsw.LockedError),
        "the journal is in use",
        "stop the other process, or give this one its own folder",
    ),
    ((apsw.NotADBError,), "this is no journal", "name another file, or restore the journal from a backup"),
    ((apsw.CorruptError, apsw.SQLError), "the file is damaged", "restore the journal from a backup"),
    ((apsw.FullError,), "the disk is full; nothing was kept of this", "make room and append again"),
    ((apsw.CantOpenError,), "the journal cannot be opened", "see that the folder exists and may be written"),
    (
        (apsw.ReadOnlyError, apsw.PermissionsError),
        "the journal may not be written",
        "give this user the right to write",
    ),
    ((apsw.IOError,), "the disk failed", "look at the disk, then open the journal again"),
)
