"""The pages that are generated are what the code gives now, and leave nothing out.

`UPDATE_GOLDEN=1 python -m pytest tests/docs/test_reference.py` writes them anew. (The keys of a playbook have a page
and a test of their own, in `tests/playbook`.)
"""

import os

import pytest

from onevoice.cli import app
from onevoice.conditions.types import _Checker
from onevoice.engine.reasons import DecisionKind, Reason
from onevoice.playbook.builtin import BUILTIN_EVENTS, BUILTIN_FACT_NAMES
from tests.docs.reference import cli, conditions, events, reasons
from tests.project.sources import ROOT

PAGES = {"cli": cli, "conditions": conditions, "events": events, "reasons": reasons}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_gives(name):
    path = ROOT / "docs" / "reference" / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(PAGES[name].page(), "utf-8")
    assert path.read_text("utf-8") == PAGES[name].page()


def test_every_node_of_sql_that_is_let_through_is_shown():
    assert conditions.nodes() == set(_Checker.METHODS)


def test_every_event_and_fact_is_described():
    assert list(events.MEANINGS) == list(BUILTIN_EVENTS)
    assert tuple(events.FACTS) == BUILTIN_FACT_NAMES


def test_every_reason_and_kind_is_described_in_order():
    assert list(reasons.MEANINGS) == list(Reason)
    assert list(reasons.KINDS) == list(DecisionKind)


def test_every_verb_is_on_the_page():
    verbs = [name for name in app if not name.startswith("-")]
    page = cli.page()
    assert [name for name in verbs if f"## onevoice {name}\n" not in page] == []


def test_nothing_of_the_applications_own_is_on_the_page():
    assert "install-completion\n" not in cli.page()
    assert "Table of Contents" not in cli.page()
