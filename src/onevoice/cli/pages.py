"""The page of a report: its figures, the customer it names as an example, and that decision explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.history.page import page
from onevoice.history.why import why

if TYPE_CHECKING:
    from onevoice import Onevoice
    from onevoice.history.report import Report


def page_of(engine: Onevoice, report: Report, took_s: float | None = None) -> str:
    """Return a report as one HTML text."""
    if report.example is None:
        return page(report, None, None, took_s=took_s)
    timeline = engine.timeline(report.example.customer)
    decisions = timeline.decisions if timeline else ()
    example = next((each for each in decisions if each.number == report.example.decision), None)
    return page(report, timeline, why(example, engine.playbook) if example else None, took_s=took_s)
