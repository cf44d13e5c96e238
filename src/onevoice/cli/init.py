"""`onevoice init`: a playbook to begin with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import available_timezones

from cyclopts import Parameter

from onevoice.cli.given import Given, Json
from onevoice.cli.output import answer, tell
from onevoice.errors import OnevoiceError

if TYPE_CHECKING:
    from collections.abc import Callable

Folder = Annotated[Given, Parameter(help="The folder of the playbook; made if it is missing.")]
Kind = Annotated[str | None, Parameter(help="What kind of business it is: `shop`, `telecom` or `bank`.")]
TimeZone = Annotated[str | None, Parameter(help="The time zone of days and schedules, such as `Europe/Vilnius`.")]


def init(folder: Folder, /, *, kind: Kind = None, time_zone: TimeZone = None, as_json: Json = False) -> None:
    """Write a playbook that runs, with comments that explain it and a week of events to try it on.

    Asks what kind of business it is and which time zone it is in, unless that was given or nobody is there to answer.

    For example: `onevoice init shop --kind shop --time-zone Europe/Vilnius`
    """
    from onevoice.starter.start import STARTERS, ZONE, check_kind, check_zone, next_commands, start  # noqa: PLC0415

    first = next(iter(STARTERS))
    asking = sys.stdin.isatty() and not as_json
    if kind is None and asking:
        for each in STARTERS.values():
            tell(f"  {each.kind:8} {each.about}")
        kind = _asked("What kind of business is closest to yours?", first, check_kind)
    if time_zone is None and asking:
        time_zone = _asked("Which time zone is it in?", machine_zone() or ZONE, check_zone)
    assumed = {"--kind": kind is None and first, "--time-zone": time_zone is None and ZONE}
    kind, time_zone = kind or first, time_zone or ZONE
    written = start(folder, kind, time_zone, _name(folder, kind))
    if any(assumed.values()):
        tell(
            "taken, as nothing was given: "
            + " ".join(f"{option} {value}" for option, value in assumed.items() if value)
        )
    commands = next_commands(folder, kind)
    lines = [f"wrote {', '.join(f'{path}' for path in written)}", "next:", *(f"  {command}" for command in commands)]
    shown = {"kind": kind, "time_zone": time_zone, "files": [f"{path}" for path in written], "next": commands}
    answer(shown, "\n".join(lines), as_json)


def machine_zone(link: Path = Path("/etc/localtime")) -> str:
    """Return the name of the zone this machine is set to, empty where it does not say."""
    name = os.environ.get("TZ", "").lstrip(":") or link.resolve().as_posix().partition("/zoneinfo/")[2]
    return name if name in available_timezones() else ""


def _asked(question: str, default: str, check: Callable[[str], None]) -> str:
    """Return the answer to a question; one that is not possible is asked for again, none at all is the default."""
    while True:
        print(f"{question} [{default}] ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        given = line.strip() or default
        try:
            check(given)
        except OnevoiceError as error:
            tell(f"{error.mistakes[0]}")
            if line:
                continue
            raise
        return given


def _name(folder: Path, kind: str) -> str:
    """Return the playbook's name: that of its folder, so that two playbooks are told apart."""
    return folder.absolute().name or kind
