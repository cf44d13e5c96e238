"""Why a campaign did not go out to a customer, found by letting an engine of the customer's own decide otherwise.

Nothing is reasoned about: what stands in the way is taken away, one thing after the other, and what is named as a
change has been tried, and one unit less of it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from onevoice.engine.state import INFINITE
from onevoice.history.why import told_of
from onevoice.history.why_not import Obstacle, WhyNot
from onevoice.playbook.load import places
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Alone
from onevoice.runtime.decisions import us_of
from onevoice.runtime.fold import FILES
from onevoice.runtime.why_not.changes import changes
from onevoice.runtime.why_not.customer import values, zone_of
from onevoice.runtime.why_not.event import event_values, trigger_of
from onevoice.runtime.why_not.never import never_wanted, triggered_again
from onevoice.runtime.why_not.obstacles import conditions, is_passed_over, last_lost, obstacles
from onevoice.runtime.why_not.trial import Trial
from onevoice.runtime.why_not.waiting import later, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from onevoice.compiled import Compiled
    from onevoice.history.decision import Decision, Line
    from onevoice.history.language import Language
    from onevoice.history.why_not import Change
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.playbook.record import Report
    from onevoice.program import Program
    from onevoice.runtime.alone import Engine, Patch
    from onevoice.runtime.fold import Fold, Published
    from onevoice.runtime.index import Index

_OVER: Final = {"won", "expired", "ended", "not_eligible", "too_many", "would_have_won"}  # after which nothing waits


def why_not(
    journal: Journal,
    fold: Fold,
    asked: Asked,
    index: Index | None = None,
) -> WhyNot | None:
    """Return why a campaign did not go out to a customer; None if neither the playbook of then nor of now has it."""
    question = Question(fold, Alone(journal, fold, asked.customer, index), asked)
    return question.answer() if asked.campaign in question.playbook.campaigns else None


class Asked(NamedTuple):
    """What is asked: a campaign and a customer, up to an instant (µs UTC); and in which words to answer."""

    customer: int
    campaign: str
    until: int
    words: Language

    def answered(
        self,
        time: datetime | None,
        headline: str,
        obstacles: tuple[Obstacle, ...] = (),
        values: dict[str, str] | None = None,
        found: tuple[Change, ...] = (),
        caution: str = "",
    ) -> WhyNot:
        """Return the answer."""
        code = self.words.code
        return WhyNot(self.campaign, self.customer, time, headline, obstacles, values or {}, found, code, caution)


class About(NamedTuple):
    """A line about the campaign, of a decision, made by a playbook."""

    playbook: Playbook
    decision: Decision
    line: Line


class Question:
    """One campaign and one customer, asked about, and what is decided about them alone."""

    def __init__(self, fold: Fold, alone: Alone, asked: Asked) -> None:
        self.alone = alone
        self.asked, self.words, self.name = asked, asked.words, asked.campaign
        self._in_force = fold.published
        self._places: tuple[str, Report] | None = None

    def answer(self) -> WhyNot:
        """Return what became of the campaign's last wish, and why it did not go out."""
        decided, recorded = self.about(None), self._of_campaign(self.alone.recorded())
        if [*map(_told, decided)] != [*map(_told, recorded)]:
            return self._as_recorded(recorded)
        if not decided or decided[-1].line.reason in _OVER:
            waits = waiting(self, us_of(decided[-1].decision.time, "decision") if decided else 0)
            if waits is not None:
                return waits
        if not decided:
            return never_wanted(self)
        playbook, decision, line = decided[-1]
        if line.reason in _OVER and (again := triggered_again(self, decided[-1])) is not None:
            return again
        told = told_of(
            recorded[-1].line, playbook, self.words, self._zone
        )  # with the numbers that contacts have among all
        text = self.words.say("about", campaign=self.name, sentence=told.sentence)
        lost = last_lost(decided)
        if line.reason == "won":
            return self.asked.answered(decision.time, text)
        if lost is None:
            rule = Obstacle(told.reason, told.sentence, told.rule, self.place(told.rule))
            return self.asked.answered(decision.time, text, (rule,))
        tried = self.tried(self._trial(lost), lost.decision.time, text, lost.line)
        waits, caution = later(self, line.key) if line.reason not in _OVER else ((), "")
        return replace(tried, changes=(*waits, *tried.changes), caution=tried.caution or caution)

    def _as_recorded(self, recorded: Sequence[About]) -> WhyNot:
        """Answer where an engine of the customer's own decides otherwise: only what was decided can be told."""
        caution = self.words.say("caution_differs")
        if not recorded:
            return self.asked.answered(None, self.words.say("never_decided", campaign=self.name), caution=caution)
        last, lost = recorded[-1], next((each for each in reversed(recorded) if is_passed_over(each.line)), None)
        sentence = told_of(last.line, last.playbook, self.words, self._zone).sentence
        text = self.words.say("about", campaign=self.name, sentence=sentence)
        if last.line.reason == "won" or lost is None:
            return self.asked.answered(last.decision.time, text, caution=caution)
        told = told_of(lost.line, lost.playbook, self.words, self._zone)
        obstacle = Obstacle(told.reason, told.sentence, told.rule)
        return self.asked.answered(lost.decision.time, text, (obstacle,), caution=caution)

    def about(self, patch: Patch | None, alone: Alone | None = None) -> list[About]:
        """Return what is decided about the campaign; `patch`: by other programs of the playbooks."""
        return self._of_campaign((alone or self.alone).decided(patch))

    def patch(self, changed: Callable[[Program, int], Program]) -> Patch:
        """Return the programs of the playbooks that have the campaign, changed by its number in them."""

        def patched(compiled: Compiled) -> Program:
            names = list(compiled.playbook.campaigns)
            return changed(compiled.program, names.index(self.name)) if self.name in names else compiled.program

        return patched

    def decided_by(self, engine: Engine) -> list[About]:
        """Return what an engine has decided about the campaign."""
        return self._of_campaign(self.alone.decided_by(engine))

    def _of_campaign(self, decided: Iterable[tuple[Playbook, Decision]]) -> list[About]:
        found = [each for each in decided if us_of(each[1].time, "decision") <= self.asked.until]
        return [About(book, made, line) for book, made in found for line in made.lines if line.campaign == self.name]

    def _trial(self, about: About) -> Trial:
        """Return a decision to be tried again."""
        time = us_of(about.decision.time, "decision")
        fork = self.alone.fork(about.decision, about.playbook, time)
        return Trial(self, fork, about.decision.customer, time, lost=about.line)

    def caution(self, trial: Trial, found: Sequence[Change]) -> str:
        """Return what is not sure of changes that were tried; empty where all of it is."""
        return self.words.say("caution_untold", names=", ".join(trial.untold)) if found and trial.untold else ""

    def tried(self, trial: Trial, time: datetime | None, text: str, lost: Line | None = None) -> WhyNot:
        """Answer with what stood in the way of a wish, and with what it would have taken.

        `lost`: why it lost; None where its conditions were not true.
        """
        published = trial.fork.fold.published
        found = [
            Obstacle(told.reason, told.sentence, told.rule, self.place(told.rule, published))
            for told in obstacles(trial, is_eligible=lost is not None)
        ]
        if lost is None:
            found.insert(0, self.not_true(trial))
        better = tuple(changes(trial, lost)) if found else ()  # what wins in that instant has nothing in its way
        place = None if lost else trigger_of(trial)
        known = values(trial) | (event_values(trial, place) if place is not None else {})
        return self.asked.answered(time, text, tuple(found), known, better, self.caution(trial, better))

    def not_true(self, trial: Trial) -> Obstacle:
        """Return that the campaign's conditions are not true."""
        rule = f"campaigns.{self.name}.if"
        said = self.words.say("not_true", condition=conditions(trial))
        return Obstacle("not_eligible", said, rule, self.place(rule, trial.fork.fold.published))

    @cached_property
    def engine(self) -> Engine:
        """An engine that has decided on all up to the instant that is asked for."""
        return self.alone.before(min(self.asked.until + 1, INFINITE))

    @cached_property
    def _zone(self) -> str:
        """The customer's own time zone."""
        number = customers.present_number(self.engine.writer.fold, self.alone.customer)
        known = customers.view(self.engine.writer.fold, number) if number is not None else None
        return zone_of(known, self.playbook)

    @property
    def playbook(self) -> Playbook:
        """The playbook of that instant, or the one in force where that does not have the campaign."""
        return self._published.playbook

    @property
    def compiled(self) -> Compiled:
        """What that is compiled to."""
        return self._published.compiled

    @property
    def campaign(self) -> Campaign:
        """The campaign."""
        return self.playbook.campaigns[self.name]

    @property
    def is_there(self) -> bool:
        """Whether the playbook of that instant has the campaign."""
        return self.name in self.engine.writer.fold.published.playbook.campaigns

    @property
    def _published(self) -> Published:
        then = self.engine.writer.fold.published
        return then if self.name in then.playbook.campaigns else self._in_force

    def place(self, rule: str, published: Published | None = None) -> str:
        """Return file and line of a rule; empty where the playbook was not read from files."""
        published = published or self._published
        if not rule or published.form != FILES:
            return ""
        if self._places is None or self._places[0] != published.digest:
            files = msgspec.msgpack.decode(published.payload, type=dict[str, bytes])
            self._places = published.digest, places(files)
        return self._places[1].where(rule).partition(" ")[0]


def _told(about: About) -> tuple[object, ...]:
    """Return what has to be the same of a line about one customer, whoever decides it again."""
    decision, line = about.decision, about.line
    told = line.reason, line.channel, line.rule, line.value, line.limit, line.until
    return decision.time, decision.kind, line.key, told
