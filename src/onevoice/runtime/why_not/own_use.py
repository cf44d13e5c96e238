"""What one customer's own contacts use of what is scarce, whatever others leave of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from onevoice.playbook.model import HOUR, MINUTE, Bucket
from onevoice.playbook.resources import MONEY, limit_of, resources_of
from onevoice.runtime.decisions import EPOCH, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onevoice.history.decision import Line
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.runtime.why_not.trial import Place

_Pool: TypeAlias = tuple[str, object]  # the path of what is used, and in which bucket


def exceeds(playbook: Playbook, campaign: Campaign, decided: Mapping[Place, Line]) -> bool:
    """Tell whether what goes out to a customer is by itself more than a run or a resource has. `campaign`: as it is."""
    campaigns = playbook.campaigns | {campaign.name: campaign}
    used: Counter[_Pool] = Counter()
    limits: dict[_Pool, float] = {}
    for place, line in decided.items():
        if line.reason == "won" and line.campaign in campaigns and line.channel in playbook.channels:
            for pool, amount, limit in _uses(playbook, campaigns[line.campaign], line, place.time):
                used[pool] += amount
                limits[pool] = limit
    return any(used[pool] > limit for pool, limit in limits.items())


def _uses(playbook: Playbook, campaign: Campaign, line: Line, time: int) -> Iterator[tuple[_Pool, int, float]]:
    """Yield what a contact uses at a time (µs UTC): of which pool, how much, and how much there is."""
    channel = playbook.channels[line.channel]
    if campaign.at_most_contacts:
        yield (campaign.name, None), 1, campaign.at_most_contacts
    for path in resources_of(playbook, campaign, channel.name, line.offer if line.offer in playbook.offers else ""):
        resource = playbook.resources.get(path.removeprefix("resources."))
        if resource is None:
            yield (path, _bucket(playbook, channel.rate_per, time)), 1, channel.rate
        else:
            amount = round(channel.cost * MONEY) if resource.budget else 1
            yield (path, _bucket(playbook, resource.per, time)), amount, limit_of(resource, playbook.products)


def _bucket(playbook: Playbook, per: Bucket | None, time: int) -> object:
    """Return in which bucket a time lies; all are in one where it is none."""
    if per is None:
        return None
    if per in {Bucket.MINUTE, Bucket.HOUR}:
        return time // (MINUTE if per is Bucket.MINUTE else HOUR)
    day = (time_of(time) or EPOCH).astimezone(ZoneInfo(playbook.time_zone)).date()
    return day if per is Bucket.DAY else (day.year, day.month)
