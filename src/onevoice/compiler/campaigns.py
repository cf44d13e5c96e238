"""Campaigns: what they want, towards whom, by which channels, and when time alone starts them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onevoice import program as at
from onevoice.compiler.offers import compile_computed, compile_proposals
from onevoice.compiler.rows import table
from onevoice.conditions.tree import CAMPAIGN_NUMBERS, Type
from onevoice.engine.state import INFINITE
from onevoice.playbook.model import SendBy, TriggerKind
from onevoice.playbook.scopes import trigger_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.compiler.book import Book
    from onevoice.compiler.facts import Facts
    from onevoice.compiler.rows import Row
    from onevoice.playbook.model import Campaign
    from onevoice.tables import Floats, Ints


class Campaigns(NamedTuple):
    """The tables of the campaigns, named as in the program."""

    campaigns: Ints
    campaign_numbers: Floats
    proposals: Ints
    computed: Ints
    sends: Ints
    follows: Ints
    parts: Ints
    schedules: Ints
    goals: Ints


def compile_campaigns(book: Book, facts: Facts) -> Campaigns:
    """Return the tables of the campaigns; their `until` events become facts."""
    campaigns = _campaigns(book, facts)
    computed = compile_computed(book)
    proposals = compile_proposals(book, computed.spans)
    campaigns[:, at.CAMPAIGN_PROPOSALS_FROM : at.CAMPAIGN_PROPOSALS_TO + 1] = proposals.spans
    return Campaigns(
        campaigns,
        _numbers(book),
        proposals.rows,
        computed.rows,
        _sends(book),
        _follows(book),
        _parts(book),
        _schedules(book),
        _goals(book),
    )


def tie_of(name: str) -> int:
    """Return the 64-bit hash of a campaign's name by which ties are broken (semantics §13)."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def _campaigns(book: Book, facts: Facts) -> Ints:
    campaigns = np.zeros((len(book.campaigns), at.CAMPAIGN_WIDTH), np.int64)
    for number, campaign in enumerate(book.playbook.campaigns.values()):
        for column, value in _campaign(book, facts, campaign).items():
            campaigns[number, column] = value
    return campaigns


def _campaign(book: Book, facts: Facts, campaign: Campaign) -> dict[int, int]:
    """Return a campaign's row by column."""
    scope = book.scopes.campaign(campaign)
    event = trigger_event(book.playbook, campaign)
    columns = book.columns(event) if event else None
    until, until_keyed = facts.until(campaign)
    return {
        at.CAMPAIGN_CLASS: book.classes[campaign.klass],
        at.CAMPAIGN_IF: book.condition(campaign.condition, scope, Type.BOOLEAN, columns),
        at.CAMPAIGN_IS_OFFER: int(bool(campaign.offers) or campaign.when.kind is TriggerKind.PRODUCT),
        at.CAMPAIGN_PROPENSITY: book.condition(
            campaign.propensity, book.scopes.propensity(campaign), Type.NUMBER, columns
        ),
        at.CAMPAIGN_KEYED: _keyed(book, campaign),
        at.CAMPAIGN_AFTER_US: campaign.after_us,
        at.CAMPAIGN_WAIT_US: _wait_us(book, campaign),
        at.CAMPAIGN_VALID_US: campaign.valid_for_us,
        at.CAMPAIGN_UNTIL: until,
        at.CAMPAIGN_UNTIL_KEYED: until_keyed,
        at.CAMPAIGN_AGAIN_US: campaign.again_after_us,
        at.CAMPAIGN_FROM: campaign.from_us,
        at.CAMPAIGN_TO: campaign.to_us or INFINITE,
        at.CAMPAIGN_TIE: tie_of(campaign.name),
        at.CAMPAIGN_SENDS: len(campaign.send),
        at.CAMPAIGN_PLACEMENTS: _placements(book, campaign),
        at.CAMPAIGN_OWNER: book.owners.get(campaign.owner, -1),
        at.CAMPAIGN_AT_MOST: campaign.at_most_contacts,
        at.CAMPAIGN_HELD: round(campaign.holdout * at.SHARES),
        at.CAMPAIGN_NAME: book.names.code(campaign.name),
        at.CAMPAIGN_UNSEEN_US: campaign.unseen_after_us,
        at.CAMPAIGN_FOLLOWS: len(campaign.unseen_next),
        at.CAMPAIGN_FAILURES: round(campaign.failures_share * at.FAILURE_PARTS),
        at.CAMPAIGN_FAILURES_OF: campaign.failures_of_at_least,
    }


