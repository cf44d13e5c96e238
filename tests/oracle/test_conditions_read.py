"""The twin's reading of a condition is DuckDB's, on random conditions over traits, event fields and the clock."""

from __future__ import annotations

import os
import secrets
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from onevoice.conditions.sql import MACROS, Reading
from onevoice.conditions.tree import Expression, FactRead, Read, SymbolKind, Type, walk
from onevoice.conditions.types import check
from tests.conditions import bed
from tests.conditions.generate import Generator

from .conditions import View, evaluate
from .draw import Dice
from .state import Customer

CONDITIONS = int(os.environ.get("ORACLE_CONDITIONS", "2000"))
ROWS = 12
NOW = 1_774_746_000_123_456  # Vilnius moves its clocks in this hour
KINDS = (Type.BOOLEAN, Type.NUMBER, Type.TIME, Type.DATE, Type.INTERVAL, Type.TEXT)
DAY_US = 86_400_000_000
ARROW = {
    Type.NUMBER: pa.float64(),
    Type.TEXT: pa.string(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("us", "UTC"),
    Type.DATE: pa.timestamp("us"),
}


def is_simple(expression: Expression) -> bool:
    """Tell whether a condition reads only what a row here holds."""
    known = {SymbolKind.TRAIT, SymbolKind.EVENT_FIELD}
    return not any(
        isinstance(each, FactRead) or (isinstance(each, Read) and each.symbol.kind not in known)
        for each in walk(expression)
    )


def draw_value(dice: Dice, kind: Type) -> Any:
    if dice.chance(0.2):
        return None
    match kind:
        case Type.NUMBER:
            return dice.choice((0.0, 1.0, -2.5, 7.0, 0.1, 1e300, -1e300, 1e-300))
        case Type.TEXT:
            return dice.choice(bed.NAMES)
        case Type.BOOLEAN:
            return dice.chance(0.5)
        case Type.DATE:
            return dice.randint(100, 40_000) * DAY_US
        case _:
            return NOW + dice.randint(-(10**15), 10**15)


def draw_row(dice: Dice) -> dict[str, Any]:
    traits = {name: draw_value(dice, kind) for name, kind in bed.TRAITS.items()}
    fields = {f"event.{name}": draw_value(dice, kind) for name, kind in bed.EVENT.items()}
    return {**traits, **fields, "time_zone": dice.choice(bed.ZONE_NAMES)}


def view_of(row: dict[str, Any]) -> View:
    book = SimpleNamespace(zone_trait="time_zone", playbook=SimpleNamespace(time_zone="UTC"))
    customer = Customer(0, (0, 0), traits={name: (value, (0, 0)) for name, value in row.items()})
    fields = {name.removeprefix("event."): value for name, value in row.items() if name.startswith("event.")}
    return View(book, NOW, customer, fields)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    kinds = {**bed.TRAITS, **{f"event.{name}": kind for name, kind in bed.EVENT.items()}, "time_zone": Type.TEXT}
    columns: dict[str, pa.Array] = {"row": pa.array(range(len(rows)))}
    for name, kind in kinds.items():
        column = pa.array([row[name] for row in rows], ARROW[kind])
        columns[name] = column.cast(pa.date32()) if kind is Type.DATE else column
    return pa.table(columns)


def test_the_twin_reads_conditions_as_duckdb_does():
    seed = int(os.environ.get("ORACLE_SEED", secrets.randbits(32)))
    print(f"ORACLE_SEED={seed}")
    dice, generator = Dice.seeded(seed), Generator(np.random.default_rng(seed), clock=True)
    rows = [draw_row(dice) for _ in range(ROWS)]
    drawn = [(kind, generator.draw(kind, 1 + at % 4)) for at in range(CONDITIONS) for kind in [dice.choice(KINDS)]]
    checked = [(text, check(text, bed.SCOPE, kind, "")) for kind, text in drawn]
    simple = [(text, expression) for text, expression in checked if is_simple(expression)]
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    for macro in MACROS:
        connection.execute(macro)
    connection.register("arrow_rows", table_of(rows))
    connection.execute("create table rows as from arrow_rows")
    reading = Reading(now=f"make_timestamptz({NOW})")
    views = [view_of(row) for row in rows]
    assert len(simple) > CONDITIONS / 5
    for start in range(0, len(simple), 50):
        batch = simple[start : start + 50]
        selected = ", ".join(f"{reading.sql(expression)} as c{at}" for at, (_, expression) in enumerate(batch))
        found = connection.sql(f"select {selected} from rows order by row").fetchall()
        for at, (text, expression) in enumerate(batch):
            for row, values in zip(views, found, strict=True):
                try:
                    read = evaluate(expression, row)
                except OverflowError:  # Python's dates end with the year 9999
                    continue
                assert read == values[at], f"ORACLE_SEED={seed}: {text}"
