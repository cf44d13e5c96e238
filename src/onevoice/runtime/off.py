"""What is paused or stopped now, since when, by whom and why: the state has the switches, the journal who turned them.

The index has the lines that turn switches apart. They are read from the last one back until each switch that is off is
accounted for; where none is off nothing is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from onevoice.engine import state as at
from onevoice.engine import switches
from onevoice.history.report import Off
from onevoice.runtime.controls import EVENTS, STATES, Named, seen
from onevoice.runtime.decisions import time_of
from onevoice.runtime.related import switching

if TYPE_CHECKING:
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.fold import Fold
    from onevoice.runtime.index import Index
    from onevoice.runtime.related import Line

_What: TypeAlias = tuple[str, str]  # "campaign", "class" or "all", and its name

_TURNED_TO: Final = {
    EVENTS["pause"]: switches.IS_PAUSED,
    EVENTS["resume"]: switches.ON,
    EVENTS["stop"]: switches.IS_STOPPED,
}


def off_now(journal: Journal, fold: Fold, index: Index) -> tuple[Off, ...]:
    """Return what is off, in the playbook's order, classes and everything last; the index has followed the journal.

    What no event turned off has no `since`: a limit of its own did.
    """
    states: list[int] = fold.machine.state.switches[:, at.W_STATE].tolist()
    named = zip(_names(fold.published.playbook), states, strict=True)
    off = {what: state for what, state in named if state != switches.ON}
    said = _last_said(journal, fold, index, off) if off else {}
    return tuple(_off(fold, what, state, said.get(what)) for what, state in off.items())


def _names(playbook: Playbook) -> list[_What]:
    """Return what each row of the state's switches is of."""
    campaigns = [("campaign", name) for name in playbook.campaigns]
    return [*campaigns, *(("class", name) for name in playbook.policies.classes), ("all", "")]


def _last_said(journal: Journal, fold: Fold, index: Index, off: dict[_What, int]) -> dict[_What, Line]:
    """Return the last control event about each of these; one that says what is not so came twice, and did nothing."""
    said: dict[_What, Line] = {}
    for line in switching(journal, fold, index):
        what = _named(line.content.get("fields") or {})
        if what in off and what not in said and _TURNED_TO[line.content["type"]] in {off[what], switches.ON}:
            said[what] = line
            if len(said) == len(off):
                break
    return said


def _named(fields: dict[str, Any]) -> _What | None:
    """Return what a control event is about; None where it names nothing, and so did nothing."""
    for kind in ("campaign", "class"):
        if fields.get(kind) is not None:
            return kind, fields[kind]
    return ("all", "") if fields.get("everything") is True else None


def _off(fold: Fold, what: _What, state: int, said: Line | None) -> Off:
    kind, name = what
    named = Named(name if kind == "campaign" else "", name if kind == "class" else "", kind == "all")
    waiting = seen(fold, named).waiting
    if said is None or said.content["type"] == EVENTS["resume"]:
        return Off(kind, name, STATES[state], None, "", "", "", waiting)
    fields = said.content["fields"]
    by, reason = (f"{fields.get(key) or ''}" for key in ("by", "reason"))
    return Off(kind, name, STATES[state], time_of(said.now), by, reason, "", waiting)
