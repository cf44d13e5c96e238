"""`onevoice simulate`: what another playbook would have made of the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Given, Html, Json, OldData, Rehearsed, check_data, instant
from onevoice.cli.output import Progress, check_writable, json_of, show, tell, tell_of_other, working, write, written
from onevoice.errors import EventError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

    from onevoice.history.rehearsal import Rehearsal

Parquet = Annotated[Given | None, Parameter(help="Write each table to a Parquet file of its own in this folder.")]
From = Annotated[str | None, Parameter(name="--from", help="When the playbook takes over; without, at the beginning.")]
To = Annotated[str | None, Parameter(name="--to", help="Up to when it decides, that instant excluded.")]


_OPTIONS: Final = {"simulate: start": "--from", "simulate: end": "--to"}


def simulate(
    *,
    playbook: Rehearsed,
    data: OldData,
    start: From = None,
    end: To = None,
    html: Html = None,
    parquet: Parquet = None,
    as_json: Json = False,
) -> None:
    """Rehearse a playbook on the journal: what it would have said, beside what was said. Nothing is changed.

    What customers did is taken as it happened: what they would have answered to messages that were not sent, nobody
    knows. Times are those of the playbook's zone: a day, `2026-03-01`, or a minute, `2026-03-01T10:00`.

    For example: `onevoice simulate --playbook new --data data --from 2026-03-01 --html rehearsal.html`
    """
    from onevoice.runtime.fold import Published  # noqa: PLC0415 - `--help` needs none of it

    check_data(data)
    check_writable(html)
    if parquet is not None:
        parquet.mkdir(parents=True, exist_ok=True)
    published = Published.of(playbook)
    zone = published.playbook.time_zone
    window = instant("--from", start, zone), instant("--to", end, zone)
    with working("opening"):
        opened = onevoice.open(data_dir=data)
    with opened as engine, Progress(total=engine.position) as progress:
        tell_of_other(engine.playbook.name, published.playbook.name)
        try:
            found = engine.simulate(published, *window, on_progress=progress)
        except EventError as error:
            raise EventError(*map(_as_options, error.mistakes)) from error
    if parquet is not None:
        _write_tables(parquet, found)
    if html is not None:
        from onevoice.history.page import rehearsal_page  # noqa: PLC0415 - only where it is asked for

        write(html, rehearsal_page(found))
    if as_json:
        print(json_of(found))
    elif html is None and parquet is None:
        from onevoice.cli.shown_rehearsal import rehearsal_text  # noqa: PLC0415 - tables cost 50 ms

        show(*rehearsal_text(found))


def _as_options(mistake: Mistake) -> Mistake:
    """Return a mistake in a window by the options that gave it."""
    return replace(mistake, where=_OPTIONS.get(mistake.where, mistake.where))


def _write_tables(folder: Path, rehearsal: Rehearsal) -> None:
    """Write each table of a rehearsal, whole or not at all."""
    import pyarrow.parquet as pq  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - only where it is asked for

    parquet: Any = pq
    for name, table in rehearsal.tables().items():
        with written(folder / f"{name}.parquet") as file:
            parquet.write_table(table, file)
    tell(f"written to {folder}")
