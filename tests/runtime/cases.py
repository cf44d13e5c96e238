"""Drawn playbooks and journals, as calls of the public interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Meta
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime.fold import Published
from onevoice.runtime.node import Onevoice
from onevoice.runtime.opening import JOURNAL, SNAPSHOTS
from tests.oracle.strategies import draw_case

if TYPE_CHECKING:
    from pathlib import Path

    from onevoice.playbook.model import Playbook
    from tests.oracle.draw_stream import Batch

META = Meta(bytes(range(16)), created_us=0)


def drawn(seed: int) -> tuple[Playbook, list[Batch]]:
    playbook, batches = draw_case(seed)
    return playbook, list(batches)


def opened(playbook: Playbook, folder: Path | None = None, **settings: Any) -> Onevoice:
    """Open an engine whose journal has the same secret in every test, so that hashes can be compared."""
    published = Published.of(playbook)
    if folder is None:
        return Onevoice(published, MemoryJournal(META), **settings)
    folder.mkdir(exist_ok=True)
    journal = SqliteJournal(folder / JOURNAL, new=META)
    try:
        return Onevoice(published, journal, folder / SNAPSHOTS, **settings)
    except BaseException:
        journal.close()
        raise


def payload(batch: Batch) -> bytes:
    return b"".join((b"{" if line is None else msgspec.json.encode(line)) + b"\n" for line in batch.lines)


def take(engine: Onevoice, batch: Batch) -> None:
    if batch.lines:
        engine.ingest(payload(batch), time=batch.stamp, imported=batch.imported, decide=not batch.observing)
    else:
        engine.tick(batch.stamp)


def outcome(engine: Onevoice) -> tuple[str, list[str]]:
    """What two engines with one history must agree on."""
    return engine.hash(), list(map(repr, engine.decisions()))
