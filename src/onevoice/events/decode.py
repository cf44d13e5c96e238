"""Bytes to columns. Decoding changes no state: names are numbered within the batch alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.events.batch import Batch
from onevoice.events.columns import Part, marks_of, part_of, renumbered
from onevoice.events.lines import BLANKS, Lines

if TYPE_CHECKING:
    from onevoice.events.schema import Schema


def decode_ndjson(payload: bytes, schema: Schema, secret: tuple[int, int]) -> Batch:
    """Return the events of newline-delimited JSON as columns.

    A line that cannot be used is in `rejected` and costs its neighbours nothing; `payload` may be cut at any line
    into parts whose batches, one after another, are the batch of the whole. Never raises for what a payload holds.
    """
    lines = Lines(schema)
    count = 0
    for line in payload.split(b"\n"):
        if line.strip(BLANKS):
            lines.read(line, count)
            count += 1
    return batch_of(part_of(lines, secret), lines, count)


def batch_of(part: Part, lines: Lines, count: int) -> Batch:
    """Return the batch of a part, with what `lines` noted about names and lines that could not be used."""
    names = renumbered(part, marks_of(lines.schema))
    rejected = sorted(lines.rejected, key=lambda rejection: rejection.line)
    return Batch(*part[:5], names, rejected, count, dict(lines.unknown), dict(lines.dropped))
