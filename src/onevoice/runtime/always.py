"""What would have been decided about one customer alone if the rules had always been others."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from onevoice.engine import state as at
from onevoice.playbook.builtin import RECEIPTS
from onevoice.runtime.alone import type_of
from onevoice.runtime.steps import Step
from onevoice.runtime.swap import contacts_made

if TYPE_CHECKING:
    from onevoice.history.decision import Decision
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.alone import Alone, Engine, Patch

Contact: TypeAlias = tuple[int, int, str, int, str]  # its time (µs UTC), customer, campaign, key and channel

_ROUNDS_MAX: Final = 8


class Always:
    """A customer's history up to an instant (µs UTC), decided by other rules from when their playbook came into force.

    Receipts name contacts by numbers, and by other rules the same contact has another one; so they are told of that.
    Of a contact that was not made nothing is told: it counts as sent when it is no longer waited for.
    """

    def __init__(self, alone: Alone, until: int) -> None:
        self._alone, self._until = alone, until

    def decided(self, patch: Patch | None, customer: int) -> list[tuple[Playbook, Decision]]:
        """Return what is decided about a customer, by other programs of the playbooks."""
        return self._alone.decided_by(self._engine(patch) if patch else self._as_it_was, customer)

    def without_pauses(self, campaign: str) -> Always:
        """Return the same history, in which nobody tells that a campaign came to a limit of its run."""
        steps = [step.without_pauses(campaign) for step in self._alone.steps]
        return Always(self._alone.with_steps(steps), self._until)

    @cached_property
    def _as_it_was(self) -> Engine:
        return self._decide(self._alone, None)

    @cached_property
    def _receipts(self) -> dict[int, Contact | None]:
        """Which contact the receipts are about, by their steps."""
        made = {number: contact for contact, number in _contacts(self._as_it_was).items()}
        named = ((place, _named(step.line)) for place, step in enumerate(self._alone.steps))
        return {place: made.get(number) for place, number in named if number is not None}

    def _engine(self, patch: Patch) -> Engine:
        """Return an engine whose receipts name the contacts that it has made."""
        alone, engine = self._alone, self._decide(self._alone, patch)
        for _ in range(_ROUNDS_MAX if self._receipts else 0):
            numbers = _contacts(engine)
            steps = [*alone.steps]
            for place, contact in self._receipts.items():
                number = numbers.get(contact, -1) if contact else -1
                steps[place] = steps[place]._replace(line=_naming(steps[place].line, number))
            if steps == alone.steps:
                return engine
            alone = alone.with_steps(steps)
            engine = self._decide(alone, patch)
        return engine

    def _decide(self, alone: Alone, patch: Patch | None) -> Engine:
        engine = alone.before(self._until + 1, patch)
        if int(engine.writer.fold.machine.state.scalars[at.NOW]) < self._until:
            engine.take(Step(self._until))
        return engine


def _contacts(engine: Engine) -> dict[Contact, int]:
    """Return the number of each contact that an engine has made."""
    engine.writer.flush()
    journal, fold = engine.writer.journal, engine.writer.fold
    made = contacts_made(journal, fold, journal.last().rows)
    return {
        (each.time, each.customer, each.campaign, each.key, each.channel): each.number
        for each in made
        if not each.placement and not each.cancels and each.number >= 0
    }


class _Receipt(msgspec.Struct):
    fields: dict[str, Any]


def _named(line: bytes) -> int | None:
    """Return the number of the contact that a line names; None if it is no receipt."""
    is_receipt = bool(line) and type_of(line) in RECEIPTS
    return msgspec.json.decode(line, type=_Receipt).fields.get("contact") if is_receipt else None


def _naming(line: bytes, number: int) -> bytes:
    """Return a receipt that names another contact; the same where it names this one."""
    if _named(line) == number:
        return line
    content: dict[str, Any] = msgspec.json.decode(line)
    return msgspec.json.encode(content | {"fields": content["fields"] | {"contact": number}})
