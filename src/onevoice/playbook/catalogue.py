"""Reading a catalogue of products from CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from onevoice.near import did_you_mean
from onevoice.playbook import grammar
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import Catalogue, FieldType
from onevoice.playbook.record import Report, listed, short_text
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

Value = str | float | None
PRODUCTS_MAX: Final = 1_000_000
MISTAKES_MAX: Final = 20  # of one file; a wrong column would otherwise fill the screen
DAY_US: Final = 86_400_000_000
FIELD_TYPES: Final = (
    FieldType.TEXT,
    FieldType.CHOICE,
    FieldType.NUMBER,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.TIME,
)


def read(
    file: str, content: bytes, *, key: str, fields: Mapping[str, FieldType], zone: ZoneInfo, report: Report
) -> Catalogue:
    """Read the products of a CSV file with a header line; columns that no field names are left out.

    An empty cell is unknown (None). Numbers are floats, booleans 1.0 or 0.0, dates and times microseconds: a date at
    midnight in UTC, a time from the playbook's zone.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        report.refuse(f"{file}:{line}", "not a UTF-8 text", expected="UTF-8", mend="save the file as UTF-8")
        return Catalogue(dict(fields))
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    return _Reading(file, report, dict(fields), zone).products(rows, key)


class _Reading:
    """One file being read."""

    def __init__(self, file: str, report: Report, fields: dict[str, FieldType], zone: ZoneInfo) -> None:
        self.file, self.report, self.fields = file, report, fields
        self.parsers = {name: _parser(kind, zone) for name, kind in fields.items()}
        self.mistakes = 0
        self.lines: dict[str, int] = {}  # product -> the line it stands on

    def products(self, rows: Any, key: str) -> Catalogue:
        """Read the header, then every row."""
        columns: dict[str, list[Value]] = {name: [] for name in self.fields}
        try:
            first: list[str] = next(rows, [""])
            if places := self.header(first, key):
                self.rows(rows, places, columns)
        except csv.Error as error:
            self.refuse(rows.line_num, f"not CSV: {error}", "comma-separated values", "")
        if self.mistakes > MISTAKES_MAX:
            self.report.refuse(self.file, f"{self.mistakes - MISTAKES_MAX:,} more mistakes in this file")
        return Catalogue(self.fields, tuple(self.lines), {name: tuple(values) for name, values in columns.items()})

    def rows(self, rows: Any, places: Mapping[str, int], columns: Mapping[str, list[Value]]) -> None:
        """Take every row that is not empty."""
        for row in rows:
            if len(self.lines) >= PRODUCTS_MAX:
                self.refuse(rows.line_num, "too many products", f"at most {PRODUCTS_MAX:,}", "")
                return
            if row:
                self.row(row, rows.line_num, places, columns)

    def header(self, names: list[str], key: str) -> dict[str, int]:
        """Return the position of each wanted column, "" for the product's own; nothing where one is missing."""
        stripped = [name.strip() for name in names]
        for wanted in (key, *self.fields):
            if wanted not in stripped:
                hint = did_you_mean(wanted, stripped)
                self.refuse(1, f"no column {quoted(wanted)}", f"one of {listed(stripped)}", hint)
            elif stripped.count(wanted) > 1:
                self.refuse(1, f"two columns {quoted(wanted)}", "each column once", "")
        if self.mistakes:
            return {}
        return {"": stripped.index(key)} | {name: stripped.index(name) for name in self.fields}

    def row(self, row: list[str], line: int, places: Mapping[str, int], columns: Mapping[str, list[Value]]) -> None:
        """Take one product; a row with any mistake is left out."""
        if len(row) <= max(places.values()):
            self.refuse(line, "too few columns", f"at least {max(places.values()) + 1}", "", str(len(row)))
            return
        try:
            product = short_text(row[places[""]])
            values = [parse(cell.strip()) for name, parse in self.parsers.items() for cell in (row[places[name]],)]
        except Slip as slip:
            self.refuse(line, slip.what, slip.expected, slip.mend, slip.found)
            return
        if product in self.lines:
            first = f"the first is on line {self.lines[product]}"
            self.refuse(line, "a product given twice", "each product once", first, quoted(product))
            return
        self.lines[product] = line
        for values_of, value in zip(columns.values(), values, strict=True):
            values_of.append(value)

    def refuse(self, line: int, what: str, expected: str, mend: str, found: str = "") -> None:
        """Record a mistake, up to the number that helps."""
        self.mistakes += 1
        if self.mistakes <= MISTAKES_MAX:
            self.report.refuse(f"{self.file}:{line}", what, expected=expected, found=found, mend=mend)


def _parser(kind: FieldType, zone: ZoneInfo) -> Callable[[str], Value]:
    parsers: dict[FieldType, Callable[[str], Value]] = {
        FieldType.NUMBER: grammar.number,
        FieldType.BOOLEAN: lambda cell: float(grammar.boolean(cell)),
        FieldType.DATE: lambda cell: float(grammar.local_date(cell).toordinal() - 719_163) * DAY_US,
        FieldType.TIME: lambda cell: float(grammar.instant(cell, zone)),
    }
    parse = parsers.get(kind, short_text)
    return lambda cell: parse(cell) if cell else None
