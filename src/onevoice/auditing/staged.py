"""The playbook under which the year is lived once more.

It has the facts, segments, channels and policies of the rules. Each contact of the log is two lines of its journal:

- an ask at the placement PROBE, at which a campaign stands for each suppression, with its condition: what is shown
  there is what was true of the customer at that instant, however many rules it breaks;
- a wish of its campaign, which the rules let out, hold back or let lapse.

Campaigns of the playbook itself start nothing: only what really went out is judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

from onevoice.errors import LimitError, Mistake
from onevoice.history.why import cap_text, suppression_text
from onevoice.playbook.builtin import BUILTIN_EVENTS
from onevoice.playbook.model import (
    DAY,
    Campaign,
    CampaignClass,
    Cap,
    Catalogue,
    Channel,
    EventMatch,
    EventType,
    Fact,
    FieldType,
    Offer,
    Placement,
    Playbook,
    Suppression,
    Trigger,
    TriggerKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onevoice.events.pyarrow_untyped import Table

PROBE: Final = "audit_probe"  # placements, and classes that no rule names
ANSWER: Final = "audit_answer"
OPTED_OUT: Final = "opted out"
VARIANTS_MAX: Final = 1_500
VALID_US: Final = 7 * DAY  # how long a wish of a campaign that the playbook does not know waits at most
WISH: Final = "audit_wish_"  # before the number of a variant
OFFER: Final = "audit_offer_"
CONTACT_KEY: Final = "audit_contact"

_C: Final = FieldType.CHOICE
# What an ask tells of its contact; named so that no field of a playbook is in the way.
TOLD: Final = {
    "audit_class": _C,
    "audit_channel": _C,
    "audit_purpose": _C,
    "audit_product": FieldType.PRODUCT,
    "audit_family": _C,
}
_OFFER: Final = re.compile(r"'(?:[^']|'')*'|\boffer\.(product|family)\b")
# What a condition may ask that no log can tell.
_UNTOLD: Final = {
    "offer.": "a log does not tell this of an offer, so only the year is held to it",
    "ignored": "it counts what the rules let out, so only the year is held to it",
}
_READ_OF_CAPS: Final = frozenset({"max", "rolling_us", "period", "channel", "klass", "campaign", "for_segment"})


@dataclass(frozen=True, slots=True)
class Variant:
    """One campaign of the log by one channel about one offer, and how it is told."""

    name: str
    label: str
    campaign: str
    klass: str
    channel: str
    product: str
    family: str


@dataclass(slots=True)
class Staged:
    """The playbook of the year. `rules`: the words of each probe by its name; `segments`: by the probe that tells it.

    `caps` are those that a log can be held to; `notes` say what was left out and why.
    """

    playbook: Playbook
    variants: dict[tuple[str, ...], Variant]
    rules: dict[str, str] = field(default_factory=dict[str, str])
    segments: dict[str, str] = field(default_factory=dict[str, str])
    caps: list[Cap] = field(default_factory=list[Cap])
    notes: list[str] = field(default_factory=list[str])


def staged(playbook: Playbook, contacts: Table) -> Staged:
    """Return the playbook for a log; LimitError where it has more campaigns than an engine can hold."""
    variants, notes = _variants(contacts)
    found = Staged(playbook, variants, notes=notes)
    _note_caps(found)
    probes = {probe.name: probe for probe in _probes(found)}
    campaigns = {variant.name: _campaign(variant, playbook, at) for at, variant in enumerate(variants.values())}
    offers = [_offer(variant, playbook, at) for at, variant in enumerate(variants.values())]
    policies = playbook.policies
    classes = policies.classes | {name: CampaignClass(name) for name in (PROBE, ANSWER)}
    found.playbook = replace(
        playbook,
        products=_catalogue(playbook.products, variants.values()),
        events=playbook.events | _events(playbook, len(variants)),
        facts=playbook.facts | {fact.name: fact for fact in _opted_out()},
        moments={},
        offers=playbook.offers | {offer.name: offer for offer in offers},
        campaigns=campaigns | probes,
        placements={name: Placement(name) for name in (PROBE, ANSWER)},
        # Whoever was contacted had an address, whatever a log calls them.
        channels={name: Channel(name) for name in (*playbook.channels, *(each.channel for each in variants.values()))},
        policies=replace(policies, classes=classes, caps=tuple(_caps(policies.caps, variants.values()))),
    )
    return found


# The campaigns of the log


def _variants(contacts: Table) -> tuple[dict[tuple[str, ...], Variant], list[str]]:
    keys = ("campaign", "class", "channel", "product", "family")
    rows = contacts.group_by(list(keys), use_threads=False).aggregate([]).to_pylist()
    tuples = [tuple(row[key] or "" for key in keys) for row in rows]
    notes: list[str] = []
    if len(tuples) > VARIANTS_MAX:
        tuples = list(dict.fromkeys((*each[:3], "", "") for each in tuples))
        notes.append("the log tells of more offers than are rehearsed one by one: in the year no rule looks at them")
    if len(tuples) > VARIANTS_MAX:
        mend = "let the mapping name the campaign and not each sending of it"
        expected = f"at most {VARIANTS_MAX:,} by channel and class"
        raise LimitError(Mistake("more campaigns than a year can be lived with", "contacts", expected, mend=mend))
    return _named(sorted(tuples)), notes


def _named(tuples: list[tuple[str, ...]]) -> dict[tuple[str, ...], Variant]:
    """Give each its name: that of its campaign, and of what else tells it from the others of that campaign."""
    told: dict[str, list[set[str]]] = {}
    for each in tuples:
        for names, name in zip(told.setdefault(each[0], [set() for _ in each]), each, strict=True):
            names.add(name)
    taken = {PROBE, ANSWER}
    found: dict[tuple[str, ...], Variant] = {}
    for each in tuples:
        several = [name for names, name in zip(told[each[0]][1:], each[1:], strict=True) if name and len(names) > 1]
        label = " · ".join([each[0], *several])
        name = _free(_slug(label), taken)
        taken.add(name)
        found[each] = Variant(name, label, *each)
    return found


def _slug(text: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
    return slug if slug[:1].isalpha() else f"c_{slug}"


def _free(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _campaign(variant: Variant, playbook: Playbook, at: int) -> Campaign:
    """Return the campaign that wishes as often as the log has contacts, with what the playbook says of its name."""
    when = Trigger(TriggerKind.EVENT, f"{WISH}{at}")
    own = playbook.campaigns.get(variant.campaign) or Campaign(variant.name, "", when, valid_for_us=VALID_US)
    return Campaign(
        variant.name,
        variant.klass,
        when,
        owner=own.owner,
        priority=own.priority,
        lever=own.lever,
        offers=(f"{OFFER}{at}",) if variant.product or variant.family else (),
        send=(variant.channel,),
        per=CONTACT_KEY,
        valid_for_us=own.valid_for_us or VALID_US,
        until=own.until,
    )


def _offer(variant: Variant, playbook: Playbook, at: int) -> Offer:
    """Return what a variant proposes, worth what the playbook says where it is that campaign's offer."""
    campaign = playbook.campaigns.get(variant.campaign)
    family = variant.family or variant.product
    offers = [playbook.offers[name] for name in campaign.offers] if campaign else []
    own = next((each for each in offers if (each.product, each.family) == (variant.product, family)), Offer(""))
    return replace(own, name=f"{OFFER}{at}", product=variant.product, family=family, condition="")


