"""What a playbook did over a stretch of time, in figures: what went out, what was held back, who was crowded.

Every figure is one SQL query over the lines of all decisions; `wishes.sql` makes the tables that they ask.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from onevoice.history.base import make_wishes, opened, queries, row_of, rows_of, run
from onevoice.history.notebook import report_html
from onevoice.history.tables import check_table, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from onevoice.events.pyarrow_untyped import Table
    from onevoice.playbook.model import Playbook

CROWDED_MAX: Final = 20  # customers
COLLISIONS_MAX: Final = 200  # pairs of campaigns


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """What became of one campaign. `wishes`: how often it wanted a customer; `shown`: at placements, of `asks`.

    Of a campaign that the playbook in force has no more nothing is `waiting`. `held_out`: wishes that had won, of
    customers who are not to hear, so that there is somebody to compare with.
    """

    campaign: str
    klass: str
    owner: str
    wishes: int
    customers: int
    sent: int
    waiting: int
    expired: int
    ended: int
    not_eligible: int
    asks: int
    shown: int
    held_out: int = 0


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """Contacts of one campaign by one channel in the week that begins on `week`, a Monday in the playbook's zone."""

    week: date
    campaign: str
    klass: str
    channel: str
    contacts: int


@dataclass(frozen=True, slots=True)
class ReasonFigures:
    """Wishes that one reason held back at least once, and how many of them went out later all the same.

    `rule` is its path in the playbook, where there is one, and `words` what it said there when it was used; where that
    stood at several paths, `rule` is the last. With `placement` set these are answers to asks there, of which none can
    go out later.
    """

    reason: str
    rule: str
    placement: str
    wishes: int
    customers: int
    sent_later: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Crowded:
    """A customer wanted by many: `at_once` wishes waited at `since`; of all their `wishes`, `sent` went out."""

    customer: int
    at_once: int
    since: datetime
    wishes: int
    campaigns: int
    sent: int


@dataclass(frozen=True, slots=True)
class Collision:
    """Two campaigns that wanted the same customers at the same time: how many, how often, and who went out first.

    `one_lost`, `other_lost`: how often that campaign did not go out at all. With `placement` set these are asks.
    """

    one: str
    other: str
    placement: str
    customers: int
    times: int
    one_first: int
    other_first: int
    one_lost: int
    other_lost: int


@dataclass(frozen=True, slots=True)
class Load:
    """In how many weeks of a customer there were `contacts` contacts."""

    contacts: int
    customer_weeks: int


