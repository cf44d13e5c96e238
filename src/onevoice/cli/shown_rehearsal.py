"""Rehearsals and conflicts as a terminal shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from rich.text import Text

from onevoice.cli.shown import why_text
from onevoice.cli.tables import ROWS_SHOWN, Blocks, ShownTable, more
from onevoice.history.language import language
from onevoice.many import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from onevoice.history.conflicts import Conflict, Conflicts
    from onevoice.history.rehearsal import CustomerBeside, Differing, Rehearsal, WeekBeside
    from onevoice.history.report import CampaignFigures
    from onevoice.history.why import Why

EXAMPLES_SHOWN: Final = 3  # of the differing decisions; the page has all
CUSTOMERS_SHOWN: Final = 5  # of those who gain, and of those who lose
HEADS: Final = ("happened>", "rehearsed>", "change>")


def rehearsal_text(rehearsal: Rehearsal) -> Iterator[RenderableType]:
    """Yield a rehearsal as tables, what happened beside what is rehearsed."""
    if rehearsal.first is None or rehearsal.last is None:
        yield "nothing is decided in this window, neither as it happened nor as it is rehearsed"
        return
    zone = ZoneInfo(rehearsal.time_zone)
    span = f"{rehearsal.first.astimezone(zone):%d %b %Y} to {rehearsal.last.astimezone(zone):%d %b %Y}, {zone}"
    yield Text.assemble((rehearsal.playbook, "bold"), f" {rehearsal.version[:12]}, rehearsed: {span}")
    yield (
        f"{many(rehearsal.lines, 'line')} and {many(rehearsal.decisions, 'decision')}; the rehearsal differs in "
        f"{rehearsal.differing:,}; {many(rehearsal.gaining, 'customer')} would hear more, {rehearsal.losing:,} less"
    )
    yield Text(
        "What customers did is taken as it happened: what they would have answered otherwise, nobody knows.", "dim"
    )
    for table in _tables(rehearsal):
        yield ""
        yield table
    for each in rehearsal.examples[:EXAMPLES_SHOWN]:
        yield ""
        yield from _example(each)


def conflicts_text(conflicts: Conflicts) -> Iterator[RenderableType]:
    """Yield the pairs of campaigns that are in conflict as tables."""
    apart = language("en").span(conflicts.within // timedelta(microseconds=1))
    pairs = many(len(conflicts.pairs), "pair")
    yield Text.assemble(
        (conflicts.campaign or conflicts.playbook, "bold"),
        f": {pairs} in conflict within {apart}, among {many(conflicts.customers, 'customer')}",
    )
    if conflicts.figures is not None:
        yield _of_itself(conflicts.figures)
    for placement in dict.fromkeys(each.placement for each in conflicts.pairs):
        pairs = [each for each in conflicts.pairs if each.placement == placement]
        yield ""
        yield more(_pairs(placement, pairs), len(pairs))


def _of_itself(own: CampaignFigures) -> str:
    """Say what becomes of a campaign's wishes and asks."""
    wishes = (
        f"of {many(own.wishes, 'wish', 'wishes')} {own.sent:,} sent, {own.expired:,} expired, {own.ended:,} ended, "
        f"{own.not_eligible:,} no longer true, {own.waiting:,} waiting"
    )
    wishes += f", {own.held_out:,} for customers who are held out" if own.held_out else ""
    told = [wishes if own.wishes else "", f"shown at {own.shown:,} of {many(own.asks, 'ask')}" if own.asks else ""]
    wanted = "nobody" if not own.customers else many(own.customers, "customer")
    return "; ".join([f"it wants {wanted}", *filter(None, told)])


def _pairs(placement: str, pairs: Sequence[Conflict]) -> ShownTable:
    title = f"In conflict at {placement}" if placement else "In conflict"
    first = ("only one>?", "only other>?") if placement else ("one first>?", "other first>?")
    table = ShownTable(title, "", "customers>", "times>?", *first, "one loses>", "other loses>")
    for each in pairs[:ROWS_SHOWN]:
        counts = (each.customers, each.times, each.one_first, each.other_first, each.one_lost, each.other_lost)
        table.add_row(each.one, each.other, *(f"{count:,}" for count in counts))
    return table


