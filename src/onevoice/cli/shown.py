"""Reports, timelines and decisions as a terminal shows them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from onevoice.cli.tables import ROWS_SHOWN, Blocks, ShownTable, bar, more
from onevoice.history import results
from onevoice.history.language import language
from onevoice.many import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from onevoice.history.audit import Audit
    from onevoice.history.report import CampaignFigures, Report
    from onevoice.history.results import Results
    from onevoice.history.timeline import Band, Happened, Timeline
    from onevoice.history.why import Why
    from onevoice.history.why_not import WhyNot


CHANGED: Final = "playbook changed"


def report_text(report: Report, took_s: float | None = None) -> Iterator[RenderableType]:
    """Yield a report as tables."""
    if report.first is None or report.last is None:
        yield "nothing was decided yet"
        for table in _off(report):
            yield ""
            yield table
        return
    zone = ZoneInfo(report.time_zone)
    span = f"{report.first.astimezone(zone):%d %b %Y} to {report.last.astimezone(zone):%d %b %Y}, {report.time_zone}"
    yield Text.assemble((report.playbook, "bold"), f" {report.version[:12]}: {span}")
    yield ", ".join(_headline(report, took_s))
    for table in _tables(report):
        yield ""
        yield table


def _tables(report: Report) -> Iterator[ShownTable]:
    yield from _off(report)
    yield from _weeks(report)
    yield from _campaigns([each for each in report.campaigns if each.wishes])
    yield from _placements([each for each in report.campaigns if each.asks])
    yield _held(report)
    yield _load(report)
    yield _crowded(report)
    yield from _collisions(report)
    yield from _paused(report)
    yield from _stale(report)


def audit_text(audit: Audit) -> Iterator[RenderableType]:
    """Yield an audit as tables."""
    zone = ZoneInfo(audit.time_zone)
    first, last = audit.first.astimezone(zone), audit.last.astimezone(zone)
    rules = f"by the playbook {audit.playbook}" if audit.playbook else "by the rules that are taken without a playbook"
    yield Text(f"{first:%d %b %Y} to {last:%d %b %Y}, {audit.time_zone}, {rules}", "bold")
    yield (
        f"{many(audit.contacts, 'contact')} of {many(audit.customers, 'customer')}, {many(audit.events, 'event')}; "
        f"{many(audit.found, 'contact')} broke a rule, of {many(audit.found_customers, 'customer')}"
    )
    for table in (_found(audit), _periods(audit), _busiest(audit), _pairs(audit), *_year(audit)):
        yield ""
        yield table
    yield ""
    yield from (Text(line, "dim") for line in (*audit.notes, *audit.read))


def results_text(found: Results) -> Iterator[RenderableType]:
    """Yield what campaigns brought about as a table, and below it what may be said of the parts."""
    if not found.figures:
        yield f"{found.playbook}: no campaign with a goal has reached anybody yet"
    else:
        yield Text.assemble((found.playbook, "bold"), f": {results.lead(found)}")
        yield ""
        yield _results(found)
        yield ""
        for name, words in results.said(found):
            yield Text.assemble((name, "bold"), f": {words}")
        if not found.held_out:
            yield Text(results.BEGIN)
    if found.without_goal:
        yield Text(f"without a goal: {', '.join(found.without_goal)}", "dim")


def _results(found: Results) -> ShownTable:
    """Return the figures as a table; where there is nobody to compare with, how many came as bars."""
    if found.held_out:
        heads = (f"{head}>{'?' * (index > 3)}" for index, head in enumerate(results.titles(found)))
        table = ShownTable(found.by, *heads)
        table.caption = results.PEOPLE
    else:
        table = ShownTable(found.by, *(f"{head}>" for head in results.titles(found)), "of the most?")
    shares = [each.conversions / each.contacts if each.contacts else 0 for each in found.figures]
    most = max(shares) or 1
    for each, share in zip(found.figures, shares, strict=True):
        drawn = () if found.held_out else (bar(share / most),)
        table.add_row(each.part or "(none)", *results.cells(found, each), *drawn)
    return table


def why_text(why: Why) -> Iterator[RenderableType]:
    """Yield a decision, candidate by candidate."""
    decision = why.decision
    if why.changed:
        yield Text(f"{CHANGED}\n", "yellow")
    yield Text(why.headline, "bold")
    yield Text(f"{why.time}, customer {why.customer}, decision {decision.number} ({decision.kind})", "dim")
    table = Table(box=None, pad_edge=False, show_header=False)
    for told in why.told:
        mark, style = ("●", "green") if told.reason == "won" else ("·", "")
        campaign = Text.assemble((told.campaign, style), (f"\n{told.klass}", "dim"))
        table.add_row(Text(mark, style), campaign, Text.assemble((told.sentence, style), (f"\n{told.rule}", "dim")))
    yield table
    yield ""


def why_not_text(why_not: WhyNot) -> Iterator[RenderableType]:
    """Yield what stood in a campaign's way, what was known, and the changes with which it would have won."""
    words = language(why_not.language)
    yield Text(why_not.headline, "bold")
    if why_not.time:
        yield Text(f"{words.time(why_not.time, ZoneInfo(why_not.time_zone))}, customer {why_not.customer}", "dim")
    table = Table(box=None, pad_edge=False, show_header=False)
    for obstacle in why_not.obstacles:
        where = "  ".join(dict.fromkeys(filter(None, (obstacle.rule, obstacle.place))))
        table.add_row(Text("·"), Text.assemble(obstacle.sentence, (f"\n{where}" if where else "", "dim")))
    if why_not.obstacles:
        yield table
    if why_not.values:
        values = ", ".join(f"{name} {value}" for name, value in why_not.values.items())
        yield Text(words.say("shown_known", values=values), "dim")
    if why_not.changes:
        yield Text("\n" + words.say("shown_changes"))
        for change in why_not.changes:
            yield Text(f"  {change.sentence}", "green")
    elif why_not.obstacles and why_not.time and not why_not.caution:
        yield Text("\n" + words.say("shown_no_change"))
    if why_not.caution:
        yield Text("\n" + why_not.caution, "dim")


