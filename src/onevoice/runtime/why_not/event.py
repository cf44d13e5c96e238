"""What an event would have had to say for a campaign to win: the least change of one of its fields, tried."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec

from onevoice.conditions.tree import Type
from onevoice.history.why_not import Change
from onevoice.playbook.reads import fields_of
from onevoice.runtime.why_not.customer import nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.runtime.why_not.trial import Trial


def event_changes(trial: Trial, place: int) -> Iterator[Change]:
    """Yield the least change of each field of the event in a step that the campaign's `when` and `if` read."""
    event: dict[str, Any] = msgspec.json.decode(trial.fork.line(place))
    own: dict[str, Any] = event.get("fields") or {}

    def wins(field: str, value: object) -> bool:
        tried = copy(trial)
        line = msgspec.json.encode(event | {"fields": own | {field: value}})
        tried.fork = trial.fork.with_line(place, line)
        return tried.wins()

    for (field, kind), constants in fields_of(trial.playbook, trial.campaign).items():
        found, name = own.get(field), f"{trial.campaign.when.name}.{field}"
        if kind is Type.NUMBER:
            numbers = [each for each in constants if not isinstance(each, str)]
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
