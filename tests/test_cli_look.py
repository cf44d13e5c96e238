"""The verbs that look at what was decided, as a person uses them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import onevoice
from onevoice.playbook.load import load_files

ROOT = Path(__file__).resolve().parents[1]
PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
events: {order: {fields: {order_id: key, amount: number}}, case_opened: {}, case_resolved: {}}
facts: {open_case: {opens: case_opened, closes: case_resolved}}
campaigns:
  receipt: {class: service, priority: 9, when: event order, send: [mail]}
  news: {class: sales, priority: 1, when: event order, valid_for: 2 days, send: [mail]}
policies:
  classes: {service: {}, sales: {}}
  gap: 4 hours
  caps: [{max: 2, per: day}]
  suppress: [{stop: [sales], while: open_case}]
channels: {mail: {address: email}}
"""
EVENTS = (
    ("order", "ann", "2026-03-02T09:00:00Z", {"order_id": "o1", "amount": 12.5}),
    ("case_opened", "bob", "2026-03-02T09:00:00Z", {}),
    ("order", "bob", "2026-03-02T10:00:00Z", {"order_id": "o2", "amount": 7}),
    ("order", "eve", "2026-03-09T10:00:00Z", {"order_id": "o3", "amount": 1}),
)


@pytest.fixture
def data(tmp_path, call):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "playbook.yaml").write_text(PLAYBOOK, "utf-8")
    lines = [
        {"type": kind, "time": time, "identifiers": {"email": f"{who}@x.org"}, "fields": fields}
        for kind, who, time, fields in EVENTS
    ]
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert call("run", tmp_path / "shop", events, "--data", tmp_path / "data")[0] == 0
    return tmp_path / "data"


def test_a_report_as_text(call, data):
    code, out, err = call("report", "--data", data)
    assert (code, err) == (0, "")
    assert "4 events, 3 customers, 6 wishes, 4 contacts" in out
    assert "suppressed: no sales while open_case" in out
    assert "gap: at least 4 hours between two contacts" in out or "outranked" in out


def test_a_report_as_json_and_as_a_page(call, data, tmp_path):
    code, out, err = call("report", "--data", data, "--json", "--html", tmp_path / "report.html")
    assert (code, err) == (0, f"written to {tmp_path / 'report.html'}\n")
    found = json.loads(out)
    assert (found["sent"], found["wishes"]) == (4, 6)
    assert "receipt" in (tmp_path / "report.html").read_text("utf-8")


def test_why_tells_each_candidate_with_its_reason(call, data):
    code, out, _ = call("why", "-i", "email=bob@x.org", "--data", data, "--last", "9")
    assert code == 0
    assert "receipt goes out by mail; 1 other campaign met it" in out
    assert "suppressed: no sales while open_case" in out
    assert "policies.suppress[0]" in out


def test_why_and_why_not_speak_the_language_that_is_asked_for(call, data):
    bob = ("-i", "email=bob@x.org", "--data", data)
    assert call("why", "news", *bob, "--language", "pl")[1].startswith("news: nie została wybrana w ciągu 2 dni\n")
    assert call("why-not", "news", *bob, "--language", "fi")[1].startswith(
        "news: ei tullut valituksi 2 päivän kuluessa\n"
    )
    english = call("why-not", "news", *bob)[1].splitlines()
    assert english[0] == "news: was not chosen within 2 days"
    assert english[1] == "Mon 02 Mar 2026 12:00, customer 1", "in the playbook's zone, as `why` tells it"
    code, _, err = call("why", "news", *bob, "--language", "plx")
    assert code == 1
    assert "no such language" in err


def test_why_one_campaign(call, data):
    _, out, _ = call("why", "news", "-i", "email=bob@x.org", "--data", data)
    assert out.splitlines()[0] == "news: was not chosen within 2 days"
    code, _, err = call("why", "recipt", "-i", "email=bob@x.org", "--data", data)
    assert code == 1
    assert "an unknown campaign" in err
    assert "did you mean `receipt`?" in err