def _catalogue(products: Catalogue, variants: Iterable[Variant]) -> Catalogue:
    """Add products that the log names and the catalogue does not know; nothing is known about them."""
    known = set(products.names)
    more = tuple(dict.fromkeys(each.product for each in variants if each.product and each.product not in known))
    columns = {name: (*column, *(None for _ in more)) for name, column in products.columns.items()}
    return replace(products, names=(*products.names, *more), columns=columns)


def _events(playbook: Playbook, variants: int) -> dict[str, EventType]:
    asked = playbook.events.get("asked", EventType("asked"))
    fields_of_ask = BUILTIN_EVENTS["asked"].fields | asked.fields | TOLD
    wishes = {f"{WISH}{at}": EventType(f"{WISH}{at}", {CONTACT_KEY: FieldType.KEY}) for at in range(variants)}
    return {"asked": replace(asked, fields=fields_of_ask), **wishes}


# The rules that a log can be held to


def _note_caps(found: Staged) -> None:
    """Keep the caps whose every part is understood here."""
    for cap in found.playbook.policies.caps:
        other = {each.name for each in fields(cap)} - _READ_OF_CAPS
        if all(getattr(cap, each.name) == each.default for each in fields(cap) if each.name in other):
            found.caps.append(cap)
        else:
            found.notes.append(f"{cap_text(cap)}: this cap is held in the year, and not counted over the log")


