"""Clocks on the wall to instants, by the tables of `zones` and not by a database's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.zones import zone_number, zones

if TYPE_CHECKING:
    from numpy.typing import NDArray


def instants(local: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Return µs UTC (int64[n]) at which the clocks of a zone show `local` (µs, int64[n]).

    As everywhere in a playbook: a time that happens twice is the first of the two; one that does not exist is the
    first instant after the gap.
    """
    tables = zones()
    start, stop = tables.starts[zone_number(zone)]
    begins, offsets = tables.transitions[start:stop], tables.offsets[start:stop]
    shown_until = begins[1:] + offsets[:-1]  # what the clocks show when each offset ends
    at = np.searchsorted(shown_until, local, side="right")
    return np.maximum(local - offsets[at], begins[at])
