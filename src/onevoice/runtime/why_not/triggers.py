"""What triggered a campaign, and when its wishes would be born, whether it wants the customer or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from onevoice.engine.state import INFINITE
from onevoice.playbook.model import TriggerKind
from onevoice.program import CAMPAIGN_WAIT_US
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.decisions import us_of
from onevoice.runtime.why_not.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onevoice.program import Program
    from onevoice.runtime.alone import Engine
    from onevoice.runtime.why_not.question import Question


class Birth(NamedTuple):
    """Where a trigger brings a wish: when (µs UTC), for which key, and the customer's number then."""

    time: int
    key: int
    customer: int


def births(question: Question, changed: Callable[[Program, int], Program]) -> list[Birth]:
    """Return the births of a campaign's wishes by a changed program, in order.

    Each trigger is looked at for itself: a wish is gone right after its birth, whatever becomes of it in a round that
    is held then, so none is in the way of a later one.
    """
    is_asked = question.campaign.when.kind is TriggerKind.ASKED
    patch = question.patch(
        changed if is_asked else lambda program, number: what_if.traced(changed(program, number), number)
    )
    engine = question.alone.before(min(question.asked.until + 1, INFINITE), patch)
    found: dict[Birth, None] = {}
    for about in question.decided_by(engine):
        time = us_of(about.decision.time, "decision") - (about.line.reason == "expired") * what_if.TRACE_US
        if not is_asked or about.decision.kind == "ask":
            found[Birth(time, about.line.key, about.decision.customer)] = None
    return [*found, *(each for each in (() if is_asked else _just_born(question, engine)) if each not in found)]


def _just_born(question: Question, engine: Engine) -> Iterator[Birth]:
    """Yield the births of the last instant, which have not expired yet."""
    fold = engine.writer.fold
    number = customers.present_number(fold, question.alone.customer)
    for each in customers.view(fold, number).candidates if number is not None else ():
        if each.campaign == question.name and each.born:
            assert number is not None, "somebody has it"
            yield Birth(us_of(each.born, "birth"), each.key, number)


def trial_at(question: Question, birth: Birth, delay_us: int = 0) -> Trial:
    """Return what would be decided about a wish from its birth on, or from its trigger on that comes before.

    `delay_us`: how long before.
    """
    when, campaigns = question.campaign.when, question.playbook.campaigns
    wait = int(question.compiled.program.campaigns[[*campaigns].index(question.name), CAMPAIGN_WAIT_US])
    is_asked = when.kind is TriggerKind.ASKED
    until = birth.time + (0 if is_asked else wait)
    event = "asked" if is_asked else when.name if when.kind is TriggerKind.EVENT else ""
    since = birth.time - delay_us
    is_late = question.campaign.after_us > 0 and not delay_us  # its event has come long before
    fork = question.alone.fork_at(since, until, "" if is_late else event, birth.time)
    return Trial(question, fork, birth.customer, until, key=birth.key)
