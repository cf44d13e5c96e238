"""The SQL files of this folder: queries by their names, their rows as records."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

_Row = TypeVar("_Row")


@cache
def text_of(name: str) -> str:
    """Return the text of a file of this folder."""
    return files("onevoice.history").joinpath(name).read_text("utf-8")


@cache
def queries_of(name: str) -> dict[str, str]:
    """Return the queries of a SQL file by their names, each below its line `-- name: …`."""
    named = [part.partition("\n") for part in text_of(name).split("-- name: ")[1:]]
    return {name.strip(): query for name, _, query in named}


def records(base: Any, kind: type[_Row], query: str, **given: Any) -> tuple[_Row, ...]:
    """Return the rows of a query as records, its columns in the order of the record's fields; times in UTC."""
    found = base.sql(query, params=given).to_arrow_table()
    columns = [list(map(_plain, column.to_pylist())) for column in found.columns]
    return tuple(kind(*row) for row in zip(*columns, strict=True))


def first_row(base: Any, query: str) -> list[Any]:
    """Return the one row of a query, or its first."""
    found = base.sql(query).to_arrow_table()
    return [_plain(column[0].as_py()) for column in found.columns]


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
