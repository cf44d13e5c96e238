"""Pausing, resuming and stopping by a call: the event that does it, and how many it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.engine import state as at
from onevoice.engine import switches
from onevoice.engine.reasons import PAUSED
from onevoice.engine.store import HIGH
from onevoice.errors import EventError, Mistake
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.fold import Fold

STATES: Final = {switches.ON: "on", switches.IS_PAUSED: "paused", switches.IS_STOPPED: "stopped"}
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
    those that a resumption let go on. `was`: what it had been before, `on`, `paused` or `stopped`; so a resumption of
    what was `on` did nothing, but that a campaign begins a new run. `off`: what else is off of what is named, `class`,
    `all` (everything) or nothing. `reason` and `by`: as they were given, and stand in the journal.

    >>> engine.pause(klass="sales", by="ann")
    Switched(waiting=0, ended=0, woken=0, was='on', off='', reason='', by='ann')
    """

    waiting: int
    ended: int = 0
    woken: int = 0
    was: str = "on"
    off: str = ""
    reason: str = ""
    by: str = ""


class Seen(NamedTuple):
    """What is seen of what is named: its candidates, how many of them a pause holds, whether it and more is off."""

    waiting: int
    held: int
    state: str
    off: str


def event(verb: str, named: Named, playbook: Playbook, reason: str, by: str) -> dict[str, Any]:
    """Return the event for a verb of EVENTS; EventError where not one thing of the playbook is named."""
    check(verb, named, playbook)
    named_by = {"campaign": named.campaign, "class": named.klass, "everything": named.everything}
    said = {**named_by, "reason": reason, "by": by}
    return {"type": EVENTS[verb], "fields": {name: value for name, value in said.items() if value}}


def check(verb: str, named: Named, playbook: Playbook) -> None:
    """Raise EventError unless one thing is named that the playbook has."""
    if bool(named.campaign) + bool(named.klass) + named.everything != 1:
        mend = f'as `{verb}("NAME")`, `{verb}(klass="NAME")` or `{verb}(everything=True)`'
        raise EventError(Mistake(f"not one thing to {verb}", verb, "a campaign, a class, or everything", mend=mend))
    known = {"campaign": [*playbook.campaigns], "class": [*playbook.policies.classes]}
    for kind, name in (("campaign", named.campaign), ("class", named.klass)):
        if name and name not in known[kind]:
            hint = did_you_mean(name, known[kind])
            raise EventError(Mistake(f"an unknown {kind}", verb, ", ".join(known[kind]), repr(name), hint))


def seen(fold: Fold, named: Named) -> Seen:
    """Look at what is named: its candidates that wait, born or not, and its switches."""
    state = fold.machine.state
    rows = state.candidates[: state.pools[at.CANDIDATES, HIGH]]
    meant = np.isin(rows[:, at.C_CAMPAIGN], list(named.campaigns(fold.published.playbook)))
    meant &= rows[:, at.C_CUSTOMER] >= 0
    held = int((meant & (rows[:, at.C_BLOCK] == PAUSED)).sum())
    own, *wider = _switches(named, fold.published.playbook)
    states: list[int] = state.switches[:, at.W_STATE].tolist()
    off = next((name for name, row in wider if states[row] != switches.ON), "")
    return Seen(int(meant.sum()), held, STATES[states[own[1]]], off)


def _switches(named: Named, playbook: Playbook) -> list[tuple[str, int]]:
    """Return the switches that hold what is named, its own first, with their rows in the state."""
    campaigns, classes = [*playbook.campaigns], [*playbook.policies.classes]
    found = [("all", -1)]
    if not named.everything:
        klass = named.klass or playbook.campaigns[named.campaign].klass
        found.insert(0, ("class", len(campaigns) + classes.index(klass)))
    if named.campaign:
        found.insert(0, ("campaign", campaigns.index(named.campaign)))
    return found


def check_weaker(verb: str, named: Named, fold: Fold) -> None:
    """Raise EventError for a pause of what is stopped: its triggers would make wishes again, which nobody asked for."""
    if verb == "pause" and seen(fold, named).state == STATES[switches.IS_STOPPED]:
        name = named.campaign or (f"class {named.klass}" if named.klass else "everything")
        mend = "nothing of it goes out as it is; to have its triggers make wishes that are held, resume it first"
        raise EventError(Mistake(f"{name} is stopped, which a pause would weaken", verb, mend=mend))


def switched(before: Seen, after: Seen, verb: str, reason: str, by: str) -> Switched:
    """Return what a verb did, from what was seen before and after it."""
    ended = before.waiting - after.waiting if verb == "stop" else 0
    woken = before.held - after.held if verb == "resume" else 0
    return Switched(after.waiting, ended, woken, before.state, after.off, reason, by)
