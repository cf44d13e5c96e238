"""A contact log judged by rules, in figures: who heard too much, what went out when it should not, who eats whom.

Every figure is one query of `audit.sql`. A *finding* is a contact and a rule that it broke.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.base import opened, queries, row_of, rows_of
from onevoice.history.notebook import audit_html
from onevoice.history.report import WeekFigures
from onevoice.history.tables import check_table, table_of
from onevoice.history.why import cap_text
from onevoice.many import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from onevoice.history.report import Report
    from onevoice.playbook.model import Cap

CAP: Final = "cap"
RULE: Final = "rule"
OPTED_OUT: Final = "opted_out"
QUIET: Final = "quiet"
QUIET_FROM: Final = 21  # the hour at which quiet begins where the customer is
QUIET_TO: Final = 8
BUSIEST_MAX: Final = 20
PAIRS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule and the contacts that broke it. `kind`: "cap", "rule" (a suppression), "opted_out" or "quiet".

    `worst` is the campaign with the most of them, `worst_contacts` how many.
    """

    kind: str
    words: str
    contacts: int
    customers: int
    campaigns: int
    worst: str
    worst_contacts: int


@dataclass(frozen=True, slots=True)
class FindingWeek:
    """How many contacts broke a rule in the week that begins on `week`, a Monday where the customer is."""

    week: date
    kind: str
    words: str
    contacts: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A customer with many contacts that broke a rule, and the last of these."""

    kind: str
    words: str
    who: str
    contacts: int
    time: datetime
    campaign: str
    channel: str


@dataclass(frozen=True, slots=True)
class AuditedCampaign:
    """A campaign of the log; how many of its contacts broke a rule of each kind, and how many none: `sound`."""

    campaign: str
    klass: str
    contacts: int
    customers: int
    over_cap: int
    against_rule: int
    opted_out: int
    quiet: int
    sound: int


@dataclass(frozen=True, slots=True)
class PeriodLoad:
    """In how many days, weeks or 30 days (`per`) of a customer there were `contacts`; of how many customers."""

    per: str
    contacts: int
    periods: int
    customers: int


@dataclass(frozen=True, slots=True)
class Busiest:
    """A customer with many contacts: the most in one day and one week, and how many broke a rule."""

    who: str
    contacts: int
    campaigns: int
    day_max: int
    week_max: int
    found: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Contacts in one hour of the customers' own day. `kind`: "quiet" or "day"."""

    hour: int
    kind: str
    contacts: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two campaigns that reached the same customer within 7 days: how many, how often, and which came first.

    `one_after`: the share of contacts of `one` that were answered within 14 days where `other` came before it,
    `one_alone` where nothing did; None where the events tell of no answer.
    """

    one: str
    other: str
    customers: int
    times: int
    one_first: int
    other_first: int
    one_after: float | None
    one_alone: float | None
    other_after: float | None
    other_alone: float | None


_YEAR_DAYS: Final = range(351, 381)  # a year, give or take two weeks
_TABLES: Final = {
    "findings": Finding,
    "finding_weeks": FindingWeek,
    "instances": Instance,
    "campaigns": AuditedCampaign,
    "weeks": WeekFigures,
    "load": PeriodLoad,
    "busiest": Busiest,
    "hours": Hour,
    "pairs": Pair,
}


@dataclass(frozen=True, slots=True)
class Audit:
    """A contact log of other tools, judged by the rules of a playbook, and the same time under these rules.

    `found` contacts of `found_customers` broke at least one rule. `findings` has every rule, broken or not; the other
    tuples begin with what weighs most. `year` is what the engine would have let out of the log's contacts, each a wish
    at its time: `year.table(name)` has its tables. `rules` are the rules in words, `rules_text` is the text of those
    that are taken where no playbook was given. `read` says what became of the lines of each file, `notes` what could
    not be judged. Shows itself in notebooks; `onevoice.history.page.audit_page` makes a page of it.

    >>> rows = '''time,email,campaign,channel
    ... 2026-03-02T09:00:00Z,ann@example.org,spring,email
    ... 2026-03-02T17:00:00Z,ann@example.org,shoes,sms'''
    >>> _ = Path("sent.csv").write_text(rows), Path("events.ndjson").write_text("")
    >>> audit = onevoice.audit("events.ndjson", "sent.csv")
    >>> [(each.words, each.contacts) for each in audit.findings if each.contacts]
    [('at most 1 a day', 1)]
    >>> audit.contacts, audit.year.sent
    (2, 2)
    """

    playbook: str
    version: str
    time_zone: str
    first: datetime
    last: datetime
    events: int
    contacts: int
    customers: int
    answers: int
    found: int
    found_customers: int
    findings: tuple[Finding, ...]
    finding_weeks: tuple[FindingWeek, ...]
    instances: tuple[Instance, ...]
    campaigns: tuple[AuditedCampaign, ...]
    weeks: tuple[WeekFigures, ...]
    load: tuple[PeriodLoad, ...]
    busiest: tuple[Busiest, ...]
    hours: tuple[Hour, ...]
    pairs: tuple[Pair, ...]
    year: Report
    rules: tuple[str, ...]
    rules_text: str
    read: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def span(self) -> str:
        r"""How long the log's time is, in words: `27 days`, or `year` where it is about one.

        >>> rows = "time,email,campaign\n2026-03-02T09:00:00Z,ann@example.org,spring"
        >>> _ = Path("sent.csv").write_text(rows), Path("events.ndjson").write_text("")
        >>> onevoice.audit("events.ndjson", "sent.csv").span
        '1 day'
        """
        zone = ZoneInfo(self.time_zone)
        days = (self.last.astimezone(zone).date() - self.first.astimezone(zone).date()).days + 1
        return "year" if days in _YEAR_DAYS else many(days, "day")

    def table(self, name: str) -> Table:
        r"""Return one of the parts as a pyarrow Table.

        These are `findings`, `finding_weeks`, `instances`, `campaigns`, `weeks`, `load`, `busiest`, `hours` and
        `pairs`: a row for each record, a column for each of its fields, of the same types when there is no
        row; times in UTC.

        Raises OnevoiceError for another name.

        >>> rows = "time,email,campaign\n2026-03-02T09:00:00Z,ann@example.org,spring"
        >>> _ = Path("sent.csv").write_text(rows), Path("events.ndjson").write_text("")
        >>> onevoice.audit("events.ndjson", "sent.csv").table("pairs").num_rows
        0
        """
        check_table(name, _TABLES)
        return table_of(_TABLES[name], getattr(self, name))

    def _repr_html_(self) -> str:
        """Show what was found in a notebook."""
        return audit_html(self)


class Judged(NamedTuple):
    """A log after the year was lived once more, as Arrow tables; `audit.sql` says their columns.

    `rules`: the kind and words of each rule that a contact can break beside caps and quiet hours.
    """

    told: Table
    broken: Table
    member: Table
    answer: Table
    caps: Sequence[Cap]
    rules: Sequence[tuple[str, str]]
    time_zone: str


class Figures(NamedTuple):
    """The parts of an `Audit` that are counted."""

    totals: list[Any]
    tables: dict[str, tuple[Any, ...]]


def figures(judged: Judged) -> Figures:
    """Return what can be counted of a log."""
    ask = queries("audit.sql")
    with opened() as base:
        for name in ("told", "broken", "member", "answer"):
            base.register(name, getattr(judged, name))
        base.register("rule", _rules(judged))
        for name in ("contacts", "findings"):
            base.execute(ask[name])
        _find(base, judged)
        totals = row_of(base, ask["totals"])
        hours = {"from": QUIET_FROM, "to": QUIET_TO, "zone": judged.time_zone}
        tables = {
            "findings": rows_of(base, Finding, ask["found"]),
            "finding_weeks": rows_of(base, FindingWeek, ask["found_weeks"]),
            "instances": rows_of(base, Instance, ask["instances"]),
            "campaigns": rows_of(base, AuditedCampaign, ask["campaigns"]),
            "weeks": rows_of(base, WeekFigures, ask["weeks"]),
            "load": rows_of(base, PeriodLoad, ask["load"]),
            "busiest": rows_of(base, Busiest, ask["busiest"], most=BUSIEST_MAX),
            "hours": rows_of(base, Hour, ask["hours"], **hours),
            "pairs": rows_of(base, Pair, ask["pairs"], most=PAIRS_MAX, answers=bool(totals[7])),
        }
        return Figures(totals, tables)


def quiet_text() -> str:
    """Return the quiet hours as words."""
    return f"quiet from {QUIET_FROM}:00 to {QUIET_TO}:00 where the customer is"


def _rules(judged: Judged) -> Table:
    """Return every rule in the order in which it is told."""
    rules = [*((CAP, cap_text(cap)) for cap in judged.caps), *judged.rules, (QUIET, quiet_text())]
    rules = list(dict.fromkeys(rules))
    kinds, words = zip(*rules, strict=True)
    return pa.table({"place": list(range(len(rules))), "kind": list(kinds), "words": list(words)})


def _find(base: Any, judged: Judged) -> None:
    """Add to what was broken the caps and the quiet hours."""
    ask = queries("audit.sql")
    for cap, others in _with_others(judged.caps):
        given = {
            "channel": cap.channel,
            "class": cap.klass,
            "campaign": cap.campaign,
            "segment": cap.for_segment,
            "others": others,
            "max": cap.max,
            "words": cap_text(cap),
        }
        window = {"period": cap.period.value} if cap.period else {"rolling": cap.rolling_us}
        base.execute(ask["over_period" if cap.period else "over_rolling"], given | window)
    quiet = {"from": QUIET_FROM, "to": QUIET_TO, "words": quiet_text(), "zone": judged.time_zone}
    base.execute(ask["quiet"], quiet)


def _with_others(caps: Iterable[Cap]) -> Iterator[tuple[Cap, list[str]]]:
    """Yield each cap with the segments whose members have another one of the same scope and window instead."""
    seen: dict[tuple[Any, ...], list[str]] = {}
    for cap in sorted(caps, key=lambda each: not each.for_segment):
        others = seen.setdefault((cap.rolling_us, cap.period, cap.channel, cap.klass, cap.campaign), [])
        yield cap, list(others)
        if cap.for_segment:
            others.append(cap.for_segment)
