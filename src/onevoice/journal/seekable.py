"""Bytes packed so that any part can be read without the rest: Zstandard's seekable format.

Frames of FRAME_BYTES follow each other; behind them a skippable frame says how long each is, so what reads plain
Zstandard reads this, too. Frames of this size pack lines no worse than one frame for all (docs/decisions/0003).
https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
"""

from __future__ import annotations

import struct
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs] - it ships none

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME_BYTES: Final = 32 * 1024

_SKIPPABLE: Final = struct.Struct("<II")  # magic, length of what follows
_ENTRY: Final = struct.Struct("<II")  # bytes of a frame, packed and unpacked
_FOOTER: Final = struct.Struct("<IBI")  # number of frames, descriptor, magic
_SKIPPABLE_MAGIC: Final = 0x184D2A5E
_SEEKABLE_MAGIC: Final = 0x8F92EAB1
_codec: Any = pa.Codec("zstd", compression_level=1)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def packed(payload: bytes) -> bytes:
    """Return a payload packed; what fits one frame needs no table."""
    parts = [payload[start : start + FRAME_BYTES] for start in range(0, len(payload), FRAME_BYTES)]
    frames: list[bytes] = [_codec.compress(part, asbytes=True) for part in parts]
    if len(frames) < 2:
        return b"".join(frames)
    table = b"".join(_ENTRY.pack(len(frame), len(part)) for frame, part in zip(frames, parts, strict=True))
    table += _FOOTER.pack(len(frames), 0, _SEEKABLE_MAGIC)
    return b"".join([*frames, _SKIPPABLE.pack(_SKIPPABLE_MAGIC, len(table)), table])


def unpacked(data: bytes, length: int) -> bytes:
    """Return the payload of `length` bytes; OSError where it does not unpack."""
    return _codec.decompress(data, length, asbytes=True)


def frames_of(read: Callable[[int, int], bytes], size: int) -> array[int]:
    """Return where frames begin and end in `size` stored bytes; nothing where these are not cut to frames.

    `read(offset, count)` gives stored bytes.
    """
    if size < _FOOTER.size:
        return array("q")
    count, descriptor, magic = _FOOTER.unpack(read(size - _FOOTER.size, _FOOTER.size))
    length = count * _ENTRY.size + _FOOTER.size
    if (descriptor, magic) != (0, _SEEKABLE_MAGIC) or length + _SKIPPABLE.size > size:
        return array("q")
    entries = _ENTRY.iter_unpack(read(size - length, count * _ENTRY.size))
    return array("q", accumulate((packed for packed, _ in entries), initial=0))


def part(read: Callable[[int, int], bytes], frames: array[int], length: int, start: int, stop: int) -> bytes:
    """Return bytes `[start, stop)`, some of the `length` of a payload that is cut to frames; read as above.

    OSError where it does not unpack.
    """
    if start >= stop:
        return b""
    first, after = start // FRAME_BYTES, -(-stop // FRAME_BYTES)
    data = read(frames[first], frames[after] - frames[first])
    base = first * FRAME_BYTES
    return unpacked(data, min(length, after * FRAME_BYTES) - base)[start - base : stop - base]
