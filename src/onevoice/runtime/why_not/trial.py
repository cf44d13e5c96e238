"""One decision tried again: by other rules, with other values, later."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from onevoice.engine import facts, segments, switches
from onevoice.engine import state as at
from onevoice.engine.state import INFINITE
from onevoice.playbook.reads import reads_of
from onevoice.playbook.resources import resources_of
from onevoice.program import CHANNEL_NAME, CLASS_PURPOSE, P_FACT_CONSENT
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.always import Always
from onevoice.runtime.carry import survivor
from onevoice.runtime.decisions import us_of
from onevoice.runtime.why_not.asking import answer, assembled
from onevoice.runtime.why_not.own_use import exceeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onevoice.conditions.tree import Expression
    from onevoice.engine.state import State
    from onevoice.history.decision import Line
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.program import Program
    from onevoice.runtime.alone import Fork
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.fold import Fold
    from onevoice.runtime.why_not.question import Question

# Reasons that stop a candidate before it is asked whether resources have room for it.
_BEFORE_ROOM: Final = {
    *("not_eligible", "paused", "stale", "no_consent", "no_address", "failed", "suppressed", "again_after"),
}

Prepare: TypeAlias = "Callable[[Program, State], None]"  # what is done to a state before something is tried in it

_SWITCHES: Final = {"class": switches.OF_CLASS, "all": switches.OF_ALL}  # by the rule of a line


class Place(NamedTuple):
    """Where a line stands: its instant (µs UTC), its place in the journal, its campaign and its key."""

    time: int
    position: int
    campaign: str
    key: int


class Trial:
    """What a fork decides about a question's campaign and a customer up to a time (µs UTC), tried as often as wanted.

    `lost`: why the campaign lost, and so which of its wishes is meant; else `key` says it, or any that a change might
    bring about is.
    `known`: what was known of the customer when the conditions were judged, by which the campaign lost, and `answers`
    to what they ask of facts by a key or of others; `reads`: what they read, each with the constants near it. `words`:
    in which what is found is told. `untold`: the resources of which nobody has told whether they had room, and with
    which the campaign won.
    """

    def __init__(
        self,
        question: Question,
        fork: Fork,
        customer: int,
        time: int,
        *,
        lost: Line | None = None,
        key: int | None = None,
    ) -> None:
        self.words = question.words
        self.untold: dict[str, None] = {}
        self.fork = fork
        self.playbook: Playbook = fork.fold.published.playbook
        self.always = Always(question.alone, time, self.playbook)
        self.campaign: Campaign = self.playbook.campaigns[question.name]
        self.number = list(self.playbook.campaigns).index(question.name)
        self.time = time
        self._customer = customer
        self._lost, self._key = lost, lost.key if lost else key
        self.reads = reads_of(self.playbook, self.campaign)
        asked = [known.asked for known in self.reads if known.asked]
        self.codes = {each: assembled(each, fork.code) for each in asked}
        self.answers: dict[Expression, bool | None] = {}
        self.known = self._known()

    def _known(self) -> Customer | None:
        """Return what is known when the decision is made, or when a wish would be born, and is not for its `if`."""
        if self._lost is not None:
            *_, (fold, _) = self.fork.run(self._customer, until=self.time)
            return self._view(fold)
        known: Customer | None = None
        anybody = what_if.without_conditions(self.program, self.number)
        for fold, decided in self.fork.run(self._customer, anybody, until=self.time):
            known = self._view(fold)
            wanted = {line.campaign for each in decided for line in each.lines}
            wanted.update(each.campaign for each in (known.candidates if known else ()) if each.born)
            if self.campaign.name in wanted:
                break
        return known

    def _view(self, fold: Fold) -> Customer | None:
        customer = customers.present_number(fold, self._customer)
        if customer is None:
            return None
        state = fold.machine.state
        self.answers = {
            asked: answer(self.program, state, asked, code, customer, self.number) for asked, code in self.codes.items()
        }
        return customers.view(fold, customer)

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
        """Return what is decided last about the campaign, or that it wins, and when; None where nothing is."""
        found: tuple[int, Line] | None = None
        for found in self.lines(program, until, prepare):
            if found[1].reason == "won":
                return found
        return found

    def lines(
        self, program: Program | None = None, until: int = 0, prepare: Prepare | None = None
    ) -> Iterator[tuple[int, Line]]:
        """Yield what is decided about the campaign, each with its time."""
        for decision in self.fork.decide(self._customer, program, prepare, until or self.time):
            for line in decision.lines:
                if line.campaign == self.campaign.name and self._key in {None, line.key}:
                    time = us_of(decision.time, "decision")
                    if line.reason == "won":
                        self.untold |= dict.fromkeys(self._untold(line, self._lost if time == self.time else None))
                    yield time, line

    def is_tied(self, program: Program) -> bool:
        """Tell whether the campaign wins only by lot: another one that could have won has the same rank."""
        for decision in self.fork.decide(self._customer, program, until=self.time):
            won = [line for line in decision.lines if line.campaign == self.campaign.name and line.reason == "won"]
            if won and any(line.score == won[0].score and line.reason == "outranked" for line in decision.lines):
                return True
        return False

    def _untold(self, won: Line, lost: Line | None) -> list[str]:
        """Return what a contact would use that others use, too, and of which it is not told whether it had room.

        `lost`: why there was none at that instant, as it was.
        """
        if won.channel not in self.playbook.channels or won.offer not in {"", *self.playbook.offers}:
            return []  # shown where somebody asked, or made by a later playbook
        others = self.playbook.campaigns.get(won.campaign, self.campaign)
        campaign = self.campaign if won.campaign == self.campaign.name else others
        used = resources_of(self.playbook, campaign, won.channel, won.offer)
        is_new = lost is not None and lost.reason == "paused" and bool(lost.limit)  # a run, after the pause
        used += [f"campaigns.{campaign.name}.at_most"] if campaign.at_most_contacts and not is_new else []
        if lost is None or lost.reason in _BEFORE_ROOM:
            return used
        if lost.reason == "no_capacity" and lost.rule in used and lost.channel == won.channel:
            return used[used.index(lost.rule) + 1 :]
        return []

    def wins(self, program: Program | None = None, until: int = 0, prepare: Prepare | None = None) -> bool:
        """Tell whether the campaign wins."""
        found = self.outcome(program, until, prepare)
        return found is not None and found[1].reason == "won"

    def would_have_won(self, program: Program) -> list[str] | None:
        """Return what else the wish's going out by then depends on if these rules hold since their playbook does.

        That is the resources of which nobody has told whether they had room for what goes out otherwise. None where the
        wish does not go out. All that the customer did, and those who hang together with them, is decided again; others
        are as they were.
        """
        always = self._lines(program)
        was = self.as_it_was
        new = {
            place: line
            for place, line in always.items()
            if _has_won(line) and not (place in was and _has_won(was[place]))
        }
        mine = [place for place in new if (place.campaign, place.key) == (self.campaign.name, self._key)]
        if not any(place.time >= self._since for place in mine):
            return None
        if exceeds(self.playbook, self.campaign, always) and not exceeds(self.playbook, self.campaign, was):
            return None
        return [name for place, line in new.items() for name in self._untold(line, was.get(place))]

    @cached_property
    def as_it_was(self) -> dict[Place, Line]:
        """All that was decided about the customer."""
        return self._lines(None)

    def _lines(self, program: Program | None) -> dict[Place, Line]:
        """Return all that is decided about the customer by other rules, up to then; in each place what has won."""
        found: dict[Place, Line] = {}
        for _, decision in self.always.decided(program, self._customer):
            time = us_of(decision.time, "decision")
            for line in decision.lines if time <= self.time else ():
                place = Place(time, decision.position, line.campaign, line.key)
                found[place] = line if _has_won(line) else found.get(place, line)
        return found

    @cached_property
    def _since(self) -> int:
        """When the wish was born, or was to be (µs UTC)."""
        customer = customers.present_number(self.fork.fold, self._customer)
        wishes = customers.view(self.fork.fold, customer).candidates if customer is not None else ()
        born = [each.born for each in wishes if each.campaign == self.campaign.name and each.key == self._key]
        return min([self.begins, *(us_of(each, "birth") for each in born if each)])

    @property
    def begins(self) -> int:
        """When what is tried begins: at the decision, or where a wish was triggered (µs UTC)."""
        return min([self.time, *(step.now for step in self.fork.steps if not self._lost)])

    def without_limit(self) -> Trial:
        """Return a trial in which nobody tells that the campaign came to the limit of its run, and it has none."""
        other, name = copy(self), self.campaign.name
        other.campaign = replace(self.campaign, at_most_contacts=0, failures_share=0.0)
        other.fork = self.fork.without_pauses(name)
        other.always, other.as_it_was = self.always.without_pauses(name), self.as_it_was
        return other

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


def _has_won(line: Line) -> bool:
    return line.reason == "won"
