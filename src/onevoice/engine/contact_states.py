"""What became of a contact, each state beyond the one before (semantics §9)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ContactState(IntEnum):
    """How far a contact came. It only goes up, so reports may come late, twice and in any order."""

    RESERVED = 0
    CANCELLED = 1
    SENT = 2
    FAILED = 3
    DELIVERED = 4
    SEEN = 5
    CLICKED = 6
    ANSWERED = 7


# The same as plain numbers, for kernels.
RESERVED: Final = int(ContactState.RESERVED)
CANCELLED: Final = int(ContactState.CANCELLED)
SENT: Final = int(ContactState.SENT)
FAILED: Final = int(ContactState.FAILED)
DELIVERED: Final = int(ContactState.DELIVERED)
SEEN: Final = int(ContactState.SEEN)
CLICKED: Final = int(ContactState.CLICKED)
ANSWERED: Final = int(ContactState.ANSWERED)
SHOWN: Final = ANSWERED + 1  # no contact but a show, of which nobody tells more
