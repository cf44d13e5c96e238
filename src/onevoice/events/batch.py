"""What decoding gives: columns, the names they refer to, and the lines that could not be used."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice.errors import Mistake

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Columns of `Batch.rows`.
TYPE: Final = 0  # number in Schema.types; -1: unknown, kept and unused
OCCURRED_AT: Final = 1  # µs UTC, or MISSING_TIME
LINE: Final = 2  # index among the non-empty lines of the payload; items share their parent's
ITEM: Final = 3  # 0: the event itself; 1, 2, …: its items, right after it
SOURCE: Final = 4  # number of the source, or -1
IDENTIFIERS_FROM: Final = 5
IDENTIFIERS_TO: Final = 6
TRAITS_FROM: Final = 7
TRAITS_TO: Final = 8
ID: Final = 9  # 64-bit hash of the sender's id; 0: none
ROW_WIDTH: Final = 10

# Columns of `Batch.identifiers`.
KIND: Final = 0
HASH_LOW: Final = 1
HASH_HIGH: Final = 2
IDENTIFIER_WIDTH: Final = 3

# Columns of `Batch.traits`.
TRAIT: Final = 0
TRAIT_VALUE: Final = 1
TRAIT_WIDTH: Final = 2

MISSING_TIME: Final = -(2**63)

# Limits (each is named in the message of its refusal).
LINE_BYTES_MAX: Final = 1_000_000
DEPTH_MAX: Final = 64
NAME_CHARACTERS_MAX: Final = 200
ITEMS_MAX: Final = 1_000
UNKNOWN_NAMES_MAX: Final = 1_000
OTHER_NAMES: Final = "…"  # counts the unknown names beyond UNKNOWN_NAMES_MAX
UNKNOWN_TYPE: Final = "type "  # begins the name under which an unknown event type is counted
AHEAD_US_MAX: Final = 86_400_000_000  # an event may have occurred this much after the clock by which it was let in

EARLIEST_US: Final = 0  # 1970-01-01
LATEST_US: Final = 253_402_300_800_000_000 - 1  # 9999-12-31


class Reason(StrEnum):
    """Why a line could not be used, in the order in which a line is looked at."""

    TOO_LONG = "too_long"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NO_TYPE = "no_type"
    BAD_TIME = "bad_time"
    UNKNOWN_IDENTIFIER = "unknown_identifier"
    NO_IDENTIFIER = "no_identifier"
    WRONG_TYPE = "wrong_type"
    NAME_TOO_LONG = "name_too_long"
    TOO_MANY_ITEMS = "too_many_items"
    NO_PRODUCT = "no_product"


class Rejection(NamedTuple):
    """A line that could not be used. `mistake.where` is its place inside the line, such as `$.fields.amount`."""

    line: int
    reason: Reason
    mistake: Mistake

    def at(self, lines_before: int = 0, file: str = "") -> Mistake:
        """Return the mistake with its full place: `orders.ndjson line 7: $.fields.amount`, lines counted from 1."""
        line = f"{file} line {lines_before + self.line + 1}".lstrip()
        found = self.mistake
        where = f"{line}: {found.where}" if found.where else line
        return Mistake(found.what, where, found.expected, found.found, found.mend)

    def __str__(self) -> str:
        """Give the sentence a person reads."""
        return str(self.at())


class Times(NamedTuple):
    """Which times the events of a row may have: from 1970 to AHEAD_US_MAX after its stamp.

    `stamp` (µs UTC) is what the clock showed when the row was let in; `needed`: an event has to have a time.
    """

    stamp: int = LATEST_US
    needed: bool = False

    @property
    def latest(self) -> int:
        """The latest time that is believed, µs UTC."""
        return self.stamp + AHEAD_US_MAX

    def doubted(self, occurred_at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool[n]: where a time, or that there is none (MISSING_TIME), is not to be believed."""
        missing = occurred_at == MISSING_TIME
        beyond = (occurred_at < EARLIEST_US) | (occurred_at > self.latest)
        return np.where(missing, self.needed, beyond)


ANY_TIME: Final = Times()


class Batch(NamedTuple):
    """Events as columns; all arrays are C-contiguous.

    rows: int64[n, ROW_WIDTH], in payload order, each event followed by its items.
    values: float64[n, F]. NaN is NULL; a choice or product is an index in `names`; a date is the µs of its UTC
        midnight, a time µs UTC; a boolean 1 or 0.
    keys: int64[n, K], the 64-bit hash of each key field, 0 for NULL.
    identifiers: int64[m, 3]: kind and the 128-bit keyed hash of the value, in the order of trust within an event.
    traits: float64[k, 2]: trait number and value; NaN clears the trait.
    names: the choices and products of this batch in order of their first use in `values` and `traits`, row by row.
    rejected: the lines that could not be used. lines: how many non-empty lines there were.
    unknown: how often a name was met that the playbook does not declare. dropped: identifiers that were left out.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    keys: NDArray[np.int64]
    identifiers: NDArray[np.int64]
    traits: NDArray[np.float64]
    names: list[str]
    rejected: list[Rejection]
    lines: int
    unknown: dict[str, int]
    dropped: dict[str, int]
