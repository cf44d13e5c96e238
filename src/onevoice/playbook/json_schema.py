"""The JSON Schema of a playbook's files, for editors: made from the model, its keys and the forms of their values."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

from onevoice.playbook.forms import FORMS, Schema, named, ref
from onevoice.playbook.keys import KEYS, Key, Keys
from onevoice.playbook.model import EventMatch, Measure, Segment, Trigger

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
# What is a mapping of keys, or shorter.
SHORT: Final = {"trait": "trait_type", "moment": "steps"}
# What is one line.
LINES: Final[dict[type, str]] = {EventMatch: "event", Measure: "measure", Segment: "condition", Trigger: "trigger"}
_SCALARS: Final[dict[type, str]] = {bool: "flag", float: "number", str: "text"}


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of one YAML file of a playbook, any of whose sections may be in another."""
    return {
        "$schema": DIALECT,
        "title": "Onevoice playbook",
        "description": "One file of a playbook; its sections may be spread over any number of files.",
        **ref("playbook"),
        "$defs": {name: definition(name, keys) for name, keys in KEYS.items()} | FORMS,
    }


def definition(name: str, keys: Keys) -> Schema:
    """Return the schema of one kind of mapping."""
    found: Schema = {
        "type": ["object", "null"],
        "properties": {key: property_of(keys.record, key, said) for key, said in keys.keys.items()},
        "additionalProperties": False,
    }
    needed = [key for key, said in keys.keys.items() if is_required(keys.record, key, said)]
    if needed and name not in {"playbook", *SHORT}:
        found |= {"type": "object", "required": needed}
    if name in SHORT:
        found = {"anyOf": [ref(SHORT[name]), found]}
    return {"description": summary(keys.record), **found}


def property_of(record: type, key: str, said: Key) -> Schema:
    """Return the schema of one key."""
    found: Schema = {"description": said.says, **value_of(record, key, said), "examples": [said.example]}
    if said.least is not None:
        found["minimum"] = said.least
    if said.most is not None:
        found["maximum"] = said.most
    default = default_of(record, key, said)
    return found if default is None else found | {"default": default}


def value_of(record: type, key: str, said: Key) -> Schema:
    """Return the form of a key's value: that which is named, else that which the model's type tells."""
    if said.form:
        return ref(said.form)
    field = said.field or key
    hint = get_type_hints(record)[field]
    inner = [each for each in get_args(hint) if each not in {type(None), Ellipsis}]
    if hint is int and field.endswith("_us"):
        return ref("duration")
    if hint is int:
        return ref("whole")
    if get_origin(hint) is dict:
        return named(_of_type(inner[-1]))
    if get_origin(hint) is tuple:
        one = _of_type(inner[0])
        several = {ref("text")["$ref"]: "texts", ref("event")["$ref"]: "events"}.get(one.get("$ref", ""))
        return ref(several) if several else {"type": "array", "items": one}
    return _of_type(inner[0] if inner else hint)


def _of_type(hint: type) -> Schema:
    if hint in LINES:
        return ref(LINES[hint])
    if is_dataclass(hint):
        return ref(next(name for name, keys in KEYS.items() if keys.record is hint))
    if issubclass(hint, StrEnum):
        return {"enum": list(hint)}
    return ref(_SCALARS[hint])


def is_required(record: type, key: str, said: Key) -> bool:
    """Tell whether a key must be there: the model's field has no default."""
    field = _field(record, said.field or key)
    return said.required or (field.default is MISSING and field.default_factory is MISSING)


def default_of(record: type, key: str, said: Key) -> str | float | None:
    """Return what holds where a key is left out; None where that is nothing, or not to be written."""
    default = _field(record, said.field or key).default
    if said.required or said.form in {"flag", *KEYS} or (said.field or key).endswith("_us"):
        return None
    if isinstance(default, float) and default.is_integer():
        return int(default)
    return cast("str | float", default) if isinstance(default, str | int | float) and default != "" else None


def _field(record: type, name: str) -> Any:
    return next(field for field in fields(cast("Any", record)) if field.name == name)


def summary(record: type) -> str:
    """Return the first sentence that the model says of a record."""
    return (record.__doc__ or "").split(". ")[0].split("\n")[0].rstrip(".") + "."
