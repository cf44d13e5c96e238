"""One line of NDJSON to rows, with a sentence for everything that does not fit.

This is the meaning of a line. The scanner (`scan.py`) reads the plain lines faster and leaves every line that it does
not fully understand, and every bad one, to this file; a property test holds the two to the same result.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from onevoice.events.batch import (
    ANY_TIME,
    ITEMS_MAX,
    MISSING_TIME,
    OTHER_NAMES,
    UNKNOWN_NAMES_MAX,
    UNKNOWN_TYPE,
    Reason,
    Rejection,
    Times,
)
from onevoice.events.json_line import parsed
from onevoice.events.refusals import (
    Refused,
    check_name,
    check_time,
    clipped,
    dropped_name,
    refuse,
    refuse_kind,
    refuse_no_time,
    refuse_number,
    refuse_time,
    refuse_type,
)
from onevoice.events.schema import ABOUT_PRODUCT, NO_COLUMN
from onevoice.events.values import date_us, normal, time_us
from onevoice.playbook.model import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onevoice.events.schema import Layout, Schema

NULL: Final = math.nan
BLANKS: Final = b" \t\r"

TEXT_KINDS: Final = frozenset({FieldType.TEXT, FieldType.KEY})  # kinds without a place in `values` or `traits`
EVENT_KEYS: Final = ("type", "time", "id", "identifiers", "channel", "source", "fields", "traits")


class Names:
    """Texts numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def code(self, text: str) -> float:
        """Return the number of a text as it stands in a column."""
        return float(self.codes.setdefault(text, len(self.codes)))

    def codes_of(self, texts: list[str]) -> list[int]:
        """Return the numbers of some texts."""
        fresh = dict.fromkeys(itertools.filterfalse(self.codes.__contains__, texts))
        self.codes.update(zip(fresh, itertools.count(len(self.codes))))
        return [*map(self.codes.__getitem__, texts)]


class Messages:
    """Byte texts to be hashed, one after another in a buffer; `slots` says where each hash belongs."""

    def __init__(self) -> None:
        self.letters = bytearray()
        self.spans: list[int] = []  # slot, start, stop, slot, start, stop, …

    def add(self, slot: int, text: str) -> None:
        """Keep a text whose hash goes to `slot`."""
        start = len(self.letters)
        self.letters += text.encode()
        self.spans += (slot, start, len(self.letters))


class Draft:
    """What one line adds to the columns; joined to the `Lines` only when the whole line is good."""

    def __init__(self) -> None:
        self.types: list[int] = []
        self.values: list[list[float]] = []
        self.keys: list[tuple[int, int, str]] = []  # row within the line, column, text
        self.identifiers: list[tuple[int, str]] = []  # kind, normalised value
        self.traits: list[tuple[int, float]] = []
        self.unknown: list[str] = []
        self.dropped: list[str] = []
        self.occurred_at = MISSING_TIME
        self.source = -1
        self.id = ""


