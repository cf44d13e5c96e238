"""Opening an engine: over the data in a folder, or in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from onevoice.engine.state import INFINITE
from onevoice.errors import JournalError, Mistake
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults
from onevoice.runtime.compiling import compile_once
from onevoice.runtime.decisions import setting
from onevoice.runtime.fold import Published
from onevoice.runtime.node import SNAPSHOT_EVERY, Onevoice, clock_us
from onevoice.runtime.payloads import PIECE_LINES, PIECE_LINES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.playbook.model import Playbook

JOURNAL: Final = "journal.sqlite"
SNAPSHOTS: Final = "snapshots"


def open_node(
    playbook: Playbook | str | Path | None = None,
    data_dir: str | Path | None = None,
    *,
    clock: Callable[[], int] = clock_us,
    snapshot_every: int = SNAPSHOT_EVERY,
    piece_lines: int = PIECE_LINES,
) -> Onevoice:
    """Open an engine: `onevoice.open` says how."""
    piece_lines = setting("open: piece_lines", piece_lines, 1, PIECE_LINES_MAX)
    snapshot_every = setting("open: snapshot_every", snapshot_every, 0, INFINITE)
    published = None if playbook is None else Published.of(playbook)
    if published is None and not (data_dir and (Path(data_dir) / JOURNAL).exists()):
        mend = "name one: `onevoice.open(playbook, data_dir)`"
        raise JournalError(Mistake("no journal here whose playbook could be taken", f"{data_dir or 'open'}", mend=mend))
    compile_once()  # what is wrong with what was given does not wait for it
    if data_dir is None:
        return Onevoice(published, MemoryJournal(), clock=clock, piece_lines=piece_lines)
    folder = Path(data_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        mend = "name a folder that may be written"
        raise JournalError(
            Mistake("the folder of the data cannot be made", f"{folder}", found=f"{error}", mend=mend)
        ) from error
    journal = SqliteJournal(folder / JOURNAL, vfs=faults.journal_vfs())
    try:
        return Onevoice(
            published,
            journal,
            folder / SNAPSHOTS,
            clock=clock,
            snapshot_every=snapshot_every,
            piece_lines=piece_lines,
        )
    except BaseException:
        journal.close()
        raise
