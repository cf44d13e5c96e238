"""The page of a report: its figures, the customer it names as an example, and that decision explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.history.page import page

if TYPE_CHECKING:
    from onevoice import Onevoice
    from onevoice.history.report import Report


def page_of(engine: Onevoice, report: Report, took_s: float | None = None) -> str:
    """Return a report as one HTML text."""
    if report.example is None:
        return page(report, None, None, took_s=took_s)
    customer, number = report.example.customer, report.example.decision
    told = engine.why(customer, last=engine.decision_count)
    example = next(each for each in told if each.decision.number == number)
    return page(report, engine.timeline(customer), example, took_s=took_s)
