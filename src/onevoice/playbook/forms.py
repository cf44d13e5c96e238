"""The forms that values of a playbook have, as JSON Schema: what the grammar reads, said so that an editor can tell.

An editor knows less than `check`: a form admits whatever may be right. Texts stand in YAML without quotes, so one that
looks like a number is a number to an editor.
"""

from __future__ import annotations

from typing import Any, Final

from onevoice.playbook import catalogue, hours, policies
from onevoice.playbook.customers import EVENT_TYPES, TRAIT_TYPES
from onevoice.playbook.grammar import UNITS, WEEKDAYS
from onevoice.playbook.model import EACH, Aggregate, Period, SendBy, TriggerKind
from onevoice.playbook.record import NAME_LENGTH_MAX, TEXT_LENGTH_MAX

Schema = dict[str, Any]

_NAME: Final = "[a-z][a-z0-9_]*"
_EVENT: Final = rf"{_NAME}(?:\.{_NAME}){{0,2}}"
_COUNT: Final = r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})"
_CLOCK: Final = r"\d\d:\d\d"
_DAYS: Final = rf"(?:{'|'.join(hours.DAYS)})(?:\s*-\s*(?:{'|'.join(hours.DAYS)}))?"


def _any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


_LENGTH: Final = rf"\d+\s*(?:s|(?:{'|'.join(_any_case(unit) for unit in UNITS)})[Ss]?)"
_WHERE: Final = rf"(?:\s+{_any_case('where')}\s+[\s\S]+)?"
_WITHOUT_OF: Final = (Aggregate.LATEST, Aggregate.FIRST)
_AGGREGATES: Final = (
    f"(?:(?:{'|'.join(each for each in Aggregate if each not in _WITHOUT_OF)})"
    rf"\s+of|(?:{'|'.join(_WITHOUT_OF)})(?:\s+of)?)"
)
_TRIGGERS: Final = {
    TriggerKind.MOMENT: rf"moment\s+{_NAME}",
    TriggerKind.EVENT: rf"event\s+{_EVENT}{_WHERE}",
    TriggerKind.SEGMENT_ENTERED: rf"segment\s+entered\s+{_NAME}",
    TriggerKind.SEGMENT_LEFT: rf"segment\s+left\s+{_NAME}",
    TriggerKind.ONCE: rf"once\s+\d{{4}}-\d\d-\d\d[ T]{_CLOCK}(?::\d\d)?",
    TriggerKind.EVERY: rf"every\s+(?:(?:day|{'|'.join(WEEKDAYS)})|month\s+\d{{1,2}})\s+{_CLOCK}",
    TriggerKind.PRODUCT: rf"product\s+{_NAME}\s+for\s+{_NAME}",
    TriggerKind.ASKED: "asked",
}

NAMES: Final[Schema] = {"pattern": f"^{_NAME}$", "maxLength": NAME_LENGTH_MAX}


def line(says: str, pattern: str, *examples: str) -> Schema:
    """Return the form of a text of one pattern."""
    return {"description": says, "type": "string", "pattern": rf"^\s*(?:{pattern})\s*$", "examples": list(examples)}


def ref(form: str) -> Schema:
    """Return a reference to a form by its name."""
    return {"$ref": f"#/$defs/{form}"}


def one_or_many(form: str) -> Schema:
    """Return a value of a form, or a list of them."""
    return {"anyOf": [ref(form), {"type": "array", "items": ref(form)}]}


def named(values: Schema) -> Schema:
    """Return a mapping of names to values."""
    return {"type": ["object", "null"], "propertyNames": NAMES, "additionalProperties": values}


def _words(says: str, *words: str) -> Schema:
    return {"description": says, "enum": list(words)}


_COMPUTED: Final[Schema] = {
    "type": "object",
    "properties": {"is": ref("condition")},
    "required": ["is"],
    "additionalProperties": False,
}

