"""A playbook compiled to tables: what the kernels read and never write.

Each table is an int64 (or float64) matrix with a row per thing and the columns named here. Ranges are `[from, to)` into
another table; -1 means none. The compiler fills them; a changed playbook gives new tables, never new machine code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from onevoice.tables import Tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A *part* says where an event row holds a value of a key: a column of `values`, or KEY_PART + a column of `keys`.
NO_PART: Final = -1
KEY_PART: Final = 2**16

# `limits`: one number each.
P_ZONE: Final = 0  # the playbook's zone
P_ZONE_TRAIT: Final = 1  # the trait that is the customer's zone, or -1
P_GAP_US: Final = 2
P_RANK: Final = 3  # expression
P_HORIZON_US: Final = 4  # how far back the ledger reaches
P_IGNORED_TIMES: Final = 5
P_FACT_CONSENT: Final = 6
P_FACT_IGNORED: Final = 7
P_SLOT_SEGMENTS: Final = 8  # first slot of `cells` for memberships; measures come before
P_SLOT_SUPPRESSIONS: Final = 9
P_SLOT_IGNORED: Final = 10
P_JUDGES_FROM: Final = 11  # all of it, in `judges`
P_JUDGES_TO: Final = 12
P_CATEGORY: Final = 13  # column of `products` that caps go by, or -1
P_CAPS_LIFT: Final = 14  # 1 if something else than time may lift a cap
P_EXPLORED: Final = 15  # the share of decisions in which one is drawn, of SHARES
P_HELD: Final = 16  # the share of customers held out of the classes that say so
P_HOLDOUTS: Final = 17  # how many memberships a customer may have
P_HOLDOUT_SALT: Final = 18
P_SLOT_HOLDOUTS: Final = 19
P_COUNTS_FROM: Final = 20  # the state of a contact from which on it counts; RESERVED: all do
P_CHANNEL_TRAIT: Final = 21  # the trait that is the customer's own channel, or -1
P_FACT_GROUPS: Final = 22  # the first fact that is a membership in a group
P_GROUPS_COUNTED: Final = 23  # bits: the groups over which a cap counts
P_SHOWN_US: Final = 24  # how far back shows are kept
P_SHOWS_MAX: Final = 25  # how many of a customer
P_CAPS_SHOWN: Final = 26  # from this row of `caps` on are those that name a placement
P_SLOT_TIRED: Final = 27  # first slot of `cells` for fatigue, one for each placement; 0 where there is none
P_LOOK_AHEAD_US: Final = 28
LIMITS: Final = 29

SHARES: Final = 2**53  # a share is compared with so many places of a lot

# `kinds`: identifiers
KIND_UNIQUE: Final = 0
KIND_ANONYMOUS: Final = 1
KIND_AT_MOST: Final = 2
KIND_ADDRESS: Final = 3  # its place in `addresses`, where a cap goes by addresses of this kind; else -1

# Columns of `splits`: an identifier, and from SPLIT_OTHER on another in the same columns, who are two people's.
SPLIT_KIND: Final = 0
SPLIT_LOW: Final = 1
SPLIT_HIGH: Final = 2
SPLIT_OTHER: Final = 3
SPLIT_WIDTH: Final = 6

# `event_types`: by type number of the schema
E_SPECIAL: Final = 0
E_FACTS_FROM: Final = 1
E_FACTS_TO: Final = 2
E_MEASURES_FROM: Final = 3
E_MEASURES_TO: Final = 4
E_MOMENTS_FROM: Final = 5
E_MOMENTS_TO: Final = 6
E_BEGINS_FROM: Final = 7
E_BEGINS_TO: Final = 8
E_TRIGGERS_FROM: Final = 9
E_TRIGGERS_TO: Final = 10
E_FANS_FROM: Final = 11
E_FANS_TO: Final = 12
E_ENDS: Final = 13  # 1 if such an event, or an item of it, may end candidates
E_PRODUCT: Final = 14  # column of the product a world event is about; -1: an event of a customer
E_FIRST: Final = 15  # columns of the fields that a special event is read by
E_SECOND: Final = 16
E_THIRD: Final = 17
E_FOURTH: Final = 18
E_FIFTH: Final = 19
E_JUDGES_FROM: Final = 20  # what such an event, or an item of it, may flip
E_JUDGES_TO: Final = 21
E_FEEDS_FROM: Final = 22  # into `feed_uses`: the sources that are known up to when such an event occurred
E_FEEDS_TO: Final = 23
EVENT_TYPE_WIDTH: Final = 24

SPECIAL_NONE: Final = 0
SPECIAL_REPORTED: Final = 1  # contact_reported: campaign, class, channel, offer
SPECIAL_OFFER: Final = 2  # offer_shown: offer, family, product, decision, campaign
SPECIAL_REACTION: Final = 3  # the other offer events: the same
SPECIAL_ASKED: Final = 4  # asked: placement
SPECIAL_PAUSED: Final = 5  # campaign_paused: campaign, class, everything
SPECIAL_RESUMED: Final = 6  # campaign_resumed: the same
SPECIAL_STOPPED: Final = 7  # campaign_stopped: the same
SPECIAL_RESOURCE: Final = 8  # resource_set: resource, left
SPECIAL_RECEIPT: Final = 16  # and above: this + the state that is told: contact, campaign, class, channel, offer

# `facts`
FACT_LASTS: Final = 0  # µs, 0: until closed
FACT_PARTS: Final = 1
FACT_MASKS: Final = 2  # bit m: there are closings that lack the parts in mask m
FACT_TOTALLED: Final = 3  # 1 where the number of open keys is asked for
FACT_PREFIXED: Final = 4  # 1 where a first value of several is asked for
FACT_JUDGED: Final = 5  # 1 where a segment or a judged suppression reads it
FACT_STOPS: Final = 6  # 1 where another suppression reads it
FACT_MEMBERS: Final = 7  # 1: a group of which is kept who is in it, as others are asked, or counted, with one
FACT_GROUPS: Final = 8  # bits: the groups whose members are asked for it
FACT_TABLE_WIDTH: Final = 9

# `fact_uses`
USE_FACT: Final = 0
USE_CLOSES: Final = 1
USE_WHERE: Final = 2
USE_MASK: Final = 3  # bit i: the event's type lacks part i
USE_NULL_IS_ALL: Final = 4  # 1: a NULL part speaks for all values, too, and opens nothing
USE_PART: Final = 5  # three columns

# `measures`
MEASURE_AGGREGATE: Final = 0
MEASURE_PANE_US: Final = 1  # 0: no window
MEASURE_BY_FIELD: Final = 2

# `measure_uses`
MU_MEASURE: Final = 0
MU_WHERE: Final = 1
MU_COLUMN: Final = 2  # of `values`, -1: none
MU_PART: Final = 3  # where the value has a hash

# `moments`
MOMENT_FIRST: Final = 0  # row of its first sub-step in `substeps`
MOMENT_SUBSTEPS: Final = 1
MOMENT_WITHIN_US: Final = 2
MOMENT_ABSENT_US: Final = 3  # 0: no final absence
MOMENT_LAG_US: Final = 4
MOMENT_KEYED: Final = 5
MOMENT_CAMPAIGNS_FROM: Final = 6
MOMENT_CAMPAIGNS_TO: Final = 7
MOMENT_INITIATOR: Final = 8  # its first event, if that is shared with other moments (engine/moments.py), or -1
MOMENT_WIDTH: Final = 9

# `substeps`
SUB_IS_LAST: Final = 0  # of its step
SUB_WITHIN_US: Final = 1
SUBSTEP_WIDTH: Final = 2

# `advances`: by event type, the moments that such an event may advance or undo
ADVANCE_MOMENT: Final = 0
ADVANCE_FROM: Final = 1  # into `moment_uses`
ADVANCE_TO: Final = 2
ADVANCE_KEY: Final = 3  # part of the moment's key
ADVANCE_BEGINS: Final = 4  # 1 if it may begin one by itself; else it does nothing where no progress is kept, but
ADVANCE_AFTER: Final = 5  # after this initiator,
ADVANCE_AFTER_US: Final = 6  # less than so long after it (0: never)
ADVANCE_WIDTH: Final = 7

# `moment_uses`, by event type, then moment, then kills before steps and later steps before earlier ones
USED_BY: Final = 0
USED_ROLE: Final = 1
USED_FROM: Final = 2
USED_TO: Final = 3
USED_WHERE: Final = 4
USED_ALONE: Final = 5  # 1 if it may act where no progress is kept
USED_WIDTH: Final = 6

# `begins`, by event type: which initiators such an event is
BEGINS_INITIATOR: Final = 0
BEGINS_WHERE: Final = 1

# `triggers`: campaigns by event type; `fans` the same for world events
T_CAMPAIGN: Final = 0
T_WHERE: Final = 1
T_KEY: Final = 2  # part of the campaign's `per`
T_FACT: Final = 3  # of a fan

# `segments`
SEGMENT_CONDITION: Final = 0
SEGMENT_TIMED: Final = 1  # 1 if time alone may flip it
SEGMENT_ENTERED_FROM: Final = 2  # into `segment_campaigns`
SEGMENT_ENTERED_TO: Final = 3
SEGMENT_LEFT_FROM: Final = 4
SEGMENT_LEFT_TO: Final = 5
SEGMENT_WIDTH: Final = 6

# `judges`: what is judged after an event, by event type and then all of it, in the order of judging
JUDGES: Final = 0  # a segment; above them: their number + a suppression with `then` or `at_most`

# `campaigns`
CAMPAIGN_CLASS: Final = 0
CAMPAIGN_IF: Final = 1
CAMPAIGN_PROPOSALS_FROM: Final = 2  # one with each of its offers, one in all where it has none
CAMPAIGN_PROPOSALS_TO: Final = 3
CAMPAIGN_IS_OFFER: Final = 4
CAMPAIGN_PROPENSITY: Final = 5
CAMPAIGN_KEYED: Final = 6  # 1: one wish per key; BY_MOMENT: which is its moment's key
CAMPAIGN_AFTER_US: Final = 7
CAMPAIGN_WAIT_US: Final = 8  # as it holds: its own, the policy's, or 0 for an exempt class
CAMPAIGN_VALID_US: Final = 9
CAMPAIGN_UNTIL: Final = 10  # fact that remembers its `until` events
CAMPAIGN_UNTIL_KEYED: Final = 11
CAMPAIGN_AGAIN_US: Final = 12
CAMPAIGN_FROM: Final = 13
CAMPAIGN_TO: Final = 14
CAMPAIGN_TIE: Final = 15
CAMPAIGN_SENDS: Final = 16  # how many channels in `sends`
CAMPAIGN_PLACEMENTS: Final = 17  # bits
CAMPAIGN_OWNER: Final = 18  # number of its owner, in order of first mention, or -1
CAMPAIGN_AT_MOST: Final = 19  # contacts in one run, 0: no limit
CAMPAIGN_HELD: Final = 20  # its own share of customers held out, of SHARES
CAMPAIGN_NAME: Final = 21  # name code
CAMPAIGN_UNSEEN_US: Final = 22  # how long a contact may stay unseen
CAMPAIGN_FOLLOWS: Final = 23  # how many channels in `follows`
CAMPAIGN_FAILURES: Final = 24  # of FAILURE_PARTS contacts of a run so many may not fail, 0: any number
CAMPAIGN_FAILURES_OF: Final = 25  # once it has made so many
CAMPAIGN_FEEDS_FROM: Final = 26  # into `campaign_feeds`: the sources on which it depends
CAMPAIGN_FEEDS_TO: Final = 27
CAMPAIGN_WIDTH: Final = 28

FAILURE_PARTS: Final = 1_000_000

BY_MOMENT: Final = 2

# Columns of `campaign_numbers` from here on are of the candidate: `ranking` of the state has them when it is ranked.
NUMBER_PROPENSITY: Final = 3

# `proposals`: a campaign with one of its offers
PROPOSAL_CAMPAIGN: Final = 0
PROPOSAL_OFFER: Final = 1
PROPOSAL_IF: Final = 2  # the offer's
PROPOSAL_PRODUCT: Final = 3  # name code
PROPOSAL_FAMILY: Final = 4  # name code
PROPOSAL_COMPUTED_FROM: Final = 5  # into `computed`
PROPOSAL_COMPUTED_TO: Final = 6
PROPOSAL_NAME: Final = 7  # name code of the offer, or -1
PROPOSAL_WIDTH: Final = 8

# `computed`: parameters of offers that expressions give
COMPUTED_COLUMN: Final = 0  # of `figures`, after those that each line has
COMPUTED_EXPRESSION: Final = 1

# `goals`: what campaigns are to bring about; no decision reads them (runtime/goals.py)
GOAL_CAMPAIGN: Final = 0
GOAL_EVENT: Final = 1  # number of the event type or item
GOAL_WHERE: Final = 2
GOAL_WITHIN_US: Final = 3

# `schedules`
SCHEDULE_CAMPAIGN: Final = 0
SCHEDULE_AT: Final = 1  # of `once`; -1 for `every`
SCHEDULE_MINUTE: Final = 2
SCHEDULE_WEEKDAY: Final = 3  # -1: any
SCHEDULE_MONTH_DAY: Final = 4  # 0: any

# `classes`
CLASS_TIER: Final = 0
CLASS_PURPOSE: Final = 1  # name code
CLASS_CONSENT_REQUIRED: Final = 2
CLASS_EXEMPT_CAPS: Final = 3
CLASS_EXEMPT_GAP: Final = 4
CLASS_COUNTS: Final = 5  # 0: its contacts are in no cap, and in no gap of others
CLASS_EXPLORED: Final = 6
CLASS_HELD: Final = 7
CLASS_NAME: Final = 8  # name code

# `channels`
CHANNEL_KIND: Final = 0  # identifier kind of its address, or -1
CHANNEL_NAME: Final = 1  # name code
CHANNEL_RECEIPTS_US: Final = 2  # 0: what is decided is sent
CHANNEL_WINDOWS_FROM: Final = 3  # into `windows`; none: always open
CHANNEL_WINDOWS_TO: Final = 4

# `windows`: when something is open on a local clock
WINDOW_FROM_US: Final = 0  # of the local day
WINDOW_TO_US: Final = 1
WINDOW_WEEKDAYS: Final = 2  # bits, Monday first

# `holidays`: dates in order, each YEAR · year + 100 · month + day; the year 0 is each year
YEAR: Final = 10_000

# `caps`, those that name a placement last, ordered by set, those with `for` first
CAP_INDEX: Final = 0  # position in the playbook: those of the policies, then those of the placements
CAP_SET: Final = 1
CAP_MAX: Final = 2
CAP_ROLLING_US: Final = 3
CAP_PERIOD: Final = 4
CAP_SEGMENT: Final = 5
CAP_OWN: Final = 6  # trait of the customer's own choice, or -1
CAP_LIFTS: Final = 7  # 1 if something else than time may lift a cap of its set
CAP_ROW: Final = 8  # row of the cap that has this row's number as its position in the playbook
CAP_GROUP: Final = 9  # the fact that is a membership in the group whose contacts count, or -1
CAP_SCOPES: Final = 10  # how many of the columns from here on say something
CAP_SCOPE: Final = 11  # what it is about: ANY, EACH, or a value

# What a contact or a show is, and a cap may be about: places from CAP_SCOPE on, in a contact and in `state.scope`.
SCOPE_CAMPAIGN: Final = 0
SCOPE_CLASS: Final = 1
SCOPE_CHANNEL: Final = 2
SCOPE_FAMILY: Final = 3  # name code
SCOPE_OWNER: Final = 4
SCOPE_CATEGORY: Final = 5  # name code
SCOPE_ADDRESS: Final = 6  # first half of the identifier
SCOPE_PLACEMENT: Final = 7  # of a show
SCOPES: Final = 8

NONE: Final = -1  # of a contact: it has nothing there
ANY: Final = -1  # of a cap
EACH: Final = -2

PERIOD_DAY: Final = 1
PERIOD_WEEK: Final = 2
PERIOD_MONTH: Final = 3

# `resources`: those declared, then a channel's rate
RESOURCE_LENGTH_US: Final = 0  # of a bucket; 0: by period
RESOURCE_PERIOD: Final = 1  # 0: one bucket for ever
RESOURCE_LIMIT: Final = 2  # of a bucket: contacts, units, ten-thousandths of money
RESOURCE_SHARED: Final = 3  # what no class has reserved of it
RESOURCE_IS_MONEY: Final = 4
RESOURCE_WINDOWS_FROM: Final = 5  # into `windows`
RESOURCE_WINDOWS_TO: Final = 6
RESOURCE_WIDTH: Final = 7

# `uses`, by campaign and channel
USES_RESOURCE: Final = 0
USES_AMOUNT: Final = 1

# `stocks`: resources that a contact about a product uses
STOCK_PRODUCT: Final = 0  # name code
STOCK_RESOURCE: Final = 1

# `suppressions`
SUPPRESSION_CONDITION: Final = 0
SUPPRESSION_THEN_US: Final = 1
SUPPRESSION_AT_MOST_US: Final = 2
SUPPRESSION_JUDGED: Final = 3  # 1 if it has `then` or `at_most`
SUPPRESSION_TIMED: Final = 4  # 1 if time alone may change its condition
SUPPRESSION_OFFERS: Final = 5
SUPPRESSION_CLASSES: Final = 6  # bits

# `feeds`: the sources with `stale_after` on which campaigns depend
FEED_SOURCE: Final = 0  # its number among all sources
FEED_STALE_US: Final = 1  # 0: others say when it is stale

# `placements`
PLACEMENT_SLOTS: Final = 0
PLACEMENT_TIMES: Final = 1  # after so many shows without a reaction a campaign rests, 0: never
PLACEMENT_PAUSE_US: Final = 2

# `roles`: what a name of the playbook stands for, by name code
ROLE_CAMPAIGN: Final = 0
ROLE_CLASS: Final = 1
ROLE_CHANNEL: Final = 2
ROLE_OFFER: Final = 3
ROLE_PLACEMENT: Final = 4
ROLE_RESOURCE: Final = 5
ROLES: Final = 6


class ZoneTables(Tables):
    """All time zones, as `onevoice.zones.Zones` lays them out."""

    fields: ClassVar = {"transitions": "i1", "offsets": "i1", "starts": "i2"}
    transitions: NDArray[np.int64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]


class Program(Tables):
    """The tables of one playbook."""

    fields: ClassVar = {
        "limits": "i1",
        "kinds": "i2",
        "splits": "i2",  # each of the two identifiers first, in a row of its own
        "event_types": "i2",
        "facts": "i2",
        "fact_uses": "i2",
        "measures": "i2",
        "measure_uses": "i2",
        "moments": "i2",
        "substeps": "i2",
        "advances": "i2",
        "moment_uses": "i2",
        "begins": "i2",
        "moment_campaigns": "i2",
        "triggers": "i2",
        "fans": "i2",
        "segments": "i2",
        "segment_campaigns": "i2",
        "judges": "i2",
        "campaigns": "i2",
        "campaign_numbers": "f2",
        "proposals": "i2",
        "computed": "i2",
        "sends": "i2",
        "follows": "i2",  # campaign × place: by which channel what stays unseen is followed
        "parts": "i2",  # event type × campaign: where its `per` field is
        "schedules": "i2",
        "goals": "i2",
        "classes": "i2",
        "channels": "i2",
        "caps": "i2",
        "resources": "i2",
        "reserves": "i2",  # resource × class: of a bucket
        "uses": "i2",
        "use_spans": "i2",  # campaign × channel: range in `uses`
        "stocks": "i2",
        "windows": "i2",
        "holidays": "i1",
        "suppressions": "i2",
        "feeds": "i2",
        "feed_uses": "i2",  # by event type
        "campaign_feeds": "i2",  # by campaign
        "placements": "i2",
        "offers": "f2",
        "products": "f2",
        "roles": "i2",
        "coded": "i2",  # event type × column of `values`: 1 where it holds a name
        "coded_traits": "i1",  # trait: 1 where it holds a name
        "code": "i2",
        "constants": "f1",
        "spans": "i2",
        "zones": ZoneTables,
        "room_for_row": "i2",  # event type × pool: rows that one event row may take
        "room_for_event": "i1",  # pool: what comes on top for each event
        "room_for_timer": "i1",  # pool: what one timer may take
    }
    limits: NDArray[np.int64]
    kinds: NDArray[np.int64]
    splits: NDArray[np.int64]
    event_types: NDArray[np.int64]
    facts: NDArray[np.int64]
    fact_uses: NDArray[np.int64]
    measures: NDArray[np.int64]
    measure_uses: NDArray[np.int64]
    moments: NDArray[np.int64]
    substeps: NDArray[np.int64]
    advances: NDArray[np.int64]
    moment_uses: NDArray[np.int64]
    begins: NDArray[np.int64]
    moment_campaigns: NDArray[np.int64]
    triggers: NDArray[np.int64]
    fans: NDArray[np.int64]
    segments: NDArray[np.int64]
    segment_campaigns: NDArray[np.int64]
    judges: NDArray[np.int64]
    campaigns: NDArray[np.int64]
    campaign_numbers: NDArray[np.float64]
    proposals: NDArray[np.int64]
    computed: NDArray[np.int64]
    sends: NDArray[np.int64]
    follows: NDArray[np.int64]
    parts: NDArray[np.int64]
    schedules: NDArray[np.int64]
    goals: NDArray[np.int64]
    classes: NDArray[np.int64]
    channels: NDArray[np.int64]
    caps: NDArray[np.int64]
    resources: NDArray[np.int64]
    reserves: NDArray[np.int64]
    uses: NDArray[np.int64]
    use_spans: NDArray[np.int64]
    stocks: NDArray[np.int64]
    windows: NDArray[np.int64]
    holidays: NDArray[np.int64]
    suppressions: NDArray[np.int64]
    feeds: NDArray[np.int64]
    feed_uses: NDArray[np.int64]
    campaign_feeds: NDArray[np.int64]
    placements: NDArray[np.int64]
    offers: NDArray[np.float64]
    products: NDArray[np.float64]
    roles: NDArray[np.int64]
    coded: NDArray[np.int64]
    coded_traits: NDArray[np.int64]
    code: NDArray[np.int64]
    constants: NDArray[np.float64]
    spans: NDArray[np.int64]
    zones: ZoneTables
    room_for_row: NDArray[np.int64]
    room_for_event: NDArray[np.int64]
    room_for_timer: NDArray[np.int64]