def test_why_of_a_campaign_and_nobody_tells_of_the_customer_decided_about_last(call, data):
    code, out, _ = call("why", "news", "--data", data, "--json")
    assert code == 0
    with onevoice.open(data_dir=data) as engine:
        last = [each for each in engine.decisions() if any(line.campaign == "news" for line in each.lines)][-1]
    assert [each["decision"]["number"] for each in json.loads(out)] == [last.number]
    code, _, err = call("why", "recipt", "--data", data)
    assert code == 1
    assert "did you mean `receipt`?" in err


def test_why_as_json(call, data):
    _, out, _ = call("why", "-i", "email=bob@x.org", "--data", data, "--json")
    (found,) = json.loads(out)
    assert {told["campaign"] for told in found["told"]} == {"news"}


def test_a_timeline_as_text_json_and_page(call, data, tmp_path):
    code, out, _ = call("timeline", "-i", "email=bob@x.org", "--data", data)
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "customer 1 of shop, up to 09 Mar 2026 12:00"
    assert "02 Mar 2026 11:00 ▪ case_opened" in lines
    assert "11:00 ▶ open_case begins" in lines
    assert "12:00 ▪ order order_id o2, amount 7" in lines
    assert "12:00 ● receipt by mail" in lines
    code, out, err = call("timeline", "--customer", "1", "--data", data, "--json", "--html", tmp_path / "bob.html")
    assert (code, err) == (0, f"written to {tmp_path / 'bob.html'}\n")
    assert [each["type"] for each in json.loads(out)["events"]] == ["case_opened", "order"]


@pytest.mark.parametrize("verb", ["report", "timeline", "why"])
def test_looking_makes_no_journal(call, tmp_path, verb):
    who = () if verb == "report" else ("--customer", "0")
    code, out, err = call(verb, *who, "--data", tmp_path / "none")
    assert (code, out) == (1, "")
    assert err.startswith(
        f"error: {tmp_path / 'none'}: no journal in this folder; expected the folder given to `--data`"
    )
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("who", [(), ("--customer", "1", "-i", "email=bob@x.org")])
def test_somebody_has_to_be_named_once(call, data, who):
    code, _, err = call("why", *who, "--data", data)
    assert code == 1
    assert "give `--identifier kind=value` or `--customer NUMBER`" in err


def test_looking_changes_nothing(call, data):
    before = call("report", "--data", data, "--json")
    call("timeline", "--customer", "0", "--data", data)
    assert call("report", "--data", data, "--json") == before


