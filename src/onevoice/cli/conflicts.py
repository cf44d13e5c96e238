"""`onevoice conflicts`: which campaigns want the same customers."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Json, OldData, Rehearsed, check_data, length
from onevoice.cli.output import Progress, json_of, show, tell_of_other, working

Within = Annotated[str, Parameter(help="How far apart two wishes may wait and still be in conflict: `7d`, `12h`.")]
Campaign = Annotated[str, Parameter(help="The campaign that is asked about; without it, all.")]
Maybe = Annotated[Rehearsed | None, Parameter(help="A playbook to rehearse first; without, what was decided counts.")]


def conflicts(
    campaign: Campaign = "",
    /,
    *,
    data: OldData,
    playbook: Maybe = None,
    within: Within = "7d",
    as_json: Json = False,
) -> None:
    """Show which campaigns want the same customers, who goes out first, and what each loses by the other.

    Before a campaign goes live, put it into a copy of the playbook and name that: the journal is rehearsed under it.

    For example: `onevoice conflicts spring_sale --playbook new --data data`
    """
    from onevoice.runtime.fold import Published  # noqa: PLC0415 - `--help` needs none of it

    check_data(data)
    apart = length("--within", within)
    published = None if playbook is None else Published.of(playbook)
    with working("opening"):
        opened = onevoice.open(data_dir=data)
    with opened as engine, Progress(total=engine.position) as progress:
        if published is not None:
            tell_of_other(engine.playbook.name, published.playbook.name)
        found = engine.conflicts(campaign, published, within=apart, on_progress=progress)
    if as_json:
        print(json_of(found))
        return
    from onevoice.cli.shown_rehearsal import conflicts_text  # noqa: PLC0415 - tables cost 50 ms

    show(*conflicts_text(found))
