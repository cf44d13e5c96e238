"""A decision in sentences: for each candidate what became of it, by which rule, with the values as they were used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.history.notebook import why_html
from onevoice.playbook.hours import ALL, window_text, windows_of
from onevoice.playbook.model import DAY, EACH, HOUR, MINUTE, SECOND, WEEK, Cap
from onevoice.playbook.resources import MONEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from onevoice.history.decision import Decision, Line
    from onevoice.playbook.model import Campaign, Playbook, Policies, Suppression


@dataclass(frozen=True, slots=True)
class Told:
    """What a decision says about one candidate, as a sentence. `rule`: where in the playbook the reason stands."""

    campaign: str
    klass: str
    reason: str
    channel: str
    score: float | None
    sentence: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """A decision explained; the winners first, then the others by score and the order of the reasons.

    `told` has a sentence for each candidate. Times are told in the playbook's zone. Shows itself in notebooks.

    >>> _ = engine.decide("home_banner", ada)
    >>> (why,) = engine.why(ada)
    >>> why.time, why.told[0].sentence
    ('Mon 02 Feb 2026 12:00', 'is shown with a rank of 0')
    """

    decision: Decision
    customer: int
    time: str  # in the playbook's zone
    headline: str
    told: tuple[Told, ...]

    def _repr_html_(self) -> str:
        """Show the candidates as a table in a notebook."""
        return why_html(self)


def why(decision: Decision, playbook: Playbook) -> Why:
    """Explain a decision by the playbook under which it was made."""
    zone = ZoneInfo(playbook.time_zone)
    told = [told_of(line, playbook) for line in decision.lines]
    told.sort(key=lambda each: (each.reason != "won", each.score is None, -(each.score or 0.0)))
    return Why(decision, decision.customer, _time(decision.time, zone), _headline(decision), tuple(told))


def _headline(decision: Decision) -> str:
    won = decision.won
    names = ", ".join(line.campaign for line in won)
    others = len(decision.lines) - len(won)
    if decision.kind == "ask":
        shown = names or (f"its default {decision.default}" if decision.default else "nothing")
        wanted = f"; {_counted(others, 'other campaign' if won else 'campaign')} wanted to be there" if others else ""
        return f"{decision.placement} shows {shown}{wanted}"
    if decision.kind == "stop":
        return f"{decision.lines[0].campaign} is paused: nothing of it goes out until it is resumed"
    if decision.kind == "end":
        return ", ".join(f"{line.campaign}: {line.reason}" for line in decision.lines)
    if won:
        met = f"; {_counted(others, 'other campaign')} met it" if others else ""
        return f"{names} goes out by {won[0].channel}{met}"
    return f"nothing goes out; {_counted(others, 'campaign')} looked at"


def told_of(line: Line, playbook: Playbook) -> Told:
    """Say what a line of a decision says, by the playbook under which it was made."""
    campaign = playbook.campaigns.get(line.campaign)
    rule, text = _SENTENCES[line.reason](_Case(line, campaign, playbook, ZoneInfo(playbook.time_zone)))
    klass = campaign.klass if campaign else ""
    return Told(line.campaign, klass, line.reason, line.channel, line.score, text, rule)


@dataclass(frozen=True, slots=True)
class _Case:
    line: Line
    campaign: Campaign | None
    playbook: Playbook
    zone: ZoneInfo

    @property
    def path(self) -> str:
        return f"campaigns.{self.line.campaign}"

    @property
    def until(self) -> str:
        return _time(self.line.until, self.zone) if self.line.until else ""

    @property
    def value(self) -> str:
        value = self.line.value
        return _time(value, self.zone) if isinstance(value, datetime) else f"{value}"


def _won(case: _Case) -> tuple[str, str]:
    score = "" if case.line.score is None else f" with a rank of {case.line.score:g}"
    if case.line.follows is not None:
        path, told = f"{case.path}.if_unseen", f"for contact {case.line.follows} stayed unseen"
        return path, "; ".join([f"goes out by {case.line.channel}, {told}", *_offered(case)])
    told = f"goes out by {case.line.channel}{score}" if case.line.channel else f"is shown{score}"
    return "", "; ".join([told, *_offered(case), *_explored(case.line)])


def _offered(case: _Case) -> list[str]:
    """Say which of several offers it is, and what was computed for it."""
    line, several = case.line, case.campaign is not None and len(case.campaign.offers) > 1
    computed = [f"{name} {'unknown' if value is None else f'{value:g}'}" for name, value in line.parameters.items()]
    if not several and not computed:
        return []
    return [f"the offer is {line.offer}" + (f" with {', '.join(computed)}" if computed else "")]


def _explored(line: Line) -> list[str]:
    """Say with which probability it was chosen, where that was not certain."""
    certain = line.probability is None or line.probability >= 1.0
    return [] if certain else [f"it was to be chosen with a probability of {line.probability:.3g}"]


def _expired(case: _Case) -> tuple[str, str]:
    limit = case.campaign and case.campaign.valid_for_us
    if case.line.contact is not None:
        return (
            f"{case.path}.valid_for",
            f"its time was over when it was known what became of contact {case.line.contact}",
        )
    return f"{case.path}.valid_for", f"was not chosen within {_span(limit)}" if limit else "the campaign is over"


def _ended(case: _Case) -> tuple[str, str]:
    until = case.campaign and case.campaign.until
    ended = f"{until.event} came, which ends it" if until else "an event ended it"
    return f"{case.path}.until", ended + _after_contact(case)


def _after_contact(case: _Case) -> str:
    """Say which contact a wish was about that is no more."""
    return "" if case.line.contact is None else f", after its contact {case.line.contact} was reserved"


def _not_eligible(case: _Case) -> tuple[str, str]:
    condition = case.campaign.condition if case.campaign else ""
    offers = case.campaign.offers if case.campaign else ()
    offer = case.playbook.offers.get(offers[0]) if len(offers) == 1 else None
    if condition and not (offer and offer.condition) and len(offers) < 2:
        return f"{case.path}.if", f"no longer true: {condition}"
    if offer and offer.condition and not condition:
        return f"offers.{offer.name}.if", f"no longer true: {offer.condition}"
    return f"{case.path}.if", "the conditions of the campaign or its offer are no longer true"


def _too_many(case: _Case) -> tuple[str, str]:
    del case
    return "", "64 campaigns wait for this customer already"


def _stopped(case: _Case) -> tuple[str, str]:
    return "", f"{_switch(case)} was stopped{_after_contact(case)}"


def _paused(case: _Case) -> tuple[str, str]:
    if case.line.limit is None:
        return "", f"{_switch(case)} is paused; `campaign_resumed` lets it go on"
    if case.line.rule == "failures":
        failed = _counted(case.line.value, "failed contact") if isinstance(case.line.value, int) else "failed contacts"
        told = f"paused at {failed}, with a limit of {case.line.limit:,} for this run"
        return f"{case.path}.failures", f"{told}; `campaign_resumed` lets it go on"
    at = f"{case.line.value:,} contacts" if isinstance(case.line.value, int) else "its limit"
    return f"{case.path}.at_most", f"paused at {at}, its limit for one run; `campaign_resumed` lets it go on"


def _switch(case: _Case) -> str:
    """Return what of a campaign is off."""
    if case.line.rule == "class" and case.campaign:
        return f"the class {case.campaign.klass}"
    return _SWITCHES.get(case.line.rule, "the campaign")


def _no_consent(case: _Case) -> tuple[str, str]:
    klass = case.playbook.policies.classes.get(case.campaign.klass) if case.campaign else None
    purpose = (klass.purpose or klass.name) if klass else "this"
    return f"policies.classes.{klass.name if klass else ''}", f"no consent to {purpose} by {case.line.channel}"


def _no_address(case: _Case) -> tuple[str, str]:
    channel = case.playbook.channels.get(case.line.channel)
    kind = channel.address if channel else ""
    return f"channels.{case.line.channel}", f"{case.line.channel} needs an identifier {kind}, and none is known"


def _failed(case: _Case) -> tuple[str, str]:
    if case.line.contact is not None:
        return f"{case.path}.send", f"contact {case.line.contact} by {case.line.channel} failed, and no channel is left"
    return f"{case.path}.send", f"a contact by {case.line.channel} failed, and no other channel is open"


def _suppressed(case: _Case) -> tuple[str, str]:
    return case.line.rule, f"suppressed: {rule_text(case.line.rule, case.playbook)}".removesuffix(": ")


def _again_after(case: _Case) -> tuple[str, str]:
    pause = case.campaign.again_after_us if case.campaign else 0
    return f"{case.path}.again_after", (
        f"went out last on {case.value}, and again after {_span(pause)} at the earliest: on {case.until}"
    )


def _hours(case: _Case) -> tuple[str, str]:
    channel, policies = case.line.channel, case.playbook.policies
    key = channel if channel in policies.hours else ALL
    again = f"opens next on {case.until}" if case.until else "does not open within 400 days"
    return f"policies.hours.{key}", f"{channel} is open {hours_text(channel, policies)}, and {again}"


def _no_capacity(case: _Case) -> tuple[str, str]:
    line = case.line
    name = line.rule.removeprefix("resources.")
    found = case.playbook.resources.get(name)
    unit = MONEY if found and found.budget else 1
    per = f" a {found.per.value}".replace(" a hour", " an hour") if found and found.per else ""
    used = f"{_amount(line.value, unit)} of {_amount(line.limit, unit)}{per} are used"
    again = f"its turn is on {case.until}" if case.until else "no turn is known"
    return line.rule, f"{name} has no room: {used}; {again}"


def _amount(value: object, unit: int) -> str:
    return f"{value / unit:,g}" if isinstance(value, int) else ""


def _gap(case: _Case) -> tuple[str, str]:
    gap = _span(case.playbook.policies.gap_us)
    return "policies.gap", f"the last contact was on {case.value}, less than {gap} ago; the gap ends on {case.until}"


def _cap(case: _Case) -> tuple[str, str]:
    again = f"room again on {case.until}" if case.until else "none goes out until the customer chooses otherwise"
    used = f"{case.value} of {case.line.limit} are used; {again}"
    return case.line.rule, f"{rule_text(case.line.rule, case.playbook)}: {used}".removeprefix(": ")


def _outranked(case: _Case) -> tuple[str, str]:
    score = "" if case.line.score is None else f" (rank {case.line.score:g})"
    again = f"; looked at again on {case.until}" if case.until else ""
    return "policies.rank", f"gave way to {case.value}{score}{again}"


def _would_have_won(case: _Case) -> tuple[str, str]:
    own = case.campaign is not None and case.campaign.holdout
    everywhere = case.playbook.policies.holdout.share
    rules = [f"{case.path}.holdout" if own else "", "policies.holdout" if everywhere else ""]
    how = f"would have gone out by {case.line.channel}" if case.line.channel else "would have been shown"
    told = f"{how}; the customer is held out, to be compared with those who are not"
    return next((rule for rule in rules if rule), ""), told


_SWITCHES: Final = {
    "campaign": "the campaign",
    "class": "its class",
    "all": "everything",
    "failures": "the campaign, for its failures",
}
_SENTENCES: Final[dict[str, Callable[[_Case], tuple[str, str]]]] = {
    "won": _won,
    "expired": _expired,
    "ended": _ended,
    "not_eligible": _not_eligible,
    "too_many": _too_many,
    "stopped": _stopped,
    "paused": _paused,
    "no_consent": _no_consent,
    "no_address": _no_address,
    "failed": _failed,
    "suppressed": _suppressed,
    "again_after": _again_after,
    "no_capacity": _no_capacity,
    "hours": _hours,
    "gap": _gap,
    "cap": _cap,
    "outranked": _outranked,
    "would_have_won": _would_have_won,
}


def rule_text(path: str, playbook: Playbook) -> str:
    """Return as words what stands at `policies.caps[i]` or `policies.suppress[i]`, is off or scarce; else nothing."""
    if path in _SWITCHES:
        return _SWITCHES[path]
    scarce, _, name = path.partition(".")
    if scarce in {"resources", "channels"}:
        return f"room in {name}" if scarce == "resources" else f"the rate of {name.removesuffix('.rate')}"
    kind, _, index = path.rstrip("]").partition("[")
    rules: Sequence[Cap | Suppression] = getattr(playbook.policies, kind.removeprefix("policies."), ()) if index else ()
    if not index or int(index) >= len(rules):
        return ""
    rule = rules[int(index)]
    return cap_text(rule) if isinstance(rule, Cap) else suppression_text(rule)


def time_text(time: datetime, playbook: Playbook) -> str:
    """Return an instant as it is told: in the playbook's zone."""
    return _time(time, ZoneInfo(playbook.time_zone))


