"""Every table of the state: its columns, their units, how it grows.

A table is a C-contiguous int64 (or float64) matrix: a row per thing, a named column per property (decision 0001). Times
are µs UTC. Rows of a pool are taken from its free list and grow by doubling, outside the kernels: `step` pauses when a
pool is short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from onevoice.program import SCOPE_CAMPAIGN, SCOPE_CHANNEL, SCOPE_CLASS, SCOPE_FAMILY, SCOPE_PLACEMENT, SCOPES
from onevoice.tables import Tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


INFINITE: Final = 2**62  # an instant that never comes
NEVER: Final = -(2**62)  # an instant before all others

# `scalars`: one number each.
NOW: Final = 0
POSITION: Final = 1  # recorded in decisions: of the line being processed, or one after the last that was taken up
NEXT_DECISION: Final = 2
NEXT_CONTACT: Final = 3
STARTED: Final = 4  # 0 until the first line or tick
OBSERVING: Final = 5  # 1 while a row with `decide: false` is processed
ROW: Final = 6  # where `step` goes on in the batch
ID_DAY: Final = 7  # the day of the last id that was kept
END: Final = 8  # position of the journal's next line
MERGES: Final = 9
IDS_TODAY: Final = 10
DUPLICATES: Final = 11
REFUSED_JOINS: Final = 12
REFUSED_IDENTIFIERS: Final = 13
IDS_NOT_KEPT: Final = 14
NAMES_NOT_KEPT: Final = 15
VALUES_NOT_SUMMED: Final = 16
MEMBERS_NOT_KEPT: Final = 17
JUDGED_AT_ONCE: Final = 18  # how often somebody was, because of another in their group
UNKNOWN_DECISIONS: Final = 19
GIVEN_BACK: Final = 20  # how many parts of resources the present event gave back and has not handed on yet
WITHOUT_EFFECT: Final = 21
UNKNOWN_CONTACTS: Final = 22
TOLD: Final = 23  # 0; in an engine that is told how many rows of `told` are in use, the first of them idle
SCALARS: Final = 24

# What of lines that came in was left out, and is told to who sent them: the scalar that counts it, by its name.
LEFT_OUT: Final[dict[str, int]] = {
    "refused joins": REFUSED_JOINS,
    "refused identifiers": REFUSED_IDENTIFIERS,
    "ids not kept": IDS_NOT_KEPT,
    "names not kept": NAMES_NOT_KEPT,
    "values not summed": VALUES_NOT_SUMMED,
    "members not kept": MEMBERS_NOT_KEPT,
    "unknown decisions": UNKNOWN_DECISIONS,
    "unknown contacts": UNKNOWN_CONTACTS,
    "control events without effect": WITHOUT_EFFECT,
}

# `pools`: rows in use, one line per table (columns in store.py).
CUSTOMERS: Final = 0
IDENTIFIERS: Final = 1
FACTS: Final = 2
CELLS: Final = 3
PROGRESS: Final = 4
PANES: Final = 5
CANDIDATES: Final = 6
CONTACTS: Final = 7
TIMERS: Final = 8
QUEUE: Final = 9
DECISIONS: Final = 10
LINES: Final = 11
IDS: Final = 12
GROUPS: Final = 13
MEMBERS: Final = 14
POOLS: Final = 15

# `customers`
ALIAS: Final = 0  # the customer this one was merged into, or itself
FOUNDING_LOW: Final = 1
FOUNDING_HIGH: Final = 2
ZONE: Final = 3
KNOWN: Final = 4  # how many identifiers that are not anonymous
FACT_HEAD: Final = 5
CELL_HEAD: Final = 6
PROGRESS_HEAD: Final = 7
CANDIDATE_HEAD: Final = 8
CANDIDATE_COUNT: Final = 9
CONTACT_HEAD: Final = 10  # newest due first
JUDGE_AT: Final = 11  # due time of the judgement timer, or INFINITE
ROUND_AT: Final = 12
SHOW_HEAD: Final = 13  # newest first
CUSTOMER_WIDTH: Final = 14

# `identifiers`
ID_KIND: Final = 0
ID_LOW: Final = 1
ID_HIGH: Final = 2
ID_CUSTOMER: Final = 3  # as it was given; aliases are resolved when read
IDENTIFIER_WIDTH: Final = 4

# `trait_stamps` has two columns per trait: occurred_at and position of the value.

# `facts`, after the columns of a store
OPEN_AT: Final = 4
OPEN_POSITION: Final = 5
CLOSE_AT: Final = 6
CLOSE_POSITION: Final = 7
FIRST: Final = 8  # 64-bit hashes of the key's values
SECOND: Final = 9
THIRD: Final = 10
OPEN: Final = 11  # 1 while open; in the rows that count: how many
END_AT: Final = 12  # due time of the timer set for it, or NEVER
FACT_WIDTH: Final = 13

# `cells`, after the columns of a store: three numbers whose meaning is the slot's (measures.py, segments.py)
CELL_WIDTH: Final = 7

# `progress`, after the columns of a store
WAIT_AT: Final = 4  # due time of a final absence, or INFINITE
WAIT_TIMER: Final = 5  # due time of the one timer that sees to it, not later; or INFINITE
SUBSTEPS: Final = 6  # anchor and time of each sub-step from here on

# `panes`
PANE: Final = 0
PANE_NEXT: Final = 1
PANE_VALUE: Final = 2
PANE_WIDTH: Final = 3

# `groups`, after the columns of a store: slot the fact, key the value that the members share
G_FIRST: Final = 4  # row in `members`, or -1
G_COUNT: Final = 5
GROUP_WIDTH: Final = 6

# `members`, after the columns of a store, whose customer is the group's row and whose key is the customer
M_WOKEN: Final = 4  # JUDGED_AT_ONCE, when the member's timer was set last: as long as it stays so, that is to come
MEMBER_WIDTH: Final = 5

# `candidates`
C_CUSTOMER: Final = 0  # -1: a free row
C_CAMPAIGN: Final = 1
C_KEY: Final = 2
C_NEXT: Final = 3
C_BORN: Final = 4  # 1 once born
C_BIRTH_AT: Final = 5
C_DUE_AT: Final = 6  # due time, or the wake time of a blocked one
C_TRIGGER_AT: Final = 7
C_TRIGGER_POSITION: Final = 8
C_EXPIRES_AT: Final = 9
C_BLOCK: Final = 10  # the reason that blocks it, or 0
C_PRODUCT: Final = 11  # name code of the world event's product, or -1
C_LAST_REASON: Final = 12  # as last recorded
C_LAST_CHANNEL: Final = 13
C_LAST_RULE: Final = 14
C_LAST_UNTIL: Final = 15
C_REASON: Final = 16  # as found in the present round
C_CHANNEL: Final = 17
C_RULE: Final = 18
C_VALUE: Final = 19
C_LIMIT: Final = 20
C_UNTIL: Final = 21
C_WAKES_AT: Final = 22  # the least instant at which time lifts what stops one of its channels, or INFINITE
C_HOURS_ZONE: Final = 23  # the zone in which a channel was closed in its last round, or -1
C_TURN_OF: Final = 24  # the resource for which it waits, or -1
C_TURN_AT: Final = 25  # when its turn is, or INFINITE
C_EXPIRY_TIMER: Final = 26  # due time of the one timer that sees to its expiry, not later; or INFINITE
C_PROPOSAL: Final = 27  # with which of its offers it came to the last round, and its contact was made; or -1
C_STAGE: Final = 28  # of a born one: WAITING, IN_FLIGHT or WATCHED
C_CLOSED: Final = 29  # bit i: the channel at place i of `sends` has failed
C_FIRST: Final = 30  # number of its first contact since it last competed, -1: none
C_CONTACT: Final = 31  # number of its last contact, -1: none
C_CONTACT_AT: Final = 32  # due time of that
C_FOLLOWED: Final = 33  # how many channels of `follows` are used up
C_PLANNED_AT: Final = 34  # when it is planned, as a round that looks ahead finds it, or INFINITE
CANDIDATE_WIDTH: Final = 35

WAITING: Final = 0
IN_FLIGHT: Final = 1  # its contact is reserved, and nobody has told yet whether it was sent
WATCHED: Final = 2  # its contact is sent; if that stays unseen, another follows

# `contacts`, and shows (shows.py), each in chains of their own
K_NUMBER: Final = 0  # -1: reported by somebody else; of a show: of its decision
HELD_OUT: Final = -2  # of one that would have been made; only its own campaign's `again_after` counts it
K_KEY: Final = 1
K_DUE_AT: Final = 2
K_NEXT: Final = 3
K_STATE: Final = 4  # contact_states.py
K_OPEN_UNTIL: Final = 5  # until then it counts, whatever is told but for failures
K_FOLLOWS: Final = 6  # number of the contact that it follows, or -1
K_OFFER: Final = 7  # name code of its offer, or -1
K_PRODUCT: Final = 8  # name code of its product where a resource is the stock of that, or -1
K_COUNTED: Final = 9  # 1 once it was sent, so that it is no more counted among the unanswered
K_SCOPE: Final = 10  # what caps go by, -1 for none; the first four are
K_CAMPAIGN: Final = K_SCOPE + SCOPE_CAMPAIGN
K_CLASS: Final = K_SCOPE + SCOPE_CLASS
K_CHANNEL: Final = K_SCOPE + SCOPE_CHANNEL
K_FAMILY: Final = K_SCOPE + SCOPE_FAMILY  # name code
K_PLACEMENT: Final = K_SCOPE + SCOPE_PLACEMENT
CONTACT_WIDTH: Final = K_SCOPE + SCOPES

# `queue`: births that wait until the event's customer has been judged
Q_CAMPAIGN: Final = 0
Q_ROW: Final = 1  # row of the batch whose fields are the context, or -1
Q_KEY: Final = 2
QUEUE_WIDTH: Final = 3

# `decisions`
D_NUMBER: Final = 0
D_KIND: Final = 1
D_TIME: Final = 2
D_POSITION: Final = 3
D_CUSTOMER: Final = 4
D_PLACEMENT: Final = 5
DECISION_WIDTH: Final = 6

# `lines`
L_DECISION: Final = 0
L_CAMPAIGN: Final = 1
L_KEY: Final = 2
L_REASON: Final = 3
L_CHANNEL: Final = 4
L_RULE: Final = 5
L_VALUE: Final = 6
L_LIMIT: Final = 7
L_UNTIL: Final = 8
L_CONTACT: Final = 9
L_OFFER: Final = 10
LINE_WIDTH: Final = 11

# `figures`, of the line in the same row: NaN where there is none
F_SCORE: Final = 0
F_PROBABILITY: Final = 1  # with which this one was to be chosen
F_COMPUTED: Final = 2  # from here on the computed parameters of its offer

# `switches`: of each campaign, then of each class, then of everything
W_STATE: Final = 0  # on, paused or stopped (switches.py)
W_CONTACTS: Final = 1  # of a campaign: in its present run
W_FAILED: Final = 2  # of those
W_FIRST: Final = 3  # number of the first contact that may be of that run
SWITCH_WIDTH: Final = 4

# `resources`
R_BUCKET: Final = 0  # when the bucket began of which so much is
R_USED: Final = 1
R_GIVEN_BACK: Final = 2  # how many contacts gave back their part in the present event, and nobody was woken for it yet
R_HAND_ON_AT: Final = 3  # when it is handed on next to who waits, or 0
R_HOPED: Final = 4  # how much would be used had all that were woken for that instant taken their parts; or NEVER
R_WIDTH: Final = 5

# `shares`: of each resource those of the classes, and the line of the classes without a reserve
S_USED: Final = 0  # by a class, in the bucket of its resource
S_TURN_AT: Final = 1  # the last turn that was given
S_GIVEN: Final = 2  # how much of its bucket was given by turns
SHARE_WIDTH: Final = 3

# `waiting`, of the candidate in the same row: its place in its line for a resource (waiting.py); rows + 1, 0 for none
H_LINE: Final = 0  # the line + 1
H_PARENT: Final = 1
H_LEFT: Final = 2
H_RIGHT: Final = 3
H_PART: Final = 4  # of the resource, that it waits for
WAITING_WIDTH: Final = 5

# `told`, of an engine that decides about a few alone: what a round among all said of a candidate (hearsay.py)
T_AT: Final = 0  # when, NEVER once it has been taken up
T_POSITION: Final = 1  # recorded in the decision, as lines are counted here
T_CUSTOMER: Final = 2
T_DECISION: Final = 3  # its number among all
T_CAMPAIGN: Final = 4  # from here on as in `lines`
T_KEY: Final = 5
T_REASON: Final = 6
T_CHANNEL: Final = 7
T_RULE: Final = 8
T_VALUE: Final = 9
T_LIMIT: Final = 10
T_UNTIL: Final = 11
TOLD_WIDTH: Final = 12

# `feeds`
F_KNOWN: Final = 0  # the latest that occurred of what the source brings, or NEVER
F_STALE: Final = 1
F_LOOK_AT: Final = 2  # when it is looked at next, or INFINITE
F_TOLD_KNOWN: Final = 3  # when it became stale or fresh: up to when it was known, 0 where it was never heard,
F_TOLD_FROM: Final = 4  # and from when on it is stale
FEED_WIDTH: Final = 5

# `asks`, by campaign
A_REASON: Final = 0  # 0: it is no candidate; OUTRANKED, as long as it could be shown
A_PROPOSAL: Final = 1
A_RULE: Final = 2  # of the line, as the next three
A_VALUE: Final = 3
A_LIMIT: Final = 4
A_UNTIL: Final = 5
ASK_WIDTH: Final = 6

# `names`
N_HASH: Final = 0
N_ZONE: Final = 1  # zone number where the name is one, else -1
NAME_WIDTH: Final = 2


DECISIONS_ROWS: Final = 8192  # so many are collected before `step` hands them over


class State(Tables):
    """All that the engine knows. One journal gives one state."""

    fields: ClassVar = {
        "scalars": "i1",
        "pools": "i2",
        "customers": "i2",
        "identifier_counts": "i2",  # customer × kind
        "addresses": "i2",  # customer × kind that caps go by: when the latest was given (position), and its half
        "traits": "f2",  # customer × trait
        "trait_stamps": "i2",
        "memberships": "i2",  # customer × segment, as bits (bits.py)
        "active": "i2",  # customer × moment, as bits: may have progress
        "initiators": "i2",  # customer × first event that moments share: the latest
        "identifiers": "i2",
        "identifiers_index": "i1",
        "facts": "i2",
        "facts_index": "i1",
        "cells": "i2",
        "cells_index": "i1",
        "progress": "i2",
        "progress_index": "i1",
        "panes": "i2",
        "group_heads": "i2",  # one number: the first of all groups
        "groups": "i2",
        "groups_index": "i1",
        "members": "i2",
        "members_index": "i1",
        "candidates": "i2",
        "contexts": "f2",  # of the candidate in the same row
        "waiting": "i2",  # as contexts
        "contacts": "i2",
        "switches": "i2",
        "resources": "i2",
        "shares": "i2",
        "first_waiting": "i1",  # by line of a resource: the candidate's row + 1 whose turn is the earliest, or 0
        "told": "i2",
        "feeds": "i2",
        "timers": "i2",
        "queue": "i2",
        "decisions": "i2",
        "lines": "i2",
        "figures": "f2",  # of the line in the same row
        "ids": "i2",  # hash and first day, open addressing
        "names": "i2",
        "likes": "i2",  # pattern × name: 1 where it matches
        "stack": "f1",  # scratch of the condition machine
        "ranks": "f1",  # scratch of a round, by candidate row
        "chances": "f1",
        "scope": "i1",  # scratch of a contact that is looked at or made: what caps go by; then of one that is assumed
        "asks": "i2",  # scratch of an ask, by campaign
        "flipped": "i1",  # scratch of a judgement, by segment
        "ask_ranks": "f1",
        "ask_chances": "f1",
        "ranking": "f1",  # scratch of a ranking: propensity, age
        "need": "i1",  # rows that `step` asked for when it paused, by pool
    }
    scalars: NDArray[np.int64]
    pools: NDArray[np.int64]
    customers: NDArray[np.int64]
    identifier_counts: NDArray[np.int64]
    addresses: NDArray[np.int64]
    traits: NDArray[np.float64]
    trait_stamps: NDArray[np.int64]
    memberships: NDArray[np.int64]
    active: NDArray[np.int64]
    initiators: NDArray[np.int64]
    identifiers: NDArray[np.int64]
    identifiers_index: NDArray[np.int64]
    facts: NDArray[np.int64]
    facts_index: NDArray[np.int64]
    cells: NDArray[np.int64]
    cells_index: NDArray[np.int64]
    progress: NDArray[np.int64]
    progress_index: NDArray[np.int64]
    panes: NDArray[np.int64]
    group_heads: NDArray[np.int64]
    groups: NDArray[np.int64]
    groups_index: NDArray[np.int64]
    members: NDArray[np.int64]
    members_index: NDArray[np.int64]
    candidates: NDArray[np.int64]
    contexts: NDArray[np.float64]
    waiting: NDArray[np.int64]
    contacts: NDArray[np.int64]
    switches: NDArray[np.int64]
    resources: NDArray[np.int64]
    shares: NDArray[np.int64]
    first_waiting: NDArray[np.int64]
    told: NDArray[np.int64]
    feeds: NDArray[np.int64]
    timers: NDArray[np.int64]
    queue: NDArray[np.int64]
    decisions: NDArray[np.int64]
    lines: NDArray[np.int64]
    figures: NDArray[np.float64]
    ids: NDArray[np.int64]
    names: NDArray[np.int64]
    likes: NDArray[np.int64]
    stack: NDArray[np.float64]
    ranks: NDArray[np.float64]
    chances: NDArray[np.float64]
    scope: NDArray[np.int64]
    asks: NDArray[np.int64]
    flipped: NDArray[np.int64]
    ask_ranks: NDArray[np.float64]
    ask_chances: NDArray[np.float64]
    ranking: NDArray[np.float64]
    need: NDArray[np.int64]


# Which pool each growing table belongs to; tables of one pool grow together.
TABLES: Final[dict[str, int]] = {
    "customers": CUSTOMERS,
    "identifier_counts": CUSTOMERS,
    "addresses": CUSTOMERS,
    "traits": CUSTOMERS,
    "trait_stamps": CUSTOMERS,
    "memberships": CUSTOMERS,
    "active": CUSTOMERS,
    "initiators": CUSTOMERS,
    "identifiers": IDENTIFIERS,
    "facts": FACTS,
    "cells": CELLS,
    "progress": PROGRESS,
    "panes": PANES,
    "groups": GROUPS,
    "members": MEMBERS,
    "candidates": CANDIDATES,
    "contexts": CANDIDATES,
    "waiting": CANDIDATES,
    "ranks": CANDIDATES,
    "chances": CANDIDATES,
    "contacts": CONTACTS,
    "timers": TIMERS,
    "queue": QUEUE,
    "decisions": DECISIONS,
    "lines": LINES,
    "figures": LINES,
}
STORES: Final[dict[str, int]] = {
    "facts_index": FACTS,
    "cells_index": CELLS,
    "progress_index": PROGRESS,
    "groups_index": GROUPS,
    "members_index": MEMBERS,
}
