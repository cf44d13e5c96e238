"""`onevoice holidays`: dates to paste, and what it answers to what it does not know."""

import json
import subprocess
import sys

import pytest

from onevoice.cli import main
from onevoice.playbook.load import load_files
from onevoice.playbook.model import Holiday

PLAYBOOK = b"""
playbook: shop
events: {visit: {}}
campaigns: {hello: {class: sales, when: event visit, send: [app]}}
policies:
  classes: {sales: {}}
  hours: {all: 08:00-21:00}
"""


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["holidays", *arguments])
    return ended.value.code


def test_what_it_prints_is_a_file_of_a_playbook(capsys):
    assert run("lt", "--years", "2026-2027") == 0
    printed = capsys.readouterr().out
    found = load_files({"playbook.yaml": PLAYBOOK, "holidays.yaml": printed.encode()}).policies.holidays
    assert {Holiday(12, 25, 2026), Holiday(12, 25, 2027), Holiday(4, 6, 2026), Holiday(3, 29, 2027)} <= set(found)
    assert {each.year for each in found} == {2026, 2027}
    assert "    - 2026-12-25 # Christmas Day\n" in printed
    assert printed.startswith("policies:\n  holidays: # LT, 2026-2027\n")


def test_a_region_has_days_of_its_own(capsys):
    assert run("DE", "--years", "2026", "--json") == 0
    country = json.loads(capsys.readouterr().out)
    assert run("DE", "--years", "2026", "--json", "--region", "BY") == 0
    region = json.loads(capsys.readouterr().out)
    assert (region["country"], region["region"], region["first_year"], region["last_year"]) == ("DE", "BY", 2026, 2026)
    more = [each for each in region["holidays"] if each not in country["holidays"]]
    assert {"date": "2026-01-06", "name": "Epiphany"} in more


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["XX"], "no such country"),
        (["Lithuania"], "found `LITHUANIA`"),
        (["DE", "--region", "XX"], "`BW`, `BY`, `HB`"),
        (["LT", "--region", "XX"], "--region: no such region"),
        (["LT", "--years", "next"], "--years: not years"),
        (["LT", "--years", "2027-2026"], "such as `2026-2030`"),
        (["LT", "--years", "2026-2046"], "20 years at most"),
        (["LT", "--years", "1926"], "of 1970 to 2100"),
    ],
)
def test_what_there_is_not_is_answered_in_a_line(capsys, arguments, told):
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error


def test_without_years_it_is_five_from_this_one_on(capsys):
    assert run("LT", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    years = {int(each["date"][:4]) for each in found["holidays"]}
    assert years == set(range(found["first_year"], found["first_year"] + 5))


def test_the_library_is_brought_in_by_the_verb_alone():
    code = "import sys, onevoice.cli, onevoice.playbook.load; assert 'holidays' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
