"""Figures and histories as Arrow tables, and what pandas and polars make of them."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

import onevoice
from onevoice.history import report, timeline
from onevoice.history.tables import LINES, TIME, lines_table
from onevoice.playbook.load import load_files
from tests.history import given

FIGURES = ("campaigns", "weeks", "reasons", "load", "crowded", "collisions", "paused", "stale", "off")
HISTORY = ("events", "bands", "decisions", "changes")
EMPTY = replace(given.timeline(), events=(), bands=(), decisions=(), changes=())


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_rows(name):
    rows = given.report().table(name).to_pylist()
    assert rows == [
        {field.name: getattr(each, field.name) for field in fields(each)} for each in getattr(given.report(), name)
    ]


@pytest.mark.parametrize(
    ("full", "empty", "name"),
    [(given.report(), given.NOTHING, name) for name in FIGURES] + [(given.timeline(), EMPTY, name) for name in HISTORY],
)
def test_an_empty_table_has_the_same_columns(full, empty, name):
    assert full.table(name).num_rows > 0
    assert empty.table(name).num_rows == 0
    assert empty.table(name).schema == full.table(name).schema
    assert pa.null() not in full.table(name).schema.types


def test_every_tuple_of_a_record_is_a_table():
    for kind, names in ((report.Report, FIGURES), (timeline.Timeline, HISTORY)):
        assert tuple(field.name for field in fields(kind) if f"{field.type}".startswith("tuple")) == names


def test_times_are_utc_and_days_are_days():
    assert given.report().table("crowded").schema.field("since").type == TIME
    assert given.report().table("weeks").schema.field("week").type == pa.date32()
    assert given.timeline().table("events").schema.field("time").type == TIME


def test_what_senders_put_into_an_event_is_json():
    event = given.timeline().table("events").to_pylist()[0]
    assert event["fields"] == '{"amount":12.5,"items":[{"product":"spring_sale"}]}'
    odd = timeline.Happened(given.START, 1, "seen", {}, {"at": given.START, "took": 3 + 4j}, {})
    (row,) = replace(given.timeline(), events=(odd,)).table("events").to_pylist()
    assert row["fields"] == '{"at":"2026-03-02T09:30:00Z","took":"(3+4j)"}'


@pytest.mark.parametrize("record", [given.report(), given.timeline()])
@pytest.mark.parametrize("name", ["campaign", "event", "", None])
def test_an_unknown_table_is_refused(record, name):
    with pytest.raises(onevoice.OnevoiceError, match="table: no such table; expected one of `"):
        record.table(name)


# What others make of them.

PLAYBOOK = b"""
playbook: shop
identifiers: {email: {format: email}}
events: {seen: {}}
campaigns:
  best: {class: sales, priority: 9, when: event seen, again_after: 1 day, send: [mail]}
  other: {class: sales, when: event seen, valid_for: 3 days, send: [mail]}
  banner: {class: sales, when: asked, placements: [page]}
policies: {classes: {sales: {}}, gap: 1 hour, caps: [{max: 2, per: day}]}
placements: {page: {}}
"""


@pytest.fixture(scope="module")
def engine():
    with onevoice.open(load_files({"playbook.yaml": PLAYBOOK})) as opened:
        for hour in range(3):
            opened.ingest(
                [{"type": "seen", "identifiers": {"email": f"{name}@example.org"}} for name in ("ann", "bob")],
                time=datetime(2026, 3, 2, 6 + 2 * hour, tzinfo=UTC),
            )
        opened.tick(datetime(2026, 3, 2, 20, tzinfo=UTC))
        opened.decide("page", {"email": "ann@example.org"})
        yield opened


def test_one_customers_lines_are_those_of_the_whole_table(engine):
    mine = engine.timeline(0).table("decisions")
    whole = engine.decisions_table()
    assert mine.schema == whole.schema == LINES
    assert mine.to_pylist() == whole.filter(pa.compute.field("customer") == 0).to_pylist()
    assert {"won", "cap", "again_after", "outranked"} <= set(whole["reason"].to_pylist())
    assert lines_table(engine.decisions()).to_pylist() == whole.to_pylist()


NUMBERS = ("decision", "position", "customer", "key", "value", "limit", "contact", "follows", "score", "probability")
TIMES = ("time", "last_contact", "until", "known_until")
NAMES = ("kind", "placement", "campaign", "reason", "channel", "rule", "winner", "offer")


def test_every_column_is_known():
    assert sorted((*NUMBERS, *TIMES, *NAMES, "parameters")) == sorted(LINES.names)


def addresses(table, columns):
    """Where the values of each column lie in memory."""
    return {
        name: [chunk.buffers()[-1].address for chunk in table[name].chunks if chunk.offset == 0] for name in columns
    }


def test_polars_takes_the_table_where_it_lies(engine):
    pl = pytest.importorskip("polars")
    table = engine.decisions_table().combine_chunks()
    frame = pl.from_arrow(table)
    assert {frame.schema[name] for name in TIMES} == {pl.Datetime("us", "UTC")}
    assert {frame.schema[name].base_type() for name in NAMES} == {pl.Categorical}
    assert {frame.schema[name] for name in NUMBERS} == {pl.Int64, pl.Float64}
    assert addresses(frame.to_arrow(), NUMBERS + TIMES) == addresses(table, NUMBERS + TIMES)
    outranked = frame.filter(pl.col("reason") == "outranked")
    assert outranked["winner"].cast(pl.String).to_list() == ["best"] * len(outranked) != []
    assert pl.from_arrow(given.report().table("weeks")).schema["week"] == pl.Date


def test_pandas_takes_the_table_where_it_lies(engine):
    pd = pytest.importorskip("pandas", reason="pandas is not installed: `pip install .[demo]`")
    table = engine.decisions_table().combine_chunks()
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    assert addresses(pa.Table.from_pandas(frame), NUMBERS + TIMES) == addresses(table, NUMBERS + TIMES)
    frame = table.to_pandas()
    assert {f"{frame[name].dtype}" for name in TIMES} == {"datetime64[us, UTC]"}
    assert {f"{frame[name].dtype}" for name in NAMES} == {"category"}
    assert {f"{frame[name].dtype}" for name in NUMBERS} == {"int64", "float64"}
    assert set(frame.loc[frame["reason"] == "outranked", "winner"]) == {"best"}
    assert given.report().table("weeks").to_pandas()["week"].tolist()[0] == date(2026, 3, 2)
