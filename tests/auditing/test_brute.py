"""What an audit finds in small drawn logs is what one finds by hand."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.json
import pyarrow.parquet
import pytest

import onevoice
from tests.auditing import brute


@pytest.fixture
def audited(tmp_path):
    """Give `audited(drawn)`: the audit of a drawn log by the default rules."""

    def audit(drawn):
        (tmp_path / "sent.csv").write_text(brute.csv(drawn), "utf-8")
        (tmp_path / "events.ndjson").write_text(brute.ndjson(drawn), "utf-8")
        return onevoice.audit(tmp_path / "events.ndjson", tmp_path / "sent.csv", mapping=None)

    return audit


def told(audit):
    """What `brute.expected` says, as the audit says it."""
    pairs = {
        (each.one, each.other): (
            *(each.customers, each.times, each.one_first, each.other_first),
            *(each.one_after, each.one_alone, each.other_after, each.other_alone),
        )
        for each in audit.pairs
    }
    return {
        "found": {each.words: (each.contacts, each.customers) for each in audit.findings if each.contacts},
        "totals": (audit.contacts, audit.customers, audit.found, audit.found_customers),
        "load": {(each.per, each.contacts): each.periods for each in audit.load},
        "pairs": pairs,
        "campaigns": campaigns_of(audit),
    }


def campaigns_of(audit):
    names = {each.campaign for each in audit.campaigns}
    return {name: sum(each.contacts for each in audit.campaigns if each.campaign == name) for name in names}


@pytest.mark.parametrize("seed", range(12))
def test_what_is_found_is_what_one_finds_by_hand(audited, seed):
    print(f"seed {seed}")
    drawn = brute.draw(seed)
    found, expected = told(audited(drawn)), brute.expected(drawn)
    assert {pair: pytest.approx(shares) for pair, shares in expected.pop("pairs").items()} == found.pop("pairs")
    assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_year_has_a_wish_for_each_contact_and_keeps_the_rules(audited, seed):
    print(f"seed {seed}")
    audit = audited(brute.draw(seed))
    year = audit.year
    assert year.wishes == audit.contacts
    assert sum(each.wishes for each in year.campaigns) == audit.contacts
    assert sum(each.contacts for each in year.weeks) == year.sent
    assert (year.asks, year.shown) == (0, 0)
    assert {each.placement for each in year.reasons} <= {""}


@pytest.mark.parametrize("seed", range(2))
def test_every_form_of_the_events_gives_the_same(audited, tmp_path, seed):
    print(f"seed {seed}")
    by_lines = audited(brute.draw(seed))
    table = pyarrow.json.read_json(tmp_path / "events.ndjson")
    time = table["time"].cast(pyarrow.timestamp("us", "UTC"))
    table = table.set_column(table.column_names.index("time"), "time", time)
    pyarrow.parquet.write_table(table, tmp_path / "events.parquet")
    by_rows = onevoice.audit(tmp_path / "events.parquet", tmp_path / "sent.csv")
    assert replace(by_rows, read=()) == replace(by_lines, read=())
