"""What is known of customers in a drawn playbook: facts, measures and moments, of the events that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.builtin import RECEIPTS, all_events, row_fields
from onevoice.playbook.model import Aggregate, EventMatch, Fact, FieldType, Measure, Moment, Source, Step

from .draw_conditions import Conditions

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

    from .draw import Dice, Times

KEYS = frozenset({FieldType.KEY, FieldType.CHOICE, FieldType.PRODUCT})
NUMBERS = frozenset({FieldType.NUMBER})
VALUES = frozenset(FieldType) - {FieldType.TEXT, FieldType.KEY}


class Known:
    """Draws what is known, of the part of the `book` that is there."""

    dice: Dice
    times: Times
    book: Playbook

    def _conditions(self) -> Conditions:
        return Conditions(self.dice, self.times, self.book)

    def _events(self, *, items: bool = True) -> list[str]:
        """Return the names of all event types and item types of customers, declared ones more often."""
        names = [event.name for event in self.book.events.values() if not event.about]
        lists = [f"{event.name}.{field}" for event in self.book.events.values() for field in event.items]
        return (
            names * 3
            + (lists * 2 if items else [])
            + [
                "list_joined",
                "offer_clicked",
                "profile_updated",
                *self.dice.some(RECEIPTS, 0, 1),
            ]
        )

    def _fields(self, event: str) -> dict[str, FieldType]:
        return row_fields(all_events(self.book), event) or {}

    def _match(self, event: str | None = None) -> EventMatch:
        event = event or self.dice.choice(self._events())
        where = self._conditions().event(event) if self.dice.chance(0.25) else ""
        return EventMatch(event, where)

    def _source(self, n: int) -> Source:
        events = tuple(self.dice.some(self.book.events, 1, 2)) if self.dice.chance(0.6) else ()
        lag_us = self.dice.maybe(self.times.span(1, 6), 0, 0.7)
        if self.dice.chance(0.5):
            return Source(f"source_{n}", lag_us, events)
        events += tuple(self.dice.some(("consent_given", "contact_reported", "profile_updated"), 0, 1))
        return Source(f"source_{n}", lag_us, events, lag_us + self.times.span(1, 4))

    # The customer

    def _fact(self, name: str) -> list[Fact]:
        opening = self._match()
        closing = [event for event in self._events() if event.split(".")[0] != opening.event.split(".")[0]]
        others = [event for event in closing if self.dice.chance(0.1)][:1]
        closing = [event for event in closing if event not in others]
        keys = [field for field, kind in self._fields(opening.event).items() if kind in KEYS]
        if not keys and self.dice.chance(0.7):
            return []
        per = sorted(self.dice.some(keys, 0, 2), key=lambda field: field != "product")
        return [
            Fact(
                name,
                (opening, *(self._match(event) for event in others)),
                tuple(self._match(event) for event in self.dice.some(closing, 0, 1)),
                tuple(per),
                self.dice.maybe(self.times.span(1, 20), 0),
            )
        ]

    def _measure(self, name: str) -> Measure:
        match = self._match()
        fields = self._fields(match.event)
        numbers = [field for field, kind in fields.items() if kind in NUMBERS]
        keys = [field for field, kind in fields.items() if kind in KEYS]
        values = [field for field, kind in fields.items() if kind in VALUES]
        able = {
            Aggregate.COUNT: ["", *fields],
            Aggregate.LATEST: ["", *values],
            Aggregate.FIRST: ["", *values],
            Aggregate.DISTINCT: keys,
            **dict.fromkeys((Aggregate.SUM, Aggregate.MIN, Aggregate.MAX), numbers),
        }
        aggregate = self.dice.choice([each for each, fit in able.items() if fit])
        windowed = aggregate not in {Aggregate.LATEST, Aggregate.FIRST} and self.dice.chance(0.6)
        over = self.times.span(1, 30) if windowed else 0
        return Measure(name, aggregate, match, self.dice.choice(able[aggregate]), over)

    # Moments

    def _moment(self, name: str) -> Moment:
        events = self._events()
        per = self.dice.choice(("", "", "order_id", "case_id", "product"))
        keyed = [event for event in events if per in self._fields(event)]
        if per and not keyed:
            per = ""
        events = keyed if per else events
        windowed = self.dice.chance(0.3)
        steps: list[Step] = []
        for turn in self.dice.times(1, 3):
            if turn and self.dice.chance(0.25):
                steps.append(Step((self._match(self.dice.choice(events)),), absent=True))
            steps.append(self._step(events, windowed))
        if self.dice.chance(0.35):
            steps.append(Step((self._match(self.dice.choice(events)),), within_us=self.times.span(1, 8), absent=True))
        return Moment(name, tuple(steps), per, self.times.span(2, 20) if windowed else 0)

    def _step(self, events: list[str], windowed: bool) -> Step:
        first = self.dice.choice(events)
        others = [event for event in dict.fromkeys(events) if event != first and self.dice.chance(0.1)]
        within = 0 if windowed else self.dice.maybe(self.times.span(1, 10), 0)
        matches = tuple(self._match(event) for event in (first, *others))
        return Step(matches, self.dice.choice((1, 1, 1, 2, 3)), within)
