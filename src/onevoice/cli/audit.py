"""`onevoice audit`: the contact log of other tools, judged by rules."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from onevoice.cli.given import Given, Html, Json
from onevoice.cli.given import Playbook as Folder
from onevoice.cli.output import Progress, check_writable, json_of, show, working, write

Events = Annotated[
    Given, Parameter(help="A file of events: .ndjson (also .gz), .parquet, .arrow; with a mapping .csv.")
]
Contacts = Annotated[Given, Parameter(help="A file of what was sent: .csv, .ndjson or .parquet, packed or not.")]
Mapping = Annotated[Given | None, Parameter(help="A YAML file that says how lines of another form become events.")]
ContactsMapping = Annotated[
    str | None,
    Parameter(
        help="The same for the contacts: a YAML file, `braze` or `salesforce`. Without it columns are taken by name."
    ),
]
Aside = Annotated[Given | None, Parameter(help="Where lines go of which a mapping makes nothing, with the reason.")]
Rules = Annotated[Folder | None, Parameter(name="--playbook", help="The rules; without it a small set that is shown.")]


def audit(
    events: Events,
    contacts: Contacts,
    /,
    *,
    mapping: Mapping = None,
    contacts_mapping: ContactsMapping = None,
    playbook: Rules = None,
    aside: Aside = None,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Judge the contact log of today's tools: who heard too much, what went out when it should not, who eats whom.

    Then the same time is lived under the rules: what would have gone out, and what held back the rest. Files only;
    nothing is kept but the answer.

    For example: `onevoice audit events.ndjson sent.csv --html audit.html`
    """
    import onevoice  # noqa: PLC0415 - `--help` needs none of it

    check_writable(html)
    with working("reading"), Progress() as progress:
        found = onevoice.audit(
            events,
            contacts,
            mapping=mapping,
            contacts_mapping=contacts_mapping,
            playbook=playbook,
            aside=aside,
            on_progress=progress,
        )
    if html is not None:
        from onevoice.history.page import audit_page  # noqa: PLC0415 - only where it is asked for

        write(html, audit_page(found))
    if as_json:
        print(json_of(found))
    elif html is None:
        from onevoice.cli.shown import audit_text  # noqa: PLC0415 - tables cost 50 ms

        show(*audit_text(found))
