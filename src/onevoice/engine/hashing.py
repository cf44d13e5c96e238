"""Mixing 64-bit values. Hashes are int64 bit patterns: numba turns uint64 with int64 into float."""

from __future__ import annotations

import numpy as np

from onevoice.engine.kernel import kernel

_GOLDEN = np.int64(0x9E3779B97F4A7C15 - 2**64)
_FIRST = np.int64(0xBF58476D1CE4E5B9 - 2**64)
_SECOND = np.int64(0x94D049BB133111EB - 2**64)
_SIGN = np.int64(-(2**63))


@kernel
def mix(a: int, b: int) -> int:
    """Mix two 64-bit values into one (the finaliser of splitmix64 over `a + b * golden`; Steele et al. 2014)."""
    x = np.int64(a) + np.int64(b) * _GOLDEN
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _FIRST
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _SECOND
    return int(x ^ ((x >> 31) & 0x1FFFFFFFF))


@kernel
def less_unsigned(a: int, b: int) -> bool:
    """Compare two bit patterns as unsigned numbers."""
    return bool((np.int64(a) ^ _SIGN) < (np.int64(b) ^ _SIGN))
