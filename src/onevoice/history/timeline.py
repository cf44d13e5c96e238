"""One customer's history as people look at it: what happened, what was true meanwhile, what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onevoice.history.notebook import timeline_html
from onevoice.history.tables import check_table, lines_table, table_of

if TYPE_CHECKING:
    from datetime import datetime

    from onevoice.events.pyarrow_untyped import Table
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
class Changed:
    """The playbook had become another by the customer's decision number `decision`, made at `time`."""

    time: datetime
    decision: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything about one customer in order of time. `now`: up to when time had passed. Shows itself in notebooks.

    `changes`: between which of the decisions the playbook changed.

    >>> _ = engine.ingest([{"type": "store_visited", "identifiers": ada}])
    >>> timeline = engine.timeline(ada)
    >>> [event.type for event in timeline.events], timeline.decisions
    (['store_visited'], ())
    """

    customer: int
    playbook: str
    time_zone: str
    now: datetime
    events: tuple[Happened, ...]
    bands: tuple[Band, ...]
    decisions: tuple[Decision, ...]
    changes: tuple[Changed, ...] = ()

    def table(self, name: str) -> Table:
        """Return `events`, `bands`, `decisions` or `changes` as a pyarrow Table.

        A row for each event (its identifiers, fields and traits as JSON), band, line of a decision (the columns of
        `Onevoice.decisions_table`), or change of the playbook; the same columns when there is no row; times in UTC.

        Raises OnevoiceError for another name.

        >>> _ = engine.ingest([{"type": "page_viewed", "identifiers": ada, "fields": {"page": "start"}}])
        >>> engine.timeline(ada).table("events").select(["type", "fields"]).to_pylist()
        [{'type': 'page_viewed', 'fields': '{"page":"start"}'}]
        """
        kinds = {"events": Happened, "bands": Band, "decisions": None, "changes": Changed}
        check_table(name, kinds)
        kind = kinds[name]
        return lines_table(self.decisions) if kind is None else table_of(kind, getattr(self, name))

    def _repr_html_(self) -> str:
        """Show the timeline as a drawing in a notebook."""
        return timeline_html(self)
