"""Whether what a playbook says of its groups fits together: who is in one is found by events alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onevoice.playbook.model import EventType, Fact, FieldType, Group, Playbook
    from onevoice.playbook.scopes import Scopes


class Checker(Protocol):
    """What of the check is needed here."""

    playbook: Playbook
    scopes: Scopes
    event_types: tuple[EventType, ...]

    def known(self, path: str, kind: str, name: str, names: Iterable[str]) -> bool:
        """Tell whether a name is known; record a mistake where it is not."""
        ...

    def refuse(self, path: str, what: str, *, expected: str = "", found: str = "", mend: str = "") -> None:
        """Record a mistake."""
        ...

    def key_kinds(self, path: str, name: str, kinds: Mapping[FieldType, str]) -> None:
        """Check that a key has one type, and one that identifies."""
        ...

    def callable(self, path: str, fact: Fact) -> None:
        """Check that a fact can be asked for a key by its name."""
        ...


def check_group(checker: Checker, group: Group) -> None:
    """Check what a group is known by, and the events that end a membership."""
    path, events = f"groups.{group.name}.by", [event for event in checker.event_types if not event.about]
    fields = dict.fromkeys(name for event in events for name in event.fields)
    if group.by in checker.playbook.traits and group.by not in fields:
        mend = "let the events that make somebody a member carry it as a field, such as `household_id: key`"
        checker.refuse(path, "a group by a trait", expected="a field of events", found=quoted(group.by), mend=mend)
    elif checker.known(path, "event field", group.by, fields):
        kinds = {event.fields[group.by]: event.name for event in events if group.by in event.fields}
        checker.key_kinds(path, group.by, kinds)
        _check_events(checker, group, [event.name for event in events])


def _check_events(checker: Checker, group: Group, events: list[str]) -> None:
    path, fact = f"groups.{group.name}", checker.scopes.facts[group.name]
    for i, name in enumerate(group.leaves):
        if not checker.known(f"{path}.leaves[{i}]", "event", name, events):
            return
    if not fact.opens:
        found, mend = quoted(group.by), "let an event that ends no membership carry it, too"
        checker.refuse(f"{path}.leaves", "a group that nobody can be in", found=found, mend=mend)
    checker.callable(path, fact)
