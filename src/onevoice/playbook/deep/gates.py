"""Channels that can never take a campaign: closed for as long as a wish of it lives, or without room for a contact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from onevoice.playbook.deep.finding import Claim, Finding, found
from onevoice.playbook.deep.formula import ALWAYS
from onevoice.playbook.deep.given import Given
from onevoice.playbook.deep.heeded import heeded
from onevoice.playbook.hours import MINUTES, windows_of
from onevoice.playbook.model import DAY, MINUTE, SECOND, Campaign, TriggerKind
from onevoice.playbook.resources import MONEY, SHARES, limit_of
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from onevoice.playbook.deep.wish import Wish
    from onevoice.playbook.model import Channel, Holiday, Playbook, Resource, Window

WEEK_MINUTES: Final = 7 * MINUTES
LIFE_MAX_US: Final = 31 * DAY  # of wishes whose every minute is looked at
YEARS: Final = (1970, 2100)
ALL_WEEK: Final = (1 << WEEK_MINUTES) - 1


def never_taken(wishes: Sequence[Wish]) -> Finding | None:
    """Return why no channel of a campaign can ever take a wish of it, whichever offer it comes with."""
    wish = wishes[0]
    if not wish.campaign.send or not all(map(_is_known, wishes)):
        return None
    because: list[Given] = []
    for each in wishes:
        life = _life(each)
        for name in each.campaign.send:
            why = _shut(each, each.book.playbook.channels[name], life)
            if not why:
                return None
            because += why
    what = f"the campaign {quoted(wish.campaign.name)} can never go out: none of its channels can ever take it"
    mend = "change one of these, or send it otherwise"
    return found(wish.book, Claim.NEVER_GOES_OUT, wish.path, what, because=because, mend=mend)


def _is_known(wish: Wish) -> bool:
    playbook = wish.book.playbook
    return heeded(playbook, playbook.policies, *playbook.resources.values(), *playbook.channels.values())


def _shut(wish: Wish, channel: Channel, life: _Life | None) -> list[Given]:
    """Return why a channel can never take a wish; nothing where it may."""
    used = _used(wish, channel)
    for resource in used:
        if why := _no_room(wish, channel, resource):
            return why
    return _closed(wish, channel, used, life)


# Room


def _used(wish: Wish, channel: Channel) -> list[Resource]:
    """§17: a contact uses what its channel and its campaign name, and the stock of the product that it is about."""
    playbook = wish.book.playbook
    named = [playbook.resources[name] for name in dict.fromkeys((*channel.uses, *wish.campaign.uses))]
    about = wish.offer.product if wish.offer else ""
    return [*named, *(each for each in playbook.resources.values() if about and each.product == about)]


def _no_room(wish: Wish, channel: Channel, resource: Resource) -> list[Given]:
    """Return why there is never room for one contact, as long as nobody says by `resource_set` that there is more."""
    path = f"resources.{resource.name}"
    limit = limit_of(resource, wish.book.playbook.products)
    if resource.budget:
        if round(channel.cost * MONEY) <= limit:
            return []
        costs = f"a contact by {quoted(channel.name)} costs more than there is"
        return [
            Given(ALWAYS, f"channels.{channel.name}.cost", costs),
            Given(ALWAYS, f"{path}.budget", "there is never more, but by `resource_set`"),
        ]
    if resource.product and limit < 1:
        none = f"none of {quoted(resource.product)} is in stock, as the catalogue says"
        return [Given(ALWAYS, f"{path}.stock", f"{none}, and there is never more but by `resource_set`")]
    klass = wish.campaign.klass
    kept = sum(_reserved(share, limit) for name, share in resource.reserve.items() if name != klass)
    if kept + 1 <= limit or not resource.capacity:
        return []
    says = f"all of it is kept for other classes than {quoted(klass)}, and there is never more but by `resource_set`"
    return [Given(ALWAYS, f"{path}.reserve", says), Given(ALWAYS, f"{wish.path}.class", "its class")]


def _reserved(share: float, limit: int) -> int:
    return round(share * SHARES) * limit // SHARES


# Hours


class _Life(NamedTuple):
    """When wishes of a campaign can be alive: from one instant to another, or at some minutes of the week.

    `start_us` and `end_us` are 0 where only the minutes are known; those are a set of bits, Monday's midnight first.
    """

    start_us: int
    end_us: int
    minutes: int
    because: tuple[Given, ...]


def _life(wish: Wish) -> _Life | None:
    """Return when wishes of a campaign live (§8): from birth to expiry; None where that may be always."""
    campaign = wish.campaign
    because = tuple(
        Given(ALWAYS, f"{wish.path}.{key}", says)
        for key, says, is_set in (
            ("from", "nothing begins before", campaign.from_us),
            ("to", "the last day", campaign.to_us),
            ("valid_for", "it has expired then", campaign.valid_for_us),
        )
        if is_set
    )
    if campaign.when.kind is TriggerKind.ONCE:
        began = Given(ALWAYS, f"{wish.path}.when", "it begins then")
        start = campaign.when.at_us + campaign.after_us
        ends = [campaign.to_us, start + campaign.valid_for_us if campaign.valid_for_us else 0]
        return _dated(start, min(filter(None, ends), default=0), (began, *because))
    if campaign.when.every is not None and campaign.valid_for_us:
        began = Given(ALWAYS, f"{wish.path}.when", "it begins then")
        minutes = _weekly(campaign, wish.book.playbook.time_zone)
        if minutes is not None:
            return _Life(0, 0, minutes, (began, *because))
    return _dated(campaign.from_us, campaign.to_us, because) if campaign.from_us else None


def _dated(start_us: int, end_us: int, because: tuple[Given, ...]) -> _Life | None:
    is_short = 0 < end_us - start_us <= LIFE_MAX_US
    return _Life(start_us, end_us, ALL_WEEK, because) if is_short else None


def _weekly(campaign: Campaign, zone: str) -> int | None:
    """Return the minutes of the week at which a wish of a campaign that begins at a local time can be alive.

    Clocks may change before it begins and while it lives, so that it begins later and ends later or earlier by what
    clocks there ever changed within a month.
    """
    every = campaign.when.every
    assert every is not None, "it begins at a local time"
    lasts_us = campaign.after_us + campaign.valid_for_us
    if lasts_us > LIFE_MAX_US:
        return None
    drift = _drift(zone)
    days = range(7) if every.weekday < 0 else (every.weekday,)
    length = min(lasts_us // MINUTE + 1 + 3 * drift, WEEK_MINUTES)
    starts = (day * MINUTES + every.minute_of_day - drift for day in days)
    return _bits((start, start + length) for start in starts)


@lru_cache(maxsize=8)
def _drift(zone: str) -> int:
    """Return by how many minutes, at most, the clocks of a zone change within a month."""
    shown = ZoneInfo(zone)
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in YEARS)
    days = ((first + timedelta(days=day)).astimezone(shown).utcoffset() for day in range((last - first).days))
    told = [round(each.total_seconds() / 60) for each in days if each is not None]
    changes = [(day, after - before) for day, (before, after) in enumerate(pairwise(told))]
    changes = [(day, abs(by)) for day, by in changes if by]
    month = LIFE_MAX_US // DAY + 2
    return max((sum(by for day, by in changes if begin <= day < begin + month) for begin, _ in changes), default=0)


def _bits(stretches: Iterable[tuple[int, int]]) -> int:
    """Return a set of minutes of the week, as bits; a stretch may lie partly in the week before or after."""
    minutes = 0
    for first, last in stretches:
        span = ((1 << (last - first)) - 1) << (first % WEEK_MINUTES)
        minutes |= (span & ALL_WEEK) | (span >> WEEK_MINUTES)
    return minutes


def _open(windows: Iterable[Window]) -> int:
    return _bits(
        (day * MINUTES + each.from_minute, day * MINUTES + each.to_minute) for each in windows for day in each.weekdays
    )


def _closed(wish: Wish, channel: Channel, used: Sequence[Resource], life: _Life | None) -> list[Given]:
    """Return that a channel, or what a contact uses, is closed for as long as a wish lives, or never open with it.

    The clock of resources is the playbook's; that of channels the customer's, which is the same where no trait tells.
    """
    playbook = wish.book.playbook
    told = list(_windows(playbook, channel, used))
    if not told or (life is None and len(told) < 2):
        return []
    minutes = life.minutes if life else ALL_WEEK
    for _, windows in told:
        minutes &= _open(windows)
    if minutes and not (life and life.start_us and _is_closed(playbook, life, [windows for _, windows in told])):
        return []
    return [*(given for given, _ in told), *(life.because if life else ())]


def _windows(
    playbook: Playbook, channel: Channel, used: Sequence[Resource]
) -> Iterator[tuple[Given, tuple[Window, ...]]]:
    """Give what must be open for a contact by a channel, with its windows of the playbook's clock."""
    has_own_zones = any(trait.means == "time_zone" for trait in playbook.traits.values())
    if (windows := windows_of(playbook.policies, channel.name)) and not has_own_zones:
        name = channel.name if channel.name in playbook.policies.hours else "all"
        yield Given(ALWAYS, f"policies.hours.{name}", f"when {quoted(channel.name)} is open"), windows
    for each in used:
        if each.hours:
            yield Given(ALWAYS, f"resources.{each.name}.hours", f"when {quoted(each.name)} is open"), each.hours


def _is_closed(playbook: Playbook, life: _Life, told: Sequence[tuple[Window, ...]]) -> bool:
    """Tell whether everything is open at no minute of a life, with holidays and changing clocks."""
    zone, holidays = ZoneInfo(playbook.time_zone), playbook.policies.holidays
    opens = [_open(windows) for windows in told]
    for at_us in range(life.start_us - life.start_us % MINUTE, life.end_us, MINUTE):
        at = datetime.fromtimestamp(at_us // SECOND, UTC).astimezone(zone)
        minute = at.weekday() * MINUTES + at.hour * 60 + at.minute
        if all(each >> minute & 1 for each in opens) and not _is_holiday(at, holidays):
            return False
    return True


def _is_holiday(at: datetime, holidays: Sequence[Holiday]) -> bool:
    return any((each.month, each.day) == (at.month, at.day) and each.year in {0, at.year} for each in holidays)
