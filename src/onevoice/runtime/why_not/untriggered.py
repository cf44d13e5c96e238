"""Why a campaign was never triggered: what it waits for, how far that has come, and what of it would be enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from onevoice.history.language import language
from onevoice.history.why_not import Obstacle
from onevoice.playbook.model import TriggerKind
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Fork
from onevoice.runtime.decisions import EPOCH, time_of
from onevoice.runtime.why_not.coming import begun, coming_changes, missing_steps, now_of, soon, trial_now
from onevoice.runtime.why_not.customer import customer_changes, values
from onevoice.runtime.why_not.event import event_changes, event_values
from onevoice.runtime.why_not.trial import Trial

if TYPE_CHECKING:
    from onevoice.history.why_not import WhyNot
    from onevoice.playbook.model import Step
    from onevoice.runtime.why_not.question import Question

_SEGMENTS: Final = {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}


def untriggered(question: Question) -> WhyNot:
    """Answer for a campaign that nothing triggered: what it waits for, and what of that would have been enough."""
    rule = f"campaigns.{question.name}.when"
    obstacle = Obstacle("not_triggered", _waits_for(question), rule, question.place(rule))
    text = question.words.say("never_triggered", campaign=question.name)
    if not question.is_there:
        return question.asked.answered(None, text, (obstacle,))
    if question.campaign.when.kind in _SEGMENTS:
        trial = trial_now(question)
        found = tuple(customer_changes(trial))
        known = values(trial)
    elif (trial := _last_event(question)) is not None:
        found = tuple(event_changes(trial, 0))
        known = values(trial) | event_values(trial, 0)
    else:
        coming = [*coming_changes(question)]
        cautions = [question.caution(trial, [change]) for change, trial in coming]
        better = tuple(change for change, _ in coming)
        return question.asked.answered(None, text, (obstacle,), found=better, caution="; ".join(filter(None, cautions)))
    return question.asked.answered(None, text, (obstacle,), known, found, question.caution(trial, found))


def _last_event(question: Question) -> Trial | None:
    """Return a trial from the last event on of the type that triggers the campaign: its first step."""
    when = question.campaign.when
    if when.kind is not TriggerKind.EVENT or not when.where:
        return None
    steps = [step for step in question.alone.steps if step.line and step.now <= question.asked.until]
    events = [msgspec.json.decode(step.line, type=_Event) for step in steps]
    ids = [event.id for event in events]
    for place in reversed(range(len(steps))):
        step, event = steps[place], events[place]
        is_repeated = event.id is not None and event.id in ids[:place]
        if not step.observing and not is_repeated and event.type == when.name:
            until = soon(question, step.now)
            engine = question.alone.before(step.now)
            engine.take_all(each for each in steps[:place] if each.now == step.now)
            if question.name not in engine.writer.fold.published.playbook.campaigns:
                return None
            fork = Fork(engine, [each for each in steps[place:] if each.now <= until])
            return Trial(question, fork, question.alone.customer, until)
    return None


class _Event(msgspec.Struct):
    type: str
    id: str | int | None = None


def _waits_for(question: Question) -> str:
    """Say what triggers the campaign, and how far that has come."""
    when, say = question.campaign.when, question.words.say
    named = f"{when.name} where {when.where}" if when.where else when.name
    text = say(f"waits_{when.kind.name.lower()}", name=named) + _since(question)
    if when.name in question.playbook.segments:
        return text + say("waits_condition", condition=question.playbook.segments[when.name].condition)
    if when.kind is TriggerKind.ONCE and when.at_us <= now_of(question):
        zone = ZoneInfo(question.playbook.time_zone)
        return text + say("waits_past", time=question.words.time(time_of(when.at_us) or EPOCH, zone))
    if when.kind is TriggerKind.PRODUCT and not _is_open(question, when.fact):
        return text + say("waits_fact", fact=when.fact)
    if when.kind is not TriggerKind.MOMENT:
        return text
    progress = begun(question)
    text += say("moment_progress", progress.done, of=progress.of) if progress else say("moment_nothing")
    missing = [_written(*each) for each in missing_steps(question.playbook.moments[when.name], progress)]
    return text + (say("moment_missing", steps=", ".join(missing)) if missing else "")


def _is_open(question: Question, fact: str) -> bool:
    fold = question.engine.writer.fold
    number = customers.present_number(fold, question.alone.customer)
    return number is not None and bool(customers.view(fold, number).facts.get(fact))


def _since(question: Question) -> str:
    """Say since when the playbook has the campaign, where it had not from the beginning."""
    books = [(step.now, step.published.playbook) for step in question.alone.steps if step.published]
    since = next((now for now, playbook in books if question.name in playbook.campaigns), 0)
    if question.name in books[0][1].campaigns or not since:
        return ""
    zone = ZoneInfo(question.playbook.time_zone)
    return question.words.say("waits_since", time=question.words.time(time_of(since) or EPOCH, zone))


def _written(step: Step, left: int) -> str:
    """Return a step of which so many events are missing, as a playbook writes it."""
    names = ", ".join(f"{each.event} where {each.where}" if each.where else each.event for each in step.matches)
    names = f"any of {names}" if len(step.matches) > 1 else names
    within = language("en").span(step.within_us) if step.within_us else ""
    if step.absent:
        return f"no {names} for {within}"
    return (f"{left} {names}" if left > 1 else names) + (f" within {within}" if within else "")
