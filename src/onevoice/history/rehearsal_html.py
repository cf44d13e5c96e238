"""Rehearsals and conflicts as notebooks show them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from onevoice.history.language import language
from onevoice.history.notebook import block, table
from onevoice.many import many

if TYPE_CHECKING:
    from onevoice.history.conflicts import Conflicts
    from onevoice.history.rehearsal import Rehearsal


def rehearsal_html(rehearsal: Rehearsal) -> str:
    """Return what differs most: totals, campaigns, kinds of differing decisions."""
    lead = (
        f"{many(rehearsal.differing, 'decision')} differing; {many(rehearsal.gaining, 'customer')} would hear more, "
        f"{rehearsal.losing:,} less. What customers did is taken as it happened."
    )
    heads = ("happened", "rehearsed")
    totals = [(each.name, f"{each.happened:,}", f"{each.rehearsed:,}") for each in rehearsal.totals]
    most = sorted(rehearsal.campaigns, key=lambda each: -abs(each.sent_rehearsed - each.sent_happened))[:8]
    campaigns = [
        (each.campaign, each.klass, f"{each.sent_happened:,}", f"{each.sent_rehearsed:,}")
        for each in most
        if each.sent_rehearsed != each.sent_happened
    ]
    differences = [(each.difference, f"{each.decisions:,}") for each in rehearsal.differences]
    return block(
        f"{rehearsal.playbook}, rehearsed beside what happened",
        lead,
        table(("", *heads), totals, numbers=2),
        table(("campaign", "class", *heads), campaigns, numbers=2),
        table(("difference", "decisions"), differences, numbers=1),
    )


def conflicts_html(conflicts: Conflicts) -> str:
    """Return the pairs of campaigns that share most customers."""
    told = f" with {conflicts.campaign}" if conflicts.campaign else ""
    apart = language("en").span(conflicts.within // timedelta(microseconds=1))
    lead = f"{many(len(conflicts.pairs), 'pair')}{told} in conflict for the same customers within {apart}."
    rows = [
        (
            *(each.one, each.other, each.placement),
            *(f"{count:,}" for count in (each.customers, each.times, each.one_first, each.other_first)),
            *(f"{count:,}" for count in (each.one_lost, each.other_lost)),
        )
        for each in conflicts.pairs[:12]
    ]
    titles = ("one", "other", "placement", "customers", "times", "one first", "other first", "one lost", "other lost")
    return block(f"{conflicts.playbook}: conflicts", lead, table(titles, rows, numbers=6))
