"""The state at one journal position, in one file that is either whole or not there.

Layout: 64 bytes of magic; each array as raw little-endian bytes at a multiple of 64; a JSON index (arrays, digests and
the caller's header); a tail of 64 bytes that says where the index is, with its digest. Arrays are hashed in chunks, so
that two cores share the work; an array's digest is over the digests of its chunks.
"""

from __future__ import annotations

import os
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from onevoice.errors import Mistake, SnapshotError
from onevoice.runtime import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

FORMAT: Final = 1
KEPT: Final = 2  # snapshots that stay in the folder

_MAGIC: Final = b"onevoice snapshot\n".ljust(64, b"\0")
_TAIL: Final = struct.Struct("<qq32s16s")  # offset and length of the index, its digest, the end mark
_END: Final = b"onevoice the end"
_ALIGNMENT: Final = 64
_CHUNK_BYTES: Final = 8 * 1024 * 1024
_INDEX_BYTES_MAX: Final = 64 * 1024 * 1024
_THREADS: Final = min(4, os.cpu_count() or 1)
_NAME: Final = re.compile(r"state-(\d{19})\.snapshot")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state as it was saved: its arrays, writable, and the header given with them."""

    arrays: dict[str, npt.NDArray[Any]]
    header: dict[str, Any]
    path: Path


class _Entry(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    offset: int
    digest: str

    @property
    def length(self) -> int:
        """Bytes of the array."""
        return np.dtype(self.dtype).itemsize * int(np.prod(self.shape, dtype=np.int64))


class _Index(msgspec.Struct, frozen=True):
    format: int
    chunk_bytes: int
    arrays: dict[str, _Entry]
    header: dict[str, Any]


def save(folder: str | Path, arrays: dict[str, npt.NDArray[Any]], header: dict[str, Any]) -> Path:
    """Write a snapshot into `folder` (made if missing) and return its path; it is on the disk when this returns.

    `header` is JSON-like and holds `position`, the journal position the state is at. Arrays are of plain types
    (numbers, booleans, fixed text) and any shape. The newest two snapshots stay; those beyond this position, left
    from a journal that was since cut back, go. SnapshotError when it cannot be written; older snapshots then stay.
    """
    path = Path(folder) / f"state-{header['position']:019d}.snapshot"
    write(path, arrays, header)
    _tidy(path.parent, path)
    return path


def write(path: Path, arrays: dict[str, npt.NDArray[Any]], header: dict[str, Any]) -> None:
    """Write arrays into a file that is either whole or not there; SnapshotError when it cannot be written."""
    folder, aside = path.parent, path.with_suffix(".part")
    plain = {name: _plain(array) for name, array in arrays.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _file(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC) as fd:
            _write(fd, plain, header)
            os.fsync(fd)
        faults.passage("before_rename")
        aside.replace(path)
        with _file(folder, os.O_RDONLY) as fd:
            os.fsync(fd)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        mend = "make room, and see that the folder may be written"
        raise SnapshotError(Mistake("the snapshot was not written", f"{path}", found=f"{error}", mend=mend)) from error


def load_newest(folder: str | Path, at_most: int | None = None) -> tuple[Snapshot | None, list[Mistake]]:
    """Return the newest snapshot that is whole, and what was wrong with each newer one.

    None when there is no whole one. With `at_most`, snapshots beyond that journal position are passed over.
    """
    mistakes: list[Mistake] = []
    for position, path in reversed(_found(Path(folder))):
        if at_most is None or position <= at_most:
            try:
                return load(path), mistakes
            except SnapshotError as error:
                mistakes.extend(error.mistakes)
    return None, mistakes


def load(path: str | Path, *, mapped: bool = False) -> Snapshot:
    """Return the snapshot in the file at `path`, its index and every array verified, or raise SnapshotError.

    `mapped`: the arrays stay in the file, and are not to be written to.
    """
    path = Path(path)
    try:
        with _file(path, os.O_RDONLY) as fd:
            index = _read_index(fd, path)
            if mapped:
                arrays = {name: _mapped(path, entry) for name, entry in index.arrays.items()}
                digests = _digests(fd, arrays, index, _stay)
            else:
                arrays = {name: np.empty(entry.shape, np.dtype(entry.dtype)) for name, entry in index.arrays.items()}
                digests = _digests(fd, arrays, index, _fill)
    except OSError as error:
        raise SnapshotError(Mistake("the snapshot cannot be read", f"{path}", found=f"{error}")) from error
    for name, entry in index.arrays.items():
        if digests[name] != entry.digest:
            raise _damaged(path, f"array {name!r} is damaged", entry.digest[:16], digests[name][:16])
    return Snapshot(arrays, index.header, path)


def _plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    assert array.dtype.kind in "biufcSUmM", f"a snapshot holds plain types, not {array.dtype}"
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _write(fd: int, arrays: dict[str, npt.NDArray[Any]], header: dict[str, Any]) -> None:
    entries: dict[str, _Entry] = {}
    offset = len(_MAGIC)
    for name, array in arrays.items():
        entries[name] = _Entry(array.dtype.str, array.shape, offset, "")
        offset += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    _write_bytes(fd, memoryview(_MAGIC), 0)
    digests = _digests(fd, arrays, _Index(FORMAT, _CHUNK_BYTES, entries, header), _write_bytes)
    whole = {name: msgspec.structs.replace(entry, digest=digests[name]) for name, entry in entries.items()}
    index = msgspec.json.encode(_Index(FORMAT, _CHUNK_BYTES, whole, header))
    tail = _TAIL.pack(offset, len(index), blake2b(index, digest_size=32).digest(), _END)
    _write_bytes(fd, memoryview(index + tail), offset)


def _read_index(fd: int, path: Path) -> _Index:
    size = os.fstat(fd).st_size
    if os.pread(fd, len(_MAGIC), 0) != _MAGIC:
        raise _damaged(path, "this is no snapshot", "a file made by Onevoice", "another")
    tail = os.pread(fd, _TAIL.size, max(0, size - _TAIL.size))
    if len(tail) < _TAIL.size or not tail.endswith(_END):
        raise _damaged(path, "the file is cut off", "its end mark", f"{size} bytes without it")
    offset, length, digest, _ = _TAIL.unpack(tail)
    if not 0 <= length <= _INDEX_BYTES_MAX or offset + length + _TAIL.size != size:
        raise _damaged(path, "the tail is damaged", f"{size} bytes in all", f"an index of {length} at {offset}")
    raw = os.pread(fd, length, offset)
    found = blake2b(raw, digest_size=32).digest()
    if found != digest:
        raise _damaged(path, "the index is damaged", digest.hex()[:16], found.hex()[:16])
    version = msgspec.json.decode(raw)["format"]
    if version != FORMAT:
        raise _damaged(path, "the snapshot is of another format", f"{FORMAT}", f"{version}")
    return msgspec.json.decode(raw, type=_Index)


def _digests(
    fd: int,
    arrays: dict[str, npt.NDArray[Any]],
    index: _Index,
    move: Callable[[int, memoryview, int], None],
) -> dict[str, str]:
    """Move each chunk of each array between memory and file, and return the digests of the arrays."""

    def work(chunk: tuple[str, memoryview, int]) -> tuple[str, bytes]:
        name, data, offset = chunk
        move(fd, data, offset)
        return name, blake2b(data, digest_size=32).digest()

    chunks = list(_chunks(arrays, index))
    whole = {name: blake2b(digest_size=32) for name in arrays}
    with ThreadPoolExecutor(_THREADS) as threads:
        for number, (name, digest) in enumerate(threads.map(work, chunks)):
            whole[name].update(digest)
            if move is _write_bytes and number == len(chunks) // 2:
                faults.passage("in_snapshot")
    return {name: digest.hexdigest() for name, digest in whole.items()}


def _chunks(arrays: dict[str, npt.NDArray[Any]], index: _Index) -> Iterator[tuple[str, memoryview, int]]:
    for name, array in arrays.items():
        data = array.reshape(-1).view(np.uint8).data
        for start in range(0, len(data), index.chunk_bytes):
            yield name, data[start : start + index.chunk_bytes], index.arrays[name].offset + start


def _write_bytes(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def _fill(fd: int, data: memoryview, offset: int) -> None:
    while data:
        count = os.preadv(fd, [data], offset)
        if count == 0:
            return  # the file is short; the digest will not fit
        data, offset = data[count:], offset + count


def _mapped(path: Path, entry: _Entry) -> npt.NDArray[Any]:
    if not entry.length:
        return np.empty(entry.shape, np.dtype(entry.dtype))
    return np.memmap(path, np.dtype(entry.dtype), "r", entry.offset, entry.shape)


def _stay(fd: int, data: memoryview, offset: int) -> None:
    """Move nothing: what is mapped is there."""
    del fd, data, offset


@contextmanager
def _file(path: Path, flags: int) -> Generator[int]:
    fd = os.open(path, flags, 0o644)
    try:
        yield fd
    finally:
        os.close(fd)


def _found(folder: Path) -> list[tuple[int, Path]]:
    """Return position and path of each snapshot in the folder, oldest first."""
    paths = folder.iterdir() if folder.is_dir() else ()
    named = ((_NAME.fullmatch(path.name), path) for path in paths)
    return sorted((int(match[1]), path) for match, path in named if match)


def _tidy(folder: Path, newest: Path) -> None:
    """Remove what `newest` makes useless: all but the newest two, what lies beyond it, what was never finished."""
    kept = [path for _, path in _found(folder) if path <= newest][-KEPT:]
    for path in folder.iterdir():
        if path not in kept and (_NAME.fullmatch(path.name) or path.suffix == ".part"):
            path.unlink()


def _damaged(path: Path, what: str, expected: str, found: str) -> SnapshotError:
    return SnapshotError(Mistake(what, f"{path}", expected, found, "an older snapshot and the journal replace it"))
