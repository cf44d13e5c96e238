"""Decisions as tables that SQL asks: lines to wishes by `wishes.sql`, queries by their names, rows as records."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeVar

import duckdb

from onevoice.events.pyarrow_untyped import pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from onevoice.events.pyarrow_untyped import Table
    from onevoice.playbook.model import Campaign, CampaignClass, Playbook

MEMORY: Final = "1GB"  # of a database with a folder; what is more lies there
# What wishes.sql asks of a line.
_COLUMNS: Final = [
    *("decision", "kind", "time", "position", "customer", "placement", "campaign", "key", "reason", "channel", "rule"),
    *("last_contact", "winner", "contact", "follows", "offer", "parameters", "words"),
]
_CONFIG: Final[dict[str, Any]] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}

_Row = TypeVar("_Row")


def opened(folder: Path | None = None) -> Any:
    """Return an empty database in memory; with a folder, what exceeds MEMORY lies there. Close it after use."""
    if folder is None:
        return duckdb.connect(config=_CONFIG)
    return duckdb.connect(config=_CONFIG | {"memory_limit": MEMORY, "temp_directory": str(folder / "spilled")})


def load_lines(base: Any, lines: Iterable[Table]) -> None:
    """Put lines of decisions into the table `decided` of the present schema, one table of them after another."""
    for number, each in enumerate(lines):
        base.register("coming", each.select(_COLUMNS))
        base.execute("insert into decided from coming" if number else "create table decided as from coming")


def make_wishes(base: Any, playbooks: Sequence[Playbook]) -> None:
    """Make the tables of wishes.sql in the present schema, in which `decided` is already.

    `decided` has the columns of `Onevoice.decisions_table`, merges resolved (-1: a customer who is gone), and `words`:
    what a line's rule says. `playbooks`: those it was decided under, of which the last is in force.
    """
    campaigns, classes = _campaigns(playbooks)
    in_force = playbooks[-1].campaigns
    columns = {
        "number": pa.array(range(len(campaigns)), pa.int64()),
        "name": pa.array([campaign.name for campaign in campaigns], pa.string()),
        "class": pa.array([campaign.klass for campaign in campaigns], pa.string()),
        "owner": pa.array([campaign.owner for campaign in campaigns], pa.string()),
        "sends": pa.array([campaign.name in in_force and bool(campaign.send) for campaign in campaigns], pa.bool_()),
        "counts": pa.array([klass is None or klass.counts for klass in classes], pa.bool_()),
    }
    base.register("campaigns_told", pa.table(columns))
    run(base, "wishes.sql", zone=playbooks[-1].time_zone)


def run(base: Any, name: str, **given: Any) -> None:
    """Run the statements of a file, each with those of the given values that it names."""
    for statement in _text(name).split(";\n"):
        used = {key: value for key, value in given.items() if f"${key}" in statement}
        base.execute(statement, used or None)


@cache
def queries(name: str) -> dict[str, str]:
    """Return the queries of a file by their names."""
    named = [part.partition("\n") for part in _text(name).split("-- name: ")[1:]]
    return {name.strip(): query for name, _, query in named}


def rows_of(base: Any, kind: type[_Row], query: str, **given: Any) -> tuple[_Row, ...]:
    """Return the rows of a query as records, its columns in the order of the record's fields."""
    found = base.sql(query, params=given).to_arrow_table()
    columns = [list(map(_plain, column.to_pylist())) for column in found.columns]
    return tuple(kind(*row) for row in zip(*columns, strict=True))


def row_of(base: Any, query: str, **given: Any) -> list[Any]:
    """Return the one row of a query."""
    found = base.sql(query, params=given).to_arrow_table()
    return [_plain(column[0].as_py()) for column in found.columns]


def _campaigns(playbooks: Sequence[Playbook]) -> tuple[list[Campaign], list[CampaignClass | None]]:
    """Return every campaign there ever was as it was last, with its class then, those in force first."""
    found: dict[str, tuple[Campaign, CampaignClass | None]] = {}
    for playbook in reversed(playbooks):
        classes = playbook.policies.classes
        for name, campaign in playbook.campaigns.items():
            found.setdefault(name, (campaign, classes.get(campaign.klass)))
    return [campaign for campaign, _ in found.values()], [klass for _, klass in found.values()]


def _text(name: str) -> str:
    return files("onevoice.history").joinpath(name).read_text("utf-8")


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
