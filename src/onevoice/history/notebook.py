"""Reports, timelines and decisions as notebooks show them: HTML without a script, readable on light and on dark.

Texts and lines take the notebook's own colour; the hues are of middle lightness.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.history.language import language
from onevoice.many import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.history.audit import Audit
    from onevoice.history.decision import Decision, Line
    from onevoice.history.language import Language
    from onevoice.history.report import Report
    from onevoice.history.timeline import Band, Timeline
    from onevoice.history.why import Why
    from onevoice.history.why_not import Change, WhyNot

_BLUE: Final = "#4a8bc9"
_PURPLE: Final = "#8d80cf"
_BROWN: Final = "#a98a66"
_GREEN: Final = "#35a184"
_GREY: Final = "#8a8a86"

_LANES_MAX: Final = 24  # of one kind
_MARKS_MAX: Final = 400  # of one lane; more would make the notebook's file heavy
_WIDTH: Final = 960
_LEFT: Final = 230
_LANE: Final = 20
_TICKS: Final = 6

_FONT: Final = "font:13px/1.45 system-ui,sans-serif"
_CELL: Final = "padding:2px 14px 2px 0;border:0;border-bottom:1px solid rgba(128,128,128,.35);vertical-align:top"


def report_html(report: Report) -> str:
    """Return the figures of a report that one looks at first."""
    zone = ZoneInfo(report.time_zone)
    days = [f"{time.astimezone(zone):%d %b %Y}" for time in (report.first, report.last) if time]
    span = " to ".join(days) or "nothing decided"
    shown = f", {report.shown:,} shown at placements" if report.asks else ""
    lead = (
        f"{many(report.events, 'event')} of {many(report.customers, 'customer')}: "
        f"{many(report.wishes, 'wish', 'wishes')}, {many(report.sent, 'contact')}, {report.held:,} held back{shown}."
    )
    off = ", ".join(f"{each.name or 'everything'} ({each.state})" for each in report.off)
    lead += f" Off now: {off}." if off else ""
    campaigns = [
        (each.campaign, each.klass, f"{each.wishes:,}", f"{each.sent:,}", f"{each.shown:,}")
        for each in report.campaigns[:8]
    ]
    reasons = [
        (each.reason, each.words or each.rule, each.placement, f"{each.wishes:,}", f"{each.sent_later:,}")
        for each in report.reasons[:6]
    ]
    return block(
        f"{report.playbook}, {span}",
        lead,
        table(("campaign", "class", "wishes", "sent", "shown"), campaigns, numbers=3),
        table(("reason", "rule", "placement", "held back", "went out later"), reasons, numbers=2),
    )


def audit_html(audit: Audit) -> str:
    """Return what an audit found first."""
    zone = ZoneInfo(audit.time_zone)
    lead = (
        f"{many(audit.contacts, 'contact')} of {many(audit.customers, 'customer')}: {audit.found:,} broke a rule; "
        f"under the rules {audit.year.sent:,} would have gone out."
    )
    found = [(each.words, each.worst, f"{each.contacts:,}", f"{each.customers:,}") for each in audit.findings]
    pairs = [(each.one, each.other, f"{each.customers:,}", f"{each.times:,}") for each in audit.pairs[:6]]
    return block(
        f"Contacts, {audit.first.astimezone(zone):%d %b %Y} to {audit.last.astimezone(zone):%d %b %Y}",
        lead,
        table(("rule", "most by", "contacts", "customers"), found, numbers=2),
        table(("one", "and the other within a week", "customers", "times"), pairs, numbers=2),
    )


def why_html(why: Why) -> str:
    """Return an explained decision as a table, a row for each candidate."""
    rows = [
        (
            each.campaign,
            each.klass,
            each.reason,
            "" if each.score is None else f"{each.score:g}",
            each.sentence,
            each.rule,
        )
        for each in why.told
    ]
    titles = ("campaign", "class", "reason", "rank", "what became of it", "rule")
    title = f"Decision {why.decision.number} for customer {why.customer}"
    return block(title, f"{why.time}: {why.headline}.", table(titles, rows))


def why_not_html(why_not: WhyNot) -> str:
    """Return what stood in a campaign's way, and what would have changed that, as tables."""
    obstacles = [(each.sentence, each.rule, each.place) for each in why_not.obstacles]
    words, zone = language(why_not.language), ZoneInfo(why_not.time_zone)
    changes = [(each.sentence, *_local(each, words, zone)) for each in why_not.changes]
    time = f"{words.time(why_not.time, zone)}: " if why_not.time else ""
    return block(
        f"Why not {why_not.campaign} for customer {why_not.customer}",
        f"{time}{why_not.headline}." + (f" {why_not.caution}." if why_not.caution else ""),
        table(("in its way", "rule", "place"), obstacles),
        table(("it would have won", "found", "needed"), changes),
    )


