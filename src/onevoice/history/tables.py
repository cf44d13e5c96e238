"""Records as Arrow tables. The type of a column follows from its field, so that an empty table has the same columns."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from onevoice.errors import Mistake, OnevoiceError
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onevoice.history.decision import Decision, Line

TIME: Final = pa.timestamp("us", "UTC")
NAME: Final = pa.dictionary(pa.int32(), pa.string())
PARAMETERS: Final = pa.map_(pa.string(), pa.float64())

# A row for each line of a decision. What a line compared has a column of its own for each thing that it can be: the
# count of a cap (`value`, of `limit`), the time of the contact that a gap or `again_after` counts from, who won, and up
# to when a source was known that had stopped.
LINES: Final = pa.schema(
    {
        "decision": pa.int64(),
        "kind": NAME,
        "time": TIME,
        "position": pa.int64(),
        "customer": pa.int64(),
        "placement": NAME,
        "campaign": NAME,
        "key": pa.int64(),
        "reason": NAME,
        "channel": NAME,
        "rule": NAME,
        "value": pa.int64(),
        "limit": pa.int64(),
        "last_contact": TIME,
        "winner": NAME,
        "until": TIME,
        "score": pa.float64(),
        "contact": pa.int64(),
        "offer": NAME,
        "probability": pa.float64(),
        "parameters": PARAMETERS,
        "follows": pa.int64(),
        "known_until": TIME,
    }
)

_TYPES: Final = {
    "str": pa.string(),
    "int": pa.int64(),
    "bool": pa.bool_(),
    "float": pa.float64(),
    "date": pa.date32(),
    "datetime": TIME,
    "dict[str, Any]": pa.string(),  # as JSON: what senders put there has no type of its own
}


def table_of(kind: type, records: Iterable[Any]) -> Table:
    """Return records of one dataclass as a pyarrow Table, a column for each field; None is null, a mapping JSON."""
    rows = list(records)
    columns = {
        field.name: pa.array(
            [_plain(getattr(row, field.name)) for row in rows], _TYPES[f"{field.type}".removesuffix(" | None")]
        )
        for field in fields(kind)
    }
    return pa.table(columns)


def lines_table(decisions: Iterable[Decision]) -> Table:
    """Return the lines of decisions as a pyarrow Table with the columns of LINES."""
    rows = [_row(decision, line) for decision in decisions for line in decision.lines]
    return pa.Table.from_pylist(rows, LINES)


def check_table(name: str, known: Mapping[str, Any]) -> None:
    """Raise OnevoiceError where a table has none of the known names."""
    if name not in known:
        expected = f"one of {', '.join(f'`{each}`' for each in known)}"
        raise OnevoiceError(Mistake("no such table", "table", expected, f"{name!r}", did_you_mean(f"{name}", known)))


def _plain(value: Any) -> Any:
    return msgspec.json.encode(value, enc_hook=str).decode() if isinstance(value, dict) else value


def _row(decision: Decision, line: Line) -> dict[str, Any]:
    value = line.value
    known_until = value if line.reason == "stale" else None
    return {
        "decision": decision.number,
        "kind": decision.kind,
        "time": decision.time,
        "position": decision.position,
        "customer": decision.customer,
        "placement": decision.placement or None,
        "campaign": line.campaign,
        "key": line.key,
        "reason": line.reason,
        "channel": line.channel or None,
        "rule": line.rule or None,
        "value": value if isinstance(value, int) else None,
        "limit": line.limit,
        "last_contact": value if isinstance(value, datetime) and not known_until else None,
        "winner": value if isinstance(value, str) else None,
        "until": line.until,
        "score": line.score,
        "contact": line.contact,
        "offer": line.offer or None,
        "probability": line.probability,
        "parameters": [*line.parameters.items()] if line.parameters else None,
        "follows": line.follows,
        "known_until": known_until,
    }
