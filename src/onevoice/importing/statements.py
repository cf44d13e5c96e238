"""The SQL that judges every line of a file and makes its events; `mapped` runs it.

`raw` has the lines as they are written; `dropped` the numbers of those that repeat one before them; `judged`, for each
other line, what it says, or the reason why it is kept aside; `made` the events in no order; `events` the events in
order of time, then of their first line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.importing import columns
from onevoice.importing.bind import Spoken, sql_type, text_name
from onevoice.importing.model import Kind
from onevoice.importing.sources import as_name as name
from onevoice.importing.sources import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.importing.bind import Plan
    from onevoice.importing.sources import Source

_KEY = "#key {}"


class Statements:
    """The statements for one plan and one file."""

    def __init__(self, plan: Plan, source: Source, latest_us: int | None = None) -> None:
        self._latest_us = latest_us
        self.plan = plan
        self.source = source
        self.ids = {f"identifiers.{kind}": sql for kind, sql in plan.identifiers.items()}
        self.keys = [_KEY.format(at) for at in range(max((len(rule.per) for rule in plan.rules), default=0))]
        self.outputs = list(dict.fromkeys(path for rule in plan.rules for path in rule.outputs))
        self.lists = list(dict.fromkeys(path for rule in plan.rules for path in rule.entries))

    def dropped(self) -> str:
        """Return what finds the lines that repeat one before them, where the mapping wants them dropped."""
        same = ", ".join(map(name, self.source.physical))
        firsts = f'select "#line" as line, min("#line") over (partition by {same}) as first from raw'
        found = f'select line from ({firsts} where "#error" is null) where line <> first'
        nothing = "select 0::bigint as line where false"
        return f"create table dropped as {found if self.plan.mapping.drop_duplicates else nothing}"

    def judged(self) -> str:
        """Return what reads from each line the values of its event, or the `reason` why there is none."""
        values = [f"{sql} as {name(path)}" for path, sql in self.ids.items()]
        values += [f"{self._key(at)} as {name(key)}" for at, key in enumerate(self.keys)]
        values += [f"{self._output(path)} as {name(path)}" for path in self.outputs]
        values += [f"{self._entry(path)} as {name(path)}" for path in self.lists]
        kept = [*self.ids, *self.keys, *self.outputs, *self.lists]
        return f"""
            create table judged as
            with typed as ({self._typed()}),
            ruled as (select *, {self._rule()} as "#rule" from typed),
            spoken as (select {", ".join(["*", *values])} from ruled)
            select {", ".join(['"#line" as line, "#at" as instant, "#rule" as rule', self._reason(), *map(name, kept)])}
            from spoken
        """

    def made(self, part: int, parts: int) -> str:
        """Return what makes the events of one of `parts` parts of the lines, by the hash of what joins lines."""
        alone = [at for at, rule in enumerate(self.plan.rules) if not rule.per and not rule.rule.reason]
        line = f"case when rule in ({', '.join(map(str, alone))}) then line end" if alone else "null::bigint"
        by = ["rule", *map(name, [*self.ids, *self.keys]), line]
        found = ["min(instant) as instant", "min(line) as line", "count(*) as lines", "rule", *map(name, self.ids)]
        found += [f"{self._over_lines(path)} as {name(path)}" for path in self.outputs]
        found += [
            f"list({name(path)} order by line) filter ({name(path)} is not null) as {name(path)}" for path in self.lists
        ]
        chosen = f"and hash({', '.join(by)}) % {parts} = {part}" if parts > 1 else ""
        begin = "insert into made" if part else "create table made as"
        return f"{begin} select {', '.join(found)} from judged where reason is null {chosen} group by {', '.join(by)}"

    def events(self) -> str:
        """Return what puts the events in order, with the columns that the decoder of events knows."""
        types = " ".join(f"when {at} then {literal(rule.rule.type)}" for at, rule in enumerate(self.plan.rules))
        found = ["line", "lines", f"case rule {types} end as type", "make_timestamptz(instant) as time"]
        if self.plan.mapping.source:
            found.append(f"{literal(self.plan.mapping.source)} as source")
        found += map(name, [*self.ids, *self.outputs, *self.lists])
        return f"create table events as select {', '.join(found)} from made order by instant, line"

    def aside(self) -> str:
        """Return what gives the lines that are kept aside, each with its content as JSON."""
        return f"""
            select line, reason, found, {self.source.content}::json as content
            from judged join raw on raw."#line" = judged.line where reason is not null
            union all select "#line", 'malformed', "#error", to_json("#text") from raw where "#error" is not null
        """

    # The parts of `judged`

    def _typed(self) -> str:
        """Return the lines that are judged, with the columns that expressions read, as their kinds and as texts."""
        mapping = self.plan.mapping
        when = self.source.columns[mapping.time]
        read = [f'{columns.instant(when, mapping)} as "#at"', f'{columns.text(when, mapping)} as "#time"']
        for column, kind in self.plan.used.items():
            found = self.source.columns[column]
            read.append(f"{columns.read(found, kind, mapping)} as {name(column)}")
            read.append(f"{columns.text(found, mapping)} as {name(text_name(column))}")
        lines = 'raw anti join dropped on "#line" = dropped.line where "#error" is null'
        return f'select "#line", {", ".join(read)} from {lines}'

    def _rule(self) -> str:
        cases = " ".join(f"when {rule.when or 'true'} then {at}" for at, rule in enumerate(self.plan.rules))
        return f"case {cases} end"

    def _key(self, at: int) -> str:
        return _by_rule({number: rule.per[at] for number, rule in enumerate(self.plan.rules) if at < len(rule.per)})

    def _spoken(self, path: str) -> dict[int, Spoken]:
        return {at: rule.outputs[path] for at, rule in enumerate(self.plan.rules) if path in rule.outputs}

    def _output(self, path: str) -> str:
        return _by_rule({at: each.sql for at, each in self._spoken(path).items()})

    def _entry(self, path: str) -> str:
        """Return a struct with the fields that any of the rules gives to an entry of this list."""
        found = {at: rule.entries[path] for at, rule in enumerate(self.plan.rules) if path in rule.entries}
        types = {field: each.type for entries in found.values() for field, each in entries.items()}
        nothing = {field: Spoken(f"null::{sql_type(kind)}", kind) for field, kind in types.items()}
        structs = {
            at: ", ".join(f"{literal(field)}: {each.sql}" for field, each in (nothing | entries).items())
            for at, entries in found.items()
        }
        return _by_rule({at: f"{{{struct}}}" for at, struct in structs.items()})

    def _over_lines(self, path: str) -> str:
        """Return the one value of an event: the sum, always in the order of lines, or the first that is there."""
        found = self._spoken(path)
        first = f"arg_min({name(path)}, line)"
        summed = [str(at) for at, each in found.items() if each.summed]
        if not summed:
            return first
        total = f"onevoice_number(sum({name(path)} order by line))"
        return (
            total
            if len(summed) == len(found)
            else f"case when rule in ({', '.join(summed)}) then {total} else {first} end"
        )

    def _reason(self) -> str:
        reasons = list(self._reasons())
        why = " ".join(f"when {when} then {literal(reason)}" for when, reason, _ in reasons)
        found = " ".join(f"when {when} then {text}" for when, _, text in reasons)
        return f"case {why} end as reason, case {found} end as found"

    def _reasons(self) -> Iterator[tuple[str, str, str]]:
        """Yield what keeps a line aside: the condition, the reason, SQL for what was found; the first one counts."""
        yield '"#time" is null and "#at" is null', "no time", "null"
        yield '"#at" is null', "a time in no format", '"#time"'
        yield '"#at" < 0', "a time before 1970", '"#time"'
        if self._latest_us is not None:
            yield f'"#at" > {self._latest_us}', "a time that is yet to come", '"#time"'
        for column, kind in self.plan.used.items():
            if kind is not Kind.TEXT:
                text = name(text_name(column))
                yield f"{text} is not null and {name(column)} is null", f"not a {kind}: {column}", text
        yield '"#rule" is null', "no entry for it", "null"
        for at, rule in enumerate(self.plan.rules):
            if rule.rule.reason:
                yield f'"#rule" = {at}', rule.rule.reason, "null"
        if self.ids:
            yield " and ".join(f"{name(path)} is null" for path in self.ids), "no identifier", "null"
        for at, rule in enumerate(self.plan.rules):
            for key, written in zip(self.keys, rule.rule.per, strict=False):
                yield f'"#rule" = {at} and {name(key)} is null', f"no {written.text}", "null"


def _by_rule(values: dict[int, str]) -> str:
    """Return the value for the rule that a line falls under."""
    cases = " ".join(f"when {at} then {value}" for at, value in values.items())
    return f'case "#rule" {cases} end'
