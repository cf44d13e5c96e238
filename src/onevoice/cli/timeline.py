"""`onevoice timeline`: one customer's history."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

import onevoice
from onevoice.cli.given import CustomerNumber, Html, Json, OldData, Someone, check_data, nobody, who
from onevoice.cli.output import check_writable, json_of, show, working, write

Last = Annotated[int, Parameter(validator=Number(gte=0), help="How many entries to print, the latest; 0 for all.")]


def timeline(
    *,
    data: OldData,
    identifier: Someone = None,
    customer: CustomerNumber = None,
    last: Last = 40,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Show what happened to a customer, what was true meanwhile, and what was decided.

    For example: `onevoice timeline --identifier email=ada@x.org --data data`
    """
    named = who(identifier, customer)
    check_data(data)
    check_writable(html)
    with working("reading the journal"), onevoice.open(data_dir=data) as engine:
        found = engine.timeline(named)
    if found is None:
        raise nobody(named)
    if html is not None:
        from onevoice.history.page import timeline_page  # noqa: PLC0415 - only where it is asked for

        write(html, timeline_page(found))
    if as_json:
        print(json_of(found))
    elif html is None:
        from onevoice.cli.shown import timeline_text  # noqa: PLC0415 - tables cost 50 ms

        show(*timeline_text(found, last))
