"""The lines that are drawn are read by the decoder, all of them, with the hashes and values the twin gives them.

Seeds rotate and are printed; DECODED_SEED repeats a run, DECODED_CASES sets how many.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from onevoice.events.batch import ID, ITEM, MISSING_TIME, OCCURRED_AT, Batch
from onevoice.events.decode import decode_ndjson
from onevoice.events.schema import Layout, Schema
from onevoice.playbook.model import FieldType

from .book import Book
from .clock import instant
from .hashing import identifier_hash, text_hash
from .rows import identifiers_of, rows_of
from .strategies import draw_case

if TYPE_CHECKING:
    from .state import Row

SECRET = (0x0123456789ABCDEF, -2)
SEED = int(os.environ.get("DECODED_SEED") or random.SystemRandom().randrange(2**31))
CASES = int(os.environ.get("DECODED_CASES") or 20)


def test_lines_are_decoded_to_what_the_twin_reads():
    print(f"seeds {SEED} to {SEED + CASES - 1}: DECODED_SEED={SEED}")
    for seed in range(SEED, SEED + CASES):
        playbook, batches = draw_case(seed)
        book, schema = Book(replace(playbook, offers={})), Schema(playbook)  # the engine fills in from offers, later
        lines = [line for batch in batches for line in batch.lines if line and line["type"] in book.events]
        decoded = decode_ndjson(b"\n".join(msgspec.json.encode(line) for line in lines), schema, SECRET)
        assert not decoded.rejected, f"seed {seed}"
        first = [row for row in decoded.rows.tolist() if row[ITEM] == 0]
        assert [row[OCCURRED_AT] for row in first] == [
            instant(line["time"]) if "time" in line else MISSING_TIME for line in lines
        ], f"seed {seed}"
        assert [row[ID] for row in first] == [text_hash(line.get("id"), SECRET) for line in lines], f"seed {seed}"
        read = [each for line in lines for each in identifiers_read(book, line)]
        assert decoded.identifiers.tolist() == read, f"seed {seed}"
        rows = [row for line in lines for row in rows_of(book, line, 0, 0)]
        assert len(rows) == len(decoded.rows), f"seed {seed}"
        for number, row in enumerate(rows):
            found = values_of(decoded, schema.layout(row.type), number)
            assert found == values_read(book, row), f"seed {seed}"


def identifiers_read(book: Book, line: dict[str, Any]) -> list[list[int]]:
    kinds = list(book.playbook.identifiers)
    return [[kinds.index(kind), *identifier_hash(kind, value, SECRET)] for kind, value in identifiers_of(book, line)]


def values_of(decoded: Batch, layout: Layout, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in layout.fields.values():
        if field.type is FieldType.KEY:
            found[field.name] = int(decoded.keys[number, field.column])
        elif field.column >= 0:
            value = decoded.values[number, field.column]
            name = field.type in {FieldType.CHOICE, FieldType.PRODUCT}
            found[field.name] = None if np.isnan(value) else decoded.names[int(value)] if name else float(value)
    return found


def values_read(book: Book, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in book.row_fields(row.type).items():
        value = row.fields[name]
        if kind is FieldType.KEY:
            found[name] = text_hash(value, SECRET)
        elif kind is not FieldType.TEXT:
            found[name] = value if value is None or isinstance(value, str) else float(value)
    return found
