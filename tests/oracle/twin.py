"""The twin: the journal's rows in, decisions and canonical state out (§1, §2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from onevoice.playbook.model import DAY, EventMatch, FieldType, TriggerKind

from . import (
    asks,
    candidates,
    canonical,
    conditions,
    contacts,
    controls,
    facts,
    feeds,
    groups,
    identity,
    look_ahead,
    measures,
    moments,
    resources,
    rows,
    segments,
    shows,
    timers,
)
from .book import OFFER_EVENTS, REACTIONS, RECEIPTS, Book
from .clock import instant
from .hashing import text_hash
from .state import Decision, Trigger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.playbook.model import Moment, Playbook

    from .state import Customer, Line, Row

Fired = list[tuple["Moment", int]]
Pair = tuple[tuple[str, str], tuple[str, str]]


class Twin:
    """The engine over plain Python objects.

    `row` takes the lines of one journal row, decoded from JSON; None stands for a rejected line. `decisions` grows.
    `splits`: pairs of identifiers (kind, value) that are two people's.
    """

    def __init__(self, playbook: Playbook, secret: tuple[int, int], splits: Sequence[Pair] = ()) -> None:
        self.use(Book(playbook))
        self.zone = playbook.time_zone
        self.secret = secret
        self.splits = splits
        self.count = 0  # lines so far; the position of the next
        self.position = 0  # what a decision now would bear
        self.now = 0
        self.observing = False
        self.first: int | None = None  # journal time of the first line
        self.customers: list[Customer] = []
        self.index: dict[tuple[str, str], int] = {}
        self.joined: set[int] = set()  # survivors of a merge within the present event
        self.seen: dict[int, int] = {}  # hash of an id -> day on which it was first seen
        self.schedules: dict[int, int] = {}
        self.pools = resources.pools_of(playbook)
        self.feeds = feeds.feeds_of(self.book)
        self.switches: dict[tuple[str, str], controls.Switch] = {}
        self.decisions: list[Decision] = []
        self.contacts_made = 0
        self.groups: dict[groups.Group, set[int]] = {}  # who is in each that is asked or counted
        self.knocked: set[int] = set()  # who is said once more to be in a group
        self.unknown_decisions = 0
        self.unknown_contacts = 0
        self.without_effect = 0  # control events
        self.given_back: list[str] = []  # resources of which the present event gave back a part, each time

    def use(self, book: Book) -> None:
        """Go on by the rules of a book."""
        self.book = book
        book.others = lambda customer, kind: groups.all_asked(self, customer, kind)

    @property
    def _nothing_computed(self) -> tuple[None, ...]:
        return (None,) * len(self.book.computed_names)

    def roots(self) -> list[Customer]:
        return [customer for customer in self.customers if customer.alias < 0]

    def decide(self, kind: str, customer: Customer, lines: list[Line], placement: str = "") -> None:
        number = len(self.decisions)
        lines = [each if each.computed else replace(each, computed=self._nothing_computed) for each in lines]
        self.decisions.append(Decision(number, kind, self.now, self.position, customer.number, placement, tuple(lines)))

    def canonical(self) -> dict[str, list[tuple[Any, ...]]]:
        return canonical.tables(self)

    # The loop

    def row(
        self, lines: list[dict[str, Any] | None], stamp: int, *, imported: bool = False, observing: bool = False
    ) -> None:
        """Process one row of the journal: its lines, then what is due by its journal time."""
        self.observing = observing
        for line in lines:
            occurred_at = instant(line["time"]) if line and line.get("time") else stamp
            if line and 0 <= occurred_at <= stamp + DAY:
                self._pass_time(occurred_at if imported else stamp)
                self.position = self.count
                self._line(line, occurred_at)
                resources.hand_on(self)
                self.position = self.count + 1
            self.count += 1
        self._pass_time(self.now if imported else stamp)

    def _pass_time(self, until: int) -> None:
        """Run the timers due by an instant, then let it be now; journal time never falls."""
        until = max(self.now, until)
        timers.run_until(self, until)
        self.now = until

    def _line(self, line: dict[str, Any], occurred_at: int) -> None:
        if self.first is None:
            self.first = self.now
            timers.begin_schedules(self, self.now)
        event = self.book.events.get(line["type"])
        if event is None or self._is_duplicate(line.get("id")):
            return
        feeds.hear(self, line, event.name, occurred_at)
        found = rows.rows_of(self.book, line, occurred_at, self.position)
        if event.name == "resource_set":
            resources.set_left(self, found[0].fields["resource"], found[0].fields["left"])
        elif event.name in controls.TURNS:
            controls.take_up(self, found[0])
        elif event.about:
            self._fan_out(found[0])
        else:
            self._event(line, found)

    def _is_duplicate(self, given: Any) -> bool:
        """Tell whether an id was first seen in the present or the previous day of journal time; note a new one."""
        if given is None or given == "":
            return False
        key, day = text_hash(str(given), self.secret), self.now // DAY
        if key in self.seen and self.seen[key] >= day - 1:
            return True
        self.seen[key] = day
        return False

    def _fan_out(self, row: Row) -> None:
        """Give a world event to each customer who has the fact open for its product (§8)."""
        product = row.fields.get("product")
        for customer in self.roots():
            for campaign in self.book.triggered_by(TriggerKind.PRODUCT, row.type):
                if facts.is_open(self.book, customer, campaign.when.fact, [product], self.now):
                    trigger = Trigger(row.at, row.fields, product=product, world=True)
                    candidates.wish(self, customer, campaign, trigger)

    def _event(self, line: dict[str, Any], found: list[Row]) -> None:
        self.joined.clear()
        before = groups.look(self)
        customer = identity.customer_of(self, rows.identifiers_of(self.book, line))
        self._traits(customer, line.get("traits") or {}, found[0])
        fired = [self._profile(customer, row) for row in found]
        groups.follow(self, before)
        entered, left = segments.judge(self, customer)
        look_ahead.free(self, customer)
        self._end(customer, found)
        for row, moments_fired in zip(found, fired, strict=True):
            self._trigger(customer, row, moments_fired)
        segments.wish_for_changes(self, customer, entered, left)
        if found[0].type == "asked":
            asks.answer(self, customer, found[0])

    def _traits(self, customer: Customer, given: dict[str, Any], row: Row) -> None:
        """Take each trait whose (occurred_at, position) is the greatest; null clears it (§5)."""
        for name, value in given.items():
            trait = self.book.playbook.traits.get(name)
            if trait is None or trait.type in {FieldType.TEXT, FieldType.KEY}:
                continue
            if name not in customer.traits or customer.traits[name][1] < row.at:
                customer.traits[name] = (rows.value_of(trait.type, value), row.at)

    def _profile(self, customer: Customer, row: Row) -> Fired:
        """Apply one row to the customer's facts, measures and moments; return the moments that fire."""
        if row.type in RECEIPTS:
            contacts.receive(self, customer, row)
        if row.type in OFFER_EVENTS:
            shows.respond(self, customer, row)
        facts.update(self.book, customer, row)
        if any(row.fields.get(group.by) is not None for group in self.book.playbook.groups.values()):
            self.knocked.add(customer.number)
        if row.type in REACTIONS:
            contacts.react(self, customer, row)
            shows.react(self, customer, row)
        if row.type == "contact_reported":
            contacts.report(self, customer, row)
        measures.update(self.book, customer, row, self.secret)
        return moments.update(self, customer, row)

    def _end(self, customer: Customer, found: list[Row]) -> None:
        noted = [candidates.note_endings(self, customer, row) for row in found]
        if any(noted) or customer.number in self.joined:
            candidates.end(self, customer)

    def _trigger(self, customer: Customer, row: Row, fired: Fired) -> None:
        """Give the wishes of one row: of its event, then of the moments it completes."""
        for campaign in self.book.triggered_by(TriggerKind.EVENT, row.type):
            if conditions.matches(self.book, EventMatch(row.type, campaign.when.where), row):
                candidates.wish(self, customer, campaign, Trigger(row.at, row.fields))
        for moment, key in fired:
            for campaign in self.book.triggered_by(TriggerKind.MOMENT, moment.name):
                own = key if campaign.per == moment.per else None
                candidates.wish(self, customer, campaign, Trigger(row.at, row.fields, key=own))
