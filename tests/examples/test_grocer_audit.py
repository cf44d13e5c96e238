"""The grocer's real mailings judged by the grocer's playbook, and counted once more past everything of ours."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import onevoice
from onevoice.demo.tables import packaged_tables
from onevoice.history.page import audit_page

GROCER = Path(__file__).resolve().parents[2] / "examples" / "grocer"
FORTNIGHT_US, DAY_US = 14 * 86_400_000_000, 86_400_000_000
BOUGHT = "no offers while bought(offer.product)"
OFFSET_US = {False: 5 * 3_600_000_000, True: 4 * 3_600_000_000}  # New York behind UTC, in winter and in summer


@pytest.fixture(scope="module")
def log():
    sys.path.insert(0, str(GROCER))
    try:
        import write_contacts
    finally:
        sys.path.remove(str(GROCER))
    return write_contacts.contacts()


@pytest.fixture(scope="module")
def audit(prepared, log, tmp_path_factory):
    sent = tmp_path_factory.mktemp("audit") / "sent.csv"
    pyarrow.csv.write_csv(log, sent)
    return onevoice.audit(prepared.events, sent, playbook=prepared.playbook)


@pytest.fixture(scope="module")
def sent(log):
    """Every mailing as (household, campaign, instant in µs UTC at which its first day began in New York)."""
    rows = log.to_pylist()
    days = log["time"].cast(pyarrow.timestamp("us")).cast(pyarrow.int64()).to_pylist()
    summer = ["2017-03-12" < row["time"] <= "2017-11-05" for row in rows]
    return [
        (row["household_id"], row["campaign"], day + OFFSET_US[is_summer])
        for row, day, is_summer in zip(rows, days, summer, strict=True)
    ]


def test_the_log_is_taken_whole(audit, sent):
    assert audit.contacts == len(sent) == 6_589
    assert audit.customers == len({household for household, _, _ in sent})
    assert {each.campaign: each.contacts for each in audit.campaigns} == Counter(name for _, name, _ in sent)
    assert audit.events == 345_130


def test_who_was_offered_what_they_had_just_bought(audit, sent, prepared):
    """By the tables of purchases alone."""
    campaigns, offers = (getattr(onevoice.load(prepared.playbook), part) for part in ("campaigns", "offers"))
    table = pq.read_table(
        packaged_tables().path("transactions"), columns=["household_id", "product_id", "transaction_timestamp"]
    )
    proposed = {name: offers[campaigns[name].offers[0]].product for name in {name for _, name, _ in sent}}
    table = table.filter(pyarrow.compute.is_in(table["product_id"], pyarrow.array(map(int, proposed.values()))))
    bought = defaultdict(list)
    times = table["transaction_timestamp"].cast(pyarrow.timestamp("us")).cast(pyarrow.int64()).to_pylist()
    for household, product, time in sorted(
        zip(table["household_id"].to_pylist(), table["product_id"].to_pylist(), times, strict=True)
    ):
        bought[household, f"{product}"].append(time)
    just = [
        (household, name)
        for household, name, at in sent
        if (own := bought[household, proposed[name]]) and bisect_right(own, at) > bisect_right(own, at - FORTNIGHT_US)
    ]
    found = next(each for each in audit.findings if each.words == BOUGHT)
    worst, contacts = max(Counter(name for _, name in just).items(), key=lambda pair: pair[1])
    assert (found.contacts, found.customers) == (len(just), len({household for household, _ in just}))
    assert (found.worst, found.worst_contacts) == (worst, contacts)
    assert found.contacts > 1_000


def test_which_mailings_met_within_a_week(audit, sent):
    by_household = defaultdict(list)
    for household, name, at in sent:
        by_household[household].append((at, name))
    pairs = Counter(
        tuple(sorted((a, b)))
        for own in by_household.values()
        for i, (at, a) in enumerate(sorted(own))
        for later, b in sorted(own)[i + 1 :]
        if later < at + 7 * DAY_US
    )
    assert {(each.one, each.other): each.times for each in audit.pairs} == pairs


def test_a_year_under_the_rules_is_told(audit):
    year = audit.year
    assert year.wishes == audit.contacts
    assert 5_000 < year.sent < 6_589
    assert {each.reason for each in year.reasons} >= {"suppressed"}
    assert sum(each.sent + each.expired + each.ended + each.waiting for each in year.campaigns) == year.wishes
    assert {each.owner for each in year.campaigns} == {"mailings"}


def test_where_only_days_are_known_no_hour_is_told(audit):
    assert audit.hours == ()
    assert not next(each for each in audit.findings if each.kind == "quiet").contacts


def test_the_page_holds_it_all(audit):
    page = audit_page(audit)
    assert "bought(offer.product)" in page
    assert len(page) < 1_000_000
