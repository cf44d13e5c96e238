"""`onevoice results`: what campaigns brought about, beside customers who were held out."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Html, Json, OldData, check_data
from onevoice.cli.output import check_writable, json_of, show, working, write

By = Annotated[
    Literal["campaign", "class", "owner", "week"],
    Parameter(help="What the figures are of; on a page, those it shows first."),
]


def results(*, data: OldData, by: By = "campaign", html: Html = None, as_json: Json = False) -> None:
    """Show who came to the goals of campaigns, and how many more than of those who were held out.

    For example: `onevoice results --by class --data data`
    """
    check_data(data)
    check_writable(html)
    with working("reading the journal"), onevoice.open(data_dir=data) as engine:
        parts = engine.results_by_part()
    if html is not None:
        from onevoice.history.page import results_page  # noqa: PLC0415 - only where it is asked for

        write(html, results_page(parts, by))
    if as_json:
        print(json_of(parts[by]))
    elif html is None:
        from onevoice.cli.shown import results_text  # noqa: PLC0415 - tables cost 50 ms

        show(*results_text(parts[by]))
