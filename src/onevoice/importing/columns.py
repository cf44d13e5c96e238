"""How the columns of a file are read as texts, numbers and times: SQL for DuckDB.

A text is trimmed; an empty one, or one that the mapping lists under `empty`, is NULL. Instants are µs UTC as BIGINT.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from onevoice.importing.model import Kind
from onevoice.importing.sources import literal

if TYPE_CHECKING:
    from onevoice.importing.model import FileMapping
    from onevoice.importing.sources import Column

_BLANKS: Final = "chr(32) || chr(9) || chr(10) || chr(13) || chr(160)"
_ISO: Final = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?"
_OFFSET: Final = r"(Z|[+-]\d{2}(:?\d{2})?)"
_UNIX: Final = r"-?\d{1,15}(\.\d+)?"
_TRUTHS: Final = {"true": ("true", "yes", "1"), "false": ("false", "no", "0")}


def read(column: Column, kind: Kind, mapping: FileMapping) -> str:
    """Return SQL for the values of a column as a kind: VARCHAR, DOUBLE, BOOLEAN, DATE, or TIMESTAMP in UTC."""
    if kind is Kind.TIME:
        return f"make_timestamp({instant(column, mapping)})"
    if kind is Kind.TEXT:
        return text(column, mapping)
    if column.native and column.kind is kind:
        return f"cast({column.sql} as double)" if kind is Kind.NUMBER else column.sql
    found = text(column, mapping)
    if kind is Kind.NUMBER:
        return _number(found, mapping)
    if kind is Kind.BOOLEAN:
        told = " ".join(f"when lower({found}) in {_listed(words)} then {truth}" for truth, words in _TRUTHS.items())
        return f"case {told} end"
    return _day(column, found, mapping)


def text(column: Column, mapping: FileMapping) -> str:
    """Return SQL for a column as text; a whole number is its digits."""
    sql = column.sql
    if column.kind is Kind.TIME:
        return f"cast(make_timestamp({sql}) as varchar)"
    if column.native:
        digits = f"case when {sql} = floor({sql}) and abs({sql}) < 1e15 then cast(cast({sql} as bigint) as varchar)"
        whole = f"cast({sql} as varchar)"
        return f"{digits} else {whole} end" if column.kind is Kind.NUMBER else whole
    trimmed = f"trim({sql}, {_BLANKS})"
    return f"case when {trimmed} not in {_listed(('', *mapping.empty))} then {trimmed} end"


def instant(column: Column, mapping: FileMapping) -> str:
    """Return SQL for a column as µs UTC: what it is, or the first format that fits its text."""
    if column.native and column.kind is Kind.TIME:
        return column.sql
    if column.native and column.kind is Kind.DATE:
        return f"onevoice_utc(epoch_us(cast({column.sql} as timestamp)))"
    found = text(column, mapping)
    return f"coalesce({', '.join(_formatted(found, each, mapping.zone) for each in mapping.formats)}, null)"


def names_no_zone(form: str) -> bool:
    """Tell whether times of a format are those of a clock on the wall."""
    return form not in {"iso", "unix", "unix ms"} and "%z" not in form


def _formatted(found: str, form: str, zone: str) -> str:
    if form.startswith("unix"):
        scale = 1_000_000 if form == "unix" else 1_000
        value = f"try_cast(round(try_cast({found} as decimal(38, 9)) * {scale}) as bigint)"
        return f"case when regexp_full_match({found}, {literal(_UNIX)}) then {value} end"
    if form == "iso":
        exact, clock = (f"epoch_us(try_cast({found} as {kind}))" for kind in ("timestamptz", "timestamp"))
        told = f"when regexp_full_match({found}, {literal(_ISO + _OFFSET)}) then {exact}"
        local = f"when regexp_full_match({found}, {literal(_ISO)}) then onevoice_utc({clock})"
        return f"case {told} {local if zone else ''} end"
    parsed = f"epoch_us(try_strptime({found}, {literal(form)}))"
    return f"onevoice_utc({parsed})" if names_no_zone(form) else parsed


def _number(found: str, mapping: FileMapping) -> str:
    """Return SQL for a number whose signs stand where they should; anything else is NULL."""
    decimal, thousands = re.escape(mapping.decimal), re.escape(mapping.thousands)
    whole = rf"(\d+|\d{{1,3}}({thousands}\d{{3}})+)" if thousands else r"\d+"
    pattern = rf"[+-]?({whole}({decimal}\d*)?|{decimal}\d+)([eE][+-]?\d{{1,3}})?"
    plain = f"replace({found}, {literal(mapping.thousands)}, '')" if thousands else found
    plain = plain if mapping.decimal == "." else f"replace({plain}, {literal(mapping.decimal)}, '.')"
    value = f"try_cast({plain} as double)"
    return f"case when regexp_full_match({found}, {literal(pattern)}) and isfinite({value}) then {value} end"


def _day(column: Column, found: str, mapping: FileMapping) -> str:
    """Return SQL for a date: the day that is written, in no zone's sight."""
    if column.native and column.kind is Kind.TIME:
        return "null::date"
    days = [f"try_cast({found} as date)" if form == "iso" else "" for form in mapping.formats]
    days = [
        f"case when regexp_full_match({found}, {literal(_ISO)}) then {day} end"
        if day
        else f"cast(try_strptime({found}, {literal(form)}) as date)"
        for day, form in zip(days, mapping.formats, strict=True)
        if day or names_no_zone(form)
    ]
    return f"coalesce({', '.join([*days, 'null::date'])}, null::date)"


def _listed(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(map(literal, words)) + ")"
