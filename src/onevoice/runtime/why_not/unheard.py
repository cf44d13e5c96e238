"""Why nothing came of what triggered a campaign: it was stopped then, or data was taken in without deciding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from onevoice.history.why import told_of
from onevoice.history.why_not import Change, Obstacle
from onevoice.runtime import what_if
from onevoice.runtime.decisions import EPOCH, time_of, us_of
from onevoice.runtime.why_not.obstacles import last_lost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onevoice.history.why_not import WhyNot
    from onevoice.runtime.alone import Alone
    from onevoice.runtime.steps import Step
    from onevoice.runtime.why_not.question import About, Question

_STOPPED: Final = "campaign_stopped"


def unheard(question: Question, after: int = 0) -> WhyNot | None:
    """Answer for a campaign that was triggered after an instant, and nothing came of it; None if it was not."""
    return _while_stopped(question, after) or _while_observing(question, after)


class Heard(NamedTuple):
    """What would have been decided had it been heard, and whether the customer was one for the campaign."""

    about: About
    is_eligible: bool


def _heard(question: Question, alone: Alone, after: int) -> Heard | None:
    """Return what is decided after an instant when other steps are taken."""
    for patch in (None, question.patch(what_if.without_conditions)):
        decided = question.about(patch, alone)
        if decided and us_of(decided[-1].decision.time, "decision") > after:
            return Heard(last_lost(decided) or decided[-1], patch is None)
    return None


def _told(question: Question, heard: Heard, headline: str, first: Sequence[Obstacle], change: Change) -> WhyNot:
    """Answer with what stood in the way first, and with what would have come behind it."""
    found, line = [*first], heard.about.line
    if not heard.is_eligible:
        rule = f"campaigns.{question.name}.if"
        found.append(Obstacle("not_eligible", question.words.say("not_eligible_untold"), rule, question.place(rule)))
    elif line.reason != "won":
        told = told_of(line, heard.about.playbook, question.words)
        found.append(Obstacle(told.reason, told.sentence, told.rule, question.place(told.rule)))
    text = question.words.say(headline, campaign=question.name)
    better = (change,) if len(found) == 1 else ()
    return question.asked.answered(heard.about.decision.time, text, tuple(found), found=better)


def _while_stopped(question: Question, after: int) -> WhyNot | None:
    """Answer where nothing came of a trigger for one stop, or for all of them together."""
    stops, say = [*_stops(question, after)], question.words.say
    for some in [[each] for each in stops] + ([stops] if len(stops) > 1 else []):
        left_out = {place for place, _ in some}
        steps = [step for place, step in enumerate(question.alone.steps) if place not in left_out]
        heard = _heard(question, question.alone.with_steps(steps), after)
        if heard is not None:
            change = Change("playbook", say("change_not_stopped"), some[0][1], "stopped", "on")
            told = [_stopped(question, *each) for each in reversed(some)]
            return _told(question, heard, "never_while_stopped", told, change)
    return None


def _stopped(question: Question, place: int, named: str) -> Obstacle:
    """Return by which switch a campaign was stopped, and when."""
    words = question.words
    when = words.time(time_of(question.alone.steps[place].now) or EPOCH, ZoneInfo(question.playbook.time_zone))
    what = words.say(f"stopped_{named}", klass=question.campaign.klass)
    return Obstacle("stopped", words.say("stopped_on", what=what, time=when), named)


def _stops(question: Question, after: int) -> Iterator[tuple[int, str]]:
    """Yield the steps after an instant in which the campaign was stopped, the last first, and by which switch."""
    campaign = question.campaign
    for place, step in reversed([*enumerate(question.alone.steps)]):
        if step.line and after < step.now <= question.asked.until and _STOPPED.encode() in step.line:
            event: dict[str, Any] = msgspec.json.decode(step.line)
            said: dict[str, Any] = event.get("fields") or {}
            if event["type"] != _STOPPED:
                continue
            if said.get("campaign") == campaign.name:
                yield place, "campaign"
            elif said.get("class") == campaign.klass:
                yield place, "class"
            elif said.get("everything"):
                yield place, "all"


def _while_observing(question: Question, after: int) -> WhyNot | None:
    if not any(_is_observed(step, after) for step in question.alone.steps):
        return None
    steps = [step._replace(observing=step.observing and step.now <= after) for step in question.alone.steps]
    heard = _heard(question, question.alone.with_steps(steps), after)
    if heard is None:
        return None
    words = question.words
    obstacle = Obstacle("not_triggered", words.say("observed"))
    change = Change("deciding", words.say("change_decided"), "decide", "false", "true")
    return _told(question, heard, "never_while_observing", [obstacle], change)


def _is_observed(step: Step, after: int) -> bool:
    return bool(step.line) and step.observing and step.now > after
