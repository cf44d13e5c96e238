"""Sources that may stop: what each brings, and how long it may be silent (semantics §19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from onevoice.playbook.builtin import CONTROL_EVENTS, all_events
from onevoice.playbook.grammar import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.playbook.model import EventType, Playbook, Source


class Checker(Protocol):
    """What of the check is needed here."""

    event_types: tuple[EventType, ...]

    def known(self, path: str, kind: str, name: str, names: Iterable[str]) -> bool:
        """Tell whether a name is known; record a mistake where it is not."""
        ...

    def refuse(self, path: str, what: str, *, expected: str = "", found: str = "", mend: str = "") -> None:
        """Record a mistake."""
        ...


def check_source(checker: Checker, source: Source) -> None:
    """Check the events of a source, and that it may be silent for longer than its events may be late."""
    path = f"sources.{source.name}"
    for i, name in enumerate(source.events):
        checker.known(f"{path}.events[{i}]", "event", name, [event.name for event in checker.event_types])
    if 0 < source.stale_after_us <= source.lag_us:
        expected = f"more than its `lag` of {spelled(source.lag_us)}"
        what, found = "stale while its events may still come in time", spelled(source.stale_after_us)
        mend = "make it longer, or the lag shorter"
        checker.refuse(f"{path}.stale_after", what, expected=expected, found=found, mend=mend)


def brings(playbook: Playbook, source: Source) -> frozenset[str]:
    """Return the event types of a source: where it names none, all but those that turn a switch."""
    return frozenset(source.events or (name for name in all_events(playbook) if name not in CONTROL_EVENTS))
