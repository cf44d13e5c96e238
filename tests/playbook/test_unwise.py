"""A golden table: what is legal and unwise, word for word, each beside neighbours that are not warned of.

`UPDATE_GOLDEN=1 python -m pytest tests/playbook/test_unwise.py` writes the warnings anew; read the difference before
you commit it.
"""

import dataclasses
import os
from pathlib import Path

import pytest

from onevoice.playbook.check import check
from onevoice.playbook.load import load_files, load_with_report, read_files
from onevoice.playbook.model import Campaign, CampaignClass, Channel, Playbook, Policies, Trigger, TriggerKind
from onevoice.playbook.record import position
from onevoice.playbook.unwise import unwise

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
UNWISE = HERE / "unwise"
# What is written, and not what it means, says whether a channel is declared.
OF_FILES = {"channels_misspelt.yaml"}
CASES = sorted(path.name for path in UNWISE.iterdir() if path.is_dir() or path.suffix == ".yaml")


def files_of(path):
    return read_files(path) if path.is_dir() else {"playbook.yaml": path.read_bytes()}


def warnings_of(path):
    return unwise(*load_with_report(files_of(path)))


@pytest.mark.parametrize("case", CASES)
def test_what_is_unwise_is_told(case):
    found = "".join(f"{warning}\n" for warning in warnings_of(UNWISE / case))
    expected = UNWISE / f"{Path(case).stem}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_the_table_has_no_orphans():
    assert {path.stem for path in UNWISE.glob("*.txt")} == {Path(case).stem for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_a_warning_says_where_why_and_how_to_mend(case):
    found = warnings_of(UNWISE / case)
    assert list(found) == sorted(found, key=position)
    for warning in found:
        assert position(warning)[2], "line and column"
        assert ": " in warning.what, "what it is, and why that is unwise"
        assert warning.mend


@pytest.mark.parametrize("case", CASES)
def test_without_places_the_same_is_told_by_key_path(case):
    placed = warnings_of(UNWISE / case)
    by_path = unwise(load_files(files_of(UNWISE / case)))
    told = sorted((each.what, each.mend) for each in placed)
    assert sorted((each.what, each.mend) for each in by_path) == ([] if case in OF_FILES else told)
    assert all(not position(each)[1] for each in by_path)


def test_a_playbook_built_in_python_is_warned_of():
    book = Playbook(
        "built",
        campaigns={"hello": Campaign("hello", "sales", Trigger(TriggerKind.EVENT, "asked"), send=("app",))},
        policies=Policies(classes={"sales": CampaignClass("sales")}),
        channels={"app": Channel("app")},
    )
    assert check(book) == []
    assert [each.where for each in unwise(book)] == ["campaigns.hello", "policies"]


def test_an_example_is_warned_of_what_is_true():
    """What the example of the design leaves unused; each is told once."""
    assert [each.where.split()[-1] for each in warnings_of(EXAMPLES / "telecom")] == [
        "campaigns.back_in_stock",
        "measures.orders_30d",
        "moments.delivered_not_opened",
        "policies.refusals.not_now",
        "policies.refusals.ignored",
    ]


def test_what_is_not_used_can_be_taken_out():
    book = load_files(files_of(UNWISE / "not_used.yaml"))
    told = [tuple(each.where.split(".")) for each in unwise(book)]
    assert {section for section, _ in told} == {
        *("groups", "facts", "measures", "segments", "moments", "offers", "placements", "channels", "resources")
    }
    for section, name in told:
        rest = {key: value for key, value in getattr(book, section).items() if key != name}
        book = dataclasses.replace(book, **{section: rest})
    assert check(book) == []
    assert unwise(book) == ()
