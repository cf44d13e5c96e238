"""A placement's question as a line of the journal; one that cannot be answered is refused before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from onevoice.errors import EventError, Mistake
from onevoice.events.built import encode_ndjson
from onevoice.events.decode import decode_line_by_line
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from datetime import datetime

    from onevoice.events.batch import Batch
    from onevoice.events.schema import Schema
    from onevoice.playbook.model import Playbook

PLACEMENT = "placement"


def ask(
    playbook: Playbook,
    schema: Schema,
    secret: tuple[int, int],
    placement: object,
    identifiers: object,
    fields: object = None,
    time: datetime | None = None,
) -> tuple[bytes, Batch]:
    """Return the line of an ask, of a `time` of its own where one is given, and the line decoded.

    Raises EventError for a placement, identifier or field that the playbook does not have, or a value that is none of
    its type: whoever asks waits for the answer, and should not get that to another question.
    """
    _check_placement(playbook, placement)
    given = {**_mapping("fields", fields or {}), PLACEMENT: placement}
    event: dict[str, Any] = {"type": "asked", "identifiers": _mapping("identifiers", identifiers), "fields": given}
    line = encode_ndjson([event if time is None else event | {"time": time}])
    batch = decode_line_by_line(line, schema, secret)
    if batch.rejected:
        raise EventError(*(rejection.mistake for rejection in batch.rejected))
    unknown = [name.removeprefix("asked.") for name in batch.unknown]
    if unknown:
        known = [name for name in schema.layout("asked").own if name != PLACEMENT]
        raise EventError(*(_unknown_field(name, known) for name in unknown))
    return line, batch


def _check_placement(playbook: Playbook, placement: object) -> None:
    known = playbook.placements
    if not known:
        mend = "name the places that ask under `placements`"
        raise EventError(Mistake("the playbook has no placements", "decide", found=repr(placement), mend=mend))
    if not isinstance(placement, str) or placement not in known:
        hint = did_you_mean(placement, known) if isinstance(placement, str) else ""
        raise EventError(Mistake("an unknown placement", "decide", ", ".join(known), repr(placement), hint))


def _mapping(name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        expected = "a mapping of names to values"
        raise EventError(Mistake("not a mapping", f"decide({name}=…)", expected, f"{type(given).__name__}"))
    return {**cast("Mapping[str, Any]", given)}


def _unknown_field(name: str, known: list[str]) -> Mistake:
    mend = did_you_mean(name, known) or "declare it in the playbook under `events: asked: fields`"
    return Mistake("an unknown field of an ask", "decide", ", ".join(known) or "no field", repr(name), mend)
