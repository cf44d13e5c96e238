"""One night lived through by an engine, and what it recorded about each customer."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import onevoice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta


HERE = Path(__file__).parent


class Told(NamedTuple):
    """A line of the record."""

    time: datetime
    campaign: str
    reason: str
    until: datetime | None = None


def event(time: datetime, who: str, kind: str, traits: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    line = {"type": kind, "time": time.isoformat(), "identifiers": {"email": f"{who}@example.com"}, "fields": fields}
    return line | ({"traits": traits} if traits else {})


def lived(
    name: str, events: Iterable[dict[str, Any]], first: datetime, last: datetime, **words: str
) -> onevoice.Onevoice:
    """Return an engine that came to `first`, took the events at their own times, and let time pass to `last`.

    Its playbook is the file of this name, with what `words` say in the place of each word.
    """
    text = (HERE / f"{name}.yaml").read_text("utf-8")
    for word, said in words.items():
        text = text.replace(word, said)
    with TemporaryDirectory() as folder:
        (Path(folder) / "playbook.yaml").write_text(text, "utf-8")
        engine = onevoice.open(folder)
    engine.tick(first)
    taken = engine.ingest(sorted(events, key=lambda line: line["time"]), imported=True, time=last)
    assert not taken.rejected, taken.rejected
    engine.tick(last)
    return engine


def told(engine: onevoice.Onevoice, who: str) -> list[Told]:
    """Return what was recorded about a customer, in the journal's order."""
    customer = engine.state({"email": f"{who}@example.com"})
    assert customer is not None
    return [
        Told(made.time, line.campaign, line.reason, line.until)
        for made in engine.decisions(customer.number)
        for line in made.lines
    ]


def since(start: datetime, lines: Iterable[Told]) -> list[tuple[timedelta, str, str, timedelta | None]]:
    """Return lines with their times counted from an instant."""
    return [(line.time - start, line.campaign, line.reason, line.until and line.until - start) for line in lines]
