"""The verbs that rehearse, as a person uses them."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
events: {order: {fields: {order_id: key}}}
campaigns:
  receipt: {class: service, priority: 9, when: event order, send: [mail]}
  news: {class: sales, priority: 1, when: event order, valid_for: 2 days, send: [mail]}
policies:
  classes: {service: {}, sales: {}}
  gap: 4 hours
channels: {mail: {address: email}}
"""
TIMES = (("ann", "2026-03-02T09:00:00Z"), ("bob", "2026-03-03T21:30:00Z"), ("eve", "2026-03-09T10:00:00Z"))


@pytest.fixture
def place(tmp_path, call, monkeypatch):
    """A folder with a journal of three orders, the playbook it was decided under, and one that is narrower."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("shop", PLAYBOOK), ("new", PLAYBOOK.replace("gap: 4 hours", "caps: [{max: 1, per: week}]"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "playbook.yaml").write_text(text, "utf-8")
    lines = [
        {"type": "order", "time": time, "identifiers": {"email": f"{who}@x.org"}, "fields": {"order_id": who}}
        for who, time in TIMES
    ]
    (tmp_path / "events.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert call("run", "shop", "events.ndjson", "--data", "data")[0] == 0
    return tmp_path


def words(text):
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.usefixtures("place")
def test_a_rehearsal_as_text(call):
    code, out, err = call("simulate", "--playbook", "new", "--data", "data")
    assert (code, err) == (0, "")
    told = words(out)
    assert told[1] == "3 lines and 5 decisions; the rehearsal differs in 7; 0 customers would hear more, 2 less"
    assert "contacts 5 3 -2" in told
    assert "news sales 2 0 -2" in told
    assert "cap: at most 1 a week 0 3 +3" in told
    assert "nobody knows" in out
    assert "goes out by mail" in out


@pytest.mark.usefixtures("place")
def test_the_playbook_in_force_changes_nothing(call):
    code, out, _ = call("simulate", "--playbook", "shop", "--data", "data")
    assert code == 0
    assert "5 decisions; the rehearsal differs in 0;" in out
    assert "Decisions that differ" not in out


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (("--from", "2026-03-04"), 1),
        (("--from", "2026-03-03T23:30"), 2),
        (("--from", "2026-03-03T21:31:00Z"), 1),
        (("--to", "2026-03-04"), 2),
        (("--from", "2026-03-03", "--to", "2026-03-05"), 1),
    ],
)
def test_a_window_is_one_of_the_playbooks_zone(call, given, lines):
    code, out, _ = call("simulate", "--playbook", "new", "--data", "data", *given, "--json")
    assert (code, json.loads(out)["lines"]) == (0, lines)


def test_a_rehearsal_as_page_tables_and_json(call, place):
    code, out, err = call(
        "simulate", "--playbook", "new", "--data", "data", "--html", "r.html", "--parquet", "tables", "--json"
    )
    assert (code, err) == (0, "written to tables\nwritten to r.html\n")
    found = json.loads(out)
    assert found["differing"] == 7
    assert "what would have been said" in (place / "r.html").read_text("utf-8")
    tables = {path.stem: pq.read_table(path) for path in (place / "tables").iterdir()}
    assert tables["totals"].to_pylist() == found["totals"]
    assert set(tables) < set(found)
    code, out, _ = call("simulate", "--playbook", "new", "--data", "data", "--html", "r.html")
    assert (code, out) == (0, "")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("simulate", "--playbook", "new", "--data", "data", "--from", "spring"), "--from: not a time"),
        (("simulate", "--playbook", "new", "--data", "data", "--from", "2027-01-01"), "nothing came in at this time"),
        (("simulate", "--playbook", "new", "--data", "nowhere"), "no journal in this folder"),
        (("simulate", "--playbook", "nowhere", "--data", "data"), "no such folder"),
        (("simulate", "--playbook", "new", "--data", "data", "--from", "2027-01-01"), "error: --from: nothing came in"),
        (
            ("simulate", "--playbook", "new", "--data", "data", "--from", "2026-03-02", "--to", "2026-03-02"),
            "error: --to: it ends where it begins; expected a time after 2026-03-02 00:00:00+0",
        ),
        (
            ("simulate", "--playbook", "new", "--data", "data", "--from", "2026-03-02", "--to", "2026-03-01"),
            "error: --to: it ends before it begins",
        ),
        (("conflicts", "nws", "--data", "data"), "did you mean `news`?"),
        (("conflicts", "--data", "data", "--within", "7 moons"), "--within: not a length of time"),
        (("conflicts", "--data", "data", "--within", "1000000d"), "--within: too long a time; expected at most 36"),
    ],
)
def test_what_is_wrong_is_told(call, arguments, said):
    code, _, err = call(*arguments)
    assert code == 1
    assert said in err


@pytest.mark.usefixtures("place")
def test_conflicts_as_they_were_and_as_they_would_be(call):
    code, out, err = call("conflicts", "--data", "data")
    assert (code, err) == (0, "")
    told = words(out)
    assert told[0] == "shop: 1 pair in conflict within 1 week, among 3 customers"
    assert "news receipt 3 3 0 3 0 0" in told
    code, out, _ = call("conflicts", "news", "--playbook", "new", "--data", "data", "--within", "12h")
    told = words(out)
    assert told[:2] == [
        "news: 1 pair in conflict within 12 hours, among 3 customers",
        "it wants 3 customers; of 3 wishes 0 sent, 2 expired, 0 ended, 0 no longer true, 1 waiting",
    ]
    assert "news receipt 3 3 0 3 2 0" in told


@pytest.mark.usefixtures("place")
def test_conflicts_as_json(call):
    code, out, _ = call("conflicts", "receipt", "--data", "data", "--within", "3 days", "--json")
    found = json.loads(out)
    assert (code, found["within"]) == (0, "P3D")
    assert (found["pairs"][0]["one"], found["pairs"][0]["other_held"]) == ("receipt", 3)


@pytest.mark.parametrize("verb", ["simulate", "conflicts"])
def test_a_rehearsal_on_the_data_of_another_playbook_says_so(place, call, verb):
    told = "the data is that of playbook shop; bank is rehearsed on it\n"
    assert call(verb, "--playbook", "new", "--data", "data")[2] == ""
    (place / "new" / "playbook.yaml").write_text(PLAYBOOK.replace("playbook: shop", "playbook: bank"), "utf-8")
    code, out, err = call(verb, "--playbook", "new", "--data", "data")
    assert (code, err) == (0, told)
    assert out


@pytest.mark.usefixtures("place")
def test_a_run_under_a_changed_playbook_says_what_is_another(call, caplog):
    assert call("run", "shop", "events.ndjson", "--data", "data")[0] == 0
    assert caplog.messages == []
    assert call("run", "new", "events.ndjson", "--data", "data")[0] == 0
    (told,) = caplog.messages
    assert told.startswith("playbook shop has changed (playbook.yaml); from here on it decides ")
