"""Write `mailed.yaml`: the 27 campaigns of the year, each with its offer and its reminder, from the data.

    python examples/grocer/write_mailed.py

The file is committed: it is what a person reads. This script says where each line of it comes from, and a test
holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet as pq

from onevoice.demo.tables import packaged_tables

if TYPE_CHECKING:
    import pyarrow as pa

FILE: Final = Path(__file__).resolve().parent / "mailed.yaml"

# Type A is the personal mailing (16 coupons chosen for the household from about 200); B and C give all theirs to all.
PRIORITY: Final = {"Type A": 60, "Type B": 50, "Type C": 40}
REMINDER_PRIORITY: Final = 5  # above the first notice: the last chance is nearer

HEADER: Final = """\
# The 27 campaigns of the year with their real days, written by write_mailed.py: change the script, not this file.
# An offer names the product that sold most often of all that the campaign's coupons are for; its value is what one
# unit of it cost on average (dollars). The list of targeted households is loaded at midnight; letters leave at nine.
# A reminder goes to those targeted who have redeemed nothing a week before the last day. `once` knows one instant
# for all, and each campaign has a last day of its own, so each has a reminder of its own.
"""

OFFER: Final = """\
  {name}_coupon: {{product: "{product}", value: {value:.2f}, family: {family}}}  # {label}
"""

CAMPAIGN: Final = """\
  {name}:  # {type}, {households:,} households
    owner: mailings
    class: promotion
    priority: {priority}
    when: event campaign_targeted where campaign = '{name}'
    after: 9 hours
    from: {start}
    to: {end}
    until: coupon_redeemed where campaign = '{name}'
    offer: {name}_coupon
    send: [mail, app]
    goal: coupon_redeemed where campaign = '{name}' within 30 days
  {name}_reminder:
    owner: mailings
    class: promotion
    priority: {reminder_priority}
    when: once {reminder} 10:00
    if: coupon_unused('{name}')
    to: {end}
    until: coupon_redeemed where campaign = '{name}'
    offer: {name}_coupon
    send: [app, mail]
    goal: coupon_redeemed where campaign = '{name}' within 7 days
"""


@dataclass(frozen=True, slots=True)
class Mailing:
    """One campaign of the data: its number, type, first and last day, and how many households it targeted."""

    number: int
    type: str
    start: date
    end: date
    households: int

    @property
    def name(self) -> str:
        """Give the name under which events and playbook know it."""
        return f"c{self.number}"


def read(table: str, *columns: str) -> pa.Table:
    """Read the named columns of one of the package's tables."""
    return pq.read_table(packaged_tables().path(table), columns=list(columns))


def mailings() -> list[Mailing]:
    """Read the campaigns, by number."""
    targeted = read("campaigns", "campaign_id")["campaign_id"].value_counts().to_pylist()
    households = {row["values"]: row["counts"] for row in targeted}
    columns = ("campaign_id", "campaign_type", "start_date", "end_date")
    rows = read("campaign_descriptions", *columns).sort_by("campaign_id").to_pylist()
    return [
        Mailing(
            row["campaign_id"],
            row["campaign_type"],
            row["start_date"].date(),
            row["end_date"].date(),
            households[row["campaign_id"]],
        )
        for row in rows
    ]


def best_sellers() -> dict[int, dict[str, Any]]:
    """Give for each campaign the product of its coupons with most purchase lines (the lower number of equals)."""
    sold = (
        read("transactions", "product_id", "quantity", "sales_value")
        .group_by("product_id", use_threads=False)  # one order of addition, one sum
        .aggregate([([], "count_all"), ("quantity", "sum"), ("sales_value", "sum")])
    )
    candidates = (
        read("coupons", "campaign_id", "product_id")
        .group_by(["campaign_id", "product_id"], use_threads=False)
        .aggregate([])
        .join(sold, "product_id", join_type="inner")
        .join(read("products", "product_id", "product_category", "product_type"), "product_id", join_type="inner")
        .sort_by([("campaign_id", "ascending"), ("count_all", "descending"), ("product_id", "ascending")])
    )
    return {row["campaign_id"]: row for row in reversed(candidates.to_pylist())}  # the first of each stays


def playbook_text() -> str:
    """Give the text of `mailed.yaml`."""
    best = best_sellers()
    offers = "".join(_offer(mailing, best[mailing.number]) for mailing in mailings())
    campaigns = "".join(_campaign(mailing) for mailing in mailings())
    return f"{HEADER}\noffers:\n{offers}\ncampaigns:\n{campaigns}"


def _offer(mailing: Mailing, product: dict[str, Any]) -> str:
    return OFFER.format(
        name=mailing.name,
        product=product["product_id"],
        value=product["sales_value_sum"] / product["quantity_sum"],
        family=mailing.type.lower().replace(" ", "_"),
        label=f"{product['product_category']}, {product['product_type']}".lower(),
    )


def _campaign(mailing: Mailing) -> str:
    priority = PRIORITY[mailing.type]
    return CAMPAIGN.format(
        name=mailing.name,
        type=mailing.type,
        households=mailing.households,
        start=mailing.start,
        end=mailing.end,
        priority=priority,
        reminder_priority=priority + REMINDER_PRIORITY,
        reminder=mailing.end - timedelta(days=7),
    )


if __name__ == "__main__":
    FILE.write_text(playbook_text(), encoding="utf-8")
    print(f"written {FILE}")
