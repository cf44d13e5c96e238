"""The page of a report: its figures, the customer it names as an example, and that decision explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.history.page import page

if TYPE_CHECKING:
    from onevoice import Onevoice
    from onevoice.history.report import Report
    from onevoice.history.timeline import Timeline
    from onevoice.history.why import Why


def example_of(engine: Onevoice, report: Report) -> tuple[Timeline | None, Why | None]:
    """Return the history of the customer whom a report names as an example, and the decision that it names."""
    if report.example is None:
        return None, None
    customer, number = report.example.customer, report.example.decision
    told = engine.why(customer, last=engine.decision_count, language="en")
    return engine.timeline(customer), next(each for each in told if each.decision.number == number)


def page_of(engine: Onevoice, report: Report) -> str:
    """Return a report as one HTML text."""
    return page(report, *example_of(engine, report))
