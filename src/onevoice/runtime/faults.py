"""Kill this process at a named point, so that tests can show what survives.

`ONEVOICE_CRASH_AT="after_commit:3"` sends SIGKILL at the third passage of that point. Unset, a passage is one call
of an empty function and SQLite goes through its own VFS.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

VARIABLE: Final = "ONEVOICE_CRASH_AT"
POINTS: Final = (
    "before_commit",  # the batch is decoded, nothing of it is in the journal
    "in_write",  # half of the bytes of one write of SQLite are in the file
    "before_sync",  # SQLite has written and not yet synced
    "after_commit",  # the batch is durable, nobody has been told
    "in_snapshot",  # half of a snapshot is in its file
    "before_rename",  # the snapshot is whole and still has its temporary name
)


class _Fuse:
    """Counts the passages of one point."""

    def __init__(self, setting: str) -> None:
        name, _, count = setting.partition(":")
        if name not in POINTS or not count.isdigit() or int(count) < 1:
            msg = (
                f"{VARIABLE}: expected one of {', '.join(POINTS)} and a count, as in after_commit:3; found {setting!r}"
            )
            raise ValueError(msg)
        self.name = name
        self._left = int(count)

    def burns(self, name: str) -> bool:
        """Tell whether this passage of `name` is the one to die at."""
        if name == self.name:
            self._left -= 1
        return name == self.name and self._left == 0

    def __call__(self, name: str) -> None:
        if self.burns(name):
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _no_fuse(name: str) -> None:
    """Pass: the variable is not set."""


_fuse: Final = _Fuse(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
passage: Final[Callable[[str], None]] = _fuse or _no_fuse
_shims: Final[list[apsw.VFS]] = []  # SQLite holds no reference of its own


def journal_vfs() -> str | None:
    """Return the name of a VFS that dies inside a write or before a sync when that is asked for, else None."""
    if _fuse is None or _fuse.name not in {"in_write", "before_sync"}:
        return None
    if not _shims:
        _shims.append(_mortal_vfs(_fuse))
    return "onevoice-faults"


def _mortal_vfs(fuse: _Fuse) -> apsw.VFS:
    import apsw  # noqa: PLC0415 - only when a fault is asked for

    write: Any = apsw.VFSFile.xWrite  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - its types want Python 3.12

    class MortalFile(apsw.VFSFile):
        def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's name
            if fuse.burns("in_write"):
                write(self, data[: len(data) // 2], offset)
                _die()
            write(self, data, offset)

        def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
            fuse("before_sync")
            super().xSync(flags)

    class MortalVfs(apsw.VFS):
        def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
            return MortalFile("", name, flags)

    return MortalVfs("onevoice-faults", "")
