"""Policies: the rules above all campaigns, and what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice import program as at
from onevoice.compiler.campaigns import tie_of
from onevoice.compiler.resources import compile_resources
from onevoice.compiler.rows import Groups, table
from onevoice.conditions.tree import Type
from onevoice.engine.contact_states import DELIVERED, RESERVED, SEEN, SENT
from onevoice.playbook.builtin import BUILTIN_FACT_NAMES
from onevoice.playbook.capping import RESPONSE_US, SHOWS_MAX, shown_again_us
from onevoice.playbook.hours import windows_of
from onevoice.playbook.model import CATEGORY, DAY, EACH, MINUTE, Period, TriggerKind
from onevoice.zones import zone_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped, Row
    from onevoice.playbook.model import Cap
    from onevoice.tables import Ints

HOLDOUT: Final = "the holdout"  # by whose hash it is told from the campaigns', none of which is called so
_PERIODS: Final = {Period.DAY: at.PERIOD_DAY, Period.WEEK: at.PERIOD_WEEK, Period.MONTH: at.PERIOD_MONTH}
# The longest a period can be, a change of the customer's zone or of its clocks included.
_LONGEST_US: Final = {Period.DAY: 2 * DAY, Period.WEEK: 8 * DAY, Period.MONTH: 32 * DAY}


_COUNTS_FROM: Final = {"decided": RESERVED, "sent": SENT, "delivered": DELIVERED, "seen": SEEN}


class Policies(NamedTuple):
    """The tables of the policies, named as in the program."""

    classes: Ints
    channels: Ints
    caps: Ints
    windows: Ints
    holidays: Ints
    placements: Ints
    resources: Ints
    reserves: Ints
    uses: Ints
    use_spans: Ints
    stocks: Ints


def compile_policies(book: Book) -> Policies:
    """Return the tables of the classes, channels, caps, hours, placements and resources."""
    placements = [[each.slots, each.fatigue_times, each.fatigue_us] for each in book.playbook.placements.values()]
    windows = _windows(book)
    return Policies(
        _classes(book),
        _channels(book, windows),
        _caps(book),
        windows.rows,
        _holidays(book),
        table(placements, at.PLACEMENT_PAUSE_US + 1),
        *compile_resources(book, windows.spans[len(book.channels) :]),
    )


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
    limits[at.P_HORIZON_US] = _horizon_us(book)
    limits[at.P_IGNORED_TIMES] = policies.refusals.ignored_times
    limits[at.P_FACT_CONSENT] = book.facts["consent"]
    limits[at.P_FACT_IGNORED] = book.facts["ignored"]
    limits[at.P_EXPLORED] = round(policies.exploration.share * at.SHARES)
    limits[at.P_HELD] = round(policies.holdout.share * at.SHARES)
    limits[at.P_HOLDOUTS] = int(policies.holdout.share > 0) + int((campaigns[:, at.CAMPAIGN_HELD] > 0).sum())
    limits[at.P_HOLDOUT_SALT] = tie_of(HOLDOUT)
    limits[at.P_SLOT_SEGMENTS] = measures
    limits[at.P_SLOT_SUPPRESSIONS] = measures + len(segments)
    limits[at.P_SLOT_IGNORED] = measures + len(segments) + len(suppressions)
    columns = {name: number for number, name in enumerate(book.playbook.products.fields)}
    limits[at.P_CATEGORY] = columns[CATEGORY] if any(cap.category for cap in book.caps) else -1
    limits[at.P_CAPS_LIFT] = int(any(_lifts(book, cap) for cap in book.caps if not cap.placement))
    limits[at.P_SLOT_HOLDOUTS] = limits[at.P_SLOT_IGNORED] + 1
    limits[at.P_COUNTS_FROM] = _COUNTS_FROM[policies.counts_from]
    limits[at.P_CHANNEL_TRAIT] = _trait_that_means(book, "channel")
    limits[at.P_FACT_GROUPS] = first = len(BUILTIN_FACT_NAMES)
    counted = {book.facts[cap.group] for cap in book.caps if cap.group}
    limits[at.P_GROUPS_COUNTED] = sum(1 << (fact - first) for fact in counted)
    limits[at.P_SHOWN_US] = _shown_us(book)
    limits[at.P_SHOWS_MAX] = SHOWS_MAX
    limits[at.P_CAPS_SHOWN] = sum(not cap.placement for cap in book.caps)
    limits[at.P_TIRED] = int(any(each.fatigue_times for each in book.playbook.placements.values()))
    limits[at.P_SLOT_TIRED] = limits[at.P_SLOT_HOLDOUTS] + 1
    return limits


def _trait_that_means(book: Book, meaning: str) -> int:
    return next((number for number, trait in enumerate(book.schema.traits) if trait.means == meaning), -1)


def _horizon_us(book: Book) -> int:
    """Return how long a contact can matter."""
    playbook = book.playbook
    windows = [_length_us(cap) for cap in book.caps if not cap.placement]
    windows += [channel.receipts_us for channel in playbook.channels.values()]
    windows += [each.again_after_us for each in playbook.campaigns.values() if each.when.kind is not TriggerKind.ASKED]
    windows += [each.unseen_after_us for each in playbook.campaigns.values()]
    return max([playbook.policies.gap_us, *windows])


def _shown_us(book: Book) -> int:
    """Return how long a show can matter: as long as responses are understood, to say the least."""
    again = [shown_again_us(campaign) for campaign in book.playbook.campaigns.values()]
    return max([RESPONSE_US, *again, *(_length_us(cap) for cap in book.caps if cap.placement)])


def _length_us(cap: Cap) -> int:
    return cap.rolling_us or _LONGEST_US[cap.period or Period.DAY]


def _classes(book: Book) -> Ints:
    policies = book.playbook.policies
    strict = [name for name, klass in policies.classes.items() if klass.strict]
    rows: list[Row] = []
    for name, klass in policies.classes.items():
        tier = strict.index(name) if klass.strict else len(strict)
        purpose = book.names.code(klass.purpose or name)
        exempt = policies.exempt.get(name, frozenset())
        explored = not klass.strict and name in (policies.exploration.classes or policies.classes)
        held = not klass.strict and name in (policies.holdout.classes or policies.classes)
        flags = [klass.consent_required, "caps" in exempt, "gap" in exempt, klass.counts, explored, held]
        rows.append([tier, purpose, *map(int, flags), book.names.code(name)])
    return table(rows, at.CLASS_NAME + 1)


def _channels(book: Book, windows: Grouped) -> Ints:
    kinds = book.schema.identifier_numbers
    channels = book.playbook.channels.values()
    rows = [[kinds.get(each.address, -1), book.names.code(each.name), each.receipts_us] for each in channels]
    filled = table(rows, at.CHANNEL_WINDOWS_TO + 1)
    filled[:, at.CHANNEL_WINDOWS_FROM : at.CHANNEL_WINDOWS_TO + 1] = windows.spans[: len(channels)]
    return filled


def _windows(book: Book) -> Grouped:
    """Lay the windows out by channel, then by resource."""
    groups = Groups()
    owners = [windows_of(book.playbook.policies, name) for name in book.channels]
    owners += [resource.hours for resource in book.playbook.resources.values()]
    for number, windows in enumerate(owners):
        for window in windows:
            weekdays = sum(1 << day for day in window.weekdays)
            groups.add(number, [window.from_minute * MINUTE, window.to_minute * MINUTE, weekdays])
    return groups.laid_out(len(owners), at.WINDOW_WEEKDAYS + 1)


def _holidays(book: Book) -> Ints:
    dates = (each.year * at.YEAR + each.month * 100 + each.day for each in book.playbook.policies.holidays)
    return np.array(sorted(dates), np.int64)


def _caps(book: Book) -> Ints:
    """Order the caps by set (same scope and window), in each those with `for` first; those of placements last."""
    sets: dict[tuple[object, ...], list[tuple[int, Cap]]] = {}
    for index, cap in sorted(enumerate(book.caps), key=lambda each: bool(each[1].placement)):
        sets.setdefault((cap.scope, cap.group, cap.rolling_us, cap.period), []).append((index, cap))
    rows: list[Row] = []
    for number, members in enumerate(sets.values()):
        lifts = int(any(_lifts(book, cap) for _, cap in members))
        for index, cap in sorted(members, key=lambda member: not member[1].for_segment):
            rows.append([index, number, *_cap(book, cap), lifts, 0, book.facts.get(cap.group, -1), *_scope(book, cap)])
    caps = table(rows, at.CAP_SCOPE + at.SCOPES)
    caps[caps[:, at.CAP_INDEX], at.CAP_ROW] = np.arange(len(caps))
    return caps


def _cap(book: Book, cap: Cap) -> Row:
    """Return a cap's row from CAP_MAX to CAP_OWN."""
    period = _PERIODS[cap.period] if cap.period else 0
    segment, own = book.segments.get(cap.for_segment, -1), book.schema.trait_numbers.get(cap.own_max, -1)
    return [cap.max, cap.rolling_us, period, segment, own]


def _lifts(book: Book, cap: Cap) -> bool:
    """Whether something else than time may lift a cap: what customers are, choose, with whom and where, the offer."""
    moves = cap.period is not None and any(trait.means == "time_zone" for trait in book.schema.traits)
    return bool(cap.for_segment or cap.own_max or cap.address or cap.category or cap.group or moves)


def _scope(book: Book, cap: Cap) -> Row:
    """Return a cap's row from CAP_SCOPES on."""
    code = book.names.code
    numbers = [book.campaigns.__getitem__, book.classes.__getitem__, book.channels.__getitem__, code]
    numbers += [book.owners.__getitem__, code, code, book.placements.__getitem__]
    found = [_wanted(name, number) for name, number in zip(cap.scope, numbers, strict=True)]
    scopes = max((place for place, each in enumerate(found, 1) if each != at.ANY), default=0)
    return [scopes, *found]


def _wanted(name: str, number: Callable[[str], int]) -> int:
    if not name:
        return at.ANY
    return at.EACH if name == EACH else number(name)
