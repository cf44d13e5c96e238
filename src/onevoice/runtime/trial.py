"""One decision tried again: by other rules, with other values, later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from onevoice.engine import facts, segments, switches
from onevoice.engine import state as at
from onevoice.engine.state import INFINITE
from onevoice.program import CHANNEL_NAME, CLASS_PURPOSE, P_FACT_CONSENT
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.carry import survivor
from onevoice.runtime.decisions import us_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.engine.state import State
    from onevoice.history.decision import Line
    from onevoice.history.language import Language
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.program import Program
    from onevoice.runtime.alone import Fork
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.fold import Fold

Prepare: TypeAlias = "Callable[[Program, State], None]"  # what is done to a state before something is tried in it

_SWITCHES: Final = {"class": switches.OF_CLASS, "all": switches.OF_ALL}  # by the rule of a line


class Trial:
    """What a fork decides about a campaign and a customer up to a time (µs UTC), tried as often as wanted.

    `key`: which of the campaign's wishes is meant, None for any that a change might bring about. `known`: what was
    known of the customer when the conditions were judged, by which the campaign lost. `words`: in which what is found
    is told.
    """

    def __init__(self, fork: Fork, campaign: str, customer: int, time: int, key: int | None, words: Language) -> None:
        self.words = words
        self.fork = fork
        self.playbook: Playbook = fork.fold.published.playbook
        self.campaign: Campaign = self.playbook.campaigns[campaign]
        self.number = list(self.playbook.campaigns).index(campaign)
        self.time = time
        self._customer = customer
        self._key = key
        self.known = self._known()

    def _known(self) -> Customer | None:
        """Return what is known when the decision is made, or when a wish would be born, and is not for its `if`."""
        if self._key is not None:
            *_, (fold, _) = self.fork.run(until=self.time)
            return self._view(fold)
        known: Customer | None = None
        for fold, decided in self.fork.run(what_if.without_conditions(self.program, self.number), until=self.time):
            known = self._view(fold)
            wanted = {line.campaign for each in decided for line in each.lines}
            wanted.update(each.campaign for each in (known.candidates if known else ()))
            if self.campaign.name in wanted:
                break
        return known

    def _view(self, fold: Fold) -> Customer | None:
        customer = customers.present_number(fold, self._customer)
        return None if customer is None else customers.view(fold, customer)

    @property
    def is_founded(self) -> bool:
        """Whether the customer is known before what is tried."""
        return customers.present_number(self.fork.fold, self._customer) is not None

    @property
    def program(self) -> Program:
        """The rules as they were."""
        return self.fork.compiled.program

    def code(self, text: str) -> float:
        """Return the number by which the engine knows a text."""
        return self.fork.code(text)

    def outcome(
        self, program: Program | None = None, until: int = 0, prepare: Prepare | None = None
    ) -> tuple[int, Line] | None:
        """Return what is decided last about the campaign, and when; None where nothing is."""
        found: tuple[int, Line] | None = None
        for decision in self.fork.decide(program, prepare, until or self.time):
            for line in decision.lines:
                is_meant = line.campaign == self.campaign.name and self._key in (None, line.key)
                if is_meant and decision.customer == self._customer:
                    found = us_of(decision.time, "decision"), line
                    if line.reason == "won":
                        return found
        return found

    def wins(self, program: Program | None = None, until: int = 0, prepare: Prepare | None = None) -> bool:
        """Tell whether the campaign wins."""
        found = self.outcome(program, until, prepare)
        return found is not None and found[1].reason == "won"

    # What may be done to the state before.

    def judge(self, program: Program, state: State) -> None:
        """Judge all segments of the customer at once: a value in them is another one now."""
        del program
        if self.is_founded:  # who is founded later is judged then
            segments.set_judgement(state, survivor(state, self._customer), int(state.scalars[at.NOW]))

    def switched_on(self, switch: str) -> Prepare:
        """Return what turns on the switch by which the campaign is off; the rule of a line `paused` names it."""
        which = _SWITCHES.get(switch, switches.OF_CAMPAIGN)

        def turn(program: Program, state: State) -> None:
            state.switches[switches.row_of(program, state, self.number, which), at.W_STATE] = switches.ON

        return turn

    def consenting(self, channel: str) -> Prepare:
        """Return what opens the consent of the customer to the campaign's purpose on a channel."""

        def give(program: Program, state: State) -> None:
            channels, classes = [*self.playbook.channels], [*self.playbook.policies.classes]
            on = program.channels[channels.index(channel), CHANNEL_NAME]
            purpose = program.classes[classes.index(self.campaign.klass), CLASS_PURPOSE]
            key = (state.names[on, at.N_HASH], state.names[purpose, at.N_HASH], 0)
            when = (int(state.scalars[at.NOW]), INFINITE)
            fact = program.limits[P_FACT_CONSENT]
            facts.set_key(program, state, survivor(state, self._customer), fact, at.OPEN_AT, *key, *when)

        return give
