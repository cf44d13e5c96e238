"""Reading who customers are and what is known about them: identifiers, groups, traits, products, events, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.playbook import catalogue, grammar
from onevoice.playbook.builtin import BUILTIN_EVENTS, extended
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import Catalogue, EventType, FieldType, Group, Identifier, Source, Trait
from onevoice.playbook.record import Record, Report, at_least, listed, opened, word_of
from onevoice.playbook.tree import Node, quoted
from onevoice.playbook.words import CUSTOMER_WORDS, SQL_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

TRAIT_TYPES: Final = (
    FieldType.TEXT,
    FieldType.CHOICE,
    FieldType.NUMBER,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.TIME,
)
EVENT_TYPES: Final = tuple(FieldType)
IDENTIFIER_VALUES_MAX: Final = 1_000
GROUPS_MAX: Final = 63  # bits of one word of the engine
# What types are called elsewhere.
OTHER_NAMES: Final = {
    **dict.fromkeys(("string", "str", "varchar", "category", "enum"), "choice"),
    **dict.fromkeys(("integer", "int", "float", "double", "decimal", "money", "amount"), "number"),
    **dict.fromkeys(("bool", "flag"), "boolean"),
    **dict.fromkeys(("datetime", "timestamp", "instant"), "time"),
    **dict.fromkeys(("id", "uuid", "reference"), "key"),
    "sku": "product",
}


def identifiers(root: Record) -> dict[str, Identifier]:
    """Read `identifiers`, in order of trust."""
    return root.each("identifiers", _identifier)


def _identifier(name: str, record: Record) -> Identifier:
    read = Identifier(
        name,
        format=record.one_of("format", ("email", "phone")),
        region=record.parsed("region", _region, ""),
        unique=record.flag("unique"),
        anonymous=record.flag("anonymous"),
        at_most=record.parsed("at_most", _at_most, 16),
    )
    if read.region and read.format != "phone":
        record.refuse("region", "`region` of an identifier that is not a phone", mend="add `format: phone`")
    if read.unique and read.anonymous:
        mend = "a device may have many owners in its time: leave one of the two out"
        record.refuse("anonymous", "both `unique` and `anonymous`", expected="one of the two", mend=mend)
    if read.unique and "at_most" in record.nodes:
        record.refuse("at_most", "`at_most` of a unique identifier", mend="a customer has at most one: leave it out")
    return read


def _region(text: str) -> str:
    import phonenumbers  # noqa: PLC0415 - only playbooks with a region pay for it

    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise Slip("an unknown region", "two capital letters of ISO 3166 such as `LT`", quoted(text))
    return text


def _at_most(text: str) -> int:
    value = at_least(grammar.whole(text), 1)
    if value > IDENTIFIER_VALUES_MAX:
        raise Slip("too large a number", f"at most {IDENTIFIER_VALUES_MAX:,}", quoted(text))
    return value


def groups(root: Record) -> dict[str, Group]:
    """Read `groups`."""
    found = root.each("groups", _group, CUSTOMER_WORDS)
    if len(found) > GROUPS_MAX:
        root.refuse("groups", "too many groups", expected=f"at most {GROUPS_MAX}", found=f"{len(found)}")
    return found


def _group(name: str, record: Record) -> Group:
    record.require("by")
    return Group(name, record.text("by"), record.names("leaves"))


def traits(root: Record) -> dict[str, Trait]:
    """Read `traits`: `name: TYPE`, or `name: {TYPE: true, is: MEANING}`."""
    found: dict[str, Trait] = {}
    for name, node in root.entries("traits", CUSTOMER_WORDS):
        if isinstance(node.value, dict):
            with opened(root.report, node) as record:
                found[name] = _trait(name, record)
        else:
            kind = root.report.parsed(node, lambda text: _field_type(text, TRAIT_TYPES), FieldType.CHOICE)
            found[name] = Trait(name, kind)
    _only_one_of_each_meaning(found, root.report)
    return found


def _trait(name: str, record: Record) -> Trait:
    means = record.one_of("is", ("language", "time_zone", "channel"))
    types = [kind for kind in TRAIT_TYPES if record.flag(kind)]
    if len(types) != 1:
        expected = f"exactly one of {listed(TRAIT_TYPES)} set to true"
        record.report.refuse(record.place, "a trait without one type", expected=expected, mend="like `{choice: true}`")
    elif means and types[0] is not FieldType.CHOICE:
        record.refuse("is", f"a {means} that is not a choice", expected="`choice: true`", found=quoted(types[0]))
    return Trait(name, types[0] if types else FieldType.CHOICE, means)


def _only_one_of_each_meaning(traits: Mapping[str, Trait], report: Report) -> None:
    first: dict[str, str] = {}
    for trait in traits.values():
        if trait.means and (other := first.setdefault(trait.means, trait.name)) != trait.name:
            where = report.where(f"traits.{trait.name}.is")
            report.refuse(where, f"a second {trait.means}", expected="one trait with this meaning", found=quoted(other))


def _field_type(text: str, allowed: Iterable[FieldType]) -> FieldType:
    words = list(allowed)
    try:
        return FieldType(word_of(text, words))
    except Slip as slip:
        called = OTHER_NAMES.get(text.lower(), "")
        slip.mend = slip.mend or (f"write `{called}`" if called in words else "")
        raise


def products(root: Record, files: Mapping[str, bytes], zone: ZoneInfo) -> Catalogue:
    """Read `products` and the CSV file it names."""
    node = root.node("products")
    if node is None or node.empty:
        return Catalogue()
    with opened(root.report, node) as record:
        record.require("file")
        file = record.text("file")
        key = record.text("key", "product")
        fields = _fields(record, catalogue.FIELD_TYPES)
    if not file:
        return Catalogue(fields)
    if file not in files:
        known = sorted(name for name in files if name.endswith(".csv"))
        expected = f"one of {listed(known)}" if known else "a CSV file in the playbook's folder"
        record.refuse("file", "no such file", expected=expected, found=quoted(file))
        root.report.broken.add("product")  # nobody can say which there are
        return Catalogue(fields)
    return catalogue.read(file, files[file], key=key, fields=fields, zone=zone, report=root.report)


def _fields(record: Record, allowed: Iterable[FieldType]) -> dict[str, FieldType]:
    return {
        name: record.report.parsed(child, lambda text: _field_type(text, allowed), FieldType.CHOICE)
        for name, child in record.entries("fields", SQL_WORDS)
    }


def events(root: Record) -> dict[str, EventType]:
    """Read `events`; a built-in type that is declared again keeps its fields and gains those written here."""
    found: dict[str, EventType] = {}
    for name, declared in root.each("events", _event).items():
        found[name] = extended(declared)
        _keeps_builtin_types(declared, found[name], root.report)
    return found


def _event(name: str, record: Record) -> EventType:
    fields: dict[str, FieldType] = {}
    items: dict[str, dict[str, FieldType]] = {}
    for field, node in record.entries("fields", SQL_WORDS):
        if isinstance(node.value, dict):
            items[field] = _item_fields(record.report, node)
        else:
            fields[field] = record.report.parsed(node, lambda text: _field_type(text, EVENT_TYPES), FieldType.CHOICE)
    about = record.one_of("about", ("product",))
    if about and items:
        record.refuse("fields", "items in an event about a product", expected="plain fields", found=listed(items))
    return EventType(name, fields, items, about)


def _item_fields(report: Report, node: Node) -> dict[str, FieldType]:
    with opened(report, node.under("items")) as record:
        return {
            name: report.parsed(child, lambda text: _field_type(text, EVENT_TYPES), FieldType.CHOICE)
            for name, child in record.entries("items", SQL_WORDS)
        }


def _keeps_builtin_types(declared: EventType, merged: EventType, report: Report) -> None:
    if declared.about and declared.name in BUILTIN_EVENTS:
        where = report.where(f"events.{declared.name}.about")
        report.refuse(where, "`about` of a built-in event", expected="only more fields", found=quoted(declared.name))
    builtin = extended(EventType(declared.name, about=declared.about)).fields
    for field, kind in builtin.items():
        if merged.fields[field] is not kind:
            where = report.where(f"events.{declared.name}.fields.{field}")
            found = quoted(merged.fields[field])
            report.refuse(
                where, f"another type for the built-in field {quoted(field)}", expected=quoted(kind), found=found
            )


def sources(root: Record) -> dict[str, Source]:
    """Read `sources`."""
    return root.each("sources", _source)


def _source(name: str, record: Record) -> Source:
    return Source(name, record.duration("lag"), record.names("events"), record.length("stale_after"))


def languages(root: Record) -> tuple[str, ...]:
    """Read `languages`."""
    return root.names("languages")
