"""What a playbook says, as plain data.

The loader turns YAML into these records; the same records can be built in Python. Names are global and unique;
every mapping keeps the order in which it was written, and that order is the order of trust (identifiers), of
precedence (classes) and of preference (`send`). Conditions are kept as their text; `onevoice.playbook.check` parses
them against the names a playbook declares. Durations and times are int64 microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

FAILURES_OF: Final = 100  # contacts, before it is asked how many of them failed


class FieldType(StrEnum):
    """What a trait, an event field or a product field holds."""

    TEXT = "text"  # for messages only; never in a condition
    CHOICE = "choice"  # a short text from a small set; compared, counted
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"  # an instant
    KEY = "key"  # an unbounded reference such as an order number; only equality through `per`
    PRODUCT = "product"  # a product's identifier


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind of identifier. `unique`: at most one value a customer. `anonymous`: a device, owned by its last login."""

    name: str
    format: str = ""  # "", "email" or "phone"
    region: str = ""  # for phones written without a country
    unique: bool = False
    anonymous: bool = False
    at_most: int = 16  # values of this kind that one customer may hold; one more is recorded and not joined


@dataclass(frozen=True, slots=True)
class Trait:
    """A property of a customer. `means` is "" or one of "language", "time_zone", "channel"."""

    name: str
    type: FieldType
    means: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Customers that belong together by a value of an event field; groups never merge people."""

    name: str
    by: str
    leaves: tuple[str, ...] = ()  # events that end a membership


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event. A list field gives one item event per entry, named `event.list`."""

    name: str
    fields: dict[str, FieldType] = field(default_factory=dict[str, FieldType])
    items: dict[str, dict[str, FieldType]] = field(
        default_factory=dict[str, dict[str, FieldType]]
    )  # list field -> its fields
    about: str = ""  # "product" for a world event: no customer, fans out; "campaign" for one that pauses or stops some


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from. Absences over its events wait `lag_us` longer. No `events`: it may bring any type.

    Where nothing of it is known that occurred less than `stale_after_us` ago, campaigns that depend on it are held.
    """

    name: str
    lag_us: int = 0
    events: tuple[str, ...] = ()
    stale_after_us: int = 0  # 0: nothing waits for it


@dataclass(frozen=True, slots=True)
class EventMatch:
    """An event type (or `event.list`), with an optional condition over the event alone."""

    event: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """An interval per customer and key, opened and closed by events. `lasts_us` 0: until closed."""

    name: str
    opens: tuple[EventMatch, ...]
    closes: tuple[EventMatch, ...] = ()
    per: tuple[str, ...] = ()  # field names; "product" first where it is one of them
    lasts_us: int = 0


class Aggregate(StrEnum):
    """What a measure computes."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"
    FIRST = "first"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True)
class Measure:
    """`AGGREGATE of EVENT[.field] [where …] [over WINDOW]`; without a field it counts events or gives their time."""

    name: str
    aggregate: Aggregate
    match: EventMatch
    field: str = ""
    over_us: int = 0  # 0: all time


@dataclass(frozen=True, slots=True)
class Segment:
    """A named condition over a customer."""

    name: str
    condition: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a moment. `absent` with `within_us` is the last line "no E for D"; without, "no E" between steps."""

    matches: tuple[EventMatch, ...]  # more than one: any of them
    count: int = 1
    within_us: int = 0
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A sequence with order, counts, windows and absence; per key when `per` names a field."""

    name: str
    steps: tuple[Step, ...]
    per: str = ""
    within_us: int = 0  # one window over all steps; then no step has one of its own


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The products that are sold, from a CSV file. `columns[field][i]` is the value of `names[i]`, None if unknown."""

    fields: dict[str, FieldType] = field(default_factory=dict[str, FieldType])
    names: tuple[str, ...] = ()
    columns: dict[str, tuple[str | float | None, ...]] = field(
        default_factory=dict[str, tuple[str | float | None, ...]]
    )  # field -> value per product


@dataclass(frozen=True, slots=True)
class Offer:
    """What is proposed about a product. `family` defaults to the offer's own name."""

    name: str
    product: str = ""
    value: float = 0.0
    family: str = ""
    condition: str = ""  # `if`
    parameters: dict[str, float | str] = field(default_factory=dict[str, float | str])
    computed: dict[str, str] = field(default_factory=dict[str, str])  # parameters given by an expression: `{is: …}`


class TriggerKind(StrEnum):
    """What starts a wish."""

    MOMENT = "moment"
    EVENT = "event"
    SEGMENT_ENTERED = "segment entered"
    SEGMENT_LEFT = "segment left"
    ONCE = "once"
    EVERY = "every"
    PRODUCT = "product"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Every:
    """A repeating local time: each day, each `weekday` (0 Monday), or each `month_day` (1 to 28)."""

    minute_of_day: int
    weekday: int = -1
    month_day: int = 0


