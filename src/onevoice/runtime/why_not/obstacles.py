"""What stands in a campaign's way: each thing is taken away, and it is looked at what comes behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from onevoice.history.why import told_of
from onevoice.playbook.capping import caps_of
from onevoice.runtime import what_if
from onevoice.runtime.why_not.customer import zone_of
from onevoice.runtime.why_not.rules import index_of, resource_of, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onevoice.engine.state import State
    from onevoice.history.decision import Line
    from onevoice.history.why import Told
    from onevoice.program import Program
    from onevoice.runtime.why_not.question import About
    from onevoice.runtime.why_not.trial import Prepare, Trial

OBSTACLES_MAX: Final = 16
OUTSIDE: Final = {"won", "expired", "ended", "too_many"}  # what is no reason for which a round passes somebody over


def obstacles(trial: Trial, *, is_eligible: bool) -> Iterator[Told]:
    """Yield why a campaign loses, and why it would then; last what cannot be taken away. `is_eligible`: by its `if`."""
    program = trial.program if is_eligible else what_if.without_conditions(trial.program, trial.number)
    turned_on: list[Prepare] = []

    def prepare(program: Program, state: State) -> None:
        for turn in turned_on:
            turn(program, state)

    zone = zone_of(trial.known, trial.playbook)
    reasons: set[tuple[str, str]] = set()
    for _ in range(OBSTACLES_MAX):
        outcome = trial.outcome(program, prepare=prepare)
        if outcome is None or outcome[1].reason in OUTSIDE:
            return
        line = outcome[1]
        if (line.reason, line.rule) in reasons:
            return
        reasons.add((line.reason, line.rule))
        told = told_of(line, trial.playbook, trial.words, zone)
        if line.reason == "would_have_won":
            yield from (replace(told, rule=rule) for rule in _holdouts(program, trial))
        else:
            yield told
        if line.reason == "paused":
            turned_on.append(trial.switched_on(line.rule))
        program = _without(program, trial, line)


def _holdouts(program: Program, trial: Trial) -> Iterator[str]:
    """Yield by which of the two the customer is held out: by each that holds them without the other."""
    for rule, without_other in (
        (f"campaigns.{trial.campaign.name}.holdout", what_if.without_holdout(program)),
        ("policies.holdout", what_if.without_holdout(program, trial.number)),
    ):
        outcome = trial.outcome(without_other)
        if outcome and outcome[1].reason == "would_have_won":
            yield rule


def conditions(trial: Trial) -> str:
    """Return what the campaign's conditions say; of several offers one is enough."""
    offers = [trial.playbook.offers[name].condition for name in trial.campaign.offers]
    either = " or ".join(f"({each})" if len(offers) > 1 else each for each in offers) if all(offers) else ""
    return " and ".join(
        filter(None, (trial.campaign.condition, f"({either})" if len(offers) > 1 and either else either))
    )


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
            return what_if.with_again_after(program, 0, campaign=trial.number)
        case "fatigue":
            return what_if.without_fatigue(program)
        case "no_capacity":
            return what_if.with_room(program, resource_of(trial, line))
        case "hours":
            return what_if.without_hours(program, channels.index(line.channel))
        case "gap":
            return what_if.with_gap(program, 0)
        case "cap":
            number = [*caps_of(trial.playbook)].index(line.rule)
            return what_if.with_cap(program, number, what_if.MANY, for_all=True)
        case "would_have_won":
            return what_if.without_holdout(what_if.without_holdout(program), trial.number)
        case "kept_for":
            return what_if.with_look_ahead(program, 0)
        case "outranked":
            return what_if.with_priority(program, trial.number, what_if.BEYOND)
        case _:
            return program


def last_lost(decided: Sequence[About]) -> About | None:
    """Return the last line by which the wish lost that the last line is about, if it has not won since."""
    for each in reversed(decided):
        if each.line.key == decided[-1].line.key:
            if each.line.reason == "won":
                return None
            if is_passed_over(each.line):
                return each
    return None


def is_passed_over(line: Line) -> bool:
    """Tell whether a round passed a wish over; one with a contact under way has won already."""
    return line.reason not in OUTSIDE and line.contact is None
