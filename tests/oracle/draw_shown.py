"""What is drawn of placements: caps that name them, caps and fatigue of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.playbook.model import EACH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.playbook.model import Cap, Placement

    from .draw import Dice, Times

_GOES_BY_NONE = {"channel": "", "address": "", "group": ""}


def some_shown(dice: Dice, places: Iterable[str], caps: list[Cap]) -> tuple[Cap, ...]:
    """Let some caps name a placement."""
    names = (*places, EACH)
    shown = [replace(cap, **_GOES_BY_NONE, placement=dice.choice(names)) for cap in caps]
    return tuple(one if dice.chance(0.25) else other for one, other in zip(shown, caps, strict=True))


def placed(dice: Dice, times: Times, placement: Placement, caps: list[Cap], policies: Iterable[Cap]) -> Placement:
    """Return a placement with those of its caps that the policies do not have, and fatigue, now and then."""
    known = {_told(cap) for cap in policies}
    own = [replace(cap, **_GOES_BY_NONE, placement=placement.name) for cap in caps]
    tired = dice.choice((0, 1, 1, 1, 2, 3))
    return replace(
        placement,
        caps=tuple(replace(cap, placement="") for cap in own if _told(cap) not in known),
        fatigue_times=tired,
        fatigue_us=times.span(2, 15) if tired else 0,
    )


def _told(cap: Cap) -> tuple[object, ...]:
    """Return what tells a cap from others of which only the first would count."""
    return cap.scope, cap.rolling_us, cap.period, cap.for_segment
