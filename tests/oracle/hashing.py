"""SipHash-2-4 with 64 and with 128 bits of output, and what §13 of the page builds on it."""

from __future__ import annotations

import hashlib
from functools import lru_cache

MASK = (1 << 64) - 1


def signed(bits: int) -> int:
    bits &= MASK
    return bits - (1 << 64) if bits >> 63 else bits


def _turn(x: int, by: int) -> int:
    return ((x << by) | (x >> (64 - by))) & MASK


def _rounds(v: list[int], times: int) -> None:
    for _ in range(times):
        v[0] = (v[0] + v[1]) & MASK
        v[2] = (v[2] + v[3]) & MASK
        v[1] = _turn(v[1], 13) ^ v[0]
        v[3] = _turn(v[3], 16) ^ v[2]
        v[0] = _turn(v[0], 32)
        v[2] = (v[2] + v[1]) & MASK
        v[0] = (v[0] + v[3]) & MASK
        v[1] = _turn(v[1], 17) ^ v[2]
        v[3] = _turn(v[3], 21) ^ v[0]
        v[2] = _turn(v[2], 32)


@lru_cache(maxsize=1 << 16)
def siphash(data: bytes, secret: tuple[int, int], *, wide: bool = False) -> tuple[int, ...]:
    """Return the 64 bits, or both halves of the 128, as signed integers (Aumasson and Bernstein, 2012)."""
    k0, k1 = secret[0] & MASK, secret[1] & MASK
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    v[1] ^= 0xEE if wide else 0
    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 0xFF])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xEE if wide else 0xFF
    _rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    if not wide:
        return (signed(first),)
    v[1] ^= 0xDD
    _rounds(v, 4)
    return signed(first), signed(v[0] ^ v[1] ^ v[2] ^ v[3])


def text_hash(text: str | None, secret: tuple[int, int]) -> int:
    """Return the 64-bit hash of a text; 0 is NULL."""
    return 0 if text is None else siphash(text.encode(), secret)[0] or 1


def identifier_hash(kind: str, value: str, secret: tuple[int, int]) -> tuple[int, int]:
    low, high = siphash(f"{kind}\0{value}".encode(), secret, wide=True)
    return low, high


def name_hash(name: str) -> int:
    """Return the hash of a campaign's name, the same under every secret."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def mix(a: int, b: int) -> int:
    x = (a + b * 0x9E3779B97F4A7C15) & MASK
    x ^= x >> 30
    x = (x * 0xBF58476D1CE4E5B9) & MASK
    x ^= x >> 27
    x = (x * 0x94D049BB133111EB) & MASK
    return signed(x ^ (x >> 31))


def key_hash(values: tuple[str | None, ...], secret: tuple[int, int]) -> int:
    """Return the key of a fact: 0, h1, mix(h1, h2) or mix(mix(h1, h2), h3) …"""
    if not values:
        return 0
    key = text_hash(values[0], secret)
    for value in values[1:]:
        key = mix(key, text_hash(value, secret))
    return key
