"""A mapping meets the columns of a file and a playbook: its expressions are checked and become SQL.

Expressions are conditions (`onevoice.conditions`): the same allow-list, the same types, the same reading by DuckDB.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from onevoice.conditions.sql import Reading
from onevoice.conditions.tree import Expression, Read, Scope, Symbol, SymbolKind, Type, walk
from onevoice.conditions.types import check
from onevoice.errors import ConditionError, MappingError
from onevoice.importing.columns import names_no_zone
from onevoice.importing.load import in_order
from onevoice.importing.model import Entries, Kind, Rule, Value, Written
from onevoice.importing.sources import as_name
from onevoice.near import did_you_mean, other_separator
from onevoice.playbook.builtin import all_events
from onevoice.playbook.model import EventType, FieldType
from onevoice.playbook.record import Report, listed
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onevoice.importing.model import FileMapping
    from onevoice.importing.sources import Column
    from onevoice.playbook.model import Playbook

_TYPES: Final = {
    Kind.TEXT: Type.TEXT,
    Kind.NUMBER: Type.NUMBER,
    Kind.BOOLEAN: Type.BOOLEAN,
    Kind.DATE: Type.DATE,
    Kind.TIME: Type.TIME,
}
# What a field of a playbook may be made of.
_FITS: Final = {
    FieldType.TEXT: Type.TEXT,
    FieldType.CHOICE: Type.TEXT,
    FieldType.KEY: Type.TEXT,
    FieldType.PRODUCT: Type.TEXT,
    FieldType.NUMBER: Type.NUMBER,
    FieldType.BOOLEAN: Type.BOOLEAN,
    FieldType.DATE: Type.DATE,
    FieldType.TIME: Type.TIME,
}
_REFERENCES: Final = frozenset({FieldType.KEY, FieldType.PRODUCT})
_SQL_TYPES: Final = {
    Type.TEXT: "varchar",
    Type.NUMBER: "double",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIME: "timestamptz",
}
_READING: Final = Reading()


@dataclass(frozen=True, slots=True)
class Spoken:
    """SQL over a line's typed columns, and the type of what it gives; `summed` over the lines of its event."""

    sql: str
    type: Type
    summed: bool = False


@dataclass(slots=True)
class Bound:
    """A rule as SQL. `outputs` by path, such as `fields.amount`; `entries` by list field and then by field."""

    rule: Rule
    when: str = ""
    per: list[str] = field(default_factory=list[str])
    outputs: dict[str, Spoken] = field(default_factory=dict[str, Spoken])
    entries: dict[str, dict[str, Spoken]] = field(default_factory=dict[str, dict[str, Spoken]])


@dataclass(slots=True)
class Plan:
    """A mapping for the columns of one file. `used`: the columns that expressions read, with their kinds."""

    mapping: FileMapping
    rules: list[Bound]
    identifiers: dict[str, str]
    used: dict[str, Kind]


def bind(mapping: FileMapping, columns: Mapping[str, Column], playbook: Playbook) -> Plan:
    """Return the plan for a file with these columns; raise MappingError with everything that does not fit."""
    binder = _Binder(mapping, columns, playbook)
    plan = binder.plan()
    if binder.report.mistakes:
        raise MappingError(*in_order(binder.report.mistakes))
    return plan


def text_name(column: str) -> str:
    """Return the name under which a line has a column as text, whatever kind it is read as."""
    return f"#text of {column}"


