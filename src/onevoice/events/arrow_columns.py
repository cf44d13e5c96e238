"""Arrow arrays to what a column of a batch holds.

Each reader gives the plain values at once and marks the rows in doubt: those whose value needs a closer look or a
sentence why it cannot be used. Rows in doubt are read again, one by one, with the meaning of a line (`lines.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.events.batch import LATEST_US, MISSING_TIME, NAME_CHARACTERS_MAX
from onevoice.events.pyarrow_untyped import Array, pa, pc
from onevoice.events.spelling import AS_IT_IS, EMAIL, trim
from onevoice.events.values import normal_phone
from onevoice.playbook.model import DAY, FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from onevoice.events.lines import Names
    from onevoice.playbook.model import Identifier

FIRST_US: Final = -62_135_596_800_000_000  # 0001-01-01
DAY_MS: Final = DAY // 1_000
_UNITS_PER_S: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Read(NamedTuple):
    """float64[n] of an array, NaN for NULL, and bool[n]: the rows in doubt."""

    values: NDArray[np.float64]
    doubtful: NDArray[np.bool_]


class Texts(NamedTuple):
    """Texts in a buffer: int64[n, 2] of (start, stop), bool[n] where there is one, bool[n] the rows in doubt."""

    letters: NDArray[np.uint8]
    spans: NDArray[np.int64]
    given: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]


def valid(array: Array) -> NDArray[np.bool_]:
    """Return bool[n]: where an array is not null."""
    if array.null_count == 0:
        return np.ones(len(array), np.bool_)
    return array.is_valid().to_numpy(zero_copy_only=False)


def is_text(kind: Any) -> bool:
    """Tell whether an Arrow type holds texts."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner))


def is_reference(kind: Any) -> bool:
    """Tell whether an Arrow type holds what a key, a product or an identifier may be: texts or whole numbers."""
    return is_text(kind) or bool(pa.types.is_integer(kind))


def read(array: Array, kind: FieldType, names: Names) -> Read:
    """Return the values of an array for a field that has a column in `values`."""
    return _READERS[kind](array, names)


def _doubt_all(array: Array) -> Read:
    return Read(np.full(len(array), np.nan), valid(array))


def _numbers(array: Array, _: Names) -> Read:
    kind = array.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        return _doubt_all(array)
    values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) + 0.0
    return Read(values, np.isinf(values))


def _booleans(array: Array, _: Names) -> Read:
    if not pa.types.is_boolean(array.type):
        return _doubt_all(array)
    return _numbers(array.cast(pa.int8()), _)


def _names(array: Array, names: Names) -> Read:
    return _coded(array, names) if is_text(array.type) else _doubt_all(array)


def _products(array: Array, names: Names) -> Read:
    if not is_reference(array.type):
        return _doubt_all(array)
    if pa.types.is_integer(array.type):
        array = array.dictionary_encode()
        array = pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.string()))
    coded = _coded(array, names)
    empty = names.codes.get("")
    if empty is not None:
        coded.values[coded.values == empty] = np.nan
    return coded


def _coded(array: Array, names: Names) -> Read:
    """Give each distinct text its code; one that is too long for a name puts its rows in doubt."""
    texts, index = distinct(array)
    long = np.array([*map(len, texts), 0]) > NAME_CHARACTERS_MAX
    codes = np.array([*names.codes_of(texts), np.nan])
    codes[long] = np.nan
    return Read(codes[index], long[index])


def distinct(array: Array) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct texts of an array and int64[n], which of them each row has; null rows have one more."""
    if pa.types.is_dictionary(array.type) and array.dictionary.null_count:
        array = array.dictionary_decode()
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    texts: list[str] = array.dictionary.to_numpy(zero_copy_only=False).tolist()
    indices = array.indices.cast(pa.int64())  # as it stands it may be too narrow for one more
    return texts, indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)


def _dates(array: Array, _: Names) -> Read:
    if not pa.types.is_date(array.type):
        return _doubt_all(array)
    wide = pa.types.is_date64(array.type)  # in ms, which need not be a whole day
    units = array.cast(pa.int64() if wide else pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    days, rest = np.divmod(units, DAY_MS) if wide else (units, 0)
    values = days.astype(np.float64) * DAY
    doubtful = (values < FIRST_US) | (values > LATEST_US) | (rest != 0)
    values[~valid(array)] = np.nan
    return Read(values, doubtful)


def _times(array: Array, _: Names) -> Read:
    times, doubtful = times_us(array)
    values = times.astype(np.float64)
    values[times == MISSING_TIME] = np.nan
    return Read(values, doubtful)


_READERS: Final[dict[FieldType, Callable[[Array, Names], Read]]] = {
    FieldType.NUMBER: _numbers,
    FieldType.BOOLEAN: _booleans,
    FieldType.CHOICE: _names,
    FieldType.PRODUCT: _products,
    FieldType.DATE: _dates,
    FieldType.TIME: _times,
}


def times_us(array: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return int64[n] of µs UTC, MISSING_TIME for null, and the rows in doubt: all where the zone is not said."""
    if not pa.types.is_timestamp(array.type) or array.type.tz is None:
        return np.full(len(array), MISSING_TIME, np.int64), valid(array)
    times, usable = _instants(array)
    times[~usable] = MISSING_TIME
    return times, valid(array) & ~usable


