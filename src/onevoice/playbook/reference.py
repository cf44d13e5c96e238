"""The reference page of a playbook's keys, `docs/reference/playbook.md`: written from what the schema is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from onevoice.playbook.forms import FORMS, Schema
from onevoice.playbook.json_schema import SHORT, definition, property_of
from onevoice.playbook.keys import KEYS, TYPES, Example

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD: Final = """\
# The keys of a playbook

<!-- Generated: `UPDATE_GOLDEN=1 python -m pytest tests/playbook/test_reference.py` writes this page anew. -->

Every key there is. An unknown key is a mistake. `onevoice schema` prints the same as JSON Schema for an editor.
What things mean to the last tie is said in [semantics](../semantics.md).

A playbook is a folder of YAML files. Sections may be spread over any number of them; only `identifiers` and `products`
stand in one file each. `NAME` stands for a name that you choose: small letters, digits and `_`, a letter first.
"""
_FORMS_HEAD: Final = """\
## The forms of values

| form | what it is | examples |
|---|---|---|
"""
_TYPES_HEAD: Final = """\
## The types of traits and fields

| type | what it holds |
|---|---|
"""


def reference() -> str:
    """Return the page, in Markdown."""
    found = places()
    sections = [_section(name, found) for name in KEYS]
    forms = "".join(_form_row(name, form) for name, form in FORMS.items())
    types = "".join(f"| `{kind}` | {says} |\n" for kind, says in TYPES.items())
    return "\n".join([_HEAD, *sections, _FORMS_HEAD + forms, _TYPES_HEAD + types])


def places() -> dict[str, str]:
    """Return under which path each kind of mapping stands: `campaigns.NAME`, `policies.caps[]`."""
    found = {"playbook": ""}
    for name, keys in KEYS.items():  # each kind stands after the one that refers to it
        for key, said in keys.keys.items() if name not in SHORT else ():
            schema: Schema = property_of(keys.record, key, said)
            path = f"{found[name]}.{key}".lstrip(".")
            within = {"": schema, ".NAME": schema.get("additionalProperties"), "[]": schema.get("items")}
            for ending, inner in within.items():
                kind = _referred(inner or {})
                if kind in KEYS:
                    found.setdefault(kind, path + ending)
    return found


def _referred(schema: Schema) -> str:
    return str(schema.get("$ref", "")).removeprefix("#/$defs/")


def _section(name: str, found: Mapping[str, str]) -> str:
    keys, place = KEYS[name], found[name]
    schema = definition(name, keys)
    mapping = schema["anyOf"][1] if name in SHORT else schema
    lines = [f"## {f'`{place}`' if place else 'The sections'}\n", f"{schema['description']}\n"]
    if name in SHORT:
        lines.append(f"Shorter, its value may be only this: {_linked(SHORT[name], found)}.\n")
    lines += ["| key | what it says | value | left out | for example |", "|---|---|---|---|---|"]
    for key, each in mapping["properties"].items():
        needed = key in mapping.get("required", ())
        left_out = "**required**" if needed else _value(each["default"]) if "default" in each else ""
        example = _value(keys.keys[key].example)
        lines.append(
            f"| `{key}` | {each['description']} | {_form_of(each, found)} | {left_out} | {example} |".replace("  ", " ")
        )
    return "\n".join(lines) + "\n"


def _form_of(schema: Schema, found: Mapping[str, str]) -> str:
    """Say what a key's value is: a form, a mapping of keys, names or a list of one of these."""
    if kind := _referred(schema):
        return _linked(kind, found)
    if "items" in schema:
        return f"a list of {_linked(_referred(schema['items']), found)}"
    return f"by name, {_linked(_referred(schema['additionalProperties']), found)}"


def _linked(kind: str, found: Mapping[str, str]) -> str:
    """Name a form, or a kind of mapping, and link to where the page describes it."""
    place = found.get(kind, "the forms of values")
    anchor = re.sub(r"[^\w -]", "", place.lower()).replace(" ", "-")
    return f"[{kind.replace('_', ' ')}](#{anchor})"


def _form_row(name: str, form: Schema) -> str:
    words = " or ".join(f"`{_flow(word)}`" for word in form.get("enum", ()) if isinstance(word, str))
    examples = ", ".join(f"`{each}`" for each in form.get("examples", ())) or words
    return f"| {name.replace('_', ' ')} | {form['description']} | {examples} |\n".replace("  ", " ")


def _value(value: Example) -> str:
    return f"`{_flow(value)}`"


def _flow(value: Example) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return f'"{value}"' if re.search(r": | #|^[\"'\[{]", str(value)) else str(value)
