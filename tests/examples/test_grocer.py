"""The grocer's year: what is converted is what the data says, and the playbook speaks about that data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import onevoice
from onevoice.demo import events as year
from onevoice.demo.prepare import EXPECTED
from onevoice.demo.tables import packaged_tables
from onevoice.playbook.model import DAY

GROCER = Path(__file__).resolve().parents[2] / "examples" / "grocer"


@pytest.fixture(scope="module")
def events(prepared):
    return pq.read_table(prepared.events).flatten().flatten()


def read(table: str, *columns: str) -> pa.Table:
    """The columns as the package has them, past our own reader."""
    return pq.read_table(packaged_tables().path(table), columns=list(columns))


def of_kind(events: pa.Table, kind: str) -> pa.Table:
    return events.filter(pc.equal(events["type"], kind))


def microseconds(events: pa.Table) -> np.ndarray:
    return events["time"].cast(pa.int64()).to_numpy()


def households(events: pa.Table) -> list[str]:
    return events["identifiers.household_id"].to_pylist()


def local_days(events: pa.Table) -> list[date]:
    return [t.astimezone(year.ZONE).date() for t in events["time"].to_pylist()]


def test_the_counts_are_those_of_the_data(prepared):
    assert prepared.counts == EXPECTED


def test_there_is_an_event_for_each_thing_that_happened(events):
    found = {row["values"]: row["counts"] for row in events["type"].value_counts().to_pylist()}
    assert found == {
        "profile_updated": 801,
        "campaign_targeted": 6_589,
        "on_front_page": 21_840,
        "basket": 155_848,
        "coupon_redeemed": 2_102,
        "offer_accepted": 2_102,
        "asked": 155_848,
    }
    assert len(events["fields.items"].combine_chunks().flatten()) == 1_469_307


def test_events_are_in_order_of_time_and_then_of_kind(events):
    kind = np.array([year.Kind[name] for name in events["type"].to_pylist()])
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
    keys = ["basket_id", "product", "quantity", "sales_value", "coupon_disc"]
    baskets = of_kind(events, "basket")
    items = baskets["fields.items"].combine_chunks()
    number = baskets["fields.basket_id"].take(items.value_parent_indices())
    found = pa.table([number, *(items.flatten().field(name) for name in keys[1:])], keys)
    lines = read("transactions", "basket_id", "product_id", *keys[2:]).rename_columns(keys)
    expected = lines.cast(found.schema)
    order = [(key, "ascending") for key in keys]
    # A plain truth: pytest would spend minutes on the difference of two tables of this length.
    same = found.sort_by(order).combine_chunks().equals(expected.sort_by(order).combine_chunks())
    assert same


def test_the_weeks_of_the_data_turn_at_midnight_in_new_york(events):
    lines = read("transactions", "basket_id", "week").group_by("basket_id").aggregate([("week", "max")])
    week = dict(zip(*(column.to_pylist() for column in lines.columns), strict=True))
    baskets = of_kind(events, "basket")
    monday = date(2016, 12, 26)
    found = [(day - monday).days // 7 + 1 for day in local_days(baskets)]
    assert found == [week[int(number)] for number in baskets["fields.basket_id"].to_pylist()]


def test_a_redemption_is_at_a_basket_of_its_day(events):
    redeemed, baskets = of_kind(events, "coupon_redeemed"), of_kind(events, "basket")
    at_the_till = set(zip(households(baskets), microseconds(baskets).tolist(), strict=True))
    assert set(zip(households(redeemed), microseconds(redeemed).tolist(), strict=True)) <= at_the_till

    rows = read("coupon_redemptions", "household_id", "campaign_id", "coupon_upc", "redemption_date").to_pylist()
    expected = sorted(
        (str(r["household_id"]), f"c{r['campaign_id']}", str(r["coupon_upc"]), r["redemption_date"].date())
        for r in rows
    )
    columns = (redeemed["fields.campaign"].to_pylist(), redeemed["fields.coupon"].to_pylist())
    assert sorted(zip(households(redeemed), *columns, local_days(redeemed), strict=True)) == expected


def test_a_campaign_targets_at_the_start_of_its_first_day(events):
    targeted = of_kind(events, "campaign_targeted")
    pairs = read("campaigns", "household_id", "campaign_id").to_pylist()
    starts = read("campaign_descriptions", "campaign_id", "start_date").to_pylist()
    start = {row["campaign_id"]: year.instant(row["start_date"].date()) for row in starts}
    expected = sorted((str(p["household_id"]), f"c{p['campaign_id']}", start[p["campaign_id"]]) for p in pairs)
    columns = (targeted["fields.campaign"].to_pylist(), microseconds(targeted).tolist())
    assert sorted(zip(households(targeted), *columns, strict=True)) == expected


def test_a_profile_carries_the_demographics_and_nothing_else_carries_traits(events):
    profiles = of_kind(events, "profile_updated")
    found = profiles.select([f"traits.{name}" for name in year.TRAITS]).rename_columns(list(year.TRAITS))
    found = found.append_column("household_id", profiles["identifiers.household_id"].cast(pa.int64()))
    expected = read("demographics", *year.TRAITS, "household_id")
    assert found.sort_by("household_id").to_pylist() == expected.sort_by("household_id").to_pylist()
    assert profiles["time"].unique().to_pylist() == [datetime(2017, 1, 1, 5, tzinfo=UTC)]  # midnight in New York
    others = events.filter(pc.not_equal(events["type"], "profile_updated"))
    assert all(others[f"traits.{name}"].null_count == len(others) for name in year.TRAITS)


def test_a_front_page_is_that_of_its_week(events):
    """Each product once, as the week begins, by a count of the stores that goes another way than the conversion."""
    rows = read("promotions", "product_id", "store_id", "week", "mailer_location")
    rows = rows.filter(pc.equal(rows["mailer_location"], "D"))
    columns = (rows[name].to_numpy() for name in ("week", "product_id", "store_id"))
    each = np.unique(np.stack(list(columns), axis=1), axis=0)
    pages, stores = np.unique(each[:, :2], axis=0, return_counts=True)
    monday = date(2016, 12, 26).toordinal() - 7
    expected = [(date.fromordinal(monday + 7 * w), str(p)) for w, p in pages[stores >= year.FRONT_PAGE_STORES].tolist()]
    found = of_kind(events, "on_front_page")
    assert set(found["time"].cast(pa.int64()).to_pylist()) == {year.instant(day) for day, _ in expected}
    assert sorted(zip(local_days(found), found["fields.product"].to_pylist(), strict=True)) == sorted(expected)
    assert found["identifiers.household_id"].null_count == len(found)


def test_who_redeems_takes_the_offer_of_that_mailing(events, playbook):
    redeemed, accepted = of_kind(events, "coupon_redeemed"), of_kind(events, "offer_accepted")
    assert accepted["time"].equals(redeemed["time"])
    assert households(accepted) == households(redeemed)
    offers = accepted["fields.offer"].to_pylist()
    assert offers == [playbook.campaigns[name].offers[0] for name in redeemed["fields.campaign"].to_pylist()]


def test_the_mailed_campaigns_are_what_the_script_writes(monkeypatch):
    monkeypatch.syspath_prepend(GROCER)
    import write_mailed

    assert (GROCER / "mailed.yaml").read_text(encoding="utf-8") == write_mailed.playbook_text()


@pytest.fixture(scope="module")
def playbook(prepared):
    return onevoice.load(prepared.playbook)


def test_the_playbook_loads_with_the_whole_catalogue(playbook):
    assert len(playbook.products.names) == 92_331
    assert set(playbook.products.fields) == {"department", "category", "brand"}
    assert {offer.product for offer in playbook.offers.values()} - {""} <= set(playbook.products.names)


def test_the_playbook_declares_every_event_and_field_of_the_year(events, playbook):
    from onevoice.playbook.builtin import BUILTIN_EVENTS, all_events

    known = all_events(playbook)
    for kind in events["type"].unique().to_pylist():
        mine = of_kind(events, kind)
        used = {
            n.removeprefix("fields.")
            for n in mine.column_names
            if n.startswith("fields.") and mine[n].null_count < len(mine)
        }
        declared = set(known[kind].fields) | set(known[kind].items)
        assert used <= declared if kind in BUILTIN_EVENTS else used == declared
    assert set(playbook.traits) == {n.removeprefix("traits.") for n in events.column_names if n.startswith("traits.")}


def test_each_campaign_of_the_data_has_its_days(playbook):
    rows = read("campaign_descriptions", "campaign_id", "start_date", "end_date").to_pylist()
    assert len(rows) == 27
    for row in rows:
        campaign = playbook.campaigns[f"c{row['campaign_id']}"]
        reminder = playbook.campaigns[f"c{row['campaign_id']}_reminder"]
        after = date.fromordinal(row["end_date"].date().toordinal() + 1)
        assert (campaign.from_us, campaign.to_us) == (year.instant(row["start_date"].date()), year.instant(after))
        assert campaign.to_us - campaign.from_us >= 32 * DAY  # `coupons_left` speaks within 24 days of the start
        assert 0 < campaign.to_us - reminder.when.at_us <= 8 * DAY


def test_the_decoder_takes_every_event_and_every_item(prepared, playbook):
    from onevoice.events.arrow import decode_arrow
    from onevoice.events.batch import TYPE
    from onevoice.events.schema import Schema

    schema, lines, rows = Schema(playbook), 0, 0
    for piece in pq.ParquetFile(prepared.events).iter_batches(16_384):
        batch = decode_arrow(piece, schema, (1, 2))
        assert (list(batch.rejected), batch.unknown, batch.dropped) == ([], {}, {})
        assert (batch.rows[:, TYPE] >= 0).all()
        lines, rows = lines + batch.lines, rows + len(batch.rows)
    assert (lines, rows) == (345_130, 345_130 + 1_469_307)
