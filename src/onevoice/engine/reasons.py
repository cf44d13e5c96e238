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
    NO_CONSENT = 8
    NO_ADDRESS = 9
    FAILED = 10
    SUPPRESSED = 11
    AGAIN_AFTER = 12
    FATIGUE = 13
    NO_CAPACITY = 14
    HOURS = 15
    GAP = 16
    CAP = 17
    KEPT_FOR = 18
    OUTRANKED = 19
    WOULD_HAVE_WON = 20


class DecisionKind(IntEnum):
    """What led to a decision: candidates met, a customer asked, a candidate came to an end, a campaign to its limit."""

    ROUND = 0
    ASK = 1
    END = 2
    STOP = 3


# The same as plain numbers, for kernels.
WON: Final = int(Reason.WON)
EXPIRED: Final = int(Reason.EXPIRED)
ENDED: Final = int(Reason.ENDED)
NOT_ELIGIBLE: Final = int(Reason.NOT_ELIGIBLE)
TOO_MANY: Final = int(Reason.TOO_MANY)
STOPPED: Final = int(Reason.STOPPED)
PAUSED: Final = int(Reason.PAUSED)
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