def gap_text(gap_us: int) -> str:
    """Return the gap as words."""
    return f"at least {_span(gap_us)} between two contacts"


def hours_text(channel: str, policies: Policies) -> str:
    """Return a channel's hours as words, such as `09:00-18:00 mon-fri on the customer's clock, not on holidays`."""
    windows = ", ".join(window_text(window) for window in windows_of(policies, channel))
    return f"{windows} on the customer's clock{', not on holidays' if policies.holidays else ''}"


def cap_text(cap: Cap) -> str:
    """Return a cap as words, such as `at most 2 a week of class sales for premium`."""
    window = f"a {cap.period.value}" if cap.period else f"in {_span(cap.rolling_us)}"
    scope = [
        ("by", "channel", cap.channel),
        ("of class", "class", cap.klass),
        ("of", "campaign", cap.campaign),
        ("of family", "family", cap.family),
        ("of owner", "owner", cap.owner),
        ("of category", "category", cap.category),
        ("to", "address", cap.address),
    ]
    about = [
        f"{word.split()[0]} each {kind}" if name == EACH else f"{word} {name}" for word, kind, name in scope if name
    ]
    whom = [f"for {cap.for_segment}"] if cap.for_segment else []
    own = f", or as many as {cap.own_max} says" if cap.own_max else ""
    return " ".join([f"at most {cap.max} {window}", *about, *whom]) + own


def suppression_text(rule: Suppression) -> str:
    """Return a suppression as words, such as `no sales while open_case and 3 days after`."""
    then = f" and {_span(rule.then_us)} after" if rule.then_us else ""
    limit = f", for {_span(rule.at_most_us)} at most" if rule.at_most_us else ""
    return f"no {' or '.join(rule.stop)} while {rule.condition}{then}{limit}"


def _span(us: int) -> str:
    """Return a duration in the greatest unit that divides it."""
    for unit, name in ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
        if us and us % unit == 0:
            return _counted(us // unit, name)
    return f"{us / SECOND:g} seconds"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _time(time: datetime, zone: ZoneInfo) -> str:
    return f"{time.astimezone(zone):%a %d %b %Y %H:%M}"