def _keyed(book: Book, campaign: Campaign) -> int:
    moment = book.playbook.moments.get(campaign.when.name) if campaign.when.kind is TriggerKind.MOMENT else None
    by_moment = moment is not None and bool(campaign.per) and moment.per == campaign.per
    return at.BY_MOMENT if by_moment else int(bool(campaign.per))


def _wait_us(book: Book, campaign: Campaign) -> int:
    """Return how long a campaign's candidates are collected: its own wait, else the policy's; exempt classes do not."""
    policies = book.playbook.policies
    if "wait" in policies.exempt.get(campaign.klass, frozenset()):
        return 0
    return campaign.wait_us if campaign.wait_us >= 0 else policies.wait_us


def _placements(book: Book, campaign: Campaign) -> int:
    asked = campaign.when.kind is TriggerKind.ASKED
    return sum(1 << book.placements[name] for name in campaign.placements) if asked else 0


def _numbers(book: Book) -> Floats:
    """Return float64[campaign, CAMPAIGN_NUMBERS]; those of the candidate are put in when it is ranked."""
    numbers = np.ones((len(book.campaigns), len(CAMPAIGN_NUMBERS)))
    for row, campaign in zip(numbers, book.playbook.campaigns.values(), strict=True):
        weight = book.playbook.policies.classes[campaign.klass].weight
        row[: at.NUMBER_PROPENSITY] = weight, campaign.priority, campaign.lever
    return numbers


def _sends(book: Book) -> Ints:
    """Return int64[campaign, place]: the channels in order of preference, -1 behind the last."""
    return _channels(book, [_preferred(book, campaign) for campaign in book.playbook.campaigns.values()])


def _preferred(book: Book, campaign: Campaign) -> Sequence[str]:
    if campaign.send_by is SendBy.COST:
        return sorted(campaign.send, key=lambda name: book.playbook.channels[name].cost)
    return campaign.send


def _follows(book: Book) -> Ints:
    """Return int64[campaign, place]: the channels by which what stays unseen is followed, -1 behind the last."""
    return _channels(book, [campaign.unseen_next for campaign in book.playbook.campaigns.values()])


def _channels(book: Book, named: list[Sequence[str]]) -> Ints:
    channels = np.full((len(named), max([1, *map(len, named)])), -1, np.int64)
    for row, names in zip(channels, named, strict=True):
        row[: len(names)] = [book.channels[name] for name in names]
    return channels


def _parts(book: Book) -> Ints:
    """Return int64[event type, campaign]: where an event row holds the campaign's `per` field."""
    parts = np.full((len(book.schema.types), len(book.campaigns)), at.NO_PART, np.int64)
    for number, campaign in enumerate(book.playbook.campaigns.values()):
        if campaign.per:
            parts[:, number] = [book.part(layout, campaign.per) for layout in book.schema.types]
    return parts


def _schedules(book: Book) -> Ints:
    rows: list[Row] = []
    for number, campaign in enumerate(book.playbook.campaigns.values()):
        when = campaign.when
        if when.kind is TriggerKind.ONCE:
            rows.append([number, when.at_us, 0, -1, 0])
        elif when.kind is TriggerKind.EVERY and when.every:
            rows.append([number, -1, when.every.minute_of_day, when.every.weekday, when.every.month_day])
    return table(rows, at.SCHEDULE_MONTH_DAY + 1)


def _goals(book: Book) -> Ints:
    rows: list[Row] = []
    for number, campaign in enumerate(book.playbook.campaigns.values()):
        goal = campaign.goal
        if goal is not None:
            event = book.schema.layout(goal.event).number
            rows.append([number, event, book.where(goal.event, goal.where), campaign.goal_within_us])
    return table(rows, at.GOAL_WITHIN_US + 1)
