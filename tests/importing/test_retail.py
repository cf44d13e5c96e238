"""Half a million real invoice lines: what the mapping makes of them is what SQL written by hand counts.

The data is not shipped: ONEVOICE_DATA names its folder. Skipped, saying so, where it is not there.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

import onevoice
from onevoice.importing.summary import told

ROOT = Path(__file__).resolve().parents[2]
RETAIL = ROOT / "examples" / "retail"
DATA = Path(os.environ.get("ONEVOICE_DATA") or ROOT.parent / "shared" / "data") / "online_retail.parquet"
CUSTOMERS = (17850, 12748, 14646)

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}: ONEVOICE_DATA names the folder with the data")


@pytest.fixture(scope="module")
def lines():
    """The data as SQL sees it: `lines`, and `distinct_lines` with each repeated one once."""
    connection = duckdb.connect()
    connection.execute(f"create view lines as select * from read_parquet('{DATA}')")
    connection.execute("create table distinct_lines as select distinct * from lines")
    yield lambda statement: connection.sql(statement).fetchall()
    connection.close()


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    aside = tmp_path_factory.mktemp("retail") / "aside.ndjson"
    with onevoice.open(RETAIL / "playbook") as engine:
        answer = engine.run([DATA], mapping=RETAIL / "mapping.yaml", aside=aside)
        yield engine, answer, aside


def test_every_line_is_counted_once(imported, lines):
    (summary,) = imported[1].summaries
    ((count, distinct, nobody),) = lines(
        "select (select count(*) from lines), count(*), count(*) filter (CustomerID is null) from distinct_lines"
    )
    assert (count, count - distinct, nobody) == (541_909, 5_268, 135_037)
    assert summary.lines == count
    assert summary.duplicates.count == count - distinct
    assert {reason: found.count for reason, found in summary.aside.items()} == {"no identifier": nobody}
    assert summary.used == distinct - nobody == 401_604


def test_the_first_lines_named_are_the_first(imported):
    (summary,) = imported[1].summaries
    rows = duckdb.sql(f"select * from read_parquet('{DATA}') limit 2000").fetchall()
    seen, repeated = set(), []
    for number, row in enumerate(rows, 1):
        if row in seen:
            repeated.append(number)
        seen.add(row)
    nobody = [number for number, row in enumerate(rows, 1) if row[6] is None and number not in repeated]
    assert summary.duplicates.first_lines == repeated[:5]
    assert summary.aside["no identifier"].first_lines == nobody[:5]


def test_invoices_are_orders_and_those_with_c_are_returns(imported, lines):
    _, answer, _ = imported
    found = lines("""
        select count(distinct InvoiceNo) filter (InvoiceNo not like 'C%'),
               count(distinct InvoiceNo) filter (InvoiceNo like 'C%')
        from lines where CustomerID is not null
    """)
    assert found == [(18_536, 3_654)]
    assert answer.summaries[0].events == {"order_placed": 18_536, "order_returned": 3_654}
    assert (answer.lines, answer.accepted, answer.rejected_count) == (22_190, 22_190, 0)


def test_nothing_is_lost(imported, lines):
    """What was kept aside is in its file, line by line, as it was."""
    kept = [json.loads(line) for line in imported[2].read_text("utf-8").splitlines()]
    assert len(kept) == 135_037
    assert all(each["reason"] == "no identifier" and each["content"]["CustomerID"] is None for each in kept)
    ((quantity,),) = lines("select sum(Quantity) from distinct_lines where CustomerID is null")
    assert sum(each["content"]["Quantity"] for each in kept) == quantity


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_a_customer_is_known_as_sql_knows_them(imported, lines, customer):
    found = imported[0].state({"customer_id": str(customer)}).measures
    ((orders, spent, returned, products, last),) = lines(f"""
        select count(distinct InvoiceNo) filter (placed), sum(Quantity * UnitPrice) filter (placed),
               -sum(Quantity * UnitPrice) filter (not placed), count(distinct StockCode) filter (placed),
               max(started) filter (placed)
        from (
            select *, InvoiceNo not like 'C%' as placed, min(InvoiceDate) over (partition by InvoiceNo) as started
            from distinct_lines where CustomerID = {customer}
        )
    """)
    assert found["orders"] == orders
    assert found["spent"] == pytest.approx(spent, abs=0.01)
    assert found["returned"] == pytest.approx(returned, abs=0.01)
    assert found["range_of_products"] == min(products, 1_024)  # where distinct stops counting
    ((us,),) = lines(f"select epoch_us(timezone('Europe/London', timestamp '{last}'))")
    assert found["last_order"] == datetime.fromtimestamp(us / 1e6, UTC)


def test_the_figures_of_the_page_are_those_of_the_summary(imported):
    page = (RETAIL / "README.md").read_text("utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    assert shown.splitlines() == told(imported[1].summaries[0])
