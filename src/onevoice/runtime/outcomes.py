"""What an EVENTS row decided, as the payload of the journal rows that follow it.

One row can decide for every customer there is. So what it decided is cut to parts of bounded size, between decisions;
a DECISIONS row holds one part, or several small ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.machine import Outcome
from onevoice.engine.reasons import ASK
from onevoice.events.pyarrow_untyped import pa
from onevoice.journal.port import Kind, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

FORM: Final = "decisions"
# What a DECISIONS row holds at the most, but never less than one decision; far below the journal's own limit, for it
# is also what a reader has in memory.
ROW_BYTES: Final = 8 * 1024 * 1024

_DECISION: Final = {
    "number": at.D_NUMBER,
    "kind": at.D_KIND,
    "time": at.D_TIME,
    "position": at.D_POSITION,
    "customer": at.D_CUSTOMER,
    "placement": at.D_PLACEMENT,
}
_LINE: Final = {
    "campaign": at.L_CAMPAIGN,
    "key": at.L_KEY,
    "reason": at.L_REASON,
    "channel": at.L_CHANNEL,
    "rule": at.L_RULE,
    "value": at.L_VALUE,
    "limit": at.L_LIMIT,
    "until": at.L_UNTIL,
    "contact": at.L_CONTACT,
    "offer": at.L_OFFER,
}
_FIGURE: Final = {"score": at.F_SCORE, "probability": at.F_PROBABILITY}
_COMPUTED: Final = "computed"  # followed by the number of the parameter

_DECISION_BYTES: Final = 8 * len(_DECISION) + 4  # and where its lines begin
_LINE_BYTES: Final = 8 * len(_LINE)
_FIGURE_BYTES: Final = 9  # the figure, and whether there is one


class Decided(NamedTuple):
    """What an EVENTS row decided, or part of it."""

    row: Row
    outcome: Outcome


def cut(row: Row, outcome: Outcome) -> Iterator[Decided]:
    """Yield what a row decided in parts of at most ROW_BYTES, views of the whole; nothing where nothing was decided."""
    ends = np.searchsorted(outcome.lines[:, at.L_DECISION], outcome.decisions[:, at.D_NUMBER], side="right")
    sizes = _DECISION_BYTES * np.arange(1, len(ends) + 1) + _bytes_of_line(outcome) * ends
    start, before = 0, 0
    while start < len(sizes):
        stop = max(start + 1, int(np.searchsorted(sizes, before + ROW_BYTES, side="right")))
        yield Decided(row, part(outcome, start, stop))
        start, before = stop, int(sizes[stop - 1])


def part(outcome: Outcome, start: int, stop: int) -> Outcome:
    """Return the decisions `[start, stop)` of an outcome with their lines, as views."""
    numbers = outcome.decisions[start:stop, at.D_NUMBER]
    edges = [numbers[0], numbers[-1] + 1] if len(numbers) else [0, 0]
    first, last = np.searchsorted(outcome.lines[:, at.L_DECISION], edges)
    return Outcome(outcome.decisions[start:stop], outcome.lines[first:last], outcome.figures[first:last])


def fitting(parts: Sequence[Decided]) -> int:
    """Return how many of the parts, from the first on, go into one row."""
    sizes = np.cumsum([_size(part.outcome) for part in parts])
    return max(min(1, len(parts)), int(np.searchsorted(sizes, ROW_BYTES, side="right")))


def row_of(parts: Sequence[Decided]) -> Row:
    """Return the journal row for parts that fit."""
    last = parts[-1].row
    payload = encode(joined([part.outcome for part in parts]))
    return Row(Kind.DECISIONS, last.position + last.count, 0, last.stamp_us, payload=payload, form=FORM)


def _size(outcome: Outcome) -> int:
    return _DECISION_BYTES * len(outcome.decisions) + _bytes_of_line(outcome) * len(outcome.lines)


def _bytes_of_line(outcome: Outcome) -> int:
    return _LINE_BYTES + _FIGURE_BYTES * outcome.figures.shape[1]


def encode(outcome: Outcome) -> bytes:
    """Return decisions with their lines as an Arrow IPC stream: a row per decision, numbers as the engine has them.

    Equal outcomes give equal bytes: a figure that is NaN, whatever its bits, is null.
    """
    decisions, lines, figures = outcome
    columns = {name: pa.array(np.ascontiguousarray(lines[:, column])) for name, column in _LINE.items()}
    for column, name in enumerate(_figure_names(figures.shape[1])):
        unknown = np.isnan(figures[:, column])
        columns[name] = pa.array(np.where(unknown, 0.0, figures[:, column]), mask=unknown)
    edges = np.searchsorted(lines[:, at.L_DECISION], decisions[:, at.D_NUMBER])
    offsets = pa.array(np.append(edges, len(lines)).astype(np.int32))
    structs = pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
    table = {name: pa.array(np.ascontiguousarray(decisions[:, column])) for name, column in _DECISION.items()}
    table["lines"] = pa.ListArray.from_arrays(offsets, structs)
    batch = pa.RecordBatch.from_pydict(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def decode(payload: bytes) -> Outcome:
    """Return the outcome that `encode` wrote."""
    with pa.ipc.open_stream(payload) as reader:
        batch = reader.read_next_batch()
    decisions = np.empty((batch.num_rows, at.DECISION_WIDTH), np.int64)
    for name, column in _DECISION.items():
        decisions[:, column] = _numbers(batch.column(name))
    lists = batch.column("lines")
    structs = lists.flatten()
    lines = np.empty((len(structs), at.LINE_WIDTH), np.int64)
    for name, column in _LINE.items():
        lines[:, column] = _numbers(structs.field(name))
    lengths = np.diff(_numbers(lists.offsets))
    lines[:, at.L_DECISION] = np.repeat(decisions[:, at.D_NUMBER], lengths)
    figures = np.empty((len(structs), structs.type.num_fields - len(_LINE)))
    for column, name in enumerate(_figure_names(figures.shape[1])):
        figures[:, column] = structs.field(name).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return Outcome(decisions, lines, figures)


def _figure_names(count: int) -> list[str]:
    return [*_FIGURE, *(f"{_COMPUTED}{number}" for number in range(count - len(_FIGURE)))]


def of_customers(outcome: Outcome, customers: Collection[int]) -> Outcome:
    """Return the decisions of an outcome that are about these customers, with their lines."""
    return _where(outcome, np.isin(outcome.decisions[:, at.D_CUSTOMER], list(customers)))


def of_numbers(outcome: Outcome, numbers: Collection[int]) -> Outcome:
    """Return the decisions of an outcome that have these numbers, with their lines."""
    return _where(outcome, np.isin(outcome.decisions[:, at.D_NUMBER], list(numbers)))


def _where(outcome: Outcome, wanted: NDArray[np.bool_]) -> Outcome:
    decisions = outcome.decisions[wanted]
    kept = np.isin(outcome.lines[:, at.L_DECISION], decisions[:, at.D_NUMBER])
    return Outcome(decisions, outcome.lines[kept], outcome.figures[kept])


def nothing() -> Outcome:
    """Return the outcome of a row that decided nothing."""
    none = np.zeros((0, at.DECISION_WIDTH), np.int64), np.zeros((0, at.LINE_WIDTH), np.int64)
    return Outcome(*none, np.zeros((0, at.F_COMPUTED)))


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Return several outcomes, in order, as one."""
    return parts[0] if len(parts) == 1 else Outcome(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def answer_of(outcome: Outcome) -> Outcome:
    """Return only the answer to an ask, the one in the outcome, with its lines."""
    place = int(np.argmax(outcome.decisions[:, at.D_KIND] == ASK))
    return part(outcome, place, place + 1)


def is_same(a: Outcome, b: Outcome) -> bool:
    """Tell whether two outcomes decide the same, to the last bit of every figure that is a number."""
    return (
        np.array_equal(a.decisions, b.decisions)
        and np.array_equal(a.lines, b.lines)
        and np.array_equal(a.figures, b.figures, equal_nan=True)
    )


def _numbers(array: Any) -> NDArray[np.int64]:
    return array.to_numpy(zero_copy_only=False)