def _instants(array: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return µs, cut to whole ones, and where they lie between the years 1 and 9999."""
    units = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    per_s = _UNITS_PER_S[array.type.unit]
    usable = (units >= FIRST_US // 1_000_000 * per_s) & (units < (LATEST_US // 1_000_000 + 1) * per_s) & valid(array)
    kept = np.where(usable, units, 0)
    return (kept // 1_000 if per_s > 1_000_000 else kept * (1_000_000 // per_s)), usable


def texts(array: Array) -> Texts:
    """Return the texts of an array of references; whole numbers as their digits."""
    nothing = np.zeros(len(array), np.bool_)
    if not is_reference(array.type):
        return Texts(np.zeros(1, np.uint8), np.zeros((len(array), 2), np.int64), nothing, valid(array))
    given = valid(array)
    array = array.cast(pa.large_string())
    _, starts, letters = array.buffers()
    offsets = np.frombuffer(starts, np.int64)[array.offset : array.offset + len(array) + 1]
    spans = np.column_stack([offsets[:-1], offsets[1:]])
    given &= spans[:, 1] > spans[:, 0]
    raw = b"\0" if letters is None or not letters.size else letters
    return Texts(np.frombuffer(raw, np.uint8), spans, given, nothing)


def identifiers(array: Array, kind: Identifier) -> Texts:
    """Return the values of a kind of identifier in the spelling that is compared."""
    if kind.format == "phone" and is_reference(array.type):
        array = _phones(array, kind.region)
    found = texts(array)
    usable = np.zeros(len(array), np.bool_)
    trim(found.letters, found.spans, EMAIL if kind.format == "email" else AS_IT_IS, usable)
    return found._replace(given=found.given & usable, doubtful=found.doubtful | (valid(array) & ~usable))


def _phones(array: Array, region: str) -> Array:
    """Spell each distinct number once; one that is no phone becomes the empty text, which is in doubt."""
    coded = array.cast(pa.string()).dictionary_encode()
    spelled = [normal_phone(text.strip(), region) for text in coded.dictionary.to_pylist()]
    return pa.array(spelled, pa.string()).take(coded.indices)


def python_values(array: Array) -> list[Any]:
    """Return an array as the values that a line of JSON would hold."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _time_texts(array)
    if pa.types.is_struct(kind):
        children = [python_values(child) for child in array.flatten()]
        names = [kind.field(i).name for i in range(kind.num_fields)]
        rows: list[dict[str, Any]] = [{} for _ in range(len(array))]
        for name, child in zip(names, children, strict=True):
            for row, value in zip(rows, child, strict=True):
                if value is not None:  # null is absent
                    row[name] = value
        return [row if there else None for row, there in zip(rows, valid(array), strict=True)]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        entries = python_values(array.flatten())
        stops = np.cumsum(pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)).tolist()
        spans = zip([0, *stops], stops, valid(array), strict=False)
        return [entries[start:stop] if there else None for start, stop, there in spans]
    if pa.types.is_date(kind):
        return _date_texts(array)
    try:
        return [_python_value(value) for value in array.to_pylist()]
    except (OverflowError, ValueError, pa.ArrowException):
        return [_cell(cell) for cell in array]


def _date_texts(array: Array) -> list[str | None]:
    """Return dates as texts; one of date64 that is no whole day as the time that it is, which is no date."""
    dates: list[str | None] = array.cast(pa.string()).to_pylist()
    whole = [True] * len(dates)
    if pa.types.is_date64(array.type):
        units = array.cast(pa.int64())
        whole = (units.fill_null(0).to_numpy(zero_copy_only=False) % DAY_MS == 0).tolist()
        times = _time_texts(units.cast(pa.timestamp("ms")))
        dates = [date if day else time for date, day, time in zip(dates, whole, times, strict=True)]
    return [None if text is None else text[:10] if day else text for text, day in zip(dates, whole, strict=True)]


def _time_texts(array: Array) -> list[str | None]:
    times, usable = _instants(array)
    zone = "" if array.type.tz is None else "Z"
    return [
        (_EPOCH + timedelta(microseconds=int(us))).strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0") + zone
        if fits
        else (str(value) if there else None)
        for us, fits, there, value in zip(times, usable, valid(array), array.cast(pa.int64()).to_pylist(), strict=True)
    ]


def _cell(cell: Any) -> Any:
    """Return a cell as a Python value; its Arrow type, which no field takes, where Python has none for it."""
    try:
        return _python_value(cell.as_py())
    except (OverflowError, ValueError, pa.ArrowException):
        return cell.type


def _python_value(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
