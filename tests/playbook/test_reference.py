"""The page of keys is what the model, the loader and the schema say, and nothing else.

`UPDATE_GOLDEN=1 python -m pytest tests/playbook/test_reference.py` writes `docs/reference/playbook.md` anew.
"""

import dataclasses
import os
import re
from pathlib import Path

import pytest

from onevoice.playbook import model
from onevoice.playbook.keys import KEYS, TYPES
from onevoice.playbook.load import load
from onevoice.playbook.record import Record
from onevoice.playbook.reference import places, reference
from tests.project.test_settings import IDLE

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "playbook.md"
COMPLETE = Path(__file__).parent / "complete"
# Read from a line of grammar or a table; the page says it by the form of the value.
LINES = {
    *(model.Playbook, model.Trait, model.Catalogue, model.EventType, model.EventMatch, model.Measure, model.Segment),
    *(model.Step, model.Trigger, model.Every, model.Window, model.Holiday),
}
# Two fields of the model that one key fills.
WITH = {
    (model.Cap, "period"): "per",
    (model.Campaign, "goal_within_us"): "goal",
    (model.Resource, "per"): "capacity",
    (model.Resource, "product"): "stock",
    (model.Channel, "rate_per"): "rate",
    (model.Offer, "computed"): "parameters",
}
SAID = [(name, key, said) for name, keys in KEYS.items() for key, said in keys.keys.items()]


def test_the_page_is_what_is_generated():
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(reference(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_its_links_lead_to_its_headings():
    page = reference()
    titles = re.findall(r"^## (.*)$", page, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\(#([^)]*)\)", page)) <= headings


@pytest.fixture(scope="module")
def asked():
    """The keys that the loader asks for in a playbook that has all of them, by the kind of mapping."""
    kinds = {name: re.compile(_pattern(place)) for name, place in places().items()}
    found = {name: set() for name in KEYS}
    original = Record.node

    def node(self, key):
        for name, pattern in kinds.items():
            if pattern.fullmatch(self.place.path):
                found[name].add(key)
        return original(self, key)

    Record.node = node
    try:
        load(COMPLETE)
    finally:
        Record.node = original
    return found


def _pattern(place):
    return re.escape(place).replace("NAME", r"\w+").replace(r"\[\]", r"\[\d+\]")


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_are_those_that_the_loader_reads(name, asked):
    assert set(KEYS[name].keys) == asked[name]


def test_every_field_of_the_model_has_its_key():
    records = {each for each in vars(model).values() if dataclasses.is_dataclass(each)}
    told = {(keys.record, said.field or key) for keys in KEYS.values() for key, said in keys.keys.items()}
    fields = {
        (record, field.name)
        for record in records - LINES | {model.Playbook}
        for field in dataclasses.fields(record)
        if field.name != "name" or record is model.Playbook
    }
    assert fields - told - set(WITH) == set()
    assert all(WITH[each] in next(keys.keys for keys in KEYS.values() if keys.record is each[0]) for each in WITH)


def test_every_type_is_described():
    assert set(TYPES) == set(model.FieldType)


@pytest.mark.parametrize(("name", "key", "said"), SAID, ids=lambda each: each if isinstance(each, str) else "")
def test_a_key_says_what_it_is_in_a_sentence(name, key, said):
    first, *more = re.split(r"(?<=\.) ", said.says)
    assert first.endswith(".")
    assert first[0].isupper()
    assert len(more) <= 1  # what is read and not obeyed yet says so in a second one


@pytest.mark.parametrize(("record", "field"), IDLE, ids=str)
def test_a_key_without_an_effect_says_so(record, field):
    keys = next(keys.keys for keys in KEYS.values() if keys.record is record)
    said = keys[WITH.get((record, field), field)].says
    assert "no decision" in said