class _Entry(NamedTuple):
    time: datetime
    mark: str
    what: str
    more: str
    style: str


def timeline_text(timeline: Timeline, last: int) -> Iterator[RenderableType]:
    """Yield a timeline, oldest first; the `last` entries of it, or all where that is 0."""
    zone = ZoneInfo(timeline.time_zone)
    entries = sorted(
        [*_happened(timeline.events), *_held_true(timeline.bands, timeline.now), *_decided(timeline)], key=_by_time
    )
    shown = entries[-last:] if last else entries
    yield Text.assemble(
        (f"customer {timeline.customer}", "bold"),
        f" of {timeline.playbook}, up to {timeline.now.astimezone(zone):%d %b %Y %H:%M}",
    )
    if len(shown) < len(entries):
        yield Text(
            f"{many(len(entries) - len(shown), 'earlier entry', 'earlier entries')}; `--last 0` shows all", "dim"
        )
    table = ShownTable("when>", "", "what", "")
    day = ""
    for entry in shown:
        local = entry.time.astimezone(zone)
        when = f"{local:%d %b %Y %H:%M}" if f"{local:%d %b %Y}" != day else f"{local:%H:%M}"
        day = f"{local:%d %b %Y}"
        table.add_row(Text(when, "dim"), entry.mark, Text(entry.what, entry.style), entry.more)
    yield table


def _by_time(entry: _Entry) -> datetime:
    return entry.time


def _happened(events: Iterable[Happened]) -> Iterator[_Entry]:
    for event in events:
        yield _Entry(event.time, "▪", event.type, _fields(event), "bold")


