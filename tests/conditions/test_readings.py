"""The two readings of a condition agree: the kernel's and DuckDB's, on random conditions over random rows."""

import os
import secrets

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from onevoice.conditions.code import Assembler
from onevoice.conditions.sql import MACROS, Reading
from onevoice.conditions.tree import OFFER_PRODUCT, Symbol, Type
from onevoice.conditions.types import check
from onevoice.engine import bits, measures
from onevoice.engine.state import ZONE
from onevoice.program import NUMBER_PROPENSITY, PROPOSAL_CAMPAIGN, PROPOSAL_OFFER
from onevoice.zones import zone_names
from tests.conditions import bed
from tests.conditions.generate import Generator

SEED = int(os.environ.get("SEED", secrets.randbits(32)))
KINDS = (Type.BOOLEAN, Type.BOOLEAN, Type.BOOLEAN, Type.NUMBER, Type.TIME, Type.DATE, Type.INTERVAL, Type.TEXT)
NOW = 1_774_746_000_123_456  # Vilnius moves its clocks in this hour


def _matrix(world: bed.World, symbol: Symbol, row: int) -> float:
    kind, program = symbol.kind, world.program
    proposal = world.proposal[row]
    offer = -1 if proposal < 0 else program.proposals[proposal, PROPOSAL_OFFER]
    if kind is bed.KIND.TRAIT:
        return world.state.traits[row, symbol.index]
    if kind is bed.KIND.MEASURE:
        return measures.value(program, world.state, row, symbol.index, NOW)
    if kind is bed.KIND.SEGMENT:
        return float(bits.bit(world.state.memberships, row, symbol.index))
    if kind is bed.KIND.EVENT_FIELD:
        return world.values[row, symbol.index]
    if kind is bed.KIND.CAMPAIGN:
        if proposal >= 0 and symbol.index >= NUMBER_PROPENSITY:
            return world.state.ranking[symbol.index - NUMBER_PROPENSITY]
        campaign = program.proposals[proposal, PROPOSAL_CAMPAIGN]
        return np.nan if proposal < 0 else program.campaign_numbers[campaign, symbol.index]
    if kind is bed.KIND.OFFER_FIELD and symbol.index == OFFER_PRODUCT:
        return float(world.product[row]) if world.product[row] >= 0 else np.nan
    if kind is bed.KIND.OFFER_FIELD:
        return np.nan if offer < 0 else program.offers[offer, symbol.index]
    code = world.product[row] if kind is bed.KIND.OFFER_PRODUCT_FIELD else world.values[row, symbol.index]
    column = symbol.index if kind is bed.KIND.OFFER_PRODUCT_FIELD else symbol.column
    return program.products[int(code), column] if 0 <= code < bed.PRODUCT_COUNT else np.nan


def _arrow(world: bed.World, name: str, symbol: Symbol) -> pa.Array:
    """Return a symbol's values over all rows as the export would hold them."""
    if symbol.kind is bed.KIND.FACT:
        return pa.array([keys[name] for keys in world.open_keys], pa.list_(pa.list_(pa.string())))
    raw = [_matrix(world, symbol, row) for row in range(len(world.values))]
    values = [None if np.isnan(value) else float(value) for value in raw]
    if symbol.type is Type.TEXT:
        return pa.array([None if value is None else world.names[int(value)] for value in values], pa.string())
    if symbol.type is Type.BOOLEAN:
        return pa.array([None if value is None else bool(value) for value in values])
    if symbol.type is Type.NUMBER:
        return pa.array(raw, pa.float64())  # not a number and infinite as they are: the reading has to guard
    micros = pa.array([None if value is None else int(value) for value in values], pa.int64())
    if symbol.type is Type.TIME:
        return micros.cast(pa.timestamp("us", "UTC"))
    return micros.cast(pa.timestamp("us")).cast(pa.date32())


def _table(world: bed.World) -> pa.Table:
    columns = {
        name: _arrow(world, name, symbol) for name, symbol in bed.SCOPE.symbols.items() if symbol.type is not None
    }
    for fact in bed.FACTS:
        keys = [bed.of_all(world.open_keys, row, fact) for row in range(len(world.values))]
        columns[f"{bed.GROUP}.{fact}"] = pa.array(keys, pa.list_(pa.list_(pa.string())))
    columns["time_zone"] = pa.array([zone_names()[zone] for zone in world.state.customers[: len(world.values), ZONE]])
    return pa.table({"row": pa.array(range(len(world.values))), **columns})


def _of_duckdb(connection: duckdb.DuckDBPyConnection, selected: list[str]) -> list[np.ndarray]:
    table = connection.sql(f"select {', '.join(selected)} from rows order by row").to_arrow_table()
    return [
        column.to_numpy()
        for column in table.cast(pa.schema([(name, pa.float64()) for name in table.column_names])).columns
    ]


def _coded(expression: str, kind: Type) -> str:
    if kind is Type.BOOLEAN:
        return f"({expression})::int::double"
    if kind is Type.TEXT:
        return f"(list_position((select texts from names), {expression}) - 1)::double"
    return expression


@pytest.fixture(scope="module")
def drawn():
    """Draw 10,000 conditions, half of them small, and the rows they are asked over."""
    random = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    generator, names = Generator(random, clock=True), bed.Names()
    texts = [generator.draw(KINDS[i % len(KINDS)], 1 + i % 4) for i in range(10_000)]
    expressions = [check(text, bed.SCOPE, KINDS[i % len(KINDS)], "") for i, text in enumerate(texts)]
    assembler = Assembler(names.code_of)
    numbers = [assembler.add(each) for each in expressions]
    return texts, expressions, numbers, bed.world(assembler, names, random, rows=24, at=NOW)


def test_both_readings_agree_on_ten_thousand_random_conditions(drawn) -> None:
    texts, expressions, numbers, world = drawn
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    for macro in MACROS:
        connection.execute(macro)
    connection.register("arrow_rows", _table(world))
    connection.execute("create table rows as from arrow_rows")
    connection.execute("create table names as select ?::varchar[] as texts", [world.names])
    reading = Reading(now=f"make_timestamptz({NOW})")
    known = 0
    for start in range(0, len(texts), 50):
        batch = range(start, min(start + 50, len(texts)))
        selected = [f"{_coded(reading.sql(expressions[i]), expressions[i].type)} as c{i}" for i in batch]
        for i, column in zip(batch, _of_duckdb(connection, selected), strict=True):
            actual = np.array([world.evaluate(numbers[i], row, NOW) for row in range(len(world.values))])
            expected = column.astype(np.float64)
            same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
            assert same.all(), f"seed {SEED}, row {np.flatnonzero(~same)[0]}: {texts[i]}\n{actual}\n{expected}"
            known += int((~np.isnan(actual)).sum())
    assert known > len(texts) * len(world.values) / 2, "most of what is compared is not NULL"
