"""A decision in sentences: for each candidate what became of it, by which rule, with the values as they were used.

The words are in the catalogues of `languages/`; here is which of them are said, and with what.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.history.language import language
from onevoice.history.notebook import why_html
from onevoice.playbook.capping import caps_of
from onevoice.playbook.hours import ALL, opens_at, window_text, windows_of
from onevoice.playbook.model import EACH
from onevoice.playbook.resources import MONEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from onevoice.history.decision import Decision, Line
    from onevoice.history.language import Language
    from onevoice.playbook.model import Campaign, Cap, Placement, Playbook, Policies, Suppression, Window


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

    `changed`: the playbook is another than that of the decision told before it.
    `told` has a sentence for each candidate. Times are told in the playbook's zone; `language` is that of the
    sentences. Shows itself in notebooks.

    >>> _ = engine.decide("home_banner", ada)
    >>> (why,) = engine.why(ada, language="en")
    >>> why.time, why.told[0].sentence
    ('Mon 02 Feb 2026 12:00', 'is shown with a rank of 0')
    """

    decision: Decision
    customer: int
    time: str  # in the playbook's zone
    headline: str
    told: tuple[Told, ...]
    language: str = "en"
    changed: bool = False

    def _repr_html_(self) -> str:
        """Show the candidates as a table in a notebook."""
        return why_html(self)


def why(decision: Decision, playbook: Playbook, words: Language | None = None, zone: str = "") -> Why:
    """Explain a decision by the playbook under which it was made; in English where no language is given.

    `zone` is the customer's, where it is known.
    """
    words = words or language("en")
    told = [told_of(line, playbook, words, zone) for line in decision.lines]
    if decision.kind == "source_fresh":
        told = [_goes_on(line, each, playbook, words) for line, each in zip(decision.lines, told, strict=True)]
    told.sort(key=lambda each: (each.reason != "won", each.score is None, -(each.score or 0.0)))
    time = words.time(decision.time, ZoneInfo(playbook.time_zone))
    return Why(decision, decision.customer, time, _headline(decision, told, words), tuple(told), words.code)


def _headline(decision: Decision, told: Sequence[Told], words: Language) -> str:
    won = decision.won
    names = ", ".join(line.campaign for line in won)
    others = len(decision.lines) - len(won)
    if decision.kind == "ask":
        return _shown(decision, names, others, words)
    if decision.kind == "stop":
        return words.say("headline_paused", campaign=decision.lines[0].campaign)
    if decision.kind in _SOURCES:
        source = decision.lines[0].rule.removeprefix("sources.")
        names = ", ".join(line.campaign for line in decision.lines)
        return words.say(_SOURCES[decision.kind], source=source, names=names)
    if decision.kind == "end":
        said = (words.say("about", campaign=each.campaign, sentence=each.sentence) for each in told)
        return ", ".join(said)
    if won:
        met = words.say("headline_met", others) if others else ""
        return words.say("headline_out", names=names, channel=won[0].channel) + met
    return words.say("headline_nothing", others)


def _shown(decision: Decision, names: str, others: int, words: Language) -> str:
    """Say what a placement shows, and how many more wanted to be there."""
    placement, default = decision.placement, decision.default
    if names and default:
        shown = words.say("headline_shows_and_default", placement=placement, names=names, default=default)
    elif names:
        shown = words.say("headline_shows", placement=placement, names=names)
    elif default:
        shown = words.say("headline_default", placement=placement, default=default)
    else:
        shown = words.say("headline_shows_nothing", placement=placement)
    return shown + (words.say("headline_wanted_too" if names else "headline_wanted", others) if others else "")


def told_of(line: Line, playbook: Playbook, words: Language | None = None, zone: str = "") -> Told:
    """Say what a line of a decision says, by the playbook under which it was made; `zone` is the customer's."""
    campaign = playbook.campaigns.get(line.campaign)
    case = _Case(line, campaign, playbook, ZoneInfo(playbook.time_zone), words or language("en"), zone)
    rule, text = _SENTENCES[line.reason](case)
    klass = campaign.klass if campaign else ""
    return Told(line.campaign, klass, line.reason, line.channel, line.score, text, rule)


