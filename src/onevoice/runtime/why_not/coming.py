"""What would still have to come for a campaign to be triggered: its events, or only its time; tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from onevoice.engine import state as at
from onevoice.history.why_not import Change
from onevoice.playbook.builtin import all_events
from onevoice.playbook.model import DAY, SECOND, EventMatch, FieldType, TriggerKind
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Fork
from onevoice.runtime.steps import Step
from onevoice.runtime.why_not.changes import waited
from onevoice.runtime.why_not.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onevoice.playbook.model import Moment
    from onevoice.playbook.model import Step as Required
    from onevoice.runtime.customer import Progress
    from onevoice.runtime.why_not.question import Question

_NAMED_MAX: Final = 4  # ways of naming somebody that are tried
_TURN_US: Final = 32 * DAY  # within which whatever comes again comes


def coming_changes(question: Question) -> Iterator[tuple[Change, Trial]]:
    """Yield with which events of one type a campaign that nothing triggered goes out, or when without any; as tried."""
    when = question.campaign.when
    if when.kind in {TriggerKind.ONCE, TriggerKind.EVERY}:
        yield from _in_time(question, max(_TURN_US, when.at_us - now_of(question)))
    elif when.kind is TriggerKind.EVENT:
        yield from _had_come(question, EventMatch(when.name, when.where), 1, 0)
    elif when.kind is TriggerKind.MOMENT:
        missing = missing_steps(question.playbook.moments[when.name], begun(question))
        events = [(step, left) for step, left in missing if not step.absent]
        absence_us = max((step.within_us for step, _ in missing if step.absent), default=0)
        if not events:
            yield from _in_time(question, absence_us)
        elif len(events) == 1:
            (step, left), *_ = events
            yield from _had_come(question, step.matches[0], left, absence_us)


def begun(question: Question) -> Progress | None:
    """Return how far the moment that triggers a campaign has come; None where it has not begun."""
    fold, name = question.engine.writer.fold, question.campaign.when.name
    number = customers.present_number(fold, question.alone.customer)
    found = customers.view(fold, number).moments.get(name, ()) if number is not None else ()
    return max(found, key=lambda progress: progress.done, default=None)


def missing_steps(moment: Moment, progress: Progress | None) -> list[tuple[Required, int]]:
    """Return the steps of a moment that have not come, each with how many of its events are missing."""
    done = progress.done if progress else 0
    missing: list[tuple[Required, int]] = []
    for step in moment.steps:
        if step.absent:
            missing += [(step, 0)] if step.within_us else []
            continue
        left = step.count - min(done, step.count)
        done -= step.count - left
        missing += [(step, left)] if left else []
    return missing


def soon(question: Question, now: int) -> int:
    """Return when a wish of an instant is decided on, its `after` and `wait` over."""
    wait, policies = question.campaign.wait_us, question.playbook.policies
    return now + question.campaign.after_us + (wait if wait >= 0 else policies.wait_us)


def trial_now(question: Question, steps: Sequence[bytes] = (), later_us: int = 0) -> Trial:
    """Return a trial of what would be decided if events came now, one each second, and then time passed."""
    engine, now = question.engine, now_of(question)
    taken = [Step(now + place * SECOND, line=line) for place, line in enumerate(steps)]
    fork = Fork(engine, taken, instead=dict(enumerate(steps)))
    until = soon(question, now + max(0, len(steps) - 1) * SECOND) + later_us
    return Trial(question, fork, question.alone.customer, until)


def now_of(question: Question) -> int:
    """Return the instant that is asked about, or the last that the journal has (µs UTC)."""
    return int(question.engine.writer.fold.machine.state.scalars[at.NOW])


def _in_time(question: Question, later_us: int) -> Iterator[tuple[Change, Trial]]:
    """Yield when the campaign goes out if nothing else happens."""
    trial = trial_now(question, later_us=later_us)
    outcome = trial.outcome()
    if outcome and outcome[1].reason == "won":
        yield from ((change, trial) for change in waited(trial, outcome[0]))


def _had_come(question: Question, match: EventMatch, count: int, later_us: int) -> Iterator[tuple[Change, Trial]]:
    """Yield that the campaign goes out if an event came so many times now; one time less, and it does not."""
    for line in _events(question, match.event):
        trial = trial_now(question, [line] * count, later_us)
        if trial.wins():
            if count == 1 or not trial_now(question, [line] * (count - 1), later_us).wins():
                event = f"{match.event} where {match.where}" if match.where else match.event
                sentence = question.words.say("change_came", count, event=event)
                yield Change("event", sentence, match.event, "0", f"{count}"), trial
            return


def _events(question: Question, name: str) -> Iterator[bytes]:
    """Yield an event by each way in which the customer, or one of theirs, was named; the last of them first.

    Its fields are those of the last event of its type; of other types only keys are taken, by which events belong
    together. An item of a list does not come by itself: of one there is none.
    """
    declared = all_events(question.playbook).get(name)
    if declared is None:
        return
    lines = [step.line for step in question.alone.steps if step.line and step.now <= question.asked.until]
    events: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
    fields: dict[str, Any] = {}
    for event in events:
        said: dict[str, Any] = event.get("fields") or {}
        keys = {field for field, kind in declared.fields.items() if event["type"] == name or kind is FieldType.KEY}
        fields |= {field: value for field, value in said.items() if field in keys and value is not None}
    named = {msgspec.json.encode(each): each for event in reversed(events) if (each := event.get("identifiers"))}
    for identifiers in [*named.values()][:_NAMED_MAX]:
        yield msgspec.json.encode({"type": name, "identifiers": identifiers, "fields": fields})
