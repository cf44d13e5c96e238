"""What campaigns brought about: who came to their goals, beside customers who were held out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from onevoice.errors import Mistake, OnevoiceError
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.history.base import opened, queries, run
from onevoice.history.notebook import block, table
from onevoice.history.tables import table_of
from onevoice.history.uplift import CONVERTED_MIN, CUSTOMERS_MIN, Counts, Uplift, is_enough, uplift
from onevoice.many import many
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

PARTS: Final = ("campaign", "class", "owner", "week")
NAMED_MAX: Final = 12  # parts that are named of those of which the same is said


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

    `figures`: those with the most contacts first, weeks in their order. `whole` is of all contacts together, with no
    part. `contacted` and `held_out` are customers whom any of the campaigns contacted, or would have, at least once.

    >>> engine.results().by, engine.results().figures
    ('campaign', ())
    """

    playbook: str
    time_zone: str
    by: str
    figures: tuple[ResultFigures, ...]
    whole: ResultFigures
    contacted: int
    held_out: int
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


def check_part(by: str) -> None:
    """Raise OnevoiceError for parts that there are not."""
    if by not in PARTS:
        expected = f"one of {', '.join(f'`{part}`' for part in PARTS)}"
        raise OnevoiceError(Mistake("no such parts", "results", expected, f"{by!r}", did_you_mean(by, PARTS)))


def results(decided: Table, goals: Table, playbook: Playbook) -> dict[str, Results]:
    """Return what came of decisions under the goals of a playbook, by each of PARTS.

    `decided` has the columns of `Onevoice.decisions_table`, merges resolved; `goals` customer, campaign and time of
    each event that is a goal.
    """
    with opened() as base:
        parts, counts, ((contacted, held_out),) = _asked(base, decided, goals, playbook)
    compared: dict[tuple[str, str], list[Counts]] = defaultdict(list)
    for kind, part, *numbers in counts:
        compared[kind, part].append(Counts(*numbers))
    found: dict[str, list[ResultFigures]] = defaultdict(list)
    for kind, part, *numbers in parts:
        found[kind].append(_figures(part, numbers, compared[kind, part]))
    (whole,) = found[""] or [_figures("", [0, 0, 0, 0], [])]
    without = tuple(campaign.name for campaign in playbook.campaigns.values() if campaign.goal is None)
    told = whole, contacted, held_out, without
    return {by: Results(playbook.name, playbook.time_zone, by, _ordered(by, found[by]), *told) for by in PARTS}


def _asked(base: Any, decided: Table, goals: Table, playbook: Playbook) -> list[list[Any]]:
    """Return the rows of each query."""
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
    run(base, "exposures.sql", zone=playbook.time_zone)
    return [base.sql(query).fetchall() for query in queries("results.sql").values()]


def _ordered(by: str, figures: list[ResultFigures]) -> tuple[ResultFigures, ...]:
    if by == "week":
        return tuple(sorted(figures, key=lambda each: each.part))
    return tuple(sorted(figures, key=lambda each: (-each.contacts, -each.would_have_won, each.part)))


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


BEGIN: Final = (
    "How many would have come anyway, nobody knows: nobody was held out. `holdout: {share: 10%}` under `policies` of "
    "the playbook, or `holdout: 10%` at a campaign, keeps that share of customers from hearing it, to compare with."
)
PEOPLE: Final = "rates are of customers; the bounds of an uplift hold 95 times in 100"


def titles(found: Results) -> tuple[str, ...]:
    """Return what stands above the cells of `cells`."""
    compared = ("held out", "rate", "rate of held out", "uplift") if found.held_out else ()
    return ("contacts", "came", "share", *compared)


def cells(found: Results, figures: ResultFigures) -> tuple[str, ...]:
    """Return what stands under the titles, as text; nothing is compared where nobody at all was held out."""
    share = f"{figures.conversions / figures.contacts:.1%}" if figures.contacts else ""
    came = (f"{figures.contacts:,}", f"{figures.conversions:,}", share)
    return (*came, *_compared(figures)) if found.held_out else came


def _compared(figures: ResultFigures) -> tuple[str, str, str, str]:
    spread = "" if figures.low is None or figures.high is None else f" ({figures.low:+.1%} to {figures.high:+.1%})"
    return (
        f"{figures.would_have_won:,}",
        "" if figures.rate is None else f"{figures.rate:.1%}",
        "" if figures.held_out_rate is None else f"{figures.held_out_rate:.1%}",
        "" if figures.uplift is None else f"{figures.uplift:+.1%}{spread}",
    )


def lead(found: Results) -> str:
    """Say how many contacts there were, how many came to the goal, and how many customers were held out."""
    whole = found.whole
    share = f" ({whole.conversions / whole.contacts:.1%})" if whole.contacts else ""
    came = f"{many(whole.contacts, 'contact')} of campaigns with a goal, {whole.conversions:,} came to it{share}"
    return f"{came}; {many(found.held_out, 'customer')} held out" if found.held_out else came


def said(found: Results) -> list[tuple[str, str]]:
    """Return what may be said, each as a name and a sentence: of parts that can be compared, of the others together.

    Then of all of them. Nothing where nobody at all was held out.
    """
    if not found.held_out:
        return []
    alone = [(each.part or "(none)", each.words) for each in found.figures if each.uplift is not None]
    together: dict[str, list[ResultFigures]] = defaultdict(list)
    for each in found.figures:
        if each.uplift is None:
            together[each.words.partition(":")[0]].append(each)
    others = [(_names(each), words if len(each) > 1 else each[0].words) for words, each in together.items()]
    whole = [("all together", found.whole.words)] if len(found.figures) > 1 else []
    return [*alone, *others, *whole]


def _names(figures: list[ResultFigures]) -> str:
    names = [each.part or "(none)" for each in figures]
    rest = len(names) - NAMED_MAX
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:NAMED_MAX])} and {rest} more"


def results_html(found: Results) -> str:
    """Return results as a table in HTML."""
    rows = [(each.part or "(none)", *cells(found, each)) for each in found.figures]
    heads = titles(found)
    notes = said(found) if found.held_out else [("", BEGIN)] if found.figures else []
    return block(
        f"{found.playbook}: what campaigns brought about",
        f"{lead(found)}." + (f" By {found.by}; {PEOPLE}." if found.held_out else ""),
        table((found.by, *heads), rows, numbers=len(heads)),
        *(f"<div>{escape(f'{name}: {words}' if name else words)}</div>" for name, words in notes),
    )
