"""The page of what every playbook has without declaring it: events and facts."""

from __future__ import annotations

from typing import Final

from onevoice.playbook.builtin import BUILTIN_EVENTS, all_facts
from onevoice.playbook.model import DAY, Playbook, Policies, Refusals

MEANINGS: Final = {
    "list_joined": "The customer is on a list that is kept elsewhere: a target list, a club.",
    "list_left": "They are on it no longer.",
    "consent_given": "They agree to hear of a `purpose` (that of a class, its name unless it says another) by a `channel`.",
    "consent_withdrawn": "They do not any more; without a channel or purpose, for all of these.",
    "offer_shown": "An offer was shown to them. What an ask showed counts without it. Like all offer events it may name the `decision` of the ask, and which `campaign`: the rest is filled in from what was shown.",
    "offer_accepted": "They said yes, which may lie before the purchase: it ends refusals, and can open a fact of yours.",
    "offer_refused": "They said no: to this family of offers, in every channel, for as long as `policies.refusals.refused` says.",
    "offer_not_now": "Not now: the same, for `policies.refusals.not_now`.",
    "offer_clicked": "They looked closer. Like every reaction, it begins the count of what they ignored anew, and ends the rest of what was shown too often.",
    "contact_reported": "Another system sent them something. It enters the ledger: gap, caps and `again_after` count it.",
    "contact_sent": "A contact that was decided here, by its number, was sent. What it leaves out is filled in from the contact, as in all of these.",
    "contact_cancelled": "It was not sent, and will not be: it counts no more, and another channel is tried.",
    "contact_failed": "It reached nobody, as when it bounced: the same.",
    "contact_delivered": "It arrived.",
    "contact_seen": "They saw it: nothing follows any more by `if_unseen`.",
    "contact_clicked": "They clicked in it: the same.",
    "contact_answered": "They answered it: the same.",
    "asked": "They are here, and a `placement` asks what to show. It is answered at once.",
    "profile_updated": "Brings traits and identifiers, and means nothing else.",
    "campaign_paused": "It, or a class, or (`everything: true`) everything is held back from now on. What names none of these does nothing, and is told. Of no customer, as are the next two.",
    "campaign_resumed": "It goes on; what was held is looked at again at once.",
    "campaign_stopped": "What waits of it ends, and nothing new begins until it is resumed.",
    "resource_set": "So much is `left` of a resource: of its stock or budget, or in its present hour or day. Of no customer.",
}

FACTS: Final = {
    "refused": "as long as `policies.refusals.refused` says",
    "not_now": "as long as `policies.refusals.not_now` says",
    "on_list": "until it is closed",
    "consent": "until it is closed",
    "ignored": "as long as `policies.refusals.ignored.pause` says",
}
IGNORED: Final = "`policies.refusals.ignored.times` offers of the family went out without a reaction"

HEAD: Final = """\
# Built-in events and facts

<!-- Generated from the playbook's code: `UPDATE_GOLDEN=1 python -m pytest tests/docs/test_reference.py` writes this page anew. -->

These are there without being declared. A playbook may declare an event of the same name to give it more fields, as in
`profile_updated: {fields: {household_id: key}}`.

## Events

| event | it says | fields |
|---|---|---|
"""

BETWEEN: Final = """
In the offer events a missing `family` or `product` is that of the `offer` which is named. Any event may carry `traits`.

A line of input has these keys: `type`; `time`, with its offset from UTC, which an import needs; `identifiers`; `fields`; `traits`;
`id`, by which a repeat is known; `source`, by which it is known how late it may be; `channel`.

## Facts

| fact | opened by | closed by | lasts |
|---|---|---|---|
"""


def page() -> str:
    """Return the page, in Markdown."""
    facts = all_facts(Playbook("", policies=Policies(refusals=Refusals(DAY, DAY, 1, DAY))))
    lines = [_event_row(name) for name in BUILTIN_EVENTS]
    rows = [
        f"| `{name}({', '.join(fact.per)})` | {_events(fact.opens) or IGNORED} | {_events(fact.closes)} | {FACTS[name]} |"
        for name, fact in facts.items()
    ]
    return HEAD + "\n".join(lines) + "\n" + BETWEEN + "\n".join(rows) + "\n"


def _event_row(name: str) -> str:
    fields = ", ".join(f"`{field}` {kind.value}" for field, kind in BUILTIN_EVENTS[name].fields.items())
    return f"| `{name}` | {MEANINGS[name]} | {fields} |"


def _events(matches: tuple[object, ...]) -> str:
    return ", ".join(f"`{match.event}`" for match in matches)