def _tables(rehearsal: Rehearsal) -> Iterator[ShownTable]:
    table = ShownTable("In all", *HEADS)
    for each in rehearsal.totals:
        table.add_row(each.name, *_both(each.happened, each.rehearsed))
    table.caption = f"the limit: {rehearsal.too_much}"
    yield table
    yield from _weeks(rehearsal.weeks)
    yield from _campaigns(rehearsal)
    table = ShownTable("Contacts by", "", *HEADS)
    for each in rehearsal.groups:
        table.add_row(each.by, each.name or "none", *_both(each.happened, each.rehearsed))
    yield table
    yield from _reasons(rehearsal)
    yield from _customers(rehearsal)
    if rehearsal.differences:
        table = ShownTable("Decisions that differ", "decisions>")
        for each in rehearsal.differences:
            table.add_row(each.difference, f"{each.decisions:,}")
        yield table


def _weeks(weeks: Sequence[WeekBeside]) -> Iterator[ShownTable]:
    days = sorted({each.week for each in weeks})
    if not days:
        return
    table = ShownTable("Contacts a week", "", "most>?")
    for side in ("happened", "rehearsed"):
        counts = [sum(getattr(each, side) for each in weeks if each.week == day) for day in days]
        if any(counts):
            table.add_row(side, Blocks(counts), f"{max(counts):,}")
    yield table


def _campaigns(rehearsal: Rehearsal) -> Iterator[ShownTable]:
    """Yield the campaigns whose contacts, and those whose places, change; those that change most first."""
    for title, name in (("Contacts of a campaign", "sent"), ("Shown at placements", "shown")):
        counts = [
            (each.campaign, each.klass, getattr(each, f"{name}_happened"), getattr(each, f"{name}_rehearsed"))
            for each in rehearsal.campaigns
        ]
        changed = sorted((each for each in counts if each[2] != each[3]), key=lambda each: -abs(each[3] - each[2]))
        if changed:
            table = ShownTable(title, "class?", *HEADS)
            for campaign, klass, happened, rehearsed in changed[:ROWS_SHOWN]:
                table.add_row(campaign, klass, *_both(happened, rehearsed))
            yield more(table, len(changed))


def _reasons(rehearsal: Rehearsal) -> Iterator[ShownTable]:
    changed = [each for each in rehearsal.reasons if each.wishes_happened != each.wishes_rehearsed]
    if not changed:
        return
    table = ShownTable("Held back by", "at?", *HEADS)
    for each in changed[:ROWS_SHOWN]:
        reason = f"{each.reason}: {each.words}".removesuffix(": ")
        table.add_row(reason, each.placement, *_both(each.wishes_happened, each.wishes_rehearsed))
    yield more(table, len(changed))


def _customers(rehearsal: Rehearsal) -> Iterator[ShownTable]:
    if not rehearsal.gaining and not rehearsal.losing:
        return
    table = ShownTable("Contacts more or less>", "customers>")
    for each in rehearsal.spread:
        table.add_row(f"{each.change:+,}" if each.change else "0", f"{each.customers:,}")
    yield table
    for title, found in (("Hear most more>", rehearsal.gained), ("Hear most less>", rehearsal.lost)):
        if found:
            yield _changed(title, found)


def _changed(title: str, found: Sequence[CustomerBeside]) -> ShownTable:
    table = ShownTable(title, *HEADS)
    for each in found[:CUSTOMERS_SHOWN]:
        table.add_row(f"{each.customer}", *_both(each.happened, each.rehearsed))
    return table


def _both(happened: int, rehearsed: int) -> tuple[str, str, str]:
    change = rehearsed - happened
    return f"{happened:,}", f"{rehearsed:,}", f"{change:+,}" if change else ""


def _example(each: Differing) -> Iterator[RenderableType]:
    whom = "" if each.customer < 0 else f": customer {each.customer}"
    yield Text(f"{each.difference}{whom}", "bold cyan")
    for side, why, is_then in (
        ("happened", each.happened, each.is_happened),
        ("rehearsed", each.rehearsed, each.is_rehearsed),
    ):
        yield Text(_side(side, why, is_then), "cyan")
        if why is not None:
            yield from why_text(why)


def _side(side: str, why: Why | None, is_then: bool) -> str:
    """Say of what time an explanation is: where nothing was decided at that instant, another decision tells why."""
    if why is None:
        return f"{side}: nothing was decided about it"
    return side if is_then else f"{side}: nothing was decided at that instant; what was decided about it:"