def _local(change: Change, words: Language, zone: ZoneInfo) -> tuple[str, str]:
    """Return what was found and what is needed, times as the clocks of a zone show them."""
    if change.kind not in {"wait", "source"}:
        return change.found, change.needed
    found, needed = (each and words.time(datetime.fromisoformat(each), zone) for each in (change.found, change.needed))
    return found, needed


def decision_html(decision: Decision) -> str:
    """Return a decision as a table, a row for each line."""
    place = f" at {decision.placement}" if decision.placement else ""
    shown = f"; shows {decision.default}" if decision.default else ""
    lead = f"{decision.time:%Y-%m-%d %H:%M %Z}, {decision.kind}{place}{shown}"
    titles = ("campaign", "reason", "channel", "rank", "value", "until", "rule")
    rows = [_cells(line) for line in decision.lines]
    return block(f"Decision {decision.number} for customer {decision.customer}", lead, table(titles, rows))


def timeline_html(timeline: Timeline) -> str:
    """Return a timeline as a drawing: what was decided, what happened, what was true meanwhile."""
    zone = ZoneInfo(timeline.time_zone)
    scale = _scale(timeline, zone)
    groups = [
        _first(_campaigns(timeline, scale) + _placements(timeline, scale), "campaigns"),
        _first(_events(timeline, scale), "types"),
        _first(_bands(timeline, scale), "facts and segments"),
    ]
    rows = [row for lanes in groups if lanes for row in (*lanes, None)]
    height = _LANE * (len(rows) + 1)
    drawn = "".join(_row(row, _LANE * (index + 1)) for index, row in enumerate(rows) if row)
    told = f"up to {timeline.now.astimezone(zone):%d %b %Y %H:%M}: {many(len(timeline.events), 'event')}"
    return block(
        f"{timeline.playbook}, customer {timeline.customer}",
        told,
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" style="max-width:100%;height:auto" '
        f'font-size="12" fill="currentColor" role="img">{_axis(scale, height)}{drawn}</svg>',
    )


# Tables.


def block(title: str, lead: str, *parts: str) -> str:
    """Return a title, a sentence, and what stands below them, which is HTML already."""
    head = f"<div><b>{escape(title)}</b></div><div>{escape(lead)}</div>"
    return f'<div style="{_FONT}">{head}{"".join(parts)}</div>'


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """Return a table without its empty columns, the last `numbers` of all being numbers; nothing for no rows."""
    shown = [column for column in range(len(titles)) if any(row[column] for row in rows)]

    def line(tag: str, cells: Sequence[str]) -> str:
        sides = ["right" if column >= len(titles) - numbers else "left" for column in shown]
        told = zip(sides, (escape(cells[column]) for column in shown), strict=True)
        return "".join(f'<{tag} style="{_CELL};text-align:{side}">{cell}</{tag}>' for side, cell in told)

    if not shown:
        return ""
    body = "".join(f'<tr style="background:none">{line("td", row)}</tr>' for row in rows)
    style = f"border-collapse:collapse;margin:8px 0;{_FONT};font-variant-numeric:tabular-nums"
    return f'<table style="{style}"><thead><tr>{line("th", titles)}</tr></thead><tbody>{body}</tbody></table>'


