"""What each key of a playbook says, in one sentence with an example: the source of the reference page and the schema.

A key takes its type, its default and whether it is required from the model's field that it fills; `form` names the
form of its value (`forms`) where the type does not tell.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from onevoice.playbook import model
from onevoice.playbook.customers import TRAIT_TYPES
from onevoice.playbook.model import FieldType

Example = str | float | bool | list["Example"] | dict[str, "Example"]


class Key(NamedTuple):
    """One key: what it says, what it may look like, the model's field it fills, the form of its value."""

    says: str
    example: Example
    field: str = ""  # where it is not the key's own name
    form: str = ""
    required: bool = False  # where the model has a default, which only a key left out with all of its kind gives
    least: float | None = None
    most: float | None = None


class Keys(NamedTuple):
    """The keys of one kind of mapping, and the record of the model that they make."""

    record: type
    keys: dict[str, Key]


TYPES: Final[dict[FieldType, str]] = {
    FieldType.TEXT: "A text for messages only, never asked for in a condition.",
    FieldType.CHOICE: "A short text from a small set, such as a tier; conditions compare it.",
    FieldType.NUMBER: "A number.",
    FieldType.BOOLEAN: "True or false.",
    FieldType.DATE: "A day without a time.",
    FieldType.TIME: "An instant.",
    FieldType.KEY: "A reference without end, such as an order number; compared only through `per`.",
    FieldType.PRODUCT: "The identifier of a product; its catalogue fields can be asked for behind it.",
}

PLAYBOOK: Final = {
    "playbook": Key("The name of the playbook.", "grocer", "name"),
    "time_zone": Key(
        "The zone of local times and calendar days, and of customers whose own is unknown.", "Europe/Vilnius"
    ),
    "languages": Key(
        "The languages messages may be written in; it changes no decision. `why` and `why-not` speak the first of them "
        "that they know: en, fi, lt, pl, ru; else English.",
        ["lt", "en"],
    ),
    "identifiers": Key("The kinds of identifiers by which customers are known, in order of trust.", {"email": {}}),
    "groups": Key(
        "Customers that belong together and stay different people: conditions ask for `any household.open_case`, and "
        "caps may count the contacts of all who are in one.",
        {"household": {"by": "household_id"}},
    ),
    "traits": Key("What is known about a customer.", {"tier": "choice"}),
    "products": Key("The catalogue of what is sold.", {"file": "products.csv", "fields": {"category": "choice"}}),
    "events": Key("What can happen, by type.", {"order_placed": {"fields": {"amount": "number"}}}),
    "sources": Key("Where events come from, for those that come late.", {"till": {"lag": "1 day"}}),
    "facts": Key("Intervals that events open and close.", {"open_case": {"opens": "case_opened"}}),
    "measures": Key(
        "Numbers and times computed from events, one line each.",
        {"spend": "sum of order_placed.amount over 30 days"},
    ),
    "segments": Key("Named conditions over a customer, each judged after those above it.", {"keen": "spend > 100"}),
    "moments": Key(
        "Sequences of events with order, counts, windows and absence.",
        {"gone": ["order_placed", "no order_placed for 30 days"]},
    ),
    "offers": Key("What may be proposed to a customer.", {"red_case": {"value": 8}}),
    "campaigns": Key(
        "What wants to reach customers.", {"thanks": {"class": "sales", "when": "event order_placed", "send": "email"}}
    ),
    "policies": Key("The rules above all campaigns.", {"gap": "4 hours"}),
    "placements": Key("Places where customers reach us and something can be shown.", {"banner": {"slots": 1}}),
    "channels": Key(
        "The ways out; one that a campaign sends by need not be declared.", {"email": {"address": "email"}}
    ),
    "resources": Key("What is scarce: capacity, stock, money.", {"call_centre": {"capacity": "50 per hour"}}),
}

