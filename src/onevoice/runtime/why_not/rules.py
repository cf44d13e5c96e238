"""What would have to stand in the playbook for a campaign to win: the least change of one rule, tried."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.conditions.opcodes import Op
from onevoice.engine import resources
from onevoice.history.why_not import Change
from onevoice.playbook.capping import caps_of
from onevoice.playbook.model import MINUTE, SECOND
from onevoice.playbook.resources import MONEY, rates
from onevoice.program import SUPPRESSION_AT_MOST_US, SUPPRESSION_THEN_US
from onevoice.runtime import what_if
from onevoice.runtime.decisions import time_of, us_of
from onevoice.runtime.why_not.customer import otherwise
from onevoice.runtime.why_not.editing import Edit, edited, without
from onevoice.runtime.why_not.searching import POWERS, decimals_of, least, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from onevoice.history.decision import Line
    from onevoice.program import Program
    from onevoice.runtime.why_not.trial import Trial


_PLACES: Final = (1, 2, 3, 4, 8, 16, 64)  # of which others may take some before


def priority_change(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield the least priority, in units of its last digit, with which the campaign wins."""
    priority = plain(trial.campaign.priority)
    unit = Decimal(1).scaleb(-decimals_of(trial.campaign.priority))

    def program(count: int) -> Program:
        return what_if.with_priority(trial.program, trial.number, float(priority + count * unit))

    def change(count: int) -> Change:
        needed = plain(priority + count * unit)
        told = {"needed": trial.words.decimals(needed), "found": trial.words.decimals(priority)}
        sentence = trial.words.say(
            "change_priority_tied" if trial.is_tied(program(count)) else "change_priority", **told
        )
        return Change("playbook", sentence, f"campaigns.{trial.campaign.name}.priority", f"{priority:f}", f"{needed:f}")

    beyond = what_if.with_priority(trial.program, trial.number, what_if.BEYOND)
    if lost.reason != "outranked" and not trial.wins(beyond):
        return
    steps = _enough(trial, Edit(program, change), POWERS)
    if steps is not None:
        yield from edited(trial, Edit(program, change), steps)


def _enough(trial: Trial, edit: Edit, guesses: Iterable[int]) -> int | None:
    """Return the least number of units that is enough from the decision on."""
    return least(lambda units: trial.wins(edit.program(units)), guesses)


