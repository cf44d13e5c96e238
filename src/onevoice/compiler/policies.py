"""Policies: the rules above all campaigns, and what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice import program as at
from onevoice.compiler.rows import table
from onevoice.conditions.tree import Type
from onevoice.engine.contact_states import DELIVERED, RESERVED, SEEN, SENT
from onevoice.playbook.model import DAY, Period
from onevoice.zones import zone_number

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Row
    from onevoice.playbook.model import Cap
    from onevoice.tables import Ints

_PERIODS: Final = {Period.DAY: at.PERIOD_DAY, Period.WEEK: at.PERIOD_WEEK, Period.MONTH: at.PERIOD_MONTH}
# The longest a period can be, a change of the customer's zone or of its clocks included.
_LONGEST_US: Final = {Period.DAY: 2 * DAY, Period.WEEK: 8 * DAY, Period.MONTH: 32 * DAY}


_COUNTS_FROM: Final = {"decided": RESERVED, "sent": SENT, "delivered": DELIVERED, "seen": SEEN}


class Policies(NamedTuple):
    """The tables of the policies, named as in the program."""

    classes: Ints
    channels: Ints
    caps: Ints
    placements: Ints


def compile_policies(book: Book) -> Policies:
    """Return the tables of the classes, channels, caps and placements."""
    placements = [[placement.slots] for placement in book.playbook.placements.values()]
    return Policies(_classes(book), _channels(book), _caps(book), table(placements, at.PLACEMENT_SLOTS + 1))


def compile_suppressions(book: Book) -> Ints:
    """Return the table of the suppressions."""
    rows: list[Row] = []
    for rule in book.playbook.policies.suppress:
        condition = book.condition(rule.condition, book.scopes.suppression(), Type.BOOLEAN)
        judged = int(bool(rule.then_us or rule.at_most_us))
        timed = int(book.is_timed(condition))
        bits = sum(1 << book.classes[name] for name in rule.stop if name != "offers")
        rows.append([condition, rule.then_us, rule.at_most_us, judged, timed, int("offers" in rule.stop), bits])
    return table(rows, at.SUPPRESSION_CLASSES + 1)


def compile_limits(book: Book, segments: Ints, suppressions: Ints, campaigns: Ints) -> Ints:
    """Return the numbers of which there is one each."""
    policies = book.playbook.policies
    measures = len(book.playbook.measures)
    limits = np.zeros(at.LIMITS, np.int64)
    limits[at.P_ZONE] = max(zone_number(book.playbook.time_zone), 0)
    limits[at.P_ZONE_TRAIT] = _trait_that_means(book, "time_zone")
    limits[at.P_GAP_US] = policies.gap_us
    limits[at.P_RANK] = book.condition(policies.rank, book.scopes.rank(), Type.NUMBER)
    limits[at.P_HORIZON_US] = _horizon_us(book, campaigns)
    limits[at.P_IGNORED_TIMES] = policies.refusals.ignored_times
    limits[at.P_FACT_CONSENT] = book.facts["consent"]
    limits[at.P_FACT_IGNORED] = book.facts["ignored"]
    limits[at.P_SLOT_SEGMENTS] = measures
    limits[at.P_SLOT_SUPPRESSIONS] = measures + len(segments)
    limits[at.P_SLOT_IGNORED] = measures + len(segments) + len(suppressions)
    limits[at.P_COUNTS_FROM] = _COUNTS_FROM[policies.counts_from]
    limits[at.P_CHANNEL_TRAIT] = _trait_that_means(book, "channel")
    return limits


def _trait_that_means(book: Book, meaning: str) -> int:
    return next((number for number, trait in enumerate(book.schema.traits) if trait.means == meaning), -1)


def _horizon_us(book: Book, campaigns: Ints) -> int:
    """Return how long a contact can matter."""
    policies = book.playbook.policies
    windows = [cap.rolling_us or _LONGEST_US[cap.period or Period.DAY] for cap in policies.caps]
    windows += [channel.receipts_us for channel in book.playbook.channels.values()]
    windows += [int(campaigns[:, column].max(initial=0)) for column in (at.CAMPAIGN_AGAIN_US, at.CAMPAIGN_UNSEEN_US)]
    return max([policies.gap_us, *windows])


def _classes(book: Book) -> Ints:
    policies = book.playbook.policies
    strict = [name for name, klass in policies.classes.items() if klass.strict]
    rows: list[Row] = []
    for name, klass in policies.classes.items():
        tier = strict.index(name) if klass.strict else len(strict)
        purpose = book.names.code(klass.purpose or name)
        exempt = policies.exempt.get(name, frozenset())
        rows.append([tier, purpose, int(klass.consent_required), int("caps" in exempt), int("gap" in exempt)])
        rows[-1].append(book.names.code(name))
    return table(rows, at.CLASS_NAME + 1)


def _channels(book: Book) -> Ints:
    kinds = book.schema.identifier_numbers
    channels = book.playbook.channels.values()
    rows = [[kinds.get(each.address, -1), book.names.code(each.name), each.receipts_us] for each in channels]
    return table(rows, at.CHANNEL_RECEIPTS_US + 1)


def _caps(book: Book) -> Ints:
    """Order the caps by set (same scope and window), in each those with `for` before the one without."""
    sets: dict[tuple[object, ...], list[tuple[int, Cap]]] = {}
    for index, cap in enumerate(book.playbook.policies.caps):
        scope = (cap.channel, cap.klass, cap.campaign, cap.rolling_us, cap.period)
        sets.setdefault(scope, []).append((index, cap))
    rows: list[Row] = []
    for number, members in enumerate(sets.values()):
        for index, cap in sorted(members, key=lambda member: not member[1].for_segment):
            rows.append([index, number, *_cap(book, cap)])
    return table(rows, at.CAP_SEGMENT + 1)


def _cap(book: Book, cap: Cap) -> Row:
    """Return a cap's row from CAP_MAX on."""
    period = _PERIODS[cap.period] if cap.period else 0
    scope = [book.channels.get(cap.channel, -1), book.classes.get(cap.klass, -1)]
    scope += [book.campaigns.get(cap.campaign, -1), book.segments.get(cap.for_segment, -1)]
    return [cap.max, cap.rolling_us, period, *scope]