IDENTIFIER: Final = {
    "format": Key("What its values are written as, so that two spellings are one.", "email", form="format"),
    "region": Key("The country of phone numbers that are written without one.", "LT"),
    "unique": Key("A customer has at most one; two customers with different ones are never joined.", example=True),
    "anonymous": Key("A device, which belongs to whoever identified on it last.", example=True),
    "at_most": Key("How many of this kind one customer may hold; one more joins nobody.", 3, least=1, most=1_000),
}
GROUP: Final = {
    "by": Key(
        "The field of events whose value the members share: who has an event that carries it is in.", "household_id"
    ),
    "leaves": Key(
        "The events that end a membership: in the group whose value they carry; without one, in each of this kind.",
        ["moved_out"],
    ),
}
TRAIT: Final = {
    "is": Key("What the trait means to the engine.", "time_zone", "means", "meaning"),
    **{kind.value: Key(TYPES[kind], True, "type", "flag") for kind in TRAIT_TYPES},
}
CATALOGUE: Final = {
    "file": Key("The CSV file in the playbook's folder, with a header line.", "products.csv", "names", "text", True),
    "key": Key("The column that identifies a product; `product` unless said.", "sku", "names", "text"),
    "fields": Key("The columns that conditions may ask for, with their types.", {"category": "choice"}, form="columns"),
}
EVENT: Final = {
    "fields": Key(
        "What an event carries; a list of items is a mapping of the fields of one.",
        {"order_id": "key", "items": {"product": "product"}},
        form="fields",
    ),
    "about": Key(
        "A world event: it concerns a product and no customer, and starts campaigns by `product EVENT for FACT`.",
        "product",
        form="about",
    ),
}
SOURCE: Final = {
    "lag": Key("How late its events may come; absences of them wait that much longer.", "1 day", "lag_us"),
    "events": Key("The event types it brings; any, where none is named.", ["order_placed"]),
    "stale_after": Key(
        "How long after the latest of its events it is taken to have stopped, more than its `lag`: campaigns that "
        "depend on it are then held until it is heard again. A campaign depends on it if one of its events could "
        "end, silence or exclude: by `until`; by a `no` step of its moment; by what its `if`, its offers' `if`, a "
        "suppression that stops it, or the segment that it is started by reads; by closing the fact of `product E "
        "for F`; by consent; or as a contact of others that a gap or cap counts.",
        "36 hours",
        "stale_after_us",
    ),
}
FACT: Final = {
    "opens": Key("The events that open it, one or a list.", "case_opened"),
    "closes": Key("The events that close it, one or a list; none: only time does.", "case_resolved"),
    "per": Key("The fields that tell one interval from another, at most three, `product` first.", ["product"]),
    "lasts": Key("How long it stays open unless it is closed before; without it, until closed.", "30 days", "lasts_us"),
}
MOMENT: Final = {
    "per": Key("The field by which sequences are told apart: one progress for each value.", "order_id"),
    "within": Key("One window from the first event to the last, instead of a window per step.", "2 days", "within_us"),
    "steps": Key(
        "The lines of the sequence, in order.",
        ["page_viewed", "2 store_visited within 7 days", "no contract_extended for 30 minutes"],
        form="steps",
    ),
}
OFFER: Final = {
    "product": Key("The product it is about, as the catalogue names it.", "case_red"),
    "value": Key("What it is worth to you when it is taken, for the rank.", 8),
    "family": Key("What is refused when it is refused; its own name unless said.", "covers"),
    "if": Key("Who may be offered it: a condition over the customer.", "churn_risk > 0.3", "condition", "condition"),
    "parameters": Key(
        "More numbers and texts of it, asked for as `offer.NAME`; one with `is` is computed for its customer.",
        {"price": 9.9, "discount": {"is": "case when keen then 0.2 else 0.1 end"}},
        form="parameters",
    ),
}
CAMPAIGN: Final = {
    "owner": Key("Whose campaign it is; caps may go by it.", "retention team"),
    "class": Key("The class whose rules hold for it.", "sales", "klass"),
    "priority": Key("How important it is, for the rank.", 60),
    "lever": Key("A factor by which its owner moves it up or down, for a rank that uses it.", 1.2, least=0),
    "propensity": Key(
        "How probably the customer answers: a number, for a rank that uses it; 1 without.",
        "case when keen then 0.8 else 0.4 end",
        form="condition",
    ),
    "when": Key("What makes it want to reach a customer.", "moment retention_risk"),
    "if": Key(
        "Who may get it: a condition, judged when the wish is born and again when it is decided.",
        "premium and event.amount > 10",
        "condition",
        "condition",
    ),
    "offer": Key(
        "What it proposes; of a list the one with the greatest rank that may be made to the customer.",
        "red_case",
        "offers",
    ),
    "send": Key("The channels it may go by, in order of preference; not for a campaign that is `asked`.", ["push"]),
    "send_by": Key(
        "In what order its channels are tried: as written, or by their `cost`; the customer's own is tried first.",
        "cost",
        form="send_by",
    ),
    "if_unseen": Key(
        "What follows, in the same slot, where a contact is not seen and nothing comes of it.",
        {"after": "2 hours", "next": "sms"},
        "unseen_after_us",
        "if_unseen",
    ),
    "placements": Key("The places where it may be shown; only for a campaign that is `asked`.", ["banner"]),
    "per": Key(
        "One wish for each value of a field of the event, not one for the customer.", "event.order_id", form="per"
    ),
    "after": Key("How long after its trigger the wish is born, and judged.", "2 days", "after_us"),
    "wait": Key(
        "How long the wish is collected with others before they are compared; as `policies.wait` unless said.",
        "0s",
        "wait_us",
    ),
    "valid_for": Key("How long after its birth it may still be sent.", "2 days", "valid_for_us"),
    "until": Key("The event that ends the wish.", "contract_extended"),
    "again_after": Key(
        "How long after a contact or a show of this campaign the next may follow.", "30 days", "again_after_us"
    ),
    "at_most": Key(
        "How many contacts it may make in one run, before it pauses itself: since a launch (`once`, `every`), or since "
        "it was first in force or last resumed.",
        "50,000",
        "at_most_contacts",
        "count",
    ),
    "failures": Key(
        "Of which share of a run's contacts it pauses itself when they have failed.",
        {"share": "20%", "of_at_least": 100},
        "failures_share",
        "failures",
    ),
    "uses": Key("The resources that each of its contacts uses, beside those of the channel.", ["spring_money"]),
    "from": Key("Its first day.", "2026-03-01", "from_us", "date"),
    "to": Key("Its last day, which still belongs to it.", "2026-03-31", "to_us", "date"),
    "goal": Key(
        "What the campaign is to bring about, and within what time: `onevoice results` counts it, no decision follows.",
        "contract_extended within 14 days",
        form="goal",
    ),
    "holdout": Key("The share of customers to whom it stays silent, to compare them with others.", "10%", form="share"),
}
POLICIES: Final = {
    "classes": Key("The classes of campaigns; strict ones stand first, in order.", {"sales": {"weight": 1}}),
    "rank": Key(
        "The number by which campaigns that could be sent are compared: the greatest wins.",
        "weight * priority",
        form="condition",
    ),
    "wait": Key("How long wishes are collected before they are compared.", "5 minutes", "wait_us"),
    "gap": Key("The least time between two contacts of a customer.", "4 hours", "gap_us"),
    "caps": Key("How many contacts a customer may get, at most.", [{"max": 1, "per": "day"}]),
    "look_ahead": Key(
        "How far ahead a slot that gap and caps leave is kept for a more important contact that is planned.",
        "1 day",
        "look_ahead_us",
    ),
    "counts_from": Key(
        "From which state on a contact counts in gap and caps, once its channel's `receipts` are over.",
        "delivered",
        form="counts_from",
    ),
    "exempt": Key(
        "The classes that some of the rules do not hold for.", {"service": ["caps", "wait"]}, form="exemptions"
    ),
    "suppress": Key("When classes or offers are silent.", [{"stop": ["sales"], "while": "open_case"}]),
    "refusals": Key("How long a refused family of offers stays refused.", {"refused": "90 days"}),
    "hours": Key(
        "By channel when it is open, on the customer's own clock; `all` for channels not named. No class is exempt.",
        {"all": "08:00-21:00", "call": ["09:00-18:00 mon-fri", "10:00-14:00 sat"]},
        form="hours",
    ),
    "holidays": Key(
        "The dates on which channels that have hours are closed all day; `onevoice holidays LT` prints a country's.",
        ["2026-04-06", "12-25"],
        form="holidays",
    ),
    "holdout": Key("Customers to whom campaigns stay silent, to compare them with the others.", {"share": "5%"}),
    "exploration": Key("How often one is drawn among those that could be sent, instead of the best.", {"share": "5%"}),
}
CLASS: Final = {
    "weight": Key("How much its campaigns count, for the rank.", 2, least=0),
    "strict": Key("Its campaigns beat those of every class below, whatever their rank.", example=True),
    "purpose": Key("What consent is asked for; the class's own name unless said.", "marketing"),
    "consent_required": Key("Without a consent nothing is sent; else only a withdrawal stops it.", example=True),
    "counts": Key(
        "Whether its contacts count: with `false` they are in no cap, and in no gap of others; left out they do.",
        example=False,
    ),
}
CAP: Final = {
    "max": Key("How many contacts are allowed.", 3, least=1),
    "per": Key(
        "In what time: a calendar `day`, `week` or `month` of the customer, or a rolling length.",
        "7 days",
        "rolling_us",
        "period",
        True,
    ),
    "own_max": Key(
        "The trait, a number, that holds how many the customer wants; where it is known it takes the place of `max`.",
        "mails_a_week",
    ),
    "channel": Key("Only contacts by this channel; `each`: one such cap for each channel.", "email"),
    "class": Key("Only contacts of this class; `each`: one such cap for each.", "sales", "klass"),
    "campaign": Key("Only contacts of this campaign; `each`: one such cap for each.", "spring_sale"),
    "family": Key("Only contacts with an offer of this family; `each`: one such cap for each.", "covers"),
    "owner": Key("Only contacts of this owner's campaigns; `each`: one such cap for each.", "retention team"),
    "category": Key(
        "Only contacts about a product of this category, as the catalogue's field `category` says; `each`: one each.",
        "phones",
    ),
    "placement": Key(
        "Only what is shown at this placement, and no contact; `each`: one such cap for each placement.",
        "banner",
    ),
    "address": Key("Only contacts to the same address: `each` is one such cap for each.", "each", form="each"),
    "group": Key(
        "The contacts of all who are in one group of this kind with the customer count together.", "household"
    ),
    "for": Key(
        "Only customers of this segment; it goes before a cap with the same scope without `for`.",
        "premium",
        "for_segment",
    ),
}
SUPPRESSION: Final = {
    "stop": Key("The classes it stops, or `offers` for all that propose something.", ["sales"]),
    "while": Key("The condition under which it stops them.", "open_case", "condition", "condition"),
    "then": Key("How long it goes on after the condition has ended.", "3 days", "then_us"),
    "at_most": Key("How long it holds at most, however long the condition does.", "30 days", "at_most_us"),
}
REFUSALS: Final = {
    "refused": Key("How long an `offer_refused` opens `refused(family)`.", "90 days", "refused_us"),
    "not_now": Key("How long an `offer_not_now` opens `not_now(family)`.", "14 days", "not_now_us"),
    "ignored": Key(
        "After how many unanswered contacts of a family `ignored(family)` opens, and for how long.",
        {"times": 5, "pause": "30 days"},
        "ignored_times",
        "ignored",
    ),
}
IGNORED: Final = {
    "times": Key("How many contacts of the family went without a reaction.", 5, "ignored_times", "", True, 1),
    "pause": Key("How long it then stays open.", "30 days", "ignored_pause_us", "", True),
}
EXPLORATION: Final = {
    "share": Key("In how many decisions one is drawn; each of them is then as likely.", "5%", "", "share", True),
    "classes": Key("The classes that take part, none of them strict; all that are not strict unless said.", ["sales"]),
}
HOLDOUT: Final = {
    "share": Key("How many customers are held out; who it is stays the same.", "5%", "", "share", True),
    "classes": Key("The classes they are held out of, none of them strict; all that are not unless said.", ["sales"]),
}
PLACEMENT: Final = {
    "slots": Key("How many campaigns are shown at once.", 2, least=1, most=100),
    "default": Key("What is shown in the slots that no campaign won.", "brand_banner"),
    "caps": Key("How much of what is shown here a customer may see, at most.", [{"max": 10, "per": "week"}]),
    "fatigue": Key(
        "After how many shows here without a reaction a campaign rests, and for how long after the last of them.",
        {"times": 5, "pause": "7 days"},
        "fatigue_times",
        "fatigue",
    ),
}
FATIGUE: Final = {
    "times": Key("How many times it was shown without a reaction.", 5, "fatigue_times", "", True, 1),
    "pause": Key("How long it then rests here.", "7 days", "fatigue_us", "", True),
}
RESOURCE: Final = {
    "capacity": Key("How many contacts it can take in a minute, an hour or a day.", "50 per hour", form="capacity"),
    "budget": Key(
        "How much the contacts that use it may cost: in all, or each day or month.", "5000 per month", form="budget"
    ),
    "stock": Key(
        "How many contacts may use it in all: a number, or a product whose catalogue field `stock` says it; contacts "
        "about that product use it by themselves.",
        "case_red",
        form="stock",
    ),
    "hours": Key(
        "When a capacity is there, on the playbook's clock; always, unless said.",
        ["09:00-18:00 mon-fri"],
        form="windows",
    ),
    "reserve": Key("By class, the share of a capacity that no other class may use.", {"service": "30%"}, form="shares"),
}
IF_UNSEEN: Final = {
    "after": Key("How long a contact may stay unseen.", "2 hours", "unseen_after_us", "", True),
    "next": Key("The channel by which one follows, or several, one after the other.", "sms", "unseen_next", "", True),
}
FAILURES: Final = {
    "share": Key(
        "The share of failed contacts at which the campaign is paused.", "20%", "failures_share", "share", True
    ),
    "of_at_least": Key("How many contacts the run must have made before.", "100", "failures_of_at_least", "count"),
}
CHANNEL: Final = {
    "address": Key(
        "The kind of identifier it needs; for `email`, `sms` and `call` found by its format, else none.", "email"
    ),
    "cost": Key("What a contact costs, in the money of the budgets; by it `send_by: cost` goes.", 0.05, least=0),
    "uses": Key("The resources that each contact uses.", ["call_centre"]),
    "rate": Key("How many contacts it may make in a minute, an hour or a day.", "600 per minute", form="capacity"),
    "receipts": Key(
        "How long it may take until `contact_sent` or `contact_failed` tells what became of a contact; "
        "without it, what is decided is sent.",
        "1 hour",
        "receipts_us",
    ),
}

