"""The journal of the year: events as they come, and the log's rows in their places between them, piece by piece.

A row of the log stands behind all events of its instant, so that what had happened by then is known. Events come in the
order of their file, as in any import: what comes late finds the journal's time where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from onevoice.auditing import strand
from onevoice.auditing.staged import ANSWER
from onevoice.auditing.strand import ANSWERS
from onevoice.events.pyarrow_untyped import Table, pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from onevoice.auditing.strand import Answers, Strand

PIECE_ROWS: Final = 16_384

# Where a line comes from.
EVENTS: Final = 0
LOG: Final = 1  # one for each row of the log
ADDED: Final = 2


class Piece(NamedTuple):
    """Lines for the engine; `origin` (int8[n]) says of each whether it is the file's, the log's, or was added.

    `asks`: (place in the piece, contact that is asked about); `answers`: (place, campaign that is answered or "").
    """

    payload: bytes | Table
    origin: NDArray[np.int8]
    asks: list[tuple[int, int]]
    answers: list[tuple[int, str]]


class _Fields(msgspec.Struct):
    campaign: Any = None
    offer: Any = None


class _Head(msgspec.Struct):
    """What has to be known of a line of JSON: the rest stays as it is."""

    type: str = ""
    time: Any = None
    identifiers: msgspec.Raw = msgspec.Raw(b"{}")
    fields: _Fields | None = None


_HEAD: Final = msgspec.json.Decoder(_Head)


class Weaver:
    """Weaves the rows of a log into pieces of events."""

    def __init__(self, log: Strand, answers: Answers) -> None:
        self._log = log
        self._answers = answers
        self._done = 0  # rows of the log
        self._now = 0

    def pieces(self, events: Iterable[bytes | Table]) -> Iterator[Piece]:
        """Yield the pieces with the log's rows among them, and what is left of the log at the end."""
        for piece in events:
            if isinstance(piece, bytes):
                lines = [line for line in piece.split(b"\n") if line.strip()]
                yield from (self._of_lines(lines[at : at + PIECE_ROWS]) for at in range(0, len(lines), PIECE_ROWS))
            else:
                table = pa.Table.from_batches([piece]) if isinstance(piece, pa.RecordBatch) else piece
                yield from (self._of_rows(table.slice(at, PIECE_ROWS)) for at in range(0, table.num_rows, PIECE_ROWS))
        while self._done < len(self._log.times):
            stop = min(self._done + PIECE_ROWS, len(self._log.times))
            yield self._table(strand.no_rows(), np.zeros(0, np.int64), stop)

    def _of_lines(self, lines: list[bytes]) -> Piece:
        heads = [_head(line) for line in lines]
        answered = {at: self._answered(head) for at, head in enumerate(heads) if head.type in ANSWERS}
        before, stop = self._before(np.array([strand.written_us(head.time) for head in heads], np.int64))
        texts = [*lines, *_json(self._log.table.slice(self._done, stop - self._done))]
        texts += [_ask(heads[at]) for at in answered]
        order, origin, asks, answers = self._woven(before, stop, answered)
        return Piece(b"\n".join(texts[at] for at in order) + b"\n", origin, asks, answers)

    def _answered(self, head: _Head) -> str:
        fields = head.fields or _Fields()
        return self._answers.campaign(fields.campaign, fields.offer)

    def _of_rows(self, table: Table) -> Piece:
        table = strand.flat(table)
        return self._table(table, *self._before(strand.times_of(table)))

    def _table(self, table: Table, before: NDArray[np.int64], stop: int) -> Piece:
        answered = self._answers.rows(table)
        own = self._log.table.slice(self._done, stop - self._done)
        whole = strand.joined((table, own, strand.asks_of(table, answered)))
        order, origin, asks, answers = self._woven(before, stop, answered)
        return Piece(whole.take(pa.array(order, pa.int64())), origin, asks, answers)

    def _before(self, times: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """Return int64[n], how many rows of the log come before each event, and the last of these.

        What counts is the time that the journal has when the event comes in.
        """
        now = np.maximum.accumulate(np.maximum(times, self._now))
        self._now = int(now[-1])
        before = np.maximum(np.searchsorted(self._log.times, now, side="left"), self._done)
        return before, int(before[-1])

    def _woven(
        self, before: NDArray[np.int64], stop: int, answered: Mapping[int, str]
    ) -> tuple[list[int], NDArray[np.int8], list[tuple[int, int]], list[tuple[int, str]]]:
        """Return which row stands at each place: of the events, then the log's up to `stop`, then asks of answers.

        With it their origins, the asks about contacts, and those about answers, by their places.
        """
        own = np.arange(self._done, stop)
        slots = np.searchsorted(before, own, side="right")  # the first event that comes after a row of the log
        replies = np.fromiter(answered, np.int64, len(answered))
        keys = np.concatenate([3 * np.arange(len(before)) + 1, 3 * slots, 3 * replies + 2])
        order = np.argsort(keys, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        of_own = place[len(before) : len(before) + len(own)].tolist()
        told = [(at, int(self._log.contact[row]), self._log.answer[row]) for at, row in zip(of_own, own, strict=True)]
        answers = [(at, answer) for at, _, answer in told if answer is not None]
        answers += zip(place[len(before) + len(own) :].tolist(), answered.values(), strict=True)
        of_log = np.where(self._log.is_told[own], LOG, ADDED)
        origin = np.concatenate([np.full(len(before), EVENTS), of_log, np.full(len(replies), ADDED)])[order]
        self._done = stop
        asks = [(at, contact) for at, contact, _ in told if contact >= 0]
        return order.tolist(), origin.astype(np.int8), asks, answers


def _head(line: bytes) -> _Head:
    try:
        return _HEAD.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Head()  # the engine says what is wrong with it


def _ask(head: _Head) -> bytes:
    """Return the ask that tells whose an answer is."""
    ask = {"type": "asked", "time": head.time, "identifiers": head.identifiers, "fields": {"placement": ANSWER}}
    return msgspec.json.encode(ask)


def _json(table: Table) -> list[bytes]:
    """Return rows as lines; what is null is absent."""
    lines: list[dict[str, Any]] = [{} for _ in range(table.num_rows)]
    for path, column in zip(table.column_names, table.columns, strict=True):
        head, _, name = path.partition(".")
        for line, value in zip(lines, column.to_pylist(), strict=True):
            if value is not None and name:
                line.setdefault(head, {})[name] = value
            elif value is not None:
                line[head] = value
    return [msgspec.json.encode(line) for line in lines]
