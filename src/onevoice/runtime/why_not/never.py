"""Why a campaign never wanted a customer: nothing triggered it, not in its days, or its conditions were not true."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.engine import state as at
from onevoice.engine import switches
from onevoice.history.why_not import Change, Obstacle
from onevoice.playbook.grammar import day_start
from onevoice.playbook.model import TriggerKind
from onevoice.program import CAMPAIGN_FROM, CAMPAIGN_TO
from onevoice.runtime import what_if
from onevoice.runtime.decisions import EPOCH, time_of, us_of
from onevoice.runtime.why_not.coming import now_of
from onevoice.runtime.why_not.customer import values
from onevoice.runtime.why_not.editing import Edit, edited
from onevoice.runtime.why_not.rules import left_out
from onevoice.runtime.why_not.searching import least
from onevoice.runtime.why_not.triggers import births, trial_at
from onevoice.runtime.why_not.unheard import unheard
from onevoice.runtime.why_not.untriggered import untriggered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from onevoice.history.why_not import WhyNot
    from onevoice.playbook.model import Campaign
    from onevoice.program import Program
    from onevoice.runtime.why_not.question import About, Question
    from onevoice.runtime.why_not.trial import Trial
    from onevoice.runtime.why_not.triggers import Birth

_SWITCHES: Final = (("campaign", switches.OF_CAMPAIGN), ("class", switches.OF_CLASS), ("all", switches.OF_ALL))


def never_wanted(question: Question) -> WhyNot:
    """Answer for a campaign that never was a candidate: what it would have been without its `if`, and its days."""
    stopped = _stopped(question)
    if stopped is not None:
        return stopped
    if always := births(question, _without_dates):
        return _not_eligible(question) or _out_of_its_days(question, always)
    delay_us = question.campaign.after_us
    triggered = [each._replace(time=each.time + delay_us) for each in births(question, _any_trigger) if delay_us]
    if triggered and _outside(question.campaign, triggered[-1].time):  # to be born yet
        return _out_of_its_days(question, triggered)
    return unheard(question) or _ended_before(question) or untriggered(question)


def triggered_again(question: Question, last: About) -> WhyNot | None:
    """Answer for a campaign that was triggered again after its last decision, and nothing came of it."""
    time = us_of(last.decision.time, "decision")
    return _not_eligible(question, time) or unheard(question, time) or _ended_before(question, time)


def _not_eligible(question: Question, after: int = 0) -> WhyNot | None:
    """Answer for a campaign that was triggered after an instant, its conditions not being true; None if it was not."""
    campaign, offers = question.campaign, question.playbook.offers
    if not campaign.condition and not any(offers[name].condition for name in campaign.offers):
        return None
    found = births(question, what_if.without_conditions)
    if not found or found[-1].time <= after or found[-1] in births(question, _as_it_is):
        return None
    trial = trial_at(question, found[-1], campaign.after_us if campaign.when.kind is TriggerKind.EVENT else 0)
    if after and trial.outcome(what_if.without_conditions(trial.program, trial.number)) is None:
        return None  # a contact is under way, of which it would have been a refreshment
    said = question.words.say("never_eligible", campaign=question.name)
    return question.tried(trial, time_of(found[-1].time), said)


def _ended_before(question: Question, after: int = 0) -> WhyNot | None:
    """Answer for a campaign that was triggered after an instant, and ended by its `until` before it could be born."""
    campaign = question.campaign
    found = births(question, _at_once) if campaign.until else []
    if not campaign.until or not found or found[-1].time <= after:
        return None
    birth = found[-1]._replace(time=found[-1].time + campaign.after_us)
    if birth.time > now_of(question) or birth in births(question, what_if.without_conditions):
        return None
    trial, rule = trial_at(question, birth, campaign.after_us), f"campaigns.{question.name}.until"
    said = question.words.say("ended", event=campaign.until.event)
    obstacle = Obstacle("ended", said, rule, question.place(rule))
    better: list[Change] = []
    endless = what_if.without_end(trial.program, trial.number)
    if trial.wins(endless):
        better += edited(trial, left_out(trial, rule, endless), 1)
    text = question.words.say("never_born", campaign=question.name)
    time, known = time_of(found[-1].time), values(trial)
    return question.asked.answered(time, text, (obstacle,), known, tuple(better), question.caution(trial, better))


def _stopped(question: Question) -> WhyNot | None:
    """Answer for a campaign that is stopped, so that nothing triggers it."""
    fold, campaign = question.engine.writer.fold, question.campaign
    state, program = fold.machine.state, fold.compiled.program
    if campaign.name not in fold.published.playbook.campaigns:
        return None
    number = [*fold.published.playbook.campaigns].index(campaign.name)
    rows = ((name, switches.row_of(program, state, number, which)) for name, which in _SWITCHES)
    off = [name for name, row in rows if state.switches[row, at.W_STATE] == switches.IS_STOPPED]
    if not off:
        return None
    found = [Obstacle("stopped", question.words.say(f"stopped_{each}", klass=campaign.klass), each) for each in off]
    text = question.words.say("about", campaign=campaign.name, sentence=found[0].sentence)
    return question.asked.answered(None, text, tuple(found))


# Not in its days.


def _out_of_its_days(question: Question, always: Iterable[Birth]) -> WhyNot:
    """Answer for a campaign that was triggered before its first day or after its last one."""
    campaign, zone = question.campaign, ZoneInfo(question.playbook.time_zone)
    nearest = min(always, key=lambda each: _outside(campaign, each.time))
    trial = trial_at(question, nearest, campaign.after_us)
    if _outside(trial.campaign, nearest.time):  # by the playbook of then
        campaign = trial.campaign
    triggered = nearest.time - campaign.after_us
    key, day = (
        ("from", day_of(campaign.from_us, zone))
        if triggered < campaign.from_us
        else ("to", day_of(campaign.to_us - 1, zone))
    )
    rule = f"campaigns.{question.name}.{key}"
    found = [Obstacle("not_triggered", f"{key}: {day}", rule, question.place(rule))]
    if nearest.time <= now_of(question) and nearest not in births(question, what_if.without_dates):
        found.append(question.not_true(trial))
    better = tuple(other_day(trial, rule, day, [day_of(time, zone) for time in (triggered, trial.time)]))
    is_inside = campaign.from_us <= triggered < campaign.to_us
    text = question.words.say("never_born_in_time" if is_inside else "never_in_time", campaign=question.name)
    caution = question.caution(trial, better)
    return question.asked.answered(time_of(triggered), text, tuple(found), values(trial), better, caution)


def _outside(campaign: Campaign, birth: int) -> int:
    """Return how far a wish that is born at a time (µs UTC) lies outside of a campaign's days, 0 if inside."""
    triggered = birth - campaign.after_us
    return max(0, campaign.from_us - triggered, birth - campaign.to_us + 1 if campaign.to_us else 0)


