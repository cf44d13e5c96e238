"""`onevoice why`: a decision in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

import onevoice
from onevoice.cli.given import CustomerNumber, Json, OldData, Someone, check_data, nobody, who
from onevoice.cli.output import json_of, show, working
from onevoice.errors import EventError, Mistake
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

Last = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31), help="How many decisions to tell of, the latest.")]


def why(
    campaign: Annotated[str, Parameter(help="The campaign that is asked about; without it, any.")] = "",
    /,
    *,
    data: OldData,
    identifier: Someone = None,
    customer: CustomerNumber = None,
    last: Last = 1,
    as_json: Json = False,
) -> None:
    """Say why a campaign went out to a customer, or did not: each candidate, its rule, the values as they were used.

    For example: `onevoice why discount --identifier email=ada@x.org --data data`
    """
    named = who(identifier, customer)
    check_data(data)
    with working("reading the journal"), onevoice.open(data_dir=data) as engine:
        if engine.state(named) is None:
            raise nobody(named)
        found = engine.why(named, campaign, last=last)
        if campaign and not found:
            _check_campaign(campaign, engine.playbook)
    if as_json:
        print(json_of(found))
        return
    from onevoice.cli.shown import why_text  # noqa: PLC0415 - tables cost 50 ms

    for each in found:
        show(*why_text(each))
    if not found:
        about = f"{campaign} for this customer" if campaign else "this customer"
        print(f"nothing was decided about {about}")


def _check_campaign(name: str, playbook: Playbook) -> None:
    known = playbook.campaigns
    if name not in known:
        expected = ", ".join(known) or "no campaign"
        raise EventError(Mistake("an unknown campaign", "command", expected, repr(name), did_you_mean(name, known)))