class _Binder:
    """Checks one mapping, noting everything that is wrong."""

    def __init__(self, mapping: FileMapping, columns: Mapping[str, Column], playbook: Playbook) -> None:
        self.mapping = mapping
        self.columns = columns
        self.playbook = playbook
        self.events = all_events(playbook)
        self.report = Report()
        self.report.nodes = dict(mapping.nodes)
        self.used: dict[str, Kind] = {}
        symbols = {name: self._symbol(at, name) for at, name in enumerate(columns)}
        self.scope = Scope(symbols, customer=False, clock=False, offer=False, purpose="a mapping")

    def plan(self) -> Plan:
        """Check every part; the plan is of use only where no mistake was found."""
        self._names()
        self._time()
        identifiers = {name: self._reference(each) for name, each in self.mapping.identifiers.items()}
        self._known("identifiers", self.mapping.identifiers, self.playbook.identifiers, "kind of identifier")
        rules = [self._rule(f"events[{at}]", rule) for at, rule in enumerate(self.mapping.rules)]
        self._agree(rules)
        self._cases()
        return Plan(self.mapping, rules, identifiers, self.used)

    def _kind(self, name: str) -> Kind | None:
        return self.mapping.columns.get(name) or self.columns[name].kind

    def _symbol(self, at: int, name: str) -> Symbol:
        kind = self._kind(name)
        note = "" if kind else "a list is not read by a mapping"
        return Symbol(SymbolKind.EVENT_FIELD, at, _TYPES[kind] if kind else None, note=note)

    def _refuse(self, path: str, what: str, expected: str = "", found: str = "", mend: str = "") -> None:
        self.report.refuse(self.report.where(path), what, expected=expected, found=found, mend=mend)

    def _names(self) -> None:
        for name in self.mapping.columns:
            if name not in self.columns:
                self._no_column(f"columns.{name}", name)
        source = self.mapping.source
        if source and source not in self.playbook.sources:
            self._known("source", {source: ""}, self.playbook.sources, "source", own_path=True)

    def _no_column(self, path: str, name: str) -> None:
        sign = other_separator(self.columns, self.mapping.csv.delimiter)
        mend = f"they look separated by another sign: `csv: {{delimiter: {sign}}}`" if sign else ""
        mend = mend or did_you_mean(name, self.columns)
        self._refuse(path, "no such column", listed(self.columns), quoted(name), mend)

    def _time(self) -> None:
        name, zone = self.mapping.time, self.mapping.zone
        if name not in self.columns:
            self._no_column("time.column", name)
            return
        needing = [form for form in self.mapping.formats if names_no_zone(form)]
        if not zone and needing:
            self._refuse(
                "time.formats", "a format without a zone", "`zone` beside it, or `%z` in it", quoted(needing[0])
            )
        local = [each for each in self.columns if "onevoice_utc" in self.columns[each].sql]
        local += [each for each, column in self.columns.items() if column.native and column.kind is Kind.DATE]
        if not zone and name in local:
            self._refuse("time.column", "a column of times without a zone", "`zone` beside it", quoted(name))
        for each in local:
            if not zone and each != name and self._kind(each) is Kind.TIME and each in self.mapping.columns:
                self._refuse(f"columns.{each}", "a column of times without a zone", "`zone` under `time`", quoted(each))

    def _known(
        self, path: str, names: Iterable[str], known: Iterable[str], what: str, *, own_path: bool = False
    ) -> None:
        known = list(known)
        for name in names:
            if name not in known:
                expected = f"one of {listed(known)}" if known else f"a {what} of the playbook, which has none"
                place = path if own_path else f"{path}.{name}"
                self._refuse(
                    place, f"the playbook has no such {what}", expected, quoted(name), did_you_mean(name, known)
                )

    # Expressions

    def _checked(self, written: Written, expected: Type | None = None) -> Expression | None:
        """Return a checked expression, its columns being used; None where a mistake was noted."""
        try:
            found = check(written.text, self.scope, expected, self.report.where(written.path))
        except ConditionError as error:
            for mistake in error.mistakes:
                told = self.report.pinpointed(written.path, written.text, mistake)
                expected_here = told.expected.replace("a field of the event", "a column of the file")
                self.report.mistakes.append(replace(told, expected=expected_here))
            return None
        for each in walk(found):
            if isinstance(each, Read):
                self.used[each.name] = self._kind(each.name) or Kind.TEXT
        if found.type is Type.INTERVAL:
            self._refuse(written.path, "an event has no place for an interval", "a text, a number or a time")
            return None
        return found

    def _spoken(self, written: Written, summed: bool = False) -> Spoken | None:
        found = self._checked(written, Type.NUMBER if summed else None)
        return None if found is None else Spoken(_output(found), found.type, summed)

    def _reference(self, written: Written) -> str:
        """Return SQL for a text that names something; a column of numbers gives its digits, exact as they stand."""
        found = self._checked(written)
        if found is None:
            return "null"
        if isinstance(found, Read):
            return as_name(text_name(found.name))
        if found.type is not Type.TEXT:
            self._refuse(written.path, "not a reference", "a column, or a text", quoted(written.text))
        return _output(found)

    # Rules

    def _rule(self, path: str, rule: Rule) -> Bound:
        bound = Bound(rule)
        if rule.when is not None:
            found = self._checked(rule.when, Type.BOOLEAN)
            bound.when = "" if found is None else _READING.sql(found)
        if rule.reason:
            return bound
        bound.per = [self._reference(each) for each in rule.per]
        if rule.id is not None:
            bound.outputs["id"] = Spoken(self._reference(rule.id), Type.TEXT)
        event = self.events.get(rule.type)
        if event is None:
            self._known(f"{path}.type", [rule.type], self.events, "event", own_path=True)
            event = EventType(rule.type)
        elif not self.mapping.identifiers and not event.about:
            self._refuse(f"{path}.type", "an event of nobody", "`identifiers` in the mapping", quoted(rule.type))
        self._fields(f"{path}.fields", event, rule, bound)
        traits = {name: trait.type for name, trait in self.playbook.traits.items()}
        for name, value in rule.traits.items():
            self._field(f"{path}.traits.{name}", f"traits.{name}", value, traits, bound)
        return bound

    def _fields(self, path: str, event: EventType, rule: Rule, bound: Bound) -> None:
        """Check the fields of an event against what the playbook says of its type."""
        if rule.type not in self.events:
            return
        for name, value in rule.fields.items():
            own = f"{path}.{name}"
            if isinstance(value, Value):
                self._field(own, f"fields.{name}", value, event.fields, bound)
            elif name not in event.items:
                what = f"`{event.name}` has no such list of items"
                self._refuse(own, what, listed(event.items) or "none", quoted(name), did_you_mean(name, event.items))
            else:
                self._entries(own, f"fields.{name}", value, event.items[name], bound)

    def _entries(self, path: str, output: str, value: Entries, known: Mapping[str, FieldType], bound: Bound) -> None:
        found: dict[str, Spoken] = {}
        for name, written in value.fields.items():
            spoken = self._fitting(f"{path}.each.{name}", Value(written), known)
            if spoken is not None:
                found[name] = spoken
        bound.entries[output] = found

    def _field(self, path: str, output: str, value: Value, known: Mapping[str, FieldType], bound: Bound) -> None:
        spoken = self._fitting(path, value, known)
        if spoken is not None:
            bound.outputs[output] = spoken

    def _fitting(self, path: str, value: Value, known: Mapping[str, FieldType]) -> Spoken | None:
        """Return a field's SQL where the playbook has such a field and the types fit."""
        name = path.rpartition(".")[2]
        kind = known.get(name)
        if kind is None:
            what = "the playbook has no such " + ("trait" if ".traits." in path else "field here")
            self._refuse(path, what, listed(known) or "none", quoted(name), did_you_mean(name, known))
            return None
        if kind in _REFERENCES and not value.summed:
            return Spoken(self._reference(value.expression), Type.TEXT)
        spoken = self._spoken(value.expression, value.summed)
        if spoken is not None and spoken.type is not _FITS[kind]:
            mend = ""
            if value.expression.text in self.columns and spoken.type is Type.TEXT:
                mend = f"say what the column holds: `columns: {{{value.expression.text}: {_FITS[kind].value}}}`"
            self._refuse(path, f"`{name}` is a {kind} in the playbook", _FITS[kind].value, spoken.type.value, mend)
            return None
        return spoken

    def _cases(self) -> None:
        """Refuse columns that SQL would take for one."""
        alike: dict[str, str] = {}
        for name in self.used:
            if alike.setdefault(name.lower(), name) != name:
                found = f"{quoted(alike[name.lower()])} and {quoted(name)}"
                self._refuse(
                    "events", "two columns in use that differ only in case", "names that differ in more", found
                )

    def _agree(self, rules: list[Bound]) -> None:
        """Hold the rules to one type for each path: they become one column."""
        types: dict[str, Type] = {}
        for at, bound in enumerate(rules):
            found = {path: each.type for path, each in bound.outputs.items()}
            for head, entries in bound.entries.items():
                found |= {f"{head}[].{name}": each.type for name, each in entries.items()}
            for path, kind in found.items():
                if types.setdefault(path, kind) is not kind:
                    self._refuse(
                        f"events[{at}].{path.replace('[]', '.each')}",
                        "a field of one name is something else in another entry",
                        types[path].value,
                        kind.value,
                        "make two mappings of it",
                    )


def sql_type(kind: Type) -> str:
    """Return the SQL type of what `Spoken.sql` gives."""
    return _SQL_TYPES[kind]


def _output(expression: Expression) -> str:
    """Return SQL for a value as an event carries it."""
    sql = _READING.sql(expression)
    if expression.type is Type.TEXT:
        return f"nullif({sql}, '')"
    if expression.type is Type.TIME:
        return f"make_timestamptz(({sql})::bigint)"
    if expression.type is Type.DATE:
        return f"make_timestamp(({sql})::bigint)::date"
    return sql