def _goes_on(line: Line, told: Told, playbook: Playbook, words: Language) -> Told:
    """Say of a line about a source that is heard again that its campaign goes on."""
    case = _Case(line, None, playbook, ZoneInfo(playbook.time_zone), words)
    return replace(told, sentence=words.say("fresh", source=_source(case), value=case.value))


@dataclass(frozen=True, slots=True)
class _Case:
    line: Line
    campaign: Campaign | None
    playbook: Playbook
    zone: ZoneInfo
    words: Language
    own_zone: str = ""  # the customer's, empty where it is not known

    @property
    def path(self) -> str:
        return f"campaigns.{self.line.campaign}"

    @property
    def until(self) -> str:
        return self.words.time(self.line.until, self.zone) if self.line.until else ""

    @property
    def value(self) -> str:
        value = self.line.value
        return self.words.time(value, self.zone) if isinstance(value, datetime) else f"{value}"

    @property
    def rank(self) -> str:
        return "" if self.line.score is None else self.words.figure(self.line.score)


def _won(case: _Case) -> tuple[str, str]:
    say, line = case.words.say, case.line
    if line.follows is not None:
        told = say("won_follows", channel=line.channel, contact=line.follows)
        return f"{case.path}.if_unseen", told + _offered(case)
    told = say("won", channel=line.channel) if line.channel else say("won_shown")
    told += say("won_rank", rank=case.rank) if case.rank else ""
    told += _offered(case)
    is_certain = line.probability is None or line.probability >= 1.0
    chance = "" if is_certain else say("won_probability", probability=case.words.figure(line.probability or 0.0, ".3g"))
    return "", told + chance


def _offered(case: _Case) -> str:
    """Say which of several offers it is, and what was computed for it."""
    line, words = case.line, case.words
    if not line.parameters and (case.campaign is None or len(case.campaign.offers) < 2):
        return ""
    values = {
        name: words.say("unknown") if value is None else words.figure(value) for name, value in line.parameters.items()
    }
    computed = ", ".join(f"{name} {value}" for name, value in values.items())
    told = words.say("won_offer", offer=line.offer)
    return told + (words.say("won_computed", computed=computed) if computed else "")


def _expired(case: _Case) -> tuple[str, str]:
    limit, words = case.campaign and case.campaign.valid_for_us, case.words
    path, contact = f"{case.path}.valid_for", case.line.contact
    if contact is not None:
        return path, words.say("expired_contact", contact=contact)
    return path, words.say("expired", span=words.span(limit)) if limit else words.say("expired_over")


def _ended(case: _Case) -> tuple[str, str]:
    until, say = case.campaign and case.campaign.until, case.words.say
    told = say("ended", event=until.event) if until else say("ended_untold")
    return f"{case.path}.until", told + _after_contact(case)


def _after_contact(case: _Case) -> str:
    """Say which contact a wish was about that is no more."""
    contact = case.line.contact
    return "" if contact is None else case.words.say("after_contact", contact=contact)


def _not_eligible(case: _Case) -> tuple[str, str]:
    condition = case.campaign.condition if case.campaign else ""
    offers = case.campaign.offers if case.campaign else ()
    offer = case.playbook.offers.get(offers[0]) if len(offers) == 1 else None
    say = case.words.say
    if condition and not (offer and offer.condition) and len(offers) < 2:
        return f"{case.path}.if", say("not_eligible", condition=condition)
    if offer and offer.condition and not condition:
        return f"offers.{offer.name}.if", say("not_eligible", condition=offer.condition)
    return f"{case.path}.if", say("not_eligible_untold")


def _too_many(case: _Case) -> tuple[str, str]:
    return "", case.words.say("too_many")


