"""A rehearsal: what happened, and beside it what another playbook makes of the same events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from onevoice.history.rehearsal_html import rehearsal_html
from onevoice.history.tables import check_table, table_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from onevoice.events.pyarrow_untyped import Table
    from onevoice.history.why import Why


@dataclass(frozen=True, slots=True)
class Beside:
    """One figure, as it happened and as it is rehearsed."""

    name: str
    happened: int
    rehearsed: int


@dataclass(frozen=True, slots=True)
class CampaignBeside:
    """What became of one campaign on both sides. A side whose playbook does not have it counts nothing.

    `held_out` are contacts that would have been made, of customers who are held out.
    """

    campaign: str
    klass: str
    owner: str
    wishes_happened: int
    wishes_rehearsed: int
    sent_happened: int
    sent_rehearsed: int
    customers_happened: int
    customers_rehearsed: int
    shown_happened: int
    shown_rehearsed: int
    held_out_happened: int = 0
    held_out_rehearsed: int = 0


@dataclass(frozen=True, slots=True)
class GroupBeside:
    """Contacts of one class, owner or channel; `by` says of which."""

    by: str
    name: str
    happened: int
    rehearsed: int


@dataclass(frozen=True, slots=True)
class WeekBeside:
    """Contacts of one campaign by one channel in the week that begins on `week`, a Monday in the playbook's zone."""

    week: date
    campaign: str
    klass: str
    channel: str
    happened: int
    rehearsed: int


@dataclass(frozen=True, slots=True)
class DayBeside:
    """Contacts of one class by one channel on one day of the playbook's zone."""

    day: date
    klass: str
    channel: str
    happened: int
    rehearsed: int


@dataclass(frozen=True, slots=True)
class ReasonBeside:
    """Wishes that one reason held back at least once; with `placement` set, answers to asks there.

    `words` is what its rule says in the playbook by which it was used, `rule` where it stands there.
    """

    reason: str
    rule: str
    placement: str
    words: str
    wishes_happened: int
    wishes_rehearsed: int
    customers_happened: int
    customers_rehearsed: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How many customers hear so many contacts more (`change`; fewer where it is negative)."""

    change: int
    customers: int


@dataclass(frozen=True, slots=True)
class CustomerBeside:
    """The contacts of one customer."""

    customer: int
    happened: int
    rehearsed: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How many decisions differ in one way."""

    difference: str
    decisions: int


@dataclass(frozen=True, slots=True)
class Differing:
    """A decision that differs, explained from both sides.

    Where a side decided nothing at `time` (`is_happened`, `is_rehearsed` say so), its explanation is that of what it
    decided last before then about the same campaign, or else first after; None where it never did. The `customer` is
    -1 where it is about nobody, as a campaign that was paused at its limit, or about one who is gone.
    """

    difference: str
    customer: int
    time: datetime
    is_happened: bool
    is_rehearsed: bool
    happened: Why | None
    rehearsed: Why | None


_TABLES: Final = {
    "totals": Beside,
    "campaigns": CampaignBeside,
    "groups": GroupBeside,
    "weeks": WeekBeside,
    "days": DayBeside,
    "reasons": ReasonBeside,
    "spread": Spread,
    "gained": CustomerBeside,
    "lost": CustomerBeside,
    "differences": Difference,
}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The same events under another playbook (`rehearsed`), beside what was decided (`happened`).

    `start` and `end` bound it, None where the journal does; `lines` came in meanwhile. `decisions` were made then, of
    which with those of the rehearsal `differing` differ: in whom they chose, or in a reason. `gained` and `lost` have
    the 20 customers whose contacts change most, `spread` how many change by how much, `examples` at most 20 differing
    decisions of all kinds. `too_much` is the limit that customers and contacts are over.

    What customers did is taken as it happened: what they would have answered to messages that were not sent, nobody
    knows. Shows itself in notebooks; `onevoice.history.page` makes a page of it.

    >>> _ = engine.decide("home_banner", ada)
    >>> rehearsal = engine.simulate(engine.playbook)
    >>> rehearsal.differing, [(each.name, each.happened, each.rehearsed) for each in rehearsal.totals][3]
    (0, ('shown at placements', 1, 1))
    """

    playbook: str
    version: str
    before: str
    before_version: str
    time_zone: str
    start: datetime | None
    end: datetime | None
    first: datetime | None
    last: datetime | None
    lines: int
    customers: int
    decisions: int
    differing: int
    too_much: str
    totals: tuple[Beside, ...]
    campaigns: tuple[CampaignBeside, ...]
    groups: tuple[GroupBeside, ...]
    weeks: tuple[WeekBeside, ...]
    days: tuple[DayBeside, ...]
    reasons: tuple[ReasonBeside, ...]
    spread: tuple[Spread, ...]
    gained: tuple[CustomerBeside, ...]
    lost: tuple[CustomerBeside, ...]
    differences: tuple[Difference, ...]
    examples: tuple[Differing, ...]

    @property
    def gaining(self) -> int:
        """How many customers hear more than they did.

        >>> engine.simulate(engine.playbook).gaining
        0
        """
        return sum(each.customers for each in self.spread if each.change > 0)

    @property
    def losing(self) -> int:
        """How many customers hear less than they did.

        >>> engine.simulate(engine.playbook).losing
        0
        """
        return sum(each.customers for each in self.spread if each.change < 0)

    def table(self, name: str) -> Table:
        """Return one of the tables by its `name` as a pyarrow Table.

        They are `totals`, `campaigns`, `groups`, `weeks`, `days`, `reasons`, `spread`, `gained`, `lost` and
        `differences`; a row for each record, a column for each of its fields, of the same types when there is no row.

        Raises OnevoiceError for another name.

        >>> engine.simulate(engine.playbook).table("campaigns").num_rows
        6
        """
        check_table(name, _TABLES)
        return table_of(_TABLES[name], getattr(self, name))

    def tables(self) -> dict[str, Table]:
        """Return all of the tables by their names.

        >>> list(engine.simulate(engine.playbook).tables())[:3]
        ['totals', 'campaigns', 'groups']
        """
        return {name: self.table(name) for name in _TABLES}

    def _repr_html_(self) -> str:
        """Show the figures one looks at first in a notebook."""
        return rehearsal_html(self)
