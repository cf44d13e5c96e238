"""What one row decided, as the payload of the journal row that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.machine import Outcome
from onevoice.engine.reasons import ASK
from onevoice.events.pyarrow_untyped import pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FORM: Final = "decisions"

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
}


def encode(outcome: Outcome) -> bytes:
    """Return decisions with their lines as an Arrow IPC stream: a row per decision, numbers as the engine has them.

    Equal outcomes give equal bytes: a score that is NaN, whatever its bits, is null.
    """
    decisions, lines, scores = outcome
    unscored = np.isnan(scores)
    columns = {name: pa.array(np.ascontiguousarray(lines[:, column])) for name, column in _LINE.items()}
    columns["score"] = pa.array(np.where(unscored, 0.0, scores), mask=unscored)
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
    scores = structs.field("score").fill_null(np.nan).to_numpy(zero_copy_only=False)
    return Outcome(decisions, lines, np.array(scores))


def nothing() -> Outcome:
    """Return the outcome of a row that decided nothing."""
    none = np.zeros((0, at.DECISION_WIDTH), np.int64), np.zeros((0, at.LINE_WIDTH), np.int64)
    return Outcome(*none, np.zeros(0))


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Return several outcomes, in order, as one."""
    return parts[0] if len(parts) == 1 else Outcome(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def answer_of(outcome: Outcome) -> Outcome:
    """Return only the answer to an ask, the one in the outcome, with its lines."""
    place = int(np.argmax(outcome.decisions[:, at.D_KIND] == ASK))
    number = outcome.decisions[place, at.D_NUMBER]
    start, stop = np.searchsorted(outcome.lines[:, at.L_DECISION], [number, number + 1])
    return Outcome(outcome.decisions[place : place + 1], outcome.lines[start:stop], outcome.scores[start:stop])


def is_same(a: Outcome, b: Outcome) -> bool:
    """Tell whether two outcomes decide the same, to the last bit of every score that is a number."""
    return (
        np.array_equal(a.decisions, b.decisions)
        and np.array_equal(a.lines, b.lines)
        and np.array_equal(a.scores, b.scores, equal_nan=True)
    )


def _numbers(array: Any) -> NDArray[np.int64]:
    return array.to_numpy(zero_copy_only=False)
