"""`onevoice init` as a person uses it."""

import io
import json
import subprocess
import sys

import pytest

import onevoice
from onevoice import cli
from onevoice.cli.init import machine_zone

ENGINE = ("numba", "llvmlite", "numpy", "pyarrow", "apsw", "duckdb", "onevoice.engine.step")


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run `onevoice init` in a folder of its own; `typed` are the lines somebody at a terminal types, None: nobody."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, typed=None):
        stdin = io.StringIO("".join(f"{line}\n" for line in typed or ()))
        stdin.isatty = lambda: typed is not None
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit) as end:
            cli.main(["init", *arguments])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return run


def test_nobody_to_ask(call):
    code, out, err = call("crm")
    assert (code, err) == (0, "taken, as nothing was given: --kind shop --time-zone UTC\n")
    assert out.splitlines() == [
        "wrote crm/playbook.yaml, crm/products.csv, crm/events.ndjson",
        "next:",
        "  onevoice check crm",
        "  onevoice run crm crm/events.ndjson --data data",
        "  onevoice why weekend_news --identifier email=cleo@example.org --data data --last 3",
    ]
    assert onevoice.load("crm").name == "crm"


def test_two_questions(call):
    code, _, err = call("crm", typed=["bank", "Europe/Vilnius"])
    assert code == 0
    assert "What kind of business is closest to yours? [shop] " in err
    assert "Which time zone is it in? [" in err
    found = onevoice.load("crm")
    assert (found.time_zone, "instant_loan" in found.campaigns) == ("Europe/Vilnius", True)


def test_an_empty_answer_is_the_default(call, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    call("crm", typed=["", ""])
    found = onevoice.load("crm")
    assert (found.time_zone, "cart_reminder" in found.campaigns) == ("Asia/Tokyo", True)


def test_an_answer_that_is_none_is_asked_for_again(call):
    code, _, err = call("crm", typed=["bakn", "bank", "UTC"])
    assert code == 0
    assert "did you mean `bank`?" in err
    assert err.count("What kind of business") == 2


def test_nobody_answers_any_more(call):
    code, _, _ = call("crm", typed=[])
    assert code == 0
    assert "cart_reminder" in onevoice.load("crm").campaigns


def test_what_is_given_is_not_asked(call):
    code, _, err = call("crm", "--kind", "telecom", "--time-zone", "UTC", typed=[])
    assert (code, err) == (0, "")


def test_as_json_nothing_is_asked(call):
    code, out, _ = call("crm", "--json", typed=["bank", "UTC"])
    found = json.loads(out)
    assert (code, found["kind"], found["time_zone"], len(found["next"])) == (0, "shop", "UTC", 3)


def test_a_second_time_it_is_refused(call):
    call("crm")
    code, out, err = call("crm")
    assert (code, out) == (1, "")
    assert err.startswith("error: crm: files are there already; expected a new folder; found events.ndjson")


def test_the_present_folder_gives_the_name(call, tmp_path):
    code, out, _ = call(".")
    assert (code, onevoice.load(tmp_path).name) == (0, tmp_path.name)
    assert "  onevoice run . events.ndjson --data data" in out.splitlines()


@pytest.mark.parametrize("zone", ["Europe/Vilnius", ":Europe/Vilnius"])
def test_the_zone_of_the_machine_by_its_variable(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    assert machine_zone() == "Europe/Vilnius"


@pytest.mark.parametrize(("target", "zone"), [("zoneinfo/Asia/Tokyo", "Asia/Tokyo"), ("zoneinfo/x", ""), ("x", "")])
def test_the_zone_of_the_machine_by_its_link(monkeypatch, tmp_path, target, zone):
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "localtime").symlink_to(tmp_path / target)
    assert machine_zone(tmp_path / "localtime") == zone


def test_it_starts_no_engine(tmp_path):
    code = f"""
import sys
from onevoice import cli
try:
    cli.main(["init", {str(tmp_path / "x")!r}, "--kind", "shop", "--time-zone", "UTC"])
except SystemExit as end:
    assert not end.code
print(*sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(ENGINE) & set(found[-1].split()) == set()
