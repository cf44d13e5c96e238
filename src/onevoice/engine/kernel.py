"""The one way a function becomes a kernel, and where compiled kernels are kept.

Numba's own cache does not notice changes in functions that a kernel calls from other files, so the cache folder is
named by a digest of every source file that a kernel is made from, of the versions that compile it, and of where the
files lie: numba takes up no kernel of another copy of them.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import llvmlite  # pyright: ignore[reportMissingTypeStubs]
import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# Kernels, and what they read constants from.
_SOURCES: Final = (
    "engine/*.py",
    "events/*.py",
    "conditions/opcodes.py",
    "conditions/tree.py",
    "program.py",
    "tables.py",
)

_numba: Any = numba  # its types are not declared

P = ParamSpec("P")
R = TypeVar("R")

# Nobody calls a kernel from C: leaving out what that needs saves 6% of compiling.
SETTINGS: Final[dict[str, Any]] = {
    "cache": True,
    "error_model": "numpy",
    "nogil": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}


def _digest() -> str:
    versions = (
        f"{platform.python_version()} {platform.machine()} {np.__version__} {numba.__version__} {llvmlite.__version__}"
    )
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(f"{versions} {package}".encode())
    for pattern in _SOURCES:
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of this version's compiled kernels, under the user's cache directory."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "onevoice" / "kernels" / _digest()


_numba.config.CACHE_DIR = str(cache_folder())


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first call, cached on disk; no fastmath, no threads: results are the same everywhere.

    Without the runtime that counts references (`_nrt=False`) a kernel cannot allocate, and reading a table is free.
    A literal argument compiles as its plain type: numba would compile a function anew for each constant it is given.
    """
    compiled: Any = _numba.njit(**SETTINGS)(function)
    if not _numba.config.DISABLE_JIT:
        compiled.get_call_template = _unliteral(compiled.get_call_template)
    return cast("Callable[P, R]", compiled)


def _unliteral(template: Callable[..., Any]) -> Callable[..., Any]:
    def of_plain_types(arguments: Any, keywords: Any) -> Any:
        plain: Any = [_numba.types.unliteral(argument) for argument in arguments]
        return template(tuple(plain), keywords)

    return of_plain_types
