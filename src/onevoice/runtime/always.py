"""What would have been decided about one customer alone if a playbook had always had other rules."""

from __future__ import annotations

from functools import cached_property
from itertools import count, groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from onevoice.engine import state as at
from onevoice.engine.store import COUNT
from onevoice.playbook.builtin import RECEIPTS, RESPONSES
from onevoice.runtime.alone import type_of
from onevoice.runtime.steps import Step
from onevoice.runtime.swap import contacts_made

if TYPE_CHECKING:
    from onevoice.compiled import Compiled
    from onevoice.history.decision import Decision
    from onevoice.playbook.model import Playbook
    from onevoice.program import Program
    from onevoice.runtime.alone import Alone, Engine, Patch


class Always:
    """A customer's history up to an instant (µs UTC), decided by other rules from when a playbook took over.

    That is the last one up to then that is equal to `playbook`. Receipts and responses name contacts and decisions by
    numbers, and by other rules the same one has another number; so they name that. Of a contact that was not made
    nothing is told: it counts as sent when it is no longer waited for.
    """

    def __init__(self, alone: Alone, until: int, playbook: Playbook) -> None:
        self._alone, self._until, self._playbook = alone, until, playbook

    def decided(self, program: Program | None, customer: int) -> list[tuple[Playbook, Decision]]:
        """Return what is decided about a customer by the other rules; without any, what was."""
        engine = self._otherwise(program) if program else self._as_it_was
        return self._alone.decided_by(engine, customer)

    def without_pauses(self, campaign: str) -> Always:
        """Return the same history, in which nobody tells that a campaign came to a limit of its run."""
        steps = [step.without_pauses(campaign) for step in self._alone.steps]
        return Always(self._alone.with_steps(steps), self._until, self._playbook)

    @cached_property
    def _as_it_was(self) -> Engine:
        return self._passed(self._alone.before(self._until + 1))

    def _otherwise(self, program: Program) -> Engine:
        engine = self._alone.begun(self._patch(program))
        steps = [step for step in self._alone.steps[1:] if step.takes_place <= self._until]
        asks: dict[int, int] = {}
        for is_named, some in groupby(steps, lambda step: step.decision >= 0 or bool(_named(step.line))):
            if not is_named:
                engine.take_all(some)
                continue
            for step in some:
                following = int(engine.writer.fold.machine.state.scalars[at.NEXT_DECISION])
                asks |= {step.decision: max(step.decision, following)} if step.decision >= 0 else {}
                engine.take(step, self._renamed(step.line, engine, asks))
        return self._passed(engine)

    def _patch(self, program: Program) -> Patch:
        publication = count()

        def patched(compiled: Compiled) -> Program:
            return program if next(publication) in self._publications else compiled.program

        return patched

    @cached_property
    def _publications(self) -> range:
        """Which of the playbooks that took over, counted from the first, were this one since it took over last."""
        found = (step.published for step in self._alone.steps if step.takes_place <= self._until)
        is_this = [each.playbook == self._playbook for each in found if each]
        last = len(is_this) - is_this[::-1].index(True)
        first = next((place + 1 for place in reversed(range(last)) if not is_this[place]), 0)
        return range(first, last)

    def _passed(self, engine: Engine) -> Engine:
        """Let all that is due up to the instant be decided."""
        engine.take(Step(self._until))
        return engine

    @cached_property
    def _made(self) -> dict[int, _Contact]:
        """The contacts as they were, by their numbers."""
        journal, fold = self._as_it_was.writer.journal, self._as_it_was.writer.fold
        self._as_it_was.writer.flush()
        told = contacts_made(journal, fold, journal.last().rows)
        made = (each for each in told if not each.placement and not each.cancels and each.number >= 0)
        return {each.number: _Contact(each.time, each.campaign, each.key, each.channel) for each in made}

    def _renamed(self, line: bytes, engine: Engine, asks: dict[int, int]) -> bytes:
        """Return a line that names by its number here the contact or the decision that it named."""
        named = _named(line)
        if not named:
            return line
        content: dict[str, Any] = msgspec.json.decode(line)
        number = content["fields"][named]
        if named == "decision":
            here = asks.get(number, number)
        else:
            here = self._made[number].number_in(engine) if number in self._made else -1
        return msgspec.json.encode(content | {"fields": content["fields"] | {named: here}})


class _Contact(NamedTuple):
    """By what a contact is known again: its instant (µs UTC), its campaign, key and channel."""

    time: int
    campaign: str
    key: int
    channel: str

    def number_in(self, engine: Engine) -> int:
        """Return the number that it has where it was decided otherwise, -1 if it is not made there."""
        fold = engine.writer.fold
        playbook, state = fold.published.playbook, fold.machine.state
        if self.campaign not in playbook.campaigns or self.channel not in playbook.channels:
            return -1
        campaign, channel = list(playbook.campaigns).index(self.campaign), list(playbook.channels).index(self.channel)
        rows = state.contacts[: state.pools[at.CONTACTS, COUNT]]
        same = rows[:, [at.K_DUE_AT, at.K_CAMPAIGN, at.K_KEY, at.K_CHANNEL]] == [self.time, campaign, self.key, channel]
        found = rows[np.all(same, axis=1), at.K_NUMBER]
        return int(found[0]) if len(found) else -1


def _named(line: bytes) -> str:
    """Return the field by which a line names a contact or a decision; empty if it names none."""
    kind = type_of(line) if line else ""
    field = "contact" if kind in RECEIPTS else "decision" if kind in RESPONSES else ""
    content: dict[str, dict[str, Any] | None] = msgspec.json.decode(line) if field else {}
    return field if (content.get("fields") or {}).get(field) is not None else ""