def test_warnings_are_told_beside_the_answer(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text(PLAYBOOK.replace("caps: [{max: 2, per: day}]", ""), "utf-8")
    code, out, err = call("check", tmp_path)
    assert code == 0
    assert out.startswith("shop ")
    assert err.startswith("warning: playbook.yaml:")
    code, out, err = call("check", tmp_path, "--strict")
    assert code == 1
    assert err.startswith("warning: playbook.yaml:")
    _, out, _ = call("check", tmp_path, "--json")
    assert len(json.loads(out)["warnings"]) >= 1


def test_the_schema_is_json(call):
    code, out, _ = call("schema")
    assert code == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


def test_the_playbook_of_these_tests_is_sound():
    assert load_files({"playbook.yaml": PLAYBOOK.encode()}).name == "shop"


def test_who_reads_our_output_may_have_seen_enough(data):
    command = [sys.executable, "-m", "onevoice.cli", "timeline", "--customer", "1", "--data", f"{data}", "--last", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""


GOAL = "send: [mail], goal: order within 30 days, holdout: 30%}"


def test_results_are_told_as_a_table_as_json_and_as_a_page(tmp_path, data, call):
    playbook = tmp_path / "shop" / "playbook.yaml"
    playbook.write_text(PLAYBOOK.replace("valid_for: 2 days, send: [mail]}", f"valid_for: 2 days, {GOAL}"), "utf-8")
    code, out, _ = call("results", "--data", data)
    assert (code, out) == (0, "shop: no campaign with a goal has reached anybody yet\nwithout a goal: receipt, news\n")
    with onevoice.open(playbook.parent, data):
        pass
    code, out, _ = call("results", "--data", data)
    assert code == 0
    assert out.startswith("shop: 1 contact of campaigns with a goal, 0 came to it")
    assert out.count("nobody was held out") == 1
    assert "`holdout: {share: 10%}`" in out
    assert "rate" not in out
    assert "without a goal: receipt" in out
    (told,) = json.loads(call("results", "--by", "class", "--data", data, "--json")[1])["figures"]
    with onevoice.open(data_dir=data) as engine:
        sent = [line for made in engine.decisions() for line in made.won if line.campaign == "news"]
    assert (told["part"], told["contacts"], told["uplift"]) == ("sales", len(sent), None)
    page = tmp_path / "results.html"
    assert call("results", "--data", data, "--html", page)[0] == 0
    assert all(f'"by":"{by}"' in page.read_text("utf-8") for by in ("campaign", "class", "owner", "week"))
    code, _, err = call("results", "--by", "month", "--data", data)
    assert code == 2
    assert "month" in err


def test_a_channel_that_nothing_declares_has_a_place(call, tmp_path):
    (tmp_path / "shop").mkdir()
    text = """
playbook: shop
identifiers: {email: {format: email}, phone: {format: phone, region: LT}}
events: {order: {}}
campaigns: {thanks: {class: sales, when: event order, valid_for: 2 days, send: [sms]}}
policies: {classes: {sales: {}}}
"""
    (tmp_path / "shop" / "playbook.yaml").write_text(text, "utf-8")
    line = {"type": "order", "time": "2026-03-02T09:00:00Z", "identifiers": {"email": "ann@x.org"}}
    (tmp_path / "events.ndjson").write_text(json.dumps(line), "utf-8")
    call("run", tmp_path / "shop", tmp_path / "events.ndjson", "--data", tmp_path / "data")
    _, out, _ = call("why-not", "thanks", "-i", "email=ann@x.org", "--data", tmp_path / "data")
    assert "channels.sms playbook.yaml:5:81" in [" ".join(line.split()) for line in out.splitlines()]
    before = call("why-not", "thanks", "-i", "email=ann@x.org", "--data", tmp_path / "data", "--until", "2026-03-01")
    assert before[1].startswith("thanks was never triggered")


def test_nothing_that_is_shown_ends_in_spaces_and_an_answer_in_no_blank_line(call, tmp_path):
    """Also where a rule has no place, and where nothing stood in the way."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "playbook.yaml").write_text(LOST, "utf-8")
    told = {"type": "seen", "time": "2026-03-02T09:00:00Z", "identifiers": {"email": "ann@x.org"}}
    (tmp_path / "events.ndjson").write_text(json.dumps(told), "utf-8")
    call("run", tmp_path / "shop", tmp_path / "events.ndjson", "--data", tmp_path / "data")
    ann = ("-i", "email=ann@x.org", "--data", tmp_path / "data")
    for verb in (("why-not", "news"), ("why-not", "lost"), ("why-not", "quiet"), ("why",), ("timeline",)):
        code, out, _ = call(*verb, *ann)
        assert code == 0
        assert not [line for line in out.splitlines() if line != line.rstrip()], out
        assert "\n\n\n" not in out
        assert verb[0] != "why-not" or not out.endswith("\n\n"), out


LOST = """
playbook: shop
identifiers: {email: {format: email}}
events: {seen: {}, bought: {}}
campaigns:
  news: {class: sales, priority: 9, when: event seen, send: [mail]}
  lost: {class: sales, when: event seen, send: [mail]}
  quiet: {class: sales, when: event bought, send: [mail]}
policies: {classes: {sales: {}}, gap: 1 day}
"""
