"""What campaigns brought about: who came to their goals, beside customers who were held out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from onevoice.errors import Mistake, OnevoiceError
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.base import opened, queries, run
from onevoice.history.notebook import block, table
from onevoice.history.tables import table_of
from onevoice.history.uplift import CONVERTED_MIN, CUSTOMERS_MIN, Counts, Uplift, is_enough, uplift
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

PARTS: Final = ("campaign", "class", "owner", "week")


@dataclass(frozen=True, slots=True)
class ResultFigures:
    """What came of the contacts of one part: a campaign, class or owner, or the week that begins on this Monday.

    `contacts` and `would_have_won` are counted one by one (at placements, what was shown), with how many of each came
    to the goal of their campaign. What is compared is customers, since there is somebody to compare with: `customers`
    contacted and `held_out`, how many of each came to the goal, the `uplift` between the two rates, and the bounds
    within which it lies 95 times in 100; None where that is too few to tell, and `words` say so.
    """

    part: str
    contacts: int
    conversions: int
    would_have_won: int
    held_out_conversions: int
    customers: int
    customers_converted: int
    held_out: int
    held_out_converted: int
    rate: float | None
    held_out_rate: float | None
    uplift: float | None
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Results:
    """What came of all contacts of campaigns with a goal, by parts. Shows itself in notebooks.

    >>> engine.results().by, engine.results().figures
    ('campaign', ())
    """

    playbook: str
    by: str
    figures: tuple[ResultFigures, ...]
    without_goal: tuple[str, ...]

    def table(self) -> Table:
        """Return the figures as a pyarrow Table, a row for each part.

        >>> engine.results().table().num_rows
        0
        """
        return table_of(ResultFigures, self.figures)

    def _repr_html_(self) -> str:
        """Show the figures as a table in a notebook."""
        return results_html(self)


def results(decided: Table, goals: Table, playbook: Playbook, by: str) -> Results:
    """Return what came of decisions under the goals of a playbook.

    `decided` has the columns of `Onevoice.decisions_table`, merges resolved; `goals` customer, campaign and time of
    each event that is a goal. Raises OnevoiceError for parts that there are not.
    """
    if by not in PARTS:
        expected = f"one of {', '.join(f'`{part}`' for part in PARTS)}"
        raise OnevoiceError(Mistake("no such parts", "results", expected, f"{by!r}", did_you_mean(by, PARTS)))
    with opened() as base:
        parts, counts = _asked(base, decided, goals, playbook, by)
    compared: dict[str, list[Counts]] = defaultdict(list)
    for part, *numbers in counts:
        compared[part].append(Counts(*numbers))
    figures = tuple(_figures(part, numbers, compared[part]) for part, *numbers in parts)
    without = tuple(campaign.name for campaign in playbook.campaigns.values() if campaign.goal is None)
    return Results(playbook.name, by, figures, without)


def _asked(base: Any, decided: Table, goals: Table, playbook: Playbook, by: str) -> tuple[list[Any], list[Any]]:
    """Return the rows of both queries."""
    campaigns = [campaign for campaign in playbook.campaigns.values() if campaign.goal is not None]
    columns = {
        "name": pa.array([campaign.name for campaign in campaigns], pa.string()),
        "class": pa.array([campaign.klass for campaign in campaigns], pa.string()),
        "owner": pa.array([campaign.owner for campaign in campaigns], pa.string()),
        "within_us": pa.array([campaign.goal_within_us for campaign in campaigns], pa.int64()),
    }
    base.register("decided", decided)
    base.register("goal", goals)
    base.register("campaign", pa.table(columns))
    run(base, "exposures.sql", by=by, zone=playbook.time_zone)
    ask = queries("results.sql")
    return base.sql(ask["parts"]).fetchall(), base.sql(ask["counts"]).fetchall()


def _figures(part: str, numbers: list[int], compared: list[Counts]) -> ResultFigures:
    contacts, conversions, would_have_won, held_out_conversions = numbers
    added = Counts(
        sum(each.contacted for each in compared),
        sum(each.converted for each in compared),
        sum(each.held_out for each in compared),
        sum(each.held_out_converted for each in compared),
    )
    found = uplift(compared) if is_enough(compared) else None
    return ResultFigures(
        part=part,
        contacts=contacts,
        conversions=conversions,
        would_have_won=would_have_won,
        held_out_conversions=held_out_conversions,
        customers=added.contacted,
        customers_converted=added.converted,
        held_out=added.held_out,
        held_out_converted=added.held_out_converted,
        rate=found and found.rate,
        held_out_rate=found and found.held_out_rate,
        uplift=found and found.difference,
        low=found and found.low,
        high=found and found.high,
        words=_words(found, contacts, would_have_won, added),
    )


def _words(found: Uplift | None, contacts: int, would_have_won: int, added: Counts) -> str:
    """Say what may be said, and no more."""
    if not would_have_won:
        return "nobody was held out, so nothing can be compared"
    if not contacts:
        return "everybody was held out, so nothing can be compared"
    if found is None:
        converted = added.converted + added.held_out_converted
        if min(added.contacted, added.held_out) >= CUSTOMERS_MIN and converted < CONVERTED_MIN:
            return f"too few to tell: {converted} came to the goal, {CONVERTED_MIN} are needed"
        sides = f"{added.contacted} contacted and {added.held_out} held out"
        return f"too few to tell: {sides}, {CUSTOMERS_MIN} of each are needed"
    low, high = 100 * found.low, 100 * found.high
    if found.low > 0:
        return f"of 100 contacted {low:.1f} to {high:.1f} more come to the goal"
    if found.high < 0:
        return f"of 100 contacted {-high:.1f} to {-low:.1f} fewer come to the goal"
    return f"no difference is shown: of 100 contacted {low:+.1f} to {high:+.1f}"


TITLES: Final = ("contacts", "held out", "rate", "rate of the held out", "uplift")


def cells(figures: ResultFigures) -> tuple[str, str, str, str, str]:
    """Return what stands under the titles, as text."""
    spread = "" if figures.low is None or figures.high is None else f" ({figures.low:+.1%} to {figures.high:+.1%})"
    return (
        f"{figures.contacts:,}",
        f"{figures.would_have_won:,}",
        "" if figures.rate is None else f"{figures.rate:.1%}",
        "" if figures.held_out_rate is None else f"{figures.held_out_rate:.1%}",
        "" if figures.uplift is None else f"{figures.uplift:+.1%}{spread}",
    )


def results_html(found: Results) -> str:
    """Return results as a table in HTML."""
    rows = [(each.part or "(none)", *cells(each), each.words) for each in found.figures]
    lead = f"by {found.by}; rates are of customers, the bounds hold 95 times in 100"
    return block(f"{found.playbook}: what campaigns brought about", lead, table((found.by, *TITLES, ""), rows))
