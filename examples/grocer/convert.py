"""Turn the 84.51° Complete Journey data into events and a product catalogue.

    python examples/grocer/convert.py [FOLDER]

writes `events.parquet` (all events in time order) into FOLDER, `demo-data/` unless named, and `products.csv` beside
the playbook in this folder, where the playbook looks for it; both are ignored by git.

Events at the same instant keep the order of `Kind`; within a kind they follow household, campaign and coupon
(profiles, targetings, redemptions) or the basket's number (baskets, asks). So a till that is asked knows the basket
that was just paid and the coupons redeemed with it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from journey import FIRST_DAY, check_counts, instant, read
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Ints = NDArray[np.int64]

HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = HERE.parents[1] / "demo-data"
EVENTS_PER_PIECE: Final = 16_384  # about 90,000 rows with their items: what a reader has in memory at once

TRAITS: Final = ("age", "income", "home_ownership", "marital_status", "household_size", "kids_count")
ITEM: Final = pa.struct(
    {"product": pa.string(), "quantity": pa.float64(), "sales_value": pa.float64(), "coupon_disc": pa.float64()}
)
FIELDS: Final = {
    "basket_id": pa.string(),
    "store": pa.string(),
    "amount": pa.float64(),
    "items": pa.list_(ITEM),
    "campaign": pa.string(),
    "coupon": pa.string(),
    "placement": pa.string(),
}
SCHEMA: Final = pa.schema(
    {
        "type": pa.string(),
        "time": pa.timestamp("us", tz="UTC"),
        "identifiers": pa.struct({"household_id": pa.string()}),
        "fields": pa.struct(FIELDS),
        "traits": pa.struct(dict.fromkeys(TRAITS, pa.string())),
    }
)


class Kind(IntEnum):
    """The events, in the order they take at one instant."""

    profile_updated = 0
    campaign_targeted = 1
    basket = 2
    coupon_redeemed = 3
    asked = 4


@dataclass(frozen=True, slots=True)
class Baskets:
    """The baskets by (time, number), and their lines in the same order.

    `lines[starts[b]:starts[b + 1]]` are the lines of basket `b`; times are µs UTC, amounts whole cents, all int64.
    """

    lines: pa.Table
    starts: Ints
    number: Ints
    household: Ints
    store: Ints
    time: Ints
    amount: Ints
    coupon_disc: Ints


def read_baskets() -> Baskets:
    """Read the purchase lines and put them together by basket, in time order."""
    lines = read(
        "transactions",
        *("household_id", "store_id", "basket_id", "product_id"),
        *("quantity", "sales_value", "coupon_disc", "transaction_timestamp"),
    )
    time = lines["transaction_timestamp"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    order = np.lexsort((lines["basket_id"].to_numpy(), time))  # stable: a basket's lines keep the package's order
    lines, time = lines.take(order), time[order]
    number = lines["basket_id"].to_numpy()
    first = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    return Baskets(
        lines=lines,
        starts=np.append(first, len(number)),
        number=number[first],
        household=lines["household_id"].to_numpy()[first],
        store=lines["store_id"].to_numpy()[first],
        time=time[first],
        amount=np.add.reduceat(_cents(lines["sales_value"]), first),
        coupon_disc=np.add.reduceat(_cents(lines["coupon_disc"]), first),
    )


def _cents(money: pa.ChunkedArray) -> Ints:
    return np.rint(money.to_numpy() * 100).astype(np.int64)


def basket_events(baskets: Baskets) -> pa.Table:
    """Give one `basket` event per basket, with an item per purchase line."""
    lines = baskets.lines
    items = pa.StructArray.from_arrays(
        [
            _text(lines["product_id"].combine_chunks()),
            *(lines[name].combine_chunks().cast(pa.float64()) for name in ("quantity", "sales_value", "coupon_disc")),
        ],
        fields=list(ITEM),
    )
    return _events(
        Kind.basket,
        baskets.time,
        baskets.household,
        basket_id=_text(baskets.number),
        store=_text(baskets.store),
        amount=pa.array(baskets.amount / 100),
        items=pa.ListArray.from_arrays(pa.array(baskets.starts, pa.int32()), items),
    )


def ask_events(baskets: Baskets) -> pa.Table:
    """Give one `asked` event per basket: the till prints something under the bill."""
    placement = pa.array(["till"]).take(np.zeros(len(baskets.number), np.int64))
    return _events(Kind.asked, baskets.time, baskets.household, placement=placement)


def targeting_events() -> pa.Table:
    """Give one `campaign_targeted` per campaign and household, at the start of the campaign's first day."""
    starts = dict(zip(*_columns(read("campaign_descriptions", "campaign_id", "start_date")), strict=True))
    table = read("campaigns", "household_id", "campaign_id").sort_by(
        [("household_id", "ascending"), ("campaign_id", "ascending")]
    )
    household, campaign = _columns(table)
    return _events(
        Kind.campaign_targeted,
        np.array([instant(starts[c].date()) for c in campaign]),
        np.array(household),
        campaign=pa.array([f"c{c}" for c in campaign]),
    )


