"""Events made in Python, in the form in which they travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def encode_ndjson(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Return events as newline-delimited JSON; a datetime with a zone becomes a time, a date a date.

    Raises TypeError for a value that JSON cannot hold.
    """
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)
