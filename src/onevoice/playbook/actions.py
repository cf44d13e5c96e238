"""Reading what the company does: offers, campaigns, placements, channels."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypedDict

from onevoice.playbook import grammar
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import (
    FAILURES_OF,
    Campaign,
    Channel,
    Identifier,
    Offer,
    Placement,
    SendBy,
    Trigger,
    TriggerKind,
)
from onevoice.playbook.record import Record, Report, opened, short_text
from onevoice.playbook.resources import capacity_of
from onevoice.playbook.tree import quoted
from onevoice.playbook.words import SQL_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

UNREAD: Final = Trigger(TriggerKind.EVENT)  # stands in for a trigger with a mistake
SLOTS_MAX: Final = 100
# Inbound is answered at once, so a wish that waits, ends or is counted per value has no meaning there.
OUTBOUND_ONLY: Final = (
    "send",
    "send_by",
    "if_unseen",
    "per",
    "after",
    "wait",
    "valid_for",
    "until",
    "again_after",
    "at_most",
    "failures",
    "uses",
)
# Which identifier format the channels that everybody knows are addressed by.
ADDRESS_FORMATS: Final = {"email": "email", "sms": "phone", "call": "phone"}

PLACEMENTS_MAX: Final = 63  # bits of one word of the engine


class Parameters(TypedDict):
    """The parameters of an offer, as the model's fields hold them."""

    parameters: dict[str, float | str]
    computed: dict[str, str]


def offers(root: Record) -> dict[str, Offer]:
    """Read `offers`."""
    return root.each("offers", _offer)


def _offer(name: str, record: Record) -> Offer:
    return Offer(
        name,
        product=record.text("product"),
        value=record.number("value", 0.0),
        family=record.text("family", name),
        condition=record.condition("if"),
        **_parameters(record),
    )


def _parameters(record: Record) -> Parameters:
    """Read what is given as it stands, and apart from it what is to be computed: a mapping with the one key `is`."""
    found = Parameters(parameters={}, computed={})
    for name, child in record.entries("parameters", SQL_WORDS):
        if isinstance(child.value, dict):
            with opened(record.report, child) as row:
                row.require("is")
                found["computed"][name] = row.condition("is")
        else:
            found["parameters"][name] = record.report.parsed(child, _number_or_text(plain=child.plain), "")
    return found


def _number_or_text(*, plain: bool) -> Callable[[str], float | str]:
    def read(text: str) -> float | str:
        try:
            return grammar.number(text) if plain else short_text(text)
        except Slip:
            return short_text(text)

    return read


def campaigns(root: Record, zone: ZoneInfo) -> dict[str, Campaign]:
    """Read `campaigns`; local times are in `zone`."""
    return root.each("campaigns", lambda name, record: _campaign(name, record, zone))


def _campaign(name: str, record: Record, zone: ZoneInfo) -> Campaign:
    record.require("class", "when")
    when = record.parsed("when", lambda text: grammar.trigger(text, zone), UNREAD)
    goal, goal_within_us = record.parsed("goal", grammar.goal, (None, 0))
    unseen_after_us, unseen_next = _if_unseen(record)
    failures_share, failures_of_at_least = _failures(record)
    campaign = Campaign(
        name,
        klass=record.text("class"),
        when=when,
        owner=record.text("owner"),
        priority=record.number("priority", 0.0),
        lever=record.number("lever", 1.0, 0.0),
        propensity=record.condition("propensity"),
        condition=record.condition("if"),
        offers=record.names("offer"),
        send=record.names("send"),
        send_by=SendBy(record.one_of("send_by", SendBy, SendBy.ORDER)),
        unseen_after_us=unseen_after_us,
        unseen_next=unseen_next,
        placements=record.names("placements"),
        per=record.parsed("per", _event_field, ""),
        after_us=record.duration("after"),
        wait_us=record.duration("wait", -1),
        valid_for_us=record.length("valid_for"),
        until=record.parsed("until", grammar.event_match, None),
        again_after_us=record.length("again_after"),
        uses=record.names("uses"),
        at_most_contacts=record.parsed("at_most", grammar.count, 0),
        failures_share=failures_share,
        failures_of_at_least=failures_of_at_least,
        from_us=record.parsed("from", lambda text: grammar.day_start(grammar.local_date(text), zone), 0),
        to_us=record.parsed("to", lambda text: _day_end(text, zone), 0),
        goal=goal,
        goal_within_us=goal_within_us,
        holdout=record.parsed("holdout", grammar.share, 0.0),
    )
    if campaign.when != UNREAD:
        _check_direction(campaign, record)
    if campaign.to_us and campaign.to_us <= campaign.from_us:
        record.refuse("to", "`to` before `from`", expected="a last day not before the first")
    return campaign


