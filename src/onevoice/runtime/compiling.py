"""Kernels are compiled once for each version on a machine: who has to wait is told, and only one process works.

Compiled code is kept in a folder that all processes of a user share (`engine/kernel.py`). Whoever finds it empty takes
the lock beside it; who comes meanwhile waits for what that process leaves there, a process that dies leaves the lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing, contextmanager
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any, Final

import apsw

from onevoice.engine.kernel import cache_folder
from onevoice.events.built import encode_ndjson
from onevoice.events.pyarrow_untyped import pa
from onevoice.journal.port import Kind, Mode, Row
from onevoice.playbook.model import Identifier, Playbook
from onevoice.runtime.fold import Fold, Published
from onevoice.runtime.payloads import cut, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from onevoice.runtime.payloads import Events

COMPILING: Final = "onevoice: compiling the engine: one to three minutes, once"
WAITING: Final = "onevoice: waiting for another process that compiles the engine: one to three minutes, once"

_LOCK: Final = "compiling.lock"  # a database of SQLite, whose locks every system has and a death lets go of
_PATIENCE_MS: Final = 3_600_000
_LAST: Final = "*/step.step-*.nbi"  # what is compiled last
_READ_LINES: Final = f"from {__name__} import read_lines; read_lines()"

_PLAYBOOK: Final = Playbook("kernels", identifiers={"email": Identifier("email", "email")})
_GROWING: Final = 200  # events after which the tables have grown
_ASKS: Final = [{"type": "asked", "id": f"{n}", "identifiers": {"email": f"{n}@x.org"}} for n in range(_GROWING)]


def are_compiled() -> bool:
    """Tell whether all kernels were compiled before on this machine, or need not be."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or any(cache_folder().glob(_LAST))


def compile_once() -> None:
    """Compile all kernels unless that is done, saying so on standard error; wait where another process is at it."""
    if are_compiled():
        return
    with _locked(lambda: _tell(WAITING)):
        if not are_compiled():
            _tell(COMPILING)
            _compile()


def _compile() -> None:
    """Call every kernel; their machine code is the same for all playbooks and events.

    Reading lines shares nothing with the step, so another process compiles it meanwhile; whatever it did not get done
    is compiled here.
    """
    beside = [sys.executable, "-c", _READ_LINES]
    with subprocess.Popen(beside, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL):  # noqa: S603 - nothing from outside
        _step(pa.Table.from_pylist(_ASKS))
    _step(encode_ndjson(_ASKS))


def read_lines() -> None:
    """Compile what reads a line of JSON."""
    fold = Fold(Published.of(_PLAYBOOK), (0, 0))
    for piece in cut(encode_ndjson(_ASKS)):
        decoded(piece, Mode.LIVE, 0, fold.compiled.schema, fold.secret)


def _step(events: Events) -> None:
    fold = Fold(Published.of(_PLAYBOOK), (0, 0))
    for piece in cut(events):
        batch = decoded(piece, Mode.LIVE, 0, fold.compiled.schema, fold.secret)
        fold.step(Row(Kind.EVENTS, fold.machine.position, batch.lines, 0), batch)


@contextmanager
def _locked(on_wait: Callable[[], None]) -> Generator[None]:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    lock: Any = apsw.Connection(f"{folder / _LOCK}")  # as in journal/sqlite.py, no types that a checker can read
    with closing(lock):
        try:
            lock.execute("begin exclusive")
        except apsw.BusyError:
            on_wait()
            lock.set_busy_timeout(_PATIENCE_MS)
            lock.execute("begin exclusive")
        yield


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
