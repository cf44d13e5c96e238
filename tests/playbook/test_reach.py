"""Nothing in the model is out of reach of YAML: a field that the loader does not read fails here."""

import dataclasses
import enum
from pathlib import Path

import pytest

from onevoice.playbook import model
from onevoice.playbook.load import load

COMPLETE = Path(__file__).parent / "complete"
RECORDS = [each for each in vars(model).values() if dataclasses.is_dataclass(each)]
ENUMS = [each for each in vars(model).values() if isinstance(each, type) and issubclass(each, enum.StrEnum)]
ENUMS.remove(enum.StrEnum)


def walk(value):
    yield value
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from walk(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from walk(key)
            yield from walk(child)
    elif isinstance(value, tuple | frozenset):
        for child in value:
            yield from walk(child)


@pytest.fixture(scope="module")
def values():
    return list(walk(load(COMPLETE)))


def default_of(field):
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


@pytest.mark.parametrize("record", RECORDS, ids=lambda each: each.__name__)
def test_every_field_takes_what_is_written(record, values):
    found = [value for value in values if isinstance(value, record)]
    for field in dataclasses.fields(record):
        unwritten = default_of(field)
        assert any(getattr(value, field.name) not in (unwritten, "", ()) for value in found), field.name


@pytest.mark.parametrize("words", ENUMS, ids=lambda each: each.__name__)
def test_every_word_of_an_enum_can_be_written(words, values):
    found = {value for value in values if isinstance(value, words)}
    assert set(words) == found
