"""`onevoice demo`: a grocer's year, decided and shown."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Given, Json
from onevoice.cli.output import Progress, json_of, show, tell, working, write

if TYPE_CHECKING:
    from onevoice.demo.prepare import Prepared
    from onevoice.history.report import Report

Folder = Annotated[Given, Parameter(help="Where everything is put: playbook, events, data, report.html.")]
Tables = Annotated[
    Given | None,
    Parameter(name="--data", help="The tables of the Complete Journey as files; without, the package `demo` has them."),
]


def demo(folder: Folder = Path("demo-data"), /, *, data: Tables = None, as_json: Json = False) -> None:
    """Replay a grocer's year: 2,469 households, 155,848 baskets, 90 campaigns; what was said, and what was held back.

    A page is written beside the data. The playbook in the folder is yours to change: run the demo again and compare.

    For example: `onevoice demo grocer`
    """
    from onevoice.demo.prepare import DATA, prepare  # noqa: PLC0415 - `--help` needs none of it

    tell(f"preparing the year's events in {folder}")
    with working("preparing"):
        prepared = prepare(folder, data)
    if prepared.changed:
        tell(f"{prepared.playbook} is not the example's: it is taken as it stands")
    report, took, page = _replay(prepared, folder / DATA)
    if as_json:
        print(json_of(report))
    else:
        from onevoice.cli.shown import report_text  # noqa: PLC0415 - tables cost 50 ms

        show(*report_text(report, took))
    write(folder / "report.html", page)
    if not as_json:
        print(_NEXT.format(folder=folder, customer=report.example.customer if report.example else 0))


def _replay(prepared: Prepared, data: Path) -> tuple[Report, float, str]:
    """Run the year through a new journal; return the figures, the seconds it took, and the page."""
    from onevoice.cli.pages import page_of  # noqa: PLC0415 - as above

    if data.exists():
        shutil.rmtree(data)
    with working("starting"):
        _warm_up(prepared)
    with onevoice.open(prepared.playbook, data) as engine, Progress(total=prepared.counts["events"]) as progress:
        began = time.perf_counter()
        engine.run([prepared.events], progress)
        took = time.perf_counter() - began
        report = engine.report()
        return report, took, page_of(engine, report, took)


def _warm_up(prepared: Prepared) -> None:
    """Open the playbook once without keeping anything, so that what is measured is the replay."""
    with onevoice.open(prepared.playbook) as engine:
        engine.ingest([{"type": "asked", "identifiers": {"household_id": "0"}, "fields": {"placement": "till"}}])


_NEXT = """
What next:
  open {folder}/report.html
  onevoice timeline --customer {customer} --data {folder}/data
  onevoice why --customer {customer} --data {folder}/data
  change {folder}/playbook/behaviour.yaml, then: onevoice demo {folder}"""