def _caps(caps: Iterable[Cap], variants: Iterable[Variant]) -> Iterator[Cap]:
    """Give a cap of one campaign to each of its variants; one of a campaign that the log has not falls away."""
    names: dict[str, list[str]] = {}
    for variant in variants:
        names.setdefault(variant.campaign, []).append(variant.name)
    for cap in caps:
        if cap.placement:
            continue  # a log of contacts tells of nothing shown
        yield from (replace(cap, campaign=name) for name in names.get(cap.campaign, [])) if cap.campaign else (cap,)


def _probes(found: Staged) -> Iterator[Campaign]:
    """Yield what is shown at the placements: always one, one for each rule that is broken, one for each segment."""
    yield _probe(PROBE, "", PROBE)
    yield _probe(ANSWER, "", ANSWER)
    policies = found.playbook.policies
    for at, rule in enumerate(policies.suppress):
        condition = _told_by_ask(rule)
        words = suppression_text(replace(rule, then_us=0, at_most_us=0))
        untold = next((why for what, why in _UNTOLD.items() if what in condition), "")
        if untold:
            found.notes.append(f"{words}: {untold}")
            continue
        found.rules[f"audit_rule_{at}"] = words
        yield _probe(f"audit_rule_{at}", condition, PROBE)
    found.rules["audit_opted_out"] = OPTED_OUT
    yield _probe("audit_opted_out", " or ".join(_asked_out()), PROBE)
    for at, segment in enumerate(sorted({cap.for_segment for cap in found.caps if cap.for_segment})):
        found.segments[f"audit_segment_{at}"] = segment
        yield _probe(f"audit_segment_{at}", segment, PROBE)


def _probe(name: str, condition: str, placement: str) -> Campaign:
    return Campaign(name, PROBE, Trigger(TriggerKind.ASKED), condition=condition, placements=(placement,))


def _told_by_ask(rule: Suppression) -> str:
    """Return a rule's condition for an ask: what it says of an offer is said of the contact."""
    condition = _OFFER.sub(lambda each: f"event.audit_{each[1]}" if each[1] else each[0], rule.condition)
    stopped = [f"event.audit_class = '{name}'" for name in rule.stop if name != "offers"]
    if "offers" in rule.stop:
        stopped.append("(event.audit_product is not null or event.audit_family is not null)")
    return f"({' or '.join(stopped)}) and ({condition})"


# Opt-outs are closed consents; no condition can ask for one, so facts of their own say it. What a withdrawal does not
# name it means whole: each combination is a fact.
_NAMED: Final = ((), ("channel",), ("purpose",), ("channel", "purpose"))


def _opted_out() -> Iterator[Fact]:
    for names in _NAMED:
        said = {name: "is not null" if name in names else "is null" for name in ("channel", "purpose")}
        where = " and ".join(f"{name} {word}" for name, word in said.items())
        opens = (EventMatch("consent_withdrawn", where),)
        yield Fact("_".join(("audit_out", *names)), opens, (EventMatch("consent_given"),), names)


def _asked_out() -> Iterator[str]:
    for names in _NAMED:
        keys = ", ".join(f"event.audit_{name}" for name in names)
        yield "_".join(("audit_out", *names)) + (f"({keys})" if keys else "")
