"""Resources: how much there is of each, what classes have reserved, and which contacts use how much of which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice import program as at
from onevoice.compiler.rows import Groups, table
from onevoice.playbook.model import HOUR, MINUTE, Bucket
from onevoice.playbook.resources import MONEY, limit_of, rates, reserved

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Row
    from onevoice.playbook.model import Resource
    from onevoice.tables import Ints

_LENGTHS: Final = {Bucket.MINUTE: MINUTE, Bucket.HOUR: HOUR}
_PERIODS: Final = {Bucket.DAY: at.PERIOD_DAY, Bucket.MONTH: at.PERIOD_MONTH}


class Resources(NamedTuple):
    """The tables of the resources, named as in the program."""

    resources: Ints
    reserves: Ints
    uses: Ints
    use_spans: Ints
    stocks: Ints


def compile_resources(book: Book, windows: Ints) -> Resources:
    """Return the tables of the resources; `windows`: int64[resource, 2], their ranges in the table of windows."""
    declared = [*book.playbook.resources.values()]
    limits = [limit_of(each, book.playbook.products) for each in declared]
    reserves = np.zeros((len(declared) + len(rates(book.playbook)), len(book.classes)), np.int64)
    for number, (each, limit) in enumerate(zip(declared, limits, strict=True)):
        for name, share in each.reserve.items():
            reserves[number, book.classes[name]] = reserved(share, limit)
    rows = [_row(each, limit) for each, limit in zip(declared, limits, strict=True)]
    rows += [[_LENGTHS.get(per, 0), _PERIODS.get(per, 0), rate] for _, rate, per in rates(book.playbook)]
    filled = table(rows, at.RESOURCE_WIDTH)
    filled[:, at.RESOURCE_SHARED] = filled[:, at.RESOURCE_LIMIT] - reserves.sum(axis=1)
    filled[: len(windows), at.RESOURCE_WINDOWS_FROM : at.RESOURCE_WINDOWS_TO + 1] = windows
    uses, spans = _uses(book)
    products = [(book.names.code(each.product), number) for number, each in enumerate(declared) if each.product]
    stocks = table([list(each) for each in products], at.STOCK_RESOURCE + 1)
    return Resources(filled, reserves, uses, spans, stocks)


def _row(resource: Resource, limit: int) -> Row:
    per = resource.per
    length, period = (_LENGTHS.get(per, 0), _PERIODS.get(per, 0)) if per else (0, 0)
    return [length, period, limit, 0, int(bool(resource.budget))]


def _uses(book: Book) -> tuple[Ints, Ints]:
    """Lay the uses out by campaign and channel: the channel's own, its rate, the campaign's."""
    playbook, groups = book.playbook, Groups()
    if not playbook.resources and not rates(playbook):
        return table([], at.USES_AMOUNT + 1), np.zeros((0, 2), np.int64)
    numbers = {name: number for number, name in enumerate(playbook.resources)}
    rated = {name: len(numbers) + place for place, (name, _, _) in enumerate(rates(playbook))}
    for campaign in playbook.campaigns.values():
        for name in dict.fromkeys((*campaign.send, *campaign.unseen_next)):
            channel = playbook.channels[name]
            owner = book.campaigns[campaign.name] * len(book.channels) + book.channels[name]
            wanted = [numbers[each] for each in channel.uses]
            wanted += [rated[name]] if name in rated else []
            wanted += [numbers[each] for each in campaign.uses]
            for number in dict.fromkeys(wanted):
                is_money = number < len(numbers) and playbook.resources[[*numbers][number]].budget
                amount = round(channel.cost * MONEY) if is_money else 1
                if amount:
                    groups.add(owner, [number, amount])
    laid_out = groups.laid_out(len(book.campaigns) * len(book.channels), at.USES_AMOUNT + 1)
    return laid_out.rows, laid_out.spans