@dataclass(frozen=True, slots=True)
class Trigger:
    """`when`. `name` is the moment, segment or event; `fact` only for PRODUCT; `at_us` only for ONCE."""

    kind: TriggerKind
    name: str = ""
    where: str = ""
    fact: str = ""
    at_us: int = 0
    every: Every | None = None


class SendBy(StrEnum):
    """In what order a campaign's channels are tried."""

    ORDER = "order"  # as written
    COST = "cost"  # the cheapest first, equal ones as written


@dataclass(frozen=True, slots=True)
class Campaign:
    """An action that wants to reach customers. Times of 0 mean not set, except `wait_us` where -1 does."""

    name: str
    klass: str
    when: Trigger
    owner: str = ""
    priority: float = 0.0
    lever: float = 1.0
    propensity: str = ""  # a condition giving a number; empty means 1
    condition: str = ""  # `if`
    offers: tuple[str, ...] = ()  # of several the best that nothing holds back is made
    send: tuple[str, ...] = ()  # channels in order of preference
    send_by: SendBy = SendBy.ORDER
    unseen_after_us: int = 0  # how long a contact may stay unseen until one by the next channel of
    unseen_next: tuple[str, ...] = ()  # these follows; none where nothing does
    placements: tuple[str, ...] = ()
    per: str = ""  # field of the triggering event (or the moment's key): one wish per value
    after_us: int = 0
    wait_us: int = -1  # -1: the policy's
    valid_for_us: int = 0  # 0: until the campaign ends or `until`
    until: EventMatch | None = None
    again_after_us: int = 0
    from_us: int = 0  # first instant, UTC
    to_us: int = 0  # first instant after the last day, UTC; 0: open
    goal: EventMatch | None = None
    goal_within_us: int = 0
    at_most_contacts: int = 0  # in one run; 0: no limit
    failures_share: float = 0.0  # of a run's contacts, of which so many fail that the campaign is paused; 0: no limit
    failures_of_at_least: int = FAILURES_OF  # once the run has made so many contacts
    uses: tuple[str, ...] = ()  # resources of each contact
    holdout: float = 0.0  # the share of customers to whom this campaign stays silent; 0: none


def only_offer(campaign: Campaign) -> str:
    """Return the offer of a campaign that has one; empty where it has none, or several to choose from."""
    return campaign.offers[0] if len(campaign.offers) == 1 else ""


@dataclass(frozen=True, slots=True)
class CampaignClass:
    """The kind of a campaign for policy. `consent_required`: silence is not consent."""

    name: str
    weight: float = 1.0
    strict: bool = False
    purpose: str = ""  # what consent is asked for; defaults to the class's name
    consent_required: bool = False
    counts: bool = True  # false: its contacts are in no cap, and in no gap of others


EACH: Final = "each"  # in the scope of a cap: one such cap for each value
CATEGORY: Final = "category"  # the catalogue's field that caps may go by


class Period(StrEnum):
    """A calendar period in the customer's zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `max` contacts or shows. Exactly one of `rolling_us` and `period` is set; an empty scope means all.

    A scope may be EACH; that of addresses is nothing else.
    """

    max: int
    rolling_us: int = 0
    period: Period | None = None
    channel: str = ""
    klass: str = ""
    campaign: str = ""
    for_segment: str = ""  # of caps with the same scope and window those with `for` are tried first, as written
    family: str = ""  # of the offer
    owner: str = ""  # of the campaign
    category: str = ""  # of the product: its value in the catalogue's field of this name
    address: str = ""
    own_max: str = ""  # a trait: the customer's own choice, which takes the place of `max` where it is known
    group: str = ""  # the contacts of all who are in a group of this kind with the customer
    placement: str = ""  # where it is shown: such a cap counts shows; else contacts

    @property
    def scope(self) -> tuple[str, ...]:
        """What it is about, in the order of the engine's columns."""
        about = self.campaign, self.klass, self.channel, self.family, self.owner, self.category, self.address
        return *about, self.placement


@dataclass(frozen=True, slots=True)
class Suppression:
    """`stop` these classes (or "offers") `while` a condition holds, `then` this long after, `at_most` this long."""

    stop: tuple[str, ...]
    condition: str
    then_us: int = 0
    at_most_us: int = 0


