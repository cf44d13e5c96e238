"""The command line as a person uses it: what it prints, where, and with which exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console

import onevoice
from onevoice.cli.shown import report_text
from onevoice.errors import Mistake
from onevoice.history.report import CampaignFigures
from tests.history import given

ROOT = Path(__file__).resolve().parents[1]
TELECOM = str(ROOT / "examples" / "telecom")
ENGINE = ("numba", "llvmlite", "pyarrow", "apsw", "onevoice.engine.step")

ASKS = b"".join(
    b'{"type":"store_visited","time":"2026-02-01T10:%02d:00Z","identifiers":{"user_id":"u%d"}}\n' % (minute, minute % 3)
    for minute in range(30)
)


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_bytes(ASKS)
    return path


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", TELECOM], ["run", "--help"], ["schema"], ["report", "--help"]]
)
def test_help_and_check_start_no_engine(arguments):
    code = f"""
import sys
from onevoice import cli
try:
    cli.main({arguments!r})
except SystemExit as end:
    assert not end.code
print(*sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(ENGINE) & set(found[-1].split()) == set()


def test_check_says_what_a_playbook_holds(call):
    code, out, err = call("check", TELECOM)
    assert code == 0
    assert out.startswith("telecom ")
    assert "6 campaigns" in out
    assert [line.partition(" ")[0] for line in err.splitlines()] == ["warning:"] * 5
    assert call("check", TELECOM, "--strict")[0] == 1


def test_check_as_json(call):
    _, out, err = call("check", TELECOM, "--json")
    told = json.loads(out)
    assert [f"warning: {Mistake(**warning)}" for warning in told.pop("warnings")] == err.splitlines()
    assert told | {"version": ""} == {
        "playbook": "telecom",
        "version": "",
        "events": 12,
        "facts": 4,
        "measures": 3,
        "segments": 1,
        "moments": 3,
        "offers": 2,
        "campaigns": 6,
        "placements": 2,
        "products": 6,
    }


def test_check_names_every_mistake_on_standard_error(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text("playbook: shop\ncampagins: {}\ntime_zone: Mars\n", encoding="utf-8")
    code, out, err = call("check", tmp_path)
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[0].startswith("error: playbook.yaml:2:1 campagins: unknown key")
    assert "did you mean `campaigns`?" in lines[0]
    assert lines[1].startswith("error: playbook.yaml:3:12 time_zone: an unknown time zone")


def test_many_mistakes_are_counted_beyond_the_first_hundred(call, tmp_path):
    text = "playbook: shop\n" + "".join(f"key{number}: 1\n" for number in range(130))
    (tmp_path / "playbook.yaml").write_text(text, encoding="utf-8")
    code, _, err = call("check", tmp_path)
    assert (code, len(err.splitlines())) == (1, 101)
    assert err.splitlines()[-1] == "error: 30 more"


@pytest.mark.parametrize(
    "arguments",
    [
        ["chek", TELECOM],
        ["run", TELECOM],
        ["run", TELECOM, "x.ndjson"],
        ["run", TELECOM, "x.ndjson", "--data", "d", "--batch", "0"],
        ["run", TELECOM, "x.ndjson", "--data", "d", "--snapshot-every", "0"],
        ["decide", TELECOM, "--data"],
        ["check", TELECOM, "--jsn"],
        ["check", ""],
        ["run", TELECOM, "", "--data", "d"],
        ["run", TELECOM, "x.ndjson", "--data", ""],
        ["run", TELECOM, "x.ndjson", "--data", "d", "--out", ""],
    ],
)
def test_wrong_usage_ends_with_two(call, arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == "`onevoice --help` says how it is used"


def test_run_takes_files_once_and_says_what_became_of_them(call, events, tmp_path):
    named = b'"id":"a","identifiers":{"user_id":"u1"},"time":"2026-02-01T10:30:00Z"}\n'
    events.write_bytes(ASKS + b"{\n" + b'{"type":"store_visitd"}\n' + (b'{"type":"store_visited",' + named) * 2)
    arguments = ["run", TELECOM, events, "--data", tmp_path / "data", "--batch", "7", "--json"]
    code, out, err = call(*arguments)
    assert (code, json.loads(out) | {"seconds": 0}) == (
        0,
        {
            "lines": 34,
            "accepted": 31,
            "rejected": 2,
            "reasons": {"not_json": 1, "bad_time": 1},
            "unknown_types": {},
            "duplicates": 1,
            "unknown_names": {},
            "left_out": {},
            "position": 34,
            "decisions": 0,
            "paused": {},
            "stale": {},
            "fresh": {},
            "failing": {},
            "mapped": [],
            "seconds": 0,
        },
    )
    assert err.startswith(f"rejected: {events} line 31: ")
    assert json.loads(call(*arguments)[1])["lines"] == 0


def test_run_shows_ten_rejected_lines_and_counts_the_rest(call, events, tmp_path):
    events.write_bytes(b"{\n" * 25)
    _, out, err = call("run", TELECOM, events, "--data", tmp_path / "data")
    assert out.startswith("25 lines in ")
    assert out.endswith("0 decisions in all\n  25 rejected: not_json 25\n")
    assert len(err.splitlines()) == 12
    assert err.splitlines()[-2:] == ["rejected: 15 more lines", "lines are numbered without the blank ones"]


def test_run_says_of_every_line_what_became_of_it(call, events, tmp_path):
    line = b'{"type":"%s","time":"2026-02-01T10:00:00Z","identifiers":{"user_id":"u"},"id":"%d"}\n'
    unknown = [line % (b"other%d" % (i % 12), i) for i in range(13)]
    events.write_bytes(b"".join([*unknown, *[line % (b"store_visited", 7)] * 3, b"{\n"]))
    _, out, _ = call("run", TELECOM, events, "--data", tmp_path / "data")
    assert out.splitlines()[1:] == [
        "  1 accepted",
        "  1 rejected: not_json 1",
        f"  13 of an unknown type: other0 2, {', '.join(f'other{i} 1' for i in range(1, 10))}, 2 more names",
        "  2 duplicates",
    ]


def test_run_says_what_it_did_not_take_up(call, events, tmp_path):
    who = b'"time":"2026-02-01T10:00:00Z","identifiers":{"user_id":"u","email":"%s"}'
    line = b'{"type":"order_placed",' + who + b',"fields":{"colour":"red",%s}}\n'
    events.write_bytes(line % (b"nobody", b'"amount":1e15') + line % (b"u@x.lt", b'"size":1'))
    _, out, _ = call("run", TELECOM, events, "--data", tmp_path / "data")
    assert out.splitlines()[1:] == [
        "  2 accepted",
        "  3 uses of unknown names: order_placed.colour 2, order_placed.size 1",
        "  2 left out: invalid email 1, values not summed 1",
    ]


def test_run_tells_what_is_wrong_with_its_files_before_any_work(call, events, tmp_path):
    data = tmp_path / "data"
    (tmp_path / "events.csv").write_bytes(b"")
    code, out, err = call("run", TELECOM, tmp_path / "none.ndjson", events, tmp_path / "events.csv", "--data", data)
    assert (code, out) == (1, "")
    first, second = err.splitlines()
    assert first.startswith(f"error: {tmp_path / 'none.ndjson'}: cannot be read; found [Errno 2] No such file")
    assert second.startswith(f"error: {tmp_path / 'events.csv'}: unknown form of file; expected an ending of .ndjson")
    for out, found in ((tmp_path / "none" / "out.ndjson", "No such file or directory"), (tmp_path, "found a folder")):
        code, _, err = call("run", TELECOM, events, "--data", data, "--out", out)
        assert code == 1
        assert err.startswith(f"error: {out}: the file cannot be written; expected a file in a folder; ")
        assert found in err
    assert not data.exists()


ASK = (
    b'{"type":"asked","time":"2026-01-01T00:00:00Z","identifiers":{"user_id":"u1"},'
    b'"fields":{"placement":"call_screen"}}\n'
)


def test_run_writes_the_decisions_of_the_whole_journal(call, events, tmp_path):
    first, out = tmp_path / "first.ndjson", tmp_path / "decisions.ndjson"
    first.write_bytes(ASK)
    call("run", TELECOM, first, "--data", tmp_path / "data")
    call("run", TELECOM, events, "--data", tmp_path / "data", "--out", out)
    (line,) = out.read_text(encoding="utf-8").splitlines()
    decision = json.loads(line)
    assert (decision["kind"], decision["placement"], decision["time"]) == ("ask", "call_screen", "2026-01-01T00:00:00Z")
    assert [(line["campaign"], line["reason"]) for line in decision["lines"]] == [("banner_upgrade", "won")]


def test_run_without_deciding(call, tmp_path):
    path = tmp_path / "asks.ndjson"
    path.write_bytes(ASK)
    _, out, _ = call("run", TELECOM, path, "--data", tmp_path / "data", "--no-decide", "--json")
    assert json.loads(out)["decisions"] == 0


def test_a_snapshot_is_written_after_so_many_lines(call, events, tmp_path):
    call("run", TELECOM, events, "--data", tmp_path / "data", "--batch", "5", "--snapshot-every", "10")
    assert sorted(path.name for path in (tmp_path / "data" / "snapshots").iterdir()) == [
        f"state-{position:019d}.snapshot" for position in (20, 30)
    ]


def test_decide_shows_who_won_and_why_the_others_did_not(call, events, tmp_path):
    call("run", TELECOM, events, "--data", tmp_path / "data")
    arguments = ["decide", TELECOM, "--data", tmp_path / "data", "--placement", "home_banner", "--at", "now"]
    code, out, err = call(*arguments, "--identifier", "user_id=u1")
    assert (code, out, err) == (0, "show banner_upgrade\n  banner_upgrade: is shown with a rank of 0\n", "")
    _, out, _ = call(*arguments, "--identifier", "user_id=u1", "--identifier", "email=u1@x.lt", "--json")
    assert [line["reason"] for line in json.loads(out)["lines"]] == ["won"]


def test_decide_falls_back_to_the_placements_default(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text(
        "playbook: shop\nidentifiers: {user_id: {}}\nplacements: {banner: {default: brand}, till: {}}\n",
        encoding="utf-8",
    )
    for placement, shown in (("banner", "show brand\n"), ("till", "show nothing\n")):
        arguments = ["--data", tmp_path / "data", "--placement", placement, "--identifier", "user_id=u1"]
        assert call("decide", tmp_path, *arguments)[1] == shown


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--placement", "home_baner", "--identifier", "user_id=u1"], "did you mean `home_banner`?"),
        (["--placement", "home_banner", "--identifier", "u1"], "--identifier: not a pair; expected kind=value"),
        (["--placement", "home_banner", "--identifier", "user=u1"], "user"),
        (["--placement", "home_banner", "--identifier", "email=nobody"], "found only invalid email"),
        (["--placement", "home_banner", "--identifier", "user_id=u", "--field", "page=x"], "unknown field of an ask"),
        (
            ["--placement", "home_banner", "--identifier", "email=a@b.lt", "--identifier", "email=c@d.lt"],
            "--identifier email: given twice; expected one value for a name; found 'a@b.lt' and 'c@d.lt'",
        ),
        (
            ["--placement", "home_banner", "--identifier", "user_id=u", "--field", "page=x", "--field", "page=x"],
            "--field page: given twice",
        ),
    ],
)
def test_an_ask_that_cannot_be_answered_is_refused(call, tmp_path, option, said):
    code, out, err = call("decide", TELECOM, "--data", tmp_path / "data", *option)
    assert (code, out) == (1, "")
    assert said in err
    assert not (tmp_path / "data").exists()


ASKS_WITH_FIELDS = """
playbook: shop
identifiers: {user_id: {}}
events: {asked: {fields: {basket: number, member: boolean, page: choice}}}
placements: {till: {default: brand}}
"""


def test_fields_of_an_ask_are_read_as_they_are_declared(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text(ASKS_WITH_FIELDS, encoding="utf-8")
    arguments = ["--data", tmp_path / "data", "--placement", "till", "--identifier", "user_id=u1"]
    refused = {"basket=sixty": "a number", "basket=true": "a number", "basket=nan": "a number", "member=yes": "true or"}
    for field, expected in refused.items():
        name, _, value = field.partition("=")
        code, _, err = call("decide", tmp_path, *arguments, "--field", field)
        assert code == 1
        assert err.startswith(f"error: --field {name}: wrong type; expected {expected}")
        assert err.endswith(f"found {value!r}\n")
    assert not (tmp_path / "data").exists()
    fields = ["--field", "basket=60", "--field", "member=true", "--field", "page=60"]
    assert call("decide", tmp_path, *arguments, *fields) == (0, "show brand\n", "")


def test_a_file_of_a_playbook_is_not_its_folder(call, tmp_path):
    file = tmp_path / "playbook.yaml"
    file.write_text("playbook: shop\n", encoding="utf-8")
    code, _, err = call("check", file)
    assert code == 2
    assert f"{file} is a file: name the folder of the playbook, `{tmp_path}`" in err


def test_the_version_is_that_installed():
    command = [sys.executable, "-m", "onevoice.cli", "--version"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == version("onevoice")


def test_a_playbook_without_placements_says_so(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text("playbook: shop\nidentifiers: {user_id: {}}\n", encoding="utf-8")
    arguments = ["--data", tmp_path / "data", "--placement", "till", "--identifier", "user_id=u1"]
    assert call("decide", tmp_path, *arguments) == (
        1,
        "",
        "error: decide: the playbook has no placements; found 'till'; name the places that ask under `placements`\n",
    )


def test_data_that_cannot_be_made_or_is_in_use_is_told(call, events, tmp_path):
    code, _, err = call("run", TELECOM, events, "--data", events)
    assert code == 1
    assert err.startswith("error: ")
    assert "the folder of the data cannot be made" in err


def test_progress_is_shown_on_a_terminal_only(call, events, tmp_path, monkeypatch):
    arguments = ["run", TELECOM, events, "--batch", "5", "--data"]
    assert call(*arguments, tmp_path / "silent")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert "lines," in call(*arguments, tmp_path / "shown")[2]


def test_an_interruption_ends_with_130_and_says_how_to_go_on(call, events, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("onevoice.Onevoice.run", interrupted)
    code, _, err = call("run", TELECOM, events, "--data", tmp_path / "data")
    assert (code, err) == (130, "the same command goes on where the journal ends\nstopped\n")


def test_the_module_runs_as_a_program():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "onevoice.cli", "check", TELECOM]
    assert subprocess.run(command, env=environment, capture_output=True, check=True).stdout.startswith(b"telecom")


def test_a_table_in_a_narrow_terminal_breaks_no_number(call, events, tmp_path):
    campaigns = tuple(
        CampaignFigures(f"a_campaign_with_a_long_name_{i}", "sales", "us", 204_459, 1, 104_459, 0, 0, 0, 0, 0, 0)
        for i in range(3)
    )
    report = replace(given.report(), campaigns=campaigns)
    for width in (40, 60, 80, 120):
        console = Console(width=width, file=io.StringIO())
        for part in report_text(report):
            console.print(part)
        lines = console.file.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        assert sum("204,459" in line and "104,459" in line for line in lines) == 3


@pytest.fixture
def decided(call, tmp_path):
    path = tmp_path / "asks.ndjson"
    path.write_bytes(ASK)
    call("run", TELECOM, path, "--data", tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("verb", ["why", "timeline"])
@pytest.mark.parametrize(("option", "value"), [("--customer", "99"), ("--identifier", "user_id=nobody")])
def test_who_is_not_there_is_told(call, decided, verb, option, value):
    assert call(verb, "--data", decided, option, value) == (
        1,
        "",
        f"error: command: nobody has this identifier or number; found {value}\n",
    )


def test_why_knows_the_campaigns(call, decided):
    arguments = ["--data", decided, "--identifier", "user_id=u1"]
    told = {
        language: call("why", "banner_upgrade", *arguments, *language)[1] for language in ((), ("--language", "en"))
    }
    assert told[()].startswith("vietoje call_screen rodoma banner_upgrade\n")  # the first of the playbook's languages
    assert told["--language", "en"].startswith("call_screen shows banner_upgrade\n")
    assert call("why", "spring_sale", *arguments)[:2] == (
        0,
        "nothing was decided about spring_sale for this customer\n",
    )
    code, out, err = call("why", "banner_upgrde", *arguments)
    assert (code, out) == (1, "")
    assert "did you mean `banner_upgrade`?" in err


@pytest.mark.parametrize("verb", ["report", "timeline"])
def test_a_page_that_cannot_be_written_is_told_before_any_work(call, decided, verb, tmp_path, monkeypatch):
    monkeypatch.setattr(onevoice, "open", None)
    who = ["--customer", "0"] if verb == "timeline" else []
    for html in (tmp_path, tmp_path / "none" / "page.html"):
        code, _, err = call(verb, "--data", decided, *who, "--html", html)
        assert code == 1
        assert err.startswith(f"error: {html}: the file cannot be written")
    assert not list(tmp_path.parent.glob("*.part"))


def test_what_is_no_file_is_written_and_stays_what_it_is(call, events, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    events.write_bytes(ASK)
    assert call("run", TELECOM, events, "--data", tmp_path / "data", "--out", pipe)[0] == 0
    assert b'"banner_upgrade"' in os.read(reader, 10_000)
    os.close(reader)
    assert pipe.is_fifo()


def test_a_link_is_followed(call, events, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "out")
    (tmp_path / "out").write_bytes(b"")
    events.write_bytes(ASK)
    call("run", TELECOM, events, "--data", tmp_path / "data", "--out", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "out").stat().st_size


def test_output_that_nobody_reads_any_more_is_no_error(decided):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for arguments in (["schema"], ["report", "--data", str(decided)], ["check", TELECOM], ["--help"], ["--version"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "onevoice.cli", *arguments]
        done = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        assert (done.returncode, b"Broken" in done.stderr, b"Traceback" in done.stderr) == (0, False, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_output_that_cannot_be_written_is_told():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "onevoice.cli", "schema"]
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")


def test_a_path_that_no_file_can_have_is_told(call):
    code, _, err = call("check", "a" * 5_000)
    assert (code, err.startswith("error: [Errno 36] File name too long")) == (1, True)


def test_check_tells_mistakes_as_json_too(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text("playbook: shop\ncampagins: {}\n", encoding="utf-8")
    code, out, err = call("check", tmp_path, "--json")
    (mistake,) = json.loads(out)["mistakes"]
    assert (code, mistake["where"], mistake["what"]) == (1, "playbook.yaml:2:1 campagins", "unknown key `campagins`")
    assert err.startswith("error: playbook.yaml:2:1 campagins")


def test_the_demo_writes_over_nothing_of_others(call, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.sqlite").write_bytes(b"ours")
    code, _, err = call("demo", tmp_path)
    assert code == 1
    assert "the demo did not make this; expected a folder of its own" in err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert (tmp_path / "data" / "journal.sqlite").read_bytes() == b"ours"


def test_a_week_without_contacts_has_its_place_in_the_line():
    console = Console(width=120, file=io.StringIO())
    for part in report_text(given.report()):
        console.print(part)
    assert "▅▆ █" in next(line for line in console.file.getvalue().splitlines() if line.startswith("service"))