def redemption_events(baskets: Baskets) -> pa.Table:
    """Give one `coupon_redeemed` per redemption.

    The package knows only its day. It is put at that household's basket of the day with the greatest coupon
    discount, the latest of equals; each redemption of the year has such a basket.
    """
    keys = ("household_id", "campaign_id", "coupon_upc", "redemption_date")
    table = read("coupon_redemptions", *keys).sort_by([(key, "ascending") for key in keys])
    household, campaign, coupon, day = _columns(table)
    return _events(
        Kind.coupon_redeemed,
        _times_at_the_till(baskets, household, [d.date() for d in day]),
        np.array(household),
        campaign=pa.array([f"c{c}" for c in campaign]),
        coupon=pa.array([str(c) for c in coupon]),
    )


def _times_at_the_till(baskets: Baskets, households: list[int], days: list[date]) -> Ints:
    """Give the time of the basket to which each (household, day) is put."""
    by_household = np.lexsort((baskets.time, baskets.household))
    owners = baskets.household[by_household]
    times = np.zeros(len(days), np.int64)
    for i, (household, day) in enumerate(zip(households, days, strict=True)):
        mine = by_household[np.searchsorted(owners, household) : np.searchsorted(owners, household, "right")]
        first, after = np.searchsorted(baskets.time[mine], [instant(day), instant(day + timedelta(days=1))])
        today = mine[first:after]
        assert len(today), f"household {household} redeemed a coupon on {day} without a basket"
        times[i] = max(zip(baskets.coupon_disc[today], baskets.time[today], strict=True))[1]
    return times


def profile_events() -> pa.Table:
    """Give one `profile_updated` per household with demographics, at the start of the year."""
    table = read("demographics", "household_id", *TRAITS).sort_by("household_id")
    traits = pa.StructArray.from_arrays(
        [table[name].combine_chunks() for name in TRAITS], fields=list(SCHEMA.field("traits").type)
    )
    household = table["household_id"].to_numpy()
    return _events(Kind.profile_updated, np.full(len(household), instant(FIRST_DAY)), household, traits=traits)


def _columns(table: pa.Table) -> list[list]:
    return [column.to_pylist() for column in table.columns]


def _text(values: Ints | pa.Array) -> pa.Array:
    return pc.cast(pa.array(values), pa.string())


def _events(kind: Kind, time: Ints, household: Ints, traits: pa.Array | None = None, **fields: pa.Array) -> pa.Table:
    """Put columns of one kind into the common shape; fields of other kinds are null."""
    n = len(time)
    shaped = [fields.get(name, pa.nulls(n, kind_of_value)) for name, kind_of_value in FIELDS.items()]
    columns = [
        pa.array([kind.name]).take(np.zeros(n, np.int64)),
        pa.array(time).cast(SCHEMA.field("time").type),
        pa.StructArray.from_arrays([_text(household)], fields=list(SCHEMA.field("identifiers").type)),
        pa.StructArray.from_arrays(shaped, fields=list(SCHEMA.field("fields").type)),
        pa.nulls(n, SCHEMA.field("traits").type) if traits is None else traits,
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write_events(path: Path) -> dict[str, int]:
    """Write all events in time order as Parquet; give the counts of what was read."""
    baskets = read_baskets()
    kinds = [
        profile_events(),
        targeting_events(),
        basket_events(baskets),
        redemption_events(baskets),
        ask_events(baskets),
    ]
    counts = {
        "purchase lines": len(baskets.lines),
        "baskets": len(baskets.number),
        "households": len(np.unique(baskets.household)),
        "campaigns": len(kinds[Kind.campaign_targeted].flatten()["fields.campaign"].unique()),
        "targetings": len(kinds[Kind.campaign_targeted]),
        "redemptions": len(kinds[Kind.coupon_redeemed]),
        "households with demographics": len(kinds[Kind.profile_updated]),
    }
    check_counts(counts)
    events = pa.concat_tables(kinds)
    order = np.argsort(events["time"].cast(pa.int64()).to_numpy(), kind="stable")  # equal times keep the order of Kind
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as out:
        for start in range(0, len(order), EVENTS_PER_PIECE):
            out.write_table(events.take(order[start : start + EVENTS_PER_PIECE]))
    return counts


def write_products(path: Path) -> dict[str, int]:
    """Write the catalogue: product, department, category and brand; unknown values stay empty."""
    table = read("products", "product_id", "department", "product_category", "brand").sort_by("product_id")
    counts = {"products": len(table["product_id"].unique())}
    check_counts(counts)
    named = table.rename_columns(["product", "department", "category", "brand"])
    pa_csv.write_csv(named, path, pa_csv.WriteOptions(quoting_style="needed"))
    return counts


def convert(folder: Path = FOLDER, playbook: Path = HERE) -> dict[str, int]:
    """Write `events.parquet` into `folder` and `products.csv` into `playbook`; give the counts.

    Raises `journey.DataChanged` when the package is absent or holds other data than expected; then no file that was
    there before is touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = _whole(folder / "events.parquet", write_events)
    return counts | _whole(playbook / "products.csv", write_products)


def _whole(path: Path, write: Callable[[Path], dict[str, int]]) -> dict[str, int]:
    """Write aside and rename, so that a file which is there is a whole one."""
    aside = path.with_name(f"{path.name}.part")
    counts = write(aside)
    aside.replace(path)
    return counts


def main() -> None:
    """Convert into the folder named on the command line and print the counts."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for what, count in convert(folder).items():
        print(f"{count:>11,} {what}")
    print(f"written to {folder / 'events.parquet'} and {HERE / 'products.csv'}")


if __name__ == "__main__":
    main()
