"""The engine and its twin side by side: the same rows through both, and the first thing in which they differ."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from onevoice.compiled import Split
from onevoice.compiler import compile_playbook
from onevoice.engine import canonical
from onevoice.engine import state as at
from onevoice.engine.machine import Machine, Outcome
from onevoice.engine.reasons import DecisionKind, Reason
from onevoice.events.batch import Reason as Refusal
from onevoice.events.batch import Times
from onevoice.events.decode import decode_line_by_line

from . import canonical as twin_canonical
from .hashing import identifier_hash
from .state import Decision, Line
from .twin import Twin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.compiled import Compiled
    from onevoice.playbook.model import Playbook

    from .draw_stream import Batch
    from .twin import Pair

SECRET = (0x0123456789ABCDEF, -2)


class Engine:
    """The engine under test, with its decisions in the twin's form."""

    def __init__(self, playbook: Playbook, splits: Sequence[Pair] = (), compiled: Compiled | None = None) -> None:
        self.playbook = playbook
        hashed = [Split(*_hashed(*one), *_hashed(*other)) for one, other in splits]
        self.machine = Machine(compiled or compile_playbook(playbook, hashed), SECRET)
        self.decisions: list[Decision] = []

    def row(self, batch: Batch) -> None:
        """Process one row of the journal; a line that is none at all is one that is no JSON."""
        payload = b"\n".join(b"-" if line is None else msgspec.json.encode(line) for line in batch.lines)
        decoded = decode_line_by_line(payload, self.machine.compiled.schema, SECRET, Times(batch.stamp))
        reasons = [rejection.reason for rejection in decoded.rejected if rejection.reason is not Refusal.BAD_TIME]
        assert reasons == [Refusal.NOT_JSON] * batch.lines.count(None), decoded.rejected
        outcome = self.machine.row(decoded, batch.stamp, imported=batch.imported, observing=batch.observing)
        self.decisions += told(self.playbook, outcome)


def told(playbook: Playbook, outcome: Outcome) -> list[Decision]:
    """Return decisions with the names of the playbook."""
    lines: dict[int, list[Line]] = {}
    for row, figures in zip(outcome.lines.tolist(), outcome.figures.tolist(), strict=True):
        known = [None if np.isnan(figure) else figure for figure in figures]
        lines.setdefault(row[at.L_DECISION], []).append(_line(playbook, row, known))
    placements = list(playbook.placements)
    return [
        Decision(
            row[at.D_NUMBER],
            DecisionKind(row[at.D_KIND]).name.lower(),
            row[at.D_TIME],
            row[at.D_POSITION],
            row[at.D_CUSTOMER],
            placements[row[at.D_PLACEMENT]] if row[at.D_PLACEMENT] >= 0 else "",
            tuple(lines.get(row[at.D_NUMBER], ())),
        )
        for row in outcome.decisions.tolist()
    ]


def _line(playbook: Playbook, row: list[int], figures: list[float | None]) -> Line:
    channel, offer = row[at.L_CHANNEL], row[at.L_OFFER]
    return Line(
        list(playbook.campaigns)[row[at.L_CAMPAIGN]],
        row[at.L_KEY],
        Reason(row[at.L_REASON]).name.lower(),
        list(playbook.channels)[channel] if channel >= 0 else "",
        row[at.L_RULE],
        row[at.L_VALUE],
        row[at.L_LIMIT],
        row[at.L_UNTIL],
        figures[at.F_SCORE],
        row[at.L_CONTACT],
        list(playbook.offers)[offer] if offer >= 0 else "",
        figures[at.F_PROBABILITY],
        tuple(figures[at.F_COMPUTED :]),
    )


def _hashed(kind: str, value: str) -> tuple[str, int, int]:
    return (kind, *identifier_hash(kind, value, SECRET))


def difference(playbook: Playbook, rows: list[Batch], splits: Sequence[Pair] = ()) -> str:
    """Return the first difference between the engine and the twin after any row; empty where there is none."""
    engine, twin = Engine(playbook, splits), Twin(playbook, SECRET, splits)
    seen = 0
    for number, row in enumerate(rows):
        engine.row(row)
        twin.row(list(row.lines), row.stamp, imported=row.imported, observing=row.observing)
        for found, expected in zip_longest(engine.decisions[seen:], twin.decisions[seen:]):
            if found != expected:
                return f"row {number}:\n  twin   {expected}\n  engine {found}"
        seen = len(engine.decisions)
        unlike = unlike_tables(canonical.tables(engine.machine), twin_canonical.tables(twin))
        if unlike:
            return f"row {number}: {unlike}"
        if of_no_use(engine) != (twin.unknown_decisions, twin.unknown_contacts, twin.without_effect):
            return f"row {number}: of no use were {of_no_use(engine)} events"
    return ""


def of_no_use(engine: Engine) -> tuple[int, ...]:
    """Return how many events named no decision or contact of their customer, or turned nothing."""
    scalars = engine.machine.state.scalars
    return tuple(int(scalars[each]) for each in (at.UNKNOWN_DECISIONS, at.UNKNOWN_CONTACTS, at.WITHOUT_EFFECT))


def unlike_tables(found: dict[str, list[Any]], expected: dict[str, list[Any]]) -> str:
    """Return what differs between two canonical states; empty where nothing does."""
    for name, rows in expected.items():
        if found[name] != rows:
            missing = [row for row in rows if row not in found[name]]
            extra = [row for row in found[name] if row not in rows]
            return f"{name}\n  twin   {missing}\n  engine {extra}"
    return ""
