"""What `onevoice run` promises before it begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onevoice import cli
from onevoice.cli import run
from onevoice.runtime import node, payloads

RETAIL = Path(__file__).resolve().parents[1] / "examples" / "retail"


def test_the_defaults_in_its_help_are_those_of_the_engine():
    """They stand twice, so that `--help` needs no engine."""
    assert (run.PIECE_LINES, run.SNAPSHOT_EVERY) == (payloads.PIECE_LINES, node.SNAPSHOT_EVERY)


@pytest.mark.parametrize(("name", "told"), [("none.csv", "cannot be read"), ("sales.xlsx", "sales.xlsx")])
def test_a_file_to_be_mapped_is_looked_for_before_anything_is_made(tmp_path, capsys, name, told):
    data, mapping = tmp_path / "data", RETAIL / "mapping.yaml"
    arguments = ["run", RETAIL / "playbook", tmp_path / name, "--mapping", mapping, "--data", data]
    with pytest.raises(SystemExit) as end:
        cli.main([f"{argument}" for argument in arguments])
    assert end.value.code == 1
    assert told in capsys.readouterr().err
    assert not data.exists()


STOPS = """
playbook: outlet
identifiers: {card: {}}
events: {came: {}, sold: {}}
sources: {till: {events: [sold], stale_after: 1 day}}
campaigns: {reminder: {class: sales, when: event came, until: sold, valid_for: 9 days, send: [mail]}}
policies: {classes: {sales: {}}, caps: [{max: 1, per: day}]}
"""


def called(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main([f"{argument}" for argument in arguments])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_a_source_that_stops_is_told_and_reported(tmp_path, capsys):
    events = [("sold", "x", 2), ("came", "ann", 4), ("sold", "x", 6), ("came", "bob", 9)]
    lines = [
        {"type": kind, "identifiers": {"card": who}, "time": f"2026-03-0{day}T12:00:00Z"} for kind, who, day in events
    ]
    (tmp_path / "outlet").mkdir()
    (tmp_path / "outlet" / "playbook.yaml").write_text(STOPS)
    (tmp_path / "week.ndjson").write_text("\n".join(map(json.dumps, lines)))
    said = called(capsys, "run", tmp_path / "outlet", tmp_path / "week.ndjson", "--data", tmp_path / "data")
    assert "till stopped 2 times and was heard again once: what depends on it is held meanwhile" in said
    said = called(capsys, "report", "--data", tmp_path / "data")
    rows = [" ".join(line.split()) for line in said.splitlines() if line.startswith("till ")]
    assert rows == [
        "till 2026-03-03 12:00 2026-03-02 12:00 2026-03-06 12:00 reminder",
        "till 2026-03-07 12:00 2026-03-06 12:00 not yet reminder",
    ]


def test_run_says_what_named_nothing_known(tmp_path, capsys):
    events = tmp_path / "events.ndjson"
    time = b'"time":"2026-02-01T10:00:00Z"'
    events.write_bytes(
        b'{"type":"campaign_paused",%s,"fields":{"campaign":"sping_sale"}}\n' % time
        + b'{"type":"campaign_paused",%s,"fields":{"campain":"spring_sale"}}\n' % time
        + b'{"type":"contact_failed",%s,"identifiers":{"user_id":"u"},"fields":{"contact":7}}\n' % time
        + b'{"type":"profile_updated",%s,"identifiers":{"user_id":"u"},"traits":{"language":"lt"}}\n' % time
    )
    said = called(capsys, "run", RETAIL.parent / "telecom", events, "--data", tmp_path / "data")
    assert said.splitlines()[1:] == [
        "  4 accepted",
        "  2 uses of unknown names: campaign_paused.campain 1, campaign sping_sale 1",
        "  3 left out: control events without effect 2, unknown contacts 1",
    ]