def _stopped(case: _Case) -> tuple[str, str]:
    told = case.words.say(f"stopped_{_switch(case)}", klass=case.campaign.klass if case.campaign else "")
    return "", told + _after_contact(case)


def _paused(case: _Case) -> tuple[str, str]:
    value, limit, say, name = case.line.value, case.line.limit, case.words.say, case.line.campaign
    if limit is None:
        klass = case.campaign.klass if case.campaign else ""
        return "", say(f"paused_{_switch(case)}", campaign=name, klass=klass)
    count = value if isinstance(value, int) else limit
    if case.line.rule == "failures":
        return f"{case.path}.failures", say("paused_failures", count, campaign=name, limit=case.words.number(limit))
    return f"{case.path}.at_most", say("paused_limit", count, campaign=name)


def _stale(case: _Case) -> tuple[str, str]:
    source, words = case.playbook.sources.get(_source(case)), case.words
    if case.line.value is None:
        return case.line.rule, words.say("stale_never", source=_source(case))
    span = words.span(source.stale_after_us if source else 0)
    return case.line.rule, words.say("stale", source=_source(case), value=case.value, span=span)


def _source(case: _Case) -> str:
    return case.line.rule.removeprefix("sources.")


def _switch(case: _Case) -> str:
    """Return what of a campaign is off: itself, its class, all."""
    return case.line.rule if case.line.rule in {"class", "all"} else "campaign"


def _no_consent(case: _Case) -> tuple[str, str]:
    klass = case.playbook.policies.classes.get(case.campaign.klass) if case.campaign else None
    name = klass.name if klass else ""
    purpose = (klass.purpose if klass else "") or name
    return f"policies.classes.{name}", case.words.say("no_consent", purpose=purpose, channel=case.line.channel)


def _no_address(case: _Case) -> tuple[str, str]:
    channel = case.playbook.channels.get(case.line.channel)
    kind = channel.address if channel else ""
    return f"channels.{case.line.channel}", case.words.say("no_address", channel=case.line.channel, kind=kind)


def _failed(case: _Case) -> tuple[str, str]:
    channel, contact, say = case.line.channel, case.line.contact, case.words.say
    if contact is None:
        return f"{case.path}.send", say("failed", channel=channel)
    return f"{case.path}.send", say("failed_contact", channel=channel, contact=contact)


def _suppressed(case: _Case) -> tuple[str, str]:
    rule, say = rule_text(case.line.rule, case.playbook, case.words), case.words.say
    return case.line.rule, say("suppressed", rule=rule) if rule else say("suppressed_untold")


def _again_after(case: _Case) -> tuple[str, str]:
    pause = case.words.span(case.campaign.again_after_us if case.campaign else 0)
    key = "again_after" if case.line.channel else "again_after_shown"
    told = case.words.say(key, value=case.value, span=pause, until=case.until)
    return f"{case.path}.again_after", told


def _fatigue(case: _Case) -> tuple[str, str]:
    rule = rule_text(case.line.rule, case.playbook, case.words)
    told = case.words.say("fatigue", rule=rule, used=case.value, limit=case.line.limit, until=case.until)
    return case.line.rule, told.removeprefix(": ")


def _hours(case: _Case) -> tuple[str, str]:
    channel, policies = case.line.channel, case.playbook.policies
    key = channel if channel in policies.hours else ALL
    hours = hours_text(channel, policies, case.words)
    key_said = "hours" if case.until else "hours_never"
    told = case.words.say(key_said, channel=channel, hours=hours, until=_opening(case, windows_of(policies, channel)))
    return f"policies.hours.{key}", told


