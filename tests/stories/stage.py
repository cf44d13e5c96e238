"""The stage of the stories: one company with its playbook, a clock in local time, and what was said to whom."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import onevoice
from onevoice.playbook.model import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONE = ZoneInfo("Europe/Vilnius")  # of every playbook here unless it says otherwise

ANN = {"email": "ann@example.lt", "phone": "+37061111111"}
BOB = {"email": "bob@example.lt", "phone": "+37062222222"}
NOBODY: dict[str, str] = {}  # of whom a world event speaks


def at(text: str) -> datetime:
    """Return a local time such as `2026-03-01 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def shown(time: datetime | None) -> str:
    """Return an instant as `at` reads it; empty for one that never comes."""
    return time.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00") if time else ""


def event(kind: str, who: Mapping[str, str], **parts: Any) -> dict[str, Any]:
    """Return a line of input. `occurred`, `source`, `id` and `traits` are the line's; the rest are fields."""
    own = {name: parts.pop(name) for name in ("source", "id", "traits") if name in parts}
    if occurred := parts.pop("occurred", ""):
        own["time"] = at(occurred).astimezone(UTC).isoformat()
    return {"type": kind, "identifiers": dict(who), "fields": parts} | own


class Stage:
    """A company whose playbook and data are folders. Time passes only when something happens or `until` is called."""

    def __init__(self, folder: Path, playbook: str, products: str = "") -> None:
        self.playbook, self.data = folder / "playbook", folder / "data"
        self.playbook.mkdir()
        (self.playbook / "playbook.yaml").write_text(playbook)
        (self.playbook / "products.csv").write_text(products)
        self.now = at("2026-01-01 00:00")
        self.engine = self.opened()

    def opened(self) -> onevoice.Onevoice:
        return onevoice.open(self.playbook, self.data, clock=lambda: int(self.now.timestamp()) * SECOND)

    def happens(self, time: str, kind: str, who: Mapping[str, str], **parts: Any) -> None:
        """Let one event come in at this local time; see `event`."""
        self.arrive(time, [event(kind, who, **parts)])

    def arrive(self, time: str, events: list[dict[str, Any]]) -> None:
        """Let a batch come in at this local time, whenever its events occurred."""
        self.now = at(time)
        taken = self.engine.ingest(events, time=self.now)
        assert not taken.rejected, taken.rejected

    def until(self, time: str) -> None:
        """Let time pass."""
        self.now = at(time)
        self.engine.tick(time=self.now)

    def asks(self, time: str, placement: str, who: Mapping[str, str]) -> list[str]:
        """Return the campaigns shown to a customer who reaches us at a placement now."""
        self.now = at(time)
        return [line.campaign for line in self.engine.decide(placement, who).won]

    def reopen(self) -> None:
        """Stop and start again, from a snapshot."""
        self.engine.snapshot()
        self.engine.close()
        self.engine = self.opened()

    def crash(self) -> None:
        """Go on with what was on the disk at this instant, as after a power cut."""
        torn = Path(shutil.copytree(self.data, f"{self.data}_torn"))
        self.engine.close()
        self.data = torn
        self.engine = self.opened()

    def said(self) -> list[tuple[str, str, str]]:
        """Return (time, campaign, channel) of every contact that was made."""
        made = [(when, line) for when, line in self.lines() if line.reason == "won" and line.contact is not None]
        return [(shown(when), line.campaign, line.channel) for when, line in made]

    def why(self, campaign: str) -> list[tuple[str, str, str]]:
        """Return (time, reason, until when) of every word recorded about a campaign."""
        made = self.lines()
        return [(shown(when), line.reason, shown(line.until)) for when, line in made if line.campaign == campaign]

    def lines(self) -> list[tuple[datetime, onevoice.Line]]:
        """Return every line of every decision with its time, in the journal's order."""
        return [(made.time, line) for made in self.engine.decisions() for line in made.lines]
