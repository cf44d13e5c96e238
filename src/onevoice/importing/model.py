"""What a mapping says, as plain data: how the lines of a file become events."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onevoice.playbook.tree import Node


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Written:
    """A SQL expression over a line's columns, and the key path at which it is written."""

    text: str
    path: str


@dataclass(frozen=True, slots=True)
class Value:
    """A field of an event: that of its first line that has one, or the sum over its lines."""

    expression: Written
    summed: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """A list field of an event: one entry for each of its lines."""

    fields: dict[str, Written]


@dataclass(frozen=True, slots=True)
class Rule:
    """Lines for which `when` holds and no rule before: events of a type, or kept aside for a `reason`.

    `per`: one event for all lines that agree in these; empty: one for each line.
    """

    type: str = ""
    reason: str = ""
    when: Written | None = None
    per: tuple[Written, ...] = ()
    id: Written | None = None
    fields: dict[str, Value | Entries] = field(default_factory=dict[str, Value | Entries])
    traits: dict[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Csv:
    """How a CSV file is written. `header`: the names of its columns where it has no line for them."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A mapping. `digest` is that of its meaning: comments and spacing do not change it.

    `zone` is the time zone of times that name none, "" where all do. `empty`: texts that stand for nothing. `nodes`
    are the places of everything written, for what is found wrong when the mapping meets a file and a playbook.
    """

    name: str
    digest: str
    nodes: Mapping[str, Node]
    time: str
    formats: tuple[str, ...]
    zone: str = ""
    columns: dict[str, Kind] = field(default_factory=dict[str, Kind])
    empty: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    csv: Csv = field(default_factory=Csv)
    drop_duplicates: bool = False
    identifiers: dict[str, Written] = field(default_factory=dict[str, Written])
    source: str = ""
    rules: tuple[Rule, ...] = ()
