"""Decisions as people read them: names for the engine's numbers, times for its microseconds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import index
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.reasons import DecisionKind, Reason
from onevoice.errors import EventError, LimitError, Mistake
from onevoice.events.batch import EARLIEST_US, LATEST_US
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.decision import Decision, Line
from onevoice.history.tables import LINES, PARAMETERS, TIME
from onevoice.playbook.capping import caps_of
from onevoice.playbook.resources import rates
from onevoice.playbook.scopes import computed_parameters
from onevoice.runtime.causes import Causes, winners

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from onevoice.engine.machine import Outcome
    from onevoice.playbook.model import Playbook

REASONS: Final = {int(reason): reason.name.lower() for reason in Reason}
KINDS: Final = {int(kind): kind.name.lower() for kind in DecisionKind}

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_FIRST_US: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_POSITION_MAX: Final = 2**63 - 1
_SWITCHES: Final = ("campaign", "class", "all", "failures")  # what `paused` and `stopped` say by their rule
_FAILURES: Final = _SWITCHES.index("failures")
_COUNTED: Final = (Reason.CAP, Reason.NO_CAPACITY, Reason.FATIGUE)  # have a count and a limit, whatever they are
_VALUE_IS_CAMPAIGN: Final = (Reason.KEPT_FOR, Reason.OUTRANKED)
_VALUE_IS_TIME: Final = {int(Reason.AGAIN_AFTER), int(Reason.GAP)}
_WITH_UNTIL: Final = {
    int(reason)
    for reason in (
        Reason.AGAIN_AFTER,
        Reason.FATIGUE,
        Reason.NO_CAPACITY,
        Reason.HOURS,
        Reason.GAP,
        Reason.CAP,
        Reason.KEPT_FOR,
        Reason.OUTRANKED,
    )
}
# The same by reason, for columns.
_IS_TIMED: Final = np.array([number in _VALUE_IS_TIME for number in range(len(Reason) + 1)])
_IS_UNTIL: Final = np.array([number in _WITH_UNTIL for number in range(len(Reason) + 1)])


def time_of(us: int) -> datetime | None:
    """Return an instant in µs UTC as a datetime, None where it never comes or no calendar reaches it."""
    return EPOCH + timedelta(microseconds=us) if _FIRST_US <= us <= _LAST_US else None


def us_of(time: object, where: str) -> int:
    """Return a time (with a zone, or already µs UTC) as µs UTC; EventError for what is none, or not of 1970 to 9999."""
    us, mend = -1, ""
    if isinstance(time, datetime) and time.tzinfo is None:
        mend = "give it a zone, as in datetime(2026, 3, 1, tzinfo=UTC)"
    elif isinstance(time, datetime):
        us = (time - EPOCH) // timedelta(microseconds=1)
    elif isinstance(time, int) and not isinstance(time, bool):
        us = time
    if not EARLIEST_US <= us <= LATEST_US:
        expected = "a datetime with a zone, or whole µs UTC; from 1970 to 9999"
        raise EventError(Mistake("not a time", where, expected, f"{time!r}", mend))
    return us


def whole(value: object) -> int | None:
    """Return a whole number, also one of NumPy, as tables hold them; None for what is none, as a truth is."""
    return index(value) if isinstance(value, SupportsIndex) and not isinstance(value, (bool, np.bool)) else None


def position_of(since: object) -> int:
    """Return a position as one that a column can be compared with: nothing lies beyond. EventError for what is none."""
    position = whole(since)
    if position is None:
        raise EventError(Mistake("not a position", "since", "a whole number: a position of the journal", f"{since!r}"))
    return max(0, min(position, _POSITION_MAX))


def setting(where: str, value: object, least: int, most: int) -> int:
    """Return a whole number that the caller sets; LimitError where it is none, or out of its bounds."""
    number = whole(value)
    if number is None:
        raise LimitError(Mistake("not a setting", where, "a whole number", f"{value!r}"))
    if not least <= number <= most:
        expected = f"at least {least:,}" if number < least else f"at most {most:,}"
        raise LimitError(Mistake("a setting out of its bounds", where, expected, f"{number:,}"))
    return number


class Reading:
    """Reads outcomes by the names of the playbook that was in force."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self.campaigns = list(playbook.campaigns)
        self.channels = list(playbook.channels)
        self.placements = list(playbook.placements)
        resources = [f"resources.{name}" for name in playbook.resources]
        resources += [f"channels.{name}.rate" for name, _, _ in rates(playbook)]
        suppress = [f"policies.suppress[{i}]" for i in range(len(playbook.policies.suppress))]
        # By reason, the key paths of the rules that it numbers; what is off is no path.
        self._rules: dict[int, Sequence[str]] = {
            Reason.SUPPRESSED: suppress,
            Reason.FATIGUE: [f"placements.{name}.fatigue" for name in playbook.placements],
            Reason.CAP: list(caps_of(playbook)),
            Reason.NO_CAPACITY: resources,
            Reason.PAUSED: _SWITCHES,
            Reason.STOPPED: _SWITCHES,
            Reason.STALE: [f"sources.{name}" for name in playbook.sources],
        }
        self.offers = list(playbook.offers)
        numbers = computed_parameters(playbook)
        # Of each offer, by the name of a computed parameter, its place behind the figures that each line has.
        self._computed = [{name: numbers[name] for name in offer.computed} for offer in playbook.offers.values()]
        self._places = list(playbook.placements.values())
        self._causes = Causes(playbook)

    def differs(self, other: Reading) -> bool:
        """Tell whether another playbook was in force; a split of customers changes none."""
        return self is not other and self.playbook != other.playbook

    def decisions(self, outcome: Outcome) -> Iterator[Decision]:
        """Yield the decisions of an outcome."""
        edges = np.searchsorted(outcome.lines[:, at.L_DECISION], outcome.decisions[:, at.D_NUMBER]).tolist()
        edges.append(len(outcome.lines))
        lines: list[list[int]] = outcome.lines.tolist()
        figures: list[list[float]] = outcome.figures.tolist()
        rows: list[list[int]] = outcome.decisions.tolist()
        for row, (start, stop) in zip(rows, pairwise(edges), strict=True):
            placement = row[at.D_PLACEMENT]
            time = time_of(row[at.D_TIME]) or EPOCH
            won = winners(lines[start:stop], figures[start:stop])
            told = tuple(self._line(lines[i], figures[i], won, time) for i in range(start, stop))
            yield Decision(
                number=row[at.D_NUMBER],
                kind=KINDS[row[at.D_KIND]],
                time=time,
                position=row[at.D_POSITION],
                customer=row[at.D_CUSTOMER],
                placement=self.placements[placement] if placement >= 0 else "",
                lines=told,
                default=self._default(placement, told) if placement >= 0 else "",
            )

    def _default(self, placement: int, told: Sequence[Line]) -> str:
        """Return what is shown in the slots that nobody won; empty where there is none of the one or the other."""
        place = self._places[placement]
        return place.default if sum(line.reason == "won" for line in told) < place.slots else ""

    def paused(self, outcome: Outcome, *, failing: bool) -> dict[str, int]:
        """Return the campaigns that an outcome says came to a limit of their run, with their contacts in it.

        `failing`: those of which too many contacts had failed, with so many; else those that made as many as they may.
        """
        stops = outcome.decisions[outcome.decisions[:, at.D_KIND] == DecisionKind.STOP, at.D_NUMBER]
        lines: list[list[int]] = outcome.lines[np.isin(outcome.lines[:, at.L_DECISION], stops)].tolist()
        meant = [line for line in lines if (line[at.L_RULE] == _FAILURES) == failing]
        return {self.campaigns[line[at.L_CAMPAIGN]]: line[at.L_VALUE] for line in meant}

    def sources(self, outcome: Outcome, *, stale: bool) -> dict[str, int]:
        """Return how often each source became stale by an outcome, or was fresh again, where it is told."""
        meant = DecisionKind.SOURCE_STALE if stale else DecisionKind.SOURCE_FRESH
        told = outcome.decisions[outcome.decisions[:, at.D_KIND] == meant, at.D_NUMBER]
        if not len(told):
            return {}
        names = list(self.playbook.sources)
        rules: list[int] = outcome.lines[np.searchsorted(outcome.lines[:, at.L_DECISION], told), at.L_RULE].tolist()
        return dict(Counter(names[number] for number in rules))

    def table(self, outcome: Outcome) -> Table:
        """Return the lines of an outcome as a pyarrow Table with the columns of `history.tables.LINES`."""
        decisions, lines = outcome.decisions, outcome.lines
        of = np.searchsorted(decisions[:, at.D_NUMBER], lines[:, at.L_DECISION])
        reason, value, until = lines[:, at.L_REASON], lines[:, at.L_VALUE], lines[:, at.L_UNTIL]
        limit, gave_way = lines[:, at.L_LIMIT], np.isin(reason, _VALUE_IS_CAMPAIGN)
        waits = reason == Reason.STALE
        uncounted = waits | ((limit == 0) & ~np.isin(reason, _COUNTED))
        columns = {
            "decision": lines[:, at.L_DECISION],
            "kind": _named(list(KINDS.values()), decisions[of, at.D_KIND]),
            "time": pa.array(decisions[of, at.D_TIME]).cast(TIME),
            "position": decisions[of, at.D_POSITION],
            "customer": decisions[of, at.D_CUSTOMER],
            "placement": _named(self.placements, decisions[of, at.D_PLACEMENT]),
            "campaign": _named(self.campaigns, lines[:, at.L_CAMPAIGN]),
            "key": lines[:, at.L_KEY],
            "reason": _named(list(REASONS.values()), reason - 1),
            "channel": _named(self.channels, lines[:, at.L_CHANNEL]),
            "rule": _named(*self._rules_met(reason, lines[:, at.L_RULE])),
            "value": pa.array(value, mask=uncounted),
            "limit": pa.array(limit, mask=uncounted),
            "last_contact": _times(value, _IS_TIMED[reason]),
            "winner": _named(self.campaigns, np.where(gave_way, value, -1)),
            "until": _times(until, _IS_UNTIL[reason] & (until != 0)),
            "score": _figures(outcome.figures[:, at.F_SCORE]),
            "contact": pa.array(lines[:, at.L_CONTACT], mask=lines[:, at.L_CONTACT] < 0),
            "offer": _named(self.offers, lines[:, at.L_OFFER]),
            "probability": _figures(outcome.figures[:, at.F_PROBABILITY]),
            "parameters": self._parameters(outcome),
            "follows": pa.array(lines[:, at.L_RULE], mask=(reason != Reason.WON) | (lines[:, at.L_RULE] < 0)),
            "known_until": _times(value, waits & (limit != 0)),
        }
        return pa.table(columns, LINES)

    def _rules_met(self, reason: NDArray[np.int64], rule: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
        """Return the paths of all rules, and which of them each line names (-1: none)."""
        names: list[str] = []
        found = np.full(len(reason), -1, np.int64)
        for number, paths in self._rules.items():
            here = (reason == number) & (rule >= 0)
            found[here] = rule[here] + len(names)
            names += paths
        return names, found

    def _parameters(self, outcome: Outcome) -> Any:
        """Return of each line that won what its offer's computed parameters came to; null elsewhere."""
        found: list[list[tuple[str, float | None]] | None] = [None] * len(outcome.lines)
        if any(self._computed):
            won = np.flatnonzero(outcome.lines[:, at.L_REASON] == Reason.WON)
            for line in won[outcome.lines[won, at.L_OFFER] >= 0].tolist():
                told = self._computed_by(int(outcome.lines[line, at.L_OFFER]), outcome.figures[line].tolist())
                found[line] = [*told.items()] if told else None
        return pa.array(found, PARAMETERS)

    def _computed_by(self, offer: int, figures: list[float]) -> dict[str, float | None]:
        """Return the computed parameters of an offer by name."""
        own = {name: figures[at.F_COMPUTED + column] for name, column in self._computed[offer].items()}
        return {name: _known(value) for name, value in own.items()}

    def _line(self, line: list[int], figures: list[float], won: Mapping[int, Sequence[float]], time: datetime) -> Line:
        reason, channel, rule = line[at.L_REASON], line[at.L_CHANNEL], line[at.L_RULE]
        offer = line[at.L_OFFER]
        return Line(
            campaign=self.campaigns[line[at.L_CAMPAIGN]],
            reason=REASONS[reason],
            channel=self.channels[channel] if channel >= 0 else "",
            rule=self._rules[reason][rule] if reason in self._rules and rule >= 0 else "",
            value=self._value(reason, line[at.L_VALUE], line[at.L_LIMIT]),
            limit=_limit(reason, line[at.L_LIMIT]),
            until=time_of(line[at.L_UNTIL]) if reason in _WITH_UNTIL and line[at.L_UNTIL] else None,
            score=_known(figures[at.F_SCORE]),
            contact=line[at.L_CONTACT] if line[at.L_CONTACT] >= 0 else None,
            key=line[at.L_KEY],
            offer=self.offers[offer] if offer >= 0 else "",
            probability=_known(figures[at.F_PROBABILITY]),
            parameters=self._computed_by(offer, figures) if offer >= 0 and reason == Reason.WON else {},
            follows=rule if reason == Reason.WON and rule >= 0 else None,
            because=self._causes.of(line, figures[at.F_SCORE], won, time),
        )

    def _value(self, reason: int, value: int, limit: int) -> int | datetime | str | None:
        if reason in _VALUE_IS_CAMPAIGN:
            return self.campaigns[value]
        if reason in _VALUE_IS_TIME or (reason == Reason.STALE and limit):
            return time_of(value)
        return value if limit or reason in _COUNTED else None


def _limit(reason: int, limit: int) -> int | None:
    """Return the limit of what is counted; an instant is none."""
    return limit if reason in _COUNTED else (limit or None) if reason != Reason.STALE else None


def _known(figure: float) -> float | None:
    return None if figure != figure else figure  # noqa: PLR0124 - NaN is NULL


def _figures(column: NDArray[np.float64]) -> Any:
    return pa.array(column, mask=np.isnan(column))


def _times(us: NDArray[np.int64], told: NDArray[np.bool_]) -> Any:
    """Return instants in µs UTC as times; null where none is told, or no calendar reaches it."""
    untold = ~told | (us > _LAST_US)
    return pa.array(np.where(untold, 0, us), mask=untold).cast(TIME)


def _named(names: Sequence[str], numbers: NDArray[np.int64]) -> Any:
    """Return numbers as a dictionary of names; -1 is null."""
    absent = numbers < 0
    indices = pa.array(np.where(absent, 0, numbers).astype(np.int32), mask=absent)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))
