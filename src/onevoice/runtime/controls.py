"""Pausing, resuming and stopping by a call: the event that does it, and how many it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.reasons import PAUSED
from onevoice.engine.store import HIGH
from onevoice.errors import EventError, Mistake
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.fold import Fold

EVENTS: Final = {"pause": "campaign_paused", "resume": "campaign_resumed", "stop": "campaign_stopped"}


@dataclass(frozen=True, slots=True)
class Named:
    """What is to be paused, resumed or stopped: one campaign, the campaigns of one class, or everything."""

    campaign: str = ""
    klass: str = ""
    everything: bool = False

    def campaigns(self, playbook: Playbook) -> set[int]:
        """Return the numbers of the campaigns meant."""
        every = enumerate(playbook.campaigns.values())
        return {
            number
            for number, each in every
            if self.everything or each.name == self.campaign or (each.klass == self.klass and not self.campaign)
        }


@dataclass(frozen=True, slots=True)
class Switched:
    """What a pause, a resumption or a stop did: how many candidates of the campaigns meant it concerned.

    `waiting`: those that wait on, held while anything of theirs is paused; `ended`: those that a stop ended; `woken`:
    those that a resumption let go on.

    >>> engine.pause(klass="sales")
    Switched(waiting=0, ended=0, woken=0)
    """

    waiting: int
    ended: int = 0
    woken: int = 0


def event(verb: str, named: Named, playbook: Playbook, reason: str, by: str) -> dict[str, Any]:
    """Return the event for a verb of EVENTS; EventError where not one thing of the playbook is named."""
    check(verb, named, playbook)
    named_by = {"campaign": named.campaign, "class": named.klass, "everything": named.everything}
    said = {**named_by, "reason": reason, "by": by}
    return {"type": EVENTS[verb], "fields": {name: value for name, value in said.items() if value}}


def check(verb: str, named: Named, playbook: Playbook) -> None:
    """Raise EventError unless one thing is named that the playbook has."""
    if bool(named.campaign) + bool(named.klass) + named.everything != 1:
        mend = f"name one campaign, or one class, or say everything: {verb} does that"
        raise EventError(Mistake(f"not one thing to {verb}", verb, "a campaign, a class, or everything", mend=mend))
    known = {"campaign": [*playbook.campaigns], "class": [*playbook.policies.classes]}
    for kind, name in (("campaign", named.campaign), ("class", named.klass)):
        if name and name not in known[kind]:
            hint = did_you_mean(name, known[kind])
            raise EventError(Mistake(f"an unknown {kind}", verb, ", ".join(known[kind]), repr(name), hint))


def waiting(fold: Fold, named: Named) -> tuple[int, int]:
    """Return how many candidates of what is named wait, born or not, and how many of them a pause holds."""
    state = fold.machine.state
    rows = state.candidates[: state.pools[at.CANDIDATES, HIGH]]
    meant = np.isin(rows[:, at.C_CAMPAIGN], list(named.campaigns(fold.published.playbook)))
    meant &= rows[:, at.C_CUSTOMER] >= 0
    return int(meant.sum()), int((meant & (rows[:, at.C_BLOCK] == PAUSED)).sum())


def switched(before: tuple[int, int], after: tuple[int, int], verb: str) -> Switched:
    """Return what a verb did, from what waited before and after it."""
    if verb == "stop":
        return Switched(after[0], ended=before[0] - after[0])
    return Switched(after[0], woken=before[1] - after[1] if verb == "resume" else 0)
