"""From the YAML text of a mapping to a `FileMapping`, or one error that names everything wrong with it."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onevoice.errors import MappingError, Mistake
from onevoice.importing.model import Csv, Entries, FileMapping, Kind, Rule, Value, Written
from onevoice.playbook.grammar import Slip, did_you_mean
from onevoice.playbook.record import Report, condition_text, every_node, opened, word_of
from onevoice.playbook.tree import Node, parse, quoted
from onevoice.zones import zone_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onevoice.playbook.record import Record

FORM: Final = 1  # raised when the same mapping comes to mean other events
RULES_MAX: Final = 100
BYTES_MAX: Final = 1_000_000
WORDS_OF_TIME: Final = ("iso", "unix", "unix ms")
ENCODINGS: Final = (
    *("utf-8", "latin-1", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254"),
    *("windows-1257", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-15"),
)
_DIRECTIVES: Final = frozenset("aAbBdmyYHIpMSfzj%")
_DATES: Final = ({"d", "m", "y"}, {"j", "y"})  # what a format needs to say a day; b and B are months, Y is a year


def load_mapping(path: str | Path) -> FileMapping:
    """Return the mapping in a YAML file; raise one MappingError that holds every mistake found."""
    path = Path(path)
    try:
        if path.stat().st_size > BYTES_MAX:
            raise MappingError(Mistake("too much for a mapping", str(path), f"at most {BYTES_MAX:,} bytes"))
        content = path.read_bytes()
    except OSError as error:
        raise MappingError(Mistake("cannot be read", str(path), "a mapping in YAML", str(error))) from error
    return load_bytes(path.name, content)


def load_bytes(name: str, content: bytes) -> FileMapping:
    """Return the mapping in a text, as `load_mapping` does; `name` is that of its file."""
    report = Report()
    root = parse(name, content, report.mistakes)
    if root is None and not report.mistakes:
        report.refuse(f"{name}:1:1", "an empty mapping", expected="at least `time` and `events`")
    mapping = None
    if root is not None:
        report.nodes = {node.place.path: node for node in every_node(root)}
        mapping = _mapping(name, root, report)
    if report.mistakes or mapping is None:
        raise MappingError(*in_order(report.mistakes))
    return mapping


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """Return mistakes once each, from the top of the mapping to its end."""

    def position(mistake: Mistake) -> tuple[int, ...]:
        match = re.match(r"[^:]*:(\d+)(?::(\d+))?", mistake.where)
        return (int(match[1]), int(match[2] or 0)) if match else (0, 0)

    return sorted(dict.fromkeys(mistakes), key=position)


def _mapping(name: str, root: Node, report: Report) -> FileMapping:
    with opened(report, root) as record:
        record.require("time", "events")
        column, formats, zone = _time(record)
        decimal, thousands = _numbers(record)
        return FileMapping(
            name=name,
            digest=_digest(root),
            nodes=report.nodes,
            time=column,
            formats=formats,
            zone=zone,
            columns=_columns(record),
            empty=record.many("empty", str.strip, ""),
            decimal=decimal,
            thousands=thousands,
            csv=_csv(record),
            drop_duplicates=record.one_of("duplicates", ("drop", "keep"), "keep") == "drop",
            identifiers=_expressions(record, "identifiers"),
            source=record.text("source"),
            rules=tuple(_rules(record)),
        )


def _digest(root: Node) -> str:
    """Return the digest of what a mapping says."""
    meaning = json.dumps([FORM, _plain(root)], sort_keys=True)
    return blake2b(meaning.encode(), digest_size=16).hexdigest()


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items()}
    return [_plain(child) for child in node.value] if isinstance(node.value, list) else node.value


def _time(record: Record) -> tuple[str, tuple[str, ...], str]:
    node = record.filled("time")
    if node is None:
        return "", (), ""
    with opened(record.report, node) as time:
        time.require("column")
        formats = time.many("formats", _format, "iso") or ("iso",)
        return time.text("column"), formats, time.parsed("zone", _zone, "")


def _format(text: str) -> str:
    """Read a format of times: one of WORDS_OF_TIME, or directives such as `%d.%m.%Y %H:%M`."""
    if text in WORDS_OF_TIME:
        return text
    expected = "`iso`, `unix`, `unix ms`, or directives such as `%Y-%m-%d %H:%M:%S`"
    found = re.findall(r"%-?(.?)", text)
    if not found:
        raise Slip("not a format of times", expected, quoted(text), did_you_mean(text, WORDS_OF_TIME))
    for letter in found:
        if letter not in _DIRECTIVES:
            known = ", ".join(f"`%{each}`" for each in sorted(_DIRECTIVES))
            raise Slip("an unknown directive", f"one of {known}", quoted(f"%{letter}"), "", text.find(f"%{letter}"))
    said = {{"Y": "y", "b": "m", "B": "m"}.get(letter, letter) for letter in found}
    if not any(need <= said for need in _DATES):
        raise Slip("a format that does not say the day", "year, month and day", quoted(text))
    return text


def _zone(text: str) -> str:
    if text not in zone_names():
        expected = "a name of the IANA time zone database such as `Europe/London`"
        raise Slip("an unknown time zone", expected, quoted(text), did_you_mean(text, zone_names()))
    return text


def _numbers(record: Record) -> tuple[str, str]:
    node = record.filled("numbers")
    if node is None:
        return ".", ""
    with opened(record.report, node) as numbers:
        decimal = numbers.one_of("decimal", (".", ","), ".")
        thousands = numbers.one_of("thousands", (".", ",", "'", "space"))
        if thousands == decimal:
            numbers.refuse("thousands", "one sign for two things", expected="another sign than `decimal`")
        return decimal, " " if thousands == "space" else thousands


def _columns(record: Record) -> dict[str, Kind]:
    node = record.node("columns")
    if node is None or node.empty:
        return {}
    if not isinstance(node.value, dict):
        record.refuse("columns", "a value of the wrong kind", expected="kinds by column", found=node.described())
        return {}
    return {name: record.report.parsed(each, _kind, Kind.TEXT) for name, each in node.value.items()}


def _kind(text: str) -> Kind:
    return Kind(word_of(text, tuple(Kind)))


def _csv(record: Record) -> Csv:
    node = record.filled("csv")
    if node is None:
        return Csv()
    with opened(record.report, node) as csv:
        found = Csv(
            csv.parsed("delimiter", _sign, ","),
            csv.parsed("quote", _sign, '"'),
            csv.one_of("encoding", ENCODINGS, "utf-8"),
            csv.names("header"),
        )
        if found.delimiter == found.quote:
            csv.refuse("quote", "one sign for two things", expected="another sign than `delimiter`")
        return found


def _sign(text: str) -> str:
    sign = "\t" if text == "tab" else text
    if len(sign) != 1 or not sign.isascii() or sign.isalnum() or sign in "\r\n":
        raise Slip("not a sign", "one sign such as `;`, or `tab`", quoted(text))
    return sign


def _expressions(record: Record, key: str) -> dict[str, Written]:
    return {name: _expression(record.report, node) for name, node in record.entries(key)}


def _expression(report: Report, node: Node) -> Written:
    return Written(report.parsed(node, condition_text, ""), node.place.path)


def _rules(record: Record) -> Iterator[Rule]:
    count = 0
    last: Rule | None = None
    for row in record.rows("events"):
        count += 1
        rule = _rule(row)
        if last is not None and last.when is None:
            row.report.refuse(row.place, "nothing is left for this entry", mend="give the entry before it a `when`")
        last = rule
        yield rule
    events = record.nodes.get("events")
    if events is not None and isinstance(events.value, list) and not 1 <= count <= RULES_MAX:
        record.refuse("events", "no number of entries for a mapping", expected=f"1 to {RULES_MAX}", found=f"{count:,}")


def _rule(row: Record) -> Rule:
    """Read one entry of `events`."""
    when = _optional(row, "when")
    if row.node("aside") is not None:
        row.node("type")
        if "type" in row.nodes:
            row.refuse("aside", "`aside` beside `type`", expected="one of the two")
        return Rule(reason=row.text("aside"), when=when)
    row.require("type")
    per = row.filled("per")
    nodes = [] if per is None else per.value if isinstance(per.value, list) else [per]
    fields = {name: _value(row.report, node, per is not None) for name, node in row.entries("fields")}
    traits = {name: Value(_expression(row.report, node)) for name, node in row.entries("traits")}
    keys = tuple(_expression(row.report, node) for node in nodes)
    return Rule(row.text("type"), "", when, keys, _optional(row, "id"), fields, traits)


def _optional(row: Record, key: str) -> Written | None:
    node = row.filled(key)
    return None if node is None else _expression(row.report, node)


def _value(report: Report, node: Node, grouped: bool) -> Value | Entries:
    """Read a field: an expression, `{sum: …}`, or `{each: {…}}`."""
    if not isinstance(node.value, dict):
        return Value(_expression(report, node))
    with opened(report, node) as record:
        total = _optional(record, "sum")
        entries = _expressions(record, "each")
        if not grouped:
            report.refuse(record.place, "several lines for one field", expected="`per` beside `fields`")
        if (total is None) == ("each" not in record.nodes):
            expected = "an expression, `{sum: …}` or `{each: {…}}`"
            report.refuse(record.place, "not a field", expected=expected, found=_described(record.nodes))
        return Value(total, summed=True) if total is not None else Entries(entries)


def _described(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names) or "nothing"