@dataclass(frozen=True, slots=True)
class Example:
    """A customer worth looking at, and a decision of theirs in which many candidates met."""

    customer: int
    decision: int
    position: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A campaign that came to a limit of its run, and was paused by it, at `contacts`: those made, or that `failed`."""

    campaign: str
    time: datetime
    contacts: int
    limit: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Off:
    """A campaign, a class, or everything (`what` is "all", without a `name`), that is "paused" or "stopped" now.

    `since`: when that was last said, `by` whom, and the `reason`, as far as it was given; or, where it paused itself,
    when its run came to its `limit`: "at_most" or "failures". `waiting`: wishes of it that wait.
    """

    what: str
    name: str
    state: str
    since: datetime | None
    by: str
    reason: str
    limit: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Stale:
    """A source that had stopped at `time`, and held the `campaigns` that depend on it until it was `fresh` again.

    `known_until`: the latest that was known of it then, None where it was never heard. `fresh`: None while it is stale.
    """

    source: str
    time: datetime
    known_until: datetime | None
    fresh: datetime | None
    campaigns: str


_TABLES: Final = {
    "campaigns": CampaignFigures,
    "weeks": WeekFigures,
    "reasons": ReasonFigures,
    "load": Load,
    "crowded": Crowded,
    "collisions": Collision,
    "paused": Paused,
    "stale": Stale,
    "off": Off,
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a playbook did between the first and the last decision.

    `lines`: journal lines that had come in, `events`: those of them that could be read, also of types that the playbook
    does not declare; `customers`: how many there are. `off`: what is paused or stopped now, by hand or by its own
    limit. `sent`: contacts; `shown`: campaigns shown
    at placements, at the `asks` at which there was a candidate; `held`: wishes that were held back at least once. The
    tuples begin with what weighs most, `paused` and `stale` with what was first; `crowded` has 20 customers at the
    most, `collisions` 200 pairs. Customers whom the playbook in force knows by no identifier any more count as one, and
    not in `load`, `crowded`, `collisions`.
    Shows itself in notebooks; `onevoice.history.page` makes a page of it.

    >>> _ = engine.decide("home_banner", ada)
    >>> [(each.campaign, each.shown) for each in engine.report().campaigns if each.asks]
    [('banner_upgrade', 1)]
    """

    playbook: str
    version: str
    time_zone: str
    first: datetime | None
    last: datetime | None
    lines: int
    events: int
    customers: int
    decisions: int
    wishes: int
    sent: int
    held: int
    asks: int
    shown: int
    campaigns: tuple[CampaignFigures, ...]
    weeks: tuple[WeekFigures, ...]
    reasons: tuple[ReasonFigures, ...]
    load: tuple[Load, ...]
    crowded: tuple[Crowded, ...]
    collisions: tuple[Collision, ...]
    paused: tuple[Paused, ...]
    stale: tuple[Stale, ...]
    off: tuple[Off, ...]
    example: Example | None

    def table(self, name: str) -> Table:
        """Return one of the tuples, such as `campaigns` or `off`, by its name as a Table.

        A row for each record, a column for each of its fields, of the same types when there is no row; times in UTC.

        Raises OnevoiceError for another name.

        >>> engine.report().table("campaigns").num_rows
        6
        """
        check_table(name, _TABLES)
        return table_of(_TABLES[name], getattr(self, name))

    def _repr_html_(self) -> str:
        """Show the figures one looks at first in a notebook."""
        return report_html(self)


def report(
    decided: Table,
    playbooks: Sequence[Playbook],
    *,
    version: str,
    lines: int,
    events: int,
    customers: int,
    decisions: int,
    off: Iterable[Off] = (),
) -> Report:
    """Return the figures of decisions, made under `playbooks`, of which the last is in force.

    Of what is `off` without a time the limit that did it is looked for.

    `decided` has the columns of `Onevoice.decisions_table`, merges resolved (-1: a customer who is gone), and `words`:
    what a line's rule says.
    """
    playbook = playbooks[-1]
    ask = queries("report.sql")
    with opened() as base:
        base.register("decided", decided)
        make_wishes(base, playbooks)
        run(base, "meetings.sql", within=timedelta(0))
        first, last = row_of(base, ask["span"])
        wishes, sent = row_of(base, ask["wishes"])
        asks, shown = row_of(base, ask["asks"])
        paused = rows_of(base, Paused, ask["paused"])
        return Report(
            playbook=playbook.name,
            version=version,
            time_zone=playbook.time_zone,
            first=first,
            last=last,
            lines=lines,
            events=events,
            customers=customers,
            decisions=decisions,
            wishes=wishes,
            sent=sent,
            held=row_of(base, ask["held"])[0],
            asks=asks,
            shown=shown,
            campaigns=rows_of(base, CampaignFigures, ask["campaigns"]),
            weeks=rows_of(base, WeekFigures, ask["weeks"]),
            reasons=rows_of(base, ReasonFigures, ask["reasons"]),
            load=rows_of(base, Load, ask["load"], customers=customers),
            crowded=rows_of(base, Crowded, ask["crowded"], most=CROWDED_MAX),
            collisions=rows_of(base, Collision, ask["collisions"], most=COLLISIONS_MAX),
            paused=paused,
            stale=rows_of(base, Stale, ask["stale"]),
            off=tuple(_by_limit(each, paused) for each in off),
            example=next(iter(rows_of(base, Example, ask["example"])), None),
        )


def _by_limit(off: Off, paused: Sequence[Paused]) -> Off:
    """Return what is off with the limit that paused it, where nobody did."""
    last = next((each for each in reversed(paused) if (off.what, off.name) == ("campaign", each.campaign)), None)
    if off.since is not None or last is None:
        return off
    return replace(off, since=last.time, limit="failures" if last.failed else "at_most")
