"""The schema for editors: right playbooks pass it, wrong forms do not, and it is made from the model."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from onevoice.playbook.forms import FORMS
from onevoice.playbook.json_schema import DIALECT, json_schema
from onevoice.playbook.keys import KEYS
from onevoice.playbook.tree import parse

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
# An example may have other YAML beside its playbook's folder.
EXAMPLES = {path.parent for path in ROOT.glob("examples/**/*.yaml") if re.search(r"(?m)^playbook:", path.read_text())}
GOOD = sorted(
    [path for folder in (*EXAMPLES, HERE / "unwise", HERE / "complete") for path in folder.glob("**/*.yaml")], key=str
)
BROKEN = sorted(HERE.glob("broken/**/*.yaml"), key=str)
# Broken playbooks whose mistake no schema can know: names, conditions, what belongs together, other files.
BEYOND = {
    *("campaign_conditions", "catalogue", "catalogue_columns", "catalogue_elsewhere", "catalogue_header"),
    *("catalogue_semicolons", "too_long"),
    *("condition_over_lines", "conditions", "conditions_about_time", "duplicate_key", "fact_keys", "moment_keys"),
    "group_conditions",
    *("no_classes", "no_name", "nothing_in_it", "offer_conditions", "one_name_for_two_things", "product_fields"),
    *("cap_category", "segment_before_its_own", "segments_in_a_circle", "unknown_zone"),
}
# Those that are no YAML, or none of ours.
UNREADABLE = {
    *("a_key_that_is_a_list", "a_tag", "alias_inside_itself", "billion_laughs", "merge_key", "nested_too_deeply"),
    *("not_utf8", "not_yaml", "quote_at_the_start", "second_document", "tabs", "unknown_alias"),
}


def as_an_editor_reads(node):
    """The value of a node in the core schema of YAML 1.2."""
    if isinstance(node.value, dict):
        return {key: as_an_editor_reads(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [as_an_editor_reads(child) for child in node.value]
    if not node.plain:
        return node.value
    if node.empty:
        return None
    if node.value.lower() in {"true", "false"}:
        return node.value.lower() == "true"
    if re.fullmatch(r"[-+]?\d+", node.value):
        return int(node.value)
    if re.fullmatch(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", node.value):
        return float(node.value)
    return node.value


def read(content):
    tree = parse("playbook.yaml", content, [])
    return {} if tree is None else as_an_editor_reads(tree)


def refusals(value, schema=None):
    validator = VALIDATOR if schema is None else Draft202012Validator(schema | {"$defs": SCHEMA["$defs"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def case_of(path):
    return path.stem if path.parent.name == "broken" else path.parent.name


def test_the_schema_is_one():
    assert SCHEMA["$schema"] == DIALECT == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)
    assert KEYS.keys() & FORMS.keys() == set()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_playbook_that_loads_passes(path):
    assert refusals(read(path.read_bytes())) == []


def test_the_first_example_passes():
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert refusals(read(block.encode())) == []


@pytest.mark.parametrize("name", KEYS)
def test_every_example_of_a_key_passes(name):
    for key, said in KEYS[name].keys.items():
        mapping = SCHEMA["$defs"][name]
        schema = mapping.get("anyOf", [mapping])[-1]["properties"][key]
        assert refusals(said.example, schema) == [], key


@pytest.mark.parametrize("name", FORMS)
def test_every_example_of_a_form_passes(name):
    for example in FORMS[name].get("examples", ()):
        assert refusals(example, {"$ref": f"#/$defs/{name}"}) == []


def test_a_mistake_of_form_is_refused():
    """Of the broken playbooks all but those whose mistake lies beyond form: a schema must not look the other way."""
    readable = [path for path in BROKEN if case_of(path) not in UNREADABLE]
    refused = {case_of(path) for path in readable if refusals(read(path.read_bytes()))}
    assert {case_of(path) for path in readable} - refused == BEYOND


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("policies: {gap: 4 Hours}", True),
        ("policies: {gap: 90s}", True),
        ("policies: {gap: 4h}", False),
        ("policies: {gap: 4}", False),
        ("events: {visit: }", True),
        ("measures: {last: latest visit, seen: count of visit WHERE page = 'over' over 3 days}", True),
        ("measures: {last: count visit}", False),
        ("moments: {gone: [\"any of a, b where x = 'y' within 2 days\", no a for 30 minutes]}", True),
        ("moments: {gone: [a then b]}", False),
        ("offers: {one: {value: '12.5', parameters: {price: 3, colour: red}}}", True),
        ("offers: {one: {value: lots}}", False),
        ("playbook: 2026", True),
        ("traits: {language: {choice: true, is: language}, age: number}", True),
        ("traits: {age: integer}", False),
        ("segments: {Keen: age > 3}", False),
    ],
)
def test_a_form_is_as_wide_as_the_loader(text, passes):
    assert (refusals(read(text.encode())) == []) == passes


def test_it_is_made_without_a_kernel():
    code = (
        "import sys; from onevoice.playbook.json_schema import json_schema; json_schema(); "
        "assert 'numba' not in sys.modules and 'numpy' not in sys.modules and 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
