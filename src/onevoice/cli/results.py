"""`onevoice results`: what campaigns brought about, beside customers who were held out."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Html, Json, OldData, check_data
from onevoice.cli.output import check_writable, json_of, show, working, write

By = Annotated[Literal["campaign", "class", "owner", "week"], Parameter(help="What the figures are of.")]


def results(*, data: OldData, by: By = "campaign", html: Html = None, as_json: Json = False) -> None:
    """Show who came to the goals of campaigns, and how many more than of those who were held out.

    For example: `onevoice results --by class --data data`
    """
    check_data(data)
    check_writable(html)
    with working("reading the journal"), onevoice.open(data_dir=data) as engine:
        found = engine.results(by)
    if html is not None:
        from onevoice.history.page import static_page  # noqa: PLC0415 - only where it is asked for
        from onevoice.history.results import results_html  # noqa: PLC0415

        write(html, static_page(f"{found.playbook}: what campaigns brought about", results_html(found)))
    if as_json:
        print(json_of(found))
    elif html is None:
        from onevoice.cli.shown import results_text  # noqa: PLC0415 - tables cost 50 ms

        show(*results_text(found))
