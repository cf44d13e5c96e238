"""`check --deep`: everything that a playbook proves to be dead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onevoice.errors import Mistake, PlaybookError
from onevoice.playbook.check import check
from onevoice.playbook.deep.beaten import Comparison
from onevoice.playbook.deep.book import Book
from onevoice.playbook.deep.campaigns import dead_campaign
from onevoice.playbook.deep.parts import dead_parts
from onevoice.playbook.load import load_with_report, read_files
from onevoice.playbook.model import Campaign, Playbook, TriggerKind
from onevoice.playbook.record import Report, position

if TYPE_CHECKING:
    from onevoice.playbook.deep.finding import Finding

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Deep:
    """What was proved, in the order in which it stands, and how many questions were too large to be answered."""

    findings: tuple[Finding, ...]
    undecided: int


def prove(playbook: Playbook | str | Path) -> tuple[Finding, ...]:
    """Return what is dead in a playbook, or in the one in a folder; raise PlaybookError where it has mistakes."""
    if not isinstance(playbook, Playbook):
        return check_deep(*load_with_report(read_files(playbook))).findings
    if mistakes := check(playbook, report := Report()):
        raise PlaybookError(*mistakes)
    return check_deep(playbook, report).findings


def check_deep(playbook: Playbook, report: Report | None = None) -> Deep:
    """Prove what is dead in a playbook without mistakes: segments, moments, offers and campaigns.

    `report`: as `load_with_report` gives it, for file, line and column; without one a finding names the key path.

    What is found can never fire, go out or win, whatever events come, as long as this playbook is in force. What is not
    found may be dead all the same: a question that takes too long is not answered.
    """
    if report is None:
        report = Report()
        check(playbook, report)
    book = Book(playbook, report)
    findings = list(dead_parts(book))
    alive = [*playbook.campaigns.values()]
    for campaign in list(alive):
        if (finding := dead_campaign(book, campaign)) is not None:
            alive.remove(campaign)
            findings.append(finding)
    findings += _beaten(book, alive)
    return Deep(tuple(sorted(findings, key=_position)), book.search.undecided)


def _beaten(book: Book, alive: list[Campaign]) -> list[Finding]:
    """Compare the campaigns that can be let through, outbound and inbound ones apart."""
    comparison = Comparison(book)
    found: list[Finding | None] = []
    inbound = [each for each in alive if each.when.kind is TriggerKind.ASKED]
    outbound = [each for each in alive if each.when.kind is not TriggerKind.ASKED]
    found += [comparison.beaten(each, outbound) for each in outbound]
    found += [comparison.never_shown(each, inbound) for each in inbound]
    return [each for each in found if each is not None]


def _position(finding: Finding) -> tuple[str, int, int]:
    return position(Mistake(finding.what, finding.where))
