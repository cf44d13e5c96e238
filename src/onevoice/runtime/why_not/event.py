"""What an event would have had to say for a campaign to win: the least change of one of its fields, tried."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec

from onevoice.conditions.tree import Type
from onevoice.events.values import date_us, time_us
from onevoice.history.why_not import Change
from onevoice.playbook.model import TriggerKind
from onevoice.playbook.reads import fields_of
from onevoice.runtime.alone import type_of
from onevoice.runtime.why_not.customer import nearest, shown
from onevoice.runtime.why_not.times import plain_time, time_changes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from onevoice.runtime.why_not.trial import Trial


def trigger_of(trial: Trial) -> int | None:
    """Return which of the steps brought the event that triggers the campaign: the first, if it is of its type."""
    when, steps = trial.campaign.when, trial.fork.steps
    if when.kind is not TriggerKind.EVENT or not steps or not steps[0].line or steps[0].observing:
        return None
    return 0 if type_of(steps[0].line) == when.name else None


def event_values(trial: Trial, place: int) -> dict[str, str]:
    """Return what the event in a step says of each field that the campaign's `when` and `if` read."""
    fields: dict[str, Any] = msgspec.json.decode(trial.fork.steps[place].line).get("fields") or {}
    return {f"event.{name}": shown(fields.get(name)) for name, _ in fields_of(trial.playbook, trial.campaign)}


def event_changes(trial: Trial, place: int) -> Iterator[Change]:
    """Yield the least change of each field of the event in a step that the campaign's `when` and `if` read."""
    event: dict[str, Any] = msgspec.json.decode(trial.fork.steps[place].line)
    own: dict[str, Any] = event.get("fields") or {}

    def wins(field: str, value: object) -> bool:
        tried = copy(trial)
        line = msgspec.json.encode(event | {"fields": own | {field: value}})
        tried.fork = trial.fork.with_line(place, line)
        return tried.wins()

    for (field, kind), constants in fields_of(trial.playbook, trial.campaign).items():
        found, name = own.get(field), f"{trial.campaign.when.name}.{field}"
        numbers = [each for each in constants if not isinstance(each, str)]
        if kind in {Type.TIME, Type.DATE}:

            def wins_at(us: int, field: str = field, kind: Type = kind) -> bool:
                return wins(field, plain_time(us, kind).isoformat())

            yield from time_changes(trial, kind, wins_at, _time(found, kind), numbers, name=name, of="event")
            continue
        if kind is Type.NUMBER:
            number = nearest(lambda value, field=field: wins(field, value), found, numbers)
            if number is not None:
                yield number.change(trial.words, "event", name)
            continue
        others = [True, False] if kind is Type.BOOLEAN else sorted(each for each in constants if isinstance(each, str))
        needed = next((other for other in others if other != found and wins(field, other)), None)
        if needed is not None:
            told = trial.words.say("unknown") if found is None else shown(found)
            sentence = trial.words.say("change_value", name=name, needed=shown(needed), found=told)
            yield Change("event", sentence, name, shown(found), shown(needed))


def _time(found: object, kind: Type) -> date | datetime | None:
    """Return the day or the time that a field holds."""
    us = (date_us if kind is Type.DATE else time_us)(found) if isinstance(found, str) else None
    return None if us is None else plain_time(us, kind)
