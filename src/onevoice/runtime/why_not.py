"""Why a campaign did not go out to a customer, found by letting an engine of the customer's own decide otherwise.

Nothing is reasoned about: what stands in the way is taken away, one thing after the other, and what is named as a
change has been tried, and one unit less of it.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from onevoice.history.why import told_of
from onevoice.history.why_not import Change, Obstacle, WhyNot
from onevoice.playbook.capping import caps_of
from onevoice.playbook.load import places
from onevoice.playbook.model import TriggerKind
from onevoice.playbook.reads import reads_of
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.alone import Alone
from onevoice.runtime.changes import changes, found_of, index_of, shown, source_of
from onevoice.runtime.decisions import us_of
from onevoice.runtime.fold import FILES
from onevoice.runtime.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from onevoice.compiled import Compiled
    from onevoice.history.decision import Decision, Line
    from onevoice.history.language import Language
    from onevoice.journal.port import Journal
    from onevoice.playbook.model import Moment, Playbook
    from onevoice.playbook.record import Report
    from onevoice.program import Program
    from onevoice.runtime.alone import Patch
    from onevoice.runtime.fold import Fold
    from onevoice.runtime.index import Index

OBSTACLES_MAX: Final = 16
_OUTSIDE: Final = {"won", "expired", "ended", "too_many"}  # what is no reason for which a round passes somebody over


def why_not(
    journal: Journal,
    fold: Fold,
    asked: Asked,
    index: Index | None = None,
) -> WhyNot:
    """Return why a campaign of the playbook in force did not go out to a customer."""
    return _Question(fold, Alone(journal, fold, asked.customer, index), asked).answer()


def short_of(decided: Iterable[Decision], asked: Asked, playbook: Playbook) -> WhyNot | None:
    """Return that a campaign waits for its turn at a resource, if its last decision up to the instant says so.

    Whom others left no room cannot be tried alone: there is no change to be named but theirs.
    """
    found: tuple[Decision, Line] | None = None
    for decision in decided:
        if us_of(decision.time, "decision") <= asked.until:
            found = next(((decision, line) for line in decision.lines if line.campaign == asked.campaign), found)
    if found is None or found[1].reason != "no_capacity":
        return None
    told = told_of(found[1], playbook, asked.words)
    obstacle = Obstacle(told.reason, told.sentence, told.rule)
    return asked.answered(found[0].time, f"{asked.campaign}: {told.sentence}", (obstacle,))


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
    ) -> WhyNot:
        """Return the answer."""
        return WhyNot(self.campaign, self.customer, time, headline, obstacles, values or {}, found, self.words.code)


class _Question:
    """One campaign and one customer, asked about."""

    def __init__(self, fold: Fold, alone: Alone, asked: Asked) -> None:
        self.alone = alone
        self.asked, self.words = asked, asked.words
        self.fold, self.customer, self.name = fold, asked.customer, asked.campaign
        self.playbook = fold.published.playbook
        self.campaign = self.playbook.campaigns[asked.campaign]

    def answer(self) -> WhyNot:
        decided = self._about(None)
        if not decided:
            return self._never_wanted()
        decision, line = decided[-1]
        lost = next((each for each in reversed(decided) if _is_passed_over(each[1])), None)
        told = told_of(line, self.playbook, self.words).sentence
        text = self.words.say("about", campaign=self.name, sentence=told)
        if line.reason == "won" or lost is None:
            return self.asked.answered(decision.time, text)
        return self._tried(lost[0], lost[1], us_of(lost[0].time, "decision"), text)

    def _about(self, patch: Patch | None) -> list[tuple[Decision, Line]]:
        found = [each for each in self.alone.decisions(patch) if us_of(each.time, "decision") <= self.asked.until]
        return [(decision, line) for decision in found for line in decision.lines if line.campaign == self.name]

    def _tried(self, decision: Decision, lost: Line | None, since: int, text: str) -> WhyNot:
        trial = Trial(self.alone, decision, self.name, since, lost.key if lost else None, self.words)
        found = tuple(self._obstacles(trial, lost))
        return self.asked.answered(decision.time, text, found, _values(trial), tuple(changes(trial, lost)))

    def _never_wanted(self) -> WhyNot:
        """Answer for a campaign that never was a candidate: it was never triggered, or not for this customer."""
        always = self._about(partial(_patch, self.name, _without_dates))
        if always:  # only then it may have been triggered in its days
            anybody = partial(_patch, self.name, what_if.without_conditions)
            decided = [each for each in self._about(anybody) if each[1].reason not in {"expired", "ended", "too_many"}]
            if decided:
                decision = decided[-1][0]
                since = self._birth(us_of(decision.time, "decision"), anybody)
                said = self.words.say("never_eligible", campaign=self.name)
                return self._tried(decision, None, since, said)
            text, rule = self.words.say("never_in_time", campaign=self.name), f"campaigns.{self.name}.from"
        else:
            text, rule = self.words.say("never_triggered", campaign=self.name), f"campaigns.{self.name}.when"
        obstacle = Obstacle("not_triggered", self._trigger(), rule, self._place(rule))
        return self.asked.answered(None, text, (obstacle,))

    def _birth(self, decided: int, patch: Patch) -> int:
        """Return when the candidate of a decision was born."""
        fold = self.alone.before(decided, patch).writer.fold
        number = customers.present_number(fold, self.alone.customer)
        if number is None:
            return decided
        waiting = customers.view(fold, number).candidates
        births = (us_of(each.born, "birth") for each in waiting if each.campaign == self.name and each.born)
        return min(births, default=decided)

    def _trigger(self) -> str:
        """Say what triggers the campaign, and how far that has come."""
        when, say = self.campaign.when, self.words.say
        text = say(f"waits_{when.kind.name.lower()}", name=when.name)
        if when.name in self.playbook.segments:
            return text + say("waits_condition", condition=self.playbook.segments[when.name].condition)
        if when.kind is not TriggerKind.MOMENT:
            return text
        number = customers.present_number(self.fold, self.customer)
        view = customers.view(self.fold, self.customer if number is None else number)
        begun = max(view.moments.get(when.name, ()), key=lambda progress: progress.done, default=None)
        done = begun.done if begun else 0
        text += say("moment_progress", done, of=begun.of) if begun else say("moment_nothing")
        missing = missing_steps(self.playbook.moments[when.name], done)
        return text + (say("moment_missing", steps=", ".join(missing)) if missing else "")

    def _obstacles(self, trial: Trial, lost: Line | None) -> Iterator[Obstacle]:
        """Take away what stands in the way, one thing after the other."""
        program = trial.program
        if lost is None:
            rule = f"campaigns.{self.name}.if"
            said = self.words.say("not_true", condition=_conditions(trial))
            yield Obstacle("not_eligible", said, rule, self._place(rule))
            program = what_if.without_conditions(program, trial.number)
        reasons: set[tuple[str, str]] = set()
        for _ in range(OBSTACLES_MAX):
            outcome = trial.outcome(program)
            if outcome is None or outcome[1].reason in _OUTSIDE:
                return
            line = outcome[1]
            if (line.reason, line.rule) in reasons:
                return  # it cannot be taken away
            reasons.add((line.reason, line.rule))
            what = told_of(line, trial.playbook, self.words)
            yield Obstacle(line.reason, what.sentence, what.rule, self._place(what.rule))
            program = _without(program, trial, line)

    def _place(self, rule: str) -> str:
        return self._places.where(rule).partition(" ")[0] if rule and self._places else ""

    @cached_property
    def _places(self) -> Report | None:
        published = self.fold.published
        if published.form != FILES:
            return None
        return places(msgspec.msgpack.decode(published.payload, type=dict[str, bytes]))


def _is_passed_over(line: Line) -> bool:
    """Tell whether a round passed a wish over; one with a contact under way has won already."""
    return line.reason not in _OUTSIDE and line.contact is None


def missing_steps(moment: Moment, done: int) -> list[str]:
    """Return the steps of a moment that have not come when so many of its events have, as a playbook writes them."""
    missing: list[str] = []
    for step in moment.steps:
        names = ", ".join(match.event for match in step.matches)
        names = f"any of {names}" if len(step.matches) > 1 else names
        if step.absent:
            missing += [f"no {names}"] if step.within_us else []
            continue
        left = step.count - min(done, step.count)
        done -= step.count - left
        if left:
            missing.append(f"{left} {names}" if left > 1 else names)
    return missing


def _patch(name: str, changed: Callable[[Program, int], Program], compiled: Compiled) -> Program:
    campaigns = list(compiled.playbook.campaigns)
    return changed(compiled.program, campaigns.index(name)) if name in campaigns else compiled.program


def _without_dates(program: Program, campaign: int) -> Program:
    return what_if.without_dates(what_if.without_conditions(program, campaign), campaign)


def _without(program: Program, trial: Trial, line: Line) -> Program:
    """Return the program without what a line names as the reason; the same where nothing can be taken away."""
    channels, classes = list(trial.playbook.channels), list(trial.playbook.policies.classes)
    match line.reason:
        case "not_eligible":
            return what_if.without_conditions(program, trial.number)
        case "stale":
            return what_if.without_source(program, trial.number, source_of(trial, line))
        case "no_consent":
            return what_if.without_consent(program, classes.index(trial.campaign.klass))
        case "no_address":
            return what_if.without_addresses(program, channels.index(line.channel))
        case "suppressed":
            return what_if.without_suppression(program, index_of(line.rule))
        case "again_after":
            return what_if.with_again_after(program, trial.number, 0)
        case "fatigue":
            return what_if.without_fatigue(program)
        case "hours":
            return what_if.without_hours(program, channels.index(line.channel))
        case "gap":
            return what_if.with_gap(program, 0)
        case "cap":
            return what_if.with_cap(program, [*caps_of(trial.playbook)].index(line.rule), what_if.MANY)
        case "would_have_won":
            return what_if.without_holdouts(program)
        case "kept_for":
            return what_if.with_look_ahead(program, 0)
        case "outranked":
            return what_if.with_priority(program, trial.number, what_if.BEYOND)
        case _:
            return program


def _conditions(trial: Trial) -> str:
    """Return what the campaign's conditions say; of several offers one is enough."""
    offers = [trial.playbook.offers[name].condition for name in trial.campaign.offers]
    either = " or ".join(f"({each})" if len(offers) > 1 else each for each in offers) if all(offers) else ""
    return " and ".join(
        filter(None, (trial.campaign.condition, f"({either})" if len(offers) > 1 and either else either))
    )


def _values(trial: Trial) -> dict[str, str]:
    """Return what was known of each name that the campaign's conditions read."""
    return {known.name: shown(found_of(trial, known)) for known in reads_of(trial.playbook, trial.campaign)}
