"""`onevoice check`: what is wrong with a playbook, what is unwise, and what is dead."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from onevoice.cli.given import Json, Playbook
from onevoice.cli.output import FAILED, answer, json_of, tell
from onevoice.errors import Mistake, PlaybookError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onevoice.playbook import model
    from onevoice.playbook.deep.finding import Finding
    from onevoice.playbook.record import Report

Strict = Annotated[
    bool,
    Parameter(negative="", help="End with 1 where there is a warning or something dead, as where there is an error."),
]
Deep = Annotated[
    bool,
    Parameter(negative="", help="Also prove which campaigns can never fire, go out or win, and say why."),
]


def check(playbook: Playbook, /, *, deep: Deep = False, strict: Strict = False, as_json: Json = False) -> None:
    """Read a playbook, name everything that is wrong with it by file, line and column, and warn of what is unwise.

    For example: `onevoice check examples/telecom --deep`
    """
    from onevoice.playbook.load import digest_files, load_with_report, read_files  # noqa: PLC0415 - not for `--help`
    from onevoice.playbook.unwise import unwise  # noqa: PLC0415 - as above

    try:
        files = read_files(playbook)
        found, report = load_with_report(files, playbook)
    except PlaybookError as error:
        if as_json:
            print(json_of({"mistakes": error.mistakes}))
        raise
    proved = _prove(found, report) if deep else {}
    warnings = unwise(found, report, {each.path for each in proved.get("dead", ())})
    _tell(warnings, proved.get("dead", ()))
    if proved.get("undecided"):
        tell(f"questions too large to be answered, so that something may be dead all the same: {proved['undecided']:,}")
    counts = {
        "events": len(found.events),
        "facts": len(found.facts),
        "measures": len(found.measures),
        "segments": len(found.segments),
        "moments": len(found.moments),
        "offers": len(found.offers),
        "campaigns": len(found.campaigns),
        "placements": len(found.placements),
        "products": len(found.products.names),
    }
    version = digest_files(files)
    parts = ", ".join(
        f"{count:,} {name if count > 1 else name.removesuffix('s')}" for name, count in counts.items() if count
    )
    told = {"playbook": found.name, "version": version, **counts, "warnings": warnings, **proved}
    answer(told, f"{found.name} {version[:12]}: {parts}", as_json)
    if strict and (warnings or proved.get("dead")):
        sys.exit(FAILED)


def _prove(playbook: model.Playbook, report: Report) -> dict[str, Any]:
    """Return what is proved to be dead, and how many questions were not answered."""
    from onevoice.playbook.deep.check import check_deep  # noqa: PLC0415 - only where it is asked for

    deep = check_deep(playbook, report)
    return {"dead": deep.findings, "undecided": deep.undecided}


def _tell(warnings: Sequence[Mistake], dead: Sequence[Finding]) -> None:
    """Tell of what is unwise and what is dead, from the top of each file to its bottom."""
    from onevoice.playbook.record import position  # noqa: PLC0415 - not for `--help`

    told = [(position(each), "warning", f"{each}") for each in warnings]
    for each in dead:
        said = each.what.partition(": ")[2] or each.what  # the label says the rest
        told.append((position(Mistake("", each.where)), f"{each.claim}", f"{replace(each, what=said)}"))
    for _, label, said in sorted(told):
        tell(f"{label}: {said}")
