"""What a journal is: rows in one order, each bound to all rows before it.

Every row carries the digest of its payload and a chain, the digest of the chain before it, its own header and its
own digest. A row that is torn, altered, missing or swapped therefore breaks the chain at its own number. The digest
speaks about the payload as it was given, so that a store may compress as it likes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from hashlib import blake2b
from os import urandom
from time import time_ns
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import msgspec

from onevoice.errors import JournalDamaged, JournalError, LimitError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT: Final = 1
DIGEST_BYTES: Final = 32
SECRET_BYTES: Final = 16
PAYLOAD_BYTES_MAX: Final = 256 * 1024 * 1024
FORM_CHARACTERS_MAX: Final = 32
STAMP_NEVER: Final = -(2**63)  # the stamp of a journal without events

# format, shard, number, kind, position, count, stamp_us, mode, length of the payload, length of the form
_HEADER: Final = struct.Struct("<HIqHqqqIqH")
_GENESIS: Final = struct.Struct("<HIq")


class Kind(IntEnum):
    """What a row says."""

    EVENTS = 1  # what came in; with a count of 0 only a tick of time
    DECISIONS = 2  # what was decided for the events before `position`
    PLAYBOOK = 3  # the playbook in force from `position`
    FILE = 4  # how far a file of events was taken up to `position`


class Mode(IntFlag):
    """How the events of a row are to be taken."""

    LIVE = 0
    IMPORT = 1  # the journal time of each event is max(previous, its occurred_at)
    OBSERVE = 2  # they build state, nothing is decided on them


@dataclass(frozen=True, slots=True)
class Row:
    """One batch as it came, or one record about the batches so far.

    `position` is the ordinal of the first line of the payload (EVENTS) or the position up to which the row speaks;
    `count` the lines of the payload, the rejected ones among them; `stamp_us` what the clock showed when it came in,
    int64 µs UTC; `form` names what the payload is ("ndjson", "arrow", …). `digest` and `chain` are empty until a
    journal has sealed the row.
    """

    kind: Kind
    position: int
    count: int
    stamp_us: int
    mode: Mode = Mode.LIVE
    payload: bytes = b""
    form: str = "ndjson"
    digest: bytes = b""
    chain: bytes = b""


@dataclass(frozen=True, slots=True)
class Meta:
    """What a journal says about itself, fixed at its creation and bound into the chain.

    `secret` (16 bytes) is the key of the identifier hashes; `created_us` is in µs UTC.
    """

    secret: Annotated[bytes, msgspec.Meta(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]
    created_us: int
    shard: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    format: int = FORMAT

    @classmethod
    def fresh(cls, shard: int = 0) -> Meta:
        """Make the meta of a new journal: a secret from the system's randomness and the present time."""
        return cls(urandom(SECRET_BYTES), time_ns() // 1000, shard)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a journal ends: how many rows, the next position, the stamp of the last EVENTS row, the chain so far."""

    rows: int
    position: int
    stamp_us: int
    chain: bytes


class Readable(Protocol):
    """Rows in one order: a journal, or what is told as one."""

    def read(self, from_row: int = 0) -> Iterator[Row]:
        """Yield the rows from number `from_row` on."""
        ...


class Journal(Protocol):
    """Durable rows in one order, with one writer."""

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows at the end, all or none; they are durable when this returns.

        JournalError for a row that does not continue the journal, LimitError for one that is too large; the
        journal is then as it was.
        """
        ...

    def read(self, from_row: int = 0) -> Iterator[Row]:
        """Yield the rows from number `from_row` on, each verified, with one payload at a time in memory.

        JournalDamaged names the first row that is not what was appended.
        """
        ...

    def part(self, number: int, start: int = 0, stop: int = PAYLOAD_BYTES_MAX) -> Row:
        """Return row `number`, of its payload only the bytes `[start, stop)`, as far as there are any.

        Costs what the part costs. It is not held against the digest, which speaks about the whole.
        """
        ...

    def last(self) -> Head:
        """Return the end of the journal."""
        ...

    @property
    def meta(self) -> Meta:
        """What was fixed when the journal was made."""
        ...

    def close(self) -> None:
        """Let go of the store; every later call is a JournalError. Closing twice does no harm."""
        ...


def genesis(meta: Meta) -> Head:
    """Return the head of a journal without rows; its chain binds every row to this journal's meta."""
    fixed = _GENESIS.pack(meta.format, meta.shard, meta.created_us)
    chain = blake2b(fixed + meta.secret, digest_size=DIGEST_BYTES, person=b"onevoice journal").digest()
    return Head(0, 0, STAMP_NEVER, chain)


def seal(row: Row, head: Head, meta: Meta, where: str) -> tuple[Row, Head]:
    """Return the row with its digest and chain as the next one after `head`, and the head after it.

    JournalError or LimitError when the row does not continue the journal; `where` names the journal.
    """
    _refuse(row, head, f"{where} row {head.rows}")
    row = replace(row, digest=blake2b(row.payload, digest_size=DIGEST_BYTES).digest())
    chain = link(row, len(row.payload), head, meta)
    return replace(row, chain=chain), advance(row, chain, head)


def link(row: Row, length: int, head: Head, meta: Meta) -> bytes:
    """Return the chain of `row`, whose payload has `length` bytes, as the next one after `head`."""
    form = row.form.encode()
    numbers = (meta.format, meta.shard, head.rows, row.kind, row.position, row.count, row.stamp_us, row.mode)
    header = _HEADER.pack(*numbers, length, len(form)) + form
    return blake2b(head.chain + header + row.digest, digest_size=DIGEST_BYTES).digest()


def advance(row: Row, chain: bytes, head: Head) -> Head:
    """Return the head after `row`; only EVENTS move the position and the stamp."""
    if row.kind is Kind.EVENTS:
        return Head(head.rows + 1, row.position + row.count, row.stamp_us, chain)
    return Head(head.rows + 1, head.position, head.stamp_us, chain)


def verify_chain(row: Row, length: int, head: Head, meta: Meta, where: str) -> Head:
    """Return the head after `row`, or raise JournalDamaged when its header or digest is not what was sealed."""
    expected = link(row, length, head, meta)
    if row.chain != expected:
        raise damaged(where, head.rows, "breaks the chain", expected.hex()[:16], row.chain.hex()[:16])
    return advance(row, expected, head)


def verify_payload(row: Row, number: int, where: str) -> None:
    """Raise JournalDamaged when the payload is not the one the digest speaks about."""
    found = blake2b(row.payload, digest_size=DIGEST_BYTES).digest()
    if row.digest != found:
        raise damaged(where, number, "has another payload", row.digest.hex()[:16], found.hex()[:16])


def damaged(where: str, number: int, what: str, expected: str, found: str) -> JournalDamaged:
    """Make the error that names row `number` of the journal `where`, and the ways to mend it."""
    mend = "restore the journal from a backup"
    if number > 0:
        mend += f", or keep rows 0 to {number - 1} by onevoice.journal.sqlite.salvage(journal, into, rows={number})"
    return JournalDamaged(Mistake(f"the row {what}", f"{where} row {number}", expected, found, mend))


def closed(where: str) -> JournalError:
    """Make the error for a call after `close`."""
    return JournalError(Mistake("the journal is closed", where, mend="open it again"))


def _refuse(row: Row, head: Head, where: str) -> None:
    if len(row.payload) > PAYLOAD_BYTES_MAX:
        found = f"{len(row.payload):,} bytes"
        raise LimitError(
            Mistake("the payload is too large", where, f"at most {PAYLOAD_BYTES_MAX:,} bytes", found, "split the batch")
        )
    assert len(row.form) <= FORM_CHARACTERS_MAX, "a form is a short name"
    assert row.count >= 0, "a count is not negative"
    if row.kind is not Kind.EVENTS:
        if not 0 <= row.position <= head.position:
            expected = f"0 to {head.position}"
            raise JournalError(Mistake("the row speaks about events not yet in", where, expected, f"{row.position}"))
        return
    if row.position != head.position:
        raise JournalError(Mistake("positions have a gap", where, f"{head.position}", f"{row.position}"))
    if row.stamp_us < head.stamp_us:
        mend = "stamp with the greater of the clock and the journal's last stamp"
        found = f"{row.stamp_us}"
        raise JournalError(Mistake("journal time went back", where, f"at least {head.stamp_us}", found, mend))
