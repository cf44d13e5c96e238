"""Every public docstring has the form of docs/style.md, and its examples are run.

An example finds `engine`, which is new and in memory, over `examples/telecom`, at 10:00 UTC on 2 February 2026, and
`ada`, one customer's identifiers; and the names in NAMES. It may write files.
"""

import doctest
import inspect
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pytest

import onevoice

ROOT = Path(__file__).resolve().parents[1]
NOW_US = (datetime(2026, 2, 2, 10, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
NAMES = {"onevoice": onevoice, "datetime": datetime, "UTC": UTC, "Path": Path, "replace": replace}
# The errors are shown by their root; the engine itself counts.
ERRORS = {name for name in onevoice.__all__ if name.endswith("Error")} - {"OnevoiceError"} | {"JournalDamaged"}
WITHOUT_EXAMPLE = {f"onevoice.{name}" for name in ERRORS} | {"onevoice.Ingested.count"}


def members(kind):
    """The public methods and properties of a class of ours, and `[]`, by name."""
    for name, member in inspect.getmembers_static(kind):
        is_one = inspect.isfunction(member) or isinstance(member, (property, cached_property))
        if is_one and (not name.startswith("_") or name == "__getitem__"):
            yield name, member


def public():
    """Every public thing that has a docstring, by its full name."""
    found = {"onevoice": onevoice}
    for name in onevoice.__all__:
        each = getattr(onevoice, name)
        found[f"onevoice.{name}"] = each
        if inspect.isclass(each):
            found |= {f"onevoice.{name}.{member}": value for member, value in members(each)}
    return found


PUBLIC = public()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of its own, from which the examples are found as from the repository."""
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.usefixtures("place")
def test_the_examples_run(name):
    text = inspect.getdoc(PUBLIC[name])
    with onevoice.open("examples/telecom", clock=lambda: NOW_US) as engine:
        names = {**NAMES, "engine": engine, "ada": {"user_id": "ada"}}
        test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
        told = []
        failed, _ = doctest.DocTestRunner().run(test, out=told.append)
        names["engine"].close()
    assert failed == 0, "".join(told)


def test_what_can_be_called_has_an_example():
    assert {name for name, each in PUBLIC.items() if ">>>" not in inspect.getdoc(each)} == WITHOUT_EXAMPLE


@pytest.mark.parametrize("name", PUBLIC)
def test_a_docstring_begins_with_a_sentence(name):
    first, *rest = inspect.getdoc(PUBLIC[name]).splitlines()
    assert first[0].isupper()
    assert first.endswith(".")
    assert not rest or rest[0] == ""


def calls(kind):
    return [name for name, member in members(kind) if inspect.isfunction(member)]


@pytest.mark.parametrize("name", [f"onevoice.Onevoice.{name}" for name in calls(onevoice.Onevoice)] + ["onevoice.open"])
def test_what_can_be_given_is_told(name):
    """Each argument is in the text by its name, but those of which the class tells."""
    call = PUBLIC[name]
    told = inspect.getdoc(call).partition(">>>")[0]
    arguments = set(inspect.signature(call).parameters) - {"self", "customer", "identifiers"}
    assert {each for each in arguments if not re.search(rf"\b{each}\b", told)} == set()
