"""`onevoice check`: what is wrong with a playbook, what is unwise, and what is dead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from onevoice.cli.given import Json, Playbook
from onevoice.cli.output import FAILED, answer, json_of, tell
from onevoice.errors import PlaybookError

if TYPE_CHECKING:
    from onevoice.playbook import model
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
        found, report = load_with_report(files)
    except PlaybookError as error:
        if as_json:
            print(json_of({"mistakes": error.mistakes}))
        raise
    warnings = unwise(found, report)
    for warning in warnings:
        tell(f"warning: {warning}")
    proved = _prove(found, report) if deep else {}
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
    """Tell of everything that is proved to be dead, and return it."""
    from onevoice.playbook.deep.check import check_deep  # noqa: PLC0415 - only where it is asked for

    deep = check_deep(playbook, report)
    for finding in deep.findings:
        tell(f"dead: {finding}")
    if deep.undecided:
        tell(f"questions too large to be answered, so that something may be dead all the same: {deep.undecided:,}")
    return {"dead": deep.findings, "undecided": deep.undecided}
