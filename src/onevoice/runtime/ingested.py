"""What became of events that came in, as it is told to who sent them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from onevoice.errors import Mistake
from onevoice.events.batch import OTHER_NAMES, TYPE, UNKNOWN_TYPE
from onevoice.events.lines import count_unknown
from onevoice.runtime.notebook import ingested_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onevoice.events.batch import Batch
    from onevoice.history.decision import Decision
    from onevoice.importing.summary import Summary
    from onevoice.runtime.writer import Entered

REJECTED_KEPT: Final = 1_000  # refusals that one answer tells in full; the rest are counted


@dataclass
class Ingested:
    """What became of events that came in: they are in the journal, durably.

    Each of the `lines` is one of four: `accepted`, and taken up; rejected (`rejected_count`; by reason in
    `reasons`; `rejected` says why, for the first 1,000); of a type that the playbook does not declare
    (`unknown_types`, by name; beyond 1,000 names under `…`); one of `duplicates`, whose id was seen before.

    Of lines that were not rejected `unknown_names` counts the uses of other names that the playbook does not declare:
    fields, traits, sources, keys of the line, and what built-in events and traits look up (`campaign tpyo`,
    `time zone Europe/Vilnus`), by name, as above. `left_out` counts, by kind, what was not taken up: identifiers that
    are none (`invalid email`), refused joins and identifiers, ids, names, values too great for a sum, receipts for
    unknown contacts, control events without effect.
    `paused` has the campaigns that came to the limit of their run (`at_most`), with their contacts in it; `failing`
    those that paused themselves because too many contacts had failed (`failures`), with so many. `stale` counts how
    often each source stopped (`stale_after`), for which campaigns are held, and `fresh` how often it was heard again.
    `summaries` tell what a mapping made of the lines of each file, whatever was taken of it before.
    `position` is the journal's position after them.

    >>> engine.ingest([{"type": "no_such_type", "identifiers": ada}]).unknown_types
    Counter({'no_such_type': 1})
    """

    position: int
    lines: int = 0
    accepted: int = 0
    rejected_count: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    unknown_types: Counter[str] = field(default_factory=Counter[str])
    duplicates: int = 0
    unknown_names: Counter[str] = field(default_factory=Counter[str])
    left_out: Counter[str] = field(default_factory=Counter[str])
    paused: dict[str, int] = field(default_factory=dict[str, int])
    failing: dict[str, int] = field(default_factory=dict[str, int])
    stale: Counter[str] = field(default_factory=Counter[str])
    fresh: Counter[str] = field(default_factory=Counter[str])
    rejected: list[Mistake] = field(default_factory=list[Mistake])
    summaries: list[Summary] = field(default_factory=list["Summary"])
    _decided: int = field(default=0, repr=False)
    _read: Callable[[int], Iterator[Decision]] = field(default=lambda _: iter(()), repr=False)

    @cached_property
    def decisions(self) -> list[Decision]:
        """What was decided by them, in order, read from the journal when it is first asked for.

        >>> taken = engine.ingest([{"type": "asked", "identifiers": ada, "fields": {"placement": "home_banner"}}])
        >>> taken.decisions[0].lines
        (<banner_upgrade: won with red_case score 0>,)
        """
        return list(self._read(self._decided))

    def _repr_html_(self) -> str:
        """Show what was not taken up as a table in a notebook."""
        return ingested_html(self)

    def count(self, entered: Entered, rejected: list[Mistake]) -> None:
        """Add what became of one piece, as the engine does; `rejected`: its rejected lines with their full places."""
        batch = entered.entry.batch
        unknown = int((batch.rows[:, TYPE] < 0).sum())
        self.lines += batch.lines
        self.accepted += batch.lines - len(rejected) - unknown - entered.duplicates
        self.rejected_count += len(rejected)
        self.reasons.update(str(rejection.reason) for rejection in batch.rejected)
        self.duplicates += entered.duplicates
        self.rejected += rejected[: REJECTED_KEPT - len(self.rejected)]
        self.position = entered.row.position + entered.row.count
        self._decided += len(entered.outcome.decisions)
        types, names = _unknown(batch, unknown)
        count_unknown(self.unknown_types, types)
        count_unknown(self.unknown_names, names)
        self.paused |= entered.paused
        self.failing |= entered.failing
        self.stale.update(entered.stale)
        self.fresh.update(entered.fresh)
        self.left_out += Counter(batch.dropped) + Counter(entered.left_out)


def _unknown(batch: Batch, lines: int) -> tuple[Counter[str], Counter[str]]:
    """Return how many lines are of each unknown type, and how often each other unknown name was met.

    `lines`: how many are of an unknown type. The names that the batch does not tell are counted under OTHER_NAMES.
    """
    types, names = Counter[str](), Counter(batch.unknown)
    for name in batch.unknown:
        if name.startswith(UNKNOWN_TYPE):
            types[name.removeprefix(UNKNOWN_TYPE)] = names.pop(name)
    types[OTHER_NAMES] = lines - types.total()
    names[OTHER_NAMES] -= types[OTHER_NAMES]
    return +types, +names
