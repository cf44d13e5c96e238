"""How the files of one import are read: as events as they stand, or as lines that a mapping makes events of."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from onevoice.errors import EventError, Mistake
from onevoice.importing.load import load_mapping
from onevoice.importing.mapped import Mapped, open_mapped

if TYPE_CHECKING:
    from collections.abc import Generator

    from onevoice.importing.model import FileMapping
    from onevoice.importing.summary import Summary
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.payloads import Events
    from onevoice.runtime.writer import Entry

FOLDER = "importing"


@dataclass
class Form:
    """A mapping, or none; `summaries` tell what became of the lines of each file that was mapped.

    `aside` is where the lines go that make no event, `folder` where files are worked on.
    """

    mapping: FileMapping | None = None
    aside: Path | None = None
    folder: Path | None = None
    summaries: list[Summary] = field(default_factory=list["Summary"])
    _mapped: Mapped | None = None

    @property
    def digest(self) -> str:
        """The digest of the mapping's meaning, "" without one."""
        return self.mapping.digest if self.mapping else ""

    @contextmanager
    def opened(self, path: Path, playbook: Playbook) -> Generator[Events]:
        """Give the events of a file; the lines kept aside are in their own file before the first event is told."""
        if self.mapping is None:
            yield path
            return
        with open_mapped(path, self.mapping, playbook, self.folder) as mapped:
            if self.aside is not None:
                mapped.write_aside(self.aside)
            self.summaries.append(mapped.summary)
            self._mapped = mapped
            try:
                yield mapped.events()
            finally:
                self._mapped = None

    def rejected(self, entry: Entry, path: Path) -> list[Mistake]:
        """Tell the rejected lines of an entry with their places in the file."""
        assert entry.taken is not None, "what comes from a file says how far it is taken"
        before = entry.taken.lines - entry.batch.lines
        if self._mapped is None:
            return [rejection.at(before, f"{path}") for rejection in entry.batch.rejected]
        lines = [self._mapped.line_of(before + rejection.line) for rejection in entry.batch.rejected]
        return [
            each.at(line - 1 - each.line, f"{path}") for each, line in zip(entry.batch.rejected, lines, strict=True)
        ]


def form_of(
    mapping: FileMapping | str | Path | None, aside: str | Path | None, snapshots: Path | None, summaries: list[Summary]
) -> Form:
    """Return how files are read by this mapping, worked on beside the snapshots; `summaries` is filled by them.

    Raises MappingError where it is broken, EventError for `aside` without one.
    """
    if isinstance(mapping, (str, Path)):
        mapping = load_mapping(mapping)
    if aside is not None and mapping is None:
        mend = "name the mapping, or leave `aside` out: a line of events that cannot be used is told as rejected"
        raise EventError(Mistake("a place for lines kept aside, and no mapping", f"{aside}", mend=mend))
    folder = None if snapshots is None else snapshots.with_name(FOLDER)
    return Form(mapping, None if aside is None else Path(aside), folder, summaries)
