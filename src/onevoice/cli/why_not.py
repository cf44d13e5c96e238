"""`onevoice why-not`: what stood in a campaign's way, and what would have changed that."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import CustomerNumber, Json, OldData, Someone, Tongue, check_data, instant, nobody, who
from onevoice.cli.output import json_of, show, working


def why_not(
    campaign: Annotated[str, Parameter(help="The campaign that did not go out.")],
    /,
    *,
    data: OldData,
    identifier: Someone = None,
    customer: CustomerNumber = None,
    until: Annotated[str | None, Parameter(help="Up to a minute, 2026-03-01T10:00, or the beginning of a day.")] = None,
    language: Tongue = "",
    as_json: Json = False,
) -> None:
    """Say why a campaign did not go out to a customer: all that stood in its way, and what it would have taken to win.

    Also for a campaign that never wanted the customer. Every change that is named has been tried on the customer's own
    history, and one unit less of it.

    For example: `onevoice why-not discount --identifier email=ada@x.org --data data`
    """
    named = who(identifier, customer)
    check_data(data)
    with working("deciding again"), onevoice.open(data_dir=data) as engine:
        last = instant("--until", until, engine.playbook.time_zone)
        found = engine.why_not(named, campaign, last, language=language)
    if found is None:
        raise nobody(named)
    if as_json:
        print(json_of(found))
        return
    from onevoice.cli.shown import why_not_text  # noqa: PLC0415 - tables cost 50 ms

    show(*why_not_text(found))