def _fields(event: Happened) -> str:
    named = {**event.fields, **event.traits}
    return ", ".join(f"{name} {_value(value)}" for name, value in named.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"({len(value)})"  # pyright: ignore[reportUnknownArgumentType]
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _held_true(bands: Iterable[Band], now: datetime) -> Iterator[_Entry]:
    """Yield where facts and segments begin and end, many keys of one fact at one instant together."""
    begun: defaultdict[tuple[datetime, str, str], list[Band]] = defaultdict(list)
    for band in bands:
        begun[band.since, "▶", band.name].append(band)
        if band.until is not None and band.until <= now:
            begun[band.until, "◀", band.name].append(band)
    for (time, mark, name), among in begun.items():
        keys = f"({among[0].key})" if among[0].key else ""
        what = f"{name}{keys}" if len(among) == 1 else f"{name}, {len(among)} keys"
        yield _Entry(time, mark, what, "begins" if mark == "▶" else "ends", "cyan")


def _decided(timeline: Timeline) -> Iterator[_Entry]:
    changed = {each.decision for each in timeline.changes}
    for decision in timeline.decisions:
        if decision.number in changed:
            yield _Entry(decision.time, "◆", CHANGED, "", "yellow")
        for line in decision.lines:
            if line.reason == "won":
                where = f"by {line.channel}" if line.channel else f"shown at {decision.placement}"
                yield _Entry(decision.time, "●", line.campaign, where, "green")
        others = [f"{line.campaign}: {line.told_reason}" for line in decision.lines if line.reason != "won"]
        if others and decision.kind != "ask":
            yield _Entry(
                decision.time, "·", "held back" if decision.kind == "round" else "ended", ", ".join(others), "dim"
            )


def _headline(report: Report, took_s: float | None) -> Iterator[str]:
    pace = f" in {took_s:.1f} s ({report.lines / took_s:,.0f} a second)" if took_s else ""
    lines = f" of {many(report.lines, 'line')}" if report.lines != report.events else ""
    yield f"{many(report.events, 'event')}{lines}{pace}"
    yield many(report.customers, "customer")
    yield many(report.wishes, "wish", "wishes")
    yield many(report.sent, "contact")
    yield f"{many(report.held, 'wish', 'wishes')} held back at least once"
    if report.asks:
        yield f"{report.shown:,} shown at {many(report.asks, 'ask')}"


def _weeks(report: Report) -> Iterator[ShownTable]:
    """Yield the contacts of each week, by class and by channel, as lines of blocks."""
    if not report.weeks:
        return
    first, last = min(each.week for each in report.weeks), max(each.week for each in report.weeks)
    weeks = [first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1)]
    for title, name in (("Contacts a week, by class", "klass"), ("by channel", "channel")):
        counts: defaultdict[str, Counter[Any]] = defaultdict(Counter)
        for each in report.weeks:
            counts[getattr(each, name)][each.week] += each.contacts
        table = ShownTable(title, "", "most>?", "all>")
        for label, found in sorted(counts.items(), key=lambda pair: -pair[1].total()):
            most = max(found.values())
            table.add_row(label, Blocks([found[week] for week in weeks]), f"{most:,}", f"{found.total():,}")
        yield table


def _campaigns(campaigns: list[CampaignFigures]) -> Iterator[ShownTable]:
    if not campaigns:
        return
    heads = ("Campaigns", "class?", "wishes>", "sent>", "?", "expired>?", "ended>?", "waiting>?")
    table = ShownTable(*heads)
    for each in campaigns[:ROWS_SHOWN]:
        share = each.sent / each.wishes
        counts = (f"{count:,}" for count in (each.expired, each.ended, each.waiting))
        sent = (f"{each.wishes:,}", f"{each.sent:,}", bar(share))
        table.add_row(each.campaign, each.klass, *sent, *counts)
    yield more(table, len(campaigns))


def _placements(campaigns: list[CampaignFigures]) -> Iterator[ShownTable]:
    if campaigns:
        table = ShownTable("Shown at placements", "class?", "asks>", "shown>", "?")
        for each in sorted(campaigns, key=lambda each: -each.shown)[:ROWS_SHOWN]:
            table.add_row(each.campaign, each.klass, f"{each.asks:,}", f"{each.shown:,}", bar(each.shown / each.asks))
        yield more(table, len(campaigns))


def _held(report: Report) -> ShownTable:
    table = ShownTable("Held back by", "at", "wishes>", "customers>?", "went out later>?")
    for each in report.reasons[:ROWS_SHOWN]:
        reason = f"{each.reason}: {each.words}".removesuffix(": ")
        later = "" if each.placement else f"{each.sent_later:,}"
        table.add_row(reason, each.placement, f"{each.wishes:,}", f"{each.customers:,}", later)
    return more(table, len(report.reasons))


def _load(report: Report) -> ShownTable:
    total = sum(each.customer_weeks for each in report.load)
    table = ShownTable("Contacts in a week>", "weeks of a customer>", "")
    for each in report.load:
        table.add_row(f"{each.contacts}", f"{each.customer_weeks:,}", bar(each.customer_weeks / total))
    return table


def _off(report: Report) -> Iterator[ShownTable]:
    """Yield what is off now, since when, by whom and why."""
    if report.off:
        zone = ZoneInfo(report.time_zone)
        table = ShownTable("Off now", "", "since", "by", "why", "waiting>")
        for each in report.off[:ROWS_SHOWN]:
            since = f"{each.since.astimezone(zone):%Y-%m-%d %H:%M}" if each.since else ""
            by = f"its own {each.limit}" if each.limit else each.by
            name = f"class {each.name}" if each.what == "class" else each.name or "everything"
            by, why = (Text(" ".join(text.split())) for text in (by, each.reason))
            table.add_row(name, each.state, since, by, why, f"{each.waiting:,}")
        yield more(table, len(report.off))


