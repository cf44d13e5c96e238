"""Arrow columns as they may come to columns that can be read: runs decoded, and texts that are no UTF-8 found.

Arrow does not check its texts when it reads a file; one broken cell would raise wherever the column is next touched.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np

from onevoice.errors import EventError, Mistake
from onevoice.events.arrow_columns import is_text
from onevoice.events.pyarrow_untyped import Array, pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.events.schema import Schema

ASCII_MAX: Final = 127


def whole(chunks: Array) -> Array:
    """Return a chunked column as one array, without runs; one that is one already is not copied."""
    parts: list[Array] = [without_runs(chunk) for chunk in chunks.chunks]
    if len(parts) == 1:
        return parts[0]
    array = pa.chunked_array(parts).combine_chunks() if parts else without_runs(pa.array([], chunks.type))
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def without_runs(array: Array) -> Array:
    """Return a run-end-encoded array with each value at its own place; any other as it is."""
    if not pa.types.is_run_end_encoded(array.type):
        return array
    ends = array.run_ends.to_numpy(zero_copy_only=False)
    return array.values.take(pa.array(np.searchsorted(ends, array.offset + np.arange(len(array)), side="right")))


def children(array: Array, where: str) -> dict[str, Array]:
    """Return the children of a struct array by name. Raises EventError when two have one name."""
    kind = array.type
    names: list[str] = [kind.field(i).name for i in range(kind.num_fields)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        refuse_twice(where, f"{where}.{twice}")
    return {name: without_runs(child) for name, child in zip(names, array.flatten(), strict=True)}


def refuse_twice(column: str, path: str) -> NoReturn:
    """Raise EventError for two columns that have one path."""
    mend = "leave one of them out, or map it to another path"
    raise EventError(Mistake("two columns for one path", f"column {column}", found=path, mend=mend))


def sound(array: Array) -> tuple[Array, NDArray[np.bool_] | None]:
    """Return an array whose texts are all UTF-8, and bool[n], where they were not; None where they all were.

    A broken text is put right with U+FFFD. Costs a look at each byte where all is well.
    """
    kind = array.type
    if not is_text(kind):
        return array, None
    if not pa.types.is_dictionary(kind):
        return (array, None) if _is_utf8(array) else _mended(array)
    if _is_utf8(array.dictionary):
        return array, None
    texts, broken = _mended(array.dictionary)
    codes = array.indices.cast(pa.int64()).fill_null(len(broken)).to_numpy(zero_copy_only=False)
    return pa.DictionaryArray.from_arrays(array.indices, texts), np.append(broken, False)[codes]


def _is_utf8(array: Array) -> bool:
    """Tell whether all texts are UTF-8; in doubt False."""
    if _is_ascii(array):
        return True
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_ascii(array: Array) -> bool:
    """Tell whether the bytes of an array of texts are all ASCII: a tenth of the cost of the check for UTF-8."""
    if pa.types.is_string_view(array.type):
        return False
    _, starts, letters = array.buffers()
    if not len(array) or letters is None or not letters.size:
        return True
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    offsets = np.frombuffer(starts, width)
    first, last = offsets[array.offset], offsets[array.offset + len(array)]
    return bool(np.frombuffer(letters, np.uint8)[first:last].max(initial=0) <= ASCII_MAX)


def _mended(array: Array) -> tuple[Array, NDArray[np.bool_]]:
    cells: list[bytes | None] = array.cast(pa.large_binary()).to_pylist()
    texts = [None if cell is None else cell.decode(errors="replace") for cell in cells]
    broken = [
        cell is not None and text is not None and text.encode() != cell for cell, text in zip(cells, texts, strict=True)
    ]
    return pa.array(texts, pa.large_string()), np.array(broken, np.bool_)


@lru_cache(maxsize=16)
def declared_paths(schema: Schema) -> frozenset[str]:
    """Return the paths of the columns that mean something: broken text in another one does no harm."""
    fields = {name for layout in schema.types for name in (*layout.own, *layout.lists)}
    under = {"identifiers": schema.identifier_numbers, "fields": fields, "traits": schema.trait_numbers}
    paths = {f"{head}.{name}" for head, names in under.items() for name in names}
    return frozenset(paths | {"type", "time", "id", "channel", "source"})
