"""One customer alone: their lines of the journal, folded one by one while somebody looks on."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.names import hashes
from onevoice.engine.store import COUNT
from onevoice.events.batch import (
    KIND,
    MISSING_TIME,
    OCCURRED_AT,
)
from onevoice.history.timeline import Band, Changed, Happened, Timeline
from onevoice.journal.port import Mode
from onevoice.program import KIND_ANONYMOUS
from onevoice.runtime import customer as customers
from onevoice.runtime.carry import survivor
from onevoice.runtime.decisions import EPOCH, time_of, us_of
from onevoice.runtime.fold import Fold
from onevoice.runtime.related import related, texts
from onevoice.runtime.swap import Made, Rebuild, show_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from onevoice.history.decision import Decision
    from onevoice.journal.port import Journal
    from onevoice.runtime.decisions import Reading
    from onevoice.runtime.index import Index
    from onevoice.runtime.related import Line

_Name: TypeAlias = tuple[str, str, str]  # "fact" or "segment", its name, the key as a text
_Span: TypeAlias = tuple[int, int | None]  # from, until; µs UTC


# The decisions about customers with these numbers, each with the names by which it was read.
Decided: TypeAlias = "Callable[[frozenset[int]], Iterable[tuple[Reading, Decision]]]"


def timeline(journal: Journal, fold: Fold, customer: int, decided: Decided, index: Index | None = None) -> Timeline:
    """Return the history of one customer of a state."""
    seen = watched(journal, fold, customer, decided, index)
    mine = customers.same_person(fold, customer)
    own = [(reading, decision) for reading, decision in seen.decisions if decision.customer in mine]
    return Timeline(
        customer=customer,
        playbook=fold.published.playbook.name,
        time_zone=fold.published.playbook.time_zone,
        now=_time(int(fold.machine.state.scalars[at.NOW])),
        events=seen.watch.events(seen.customer),
        bands=seen.watch.bands(seen.customer),
        decisions=tuple(decision for _, decision in own),
        changes=tuple(
            Changed(after.time, after.number) for (one, _), (other, after) in pairwise(own) if other.differs(one)
        ),
    )


class Seen(NamedTuple):
    """What came of watching a customer: their number in the fold that was watched; decisions of all in that fold."""

    watch: Watch
    customer: int
    decisions: list[tuple[Reading, Decision]]


def watched(journal: Journal, fold: Fold, customer: int, decided: Decided, index: Index | None = None) -> Seen:
    """Fold one customer's lines up to the state's time, watching."""
    found = related(journal, fold, customer, index)
    numbers = found.customers
    decisions = list(decided(frozenset(numbers)))
    contacts = deque(_contacts(decisions, numbers, fold.secret))
    watch = Watch(Fold(fold.published, fold.secret))
    for line in found.lines:
        while contacts and contacts[0].position <= line.row.position:
            watch.enter(contacts.popleft())
        watch.let_time_pass(line.now)
        watch.take(line)
    for contact in contacts:
        watch.enter(contact)
    watch.let_time_pass(int(fold.machine.state.scalars[at.NOW]))
    return Seen(watch, numbers.index(customer), decisions)


def _contacts(
    decisions: Iterable[tuple[Reading, Decision]], numbers: list[int], secret: tuple[int, int]
) -> Iterator[Made]:
    """Yield the contacts and shows that were made, their customers numbered as a fold of these alone numbers them."""
    for reading, decision in decisions:
        playbook, when = reading.playbook, (decision.number, us_of(decision.time, "decision"), decision.position)
        for line in decision.won if decision.kind == "ask" else ():
            campaign, offer = playbook.campaigns[line.campaign], playbook.offers.get(line.offer)
            customer = numbers.index(decision.customer)
            yield show_of(when, customer, campaign, offer, decision.placement, secret)
        for line in decision.lines:
            made = line.contact is not None and line.reason in {"won", "ended", "stopped"}
            if made or (line.reason == "would_have_won" and line.channel):
                campaign = reading.playbook.campaigns[line.campaign]
                offer = reading.playbook.offers.get(line.offer)
                yield Made(
                    number=at.HELD_OUT if line.contact is None else line.contact,
                    customer=numbers.index(decision.customer),
                    time=us_of(decision.time, "decision"),
                    position=decision.position,
                    key=line.key,
                    campaign=line.campaign,
                    klass=campaign.klass,
                    channel=line.channel,
                    offer=line.offer,
                    family=(offer.family or offer.name) if offer else "",
                    product=int(hashes([offer.product], secret)[0]) if offer and offer.product else 0,
                    follows=-1 if line.follows is None else line.follows,
                    receipts_us=reading.playbook.channels[line.channel].receipts_us if line.reason == "won" else 0,
                    cancels=line.reason in {"ended", "stopped"},
                )


class Watch:
    """Folds lines one by one, and keeps what was true of whom and when."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._rebuild = Rebuild(fold, [], {})
        self._texts = customers.Texts(fold)
        self._events: list[tuple[int, Happened]] = []
        self._open: dict[tuple[int, _Name], _Span] = {}
        self._closed: list[tuple[int, _Name, _Span]] = []

    def enter(self, contact: Made) -> None:
        """Let time pass to a contact, and enter it."""
        self.let_time_pass(contact.time)
        self._rebuild.enter(contact)
        self._look_at_all()

    def take(self, line: Line) -> None:
        """Fold a line, and note who it was about."""
        is_import = bool(line.row.mode & Mode.IMPORT)
        batch = self.fold.decoded(line.row)
        occurred_at, identifiers = int(batch.rows[0, OCCURRED_AT]), batch.identifiers
        self.fold.machine.row(batch, line.row.stamp_us, imported=is_import, observing=True)
        occurred_at = line.row.stamp_us if occurred_at == MISSING_TIME else occurred_at
        happened = _happened(line, occurred_at)
        self._texts.hear(texts(happened.fields))
        self._events.append((self._owner(identifiers), happened))
        self._look_at_all()

    def let_time_pass(self, until: int) -> None:
        """Do what time brings, one instant after the other."""
        machine = self.fold.machine
        while machine.next_due < until:
            self._pass(machine.next_due)
        self._pass(until)

    def events(self, customer: int) -> tuple[Happened, ...]:
        """Return the events of a customer, and of those who became them, by time."""
        found = [happened for owner, happened in self._events if self._is(owner, customer)]
        return tuple(sorted(found, key=lambda happened: (happened.time, happened.position)))

    def bands(self, customer: int) -> tuple[Band, ...]:
        """Return what was true of a customer, and of those who became them, in order of names and time."""
        spans = [*self._closed, *((owner, name, span) for (owner, name), span in self._open.items())]
        found = {(name, span) for owner, name, span in spans if self._is(owner, customer)}
        bands = [Band(*name, _time(since), None if until is None else time_of(until)) for name, (since, until) in found]
        return tuple(sorted(bands, key=lambda band: (band.kind, band.name, band.since, band.key)))

    def _is(self, owner: int, customer: int) -> bool:
        return owner >= 0 and survivor(self.fold.machine.state, owner) == customer

    def _owner(self, identifiers: NDArray[np.int64]) -> int:
        """Return whom an event was about, as its identifiers stand after it: known ones go before devices."""
        state, kinds = self.fold.machine.state, self.fold.compiled.program.kinds
        known = state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]]
        for wanted in sorted(
            identifiers.tolist(), key=lambda wanted: (kinds[wanted[KIND], KIND_ANONYMOUS], wanted[KIND])
        ):
            rows = np.flatnonzero((known[:, : at.ID_HIGH + 1] == wanted).all(axis=1))
            if len(rows):
                return survivor(state, int(known[rows[0], at.ID_CUSTOMER]))
        return -1

    def _pass(self, until: int) -> None:
        """Let time pass; a fact has said when it ends, but nobody knows when a segment will be left."""
        self.fold.machine.row(self._rebuild.nothing, until, observing=True)
        self._look("segment")

    def _look_at_all(self) -> None:
        self._look("segment")
        self._look("fact")

    def _look(self, kind: str) -> None:
        """Compare what is true now with what was true before."""
        now = int(self.fold.machine.state.scalars[at.NOW])
        self._follow_merges()
        true = dict(self._true(kind))
        for key, span in [(key, span) for key, span in self._open.items() if key[1][0] == kind and key not in true]:
            self._close(key, span, now)
        for key, (since, until) in true.items():
            before = self._open.get(key)
            if before and before[1] is not None and before[1] <= since:
                self._close(key, before, now)
                before = None
            self._open[key] = (before[0] if before else since, until)

    def _true(self, kind: str) -> Iterator[tuple[tuple[int, _Name], _Span]]:
        looking = customers.facts_of if kind == "fact" else customers.segments_of
        for number in np.unique(customers.survivors(self.fold.machine.state)).tolist():
            for name, since, until in looking(self.fold, number, self._texts):
                yield (number, name), (since, until)

    def _follow_merges(self) -> None:
        """Let what was true of somebody who became another one go on being true of that one."""
        for (number, name), (since, until) in list(self._open.items()):
            owner = survivor(self.fold.machine.state, number)
            if owner != number:
                del self._open[number, name]
                other = self._open.get((owner, name), (since, until))
                self._open[owner, name] = (min(since, other[0]), until)

    def _close(self, key: tuple[int, _Name], span: _Span, now: int) -> None:
        """End what was true: when it said it would, or now."""
        self._closed.append((*key, (span[0], now if span[1] is None else min(now, span[1]))))
        del self._open[key]


def _happened(line: Line, occurred_at: int) -> Happened:
    content = line.content
    return Happened(
        time=_time(occurred_at),
        position=line.row.position,
        type=content["type"],
        identifiers=content.get("identifiers") or {},
        fields=content.get("fields") or {},
        traits=content.get("traits") or {},
        source=content.get("source") or "",
        channel=content.get("channel") or "",
    )


def _time(us: int) -> datetime:
    return time_of(us) or EPOCH
