"""`onevoice split`: two identifiers that are two people's, kept apart in all of history."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Json, OldData, check_data, pairs
from onevoice.cli.output import answer


def split(
    one: Annotated[str, Parameter(help="An identifier, as kind=value.")],
    other: Annotated[str, Parameter(help="Another one, of somebody else.")],
    /,
    *,
    data: OldData,
    undo: Annotated[bool, Parameter(negative="", help="Let them be one person again.")] = False,
    as_json: Json = False,
) -> None:
    """Say that two identifiers are two people's, who were taken for one; history is folded again without that.

    Each has what came in under their own identifiers, and they are never joined again.

    For example: `onevoice split user_id=ada email=bob@example.com --data data`
    """
    check_data(data)
    with onevoice.open(data_dir=data) as engine:
        found = engine.split(pairs("ONE", [one]), pairs("OTHER", [other]), undo=undo)
    told = f"{one} and {other} are customer {found.one}; no longer kept apart"
    if found.one != found.other:
        how = "undone, and two still: another split, or nothing joins them" if undo else "kept apart"
        told = f"{one} is {_who(found.one)}, {other} {_who(found.other)}; {how}"
    answer(found, told, as_json)


def _who(number: int) -> str:
    return f"customer {number}" if number >= 0 else "nobody yet"