def rule_changes(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield the least change of the rule by which the campaign lost, then what it would be without it."""
    path = f"campaigns.{trial.campaign.name}"
    match lost.reason:
        case "no_consent":
            yield from _consent(trial, lost)
        case "no_address":
            yield from _address(trial, lost)
        case "suppressed":
            yield from _suppressed(trial, lost)
        case "again_after":
            span, changed = trial.campaign.again_after_us, partial(what_if.with_again_after, campaign=trial.number)
            yield from _shorter(trial, lost, f"{path}.again_after", span, changed)
        case "fatigue":
            yield from _fatigue(trial, lost)
        case "stale":
            yield from _heard(trial, lost)
        case "paused":
            if trial.wins(prepare=trial.switched_on(lost.rule)):
                now = time_of(trial.time)
                yield Change("playbook", trial.words.say("change_not_paused"), lost.rule, "paused", "on", since=now)
            if lost.limit:
                key = "failures" if lost.rule == "failures" else "at_most"
                yield from _without_limit(trial, f"{path}.{key}")
        case "no_capacity":
            yield from _room(trial, lost)
        case "hours":
            yield from _open(trial, lost.channel)
        case "gap":
            yield from _shorter(trial, lost, "policies.gap", trial.playbook.policies.gap_us, what_if.with_gap)
        case "cap":
            yield from _cap(trial, lost)
        case "kept_for":
            yield from _nearer(trial, lost)
        case "would_have_won":
            yield from _without(trial, f"{path}.holdout", what_if.without_holdout(trial.program, trial.number))
            yield from _without(trial, "policies.holdout", what_if.without_holdout(trial.program))
        case _:
            pass
    if any(each.strict for each in trial.playbook.policies.classes.values()):
        yield from _without_strict(trial)


def _without(trial: Trial, rule: str, program: Program) -> Iterator[Change]:
    yield from edited(trial, left_out(trial, rule, program), 1 if trial.wins(program) else None)


def left_out(trial: Trial, rule: str, program: Program) -> Edit:
    """Return that a rule is left out."""
    return without(program, Change("playbook", trial.words.say("change_without", rule=rule), rule, "", ""))


def _without_limit(trial: Trial, rule: str) -> Iterator[Change]:
    """Yield that the campaign wins if its run has no limit, which pauses it in the instant or before."""
    unlimited, program = trial.without_limit(), what_if.without_limit(trial.program, trial.number)
    wins = unlimited.wins(program, prepare=trial.switched_on(""))
    yield from edited(unlimited, left_out(unlimited, rule, program), 1 if wins else None)


def _without_strict(trial: Trial) -> Iterator[Change]:
    """Yield that the campaign wins if no class came before its own."""
    policies = trial.playbook.policies
    program = what_if.without_strict(
        trial.program, explored=not policies.exploration.classes, held=not policies.holdout.classes
    )
    change = Change("playbook", trial.words.say("change_without_strict"), "policies.classes", "strict", "")
    yield from edited(trial, without(program, change), 1 if trial.wins(program) else None)


def _consent(trial: Trial, lost: Line) -> Iterator[Change]:
    klass = trial.playbook.policies.classes[trial.campaign.klass]
    if trial.is_founded:
        wins = trial.wins(prepare=trial.consenting(lost.channel))
    else:  # nobody withdrew anything
        wins = trial.wins(what_if.without_consent(trial.program, [*trial.playbook.policies.classes].index(klass.name)))
    if wins:
        purpose = klass.purpose or klass.name
        sentence = trial.words.say("change_consent", purpose=purpose, channel=lost.channel)
        yield Change("customer", sentence, f"consent({lost.channel}, {purpose})", "not open", "open")


def _address(trial: Trial, lost: Line) -> Iterator[Change]:
    channels = trial.playbook.channels
    if trial.wins(what_if.without_addresses(trial.program, list(channels).index(lost.channel))):
        kind = channels[lost.channel].address
        yield Change("customer", trial.words.say("change_address", kind=kind), kind, "unknown", "known")


def _suppressed(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield a shorter span of a suppression that holds for one, and what it would be without it."""
    number = index_of(lost.rule)
    rule = trial.playbook.policies.suppress[number]
    for key, column, span_us in (
        ("then", SUPPRESSION_THEN_US, rule.then_us),
        ("at_most", SUPPRESSION_AT_MOST_US, rule.at_most_us),
    ):
        changed = partial(what_if.with_suppression, rule=number, column=column)
        edit = _span_edit(trial, f"{lost.rule}.{key}", span_us, changed, _unit_of(span_us))
        if key == "at_most":  # which nought would be none of
            edit = edit._replace(most=edit.most + 1)
        if edit.most < 0:
            yield from edited(trial, edit, _enough(trial, edit, [edit.most]))
    yield from _without(trial, lost.rule, what_if.without_suppression(trial.program, number))


def _fatigue(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield after how many shows it would not rest yet."""
    name = lost.rule.removeprefix("placements.").removesuffix(".fatigue")
    placement = list(trial.playbook.placements).index(name)
    found, shown = trial.playbook.placements[name].fatigue_times, lost.value

    def program(more: int) -> Program:
        return what_if.with_fatigue(trial.program, placement, found + more)

    def change(more: int) -> Change:
        path, needed = f"{lost.rule}.times", f"{found + more}"
        sentence = trial.words.say("change_value", name=path, needed=needed, found=f"{found}")
        return Change("playbook", sentence, path, f"{found}", needed)

    more = (shown if isinstance(shown, int) else found) + 1 - found
    yield from edited(trial, Edit(program, change), more if trial.wins(program(more)) else None)


def _heard(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield that the source would have been fresh by anything that occurred late enough."""
    source = [*trial.playbook.sources.values()][source_of(trial, lost)]
    after = time_of(trial.time - source.stale_after_us)
    assert after, "a decision is later than what it waits for"
    if trial.wins(what_if.without_source(trial.program, trial.number, source_of(trial, lost))):
        minute = time_of(-(-us_of(after, "after") // MINUTE) * MINUTE) or after  # told in minutes, it has to be enough
        when = trial.words.time(minute, ZoneInfo(trial.playbook.time_zone))
        sentence = trial.words.say("change_heard", source=source.name, time=when)
        found = lost.value.isoformat() if isinstance(lost.value, datetime) else ""
        yield Change("source", sentence, lost.rule, found, after.isoformat())


def source_of(trial: Trial, line: Line) -> int:
    """Return the number of the source that a line names."""
    return list(trial.playbook.sources).index(line.rule.removeprefix("sources."))


def _room(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield that there would have been room for one more of a resource, if it was open: what it would have taken."""
    number, say = resource_of(trial, lost), trial.words.say
    is_open = resources.opens_at(trial.program, number, trial.time) == trial.time
    if not is_open or not trial.wins(what_if.with_room(trial.program, number)):
        return
    name, needed = lost.rule.removeprefix("resources."), ""
    found = trial.playbook.resources.get(name)
    unit = MONEY if found and found.budget else 1
    used, limit = (each / unit if isinstance(each, int) else 0 for each in (lost.value, lost.limit))
    told = {"used": trial.words.number(used), "limit": trial.words.number(limit)}
    if lost.because == "reserved":
        sentence = say("change_unreserved", name=name)
    elif lost.because == "too_small":
        least_budget = used + trial.playbook.channels[lost.channel].cost
        needed = f"{least_budget:g}"
        path = f"{lost.rule}.budget"
        sentence = say("change_value", name=path, needed=trial.words.number(least_budget), found=told["limit"])
    else:
        sentence = say("change_room", name=name, **told)
    yield Change("resource", sentence, lost.rule, f"{used:g}/{limit:g}", needed)


def resource_of(trial: Trial, line: Line) -> int:
    """Return the number of the resource that a line names."""
    names = [f"resources.{name}" for name in trial.playbook.resources]
    names += [f"channels.{name}.rate" for name, _, _ in rates(trial.playbook)]
    return names.index(line.rule)


def _open(trial: Trial, channel: str) -> Iterator[Change]:
    program = what_if.without_hours(trial.program, list(trial.playbook.channels).index(channel))
    sentence = trial.words.say("change_always_open", channel=channel)
    change = Change("playbook", sentence, f"policies.hours.{channel}", "", "")
    yield from edited(trial, without(program, change), 1 if trial.wins(program) else None)


def _cap(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield the least number with which a cap has room, or the customer's own choice that takes its place."""
    caps, most = caps_of(trial.playbook), lost.limit or 0
    rule, own = [*caps].index(lost.rule), caps[lost.rule].own_max
    is_own = bool(own and trial.known and trial.known.traits.get(own) is not None)

    def program(more: int) -> Program:
        changed = what_if.with_cap(trial.program, rule, most + more, for_all=is_own)
        if is_own:  # conditions may read the choice, too
            return what_if.with_value(changed, Op.TRAIT, [*trial.playbook.traits].index(own), most + more)
        return changed

    def wins(more: int) -> bool:
        return more > 0 and trial.wins(program(more), prepare=trial.judge if is_own else None)

    def change(more: int) -> Change:
        needed = f"{most + more}"
        if is_own:
            return otherwise(trial, own, f"{most}", needed)
        sentence = trial.words.say("change_cap", needed=needed, found=f"{most}", rule=lost.rule)
        return Change("playbook", sentence, f"{lost.rule}.max", f"{most}", needed)

    used = lost.value if isinstance(lost.value, int) else most
    enough = next((more for more in _PLACES if wins(used + more - most)), 0)
    more = least(wins, [used + enough - most]) if enough else None
    if not is_own:
        yield from edited(trial, Edit(program, change), more)
    elif more is not None:
        yield change(more)


def _shorter(
    trial: Trial, lost: Line, path: str, span_us: int, changed: Callable[[Program, int], Program]
) -> Iterator[Change]:
    """Yield the longest span, in whole minutes or seconds, that would have been over."""
    if lost.until is not None:
        yield from _another_span(trial, path, span_us, span_us - us_of(lost.until, "until") + trial.time, changed)


def _nearer(trial: Trial, lost: Line) -> Iterator[Change]:
    """Yield the longest look-ahead, in whole minutes or seconds, that would not have seen what it was kept for."""
    if lost.until is not None:
        span_us, needed_us = trial.playbook.policies.look_ahead_us, us_of(lost.until, "until") - trial.time - 1
        yield from _another_span(trial, "policies.look_ahead", span_us, needed_us, what_if.with_look_ahead)


def _another_span(
    trial: Trial, path: str, span_us: int, needed_us: int, changed: Callable[[Program, int], Program]
) -> Iterator[Change]:
    """Yield that a span would have to be so long, or less, if that is enough."""
    unit = SECOND if SECOND <= needed_us < MINUTE else _unit_of(span_us)
    edit = _span_edit(trial, path, span_us, changed, unit)
    units = needed_us // unit + edit.most
    yield from edited(trial, edit, units if units >= edit.most and trial.wins(edit.program(units)) else None)


def _span_edit(trial: Trial, path: str, span_us: int, changed: Callable[[Program, int], Program], unit: int) -> Edit:
    """Return that a span is shorter by whole minutes, or seconds (`unit`); of none there is no rule."""
    name, units = "minute" if unit == MINUTE else "second", -(-span_us // unit)

    def change(more: int) -> Change:
        if not units + more:
            return Change("playbook", trial.words.say("change_without", rule=path), path, "", "")
        needed, found = (trial.words.span(us) for us in ((units + more) * unit, span_us))
        sentence = trial.words.say("change_span", rule=path, needed=needed, found=found)
        return Change("playbook", sentence, path, f"{span_us / unit:g} {name}s", f"{units + more} {name}s")

    def program(more: int) -> Program:
        return changed(trial.program, (units + more) * unit)

    return Edit(program, change, -units)


def _unit_of(span_us: int) -> int:
    """Return in what another span is looked for: whole minutes, or seconds where it is not one of minutes."""
    return SECOND if span_us % MINUTE else MINUTE


def index_of(rule: str) -> int:
    """Return the number in a path such as `policies.caps[2]`."""
    return int(rule.rpartition("[")[2].rstrip("]"))
