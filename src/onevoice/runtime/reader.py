"""What can be read of an engine: what was decided, what is known, what happened."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from onevoice.engine import canonical
from onevoice.engine import state as at
from onevoice.errors import EventError, LimitError, Mistake
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.language import chosen
from onevoice.history.report import Report, report
from onevoice.history.results import Results, check_part, results
from onevoice.history.why import Why, why
from onevoice.near import did_you_mean
from onevoice.runtime import customer as customers
from onevoice.runtime import explain, simulating
from onevoice.runtime.decisions import Reading, position_of, setting, time_of, us_of, whole
from onevoice.runtime.fold import Published
from onevoice.runtime.goals import reached
from onevoice.runtime.index import Index
from onevoice.runtime.off import off_now
from onevoice.runtime.rehearsing import window_of
from onevoice.runtime.simulating import Present
from onevoice.runtime.why_not.question import Asked, why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path
    from threading import RLock

    from onevoice.history.conflicts import Conflicts
    from onevoice.history.decision import Decision
    from onevoice.history.rehearsal import Rehearsal
    from onevoice.history.timeline import Timeline
    from onevoice.history.why_not import WhyNot
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.recorded import Recorded
    from onevoice.runtime.writer import Writer

Time: TypeAlias = "datetime | int"  # with a zone, or µs UTC


class Reader:
    """The calls of `Onevoice` that change nothing."""

    _lock: RLock
    _journal: Journal
    _writer: Writer
    _recorded: Recorded

    @property
    def playbook(self) -> Playbook:
        """The playbook in force.

        >>> list(engine.playbook.placements)
        ['home_banner', 'call_screen']
        """
        return self._writer.fold.published.playbook

    @property
    def position(self) -> int:
        """The journal's position: how many lines have come in, asks among them.

        >>> engine.decide("home_banner", ada).position, engine.position
        (0, 1)
        """
        return self._journal.last().position

    @property
    def decision_count(self) -> int:
        """How many decisions were made since the journal began.

        >>> _ = engine.decide("home_banner", ada)
        >>> engine.decision_count
        1
        """
        return int(self._writer.fold.machine.state.scalars[at.NEXT_DECISION])

    @property
    def now(self) -> datetime | None:
        """The journal's clock: the time of the last line, or up to which time has passed since; None before any.

        Of a journal that is live it is about what the clock shows; of history that was imported, when that ends.

        >>> engine.now is None
        True
        >>> _ = engine.ingest([{"type": "store_visited", "identifiers": ada}])
        >>> print(engine.now)
        2026-02-02 10:00:00+00:00
        """
        return time_of(self._now) if self._now else None

    @property
    def _now(self) -> int:
        return int(self._writer.fold.machine.state.scalars[at.NOW])

    @property
    def next_due(self) -> datetime | None:
        """When the first timer is due, and `tick` would have something to do; None where none is set.

        >>> engine.next_due is None
        True
        >>> _ = engine.ingest([{"type": "order_delivered", "identifiers": ada, "fields": {"order_id": "o-1"}}])
        >>> print(engine.next_due)  # how_was_delivery comes 2 days after
        2026-02-04 10:00:00+00:00
        """
        due = self._writer.fold.machine.next_due
        return None if due == at.INFINITE else time_of(due)

    def decisions(self, customer: Mapping[str, str] | int | None = None, since: int = 0) -> Iterator[Decision]:
        """Return the decisions from the position `since` on, of one customer or all, read from the journal one by one.

        Decisions made before a merge are among those of the customer who came of it; nobody has none. They come in the
        order in which they were made, those that had been made when this was called. Costs some 10 µs a decision
        returned; under the playbook in force what lies before `since` is not read.

        Raises EventError for what is no customer or no position.

        >>> _ = engine.decide("home_banner", ada), engine.decide("call_screen", {"user_id": "bob"})
        >>> [decision.placement for decision in engine.decisions()]
        ['home_banner', 'call_screen']
        >>> [decision.placement for decision in engine.decisions(ada)]
        ['home_banner']
        """
        since = position_of(since)
        with self._lock:
            wanted = None if customer is None else self._numbers(customer)
            start = self._recorded.start(since, wanted)
        found = self._recorded.decisions(wanted, start)
        return (decision for _, decision in found if decision.position >= since)

    def decisions_table(self, since: int = 0) -> Table:
        """Return every line of every decision from the position `since` on, as a pyarrow Table.

        Names are dictionaries, times UTC, what says nothing is null; an empty table has the same columns. What a line
        compared stands in `value` (the count of a cap or a run, of `limit`), `last_contact` (that a gap or
        `again_after` counts from), `winner` (that outranked it, or for which it was kept back) or `known_until` (of a
        source that stopped). `customer` is the number before any later merge. Costs about 0.7 s a million lines. pandas
        and polars take numbers and times where they lie.

        Raises EventError for what is no position.

        >>> _ = engine.decide("home_banner", ada)
        >>> engine.decisions_table().select(["customer", "campaign", "reason", "until"]).to_pylist()
        [{'customer': 0, 'campaign': 'banner_upgrade', 'reason': 'won', 'until': None}]
        """
        since = position_of(since)
        with self._lock:
            start = self._recorded.start(since)
        return self._recorded.table(start, since)

    def customers_table(self) -> Table:
        """Return every number that a customer has had, as a pyarrow Table: `customer`, `now` and `time_zone`.

        `now` is the number by which they go after merges: what joins the lines of `decisions_table` to persons.
        `time_zone` is the one that counts for them. Costs about 0.1 s a million customers.

        >>> _ = engine.decide("home_banner", ada)
        >>> engine.customers_table().to_pylist()
        [{'customer': 0, 'now': 0, 'time_zone': 'Europe/Vilnius'}]
        """
        with self._lock:
            self._writer.check_whole()
            return customers.table(self._writer.fold.machine.state)

    def state(self, customer: Mapping[str, str] | int) -> Customer | None:
        """Return what is known about a customer at the time of the last line; None where there is nobody.

        Costs well below a millisecond.

        Raises EventError for what is no customer, or identifiers of which the playbook does not have the kind.

        >>> _ = engine.ingest([{"type": "profile_updated", "identifiers": ada, "traits": {"tier": "gold"}}])
        >>> known = engine.state(ada)
        >>> known.number, known.traits, list(known.segments)
        (0, {'tier': 'gold'}, ['premium'])
        >>> engine.state({"user_id": "eve"}) is None
        True
        """
        with self._lock:
            self._writer.check_whole()
            number = self._number(customer)
            return None if number is None else customers.view(self._writer.fold, number)

    def timeline(self, customer: Mapping[str, str] | int) -> Timeline | None:
        """Return what happened to a customer, what was true meanwhile and what was decided; None for nobody.

        The customer's lines are folded alone. Costs about a millisecond a line of theirs.

        Raises EventError for what is no customer.

        >>> opened = {"type": "case_opened", "identifiers": ada, "fields": {"case_id": "c-1", "severity": "high"}}
        >>> _ = engine.ingest([opened])
        >>> timeline = engine.timeline(ada)
        >>> timeline.events[0].fields["severity"], timeline.bands[0].name
        ('high', 'open_case')
        """
        with self._lock:
            fold, index, own = self._writer.fold, self._writer.index, self._number(customer)
            return None if own is None else explain.timeline(self._journal, fold, own, self._decided, index)

    def why(
        self, customer: Mapping[str, str] | int, campaign: str = "", *, last: int = 1, language: str = ""
    ) -> list[Why]:
        """Return the `last` decisions about a customer, or about one campaign and that customer, in sentences.

        They come in the order in which they were made; fewer where fewer were made, none for nobody. Only rows of the
        journal in which there are any are read for them. `language`: en, fi, lt, pl or ru; without it the first of the
        playbook's `languages` that is one of these, else English.

        Raises EventError for what is no customer or no such language; LimitError for a `last` of less than one.

        >>> _ = engine.decide("home_banner", ada)
        >>> (why,) = engine.why(ada, "banner_upgrade", language="en")
        >>> print(why.headline)
        home_banner shows banner_upgrade
        """
        words = chosen(language, self.playbook.languages)
        last = setting("why: last", last, 1, sys.maxsize)
        with self._lock:
            wanted = self._numbers(customer)
            start = self._recorded.start(0, wanted)
            zone = customers.zone_of(self._writer.fold, min(wanted, default=-1))
        found: deque[tuple[Reading, Decision]] = deque(maxlen=last)
        for reading, decision in self._recorded.decisions(wanted, start):
            if not campaign or any(line.campaign == campaign for line in decision.lines):
                found.append((reading, decision))
        told = [why(decision, reading.playbook, words, zone) for reading, decision in found]
        for number, ((one, _), (other, _)) in enumerate(pairwise(found), 1):
            told[number] = replace(told[number], changed=other.differs(one))
        return told

    def why_not(
        self,
        customer: Mapping[str, str] | int,
        campaign: str,
        until: datetime | int | None = None,
        *,
        language: str = "",
    ) -> WhyNot | None:
        """Return why a campaign did not go out to a customer, and what would have changed that; None for nobody.

        Also for a campaign that never wanted the customer. The customer's lines are decided again by an engine of their
        own, as often as it takes: what is named as a change was tried, and one unit less of it. Looked at is the last
        decision in which the campaign lost, of those up to the time `until`.

        `language` is that of the sentences, as of `why`.

        Raises EventError for what is no customer, no time, no such language, or no campaign of the playbook in force
        or, if `until` is given, of the one then.

        >>> engine.ingest([{"type": "store_visited", "identifiers": ada}]).accepted
        1
        >>> engine.why_not(ada, "spring_sale", language="en").headline
        'spring_sale was never triggered'
        """
        words = chosen(language, self.playbook.languages)
        with self._lock:
            own, in_force = self._number(customer), self._writer.fold.published.playbook
            was_there = until is not None and self._recorded.taken_out(campaign)
            if campaign not in in_force.campaigns and not was_there:
                raise EventError(self._absent(campaign))
            if own is None:
                return None
            self._writer.flush()
            last = at.INFINITE if until is None else us_of(until, "until")
            asked = Asked(own, campaign, last, words)
            found = why_not(self._journal, self._writer.fold, asked, self._writer.index)
            if found is None:
                raise EventError(self._absent(campaign))
            return replace(found, time_zone=in_force.time_zone)

    def report(self) -> Report:
        """Return what went out, what was held back, who was crowded and what is off, in figures, over all decided.

        Costs about 3 s a million lines of decisions, for which other calls wait.

        >>> _ = engine.decide("home_banner", ada)
        >>> report = engine.report()
        >>> report.customers, report.asks, report.shown
        (1, 1, 1)
        """
        with self._lock:
            decided, playbooks = self._recorded.table_in_words()
            fold = self._writer.fold
            index = self._writer.index or Index(fold)
            index.follow(self._journal, fold)
            return report(
                self._of_survivors(decided),
                playbooks,
                version=fold.published.digest,
                lines=self.position,
                events=index.events,
                customers=simulating.count_of(fold),
                decisions=self.decision_count,
                off=off_now(self._journal, fold, index),
            )

    def results(self, by: str = "campaign") -> Results:
        """Return what came of contacts: who reached a campaign's goal, beside customers who were held out.

        `by`: "campaign", "class", "owner" or "week". Goals are those of the playbook in force, over all of history. The
        journal is folded once more, which costs some seconds a million lines, for which other calls wait.

        Raises OnevoiceError for another `by`.

        >>> engine.results("week").figures
        ()
        """
        check_part(by)
        return self.results_by_part()[by]

    def results_by_part(self) -> dict[str, Results]:
        """Return the results by campaign, class, owner and week, for which the journal is folded once.

        >>> list(engine.results_by_part())
        ['campaign', 'class', 'owner', 'week']
        """
        with self._lock:
            start = self._recorded.start()
            goals = reached(self._journal, self._writer.fold, self._journal.last().rows)
            return results(self._of_survivors(self._recorded.table(start, 0)), goals, self.playbook)

    def _of_survivors(self, decided: Table) -> Table:
        """Return lines of decisions with the customers as they are now; -1: whom this playbook does not know."""
        alias = customers.survivors(self._writer.fold.machine.state)
        column = decided.column_names.index("customer")
        merged = np.append(alias, -1)[decided["customer"].to_numpy()]
        return decided.set_column(column, "customer", pa.array(merged))

    def simulate(
        self,
        playbook: Published | Playbook | str | Path,
        start: Time | None = None,
        end: Time | None = None,
        *,
        on_progress: Callable[[int], None] | None = None,
    ) -> Rehearsal:
        """Return what another playbook would have made of the journal, beside what was decided. Nothing is changed.

        `playbook`: its folder, or a `Playbook` built in Python. What came in before `start` builds the state as it was;
        there the playbook takes over as one that is published does, and decides up to `end`, that instant excluded.
        Without them it has the whole journal. Playbooks published in between are not followed. Under the playbook in
        force at `start` what comes out is what happened, decision by decision. `on_progress` hears the position
        reached. Costs what a replay costs, some seconds a million lines, up to three times that from a `start` on; and
        about 10 s a million lines of decisions. Other calls wait for it.

        Raises PlaybookError; EventError for what is no time, a `start` after which nothing came in, an `end` before it.

        >>> _ = engine.ingest([{"type": "store_visited", "identifiers": ada}])
        >>> _ = engine.decide("home_banner", ada)
        >>> louder = replace(engine.playbook.campaigns["banner_upgrade"], condition="churn_risk > 0.9")
        >>> changed = replace(engine.playbook, campaigns=engine.playbook.campaigns | {"banner_upgrade": louder})
        >>> [(each.difference, each.decisions) for each in engine.simulate(changed).differences]
        [('is no longer shown', 1)]
        """
        published = playbook if isinstance(playbook, Published) else Published.of(playbook)
        window = window_of(start, end)
        with self._lock:
            return simulating.simulate(self._present(), published, window, on_progress or _unheard)

    def conflicts(
        self,
        campaign: str = "",
        playbook: Published | Playbook | str | Path | None = None,
        *,
        within: timedelta = timedelta(days=7),
        on_progress: Callable[[int], None] | None = None,
    ) -> Conflicts:
        """Return which campaigns want the same customers, who goes out first, and what each loses by the other.

        Two wishes for one customer are in conflict where they wait at the same time, or no longer than `within` apart.
        With a `campaign` only its pairs. From what was decided, or, with a `playbook` that may not be in force yet,
        from a rehearsal of the whole journal under it, of which `on_progress` hears the position reached.

        Raises EventError for a campaign that the playbook does not have; LimitError for a `within` that is no length
        of time; PlaybookError.

        >>> _ = engine.decide("home_banner", ada)
        >>> engine.conflicts("banner_upgrade").figures.shown
        1
        """
        published = Published.of(playbook) if playbook is not None and not isinstance(playbook, Published) else playbook
        _check_within(within)
        with self._lock:
            names = (published or self._writer.fold.published).playbook.campaigns
            if campaign and campaign not in names:
                expected = ", ".join(names) or "no campaign"
                mend = did_you_mean(campaign, names)
                raise EventError(Mistake("an unknown campaign", "conflicts", expected, f"{campaign!r}", mend))
            return simulating.conflicts(self._present(), published, campaign, within, on_progress or _unheard)

    def hash(self) -> str:
        """Return the digest of the canonical state: equal for equal histories, whatever their batches and restarts.

        SHA-256 in hexadecimal. Costs seconds for a state of a million customers: made for tests, and to compare copies.

        >>> before = engine.hash()
        >>> _ = engine.decide("home_banner", ada)
        >>> len(before), engine.hash() == before
        (64, False)
        """
        with self._lock:
            self._writer.check_whole()
            return canonical.digest(self._writer.fold.machine)

    def _present(self) -> Present:
        self._writer.check_whole()
        return Present(self._journal, self._recorded, self._writer.fold)

    def _decided(self, customers: frozenset[int]) -> Iterator[tuple[Reading, Decision]]:
        return self._recorded.decisions(customers, self._recorded.start(0, customers))

    def _number(self, customer: Mapping[str, str] | int) -> int | None:
        """Return the number of a customer who is named by identifiers, or by a number; None for nobody."""
        if isinstance(customer, Mapping):
            return customers.number_of(self._writer.fold, customer)
        number = whole(customer)
        if number is None:
            expected = "identifiers as {kind: value}, or the number of a customer"
            raise EventError(Mistake("not a customer", "customer", expected, f"{customer!r}"))
        return customers.present_number(self._writer.fold, number)

    def _absent(self, campaign: str) -> Mistake:
        """Return what is wrong with a campaign that the playbook in force has not: it is not known, or not any more."""
        playbook = self._writer.fold.published.playbook
        since = self._recorded.taken_out(campaign)
        if since is None:
            mend = did_you_mean(campaign, playbook.campaigns)
            return Mistake("no such campaign", "campaign", "one of the playbook's", f"{campaign!r}", mend)
        when = chosen("en").time(since, ZoneInfo(playbook.time_zone))
        what = f"the campaign `{campaign}` is in the playbook no longer: it was taken out on {when}"
        mend = "ask about a time when it was there (`until`); `why` still tells what was decided about it"
        return Mistake(what, "campaign", "one of the playbook's", mend=mend)

    def _numbers(self, customer: Mapping[str, str] | int) -> frozenset[int]:
        """Return every number a customer has had; none for nobody."""
        number = self._number(customer)
        return frozenset[int]() if number is None else customers.same_person(self._writer.fold, number)


def _unheard(position: int) -> None:
    """Hear of progress that nobody asked about."""


def _check_within(within: object) -> None:
    if not isinstance(within, timedelta) or within < timedelta(0):
        mistake = Mistake("no length of time", "conflicts: within", "a timedelta, as timedelta(days=7)", f"{within!r}")
        raise LimitError(mistake)
