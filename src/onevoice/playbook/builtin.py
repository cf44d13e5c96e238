"""The event types and facts that every playbook has without declaring them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.playbook.model import EventMatch, EventType, Fact, FieldType, Group, Playbook

if TYPE_CHECKING:
    from collections.abc import Mapping

_C = FieldType.CHOICE
_CONSENT: Final = {"channel": _C, "purpose": _C}
_OFFER: Final = {
    "offer": _C,
    "family": _C,
    "product": FieldType.PRODUCT,
    "order_id": FieldType.KEY,
    "channel": _C,
    "decision": FieldType.NUMBER,  # of the ask by which it was shown
    "campaign": _C,
}
_CONTROL: Final = {
    "campaign": _C,
    "class": _C,
    "everything": FieldType.BOOLEAN,
    "reason": FieldType.TEXT,
    "by": FieldType.TEXT,
}
_CONTACT: Final = {"campaign": _C, "class": _C, "channel": _C, "offer": _C, "contact_id": FieldType.KEY}
_RECEIPT: Final = {"contact": FieldType.NUMBER, "campaign": _C, "class": _C, "channel": _C, "offer": _C}
# What is told of a contact that was decided here, by its number.
RECEIPTS: Final = (
    "contact_sent",
    "contact_cancelled",
    "contact_failed",
    "contact_delivered",
    "contact_seen",
    "contact_clicked",
    "contact_answered",
)
# What is told of an offer that was shown, by the number of the decision.
RESPONSES: Final = ("offer_shown", "offer_accepted", "offer_refused", "offer_not_now", "offer_clicked")

# Events without a customer, and what they are about.
SWITCHING: Final = ("campaign_paused", "campaign_resumed", "campaign_stopped")
CONTROL_EVENTS: Final = dict.fromkeys(SWITCHING, "campaign") | {"resource_set": "resource"}

BUILTIN_EVENTS: Final[dict[str, EventType]] = {
    name: EventType(name, dict(fields), about=CONTROL_EVENTS.get(name, ""))
    for name, fields in {
        "list_joined": {"list": _C},
        "list_left": {"list": _C},
        "consent_given": _CONSENT,
        "consent_withdrawn": _CONSENT,
        **dict.fromkeys(RESPONSES, _OFFER),
        "contact_reported": _CONTACT,
        **dict.fromkeys(RECEIPTS, _RECEIPT),
        "asked": {"placement": _C},
        "profile_updated": {},  # carries only traits
        **dict.fromkeys(SWITCHING, _CONTROL),
        "resource_set": {"resource": _C, "left": FieldType.NUMBER},
    }.items()
}

# The fields of built-in events by which something of the playbook is looked up, as they are called: `class: sales`.
LOOKED_UP: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("consent_given", "consent_withdrawn"), ("channel",)),
    **dict.fromkeys(RESPONSES, ("offer", "campaign")),
    "contact_reported": ("campaign", "class", "channel", "offer"),
    "asked": ("placement",),
    **dict.fromkeys(SWITCHING, ("campaign", "class")),
    "resource_set": ("resource",),
}

BUILTIN_FACT_NAMES: Final = ("refused", "not_now", "on_list", "consent", "ignored")


def all_events(playbook: Playbook) -> dict[str, EventType]:
    """Return every event type by name: the built-in ones first, with the fields a playbook adds to them."""
    merged = dict(BUILTIN_EVENTS)
    for name, declared in playbook.events.items():
        merged[name] = extended(declared)
    return merged


def extended(declared: EventType) -> EventType:
    """Return a declared event type with the fields it has without being told: its built-in ones, its product."""
    builtin = BUILTIN_EVENTS.get(declared.name)
    fields = dict(builtin.fields) if builtin else {}
    if declared.about == "product":
        fields["product"] = FieldType.PRODUCT
    about = builtin.about if builtin else declared.about
    return EventType(declared.name, {**fields, **declared.fields}, declared.items, about)


def all_facts(playbook: Playbook) -> dict[str, Fact]:
    """Return every fact by name: the built-in ones first, then the memberships in groups.

    A refusal that does not count opens nothing. `ignored` is opened by the ledger, not by events.
    """
    refusals = playbook.policies.refusals
    facts = [
        _refusal("refused", "offer_refused", refusals.refused_us),
        _refusal("not_now", "offer_not_now", refusals.not_now_us),
        Fact("on_list", (EventMatch("list_joined"),), (EventMatch("list_left"),), ("list",)),
        Fact("consent", (EventMatch("consent_given"),), (EventMatch("consent_withdrawn"),), ("channel", "purpose")),
    ]
    facts.append(Fact("ignored", (), (), ("family",), refusals.ignored_pause_us))
    events = all_events(playbook) if playbook.groups else {}
    facts += [_membership(group, events) for group in playbook.groups.values()]
    return {fact.name: fact for fact in facts} | playbook.facts


def _refusal(name: str, event: str, lasts_us: int) -> Fact:
    opens = (EventMatch(event),) if lasts_us else ()
    return Fact(name, opens, (EventMatch("offer_accepted"),), ("family",), lasts_us)


def _membership(group: Group, events: Mapping[str, EventType]) -> Fact:
    """Return the fact that a customer is in a group: every event that carries `by` opens it, but those that end it."""
    carriers = [event.name for event in events.values() if group.by in event.fields and not event.about]
    opens = tuple(EventMatch(name) for name in carriers if name not in group.leaves)
    return Fact(group.name, opens, tuple(EventMatch(name) for name in group.leaves), (group.by,))


def row_fields(events: Mapping[str, EventType], name: str) -> dict[str, FieldType] | None:
    """Return the fields of a row of this event or item, in order; None where there is no such event.

    An item's row has the fields of its event first, then its own; where both have a name, the item's own wins.
    """
    event, _, items = name.partition(".")
    found = events.get(event)
    if found is None or (items and items not in found.items):
        return None
    return {**found.fields, **found.items[items]} if items else found.fields
