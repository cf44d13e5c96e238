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
    NO_CONSENT = 6
    NO_ADDRESS = 7
    FAILED = 8
    SUPPRESSED = 9
    AGAIN_AFTER = 10
    GAP = 11
    CAP = 12
    OUTRANKED = 13


class DecisionKind(IntEnum):
    """What led to a decision: candidates met, a customer asked, or a candidate came to an end by itself."""

    ROUND = 0
    ASK = 1
    END = 2


# The same as plain numbers, for kernels.
WON: Final = int(Reason.WON)
EXPIRED: Final = int(Reason.EXPIRED)
ENDED: Final = int(Reason.ENDED)
NOT_ELIGIBLE: Final = int(Reason.NOT_ELIGIBLE)
TOO_MANY: Final = int(Reason.TOO_MANY)
NO_CONSENT: Final = int(Reason.NO_CONSENT)
NO_ADDRESS: Final = int(Reason.NO_ADDRESS)
FAILED: Final = int(Reason.FAILED)
SUPPRESSED: Final = int(Reason.SUPPRESSED)
AGAIN_AFTER: Final = int(Reason.AGAIN_AFTER)
GAP: Final = int(Reason.GAP)
CAP: Final = int(Reason.CAP)
OUTRANKED: Final = int(Reason.OUTRANKED)

ROUND: Final = int(DecisionKind.ROUND)
ASK: Final = int(DecisionKind.ASK)
END: Final = int(DecisionKind.END)
