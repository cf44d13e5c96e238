"""What becomes of a wish that is not decided on yet, if nothing else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from onevoice.history.why import told_of
from onevoice.history.why_not import Obstacle
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Fork
from onevoice.runtime.decisions import us_of
from onevoice.runtime.why_not.changes import wait_changes, waited
from onevoice.runtime.why_not.customer import customer_changes, values
from onevoice.runtime.why_not.trial import Trial

if TYPE_CHECKING:
    from onevoice.history.why_not import WhyNot
    from onevoice.runtime.customer import Waiting
    from onevoice.runtime.why_not.question import Question


def waiting(question: Question, since: int) -> WhyNot | None:
    """Answer for a wish of after an instant that waits for its `after` or `wait`; None where there is none."""
    engine, words = question.engine, question.words
    fold = engine.writer.fold
    customer = customers.present_number(fold, question.alone.customer)
    wish = None if customer is None else _first(customers.view(fold, customer).candidates, question.name, since)
    if customer is None or wish is None or wish.due is None:
        return None
    due = us_of(wish.due, "due")
    trial = Trial(Fork(engine, []), question.name, customer, due, words, key=wish.key)
    when = words.time(wish.due, ZoneInfo(question.playbook.time_zone))
    text = words.say("waits_until", campaign=question.name, time=when)
    outcome = trial.outcome()
    if outcome is None:
        return _in_vain(question, trial, text)
    line = outcome[1]
    if line.reason == "won":
        return question.asked.answered(None, text, found=tuple(waited(trial, outcome[0])))
    told = told_of(line, trial.playbook, words)
    found = Obstacle(told.reason, told.sentence, told.rule, question.place(told.rule))
    return question.asked.answered(None, text, (found,), found=tuple(wait_changes(trial, line)))


def _in_vain(question: Question, trial: Trial, text: str) -> WhyNot:
    """Answer for a wish that will not be born: its conditions are not true now."""
    found = question.not_true(trial)
    return question.asked.answered(None, text, (found,), values(trial), tuple(customer_changes(trial)))


def _first(waiting: tuple[Waiting, ...], campaign: str, since: int) -> Waiting | None:
    """Return the wish that is looked at next of those that came after an instant.

    One that is born at the instant and waits was not looked at then.
    """
    new = [each for each in waiting if each.campaign == campaign and not each.reason and each.stage == "waits"]
    new = [each for each in new if each.due and (not each.born or us_of(each.born, "birth") >= since)]
    return min(new, key=lambda each: us_of(each.due or 0, "due"), default=None)