class Lines:
    """Collects lines. Lists here are flat: `rows` has ROW_WIDTH numbers a row, `values` Schema.width_values."""

    def __init__(self, schema: Schema, times: Times = ANY_TIME) -> None:
        self.schema = schema
        self.times = times
        self.rows: list[int] = []
        self.values: list[float] = []
        self.keys = Messages()  # slot: row * width_keys + column
        self.ids = Messages()  # slot: row
        self.identifiers = Messages()  # slot: kind
        self.traits: list[float] = []
        self.names = Names()
        self.rejected: list[Rejection] = []
        self.unknown: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self._count = 0

    def read(self, line: bytes, number: int) -> None:
        """Add one line, or the reason why it cannot be used. Never raises."""
        try:
            event = parsed(line)
        except Refused as refused:
            self.reject(number, refused)
        else:
            self.read_event(event, number)

    def read_event(self, event: dict[str, Any], number: int) -> None:
        """Add the event that a line holds, or the reason why it cannot be used. Never raises."""
        draft = Draft()
        try:
            self._event(draft, event)
        except Refused as refused:
            self.reject(number, refused)
        else:
            self._join(draft, number)
        self.dropped.update(draft.dropped)

    def reject(self, number: int, refused: Refused) -> None:
        """Tell why a line cannot be used."""
        self.rejected.append(Rejection(number, refused.reason, refused.mistake))

    def _join(self, draft: Draft, number: int) -> None:
        first = self._count
        identifiers = len(self.identifiers.spans) // 3
        traits = len(self.traits) // 2
        for kind, value in draft.identifiers:
            self.identifiers.add(kind, value)
        for trait, value in draft.traits:
            self.traits += (float(trait), value)
        ranges = (identifiers, identifiers + len(draft.identifiers), traits, traits + len(draft.traits))
        for item, kind in enumerate(draft.types):
            self.rows += (kind, draft.occurred_at, number, item, draft.source, *ranges, 0)
            self.values += draft.values[item]
            ranges = (ranges[1], ranges[1], ranges[3], ranges[3])
            if draft.id:
                self.ids.add(first + item, draft.id)
        for row, column, text in draft.keys:
            self.keys.add((first + row) * self.schema.width_keys + column, text)
        self._count += len(draft.types)
        count_unknown(self.unknown, draft.unknown)

    def _event(self, draft: Draft, event: dict[str, Any]) -> None:
        layout = self._layout(draft, event)
        draft.unknown += [f"$.{name}" for name in event if name not in EVENT_KEYS]
        draft.occurred_at = self._time(event.get("time"))
        draft.id = _reference(event.get("id"), "$.id")
        draft.source = self._source(draft, event.get("source"))
        self._identifiers(draft, event.get("identifiers"), required=layout is not None and layout.has_customer)
        fields = _object(event.get("fields"), "$.fields")
        channel = _text(event.get("channel"), "$.channel")
        if layout is None:
            draft.types.append(-1)
            draft.values.append(self._nulls())
        else:
            self._fields(draft, layout, fields, channel)
        self._traits(draft, _object(event.get("traits"), "$.traits"))

    def _layout(self, draft: Draft, event: dict[str, Any]) -> Layout | None:
        name = event.get("type")
        if not isinstance(name, str) or not name:
            expected, found = "the name of an event type", "" if name else "none"
            refuse(Reason.NO_TYPE, "$.type", "the event has no type", expected, name, found_words=found)
        number = self.schema.events.get(name)
        if number is None:
            draft.unknown.append(UNKNOWN_TYPE + clipped(name))
            return None
        return self.schema.types[number]

    def _time(self, value: Any) -> int:
        if value is None:
            if self.times.needed:
                refuse_no_time()
            return MISSING_TIME
        moment = time_us(value) if isinstance(value, str) else None
        if moment is None:
            refuse_time(value)
        check_time(moment, self.times)
        return moment

    def _source(self, draft: Draft, value: Any) -> int:
        name = _text(value, "$.source")
        if not name:
            return -1
        number = self.schema.sources.get(name, -1)
        if number < 0:
            draft.unknown.append(f"source {clipped(name)}")
        return number

    def _identifiers(self, draft: Draft, given: Any, *, required: bool) -> None:
        kinds = self.schema.identifier_numbers
        values = _object(given, "$.identifiers")
        for name in values:
            if name not in kinds:
                refuse_kind(name, kinds)
        for name, number in kinds.items():
            text = _reference(values.get(name), f"$.identifiers.{name}")
            if values.get(name) is None:
                continue
            kind = self.schema.identifiers[number]
            spelling = normal(text, kind.format, kind.region)
            if spelling:
                draft.identifiers.append((number, spelling))
            else:
                draft.dropped.append(dropped_name(name, text))
        if required and not draft.identifiers:
            found = f"only {', '.join(draft.dropped)}" if draft.dropped else "none"
            refuse(
                Reason.NO_IDENTIFIER,
                "$.identifiers",
                "the event belongs to nobody",
                f"at least one of {', '.join(kinds)}" if kinds else "an identifier that the playbook declares",
                mend="an event without a customer needs a type that is `about: product`",
                found_words=found,
            )

    def _fields(self, draft: Draft, layout: Layout, fields: dict[str, Any], channel: str) -> None:
        given = dict(fields)
        field = layout.own.get("channel")
        if channel and field is not None and field.type is FieldType.CHOICE and given.get("channel") is None:
            given["channel"] = channel
        values = self._nulls()
        draft.types.append(layout.number)
        draft.values.append(values)
        self._own(draft, 0, values, layout, given, "$.fields")
        if layout.about_product and math.isnan(values[layout.fields[ABOUT_PRODUCT].column]):
            refuse(
                Reason.NO_PRODUCT,
                "$.fields.product",
                f"{layout.name} is about a product",
                "the product's identifier",
                None,
            )
        parent_keys = list(draft.keys)
        for name, number in layout.lists.items():
            self._items(draft, parent_keys, number, given.get(name), f"$.fields.{name}")

    def _items(
        self, draft: Draft, parent_keys: list[tuple[int, int, str]], number: int, given: Any, where: str
    ) -> None:
        """Add one row per entry of a list field, each beginning with its parent's values and keys."""
        if given is None:
            return
        if not isinstance(given, list):
            refuse(Reason.WRONG_TYPE, where, "wrong type", "a list of objects", given)
        entries = cast("list[Any]", given)
        if len(draft.types) - 1 + len(entries) > ITEMS_MAX:
            refuse(
                Reason.TOO_MANY_ITEMS,
                where,
                "too many items in one event",
                f"at most {ITEMS_MAX:,}",
                mend="send the rest as further events",
                found_words=f"{len(draft.types) - 1 + len(entries):,}",
            )
        for position, entry in enumerate(entries):
            place = f"{where}[{position}]"
            if not isinstance(entry, dict):
                refuse(Reason.WRONG_TYPE, place, "wrong type", "an object", entry)
            row = len(draft.types)
            draft.types.append(number)
            draft.keys += [(row, column, text) for _, column, text in parent_keys]
            values = list(draft.values[0])
            draft.values.append(values)
            self._own(draft, row, values, self.schema.types[number], cast("dict[str, Any]", entry), place)

    def _own(
        self, draft: Draft, row: int, values: list[float], layout: Layout, given: dict[str, Any], where: str
    ) -> None:
        """Read the fields of one object into `values` and the draft's keys, in the playbook's order.

        So the first mistake is the same however a line is written.
        """
        for name, field in layout.own.items():
            value = given.get(name)
            if value is None:
                continue
            if field.type is FieldType.KEY:
                text = _reference(value, f"{where}.{name}")
                if text:
                    draft.keys.append((row, field.column, text))
            elif field.column != NO_COLUMN:
                values[field.column] = self._value(field.type, value, f"{where}.{name}")
        unknown = given.keys() - layout.own.keys() - layout.lists.keys()
        draft.unknown += [f"{layout.name}.{clipped(name)}" for name in unknown]

    def _traits(self, draft: Draft, given: dict[str, Any]) -> None:
        for number, trait in enumerate(self.schema.traits):
            if trait.name in given and trait.type not in TEXT_KINDS:
                draft.traits.append((number, self._value(trait.type, given[trait.name], f"$.traits.{trait.name}")))
        unknown = given.keys() - self.schema.trait_numbers.keys()
        draft.unknown += [f"traits.{clipped(name)}" for name in unknown]

    def _value(self, kind: FieldType, value: Any, where: str) -> float:
        """Return what stands in the column for a value of the line."""
        if value is None:
            return NULL
        if kind is FieldType.NUMBER:
            return _number(value, where)
        if kind is FieldType.BOOLEAN:
            if not isinstance(value, bool):
                refuse_type(kind, where, value)
            return float(value)
        if kind in (FieldType.CHOICE, FieldType.PRODUCT):
            return self._name(kind, value, where)
        moment = (date_us if kind is FieldType.DATE else time_us)(value) if isinstance(value, str) else None
        if moment is None:
            refuse_type(kind, where, value)
        return float(moment)

    def _name(self, kind: FieldType, value: Any, where: str) -> float:
        if kind is FieldType.PRODUCT:
            value = _reference(value, where)
            if not value:
                return NULL
        elif not isinstance(value, str):
            refuse_type(kind, where, value)
        check_name(value, where)
        return self.names.code(value)

    def _nulls(self) -> list[float]:
        return [NULL] * self.schema.width_values


def _object(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse(Reason.WRONG_TYPE, where, "wrong type", "an object", value)
    return cast("dict[str, Any]", value)


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse(Reason.WRONG_TYPE, where, "wrong type", "a text", value)
    check_name(value, where)
    return value


def _reference(value: Any, where: str) -> str:
    """Return a text or whole number as the text by which it is compared; "" when there is none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        refuse_type(FieldType.KEY, where, value)
    return str(value)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse_type(FieldType.NUMBER, where, value)
    try:
        number = float(value)
    except OverflowError:
        refuse_number(where, value)
    if math.isinf(number):
        refuse_number(where, value)
    return number + 0.0  # -0.0 becomes 0.0: one number, one bit pattern


def count_unknown(unknown: Counter[str], names: Iterable[str] | Mapping[str, int]) -> None:
    """Add to the counts of unknown names; beyond UNKNOWN_NAMES_MAX different ones, under OTHER_NAMES."""
    counts = Counter(names)
    for name, count in counts.items():
        known = name in unknown or len(unknown) < UNKNOWN_NAMES_MAX
        unknown[name if known else OTHER_NAMES] += count