def _cells(line: Line) -> tuple[str, ...]:
    value = f"{line.value:%Y-%m-%d %H:%M}" if isinstance(line.value, datetime) else line.value
    return (
        line.campaign,
        line.told_reason,
        line.channel,
        "" if line.score is None else f"{line.score:g}",
        "" if value is None else f"{value}" + ("" if line.limit is None else f" of {line.limit}"),
        "" if line.until is None else f"{line.until:%Y-%m-%d %H:%M}",
        line.rule,
    )


# The drawing.


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times to places in the drawing."""

    first: datetime
    last: datetime
    zone: ZoneInfo

    def at(self, time: datetime) -> float:
        part = (time - self.first) / (self.last - self.first)
        return round(_LEFT + max(0.0, min(1.0, part)) * (_WIDTH - _LEFT - 8), 1)

    def text(self, time: datetime) -> str:
        return f"{time.astimezone(self.zone):%a %d %b %Y %H:%M}"


@dataclass(frozen=True, slots=True)
class _Lane:
    name: str
    note: str
    shapes: list[str] = field(default_factory=list[str])


def _scale(timeline: Timeline, zone: ZoneInfo) -> _Scale:
    times = [each.time for each in timeline.events] + [each.since for each in timeline.bands]
    times += [each.time for each in timeline.decisions]
    return _Scale(min(times, default=timeline.now - timedelta(days=1)), max([*times, timeline.now]) + _MOMENT, zone)


_MOMENT: Final = timedelta(seconds=1)


def _axis(scale: _Scale, height: int) -> str:
    parts: list[str] = []
    form = "%d %b %Y" if scale.last - scale.first > _TICKS * timedelta(days=1) else "%d %b %H:%M"
    for step in range(_TICKS):
        time = scale.first + step * (scale.last - scale.first) / _TICKS
        x = scale.at(time)
        parts.append(f'<path d="M{x} 4V{height}" stroke="currentColor" stroke-opacity=".18"/>')
        parts.append(f'<text x="{x + 3}" y="13" opacity=".75">{time.astimezone(scale.zone):{form}}</text>')
    return "".join(parts)


def _row(lane: _Lane, top: int) -> str:
    name = lane.name if len(lane.name) <= 26 else f"{lane.name[:9]}…{lane.name[-16:]}"
    label = f'<text x="0" y="14">{escape(name)}<title>{escape(lane.name)}</title></text>'
    note = f'<text x="{_LEFT - 12}" y="14" text-anchor="end" opacity=".75">{escape(lane.note)}</text>'
    return f'<g transform="translate(0 {top})">{label}{note}{"".join(lane.shapes)}</g>'


def _first(lanes: list[_Lane], what: str) -> list[_Lane]:
    rest = len(lanes) - _LANES_MAX
    return lanes if rest <= 0 else [*lanes[:_LANES_MAX], _Lane(f"and {rest} more {what}", "")]


def _marked(name: str, note: str, marks: list[tuple[str, str]]) -> _Lane:
    """Return a lane of marks, each a shape that is not yet closed and what it says."""
    shapes = [f"{shape}><title>{escape(text)}</title></{shape[1:].split()[0]}>" for shape, text in marks[:_MARKS_MAX]]
    rest = len(marks) - _MARKS_MAX
    return _Lane(name, note if rest <= 0 else f"{note}, first {_MARKS_MAX}", shapes)


def _tick(x: float, hue: str) -> str:
    return f'<path d="M{x} 4v12" stroke="{hue}" stroke-width="1.6"'


def _campaigns(timeline: Timeline, scale: _Scale) -> list[_Lane]:
    lines: dict[str, list[tuple[Decision, Line]]] = {}
    for decision in timeline.decisions:
        for line in decision.lines if decision.kind != "ask" else ():
            lines.setdefault(line.campaign, []).append((decision, line))

    def sent(own: list[tuple[Decision, Line]]) -> int:
        return sum(line.reason == "won" for _, line in own)

    ordered = sorted(lines.items(), key=lambda each: -sent(each[1]))
    return [_marked(name, f"{sent(own)} sent", [_contact(*each, scale) for each in own]) for name, own in ordered]


def _contact(decision: Decision, line: Line, scale: _Scale) -> tuple[str, str]:
    x = scale.at(decision.time)
    channel = f" by {line.channel}" if line.channel else ""
    rule = f", {line.rule}" if line.rule else ""
    text = f"{line.told_reason}{channel}, {scale.text(decision.time)}{rule}"
    if line.reason == "won":
        return f'<circle cx="{x}" cy="10" r="4.5" fill="{_BLUE}"', text
    return f'<circle cx="{x}" cy="10" r="3" fill="none" stroke="{_GREY}" stroke-width="1.3"', text


def _placements(timeline: Timeline, scale: _Scale) -> list[_Lane]:
    asks: dict[str, list[tuple[str, str]]] = {}
    for decision in timeline.decisions:
        if decision.kind == "ask":
            won = [line.campaign for line in decision.won]
            shown = ", ".join([*won, *([decision.default] if decision.default else [])]) or "nothing"
            mark = _tick(scale.at(decision.time), _GREEN), f"shows {shown}, {scale.text(decision.time)}"
            asks.setdefault(decision.placement, []).append(mark)
    return [_marked(place, f"{len(marks)} ask{'' if len(marks) == 1 else 's'}", marks) for place, marks in asks.items()]


def _events(timeline: Timeline, scale: _Scale) -> list[_Lane]:
    types: dict[str, list[tuple[str, str]]] = {}
    for event in timeline.events:
        mark = _tick(scale.at(event.time), "currentColor"), f"{event.type}, {scale.text(event.time)}"
        types.setdefault(event.type, []).append(mark)
    return [
        _marked(name, f"{len(marks)}", marks) for name, marks in sorted(types.items(), key=lambda each: -len(each[1]))
    ]


def _bands(timeline: Timeline, scale: _Scale) -> list[_Lane]:
    """Return a lane for each segment and fact; of a fact with several keys, where any of them holds."""
    bands: dict[tuple[str, str], list[Band]] = {}
    for band in timeline.bands:
        bands.setdefault((band.kind, band.name), []).append(band)
    ordered = sorted(bands.items(), key=lambda each: (each[0][0] == "fact", min(band.since for band in each[1])))
    return [_banded(kind, name, own, timeline.now, scale) for (kind, name), own in ordered]


def _banded(kind: str, name: str, own: list[Band], now: datetime, scale: _Scale) -> _Lane:
    keys = {band.key for band in own}
    hue = _PURPLE if kind == "segment" else _BROWN
    marks: list[tuple[str, str]] = []
    for since, until in _union(own, now):
        x = scale.at(since)
        text = f"{name}, {scale.text(since)} to {'now' if until >= now else scale.text(until)}"
        marks.append(
            (f'<rect x="{x}" y="4" width="{max(1.0, scale.at(until) - x):.1f}" height="12" fill="{hue}"', text)
        )
    return _marked(name, f"{len(keys)} keys" if len(keys) > 1 else min(keys), marks)


def _union(own: list[Band], now: datetime) -> list[tuple[datetime, datetime]]:
    """Return the stretches of time in which any of the bands holds."""
    found: list[tuple[datetime, datetime]] = []
    for band in sorted(own, key=lambda each: each.since):
        until = now if band.until is None else min(now, band.until)
        if found and band.since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((band.since, max(band.since, until)))
    return found
