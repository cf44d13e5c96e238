"""The rules of an audit: a playbook that was given, or the small one that is shipped."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from onevoice.playbook.builtin import BUILTIN_EVENTS
from onevoice.playbook.load import load, load_files
from onevoice.playbook.model import CampaignClass, EventType, FieldType, Identifier, Playbook

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_C: Final = FieldType.CHOICE
# What a log may say beyond what a playbook knows of such events. A field that the playbook declares stays as it is.
_TOLD: Final = {
    "contact_reported": {"product": FieldType.PRODUCT, "family": _C},
    "offer_clicked": {"campaign": _C},
    "offer_accepted": {"campaign": _C},
}


def default_text() -> str:
    """Return the text of the playbook that is taken where none is given."""
    return files("onevoice.auditing").joinpath("rules.yaml").read_text("utf-8")


def rules_of(given: Playbook | str | Path | None, kinds: Iterable[str] = (), zone: str = "") -> Playbook:
    """Return the playbook by which a log is judged, with room for what a log tells; PlaybookError for one unusable.

    `kinds` are the identifiers that the mappings name and `zone` the time zone of the log; they count only where no
    playbook is given.
    """
    playbook = given if isinstance(given, Playbook) else _default(kinds, zone) if given is None else load(given)
    events = dict(playbook.events)
    for name, told in _TOLD.items():
        event = events.get(name, EventType(name))
        events[name] = replace(event, fields=told | BUILTIN_EVENTS[name].fields | event.fields)
    policies = playbook.policies
    classes = policies.classes or {"contact": CampaignClass("contact")}
    return replace(playbook, events=events, policies=replace(policies, classes=classes))


def _default(kinds: Iterable[str], zone: str) -> Playbook:
    playbook = load_files({"rules.yaml": default_text().encode()})
    more = {kind: Identifier(kind) for kind in kinds if kind not in playbook.identifiers}
    return replace(playbook, identifiers=more | playbook.identifiers, time_zone=zone or playbook.time_zone)
