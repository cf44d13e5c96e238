"""A twin with a clock in minutes, so that an example from the page is a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onevoice.playbook.model import (
    MINUTE,
    Campaign,
    CampaignClass,
    Channel,
    EventMatch,
    EventType,
    FieldType,
    Identifier,
    Playbook,
    Policies,
    Step,
    Trait,
    Trigger,
    TriggerKind,
)

from .clock import instant, rfc3339
from .twin import Twin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .state import Line
    from .twin import Pair

START = instant("2026-03-02T00:00:00Z")  # a Monday
SECRET = (7, 9)


def book(**parts: Any) -> Playbook:
    """Return a small playbook; every part can be given anew."""
    usual: dict[str, Any] = {
        "identifiers": named(
            Identifier("card", unique=True), Identifier("email", at_most=3), Identifier("cookie", anonymous=True)
        ),
        "traits": named(
            Trait("tier", FieldType.CHOICE),
            Trait("score", FieldType.NUMBER),
            Trait("zone", FieldType.CHOICE, "time_zone"),
        ),
        "events": named(
            EventType("a", {"n": FieldType.NUMBER, "k": FieldType.KEY, "c": FieldType.CHOICE}),
            EventType("b", {"n": FieldType.NUMBER, "k": FieldType.KEY}),
            EventType("x", {"n": FieldType.NUMBER}),
            EventType(
                "order",
                {"order_id": FieldType.KEY, "amount": FieldType.NUMBER},
                {"items": {"product": FieldType.PRODUCT, "quantity": FieldType.NUMBER}},
            ),
            EventType("delivered", {"order_id": FieldType.KEY}),
            EventType("restocked", about="product"),
        ),
        "channels": named(Channel("email", "email"), Channel("sms"), Channel("push")),
        "policies": Policies(classes={"service": CampaignClass("service"), "sales": CampaignClass("sales")}),
    }
    return Playbook("small", **{**usual, **parts})


def named(*things: Any) -> dict[str, Any]:
    return {thing.name: thing for thing in things}


def policies(**parts: Any) -> Policies:
    classes = {"service": CampaignClass("service"), "sales": CampaignClass("sales")}
    return Policies(**{"classes": classes, **parts})


def on(event: str, where: str = "") -> Trigger:
    return Trigger(TriggerKind.EVENT, event, where)


def campaign(name: str, when: Trigger, **parts: Any) -> Campaign:
    return Campaign(name, **{"klass": "sales", "when": when, "send": ("sms",), **parts})


def step(event: str, **parts: Any) -> Step:
    return Step((EventMatch(event),), **parts)


class Desk:
    """Feeds one twin, one live row a call; times are minutes after START."""

    def __init__(self, playbook: Playbook | None = None, splits: Sequence[Pair] = ()) -> None:
        self.twin = Twin(playbook or book(), SECRET, splits)

    def send(self, now: float, *lines: Any, **mode: bool) -> Desk:
        self.twin.row(list(lines), minutes(now), **mode)
        return self

    def say(self, now: float, kind: str, at: float | None = None, who: str = "c1", **fields: Any) -> Desk:
        """Send one event of the customer with this card, occurred at `at` (now unless given)."""
        return self.send(now, event(kind, now if at is None else at, {"card": who}, **fields))

    def told(self) -> list[tuple[float, str, str]]:
        """Return (minute, campaign, reason) of every recorded line."""
        return [
            ((decision.time - START) / MINUTE, line.campaign, line.reason)
            for decision in self.twin.decisions
            for line in decision.lines
        ]

    def lines(self) -> list[Line]:
        return [line for decision in self.twin.decisions for line in decision.lines]

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.twin.canonical()[table]


def minutes(now: float) -> int:
    return START + round(now * MINUTE)


def event(
    kind: str,
    at: float | None,
    who: dict[str, str] | None = None,
    traits: dict[str, Any] | None = None,
    id: str | None = None,  # noqa: A002 - the line's own word
    **fields: Any,
) -> dict[str, Any]:
    line: dict[str, Any] = {"type": kind, "identifiers": who or {}, "fields": fields, "traits": traits or {}}
    if at is not None:
        line["time"] = rfc3339(minutes(at))
    if id is not None:
        line["id"] = id
    return line
