"""What becomes of a wish that is not decided on yet, if nothing else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from onevoice.engine import state as at
from onevoice.history.why import told_of
from onevoice.history.why_not import Obstacle
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Fork
from onevoice.runtime.decisions import us_of
from onevoice.runtime.why_not.changes import wait_changes, waited
from onevoice.runtime.why_not.customer import customer_changes, values, zone_of
from onevoice.runtime.why_not.never import day_of, other_day
from onevoice.runtime.why_not.trial import Trial

if TYPE_CHECKING:
    from onevoice.history.why_not import Change, WhyNot
    from onevoice.runtime.customer import Waiting
    from onevoice.runtime.why_not.question import Question


def waiting(question: Question, since: int) -> WhyNot | None:
    """Answer for a wish of after an instant that waits for its `after` or `wait`; None where there is none."""
    words, fold = question.words, question.engine.writer.fold
    customer = customers.present_number(fold, question.alone.customer)
    wish = None if customer is None else _first(customers.view(fold, customer).candidates, question.name, since)
    if customer is None or wish is None or wish.due is None:
        return None
    due = us_of(wish.due, "due")
    trial = Trial(question, _fork(question), customer, due, key=wish.key)
    when = words.time(wish.due, ZoneInfo(question.playbook.time_zone))
    text = words.say("waits_until", campaign=question.name, time=when)
    outcome = trial.outcome()
    if outcome is None:
        return _in_vain(question, trial, text)
    line = outcome[1]
    if line.reason == "won":
        waits = tuple(waited(trial, outcome[0]))
        return question.asked.answered(None, text, found=waits, caution=question.caution(trial, waits))
    told = told_of(line, trial.playbook, words, zone_of(trial.known, trial.playbook))
    found = Obstacle(told.reason, told.sentence, told.rule, question.place(told.rule))
    return question.asked.answered(None, text, (found,), found=tuple(wait_changes(trial, line.reason, line.until)))


def later(question: Question, key: int) -> tuple[tuple[Change, ...], str]:
    """Return when a wish that was held back goes out if nothing else happens from now on, and what of it is not sure.

    Of one that is gone nothing.
    """
    fold = question.engine.writer.fold
    customer = customers.present_number(fold, question.alone.customer)
    candidates = customers.view(fold, customer).candidates if customer is not None else ()
    wish = next((each for each in candidates if each.campaign == question.name and each.key == key), None)
    if customer is None or wish is None or wish.stage != "waits":
        return (), ""
    now = int(fold.machine.state.scalars[at.NOW])
    trial = Trial(question, _fork(question), customer, now, key=key)
    found = tuple(wait_changes(trial, wish.reason, wish.due))
    return found, question.caution(trial, found)


def _fork(question: Question) -> Fork:
    """Return what is decided from now on if nothing else happens to the customer; sources are heard as they were."""
    engine = question.engine
    return Fork(engine, [], later=question.alone.later(int(engine.writer.fold.machine.state.scalars[at.NOW])))


def _in_vain(question: Question, trial: Trial, text: str) -> WhyNot:
    """Answer for a wish that will not be born: its conditions are not true now, or it will be over by then."""
    campaign, zone = trial.campaign, ZoneInfo(question.playbook.time_zone)
    if campaign.to_us and trial.time >= campaign.to_us:
        rule, day = f"campaigns.{question.name}.to", day_of(campaign.to_us - 1, zone)
        late = Obstacle("not_triggered", f"to: {day}", rule, question.place(rule))
        better = tuple(other_day(trial, rule, day, [day, day_of(trial.time, zone)]))
        return question.asked.answered(None, text, (late,), values(trial), better, question.caution(trial, better))
    found = question.not_true(trial)
    return question.asked.answered(None, text, (found,), values(trial), tuple(customer_changes(trial)))


def _first(waiting: tuple[Waiting, ...], campaign: str, since: int) -> Waiting | None:
    """Return the wish that is looked at next of those that came after an instant.

    One that is born at the instant and waits was not looked at then.
    """
    new = [each for each in waiting if each.campaign == campaign and not each.reason and each.stage == "waits"]
    new = [each for each in new if each.due and (not each.born or us_of(each.born, "birth") >= since)]
    return min(new, key=lambda each: us_of(each.due or 0, "due"), default=None)
