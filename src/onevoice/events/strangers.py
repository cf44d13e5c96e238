"""Names by which an event means something of the playbook that the playbook does not have: `campaign tpyo`.

Such a name is a value like any other, and kept. But what the engine would look up by it is not there, so each use is
counted beside the unknown names of fields.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice.events.batch import ITEM, TRAIT, TRAIT_VALUE, TYPE
from onevoice.events.refusals import clipped
from onevoice.playbook.builtin import LOOKED_UP
from onevoice.zones import zone_names

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from onevoice.events.columns import Part
    from onevoice.events.schema import Schema

_ZONE: Final = "time zone"
_OF_TRAIT: Final = {"time_zone": _ZONE, "channel": "channel"}  # what a trait that means this names


class _Lookups(NamedTuple):
    """Where events of one schema name something that is looked up.

    types: bool[types + 1], the last entry serves type -1. columns: by type, what a column of `values` names. traits:
    what a trait names. known: the names that there are, by what they name.
    """

    types: NDArray[np.bool_]
    columns: dict[int, list[tuple[str, int]]]
    traits: list[tuple[str, int]]
    known: dict[str, frozenset[str]]


@lru_cache(maxsize=16)
def _lookups_of(schema: Schema) -> _Lookups:
    columns = {
        schema.events[event]: [(name, schema.layout(event).fields[name].column) for name in names]
        for event, names in LOOKED_UP.items()
    }
    types = np.zeros(len(schema.types) + 1, np.bool_)
    types[[*columns]] = True
    traits = [(_OF_TRAIT[each.means], at) for at, each in enumerate(schema.traits) if each.means in _OF_TRAIT]
    return _Lookups(types, columns, traits, schema.names | {_ZONE: frozenset(zone_names())})


def strangers(part: Part, names: Sequence[str], schema: Schema) -> Counter[str]:
    """Return how often each unknown name was used where something of the playbook, or a time zone, is looked up.

    `names`: what the codes in `part` stand for. An item repeats what its event says, and does not count.
    """
    lookups, found = _lookups_of(schema), Counter[str]()
    rows = np.flatnonzero(lookups.types[part.rows[:, TYPE]])
    kinds = part.rows[rows, TYPE]
    is_event = part.rows[rows, ITEM] == 0
    for kind in np.flatnonzero(np.bincount(kinds)).tolist():
        told = part.values[rows[is_event & (kinds == kind)]]
        for what, column in lookups.columns[kind]:
            found.update(_strange(what, told[:, column], names, lookups.known[what]))
    for what, trait in lookups.traits:
        told = part.traits[part.traits[:, TRAIT] == trait, TRAIT_VALUE]
        found.update(_strange(what, told, names, lookups.known[what]))
    return found


def _strange(what: str, codes: NDArray[np.float64], names: Sequence[str], known: Collection[str]) -> dict[str, int]:
    """Return how often each name that is not known was met."""
    met = np.bincount(codes[codes == codes].astype(np.int64))  # noqa: PLR0124 - NaN is NULL
    used = np.flatnonzero(met).tolist()
    return {f"{what} {clipped(names[code])}": int(met[code]) for code in used if names[code] not in known}
