"""The grocer's year as events, made of the Complete Journey tables.

The tables do not say in which zone their times are. They are UTC, and days are days in New York: only so does the
`week` column turn at midnight, and only so does each of the 2,102 redemptions fall on a day on which its household was
in a shop.

Events at the same instant keep the order of `Kind`; within a kind they follow household, campaign and coupon
(profiles, targetings, redemptions), the product (front pages) or the basket's number (baskets, asks). So a till that is
asked knows the basket that was just paid and the coupons redeemed with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from onevoice.demo.arrow_untyped import dataset
from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import Array, Table, pa, pc

if TYPE_CHECKING:
    from onevoice.demo.tables import Tables

Ints = NDArray[np.int64]

ZONE: Final = ZoneInfo("America/New_York")
UTC: Final = ZoneInfo("UTC")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY: Final = date(2017, 1, 1)
FIRST_WEEK: Final = date(2016, 12, 26)  # the Monday on which week 1 of the tables begins
FRONT_PAGE: Final = "D"  # of `mailer_location`
FRONT_PAGE_STORES: Final = 90  # of 112: what only a few stores advertise is not told to everybody

TRAITS: Final = ("age", "income", "home_ownership", "marital_status", "household_size", "kids_count")
ITEM: Final[Any] = pa.struct(
    {"product": pa.string(), "quantity": pa.float64(), "sales_value": pa.float64(), "coupon_disc": pa.float64()}
)
FIELDS: Final[dict[str, Any]] = {
    "basket_id": pa.string(),
    "store": pa.string(),
    "amount": pa.float64(),
    "items": pa.list_(ITEM),
    "campaign": pa.string(),
    "coupon": pa.string(),
    "offer": pa.string(),
    "product": pa.string(),
    "placement": pa.string(),
}
SCHEMA: Final[Any] = pa.schema(
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
    on_front_page = 2
    basket = 3
    coupon_redeemed = 4
    offer_accepted = 5
    asked = 6


@dataclass(frozen=True, slots=True)
class Year:
    """All events in order of time, and how many of each thing the tables held."""

    events: Table
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Baskets:
    """The baskets by (time, number), and their lines in the same order.

    `lines[starts[b]:starts[b + 1]]` are the lines of basket `b`; times are µs UTC, amounts whole cents, all int64.
    """

    lines: Table
    starts: Ints
    number: Ints
    household: Ints
    store: Ints
    time: Ints
    amount: Ints
    coupon_disc: Ints


@cache
def instant(day: date, at: time = time()) -> int:
    """Return the instant (µs UTC) at which the clocks of New York show `at` on this day."""
    return (datetime.combine(day, at, ZONE) - EPOCH) // timedelta(microseconds=1)


def year(tables: Tables) -> Year:
    """Return the year in these tables; EventError where one cannot be read.

    A redemption on a day without a basket of that household has no time, and is left out and counted.
    """
    baskets = read_baskets(tables)
    redemptions, without = redemption_events(tables, baskets)
    kinds = {
        Kind.profile_updated: profile_events(tables),
        Kind.campaign_targeted: targeting_events(tables),
        Kind.on_front_page: front_page_events(tables),
        Kind.basket: basket_events(baskets),
        Kind.coupon_redeemed: redemptions,
        Kind.offer_accepted: acceptance_events(redemptions),
        Kind.asked: ask_events(baskets),
    }
    counts = {
        "purchase lines": len(baskets.lines),
        "baskets": len(baskets.number),
        "households": len(np.unique(baskets.household)),
        "campaigns": len(kinds[Kind.campaign_targeted].flatten()["fields.campaign"].unique()),
        "targetings": len(kinds[Kind.campaign_targeted]),
        "redemptions": len(redemptions),
        "households with demographics": len(kinds[Kind.profile_updated]),
        "products on a front page": len(kinds[Kind.on_front_page]),
    }
    events = pa.concat_tables([kinds[kind] for kind in Kind])
    order = np.argsort(events["time"].cast(pa.int64()).to_numpy(), kind="stable")  # equal times keep the order of Kind
    counts["events"] = len(order)
    return Year(events.take(order), counts | ({"redemptions without a basket that day": without} if without else {}))


def read_baskets(tables: Tables) -> Baskets:
    """Return the purchase lines put together by basket, in time order."""
    lines = tables.read(
        "transactions",
        *("household_id", "store_id", "basket_id", "product_id"),
        *("quantity", "sales_value", "coupon_disc", "transaction_timestamp"),
    )
    if not len(lines):
        raise EventError(Mistake("no purchases", str(tables.path("transactions")), "at least one row"))
    time = lines["transaction_timestamp"].cast(pa.int64()).to_numpy()
    order = np.lexsort((lines["basket_id"].to_numpy(), time))  # stable: a basket's lines keep the table's order
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


def _cents(money: Array) -> Ints:
    return np.rint(money.to_numpy() * 100).astype(np.int64)


def basket_events(baskets: Baskets) -> Table:
    """Return one `basket` event per basket, with an item per purchase line."""
    lines = baskets.lines
    items = pa.StructArray.from_arrays(
        [
            _text(lines["product_id"].combine_chunks()),
            *(lines[name].combine_chunks() for name in ("quantity", "sales_value", "coupon_disc")),
        ],
        fields=list(ITEM),
    )
    return _events(
        Kind.basket,
        baskets.time,
        _text(baskets.household),
        basket_id=_text(baskets.number),
        store=_text(baskets.store),
        amount=pa.array(baskets.amount / 100),
        items=pa.ListArray.from_arrays(pa.array(baskets.starts, pa.int32()), items),
    )


def ask_events(baskets: Baskets) -> Table:
    """Return one `asked` event per basket: the till prints something under the bill."""
    placement = _repeated("till", len(baskets.number))
    return _events(Kind.asked, baskets.time, _text(baskets.household), placement=placement)


def targeting_events(tables: Tables) -> Table:
    """Return one `campaign_targeted` per described campaign and household, at the start of the campaign's first day."""
    described = _columns(tables.read("campaign_descriptions", "campaign_id", "start_date"))
    starts = dict(zip(*described, strict=True))
    table = tables.read("campaigns", "household_id", "campaign_id").sort_by(
        [("household_id", "ascending"), ("campaign_id", "ascending")]
    )
    household, campaign = _columns(table.filter(pc.is_in(table["campaign_id"], pa.array(described[0], pa.int64()))))
    return _events(
        Kind.campaign_targeted,
        np.array([instant(starts[c].date()) for c in campaign], np.int64),
        _text(household),
        campaign=_text([f"c{c}" for c in campaign]),
    )


