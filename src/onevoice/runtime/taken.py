"""How far files of events were taken, written into the journal together with their events.

A file is known by its content, not by its name: the same command after a crash goes on where the journal ends, and a
file that was taken whole is not taken again under any name.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from onevoice.errors import EventError, Mistake
from onevoice.journal.port import Kind, Row

FORM: Final = "file"

_BLOCK: Final = 1 << 20
_BY: Final = " by "  # between the digest of a file and that of its mapping


class Taken(msgspec.Struct, frozen=True):
    """How far a file was taken: `taken` bytes of lines (unpacked) or rows of a table, `lines` events of it."""

    digest: str
    name: str
    taken: int = 0
    lines: int = 0
    done: bool = False

    def row(self, position: int, stamp: int) -> Row:
        """Return the journal row that says so; it goes into one append with the events."""
        return Row(Kind.FILE, position, 0, stamp, payload=msgspec.json.encode(self), form=FORM)


class TakenFiles:
    """What the journal says about files, by their content."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Taken] = {}

    def note(self, taken: Taken) -> None:
        """Take up a newer word about a file."""
        self._by_digest[taken.digest] = taken

    def note_row(self, row: Row) -> None:
        """Take up what a FILE row of the journal says."""
        self.note(msgspec.json.decode(row.payload, type=Taken))

    def records(self) -> list[dict[str, object]]:
        """Return everything as plain data, for the header of a snapshot."""
        return [msgspec.to_builtins(taken) for taken in self._by_digest.values()]

    def restore(self, records: list[dict[str, object]]) -> None:
        """Replace everything by what `records` returned."""
        self._by_digest = {taken.digest: taken for taken in msgspec.convert(records, list[Taken])}

    def of(self, path: str | Path, mapping: str = "") -> Taken:
        """Return how far a file was taken, by the mapping with this digest or by none.

        Raises EventError when it was begun and it or its mapping has changed since, when it was taken whole under
        another mapping, or when it cannot be read.
        """
        content = digest_of(path)
        digest = f"{content}{_BY}{mapping}" if mapping else content
        found = self._by_digest.get(digest)
        if found is not None:
            return found
        name = Path(path).name
        for taken in self._by_digest.values():
            if taken.digest.partition(_BY)[0] == content:
                _refuse_other_mapping(path, taken)
            if taken.name == name and not taken.done:
                mend = "restore the file as it was; give a different file a name of its own"
                what = f"the file was begun ({taken.lines:,} events are taken) and has changed since"
                raise EventError(Mistake(what, f"{path}", f"content {taken.digest[:16]}", digest[:16], mend))
        return Taken(digest, name)


def _refuse_other_mapping(path: str | Path, taken: Taken) -> NoReturn:
    """Raise EventError: the same lines would become events once more, other ones."""
    whole = "was taken whole" if taken.done else f"was begun ({taken.lines:,} events are taken)"
    mend = "give the mapping as it was, or import into a new folder of data"
    raise EventError(Mistake(f"the file {whole} under another mapping, or none", f"{path}", mend=mend))


def digest_of(path: str | Path) -> str:
    """Return the BLAKE2b digest of a file's content; EventError when it cannot be read. Costs about 1 s a GB."""
    total = blake2b(digest_size=16)
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                total.update(block)
    except OSError as error:
        raise EventError(Mistake("cannot be read", f"{path}", found=f"{error}")) from error
    return total.hexdigest()
