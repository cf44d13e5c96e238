"""What is kept of a customer, in plain objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from .clock import INFINITE

if TYPE_CHECKING:
    from onevoice.playbook.model import Offer

Value: TypeAlias = "float | int | bool | str | None"
Moment_: TypeAlias = "tuple[int, int]"  # (occurred_at, position)
NEVER: Moment_ = (-INFINITE, -INFINITE)


class Reason(IntEnum):
    """Why a candidate left or waits, in order of precedence (§12)."""

    WON = 1
    EXPIRED = 2
    ENDED = 3
    NOT_ELIGIBLE = 4
    TOO_MANY = 5
    STOPPED = 6
    PAUSED = 7
    STALE = 8
    NO_CONSENT = 9
    NO_ADDRESS = 10
    FAILED = 11
    SUPPRESSED = 12
    AGAIN_AFTER = 13
    FATIGUE = 14
    NO_CAPACITY = 15
    HOURS = 16
    GAP = 17
    CAP = 18
    KEPT_FOR = 19
    OUTRANKED = 20
    WOULD_HAVE_WON = 21


STATES = ("reserved", "cancelled", "sent", "failed", "delivered", "seen", "clicked", "answered")  # §9
LOST = {"cancelled", "failed"}


@dataclass(frozen=True)
class Row:
    """An event, or one of its items."""

    type: str
    fields: dict[str, Value]
    at: Moment_
    item: int = 0


@dataclass
class Interval:
    """The last opening and the last closing of one key of a fact."""

    opening: Moment_ = NEVER
    closing: Moment_ = NEVER


@dataclass
class Held:
    """What a measure holds: a number per pane; for `distinct` the last pane per value; else one value and its time."""

    panes: dict[int, float] = field(default_factory=dict)
    values: dict[Value, int] = field(default_factory=dict)
    value: Value = None
    at: Moment_ | None = None


@dataclass
class Progress:
    """(anchor, time) per sub-step of a moment, or None; `due` of the wait for a final absence."""

    states: list[tuple[int, int] | None]
    due: int | None = None


@dataclass
class Spell:
    """A judged suppression: since when its condition is true, or when it last ceased."""

    since: int | None = None
    left_at: int | None = None


@dataclass
class Contact:
    number: int  # -1: somebody else's; -2: one that would have been made
    campaign: str
    klass: str
    channel: str
    key: int
    due: int
    family: str = ""
    product: str = ""
    address: str = ""  # kind and value
    state: str = "sent"
    open_until: int = INFINITE
    follows: int = -1
    released: bool = False
    placement: str = ""  # of a show, whose number is that of its decision
    offer: str = ""


@dataclass(frozen=True)
class Trigger:
    """What started a wish: its time and position, the row's fields, the product of a world event."""

    at: Moment_
    fields: dict[str, Value] | None = None
    key: int | None = None  # a moment's, where the campaign has the same `per`
    product: str | None = None
    world: bool = False


@dataclass
class Candidate:
    campaign: str
    number: int
    key: int
    trigger: Trigger
    birth: int
    born: bool = False
    due: int = INFINITE  # of the round: due when unblocked, wake when blocked
    expiry: int = INFINITE
    reason: int = 0  # 0: unblocked
    hours_of: str = ""  # the zone by whose clock a channel was closed in the last round
    kept_for: int = -1  # the campaign for which it was kept back last
    turn: tuple[str, int] | None = None  # the resource it waits for, and when its turn is
    turn_part: int = 0  # how much of it
    recorded: tuple[int, str, int, int] | None = None  # (reason, channel, rule, until) of its last recorded line
    offer: Offer | None = None  # as the present round or ask finds it; then that of its contact
    stage: str = "waits"  # or "in flight", "watched"
    closed: frozenset[str] = frozenset()  # channels by which a contact of it has failed
    first: int = -1  # its contacts since it last competed: the first,
    last: int = -1  # the last, and when that was due
    last_due: int = 0
    followed: int = 0  # how many of the channels that follow are used up

    @property
    def under_way(self) -> int:
        """The number of the contact that the candidate is about now, -1 while it waits."""
        return -1 if self.stage == "waits" else self.last


@dataclass
class Customer:
    number: int
    founding: tuple[int, int]
    alias: int = -1
    traits: dict[str, tuple[Value, Moment_]] = field(default_factory=dict)
    facts: dict[tuple[str, int, tuple[str | None, ...]], Interval] = field(default_factory=dict)
    measures: dict[str, Held] = field(default_factory=dict)
    progress: dict[tuple[str, int], Progress] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)  # segment -> since
    spells: dict[int, Spell] = field(default_factory=dict)  # suppression -> spell
    candidates: dict[tuple[int, int], Candidate] = field(default_factory=dict)
    addresses: dict[str, tuple[int, str]] = field(default_factory=dict)  # kind -> (position, value) given last
    contacts: list[Contact] = field(default_factory=list)
    shows: list[Contact] = field(default_factory=list)
    tired: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # (placement, campaign): shows, last
    unanswered: dict[str, int] = field(default_factory=dict)  # family -> contacts since the last reaction
    holdouts: dict[str, tuple[bool, int]] = field(default_factory=dict)  # campaign, or "": held out, since
    endings: dict[tuple[int, bool, int], Moment_] = field(default_factory=dict)  # (campaign, any key, key)
    judge_at: int | None = None  # None: to be found; -1: never

    def look_anew(self, now: int) -> None:
        """Let the next judgement by time be found again, unless one is due at once."""
        if self.judge_at != now:
            self.judge_at = None


@dataclass(frozen=True)
class Line:
    campaign: str
    key: int
    reason: str
    channel: str = ""
    rule: int = -1
    value: int = 0
    limit: int = 0
    until: int = 0
    score: float | None = None
    contact: int = -1
    offer: str = ""
    probability: float | None = None
    computed: tuple[float | None, ...] = ()  # by the names of all computed parameters, None where it says nothing


@dataclass(frozen=True)
class Decision:
    number: int
    kind: str
    time: int
    position: int
    customer: int
    placement: str
    lines: tuple[Line, ...]
