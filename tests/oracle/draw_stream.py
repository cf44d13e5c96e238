"""Streams of events over few customers, so that they meet; drawn for one playbook."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onevoice.playbook.builtin import BUILTIN_EVENTS, RECEIPTS, SWITCHING, all_events
from onevoice.playbook.model import DAY, FieldType, TriggerKind

from .clock import rfc3339
from .draw import TEXTS, ZONES
from .draw_conditions import day_text

if TYPE_CHECKING:
    from onevoice.playbook.model import EventType, Playbook

    from .draw import Dice, Times

Event = dict[str, Any]

USUAL = [
    *BUILTIN_EVENTS,
    "campaign_resumed",
    "campaign_resumed",
    "asked",
    "asked",
    "consent_given",
    "contact_reported",
    "profile_updated",
    "offer_clicked",
]

SHOWN = [*["asked"] * 7, "offer_shown", "offer_clicked", "offer_refused", "offer_not_now", "offer_accepted"]


@dataclass(frozen=True)
class Batch:
    """One row of the journal: decoded lines (None: rejected), the stamp and the mode."""

    lines: tuple[Event | None, ...]
    stamp: int
    imported: bool = False
    observing: bool = False

    @property
    def mode(self) -> tuple[int, bool, bool]:
        return (self.stamp, self.imported, self.observing)


Case = tuple["Playbook", list[Batch]]


class Stream:
    """Draws the rows of one journal."""

    def __init__(
        self,
        dice: Dice,
        times: Times,
        playbook: Playbook,
        live: tuple[int, int],
        *,
        flood: bool = False,
        busy: bool = False,
        calm: bool = False,
        asking: bool = False,
        failing: bool = False,
        scarce: bool = False,
    ) -> None:
        self.dice = dice
        self.times = times
        self.playbook = playbook
        self.events = all_events(playbook)
        self.live = live
        self.flood = flood
        self.scarce = scarce  # what was sent mostly fails, so that something comes back
        self.busy = busy
        self.calm = calm  # seldom is anything paused, or consent withdrawn
        self.receipts = [*RECEIPTS, "contact_sent", *["contact_failed"] * (14 if failing else 9 if scarce else 2)]
        self.reports = any(each.receipts_us for each in playbook.channels.values())
        together = bool(playbook.groups)
        self.persons = 1 if flood or (busy and not together) else dice.randint(2, 3 if busy else 5) + 2 * scarce
        self.stamp = times.start
        self.sent: list[Event] = []  # events with an id, to be sent again
        self.ids = 0
        self.asks = 0  # so many were drawn, and so many decisions there may be, or more
        asked = [each for each in playbook.campaigns.values() if each.when.kind is TriggerKind.ASKED]
        self.asking = asking or len(asked) > 1

    def rows(self) -> list[Batch]:
        found: list[Batch] = []
        if self.dice.chance(0.3):
            found += [self._import(self.dice.randint(1, 8)) for _ in self.dice.times(1, 3)]
        found += [self._live() for _ in self.dice.times(*self.live)]
        if self.dice.chance(0.7):
            self.stamp += self.times.span(5, 40)
            found.append(Batch((), self.stamp))
        return found

    def _live(self) -> Batch:
        count = self.dice.choice((0, 1, 1, 1, 2, 3, 6))
        self.stamp += self.dice.choice((0, 0, 1, 1, 2, 3)) * self.times.unit
        if self.dice.chance(0.05):
            self.stamp += self.times.span(5, 20)
        stamp = self.stamp - self.dice.choice((0,) * 30 + (1, self.times.unit))
        lines = [line for _ in range(count) for line in self._for_all(self._line())]
        if lines and self.dice.chance(0.03):
            lines[-1] = self._at_the_bound(stamp)
        return Batch(tuple(lines), stamp, observing=self.dice.chance(0.05))

    def _import(self, count: int) -> Batch:
        """Draw history: its events say when they occurred, roughly in order."""
        lines = [self._line() for _ in range(count)]
        for line in lines:
            if line and "time" in line:
                self.stamp += self.dice.choice((0, 1, 2)) * self.times.unit
                line["time"] = rfc3339(self.stamp - self.dice.choice((0, 0, 0, 2)) * self.times.unit)
        if self.dice.chance(0.2):
            lines.append(self._at_the_bound(self.stamp))
        return Batch(tuple(lines), self.stamp, imported=True, observing=self.dice.chance(0.6))

    # Lines

    def _at_the_bound(self, stamp: int) -> Event:
        """Draw an event from the last instant that is believed, or from one that is not."""
        late = self.dice.choice((0, 1, 400 * DAY))
        return {**self._event(self._type()), "time": rfc3339(stamp + DAY + late)}

    def _for_all(self, line: Event | None) -> list[Event | None]:
        """Let what is told of a contact mostly come of every person, for nobody here knows whose it is."""
        if line is None or line["type"] not in RECEIPTS or self.dice.chance(0.3):
            return [line]
        kinds = [*self.playbook.identifiers]
        kinds = kinds if self.scarce else [self.dice.choice(kinds)]
        told = {name: value for name, value in line.items() if name != "id"}
        return [
            {**copy.deepcopy(told), "identifiers": {kind: self._spelled(kind, f"{person}0") for kind in kinds}}
            for person in range(self.persons)
        ]

    def _line(self) -> Event | None:
        dice = self.dice
        if dice.chance(0.03):
            return None
        if self.sent and dice.chance(0.06):
            return copy.deepcopy(dice.choice(self.sent))
        line = self._event(self._type())
        if dice.chance(0.9):
            line["time"] = rfc3339(self._time())
        if dice.chance(0.3):
            self.ids += 1
            line["id"] = f"id{self.ids}"
            self.sent.append(line)
        return line

    def _type(self) -> str:
        if self.flood and self.dice.chance(0.8):
            return "ordered"
        if self.dice.chance(0.02):
            return "unheard_of"
        if self.reports and self.dice.chance(0.25 if self.scarce else 0.35):
            return self.dice.choice(self.receipts)
        if self.asking and self.dice.chance(0.6):
            return self.dice.choice(SHOWN)
        declared = list(self.playbook.events)
        return self.dice.choice(declared if self.dice.chance(0.92 if self.calm else 0.65) else USUAL)

    def _time(self) -> int:
        """Return when it occurred: mostly now, often earlier, sometimes later than now."""
        ago = self.dice.choice((0, 0, 0, 0, 0, 1, 2, 5, 15, -1, -4))
        return self.stamp - ago * self.times.unit - self.dice.choice((0, 0, 0, 1))

    def _event(self, name: str) -> Event:
        line: Event = {"type": name}
        event = self.events.get(name)
        if event is None or not event.about:
            line["identifiers"] = self._identifiers()
        self.asks += name == "asked"
        if event is not None:
            line["fields"] = self._fields(event)
        if self.dice.chance(0.6 if name == "profile_updated" else 0.1):
            line["traits"] = self._traits()
        if self.playbook.sources and self.dice.chance(0.2):
            line["source"] = self.dice.choice(list(self.playbook.sources))
        return line

    def _identifiers(self) -> dict[str, str]:
        """Name a person by one or two of their identifiers; now and then by one of somebody else's."""
        dice = self.dice
        person = dice.below(self.persons)
        kinds = list(self.playbook.identifiers)
        found: dict[str, str] = {}
        for kind in dice.sample(kinds, min(len(kinds), dice.choice((1, 1, 1, 2, 2, 3)))):
            whose = dice.below(self.persons) if dice.chance(0.12) else person
            turn = dice.choice((0, 0, 0, 1, 2)) if kind != "card" and not self.flood else 0
            turn = 0 if (self.busy or self.scarce) and dice.chance(0.7) else turn
            found[kind] = self._spelled(kind, f"{whose}{turn}")
        return found

    def _spelled(self, kind: str, number: str) -> str:
        """Write an identifier in one of the ways that mean the same."""
        if kind == "email":
            return self.dice.choice((f"m{number}@x.lt", f" M{number}@X.lt "))
        if kind == "phone":
            return self.dice.choice((f"+370 612 345{number}", f"8612345{number}"))
        return f"{kind}{number}"

    def _fields(self, event: EventType) -> Event:
        fields = {name: self._value(event, name, kind) for name, kind in event.fields.items()}
        if event.name in SWITCHING:  # mostly of one campaign, now and then of more than one thing, or of nothing
            several = (("class",), ("class",), ("campaign", "class"), ("everything",), ("campaign", "everything"), ())
            named = self.dice.choice((("campaign",),) * 8 + several)
            return {name: fields[name] for name in named}
        for name, own in event.items.items():
            fields[name] = [
                self._without({field: self._value(event, field, kind) for field, kind in own.items()})
                for _ in range(self.dice.choice((1, 2, 12) if self.flood else (0, 1, 1, 2, 3)))
            ]
        return self._without(fields, keep="product" if event.about else "")

    def _without(self, fields: Event, keep: str = "") -> Event:
        """Drop some fields, and say NULL for some."""
        kept = {name: value for name, value in fields.items() if name == keep or self.dice.chance(0.92)}
        return {name: None if name != keep and self.dice.chance(0.05) else value for name, value in kept.items()}

    def _value(self, event: EventType, name: str, kind: FieldType) -> Any:
        dice, playbook = self.dice, self.playbook
        built_in = {
            "offer": [*playbook.offers, *playbook.offers, "stranger"],
            "family": ["fam", *playbook.offers],
            "campaign": [*playbook.campaigns, "stranger"],
            "class": [*playbook.policies.classes, "stranger"],
            "channel": [*playbook.channels, "stranger"],
            "purpose": ["sales", "ads", "care", "service"],
            "placement": [*playbook.placements, *playbook.placements, "stranger"],
            "resource": [*playbook.resources, *playbook.resources, "stranger"],
            "list": ["vip", "test"],
            "contact_id": ["c1", "c2"],
        }
        if name == "contact":
            return dice.choice((0, 0, 1, 1, 2, 2, 3, 4, 5, dice.randint(0, 20), -1, 2.5))
        if name in built_in and event.name in RECEIPTS and dice.chance(0.7):
            return None  # filled in from the contact
        if name == "decision":
            return dice.choice((None, None, None, dice.below(self.asks + 1), dice.below(2 * self.asks + 1), 0.5))
        if name in {"offer", "campaign"} and "decision" in event.fields and dice.chance(0.7):
            return None  # filled in from the decision
        if name == "family" and dice.chance(0.6):
            return None  # filled in from the offer
        if name in {"channel", "purpose"} and event.name == "consent_withdrawn" and dice.chance(0.4):
            return None
        if self.flood and name == "order_id":
            return f"o{dice.below(400)}"
        if name in TEXTS or name in built_in:
            return dice.choice(TEXTS.get(name) or built_in[name])
        return self._plain(kind)

    def _plain(self, kind: FieldType) -> Any:
        dice = self.dice
        match kind:
            case FieldType.NUMBER:
                return dice.choice((dice.randint(-4, 40) / 4, dice.randint(0, 5), 0.1, 1e-5, 2.0**39, -1e300))
            case FieldType.BOOLEAN:
                return dice.chance(0.5)
            case FieldType.DATE:
                return day_text(self.times.start // DAY + dice.randint(-20, 20))
            case FieldType.TIME:
                return rfc3339(self.times.instant())
            case _:
                return dice.choice(("a", "b"))

    def _traits(self) -> Event:
        found: Event = {}
        for trait in self.dice.some(self.playbook.traits.values(), 1, 2):
            value = self._plain(trait.type)
            if trait.name == "zone":
                value = self.dice.choice(ZONES)
            elif trait.name == "way":
                value = self.dice.choice((*self.playbook.channels, "stranger"))
            elif trait.name in TEXTS:
                value = self.dice.choice(TEXTS[trait.name])
            found[trait.name] = None if self.dice.chance(0.15) else value
        return found