@dataclass(frozen=True, slots=True)
class Refusals:
    """How long a refusal of an offer's family counts. 0: it does not."""

    refused_us: int = 0
    not_now_us: int = 0
    ignored_times: int = 0
    ignored_pause_us: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the local day on some weekdays (0 Monday): minutes from midnight, the last not included."""

    from_minute: int
    to_minute: int
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A local date on which channels with hours are closed. `year` 0: each year."""

    month: int
    day: int
    year: int = 0


class Bucket(StrEnum):
    """For how long so much of a resource is there; days and months are the playbook's."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Resource:
    """What is scarce. Exactly one of `capacity`, `budget`, `stock` and `product` is set; without `per` it is in all."""

    name: str
    capacity: int = 0  # contacts
    budget: float = 0.0  # of the channels' `cost`
    stock: int = 0  # contacts
    product: str = ""  # its stock is the catalogue's; contacts about it use it
    per: Bucket | None = None
    hours: tuple[Window, ...] = ()  # none: always open
    reserve: dict[str, float] = field(default_factory=dict[str, float])  # class -> share of a bucket


@dataclass(frozen=True, slots=True)
class Exploration:
    """How often one is drawn among those that could win. `share` 0: never; no `classes`: all that are not strict."""

    share: float = 0.0
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holdout:
    """The customers to whom campaigns stay silent, to compare. `share` 0: none; no `classes`: all not strict."""

    share: float = 0.0
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policies:
    """Rules above all campaigns."""

    classes: dict[str, CampaignClass] = field(default_factory=dict[str, CampaignClass])
    rank: str = "weight * priority"
    wait_us: int = 0
    gap_us: int = 0
    caps: tuple[Cap, ...] = ()
    counts_from: str = "sent"  # from which state on a contact that is over counts in gap and caps
    exempt: dict[str, frozenset[str]] = field(
        default_factory=dict[str, frozenset[str]]
    )  # class -> of {"caps", "gap", "wait"}
    suppress: tuple[Suppression, ...] = ()
    refusals: Refusals = field(default_factory=Refusals)
    # Channel, or "all" for those not named -> when it is open; no windows: always.
    hours: dict[str, tuple[Window, ...]] = field(default_factory=dict[str, tuple[Window, ...]])
    holidays: tuple[Holiday, ...] = ()
    exploration: Exploration = field(default_factory=Exploration)
    holdout: Holdout = field(default_factory=Holdout)
    look_ahead_us: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """A place where customers reach us; `slots` best campaigns are shown, and `default` in the slots that are left.

    A campaign shown `fatigue_times` without a reaction rests there for `fatigue_us` (0: never).
    """

    name: str
    slots: int = 1
    default: str = ""
    caps: tuple[Cap, ...] = ()  # of what is shown here
    fatigue_times: int = 0
    fatigue_us: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out. `address` names the identifier kind it needs; empty: none. `uses`: resources of each contact.

    `receipts_us`: how long whoever sends may take to tell whether a contact was sent; 0: it is sent in the step.
    """

    name: str
    address: str = ""
    cost: float = 0.0
    uses: tuple[str, ...] = ()
    rate: int = 0  # contacts at most, 0: any number,
    rate_per: Bucket | None = None
    receipts_us: int = 0


@dataclass(frozen=True, slots=True)
class Playbook:
    """Everything one company decided, as text in git.

    Names map to what they name, in the order of the files. A playbook can be built in Python, too, and is checked like
    one that was read when it is opened or published. Durations are µs; 0 or an empty text stand for what is not set.

    >>> playbook = onevoice.load("examples/telecom")
    >>> playbook.segments["premium"].condition
    "tier = 'gold' or spend_365d > 1000"
    >>> louder = replace(playbook.campaigns["banner_upgrade"], priority=90.0)
    >>> engine.publish(replace(playbook, campaigns=playbook.campaigns | {"banner_upgrade": louder}))
    True
    """

    name: str
    time_zone: str = "UTC"
    languages: tuple[str, ...] = ()
    identifiers: dict[str, Identifier] = field(default_factory=dict[str, Identifier])
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    traits: dict[str, Trait] = field(default_factory=dict[str, Trait])
    products: Catalogue = field(default_factory=Catalogue)
    events: dict[str, EventType] = field(default_factory=dict[str, EventType])
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    facts: dict[str, Fact] = field(default_factory=dict[str, Fact])
    measures: dict[str, Measure] = field(default_factory=dict[str, Measure])
    segments: dict[str, Segment] = field(default_factory=dict[str, Segment])
    moments: dict[str, Moment] = field(default_factory=dict[str, Moment])
    offers: dict[str, Offer] = field(default_factory=dict[str, Offer])
    campaigns: dict[str, Campaign] = field(default_factory=dict[str, Campaign])
    policies: Policies = field(default_factory=Policies)
    placements: dict[str, Placement] = field(default_factory=dict[str, Placement])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])
