"""The engine as one object: a program, a state, and the names between them. What goes in decides what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onevoice.engine import state as at
from onevoice.engine import step as loop
from onevoice.engine.changes import Columns
from onevoice.engine.empty import empty
from onevoice.engine.growth import grown
from onevoice.engine.identity import IDENTIFIERS_WIDTH, KNOWN_AS
from onevoice.engine.names import Names, recode
from onevoice.engine.store import COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.compiled import Compiled
    from onevoice.events.batch import Batch


class Outcome(NamedTuple):
    """Decisions of one row: int64[n, DECISION_WIDTH]; their `lines` int64[m, LINE_WIDTH], `figures` float64[m, …]."""

    decisions: NDArray[np.int64]
    lines: NDArray[np.int64]
    figures: NDArray[np.float64]


class Machine:
    """Folds journal rows into the state, one after another."""

    def __init__(self, compiled: Compiled, secret: tuple[int, int]) -> None:
        self.compiled = compiled
        self.names = Names(compiled.patterns, secret)
        self.customers = np.zeros(0, np.int64)  # whose the events of the last row were, or -1
        self.state, _ = self.names.learn(empty(compiled.widths), compiled.names)

    @property
    def position(self) -> int:
        """Position of the journal's next line."""
        return int(self.state.scalars[at.END])

    @property
    def next_due(self) -> int:
        """The instant at which the first timer is due, or INFINITE."""
        return int(self.state.timers[0, 0]) if self.state.pools[at.TIMERS, COUNT] else at.INFINITE

    def learned(self, batch: Batch) -> Batch:
        """Return a batch in the codes of the state, in place: parts of it need not be learned one by one."""
        if batch.names:
            program = self.compiled.program
            self.state, codes = self.names.learn(self.state, batch.names)
            recode(batch.rows, batch.values, batch.traits, program.coded, program.coded_traits, codes)
        return batch._replace(names=[])

    def row(self, batch: Batch, stamp: int, *, imported: bool = False, observing: bool = False) -> Outcome:
        """Process one journal row and return what was decided.

        `stamp`: journal time in µs UTC. The batch's codes are replaced by the state's: it can be used only once.
        """
        program = self.compiled.program
        batch = self.learned(batch)
        identifiers = np.empty((len(batch.identifiers), IDENTIFIERS_WIDTH), np.int64)
        identifiers[:, :KNOWN_AS], identifiers[:, KNOWN_AS] = batch.identifiers, -1
        columns = Columns(
            rows=batch.rows,
            values=batch.values,
            keys=batch.keys,
            identifiers=identifiers,
            traits=batch.traits,
            customers=np.full(len(batch.rows), -1, np.int64),
        )
        self.customers = columns.customers
        outcomes: list[Outcome] = []
        base = self.position
        with np.errstate(over="ignore"):  # hashes wrap; only the interpreted engine would warn
            while loop.step(program, self.state, columns, base, batch.lines, stamp, int(imported), int(observing)):
                outcomes.append(self._taken())
                self.state = grown(self.state, self.state.need)
        outcomes.append(self._taken())
        return _joined(outcomes)

    def _taken(self) -> Outcome:
        """Take the decisions out of the state's tables."""
        pools = self.state.pools
        decisions, lines = int(pools[at.DECISIONS, COUNT]), int(pools[at.LINES, COUNT])
        pools[at.DECISIONS, COUNT] = pools[at.LINES, COUNT] = 0
        state = self.state
        return Outcome(state.decisions[:decisions].copy(), state.lines[:lines].copy(), state.figures[:lines].copy())


def _joined(outcomes: list[Outcome]) -> Outcome:
    if len(outcomes) == 1:
        return outcomes[0]
    return Outcome(*(np.concatenate(part) for part in zip(*outcomes, strict=True)))
