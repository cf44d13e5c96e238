"""SipHash-2-4 over many byte texts at once, keyed so that nobody can aim for a collision or guess a value back.

Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012); the 128-bit variant is that of the authors' reference
implementation. All unsigned arithmetic of the project stays in this file; what leaves it are int64 bit patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.engine.kernel import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_U: Final = np.uint64
_INIT: Final = (_U(0x736F6D6570736575), _U(0x646F72616E646F6D), _U(0x6C7967656E657261), _U(0x7465646279746573))
_INIT_0, _INIT_1, _INIT_2, _INIT_3 = _INIT
_13, _16, _17, _21, _32 = _U(13), _U(16), _U(17), _U(21), _U(32)
_51, _48, _47, _43 = _U(51), _U(48), _U(47), _U(43)
_8, _56 = _U(8), _U(56)
_END, _END_WIDE, _SECOND_WIDE, _WIDE = _U(0xFF), _U(0xEE), _U(0xDD), _U(0xEE)


class Prefixes(NamedTuple):
    """What is hashed before each text, by kind. `fold[kind]` is 1 where A to Z count as a to z."""

    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]  # one more than kinds
    fold: NDArray[np.int64]


def prefixes(texts: Sequence[bytes], fold: Sequence[bool]) -> Prefixes:
    """Return the table of prefixes for a row of kinds."""
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    letters = np.frombuffer(b"".join(texts) + b"\0", dtype=np.uint8)
    return Prefixes(letters, starts, np.array(fold, dtype=np.int64))


NO_PREFIX: Final = prefixes([b""], [False])


def hash_texts_64(letters: NDArray[np.uint8], spans: NDArray[np.int64], secret: tuple[int, int]) -> NDArray[np.int64]:
    """Return int64[n], the 64-bit hash of `letters[start:stop]` for each row (start, stop) of `spans`; never 0."""
    out = np.empty((len(spans), 1), np.uint64)
    kinds = np.zeros(len(spans), np.int64)
    _run(letters, kinds, spans, NO_PREFIX, secret, out)
    hashes = out.view(np.int64).reshape(len(spans))
    hashes[hashes == 0] = 1
    return hashes


def hash_texts_128(
    letters: NDArray[np.uint8],
    kinds: NDArray[np.int64],
    spans: NDArray[np.int64],
    before: Prefixes,
    secret: tuple[int, int],
) -> NDArray[np.int64]:
    """Return int64[n, 2], low and high half of the 128-bit hash of the kind's prefix and `letters[start:stop]`."""
    out = np.empty((len(spans), 2), np.uint64)
    _run(letters, kinds, spans, before, secret, out)
    return out.view(np.int64)


def _run(
    letters: NDArray[np.uint8],
    kinds: NDArray[np.int64],
    spans: NDArray[np.int64],
    before: Prefixes,
    secret: tuple[int, int],
    out: NDArray[np.uint64],
) -> None:
    if not len(spans):
        return
    longest = int((spans[:, 1] - spans[:, 0]).max()) + len(before.letters)
    scratch = np.zeros(longest + 8, np.uint8)
    mask = 2**64 - 1
    with np.errstate(over="ignore"):  # wrapping is what the hash is made of; without the compiler NumPy would warn
        _hash_all(
            letters,
            kinds,
            np.ascontiguousarray(spans),
            before,
            _U(secret[0] & mask),
            _U(secret[1] & mask),
            scratch,
            out,
        )


@kernel
def _hash_all(letters: Any, kinds: Any, spans: Any, before: Prefixes, k0: Any, k1: Any, scratch: Any, out: Any) -> None:
    """Hash each span behind its kind's prefix; the width of `out` chooses 64 or 128 bits."""
    for i in range(spans.shape[0]):
        kind = kinds[i]
        length = _copied(before.letters, before.starts[kind], before.starts[kind + 1], scratch, 0, False)
        length = _copied(letters, spans[i, 0], spans[i, 1], scratch, length, before.fold[kind] == 1)
        _hash_one(scratch, length, k0, k1, out[i])


@kernel
def _copied(letters: Any, start: Any, stop: Any, scratch: Any, length: Any, fold: Any) -> Any:
    """Append a text to `scratch` and return the new length; `fold` makes A to Z small."""
    for j in range(start, stop):
        letter = letters[j]
        if fold and 65 <= letter <= 90:
            letter += 32
        scratch[length] = letter
        length += 1
    return length


@kernel
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v2 += v3
    v1 = ((v1 << _13) | (v1 >> _51)) ^ v0
    v3 = ((v3 << _16) | (v3 >> _48)) ^ v2
    v0 = (v0 << _32) | (v0 >> _32)
    v2 += v1
    v0 += v3
    v1 = ((v1 << _17) | (v1 >> _47)) ^ v2
    v3 = ((v3 << _21) | (v3 >> _43)) ^ v0
    v2 = (v2 << _32) | (v2 >> _32)
    return v0, v1, v2, v3


@kernel
def _word(text: Any, start: Any, count: Any) -> Any:
    """Return up to eight bytes as a little-endian number."""
    word = _U(0)
    for j in range(count):
        word |= _U(text[start + j]) << (_8 * _U(j))
    return word


@kernel
def _hash_one(text: Any, length: Any, k0: Any, k1: Any, out: Any) -> None:
    """Write the hash of `text[:length]` to `out`, one word or two."""
    wide = out.shape[0] == 2
    v0, v1, v2, v3 = k0 ^ _INIT_0, k1 ^ _INIT_1, k0 ^ _INIT_2, k1 ^ _INIT_3
    if wide:
        v1 ^= _WIDE
    whole = length - length % 8
    for start in range(0, whole, 8):
        word = _word(text, start, 8)
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    word = _word(text, whole, length - whole) | (_U(length & 255) << _56)
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0 ^= word
    v2 ^= _END_WIDE if wide else _END
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    out[0] = v0 ^ v1 ^ v2 ^ v3
    if wide:
        v1 ^= _SECOND_WIDE
        for _ in range(4):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        out[1] = v0 ^ v1 ^ v2 ^ v3