def _opening(case: _Case, windows: tuple[Window, ...]) -> str:
    """Return when windows on the customer's clock open, on which clock that is if it is not the playbook's too."""
    until = case.line.until
    if until is None:
        return ""
    own = ZoneInfo(case.own_zone) if case.own_zone else case.zone
    clock = own if opens_at(windows, until.astimezone(own)) else case.zone  # the customer may have moved since
    is_open_here = opens_at(windows, until.astimezone(case.zone))
    is_alike = until.astimezone(clock).replace(tzinfo=None) == until.astimezone(case.zone).replace(tzinfo=None)
    return case.words.time(until, clock) + ("" if is_alike and is_open_here else f" ({clock.key})")


def _no_capacity(case: _Case) -> tuple[str, str]:
    line, words = case.line, case.words
    name = line.rule.removeprefix("resources.")
    found = case.playbook.resources.get(name)
    unit = MONEY if found and found.budget else 1
    per = words.say(f"per_{found.per.value}") if found and found.per else ""
    counted = {"used": _amount(line.value, unit, words), "limit": _amount(line.limit, unit, words), "per": per}
    way = case.playbook.channels.get(line.channel)
    needed = words.number(way.cost) if way else ""
    room = words.say(f"room_{line.because or 'none'}", name=name, needed=needed)
    key = "no_capacity" if case.until else "no_capacity_untold"
    return line.rule, words.say(key, room=room, until=case.until, **counted)


def _amount(value: object, unit: int, words: Language) -> str:
    return words.number(value / unit) if isinstance(value, int) else ""


def _gap(case: _Case) -> tuple[str, str]:
    gap = case.words.span(case.playbook.policies.gap_us)
    return "policies.gap", case.words.say("gap", value=case.value, span=gap, until=case.until)


def _cap(case: _Case) -> tuple[str, str]:
    rule = rule_text(case.line.rule, case.playbook, case.words)
    counted = {"used": case.value, "limit": case.line.limit, "until": case.until}
    told = case.words.say("cap" if case.until else "cap_never", rule=rule, **counted)
    return case.line.rule, told.removeprefix(": ")


def _kept_for(case: _Case) -> tuple[str, str]:
    return "policies.look_ahead", case.words.say("kept_for", winner=case.value, until=case.until) + _ranked(case)


def _ranked(case: _Case) -> str:
    return case.words.say("outranked_rank", rank=case.rank) if case.rank else ""


def _outranked(case: _Case) -> tuple[str, str]:
    say = case.words.say
    again = say("outranked_again", until=case.until) if case.until else ""
    winner = case.playbook.campaigns.get(case.value)
    klass, because = winner.klass if winner else "", case.line.because
    rule = {"class": f"policies.classes.{klass}", "exploration": "policies.exploration"}.get(because, "policies.rank")
    first = say(f"outranked_{because}", klass=klass) if because else ""
    return rule, say("outranked", winner=case.value) + first + _ranked(case) + again


def _would_have_won(case: _Case) -> tuple[str, str]:
    own = case.campaign is not None and case.campaign.holdout
    everywhere = case.playbook.policies.holdout.share
    rules = [f"{case.path}.holdout" if own else "", "policies.holdout" if everywhere else ""]
    key = "would_have_won" if case.line.channel else "would_have_won_shown"
    return next((rule for rule in rules if rule), ""), case.words.say(key, channel=case.line.channel)


_SWITCHES: Final = ("campaign", "class", "all", "failures")
_SOURCES: Final = {"source_stale": "headline_stale", "source_fresh": "headline_fresh"}  # decisions about a source
# A new reason has its line here, and its messages in every file of `languages/`; tests/history says which is missing.
_SENTENCES: Final[dict[str, Callable[[_Case], tuple[str, str]]]] = {
    "won": _won,
    "expired": _expired,
    "ended": _ended,
    "not_eligible": _not_eligible,
    "too_many": _too_many,
    "stopped": _stopped,
    "paused": _paused,
    "stale": _stale,
    "no_consent": _no_consent,
    "no_address": _no_address,
    "failed": _failed,
    "suppressed": _suppressed,
    "again_after": _again_after,
    "fatigue": _fatigue,
    "no_capacity": _no_capacity,
    "hours": _hours,
    "gap": _gap,
    "cap": _cap,
    "kept_for": _kept_for,
    "outranked": _outranked,
    "would_have_won": _would_have_won,
}


