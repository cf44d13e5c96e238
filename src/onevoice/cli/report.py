"""`onevoice report`: what a playbook did, in figures."""

from __future__ import annotations

import onevoice
from onevoice.cli.given import Html, Json, OldData, check_data
from onevoice.cli.output import check_writable, json_of, show, working, write


def report(*, data: OldData, html: Html = None, as_json: Json = False) -> None:
    """Show what went out, what was held back and why, who was crowded, and which campaigns collide.

    For example: `onevoice report --data data --html report.html`
    """
    check_data(data)
    check_writable(html)
    with working("reading the journal"), onevoice.open(data_dir=data) as engine:
        found = engine.report()
        if html is not None:
            from onevoice.cli.pages import page_of  # noqa: PLC0415 - only where it is asked for

            write(html, page_of(engine, found))
    if as_json:
        print(json_of(found))
    elif html is None:
        from onevoice.cli.shown import report_text  # noqa: PLC0415 - tables cost 50 ms

        show(*report_text(found))
