"""What one customer's own contacts use of what is scarce, whatever others leave of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from onevoice.playbook.model import HOUR, MINUTE, Bucket
from onevoice.playbook.resources import MONEY, limit_of, resources_of
from onevoice.runtime.decisions import EPOCH, time_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onevoice.history.decision import Line
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.runtime.why_not.trial import Place

_Used: TypeAlias = tuple[str, object]  # the path of what is used, and in which bucket


def exceeds(playbook: Playbook, campaign: Campaign, decided: Mapping[Place, Line]) -> bool:
    """Tell whether what goes out to a customer is by itself more than a run or a resource has. `campaign`: as it is."""
    campaigns = playbook.campaigns | {campaign.name: campaign}
    used: Counter[_Used] = Counter()
    for place, line in decided.items():
        own, channel = campaigns.get(line.campaign), playbook.channels.get(line.channel)
        if line.reason != "won" or own is None or channel is None:
            continue
        used[f"campaigns.{own.name}.at_most", None] += 1
        for path in resources_of(playbook, own, channel.name, line.offer if line.offer in playbook.offers else ""):
            resource = playbook.resources.get(path.removeprefix("resources."))
            per = resource.per if resource else channel.rate_per
            used[path, _bucket(playbook, per, place.time)] += (
                round(channel.cost * MONEY) if _is_money(playbook, path) else 1
            )
    return any(amount > _limit(playbook, campaigns, path) for (path, _), amount in used.items())


def _is_money(playbook: Playbook, path: str) -> bool:
    resource = playbook.resources.get(path.removeprefix("resources."))
    return bool(resource and resource.budget)


def _bucket(playbook: Playbook, per: Bucket | None, time: int) -> object:
    """Return in which bucket a time (µs UTC) lies."""
    if per is None:
        return None
    if per in {Bucket.MINUTE, Bucket.HOUR}:
        return time // (MINUTE if per is Bucket.MINUTE else HOUR)
    day = (time_of(time) or EPOCH).astimezone(ZoneInfo(playbook.time_zone)).date()
    return day if per is Bucket.DAY else (day.year, day.month)


def _limit(playbook: Playbook, campaigns: Mapping[str, Campaign], path: str) -> float:
    """Return how much there is of something in a bucket, or in a run."""
    section, name = path.split(".")[:2]
    if section == "campaigns":
        return campaigns[name].at_most_contacts or float("inf")
    return (
        playbook.channels[name].rate if section == "channels" else limit_of(playbook.resources[name], playbook.products)
    )
