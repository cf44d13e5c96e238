"""Reading a catalogue of products from CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from onevoice.near import did_you_mean, other_separator
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


class _Column(dict[str, Value]):
    """A column's cells and what each says: read once, however many products have it."""

    def __init__(self, parse: Callable[[str], Value]) -> None:
        self.parse = parse
        self.place = 0  # in a row

    def __missing__(self, cell: str) -> Value:
        written = cell.strip()
        value = self.parse(written) if written else None
        self[cell] = value
        return value


class _Reading:
    """One file being read."""

    def __init__(self, file: str, report: Report, fields: dict[str, FieldType], zone: ZoneInfo) -> None:
        self.file, self.report, self.fields = file, report, fields
        self.columns = {name: _Column(_parser(kind, zone)) for name, kind in fields.items()}
        self.mistakes = 0
        self.lines: dict[str, int] = {}  # product -> the line it stands on
        self.values: list[Value] = []  # of each product one of each column, product after product

    def products(self, rows: Any, key: str) -> Catalogue:
        """Read the header, then every row."""
        try:
            first: list[str] = next(rows, [""])
            names = [name.strip() for name in first]
            self.header(names, key)
            if not self.mistakes:
                self.rows(rows, names.index(key))
        except csv.Error as error:
            self.refuse(rows.line_num, f"not CSV: {error}", "comma-separated values", "")
        if self.mistakes > MISTAKES_MAX:
            self.report.refuse(self.file, f"{self.mistakes - MISTAKES_MAX:,} more mistakes in this file")
        values = {name: tuple(self.values[at :: len(self.fields)]) for at, name in enumerate(self.fields)}
        return Catalogue(self.fields, tuple(self.lines), values)

    def header(self, names: list[str], key: str) -> None:
        """Find the place of each wanted column."""
        if sign := other_separator(names):
            mend = "save the file with commas between the columns"
            self.refuse(1, "columns that look separated by another sign", "commas", mend, sign)
            return
        for wanted in (key, *self.fields):
            if wanted not in names:
                hint = did_you_mean(wanted, names)
                self.refuse(1, f"no column {quoted(wanted)}", f"one of {listed(names)}", hint)
            elif names.count(wanted) > 1:
                self.refuse(1, f"two columns {quoted(wanted)}", "each column once", "")
            elif wanted in self.columns:
                self.columns[wanted].place = names.index(wanted)

    def rows(self, rows: Any, product: int) -> None:
        """Take every row that is not empty; one with any mistake is left out."""
        columns = [(column, column.place) for column in self.columns.values()]
        wanted = 1 + max(product, *(place for _, place in columns), 0)
        for row in rows:
            if len(row) < wanted:
                if row:
                    self.refuse(rows.line_num, "too few columns", f"at least {wanted}", "", str(len(row)))
                continue
            if len(self.lines) >= PRODUCTS_MAX:
                self.refuse(rows.line_num, "too many products", f"at most {PRODUCTS_MAX:,}", "")
                return
            try:
                name = short_text(row[product])
                values = [column[row[place]] for column, place in columns]
            except Slip as slip:
                self.refuse(rows.line_num, slip.what, slip.expected, slip.mend, slip.found)
                continue
            if name in self.lines:
                first = f"the first is on line {self.lines[name]}"
                self.refuse(rows.line_num, "a product given twice", "each product once", first, quoted(name))
                continue
            self.lines[name] = rows.line_num
            self.values += values

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
    return parsers.get(kind, short_text)