def rule_text(path: str, playbook: Playbook, words: Language | None = None) -> str:
    """Return as words what a cap, a suppression or a placement's fatigue says, what is off or scarce; else nothing.

    In English where no language is given, as all that follows.
    """
    words = words or language("en")
    if path in _SWITCHES:
        return words.say(f"rule_switch_{path}")
    scarce, _, name = path.partition(".")
    if scarce == "sources":
        return words.say("rule_source", name=name)
    if scarce in {"resources", "channels"}:
        return words.say("rule_room" if scarce == "resources" else "rule_rate", name=name.removesuffix(".rate"))
    if (cap := caps_of(playbook).get(path)) is not None:
        return cap_text(cap, words)
    if (place := playbook.placements.get(path.removeprefix("placements.").removesuffix(".fatigue"))) is not None:
        return fatigue_text(place, words)
    index = path.removeprefix("policies.suppress[").rstrip("]")
    rules = playbook.policies.suppress
    return suppression_text(rules[int(index)], words) if index.isdecimal() and int(index) < len(rules) else ""


def gap_text(gap_us: int, words: Language | None = None) -> str:
    """Return the gap as words."""
    words = words or language("en")
    return words.say("rule_gap", span=words.span(gap_us))


def hours_text(channel: str, policies: Policies, words: Language | None = None) -> str:
    """Return a channel's hours as words, such as `09:00-18:00 mon-fri on the customer's clock, not on holidays`."""
    words = words or language("en")
    windows = words.days(_windows(channel, policies))
    return words.say("rule_hours_holidays" if policies.holidays else "rule_hours", windows=windows)


def open_text(channel: str, policies: Policies) -> str:
    """Return when a channel is open in few words, such as `call 09:00-18:00 mon-fri`."""
    return f"{channel} {_windows(channel, policies)}"


def _windows(channel: str, policies: Policies) -> str:
    return ", ".join(window_text(window) for window in windows_of(policies, channel))


def cap_text(cap: Cap, words: Language | None = None) -> str:
    """Return a cap as words, such as `at most 2 a week of class sales over the household for premium`."""
    words = words or language("en")
    span = words.span(cap.rolling_us)
    per = words.say(f"per_{cap.period.value}" if cap.period else "per_span", span=span)
    told = words.say("rule_cap_shows" if cap.placement else "rule_cap", cap.max, per=per)
    for kind in ("channel", "class", "campaign", "family", "owner", "category", "address", "placement"):
        name = cap.klass if kind == "class" else getattr(cap, kind)
        if name:
            told += words.say(f"of_{kind}_each" if name == EACH else f"of_{kind}", name=name)
    told += words.say("of_group", name=cap.group) if cap.group else ""
    told += words.say("of_segment", name=cap.for_segment) if cap.for_segment else ""
    return told + (words.say("of_own", name=cap.own_max) if cap.own_max else "")


def fatigue_text(placement: Placement, words: Language | None = None) -> str:
    """Return a placement's fatigue as words, such as `a rest of 7 days after 5 shows without a reaction`."""
    words = words or language("en")
    return words.say("rule_fatigue", placement.fatigue_times, span=words.span(placement.fatigue_us))


def suppression_text(rule: Suppression, words: Language | None = None) -> str:
    """Return a suppression as words, such as `no sales while open_case and 3 days after`."""
    words = words or language("en")
    told = words.say("rule_suppress", classes=words.say("or").join(rule.stop), condition=rule.condition)
    told += words.say("rule_suppress_then", span=words.span(rule.then_us)) if rule.then_us else ""
    return told + (words.say("rule_suppress_limit", span=words.span(rule.at_most_us)) if rule.at_most_us else "")