def front_page_events(tables: Tables) -> Table:
    """Return one `on_front_page` per week and product on the front page of most stores' leaflet, as the week begins."""
    rows = tables.read(
        "promotions", "week", "product_id", "store_id", where=dataset.field("mailer_location") == FRONT_PAGE
    )
    stores = rows.group_by(["week", "product_id"]).aggregate([("store_id", "count_distinct")])
    many = stores.filter(pc.greater_equal(stores["store_id_count_distinct"], FRONT_PAGE_STORES))
    week, product = _columns(
        many.select(["week", "product_id"]).sort_by([("week", "ascending"), ("product_id", "ascending")])
    )
    time = np.array([instant(FIRST_WEEK + timedelta(weeks=w - 1)) for w in week], np.int64)
    return _events(Kind.on_front_page, time, pa.nulls(len(week), pa.string()), product=_text(product))


def redemption_events(tables: Tables, baskets: Baskets) -> tuple[Table, int]:
    """Return one `coupon_redeemed` per redemption that has a basket, and how many have none.

    The tables know only a redemption's day. It is put at that household's basket of the day with the greatest coupon
    discount, the latest of equals.
    """
    keys = ("household_id", "campaign_id", "coupon_upc", "redemption_date")
    table = tables.read("coupon_redemptions", *keys).sort_by([(key, "ascending") for key in keys])
    household, campaign, coupon, day = _columns(table)
    time = _times_at_the_till(baskets, household, [d.date() for d in day])
    placed = np.flatnonzero(time >= 0)
    events = _events(
        Kind.coupon_redeemed,
        time,
        _text(household),
        campaign=_text([f"c{c}" for c in campaign]),
        coupon=_text(coupon),
    )
    return events.take(placed), len(time) - len(placed)


def _times_at_the_till(baskets: Baskets, households: list[int], days: list[date]) -> Ints:
    """Return the time of the basket to which each (household, day) is put, -1 where there is none."""
    by_household = np.lexsort((baskets.time, baskets.household))
    owners = baskets.household[by_household]
    times = np.full(len(days), -1, np.int64)
    for i, (household, day) in enumerate(zip(households, days, strict=True)):
        mine = by_household[np.searchsorted(owners, household) : np.searchsorted(owners, household, "right")]
        first, after = np.searchsorted(baskets.time[mine], [instant(day), instant(day + timedelta(days=1))])
        today = mine[first:after]
        if len(today):
            times[i] = max(zip(baskets.coupon_disc[today], baskets.time[today], strict=True))[1]
    return times


def acceptance_events(redemptions: Table) -> Table:
    """Return one `offer_accepted` per redemption: who redeems a mailing's coupon takes that mailing's offer."""
    flat = redemptions.flatten().flatten()
    offer = pc.binary_join_element_wise(flat["fields.campaign"], "coupon", "_").combine_chunks()
    time = flat["time"].cast(pa.int64()).to_numpy()
    return _events(Kind.offer_accepted, time, flat["identifiers.household_id"].combine_chunks(), offer=offer)


def profile_events(tables: Tables) -> Table:
    """Return one `profile_updated` per household with demographics, at the start of the year."""
    table = tables.read("demographics", "household_id", *TRAITS).sort_by("household_id")
    traits = pa.StructArray.from_arrays(
        [table[name].combine_chunks() for name in TRAITS], fields=list(SCHEMA.field("traits").type)
    )
    time = np.full(len(table), instant(FIRST_DAY))
    return _events(Kind.profile_updated, time, _text(table["household_id"].combine_chunks()), traits=traits)


def _columns(table: Table) -> list[list[Any]]:
    return [column.to_pylist() for column in table.columns]


def _text(values: Ints | Array | list[Any]) -> Array:
    return pa.array(values).cast(pa.string())


def _repeated(text: str, n: int) -> Array:
    return pa.array([text]).take(np.zeros(n, np.int64))


def _events(kind: Kind, time: Ints, household: Array, traits: Array = None, **fields: Array) -> Table:
    """Put columns of one kind into the common shape; fields of other kinds are null."""
    n = len(time)
    shaped = [fields.get(name, pa.nulls(n, kind_of_value)) for name, kind_of_value in FIELDS.items()]
    columns = [
        _repeated(kind.name, n),
        pa.array(time).cast(SCHEMA.field("time").type),
        pa.StructArray.from_arrays([household], fields=list(SCHEMA.field("identifiers").type)),
        pa.StructArray.from_arrays(shaped, fields=list(SCHEMA.field("fields").type)),
        pa.nulls(n, SCHEMA.field("traits").type) if traits is None else traits,
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
