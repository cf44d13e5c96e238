"""Why a campaign was never triggered: what it waits for, how far that has come, and what of it would be enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from onevoice.engine import state as at
from onevoice.history.why_not import Obstacle
from onevoice.playbook.model import TriggerKind
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Fork
from onevoice.runtime.decisions import EPOCH, time_of
from onevoice.runtime.why_not.customer import customer_changes, values
from onevoice.runtime.why_not.event import event_changes, event_values, trigger_of
from onevoice.runtime.why_not.trial import Trial

if TYPE_CHECKING:
    from onevoice.history.why_not import WhyNot
    from onevoice.playbook.model import EventMatch, Moment
    from onevoice.runtime.why_not.question import Question

_SEGMENTS: Final = {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}


def untriggered(question: Question) -> WhyNot:
    """Answer for a campaign that nothing triggered: what it waits for, and what of that would have been enough."""
    rule = f"campaigns.{question.name}.when"
    obstacle = Obstacle("not_triggered", _waits_for(question), rule, question.place(rule))
    text = question.words.say("never_triggered", campaign=question.name)
    if question.campaign.when.kind in _SEGMENTS:
        trial = _now(question)
        found = tuple(customer_changes(trial))
        known = values(trial)
    elif (trial := _last_event(question)) is not None and (place := trigger_of(trial)) is not None:
        found = tuple(event_changes(trial, place))
        known = values(trial) | event_values(trial, place)
    else:
        return question.asked.answered(None, text, (obstacle,))
    return question.asked.answered(None, text, (obstacle,), known, found, question.caution(trial, found))


def _now(question: Question) -> Trial:
    """Return a trial of what would be decided at once if something else were known of the customer."""
    fork = Fork(question.engine, [])
    until = _soon(question, int(fork.fold.machine.state.scalars[at.NOW]))
    return Trial(fork, question.name, question.alone.customer, until, question.words)


def _last_event(question: Question) -> Trial | None:
    """Return a trial from the last event on of the type that triggers the campaign."""
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
            until = _soon(question, step.now)
            tried = [each for each in question.alone.steps if each.line and step.now <= each.takes_place <= until]
            fork = Fork(question.alone.before(step.now), tried)
            customer = question.alone.customer
            return Trial(fork, question.name, customer, until, question.words)
    return None


class _Event(msgspec.Struct):
    type: str
    id: str | int | None = None


def _soon(question: Question, now: int) -> int:
    """Return when a wish of an instant is decided on, its `after` and `wait` over."""
    wait, policies = question.campaign.wait_us, question.playbook.policies
    return now + question.campaign.after_us + (wait if wait >= 0 else policies.wait_us)


def _waits_for(question: Question) -> str:
    """Say what triggers the campaign, and how far that has come."""
    when, say = question.campaign.when, question.words.say
    named = f"{when.name} where {when.where}" if when.where else when.name
    text = say(f"waits_{when.kind.name.lower()}", name=named) + _since(question)
    if when.name in question.playbook.segments:
        return text + say("waits_condition", condition=question.playbook.segments[when.name].condition)
    if when.kind is not TriggerKind.MOMENT:
        return text
    number = customers.present_number(question.engine.writer.fold, question.alone.customer)
    view = None if number is None else customers.view(question.engine.writer.fold, number)
    begun = max(view.moments.get(when.name, ()) if view else (), key=lambda progress: progress.done, default=None)
    done = begun.done if begun else 0
    text += say("moment_progress", done, of=begun.of) if begun else say("moment_nothing")
    missing = missing_steps(question.playbook.moments[when.name], done)
    return text + (say("moment_missing", steps=", ".join(missing)) if missing else "")


def _since(question: Question) -> str:
    """Say since when the playbook has the campaign, where it had not from the beginning."""
    books = [(step.now, step.published.playbook) for step in question.alone.steps if step.published]
    since = next((now for now, playbook in books if question.name in playbook.campaigns), 0)
    if question.name in books[0][1].campaigns or not since:
        return ""
    zone = ZoneInfo(question.playbook.time_zone)
    return question.words.say("waits_since", time=question.words.time(time_of(since) or EPOCH, zone))


def missing_steps(moment: Moment, done: int) -> list[str]:
    """Return the steps of a moment that have not come when so many of its events have, as a playbook writes them."""
    missing: list[str] = []
    for step in moment.steps:
        names = ", ".join(map(_written, step.matches))
        names = f"any of {names}" if len(step.matches) > 1 else names
        if step.absent:
            missing += [f"no {names}"] if step.within_us else []
            continue
        left = step.count - min(done, step.count)
        done -= step.count - left
        if left:
            missing.append(f"{left} {names}" if left > 1 else names)
    return missing


def _written(match: EventMatch) -> str:
    return f"{match.event} where {match.where}" if match.where else match.event