def _paused(report: Report) -> Iterator[ShownTable]:
    if report.paused:
        zone = ZoneInfo(report.time_zone)
        table = ShownTable("Paused at their limit", "when", "contacts>", "limit>?")
        for each in report.paused[-ROWS_SHOWN:]:
            when = f"{each.time.astimezone(zone):%Y-%m-%d %H:%M}"
            table.add_row(each.campaign, when, f"{each.contacts:,}{' failed' * each.failed}", f"{each.limit:,}")
        yield more(table, len(report.paused))


def _stale(report: Report) -> Iterator[ShownTable]:
    if report.stale:
        zone = ZoneInfo(report.time_zone)
        table = ShownTable("Sources that stopped", "stale from", "known up to", "heard again", "held?")
        for each in report.stale[-ROWS_SHOWN:]:
            times = (each.time, each.known_until, each.fresh)
            since, known, fresh = (f"{time.astimezone(zone):%Y-%m-%d %H:%M}" if time else "" for time in times)
            table.add_row(each.source, since, known or "never heard", fresh or "not yet", each.campaigns)
        yield more(table, len(report.stale))


def _crowded(report: Report) -> ShownTable:
    zone = ZoneInfo(report.time_zone)
    table = ShownTable("Most crowded>", "at once>", "since>?", "wishes>", "campaigns>?", "sent>")
    for each in report.crowded[:ROWS_SHOWN]:
        since = f"{each.since.astimezone(zone):%Y-%m-%d}"
        table.add_row(
            f"{each.customer}", f"{each.at_once}", since, f"{each.wishes}", f"{each.campaigns}", f"{each.sent}"
        )
    return table


def _collisions(report: Report) -> Iterator[ShownTable]:
    by_place = sorted(report.collisions, key=lambda each: each.placement)
    for placement, found in groupby(by_place, key=lambda each: each.placement):
        pairs = list(found)
        title = f"Collide at {placement}" if placement else "They collide"
        table = ShownTable(title, "", "customers>", "times>?", "first wins>?", "second wins>?")
        for each in pairs[:ROWS_SHOWN]:
            counts = (each.customers, each.times, each.one_first, each.other_first)
            table.add_row(each.one, each.other, *(f"{count:,}" for count in counts))
        yield more(table, len(pairs))


def _found(audit: Audit) -> ShownTable:
    table = ShownTable("Went out all the same", "contacts>", "of all?", "customers>", "most by?")
    for each in audit.findings:
        share = bar(each.contacts / audit.contacts)
        most = f"{each.worst} ({each.worst_contacts:,})" if each.worst else ""
        table.add_row(each.words, f"{each.contacts:,}", share, f"{each.customers:,}", most)
    return table


def _periods(audit: Audit) -> ShownTable:
    """Return how many contacts a customer had in one day, week and 30 days, where there were any."""
    table = ShownTable("Contacts in one", "most>", "more than one>", "of all>")
    for per in ("day", "week", "30 days"):
        own = [each for each in audit.load if each.per == per]
        several, total = (sum(each.periods for each in own if each.contacts > least) for least in (1, 0))
        table.add_row(per, f"{own[-1].contacts:,}", f"{several:,}", f"{total:,}")
    return table


def _busiest(audit: Audit) -> ShownTable:
    table = ShownTable("Heard most", "contacts>", "campaigns>?", "in a day>", "in a week>?", "broke a rule>")
    for each in audit.busiest[:ROWS_SHOWN]:
        counts = (each.contacts, each.campaigns, each.day_max, each.week_max, each.found)
        table.add_row(each.who, *(f"{count:,}" for count in counts))
    return more(table, len(audit.busiest))


def _pairs(audit: Audit) -> ShownTable:
    """Return which campaigns reach the same people within a week, and how the second is answered then."""
    table = ShownTable("Eat each other: first", "then", "customers>", "times>?", "then answered>", "alone>")
    for each in audit.pairs[:ROWS_SHOWN]:
        names, shares = (each.one, each.other), (each.other_after, each.other_alone)
        if each.one_first < each.other_first:
            names, shares = (each.other, each.one), (each.one_after, each.one_alone)
        told = ("–" if share is None else f"{share:.1%}" for share in shares)
        table.add_row(*names, f"{each.customers:,}", f"{each.times:,}", *told)
    return more(table, len(audit.pairs))


def _year(audit: Audit) -> Iterator[ShownTable | Text]:
    """Yield what the rules would have made of the same time."""
    year = audit.year
    sent = f"{year.sent:,} of {many(audit.contacts, 'contact')} would have gone out"
    yield Text(f"The same {audit.span} under the rules: {sent}", "bold")
    yield from _campaigns([each for each in year.campaigns if each.wishes])
    if year.reasons:
        yield _held(year)
