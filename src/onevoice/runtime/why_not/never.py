"""Why a campaign never wanted a customer: nothing triggered it, not in its days, or its conditions were not true."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from onevoice.engine import state as at
from onevoice.engine import switches
from onevoice.history.why_not import Change, Obstacle
from onevoice.playbook.grammar import day_start
from onevoice.playbook.model import TriggerKind
from onevoice.program import CAMPAIGN_FROM, CAMPAIGN_TO
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.alone import Fork
from onevoice.runtime.decisions import EPOCH, time_of, us_of
from onevoice.runtime.why_not.customer import customer_changes, values
from onevoice.runtime.why_not.event import event_changes, event_values, trigger_of
from onevoice.runtime.why_not.searching import least
from onevoice.runtime.why_not.trial import Trial
from onevoice.runtime.why_not.unheard import unheard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from onevoice.history.why_not import WhyNot
    from onevoice.playbook.model import Campaign, EventMatch, Moment
    from onevoice.program import Program
    from onevoice.runtime.why_not.question import About, Question

_SEGMENTS: Final = {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}


def never_wanted(question: Question) -> WhyNot:
    """Answer for a campaign that never was a candidate: what it would have been without its `if`, and its days."""
    stopped = _stopped(question)
    if stopped is not None:
        return stopped
    always = question.about(question.patch(_without_dates))
    if not always:
        return unheard(question) or _untriggered(question)
    return _not_eligible(question) or _out_of_its_days(question, always)


def triggered_again(question: Question, last: About) -> WhyNot | None:
    """Answer for a campaign that was triggered again after its last decision, and nothing came of it."""
    time = us_of(last.decision.time, "decision")
    return _not_eligible(question, time) or unheard(question, time)


def _not_eligible(question: Question, after: int = 0) -> WhyNot | None:
    """Answer for a campaign that was triggered after an instant, its conditions not being true; None if it was not."""
    campaign, offers = question.campaign, question.playbook.offers
    if not campaign.condition and not any(offers[name].condition for name in campaign.offers):
        return None
    anybody = question.patch(what_if.without_conditions)
    decided = question.about(anybody)
    if not decided:
        return None
    met = [each for each in decided if each.line.reason not in {"expired", "ended", "too_many"}]
    about = (met or decided)[-1]
    since = question.birth(about, anybody)
    if after and since <= after:
        return None
    said = question.words.say("never_eligible", campaign=question.name)
    return question.tried(about, since, said, is_eligible=False)


def _stopped(question: Question) -> WhyNot | None:
    """Answer for a campaign that is stopped, so that nothing triggers it."""
    fold, campaign = question.engine.writer.fold, question.campaign
    state, program = fold.machine.state, fold.compiled.program
    if campaign.name not in fold.published.playbook.campaigns:
        return None
    number = [*fold.published.playbook.campaigns].index(campaign.name)
    which = switches.first_off(program, state, number, switches.IS_STOPPED)
    if which < 0:
        return None
    switch = ("campaign", "class", "all")[which]
    sentence = question.words.say(f"stopped_{switch}", klass=campaign.klass)
    text = question.words.say("about", campaign=campaign.name, sentence=sentence)
    return question.asked.answered(None, text, (Obstacle("stopped", sentence, switch),))


# Not in its days.


def _out_of_its_days(question: Question, decided: Iterable[About]) -> WhyNot:
    """Answer for a campaign that was triggered before its first day or after its last one."""
    campaign, zone = question.campaign, ZoneInfo(question.playbook.time_zone)
    nearest = min(decided, key=lambda each: _outside(campaign, us_of(each.decision.time, "decision")))
    since = question.birth(nearest, question.patch(_without_dates))
    key, day = (
        ("to", _day(campaign.to_us - 1, zone)) if since >= campaign.from_us else ("from", _day(campaign.from_us, zone))
    )
    rule = f"campaigns.{question.name}.{key}"
    obstacle = Obstacle("not_triggered", f"{key}: {day}", rule, question.place(rule))
    trial = question.trial(nearest, since, any_wish=True)
    found = tuple(_other_day(trial, rule, day, [_day(time, zone) for time in (since, trial.time)]))
    text = question.words.say("never_in_time", campaign=question.name)
    caution = question.caution(trial, found)
    return question.asked.answered(nearest.decision.time, text, (obstacle,), values(trial), found, caution)


def _outside(campaign: Campaign, time: int) -> int:
    """Return how far a time (µs UTC) lies outside of a campaign's days."""
    return max(campaign.from_us - time, time - campaign.to_us if campaign.to_us else 0)


def _other_day(trial: Trial, rule: str, day: date, needed: Sequence[date]) -> Iterator[Change]:
    """Yield the nearest first or last day with which the campaign wins, from when it was triggered to its decision."""
    zone = ZoneInfo(trial.playbook.time_zone)

    def wins(days: int) -> bool:
        is_last = rule.endswith(".to")  # which still belongs to it
        bound = day_start(day + timedelta(days=days + is_last), zone)
        column = CAMPAIGN_TO if is_last else CAMPAIGN_FROM
        return trial.wins(what_if.with_bound(trial.program, trial.number, column, bound))

    first, last = ((each - day).days for each in needed)
    days = least(wins, [*range(first, last + 1)], is_sure=True)
    if days is not None:
        found, needed_day = f"{day}", f"{day + timedelta(days=days)}"
        sentence = trial.words.say("change_value", name=rule, needed=needed_day, found=found)
        yield Change("playbook", sentence, rule, found, needed_day)


def _day(time: int, zone: ZoneInfo) -> date:
    return (time_of(time) or EPOCH).astimezone(zone).date()


# Not triggered.


def _untriggered(question: Question) -> WhyNot:
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
    return Trial(fork, question.name, question.alone.customer, until, None, question.words)


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
            return Trial(fork, question.name, customer, until, None, question.words)
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


def _without_dates(program: Program, campaign: int) -> Program:
    return what_if.without_dates(what_if.without_conditions(program, campaign), campaign)
