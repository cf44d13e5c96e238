"""Reports, timelines, explanations, audits, rehearsals, results: each one HTML page that needs nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from onevoice.history.results import BEGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onevoice.history.audit import Audit
    from onevoice.history.rehearsal import Rehearsal
    from onevoice.history.report import Report
    from onevoice.history.results import Results
    from onevoice.history.timeline import Timeline
    from onevoice.history.why import Why

# In the order in which each needs those before it.
_SCRIPTS: Final = (
    "echarts.min.js",
    "dom.js",
    "table.js",
    "charts.js",
    "figures.js",
    "collisions.js",
    "lanes.js",
    "timeline.js",
    "why.js",
    "page.js",
    "report.js",
)
_AUDIT_SCRIPTS: Final = (
    "echarts.min.js",
    "dom.js",
    "table.js",
    "charts.js",
    "figures.js",
    "collisions.js",
    "page.js",
    "audit.js",
)
_REHEARSAL_SCRIPTS: Final = (
    "echarts.min.js",
    "dom.js",
    "table.js",
    "charts.js",
    "figures.js",
    "why.js",
    "page.js",
    "rehearsal.js",
)
_RESULTS_SCRIPTS: Final = (
    "echarts.min.js",
    "dom.js",
    "table.js",
    "charts.js",
    "page.js",
    "results.js",
)
_CHARTS: Final = "echarts.min.js"

# What could end the element that holds the data, or begin another, as JSON writes it instead.
_UNSAFE: Final = re.compile("[<>&\u2028\u2029]")

_DRAWN: Final = "<noscript>This page draws itself with the script that lies in it; please allow it.</noscript>"
_PAGE: Final = """<!doctype html>
<html lang="en" data-theme="auto">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Onevoice">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main id="page">{main}</main>
<script type="application/json" id="data">{data}</script>
{scripts}
</body>
</html>
"""


def page(
    report: Report,
    timeline: Timeline | None = None,
    why: Why | None = None,
    *,
    took_s: float | None = None,
    title: str | None = None,
) -> str:
    """Return a report as one HTML text, with one customer's timeline and one explained decision where they are given.

    `took_s`: how long the events took, for events a second.
    """
    shown = title or f"{report.playbook}: what was said, and what was not"
    return _page(shown, _SCRIPTS, report=report, timeline=timeline, why=why, took_s=took_s)


def timeline_page(timeline: Timeline, why: Why | None = None, *, title: str | None = None) -> str:
    """Return one customer's timeline as one HTML text, with one decision explained where it is given."""
    shown = title or f"{timeline.playbook}: customer {timeline.customer}"
    scripts = tuple(name for name in _SCRIPTS if name != _CHARTS)
    return _page(shown, scripts, report=None, timeline=timeline, why=why, took_s=None)


def audit_page(audit: Audit, *, title: str | None = None) -> str:
    """Return an audit as one HTML text."""
    return _page(title or "What was sent, and what should not have been", _AUDIT_SCRIPTS, audit=audit, span=audit.span)


def rehearsal_page(rehearsal: Rehearsal, *, title: str | None = None) -> str:
    """Return a rehearsal as one HTML text."""
    shown = title or f"{rehearsal.playbook}: what would have been said"
    return _page(shown, _REHEARSAL_SCRIPTS, rehearsal=rehearsal)


def results_page(parts: Mapping[str, Results], by: str = "campaign", *, title: str | None = None) -> str:
    """Return results by each kind of parts as one HTML text, which shows those of `by` first."""
    shown = title or f"{parts[by].playbook}: what campaigns brought about"
    return _page(shown, _RESULTS_SCRIPTS, results=list(parts.values()), by=by, begin=BEGIN)


def _page(title: str, scripts: tuple[str, ...], **data: Any) -> str:
    texts = [_text(name) for name in scripts]
    return _PAGE.format(
        policy=_policy(texts),
        title=escape(title),
        style=_text("page.css"),
        main=_DRAWN,
        data=_inert({"title": title, **data}),
        scripts="\n".join(f"<script>{text}</script>" for text in texts),
    )


def _inert(data: Any) -> str:
    """Return JSON in which nothing can be taken for HTML."""
    text = msgspec.json.encode(data).decode("utf-8")
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _policy(scripts: list[str]) -> str:
    """Return a Content-Security-Policy: these scripts by their digests, and nothing from anywhere."""
    allowed = " ".join(f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode()}'" for text in scripts)
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'; form-action 'none'"


@cache
def _text(name: str) -> str:
    return files("onevoice.history").joinpath("page", name).read_text("utf-8")
