"""Names: the texts of choices and products that the state knows by a code, given at first use and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onevoice.conditions.code import match_patterns
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.events.siphash import hash_texts_64
from onevoice.zones import zone_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from onevoice.engine.state import State

NAMES_MAX: Final = 2**24


class Names:
    """The names of a state, in the order of their codes; the state holds what kernels need to know of each."""

    def __init__(self, patterns: Sequence[str], secret: tuple[int, int]) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._patterns = patterns
        self._secret = secret

    def code(self, text: str) -> int:
        """Return the code of a name, -1 where it is not known."""
        return self._codes.get(text, -1)

    def learn(self, state: State, texts: Sequence[str]) -> tuple[State, NDArray[np.float64]]:
        """Give codes to the names that are new; returns the state with room for them, and the code of each text.

        Beyond NAMES_MAX a new name has no code (NaN), and is counted.
        """
        fresh = [text for text in texts if text not in self._codes]
        state.scalars[at.NAMES_NOT_KEPT] += max(0, len(self.texts) + len(fresh) - NAMES_MAX)
        fresh = fresh[: NAMES_MAX - len(self.texts)]
        if fresh:
            state = self._enter(state, fresh)
        codes = np.array([self._codes.get(text, np.nan) for text in texts], np.float64)
        return state, codes

    def _enter(self, state: State, fresh: list[str]) -> State:
        start, stop = len(self.texts), len(self.texts) + len(fresh)
        state = _with_room(state, stop)
        state.names[start:stop, at.N_HASH] = hashes(fresh, self._secret)
        state.names[start:stop, at.N_ZONE] = [zone_number(text) for text in fresh]
        if self._patterns:
            state.likes[:, start:stop] = match_patterns(self._patterns, fresh)
        self.texts += fresh
        self._codes.update(zip(fresh, range(start, stop), strict=True))
        return state


def _with_room(state: State, names: int) -> State:
    size = state.names.shape[0]
    if size >= names:
        return state
    while size < names:
        size *= 2
    table = np.zeros((size, at.NAME_WIDTH), np.int64)
    table[: len(state.names)] = state.names
    likes = np.zeros((state.likes.shape[0], size), np.int64)
    likes[:, : state.likes.shape[1]] = state.likes
    return state.replaced(names=table, likes=likes)


def hashes(texts: Sequence[str], secret: tuple[int, int]) -> NDArray[np.int64]:
    """Return int64[n], the 64-bit keyed hash of each text; never 0."""
    encoded = [text.encode() for text in texts]
    edges = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    letters = np.frombuffer(b"".join(encoded) + b"\0", np.uint8)
    return hash_texts_64(letters, np.column_stack([edges[:-1], edges[1:]]), secret)


@kernel
def recode(rows: Any, values: Any, traits: Any, coded: Any, coded_traits: Any, codes: Any) -> None:
    """Replace the codes of a batch by those of the state, in place."""
    for row in range(rows.shape[0]):
        kind = rows[row, 0]
        if kind >= 0:
            for column in range(values.shape[1]):
                if coded[kind, column] and values[row, column] == values[row, column]:
                    values[row, column] = codes[int(values[row, column])]
    for row in range(traits.shape[0]):
        if coded_traits[int(traits[row, 0])] and traits[row, 1] == traits[row, 1]:
            traits[row, 1] = codes[int(traits[row, 1])]