def _if_unseen(record: Record) -> tuple[int, tuple[str, ...]]:
    """Read after how long what stays unseen is followed, and by which channels."""
    node = record.filled("if_unseen")
    if node is None:
        return 0, ()
    with opened(record.report, node) as row:
        row.require("after", "next")
        after_us, channels = row.length("after"), row.names("next")
        if "next" in row.nodes and not channels:
            row.refuse("next", "no channel to follow by", expected="at least one channel", found="none")
        return after_us, channels


def _failures(record: Record) -> tuple[float, int]:
    """Read which share of a run's contacts may not fail, once there are so many."""
    node = record.filled("failures")
    if node is None:
        return 0.0, FAILURES_OF
    with opened(record.report, node) as row:
        row.require("share")
        return row.parsed("share", grammar.share, 0.0), row.parsed("of_at_least", grammar.count, FAILURES_OF)


def _day_end(text: str, zone: ZoneInfo) -> int:
    return grammar.day_start(grammar.local_date(text) + timedelta(days=1), zone)


def _event_field(text: str) -> str:
    scope, _, name = text.partition(".")
    if scope != "event" or not name:
        raise Slip("not a field of the event", "`event.FIELD`", quoted(text), f"write `event.{name or text}`")
    return name


def _check_direction(campaign: Campaign, record: Record) -> None:
    """Hold an outbound campaign to `send` and an inbound one to `placements`; neither takes the other's keys."""
    if campaign.when.kind is not TriggerKind.ASKED:
        record.require("send")
        if "send" in record.nodes and not campaign.send:
            record.refuse("send", "no channel to send by", expected="at least one channel", found="none")
        if "placements" in record.nodes:
            mend = "write `when: asked`, or use `send`"
            record.refuse("placements", "placements of a campaign that is not asked", mend=mend)
        return
    record.require("placements")
    for key in OUTBOUND_ONLY:
        if key in record.nodes:
            mend = "whoever asks is answered at once: leave it out"
            record.refuse(key, f"{quoted(key)} in a campaign that is asked", mend=mend)


def placements(root: Record) -> dict[str, Placement]:
    """Read `placements`."""
    found = root.each("placements", _placement)
    if len(found) > PLACEMENTS_MAX:
        root.refuse("placements", "too many placements", expected=f"at most {PLACEMENTS_MAX}", found=str(len(found)))
    return found


def _placement(name: str, record: Record) -> Placement:
    slots = record.whole("slots", 1, 1)
    if slots > SLOTS_MAX:
        record.refuse("slots", "too large a number", expected=f"at most {SLOTS_MAX}", found=quoted(str(slots)))
    return Placement(name, slots, record.text("default"))


def channels(root: Record, campaigns: Iterable[Campaign], identifiers: dict[str, Identifier]) -> dict[str, Channel]:
    """Read `channels`, and declare those that campaigns send by without declaring them."""
    found = root.each("channels", lambda name, record: _channel(name, record, identifiers))
    for campaign in campaigns:
        for key, names in (("send", campaign.send), ("if_unseen.next", campaign.unseen_next)):
            for i, name in enumerate(names):
                if name not in found:
                    where = root.report.where(f"campaigns.{campaign.name}.{key}[{i}]")
                    found[name] = Channel(name, _default_address(name, identifiers, where, root.report))
    return found


def _channel(name: str, record: Record, identifiers: dict[str, Identifier]) -> Channel:
    if "address" in record.nodes:
        address = record.text("address")
    else:
        record.node("address")
        address = _default_address(name, identifiers, record.report.where(f"channels.{name}"), record.report)
    rate, per = record.parsed("rate", capacity_of, (0, None))
    cost, receipts_us = record.number("cost", 0.0, 0.0), record.length("receipts")
    return Channel(name, address, cost, record.names("uses"), rate, per, receipts_us)


def _default_address(name: str, identifiers: dict[str, Identifier], where: str, report: Report) -> str:
    wanted = ADDRESS_FORMATS.get(name, "")
    if not wanted:
        return ""
    for kind in identifiers.values():
        if kind.format == wanted:
            return kind.name
    mend = f"declare it, or name another under `channels.{name}.address`"
    expected = f"an identifier with `format: {wanted}`"
    report.refuse(where, f"the channel {quoted(name)} has no address", expected=expected, mend=mend)
    return ""
