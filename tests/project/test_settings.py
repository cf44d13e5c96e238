"""No dead settings: take any key out of a playbook that uses all of them, and another program comes out.

The playbook is the one that `tests/playbook` holds complete: in it every field of the model is away from its default.
That the engine then does with a program what the page says is for the oracle to show: its playbooks are drawn, and here
it is asked what they draw.
"""

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from onevoice.compiler import compile_playbook
from onevoice.errors import PlaybookError
from onevoice.events.decode import decode_line_by_line
from onevoice.playbook import model
from onevoice.playbook.load import load
from tests.oracle.strategies import draw_case
from tests.project.sources import modules, tree_of

COMPLETE = Path(__file__).parents[1] / "playbook" / "complete"
RECORDS = [each for each in vars(model).values() if dataclasses.is_dataclass(each)]
FIELDS = [(record, field.name) for record in RECORDS for field in dataclasses.fields(record) if field.name != "name"]
SECRET = (1, 2)

# Kept, checked and shown, but no decision is taken by it; each with the reason. What is here must change no program.
IDLE = {
    (model.Playbook, "languages"): "in which language a decision is told changes none; tests/history holds it",
}

# Said with the answer by the runtime; the engine knows only that nothing was chosen.
TOLD = {(model.Placement, "default")}

# What a required field, or one whose default says the same, is changed into.
OTHER = {
    (model.Playbook, "time_zone"): "Asia/Tokyo",
    (model.Source, "events"): ("order",),
    (model.Group, "by"): "session",
    (model.Trait, "type"): model.FieldType.KEY,
    (model.EventMatch, "event"): "visit",
    (model.Catalogue, "names"): ("case_red", "case_green"),
    (model.Catalogue, "columns"): {"category": ("covers", "covers"), "price": (1.0, 2.0)},
    (model.Fact, "opens"): (model.EventMatch("delivered"),),
    (model.Measure, "aggregate"): model.Aggregate.DISTINCT,
    (model.Measure, "match"): model.EventMatch("delivered"),
    (model.Segment, "condition"): "age > 3",
    (model.Step, "matches"): (model.EventMatch("delivered"),),
    (model.Moment, "steps"): (model.Step((model.EventMatch("order"),)),),
    (model.Campaign, "klass"): "service",
    (model.Campaign, "when"): model.Trigger(model.TriggerKind.EVENT, "order"),
    (model.Campaign, "wait_us"): 7,
    (model.Trigger, "kind"): model.TriggerKind.SEGMENT_LEFT,
    (model.Trigger, "every"): model.Every(61),
    (model.Every, "minute_of_day"): 61,
    (model.Cap, "max"): 9,
    (model.Suppression, "stop"): ("service",),
    (model.Window, "from_minute"): 61,
    (model.Window, "to_minute"): 1_439,
    (model.Holiday, "month"): 11,
    (model.Holiday, "day"): 23,
    (model.Suppression, "condition"): "age > 3",
}

LINES = b"""
{"type": "order", "source": "till", "identifiers": {"email": "Ann@Example.org", "phone": "8 612 34567"},
 "fields": {"order_id": "o1", "amount": 4, "lines": [{"product": "case_red", "quantity": 1}]},
 "traits": {"nickname": "A", "language": "lt", "zone": "Asia/Tokyo", "age": 3, "member": true}}
""".replace(b"\n", b"")


def walk(value):
    """Every record inside a playbook, itself included."""
    if dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from walk(getattr(value, field.name))
    elif isinstance(value, dict | tuple):
        for child in value.values() if isinstance(value, dict) else value:
            yield from walk(child)


def rebuilt(value, target, new):
    """The same value with `new` in the place of the record `target`."""
    if value is target:
        return new
    if dataclasses.is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: rebuilt(part, target, new) for name, part in parts.items()})
    if isinstance(value, dict):
        return {key: rebuilt(child, target, new) for key, child in value.items()}
    if isinstance(value, tuple):
        return tuple(rebuilt(child, target, new) for child in value)
    return value


def default_of(record, name):
    field = next(field for field in dataclasses.fields(record) if field.name == name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def plain(table):
    return (table.shape, table.tobytes()) if isinstance(table, np.ndarray) else table


def program_of(playbook):
    """All that the engine is told of a playbook: its tables, its names, and what it makes of a line."""
    compiled = compile_playbook(playbook)
    tables = {name: plain(getattr(compiled.program, name)) for name in compiled.program.fields if name != "zones"}
    line = tuple(map(plain, decode_line_by_line(LINES, compiled.schema, SECRET)))
    return tables, compiled.widths, compiled.names, compiled.patterns, line


def programs_without(playbook, record, name):
    """The programs of a playbook with one record's field changed, for each such record in turn."""
    for found in [each for each in walk(playbook) if type(each) is record]:
        other = OTHER.get((record, name), default_of(record, name))
        try:
            yield program_of(rebuilt(playbook, found, dataclasses.replace(found, **{name: other})))
        except (PlaybookError, KeyError):  # another part needs what was taken out: that, too, is no dead setting
            yield None


@pytest.fixture(scope="module")
def playbook():
    """The complete playbook, its late feed bringing the event whose absence a moment waits for, too."""
    found = load(COMPLETE)
    till = found.sources["till"]
    return rebuilt(found, till, dataclasses.replace(till, events=("order", "visit")))


@pytest.fixture(scope="module")
def program(playbook):
    return program_of(playbook)


def test_the_same_playbook_gives_the_same_program(playbook, program):
    assert program == program_of(rebuilt(playbook, None, None))


@pytest.mark.parametrize(("record", "name"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_a_key_is_not_ignored(playbook, program, record, name):
    changed = any(other != program for other in programs_without(playbook, record, name))
    assert changed == ((record, name) not in IDLE.keys() | TOLD), IDLE.get((record, name), "the key changes nothing")


@pytest.mark.parametrize("name", sorted(name for _, name in TOLD))
def test_what_the_engine_does_not_know_is_told_by_the_runtime(name):
    runtime = [tree_of(path) for module, path in modules().items() if module.startswith("onevoice.runtime")]
    read = {node.attr for tree in runtime for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert name in read


def test_the_oracle_draws_every_key():
    """Each field that the engine obeys is drawn away from its default, and none that it does not obey."""
    drawn = set()
    for seed in range(300):
        for found in walk(draw_case(seed)[0]):
            names = [field.name for field in dataclasses.fields(found)]
            away = [name for name in names if getattr(found, name) != default_of(type(found), name)]
            drawn |= {(type(found), name) for name in away}
    never = [(record.__name__, name) for record, name in FIELDS if (record, name) not in drawn]
    assert never == [(record.__name__, name) for record, name in FIELDS if (record, name) in IDLE.keys() | TOLD]
