"""Both sides of a rehearsal, as decided lines in one database, to the figures that stand beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from onevoice.history.base import load_lines, make_wishes, queries, row_of, rows_of, run
from onevoice.history.rehearsal import (
    Beside,
    CampaignBeside,
    CustomerBeside,
    DayBeside,
    Difference,
    Differing,
    GroupBeside,
    ReasonBeside,
    Rehearsal,
    Spread,
    WeekBeside,
)
from onevoice.history.report import CampaignFigures, ReasonFigures, WeekFigures
from onevoice.history.why import cap_text
from onevoice.playbook.model import DAY, Cap, Period

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from onevoice.events.pyarrow_untyped import Table
    from onevoice.history.why import Why
    from onevoice.playbook.model import Playbook

HAPPENED: Final = "happened"
REHEARSED: Final = "rehearsed"
EXAMPLES_MAX: Final = 20
CHANGED_MAX: Final = 20  # customers on each side
WITHOUT_CAP: Final = Cap(3, period=Period.WEEK)  # what is too much where no cap is over all contacts

_DAYS: Final = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30}
_US: Final = timedelta(microseconds=1)

_Key = TypeVar("_Key", bound="Hashable")
_Given = TypeVar("_Given")


class Side(NamedTuple):
    """What was decided on one side.

    `lines` are those of `Onevoice.decisions_table` with the `words` of their rules, `playbooks` what they were decided
    under, of which the last is in force; asked for when the lines have been read. `explained` gives the decisions with
    these numbers in sentences.
    """

    name: str
    lines: Iterable[Table]
    playbooks: Callable[[], Sequence[Playbook]]
    explained: Callable[[set[int]], dict[int, Why]]


class Frame(NamedTuple):
    """What a rehearsal says about itself beside the figures."""

    version: str
    before_version: str
    start: datetime | None
    end: datetime | None
    lines: int
    customers: int


@dataclass(frozen=True, slots=True)
class _Total:
    wishes: int
    sent: int
    shown: int
    reached: int
    held_out: int


@dataclass(frozen=True, slots=True)
class _Group:
    by: str
    name: str
    contacts: int


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    klass: str
    channel: str
    contacts: int


@dataclass(frozen=True, slots=True)
class _Chosen:
    difference: str
    customer: int
    time: datetime
    is_happened: bool
    is_rehearsed: bool
    happened: int | None
    rehearsed: int | None


class _Figures(NamedTuple):
    """The figures of one side. `too_many`: contacts beyond what is too much, and the customers who heard them."""

    total: _Total
    campaigns: tuple[CampaignFigures, ...]
    weeks: tuple[WeekFigures, ...]
    reasons: tuple[ReasonFigures, ...]
    groups: tuple[_Group, ...]
    days: tuple[_Day, ...]
    too_many: tuple[int, int]
    first: datetime | None
    last: datetime | None
    decisions: int


def compared(base: Any, happened: Side, rehearsed: Side, frame: Frame) -> Rehearsal:
    """Return both sides beside each other; `base` is an empty database of `history.base.opened`."""
    for side in (happened, rehearsed):
        _load(base, side)
    playbook = rehearsed.playbooks()[-1]
    limit = strictest(playbook)
    then, now = (_figures(base, side.name, limit or WITHOUT_CAP) for side in (happened, rehearsed))
    base.execute("set schema = 'main'")
    run(base, "pairs.sql")
    ask = queries("rehearsal.sql")
    differences = rows_of(base, Difference, ask["differences"])
    return Rehearsal(
        playbook=playbook.name,
        version=frame.version,
        before=happened.playbooks()[-1].name,
        before_version=frame.before_version,
        time_zone=playbook.time_zone,
        start=frame.start,
        end=frame.end,
        first=min(filter(None, (then.first, now.first)), default=None),
        last=max(filter(None, (then.last, now.last)), default=None),
        lines=frame.lines,
        customers=frame.customers,
        decisions=then.decisions,
        differing=sum(each.decisions for each in differences),
        too_much=cap_text(limit) if limit else f"{cap_text(WITHOUT_CAP)}, for no cap is over all contacts",
        totals=tuple(_totals(then, now, frame.customers)),
        campaigns=_campaigns(then, now),
        groups=_groups(then, now),
        weeks=_weeks(then, now),
        days=_days(then, now),
        reasons=_reasons(then, now),
        spread=_spread(rows_of(base, Spread, ask["spread"]), frame.customers),
        gained=rows_of(base, CustomerBeside, ask["most_changed"], sign=1, most=CHANGED_MAX),
        lost=rows_of(base, CustomerBeside, ask["most_changed"], sign=-1, most=CHANGED_MAX),
        differences=differences,
        examples=_examples(rows_of(base, _Chosen, ask["sample"], most=EXAMPLES_MAX), happened, rehearsed),
    )


def strictest(playbook: Playbook) -> Cap | None:
    """Return the cap over all contacts of all customers that lets the fewest a day go out; None without any."""
    over_all = [cap for cap in playbook.policies.caps if cap == Cap(cap.max, cap.rolling_us, cap.period)]
    return min(over_all, key=lambda cap: cap.max / _days_of(cap), default=None)


def _load(base: Any, side: Side) -> None:
    base.execute(f"create schema {side.name}")
    base.execute(f"set schema = '{side.name}'")
    load_lines(base, side.lines)
    make_wishes(base, side.playbooks())
    base.execute("drop table decided")
    run(base, "sides.sql")


def _figures(base: Any, schema: str, limit: Cap) -> _Figures:
    base.execute(f"set schema = '{schema}'")
    reported, ask = queries("report.sql"), queries("rehearsal.sql")
    first, last = row_of(base, reported["span"])
    too_many, too_much = _too_many(base, limit)
    return _Figures(
        total=rows_of(base, _Total, ask["totals"])[0],
        campaigns=rows_of(base, CampaignFigures, reported["campaigns"]),
        weeks=rows_of(base, WeekFigures, reported["weeks"]),
        reasons=rows_of(base, ReasonFigures, reported["reasons"]),
        groups=rows_of(base, _Group, ask["groups"]),
        days=rows_of(base, _Day, ask["days"]),
        too_many=(too_many, too_much),
        first=first,
        last=last,
        decisions=row_of(base, "select count(*) from told")[0],
    )


def _too_many(base: Any, limit: Cap) -> list[Any]:
    ask = queries("rehearsal.sql")
    if limit.period is not None:
        return row_of(base, ask["too_many_a_period"], period=limit.period.value, most=limit.max)
    return row_of(base, ask["too_many_rolling"], window=limit.rolling_us * _US - _US, most=limit.max)


def _days_of(cap: Cap) -> float:
    return _DAYS[cap.period] if cap.period else cap.rolling_us / DAY


def _joined(
    then: Iterable[_Given], now: Iterable[_Given], key: Callable[[_Given], _Key], *counts: str
) -> Iterator[tuple[_Key, _Given, list[int]]]:
    """Yield what both sides have of each key: one of them, and these counts of it, as they were and as they are now.

    Those of the rehearsal come in their order, then the others. A side that has nothing of a key counts nought.
    """
    before, after = ({key(each): each for each in side} for side in (then, now))
    for name in [*after, *(name for name in before if name not in after)]:
        sides = before.get(name), after.get(name)
        known = after[name] if name in after else before[name]
        yield name, known, [getattr(side, count) if side else 0 for count in counts for side in sides]


def _totals(then: _Figures, now: _Figures, customers: int) -> Iterator[Beside]:
    yield Beside("wishes", then.total.wishes, now.total.wishes)
    yield Beside("contacts", then.total.sent, now.total.sent)
    yield Beside("contacts held out, to compare", then.total.held_out, now.total.held_out)
    yield Beside("shown at placements", then.total.shown, now.total.shown)
    yield Beside("customers contacted", then.total.reached, now.total.reached)
    yield Beside("customers not contacted", customers - then.total.reached, customers - now.total.reached)
    yield Beside("customers over the limit", then.too_many[1], now.too_many[1])
    yield Beside("contacts over the limit", then.too_many[0], now.too_many[0])


def _campaigns(then: _Figures, now: _Figures) -> tuple[CampaignBeside, ...]:
    counts = ("wishes", "sent", "customers", "shown", "held_out")
    found = _joined(then.campaigns, now.campaigns, lambda each: each.campaign, *counts)
    return tuple(CampaignBeside(name, known.klass, known.owner, *both) for name, known, both in found)


def _groups(then: _Figures, now: _Figures) -> tuple[GroupBeside, ...]:
    joined = _joined(then.groups, now.groups, lambda each: (each.by, each.name), "contacts")
    found = [GroupBeside(*key, *both) for key, _, both in joined]
    return tuple(sorted(found, key=lambda each: (each.by, -each.rehearsed, -each.happened, each.name)))


def _weeks(then: _Figures, now: _Figures) -> tuple[WeekBeside, ...]:
    joined = _joined(
        then.weeks, now.weeks, lambda each: (each.week, each.campaign, each.klass, each.channel), "contacts"
    )
    return tuple(WeekBeside(*key, *both) for key, _, both in sorted(joined, key=itemgetter(0)))


def _days(then: _Figures, now: _Figures) -> tuple[DayBeside, ...]:
    joined = _joined(then.days, now.days, lambda each: (each.day, each.klass, each.channel), "contacts")
    return tuple(DayBeside(*key, *both) for key, _, both in sorted(joined, key=itemgetter(0)))


def _reasons(then: _Figures, now: _Figures) -> tuple[ReasonBeside, ...]:
    joined = _joined(
        then.reasons, now.reasons, lambda each: (each.placement, each.reason, each.words), "wishes", "customers"
    )
    found = [ReasonBeside(reason, known.rule, place, words, *both) for (place, reason, words), known, both in joined]
    return tuple(sorted(found, key=lambda each: (each.placement, -max(each.wishes_happened, each.wishes_rehearsed))))


def _spread(found: Sequence[Spread], customers: int) -> tuple[Spread, ...]:
    """Return the spread over all customers: those who hear nothing on both sides change by nothing."""
    counts = {each.change: each.customers for each in found}
    counts[0] = counts.get(0, 0) + max(0, customers - sum(counts.values()))
    return tuple(Spread(change, counts[change]) for change in sorted(counts) if counts[change])


def _examples(chosen: Sequence[_Chosen], happened: Side, rehearsed: Side) -> tuple[Differing, ...]:
    then = happened.explained({each.happened for each in chosen if each.happened is not None})
    now = rehearsed.explained({each.rehearsed for each in chosen if each.rehearsed is not None})
    return tuple(
        Differing(
            each.difference,
            each.customer,
            each.time,
            each.is_happened,
            each.is_rehearsed,
            None if each.happened is None else then[each.happened],
            None if each.rehearsed is None else now[each.rehearsed],
        )
        for each in chosen
    )
