"""Which campaigns want the same customers, who wins, and what that costs the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from onevoice.events.pyarrow_untyped import pa
from onevoice.history.base import load_lines, make_wishes, queries, rows_of, run
from onevoice.history.rehearsal_html import conflicts_html
from onevoice.history.report import CampaignFigures
from onevoice.history.tables import check_table, table_of
from onevoice.history.why import cap_text
from onevoice.playbook.model import CATEGORY, EACH, TriggerKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onevoice.events.pyarrow_untyped import Table
    from onevoice.history.comparing import Side
    from onevoice.playbook.model import Campaign, Cap, Playbook

CONFLICTS_MAX: Final = 1_000  # pairs of campaigns

_ASK: Final = """
    select m.one, m.other, m.placement, m.customers, m.times, m.one_first, m.other_first,
           coalesce(a.held, 0), coalesce(b.held, 0), coalesce(a.lost, 0), coalesce(b.lost, 0)
    from meeting as m
    left join cost as a on a.placement = m.placement and a.campaign = m.one and a.holder = m.other
    left join cost as b on b.placement = m.placement and b.campaign = m.other and b.holder = m.one
    where $campaign in ('', m.one, m.other)
    order by m.customers desc, m.times desc, m.one, m.other limit $most
"""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two campaigns that want the same customers: how many, how often, and who goes out first.

    `one_held`: wishes of the one that a contact of the other held back (it ranked higher, or the gap or a cap after it
    was in the way), `one_lost`: those of them that never went out; likewise of the other. With `placement` set these
    are asks at which both were candidates, and `first` means that only that one was shown.
    """

    one: str
    other: str
    placement: str
    customers: int
    times: int
    one_first: int
    other_first: int
    one_held: int
    other_held: int
    one_lost: int
    other_lost: int


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Pairs of campaigns that want the same customers no longer than `within` apart, those with most customers first.

    With a `campaign` named, only its pairs, it being the one; `figures` then say what became of it. There are 1,000
    pairs at the most. Shows itself in notebooks.

    >>> _ = engine.decide("home_banner", ada)
    >>> engine.conflicts().pairs
    ()
    """

    playbook: str
    version: str
    campaign: str
    within: timedelta
    customers: int
    figures: CampaignFigures | None
    pairs: tuple[Conflict, ...]

    def table(self, name: str = "pairs") -> Table:
        """Return `pairs`, the one `name` there is, as a pyarrow Table: a row for each, a column for each field.

        Raises OnevoiceError for another name.

        >>> engine.conflicts().table().column_names[:3]
        ['one', 'other', 'placement']
        """
        check_table(name, {"pairs": Conflict})
        return table_of(Conflict, self.pairs)

    def _repr_html_(self) -> str:
        """Show the pairs that share most customers in a notebook."""
        return conflicts_html(self)


def conflicts(base: Any, side: Side, campaign: str, within: timedelta, *, version: str, customers: int) -> Conflicts:
    """Return the conflicts among decided lines; `base` is an empty database of `history.base.opened`."""
    load_lines(base, side.lines)
    playbooks = side.playbooks()
    make_wishes(base, playbooks)
    run(base, "meetings.sql", within=within)
    base.register("caps_told", _caps_told(playbooks))
    run(base, "conflicts.sql")
    figures = rows_of(base, CampaignFigures, queries("report.sql")["campaigns"])
    pairs = rows_of(base, Conflict, _ASK, campaign=campaign, most=CONFLICTS_MAX)
    return Conflicts(
        playbook=playbooks[-1].name,
        version=version,
        campaign=campaign,
        within=within,
        customers=customers,
        figures=next((each for each in figures if each.campaign == campaign), None),
        pairs=tuple(_turned(each) if each.other == campaign else each for each in pairs),
    )


def _turned(pair: Conflict) -> Conflict:
    """Return the same with the other as the one."""
    return Conflict(
        pair.other,
        pair.one,
        pair.placement,
        pair.customers,
        pair.times,
        pair.other_first,
        pair.one_first,
        pair.other_held,
        pair.one_held,
        pair.other_lost,
        pair.one_lost,
    )


def _caps_told(playbooks: Sequence[Playbook]) -> Table:
    caps = [(cap, playbook) for playbook in playbooks for cap in playbook.policies.caps if not cap.placement]
    rows = list(dict.fromkeys(row for cap, playbook in caps for row in _told(cap, playbook)))
    names = ("words", "campaign", "channel", "offer", "same", "category", "period", "length")
    types = (*[pa.string()] * (len(names) - 1), pa.duration("us"))
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)})


_Told: TypeAlias = "tuple[str, str, str, str, str, str | None, str | None, timedelta | None]"


def _told(cap: Cap, playbook: Playbook) -> Iterator[_Told]:
    """Yield the campaigns, channels and offers that a cap is about, each with its window."""
    period = cap.period.value if cap.period else None
    length = None if cap.period else timedelta(microseconds=cap.rolling_us)
    wants = [(each, offer) for each in playbook.campaigns.values() for offer in each.offers or ("",)]
    for campaign, offer in wants:
        category = _category(campaign, offer, playbook) if cap.category else None
        if category is not None and (not category or cap.category not in {EACH, category}):
            continue
        for channel in campaign.send:
            both = list(zip(_scope(cap), _values(campaign, channel, offer, playbook), strict=True))
            if all(value if wanted == EACH else wanted in {"", value} for wanted, value in both):
                same = "\n".join(value for wanted, value in both if wanted == EACH)
                yield cap_text(cap), campaign.name, channel, offer, same, category, period, length


def _scope(cap: Cap) -> tuple[str, ...]:
    """Return what a cap is about, but for the category."""
    return cap.campaign, cap.klass, cap.channel, cap.family, cap.owner, cap.address


def _values(campaign: Campaign, channel: str, offer: str, playbook: Playbook) -> tuple[str, ...]:
    """Return what caps go by of the contacts with an offer by a channel, in the order of `_scope`; empty for none."""
    family = (playbook.offers[offer].family or offer) if offer else ""
    return campaign.name, campaign.klass, channel, family, campaign.owner, playbook.channels[channel].address


def _category(campaign: Campaign, offer: str, playbook: Playbook) -> str | None:
    """Return the category of an offer's product, empty without one; None where the product is a world event's."""
    product, products = playbook.offers[offer].product if offer else "", playbook.products
    if product:
        return str(products.columns[CATEGORY][products.names.index(product)] or "")
    return None if campaign.when.kind is TriggerKind.PRODUCT else ""
