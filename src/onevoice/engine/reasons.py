"""Why a candidate won or lost, in order of precedence (semantics §12), and the kinds of decisions."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Reason(IntEnum):
    """One reason for each candidate of a decision."""

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


class DecisionKind(IntEnum):
    """What led to a decision.

    Candidates met, a customer asked, a candidate came to an end, a campaign to its limit; a source became stale, or is
    fresh again.
    """

    ROUND = 0
    ASK = 1
    END = 2
    STOP = 3
    SOURCE_STALE = 4
    SOURCE_FRESH = 5


# The same as plain numbers, for kernels.
WON: Final = int(Reason.WON)
EXPIRED: Final = int(Reason.EXPIRED)
ENDED: Final = int(Reason.ENDED)
NOT_ELIGIBLE: Final = int(Reason.NOT_ELIGIBLE)
TOO_MANY: Final = int(Reason.TOO_MANY)
STOPPED: Final = int(Reason.STOPPED)
PAUSED: Final = int(Reason.PAUSED)
STALE: Final = int(Reason.STALE)
NO_CONSENT: Final = int(Reason.NO_CONSENT)
NO_ADDRESS: Final = int(Reason.NO_ADDRESS)
FAILED: Final = int(Reason.FAILED)
SUPPRESSED: Final = int(Reason.SUPPRESSED)
AGAIN_AFTER: Final = int(Reason.AGAIN_AFTER)
FATIGUE: Final = int(Reason.FATIGUE)
NO_CAPACITY: Final = int(Reason.NO_CAPACITY)
HOURS: Final = int(Reason.HOURS)
GAP: Final = int(Reason.GAP)
CAP: Final = int(Reason.CAP)
KEPT_FOR: Final = int(Reason.KEPT_FOR)
OUTRANKED: Final = int(Reason.OUTRANKED)
WOULD_HAVE_WON: Final = int(Reason.WOULD_HAVE_WON)

ROUND: Final = int(DecisionKind.ROUND)
ASK: Final = int(DecisionKind.ASK)
END: Final = int(DecisionKind.END)
STOP: Final = int(DecisionKind.STOP)
SOURCE_STALE: Final = int(DecisionKind.SOURCE_STALE)
SOURCE_FRESH: Final = int(DecisionKind.SOURCE_FRESH)
