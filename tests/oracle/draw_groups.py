"""Groups, drawn: by what events carry, mostly of the same few values; some are never left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.model import Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.playbook.model import EventType

    from .draw import Dice


def groups(dice: Dice, events: list[EventType]) -> Iterator[Group]:
    able = [event.name for event in events if not event.about]
    for name, by in (("house", "case_id"), ("firm", "page"), ("club", "list")):
        carriers = [event.name for event in events if by in event.fields and not event.about]
        carriers += ["list_joined", "list_left"] * (by == "list")
        if carriers and dice.chance(0.5):
            leaves = dice.some([each for each in [*able, "list_left"] if [each] != carriers], 0, 2)
            stays = [each for each in carriers if each not in leaves]
            yield Group(name, by, tuple(leaves) if stays else ())