# Every form by name; what describes it in the schema describes it on the reference page.
FORMS: Final[dict[str, Schema]] = {
    "text": {
        "description": "A text, in quotes or without.",
        "type": ["string", "number", "boolean"],
        "minLength": 1,
        "maxLength": TEXT_LENGTH_MAX,
    },
    "texts": {"description": "A text, or a list of texts.", **one_or_many("text")},
    "number": {
        "description": "A number.",
        "type": ["number", "string"],
        "pattern": r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$",
    },
    "whole": {"description": "A whole number.", "type": ["integer", "string"], "pattern": r"^[+-]?\d{1,9}$"},
    "count": {
        "description": "A whole number above nought; thousands may be set off by commas.",
        "type": ["integer", "string"],
        "pattern": r"^(?:\d{1,9}|\d{1,3}(?:,\d{3})+)$",
        "minimum": 1,
        "examples": ["50,000"],
    },
    "capacity": line("A number of contacts and a time.", rf"{_COUNT} per (?:minute|hour|day)", "50 per hour"),
    "budget": {
        "description": "An amount of money, in all or each day or month.",
        "type": ["number", "string"],
        "pattern": r"^\d[\d,]*(?:\.\d*)?(?: per (?:day|month))?$",
        "examples": [5000, "5000 per month"],
    },
    "stock": {
        "description": "A number of units, or a product of the catalogue.",
        "type": ["integer", "string"],
        "examples": [500, "case_red"],
    },
    "shares": {
        "description": "Shares by name.",
        **named({"type": "string", "pattern": r"^\s*\d+(?:\.\d+)?\s*%\s*$", "examples": ["30%"]}),
    },
    "windows": {"description": "A window, or a list of windows.", **one_or_many("window")},
    "flag": {"description": "`true` or `false`.", "enum": [True, False, "true", "false"]},
    "condition": {
        "description": "An expression in SQL over the customer, and over the event and the offer where there is one.",
        "type": ["string", "number", "boolean"],
        "minLength": 1,
        "examples": ["tier = 'gold' or spend > 1000", "last_order < now() - interval '14 days'"],
    },
    "duration": line(
        f"A length of time: a whole number of {', '.join(f'{unit}s' for unit in UNITS)}.",
        _LENGTH, "0s", "30 minutes", "2 days",
    ),
    "period": line(
        "A window: a calendar day, week or month of the customer, or a rolling length of time.",
        f"{'|'.join(Period)}|{_LENGTH}", "day", "week", "7 days",
    ),
    "date": line("A day.", r"\d{4}-\d\d-\d\d", "2026-03-01"),
    "per": line("A field of the event that starts the campaign.", rf"event\.{_NAME}", "event.order_id"),
    "event": line(
        "An event, or its items as `event.list`, with a condition over its own fields.",
        rf"{_EVENT}{_WHERE}", "order_placed", "order_placed.items where quantity > 1",
    ),
    "events": {"description": "An event, or a list of events; each may have its own `where`.", **one_or_many("event")},
    "goal": line(
        "An event, and the time within which it is to happen.",
        rf"{_EVENT}{_WHERE}\s+within\s+{_LENGTH}", "order_placed within 14 days",
    ),
    "measure": line(
        "`AGGREGATE of EVENT[.field] [where CONDITION] [over WINDOW]`; without a field events are counted or timed.",
        rf"{_AGGREGATES}\s+{_EVENT}{_WHERE}(?:\s+over\s+{_LENGTH})?",
        "sum of order_placed.amount over 30 days", "latest order_placed",
    ),
    "step": line(
        "`[N] EVENT [where CONDITION] [within D]`, `any of E1, E2`, `no EVENT` between two steps, "
        "or `no EVENT for D` as the last.",
        rf"(?:no\s+|any\s+of\s+|\d+\s+)?{_EVENT}(?:\s*,\s*{_EVENT})*{_WHERE}(?:\s+(?:within|for)\s+{_LENGTH})?",
        "page_viewed", "2 store_visited within 7 days", "no order_placed for 30 minutes",
    ),
    "steps": {"description": "A list of steps, in order.", "type": "array", "items": ref("step"), "minItems": 1},
    "trigger": line(
        "What starts a campaign: a moment, an event, a segment entered or left, a time, a product, or being asked.",
        "|".join(_TRIGGERS.values()),
        "moment retention_risk", "event order_placed where amount > 10", "segment entered premium",
        "once 2026-03-01 10:00", "every monday 10:00", "every month 1 10:00",
        "product product_restocked for sought", "asked",
    ),
    "format": _words("How values of an identifier are written.", "email", "phone"),
    "meaning": _words("What a trait means to the engine.", "language", "time_zone", "channel"),
    "send_by": _words("In what order channels are tried.", *SendBy),
    "counts_from": _words("From which state on a contact counts.", *policies.COUNTS_FROM),
    "about": _words("What a world event is about.", "product"),
    "trait_type": _words("What a trait holds.", *TRAIT_TYPES),
    "column_type": _words("What a column of the catalogue holds.", *catalogue.FIELD_TYPES),
    "field_type": _words("What a field of an event holds.", *EVENT_TYPES),
    "columns": {"description": "Columns by name, with their types.", **named(ref("column_type"))},
    "fields": {
        "description": "Fields by name, with their types; a mapping instead of a type is a list of items.",
        **named({"anyOf": [ref("field_type"), named(ref("field_type"))]}),
    },
    "parameters": {
        "description": "Numbers and texts by name; `{is: …}` holds an expression that gives a number for the customer.",
        **named({"anyOf": [ref("text"), _COMPUTED]}),
    },
    "share": line("A percentage above 0% and below 100%.", r"\d{1,2}(?:\.\d+)?\s*%", "5%", "0.5%"),
    "each": _words("One for each value that there is.", EACH),
    "exemption": _words("A rule that a class need not keep.", *policies.EXEMPTIONS),
    "exemptions": {"description": "By class, the rules it need not keep.", **named(one_or_many("exemption"))},
    "window": line(
        "A stretch of the local day, up to `24:00`, on every day or on the weekdays named.",
        rf"{_CLOCK}\s*-\s*{_CLOCK}(?:\s+{_DAYS}(?:\s*,\s*{_DAYS})*)?|{hours.ALWAYS}",
        "08:00-21:00", "09:00-18:00 mon-fri", "10:00-14:00 sat,sun", "always",
    ),
    "hours": {"description": "By channel, a window or a list of windows.", **named(one_or_many("window"))},
    "holiday": line("A date, or a day of each year.", r"(?:\d{4}-)?\d\d-\d\d", "2026-12-25", "12-25"),
    "holidays": {"description": "A date, or a list of dates.", **one_or_many("holiday")},
}  # fmt: skip
