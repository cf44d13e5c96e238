"""`onevoice demo`: a grocer's year, decided and shown."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Given, Json
from onevoice.cli.output import Progress, json_of, show, tell, working, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from onevoice.demo.prepare import Prepared
    from onevoice.history.report import Report
    from onevoice.history.timeline import Timeline
    from onevoice.history.why import Why

ENTRIES_SHOWN: Final = 20  # of a timeline, the latest

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
    from onevoice.history.page import page  # noqa: PLC0415 - as above

    tell(f"preparing the year's events in {folder}")
    with working("preparing"):
        prepared = prepare(folder, data)
    if prepared.changed:
        tell(f"{prepared.playbook} is not the example's: it is taken as it stands")
    shown = _replay(prepared, folder / DATA)
    write(folder / "report.html", page(shown.report, shown.timeline, shown.why, took_s=shown.took_s))
    if as_json:
        print(json_of(shown.report))
    else:
        show(*_texts(shown))
        customer = shown.timeline.customer if shown.timeline else 0
        print(_NEXT.format(folder=folder, customer=customer))


class _Shown(NamedTuple):
    """What the replay came to, and the seconds that it took."""

    report: Report
    took_s: float
    timeline: Timeline | None
    why: Why | None


def _replay(prepared: Prepared, data: Path) -> _Shown:
    """Run the year through a new journal."""
    from onevoice.cli.pages import example_of  # noqa: PLC0415 - as above

    if data.exists():
        shutil.rmtree(data)
    with working("starting"):
        _warm_up(prepared)
    with onevoice.open(prepared.playbook, data) as engine, Progress(total=prepared.counts["events"]) as progress:
        began = time.perf_counter()
        engine.run([prepared.events], progress)
        took_s = time.perf_counter() - began
        report = engine.report()
        return _Shown(report, took_s, *example_of(engine, report))


def _texts(shown: _Shown) -> Iterator[RenderableType]:
    """Yield for the terminal what the page shows."""
    from onevoice.cli.shown import report_text, timeline_text, why_text  # noqa: PLC0415 - tables cost 50 ms

    yield from report_text(shown.report, shown.took_s)
    yield ""
    if shown.timeline:
        yield from timeline_text(shown.timeline, ENTRIES_SHOWN)
        yield ""
    if shown.why:
        yield from why_text(shown.why)


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
