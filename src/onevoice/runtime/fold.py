"""The state as the fold of a journal: one playbook in force, one machine, rows in, outcomes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import blake2b, sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from onevoice.compiled import Split  # noqa: TC001 - msgspec reads it where a row is decoded
from onevoice.compiler import compile_playbook
from onevoice.engine import state as at
from onevoice.engine import store, timers
from onevoice.engine.machine import Machine
from onevoice.errors import JournalError, Mistake, PlaybookError, SnapshotError
from onevoice.events.batch import TYPE
from onevoice.journal.port import Kind, Mode, Row
from onevoice.playbook.builtin import RECEIPTS
from onevoice.playbook.check import check
from onevoice.playbook.load import digest_files, load_files, read_files
from onevoice.playbook.model import Playbook
from onevoice.runtime.decisions import Reading
from onevoice.runtime.payloads import Piece, decoded
from onevoice.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from onevoice.compiled import Compiled
    from onevoice.engine.machine import Outcome
    from onevoice.events.batch import Batch
    from onevoice.runtime.snapshot import Snapshot

FILES: Final = "playbook files"  # forms of a PLAYBOOK row: the files of a folder,
MODEL: Final = "playbook model"  # or a playbook built in Python;
SPLITS: Final = "playbook and splits"  # one of these, with identifiers that are two people's

_LOADED_MAX: Final = 8  # playbooks that are kept: what is split is told beside the same one again and again
_FILES_TOLD: Final = 5  # of those in which two versions of a playbook differ
_LETTERS: Final = "names.letters"
_EDGES: Final = "names.edges"
_RENUMBERED: Final = "renumbered."
_SPARE: Final = 2  # rows behind those in use that a table may need


@dataclass(frozen=True)
class Published:
    """A playbook and the form in which the journal keeps it, with the splits in force. `digest` is its version."""

    playbook: Playbook
    digest: str
    form: str
    payload: bytes
    splits: tuple[Split, ...] = ()

    @classmethod
    def of(cls, given: Playbook | str | Path) -> Published:
        """Load the playbook in a folder, or take one built in Python; PlaybookError where it cannot be used."""
        if not isinstance(given, Playbook):
            return cls.of_files(read_files(given), given)
        mistakes = check(given)
        if mistakes:
            raise PlaybookError(*mistakes)
        plain = msgspec.to_builtins(given)
        # A set has no order of its own, and equal playbooks have one digest.
        plain["policies"]["exempt"] = {name: sorted(kinds) for name, kinds in given.policies.exempt.items()}
        payload = msgspec.json.encode(plain)
        return cls(given, sha256(payload).hexdigest(), MODEL, payload)

    @classmethod
    def of_files(cls, files: Mapping[str, bytes], folder: str | Path = "…") -> Published:
        """Load a playbook from its files, as `load_files` does."""
        return cls(load_files(files, folder), digest_files(files), FILES, msgspec.msgpack.encode(dict(files)))

    @classmethod
    def of_row(cls, row: Row) -> Published:
        """Return the playbook that a journal row holds; one of the last few is not loaded again."""
        return _loaded(row.form, row.payload)

    def with_splits(self, splits: Sequence[Split]) -> Published:
        """Return the same playbook with these splits in force."""
        return replace(self, splits=tuple(splits))

    def changed_into(self, other: Published) -> str:
        """Say that another version of this playbook is to decide, and which files differ; empty where it is none."""
        if self.digest == other.digest or self.playbook.name != other.playbook.name:
            return ""
        files = self._unlike(other)
        told = f" ({', '.join(files)})" if 0 < len(files) <= _FILES_TOLD else ""
        name = self.playbook.name
        return f"playbook {name} has changed{told}; from here on it decides over all of the data as it is now"

    def _unlike(self, other: Published) -> list[str]:
        """Return the names of the files that are not the same in both; none where one is no folder of files."""
        if not self.form == other.form == FILES:
            return []
        ours, theirs = (msgspec.msgpack.decode(each.payload, type=dict[str, bytes]) for each in (self, other))
        return sorted(name for name in ours | theirs if ours.get(name) != theirs.get(name))

    @cached_property
    def compiled(self) -> Compiled:
        """The playbook compiled, once."""
        return compile_playbook(self.playbook, self.splits)

    def row(self, position: int, stamp: int) -> Row:
        """Return the journal row that puts this playbook in force from `position` on."""
        form, payload = self.form, self.payload
        if self.splits:
            form, payload = SPLITS, msgspec.msgpack.encode(_Kept(form, payload, self.splits))
        return Row(Kind.PLAYBOOK, position, 0, stamp, payload=payload, form=form)

    @staticmethod
    def splits_in(row: Row) -> tuple[Split, ...]:
        """Return the splits that a journal row puts in force."""
        return msgspec.msgpack.decode(row.payload, type=_Kept).splits if row.form == SPLITS else ()

    def is_in(self, row: Row) -> bool:
        """Tell whether it is this that a journal row puts in force."""
        ours = self.row(0, 0)
        return (row.form, row.payload) == (ours.form, ours.payload)


class _Kept(msgspec.Struct, array_like=True):
    """What a PLAYBOOK row holds where splits are in force: the row that it would be without them, and the splits."""

    form: str
    payload: bytes
    splits: tuple[Split, ...]


@lru_cache(maxsize=_LOADED_MAX)
def _loaded(form: str, payload: bytes) -> Published:
    if form == FILES:
        return Published.of_files(msgspec.msgpack.decode(payload, type=dict[str, bytes]))
    if form == MODEL:
        return Published.of(msgspec.json.decode(payload, type=Playbook))
    if form == SPLITS:
        kept = msgspec.msgpack.decode(payload, type=_Kept)
        return _loaded(kept.form, kept.payload).with_splits(kept.splits)
    known = f"{FILES}, {MODEL} or {SPLITS}"
    raise JournalError(Mistake("a form of playbook that is not known", "journal", known, form))


@dataclass
class Fold:
    """A machine under one playbook. `secret` keys the hashes of identifiers.

    In a rehearsal receipts of contacts from the number `others` on tell nothing: those numbers are others'.
    """

    published: Published
    secret: tuple[int, int]
    compiled: Compiled = field(init=False)
    machine: Machine = field(init=False)
    reading: Reading = field(init=False)
    # At which journal rows customers were numbered anew, and what became of each number (numbering.py).
    renumbered: list[tuple[int, NDArray[np.int64]]] = field(default_factory=list["tuple[int, NDArray[np.int64]]"])
    others: int = at.INFINITE

    def __post_init__(self) -> None:
        self.compiled = self.published.compiled
        self.machine = Machine(self.compiled, self.secret)
        self.reading = Reading(self.published.playbook)

    def decoded(self, row: Row) -> Batch:
        """Return the columns of an EVENTS row under this playbook."""
        schema = self.compiled.schema
        batch = decoded(Piece(row.payload, row.form, 0), row.mode, row.stamp_us, schema, self.secret)
        if self.others < at.INFINITE:
            for layout in map(schema.layout, RECEIPTS):
                contacts = batch.values[:, layout.fields["contact"].column]
                contacts[(batch.rows[:, TYPE] == layout.number) & (contacts >= self.others)] = np.nan
        return batch

    def under(self, published: Published) -> Fold:
        """Return a state without history that is told of the same journal, under another playbook."""
        return Fold(published, self.secret, others=self.others)

    def step(self, row: Row, batch: Batch | None = None) -> Outcome:
        """Process an EVENTS row of the journal; `batch`, if given, is its payload decoded."""
        return self.machine.row(
            self.decoded(row) if batch is None else batch,
            row.stamp_us,
            imported=bool(row.mode & Mode.IMPORT),
            observing=bool(row.mode & Mode.OBSERVE),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, names included, fit for a snapshot; most share the state's memory.

        Tables are given without the greater part of their room to grow.
        """
        state = self.machine.state
        found: dict[str, NDArray[Any]] = {name: getattr(state, name) for name in at.State.fields}
        for name, pool in at.TABLES.items():
            used = int(state.pools[pool, [store.COUNT, store.HIGH]].max()) + _SPARE
            found[name] = found[name][: max(at.DECISIONS_ROWS, 2 ** (used - 1).bit_length())]
        found["pools"] = state.pools.copy()
        found["pools"][:, store.ROOM] = 0  # counted anew before the next event
        texts = [text.encode() for text in self.machine.names.texts]
        found[_LETTERS] = np.frombuffer(b"".join(texts), np.uint8)
        found[_EDGES] = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return found | {f"{_RENUMBERED}{row}": numbers for row, numbers in self.renumbered}

    def header(self) -> dict[str, str]:
        """Return what a snapshot must agree with to be taken up: playbook, compiled program, columns of the state."""
        return {
            "playbook": self.published.digest,
            "program": _digest_of_program(self.compiled),
            "layout": layout_digest(),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Take up a snapshot of this playbook; SnapshotError where it was made by another one, or another version."""
        for key, expected in self.header().items():
            found = snapshot.header.get(key, "none")
            if found != expected:
                mend = "the journal is replayed instead"
                what = f"the snapshot has another {key}"
                raise SnapshotError(Mistake(what, f"{snapshot.path}", expected[:16], f"{found}"[:16], mend))
        arrays = dict(snapshot.arrays)
        letters, edges = arrays.pop(_LETTERS).tobytes(), arrays.pop(_EDGES).tolist()
        texts = [letters[start:stop].decode() for start, stop in pairwise(edges)]
        swaps = sorted(int(name.removeprefix(_RENUMBERED)) for name in arrays if name.startswith(_RENUMBERED))
        self.renumbered = [(row, arrays.pop(f"{_RENUMBERED}{row}")) for row in swaps]
        machine = Machine(self.compiled, self.secret)
        machine.names.learn(machine.state, texts)
        machine.state = at.State(**arrays)
        self.machine = machine


def layout_digest() -> str:
    """Return a digest over the name and number of every column of the state: another layout, another digest."""
    columns: list[tuple[str, str, int]] = []
    for module in (at, store, timers):
        named = sorted(vars(module).items())
        columns += [(module.__name__, name, value) for name, value in named if isinstance(value, int)]
    return blake2b(repr((columns, at.State.fields)).encode(), digest_size=16).hexdigest()


def _digest_of_program(compiled: Compiled) -> str:
    total = blake2b(repr((compiled.names, compiled.patterns)).encode(), digest_size=16)
    _digest_tables(compiled.program, total)
    return total.hexdigest()


def _digest_tables(tables: Tables, total: blake2b) -> None:
    for name in tables.fields:
        found = getattr(tables, name)
        if isinstance(found, Tables):
            _digest_tables(found, total)
        else:
            total.update(repr((name, found.shape)).encode())
            total.update(found.tobytes())
