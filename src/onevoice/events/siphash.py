"""SipHash-2-4 over many byte texts at once, keyed so that nobody can aim for a collision or guess a value back.

Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012); the 128-bit variant is that of the authors' reference
implementation. All unsigned arithmetic of the project stays in this file; what leaves it are int64 bit patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.events.lean import inlined, kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_U: Final = np.uint64
_INIT: Final = (_U(0x736F6D6570736575), _U(0x646F72616E646F6D), _U(0x6C7967656E657261), _U(0x7465646279746573))
_INIT_0, _INIT_1, _INIT_2, _INIT_3 = _INIT
_13, _16, _17, _21, _32 = _U(13), _U(16), _U(17), _U(21), _U(32)
_51, _48, _47, _43 = _U(51), _U(48), _U(47), _U(43)
_0, _1, _2, _8, _56, _63, _64 = _U(0), _U(1), _U(2), _U(8), _U(56), _U(63), _U(64)
_END, _END_WIDE, _SECOND_WIDE, _WIDE = _U(0xFF), _U(0xEE), _U(0xDD), _U(0xEE)
_ONES: Final = 0x0101010101010101
_LOW_BITS, _HIGH_BITS = _U(0x7F * _ONES), _U(0x80 * _ONES)
_FROM_A, _BEYOND_Z = _U((0x80 - ord("A")) * _ONES), _U((0x7F - ord("Z")) * _ONES)
_STATE_WIDTH: Final = 7  # a state as `_taken` describes it, and how many bytes it has taken in


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
    states = np.empty((len(before.fold), _STATE_WIDTH), np.uint64)
    mask = 2**64 - 1
    with np.errstate(over="ignore"):  # wrapping is what the hash is made of; without the compiler NumPy would warn
        _begin(before, _U(secret[0] & mask), _U(secret[1] & mask), states, out.shape[1])
        _hash_all(letters, kinds, np.ascontiguousarray(spans), states, before.fold, out)


@kernel
def _begin(before: Prefixes, k0: Any, k1: Any, states: Any, words: Any) -> None:
    """Write the state of a hash of one word or two that has taken in a kind's prefix, for each kind."""
    for kind in range(states.shape[0]):
        v1 = k1 ^ _INIT_1 ^ (_WIDE if words == 2 else _0)
        state = k0 ^ _INIT_0, v1, k0 ^ _INIT_2, k1 ^ _INIT_3, _0, _0
        state = _taken(before.letters, before.starts[kind], before.starts[kind + 1], False, state)
        for i in range(6):
            states[kind, i] = state[i]
        states[kind, 6] = _U(before.starts[kind + 1] - before.starts[kind])


@kernel
def _hash_all(letters: Any, kinds: Any, spans: Any, states: Any, fold: Any, out: Any) -> None:
    """Hash each span behind its kind's prefix; the width of `out` chooses 64 or 128 bits."""
    for i in range(spans.shape[0]):
        kind, start, stop = kinds[i], spans[i, 0], spans[i, 1]
        begun = states[kind]
        state = begun[0], begun[1], begun[2], begun[3], begun[4], begun[5]
        _end(_taken(letters, start, stop, fold[kind] == 1, state), begun[6] + _U(stop - start), out[i])


@inlined
def _taken(letters: Any, start: Any, stop: Any, fold: Any, state: Any) -> Any:
    """Return a state that has taken in a text, too; `fold` makes A to Z small.

    A state has the four words of the algorithm, the bytes that do not fill a word yet, and how many bits they are.
    """
    v0, v1, v2, v3, rest, bits = state
    while stop - start >= 8:
        word = _word(letters, start, start + 8, fold)
        start += 8
        v0, v1, v2, v3 = _mixed(v0, v1, v2, v3, rest | (word << bits))
        rest = (word >> _1) >> (_63 - bits)  # in two steps, for together they may be 64
    if start < stop:
        word = _word(letters, start, stop, fold)
        fresh = _8 * _U(stop - start)
        rest |= word << bits
        bits += fresh
        if bits >= _64:
            v0, v1, v2, v3 = _mixed(v0, v1, v2, v3, rest)
            bits -= _64
            rest = word >> (fresh - bits)
    return v0, v1, v2, v3, rest, bits


@inlined
def _word(letters: Any, start: Any, stop: Any, fold: Any) -> Any:
    """Return one to eight bytes as a little-endian number."""
    word = _0
    if stop >= 8:  # of the eight bytes that end there, the last
        for i in range(8):
            word |= _U(letters[stop - 8 + i]) << (_8 * _U(i))
        word >>= _64 - _8 * _U(stop - start)
    else:
        for i in range(start, stop):
            word |= _U(letters[i]) << (_8 * _U(i - start))
    return _small(word) if fold else word


@inlined
def _small(word: Any) -> Any:
    """Return a word with A to Z as a to z in each of its eight bytes."""
    low = word & _LOW_BITS
    beyond_z, from_a = low + _BEYOND_Z, low + _FROM_A  # the high bit of a byte says so
    return word | ((from_a & ~beyond_z & ~word & _HIGH_BITS) >> _2)


@kernel
def _mixed(v0: Any, v1: Any, v2: Any, v3: Any, word: Any) -> Any:
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


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


@inlined
def _end(state: Any, length: Any, out: Any) -> None:
    """Write the hash to `out`, one word or two; `length` counts the bytes that the state has taken in."""
    v0, v1, v2, v3, rest, _ = state
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3, rest | (length << _56))
    v2 ^= _END_WIDE if out.shape[0] == 2 else _END
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    out[0] = v0 ^ v1 ^ v2 ^ v3
    if out.shape[0] == 2:
        v1 ^= _SECOND_WIDE
        for _ in range(4):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        out[1] = v0 ^ v1 ^ v2 ^ v3