# By the name that the schema and the page give each kind of mapping, in the order of the page.
KEYS: Final[dict[str, Keys]] = {
    "playbook": Keys(model.Playbook, PLAYBOOK),
    "identifier": Keys(model.Identifier, IDENTIFIER),
    "group": Keys(model.Group, GROUP),
    "trait": Keys(model.Trait, TRAIT),
    "catalogue": Keys(model.Catalogue, CATALOGUE),
    "event_type": Keys(model.EventType, EVENT),
    "source": Keys(model.Source, SOURCE),
    "fact": Keys(model.Fact, FACT),
    "moment": Keys(model.Moment, MOMENT),
    "offer": Keys(model.Offer, OFFER),
    "campaign": Keys(model.Campaign, CAMPAIGN),
    "if_unseen": Keys(model.Campaign, IF_UNSEEN),
    "failures": Keys(model.Campaign, FAILURES),
    "policies": Keys(model.Policies, POLICIES),
    "class": Keys(model.CampaignClass, CLASS),
    "cap": Keys(model.Cap, CAP),
    "suppression": Keys(model.Suppression, SUPPRESSION),
    "refusals": Keys(model.Refusals, REFUSALS),
    "ignored": Keys(model.Refusals, IGNORED),
    "exploration": Keys(model.Exploration, EXPLORATION),
    "holdout": Keys(model.Holdout, HOLDOUT),
    "placement": Keys(model.Placement, PLACEMENT),
    "fatigue": Keys(model.Placement, FATIGUE),
    "channel": Keys(model.Channel, CHANNEL),
    "resource": Keys(model.Resource, RESOURCE),
}
