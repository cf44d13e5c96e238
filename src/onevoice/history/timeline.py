"""One customer's history as people look at it: what happened, what was true meanwhile, what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onevoice.history.notebook import timeline_html

if TYPE_CHECKING:
    from datetime import datetime

    from onevoice.history.decision import Decision


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the customer as it came in. `time`: when it occurred; `fields` and `traits` as they were sent."""

    time: datetime
    position: int
    type: str
    identifiers: dict[str, Any]
    fields: dict[str, Any]
    traits: dict[str, Any]
    source: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """Something that was true for a while. `kind`: "fact", with its `key` as a text, or "segment".

    `until` is None while it holds, or where nothing but an event will end it.
    """

    kind: str
    name: str
    key: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything about one customer in order of time. `now`: up to when time had passed."""

    customer: int
    playbook: str
    time_zone: str
    now: datetime
    events: tuple[Happened, ...]
    bands: tuple[Band, ...]
    decisions: tuple[Decision, ...]

    def _repr_html_(self) -> str:
        """Show the timeline as a drawing in a notebook."""
        return timeline_html(self)
