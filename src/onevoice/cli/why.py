"""`onevoice why`: a decision in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

import onevoice
from onevoice.cli.given import CustomerNumber, Json, OldData, Someone, Tongue, check_data, nobody, who
from onevoice.cli.output import json_of, show, working
from onevoice.errors import EventError, Mistake
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook

NAMES_SHOWN: Final = 20

Last = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31), help="How many decisions to tell of, the latest.")]


def why(
    campaign: Annotated[str, Parameter(help="The campaign that is asked about; without it, any.")] = "",
    /,
    *,
    data: OldData,
    identifier: Someone = None,
    customer: CustomerNumber = None,
    last: Last = 1,
    language: Tongue = "",
    as_json: Json = False,
) -> None:
    """Say why a campaign went out to a customer, or did not: each candidate, its rule, the values as they were used.

    With a campaign and no customer it tells of the customer about whom that campaign was decided last.

    For example: `onevoice why discount --identifier email=ada@x.org --data data`
    """
    anybody = bool(campaign) and customer is None and not identifier
    named = None if anybody else who(identifier, customer)
    check_data(data)
    with working("reading the journal"), onevoice.open(data_dir=data) as engine:
        if anybody:
            named = _latest(engine, campaign)
        elif named is not None and engine.state(named) is None:
            raise nobody(named)
        found = [] if named is None else engine.why(named, campaign, last=last, language=language)
        if campaign and not found:
            _check_campaign(campaign, engine.playbook)
    if as_json:
        print(json_of(found))
        return
    from onevoice.cli.shown import why_text  # noqa: PLC0415 - tables cost 50 ms

    for each in found:
        show(*why_text(each))
    if not found:
        about = " for ".join(each for each in (campaign, "" if anybody else "this customer") if each)
        print(f"nothing was decided about {about}")


def _latest(engine: onevoice.Onevoice, campaign: str) -> int | None:
    """Return the number of the customer about whom a campaign was decided last, None where it never was."""
    latest = None
    for decision in engine.decisions():
        if decision.customer >= 0 and any(line.campaign == campaign for line in decision.lines):
            latest = decision.customer
    return latest


def _check_campaign(name: str, playbook: Playbook) -> None:
    known = playbook.campaigns
    if name not in known:
        named = ", ".join(known) if len(known) <= NAMES_SHOWN else f"one of the playbook's {len(known)}"
        expected = named or "no campaign"
        raise EventError(Mistake("an unknown campaign", "command", expected, repr(name), did_you_mean(name, known)))
