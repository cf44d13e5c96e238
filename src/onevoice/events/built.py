"""Events made in Python, in the form in which they travel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from onevoice.errors import EventError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable

_BEYOND: Final = msgspec.Raw(b"1e999")  # JSON has no infinity; this is refused as the number that it is


def encode_ndjson(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Return events as newline-delimited JSON; a datetime with a zone becomes a time, a date a date, a NaN null.

    Raises EventError for a value that JSON cannot hold.
    """
    return b"".join(_line(event, number) for number, event in enumerate(events, 1))


def _line(event: Mapping[str, Any], number: int) -> bytes:
    try:
        line = msgspec.json.encode(event)
        if b"null" in line:  # msgspec writes it for an infinity, too
            line = msgspec.json.encode(_spelled(event))
    except (TypeError, ValueError, RecursionError) as error:
        expected = "mappings of texts, numbers, booleans, times, lists and mappings, nested at most 64 levels"
        raise EventError(
            Mistake("an event that JSON cannot hold", f"event {number}", expected, found=f"{error}")
        ) from error
    return line + b"\n"


def _spelled(value: Any) -> Any:
    """Return a value with each infinity in a spelling that is not mistaken for nothing."""
    if isinstance(value, Mapping):
        return {name: _spelled(part) for name, part in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_spelled(part) for part in cast("list[Any]", value)]
    return _BEYOND if isinstance(value, float) and math.isinf(value) else value
