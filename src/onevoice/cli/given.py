"""What verbs take: the same names with the same meaning in each of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from onevoice.errors import EventError, Mistake, OnevoiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cyclopts import Token


def _path(_: object, tokens: Sequence[Token]) -> Path:
    """Read a path; an empty one, which a shell makes of a variable that is not set, would be the folder one is in."""
    if not tokens[0].value:
        msg = "it is empty: name a path, `.` for the present folder"
        raise ValueError(msg)
    return Path(tokens[0].value)


def _folder(kind: object, tokens: Sequence[Token]) -> Path:
    """Read the path of a playbook; a file of it is an easy slip."""
    path = _path(kind, tokens)
    if path.is_file():
        msg = f"{path} is a file: name the folder of the playbook, `{path.parent}`"
        raise ValueError(msg)
    return path


Given: TypeAlias = Annotated[Path, Parameter(converter=_path)]
Playbook: TypeAlias = Annotated[Path, Parameter(help="The folder of the playbook.", converter=_folder)]
Data: TypeAlias = Annotated[
    Path, Parameter(name="--data", help="The folder of the journal; made if it is missing.", converter=_path)
]
OldData: TypeAlias = Annotated[Path, Parameter(name="--data", help="The folder of the journal.", converter=_path)]
Rehearsed: TypeAlias = Annotated[
    Path, Parameter(name="--playbook", help="The folder of the playbook that is rehearsed.", converter=_folder)
]
Files: TypeAlias = Annotated[
    list[Given],
    Parameter(help="Files of events, oldest first: .ndjson (also .gz), .parquet, .arrow; with a mapping .csv too."),
]
Out: TypeAlias = Annotated[
    Path | None, Parameter(help="Write every decision of the journal to this file, one JSON a line.", converter=_path)
]
Html: TypeAlias = Annotated[
    Path | None, Parameter(name="--html", help="Write a page to this file instead of printing.", converter=_path)
]
Json: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Print the answer as one line of JSON.")]
Who: TypeAlias = Annotated[
    list[str],
    Parameter(name=["--identifier", "-i"], negative="", help="Who it is, as kind=value; once for each identifier."),
]
Someone: TypeAlias = Annotated[Who | None, Parameter()]
Tongue: TypeAlias = Annotated[
    str,
    Parameter(
        name="--language", help="Of the sentences: en, fi, lt, pl or ru. Without it the playbook's first of these."
    ),
]
CustomerNumber: TypeAlias = Annotated[
    int | None, Parameter(name="--customer", validator=Number(gte=0), help="Or the number that a report gives them.")
]


def instant(option: str, text: str | None, zone: str) -> datetime | None:
    """Return a time that was given as a day or a minute of a zone, or with an offset of its own."""
    if text is None:
        return None
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few verbs need it

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        expected = "a day or a minute, as 2026-03-01 or 2026-03-01T10:00"
        raise EventError(Mistake("not a time", option, expected, repr(text))) from error
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def length(option: str, text: str) -> timedelta:
    """Return a length of time that was given as `7d`, `12h`, `30m`, or as playbooks have it."""
    from onevoice.playbook.grammar import TOO_LONG, Slip, duration  # noqa: PLC0415 - few verbs need it

    units = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
    try:
        return timedelta(microseconds=duration(text[:-1] + units.get(text[-1:], text[-1:])))
    except Slip as error:
        if error.what == TOO_LONG:
            raise EventError(Mistake(error.what, option, error.expected, repr(text))) from error
        expected = "a length of time, as 7d, 12h or `3 days`"
        raise EventError(Mistake("not a length of time", option, expected, repr(text))) from error


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return what was given as name=value; each name may be given once."""
    found: dict[str, str] = {}
    for name, value in (_pair(option, text) for text in texts):
        if name in found:
            both = f"{found[name]!r} and {value!r}"
            raise EventError(Mistake("given twice", f"{option} {name}", "one value for a name", both))
        found[name] = value
    return found


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        expected = "name=value, as in page=start" if option == "--field" else "kind=value, as in email=ada@example.com"
        raise EventError(Mistake("not a pair", option, expected, repr(text)))
    return name, value


def who(identifier: list[str] | None, customer: int | None) -> dict[str, str] | int:
    """Return the identifiers, or the number, of the customer that is meant."""
    if (customer is None) == (not identifier):
        mend = "give `--identifier kind=value` or `--customer NUMBER`"
        raise EventError(Mistake("nobody is named" if customer is None else "named twice", "command", mend=mend))
    return pairs("--identifier", identifier or []) if customer is None else customer


def nobody(named: dict[str, str] | int) -> EventError:
    """Return the error of a customer who is not there."""
    given = f"{named}" if isinstance(named, int) else ", ".join(f"{kind}={value}" for kind, value in named.items())
    return EventError(Mistake("nobody has this identifier or number", "command", found=given))


def has_journal(data: Path) -> bool:
    """Tell whether a folder holds a journal."""
    return (data / "journal.sqlite").is_file()


def check_data(data: Path) -> None:
    """Refuse a folder that holds no journal: looking makes none."""
    if not has_journal(data):
        mend = "`onevoice run PLAYBOOK events.ndjson --data FOLDER` makes one"
        raise OnevoiceError(Mistake("no journal in this folder", f"{data}", "the folder given to `--data`", mend=mend))