def other_day(trial: Trial, rule: str, day: date, needed: Sequence[date]) -> Iterator[Change]:
    """Yield the nearest first or last day with which the campaign wins, from when it was triggered to its decision."""
    zone = ZoneInfo(trial.playbook.time_zone)
    is_last = rule.endswith(".to")  # which still belongs to it
    column = CAMPAIGN_TO if is_last else CAMPAIGN_FROM

    def program(days: int) -> Program:
        bound = day_start(day + timedelta(days=days + is_last), zone)
        return what_if.with_bound(trial.program, trial.number, column, bound)

    def change(days: int) -> Change:
        found, needed_day = f"{day}", f"{day + timedelta(days=days)}"
        sentence = trial.words.say("change_value", name=rule, needed=needed_day, found=found)
        return Change("playbook", sentence, rule, found, needed_day)

    first, last = ((each - day).days for each in needed)
    days = least(lambda days: trial.wins(program(days)), range(first, last + 1), is_sure=True)
    if days is not None:
        yield from edited(trial, Edit(program, change), days)


def day_of(time: int, zone: ZoneInfo) -> date:
    """Return the day of a time (µs UTC) by the clock of a zone."""
    return (time_of(time) or EPOCH).astimezone(zone).date()


def _without_dates(program: Program, campaign: int) -> Program:
    return what_if.without_dates(what_if.without_conditions(program, campaign), campaign)


def _at_once(program: Program, campaign: int) -> Program:
    anybody = what_if.without_conditions(program, campaign)
    return what_if.without_end(what_if.without_delay(anybody, campaign), campaign)


def _any_trigger(program: Program, campaign: int) -> Program:
    return what_if.without_delay(_without_dates(program, campaign), campaign)


def _as_it_is(program: Program, campaign: int) -> Program:
    del campaign
    return program
