"""One decision tried again: by other rules, with other values, later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import segments
from onevoice.engine import state as at
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Fork
from onevoice.runtime.decisions import us_of

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.history.decision import Decision, Line
    from onevoice.history.language import Language
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.program import Program
    from onevoice.runtime.alone import Alone
    from onevoice.runtime.customer import Customer


class Trial:
    """What is decided about a campaign and a customer from `since` (µs UTC) up to a decision, tried as often as wanted.

    `key`: which of the campaign's wishes is meant, None for any. `known`: what was known of the customer before.
    `words`: in which what is found is told.
    """

    def __init__(
        self, alone: Alone, decision: Decision, campaign: str, since: int, key: int | None, words: Language
    ) -> None:
        self.words = words
        engine = alone.before(since)
        fold = engine.writer.fold
        self.playbook: Playbook = fold.published.playbook
        self.campaign: Campaign = self.playbook.campaigns[campaign]
        self.number = list(self.playbook.campaigns).index(campaign)
        self.time = us_of(decision.time, "decision")
        self._decided_for = decision.customer
        self._key = key
        self._customer = customers.present_number(fold, decision.customer)
        self.known: Customer | None = None if self._customer is None else customers.view(fold, self._customer)
        self._fork = Fork(engine, alone.up_to(decision, since))

    @property
    def program(self) -> Program:
        """The rules as they were."""
        return self._fork.compiled.program

    def code(self, text: str) -> float:
        """Return the number by which the engine knows a text."""
        return self._fork.code(text)

    def outcome(self, program: Program | None = None, until: int = 0, *, anew: bool = False) -> tuple[int, Line] | None:
        """Return what is decided last about the campaign, and when; None where nothing is. `anew`: judge all before."""
        prepare = self._judge if anew and self._customer is not None else None
        found: tuple[int, Line] | None = None
        for decision in self._fork.decide(program, prepare, until or self.time):
            for line in decision.lines:
                is_meant = line.campaign == self.campaign.name and self._key in (None, line.key)
                if is_meant and decision.customer == self._decided_for:
                    found = us_of(decision.time, "decision"), line
                    if line.reason == "won":
                        return found
        return found

    def wins(self, program: Program | None = None, until: int = 0, *, anew: bool = False) -> bool:
        """Tell whether the campaign wins."""
        found = self.outcome(program, until, anew=anew)
        return found is not None and found[1].reason == "won"

    def _judge(self, program: Program, state: State) -> None:
        """Judge all segments of the customer at once: a value in them is another one now."""
        del program
        assert self._customer is not None, "there is a customer"
        segments.set_judgement(state, self._customer, int(state.scalars[at.NOW]))
