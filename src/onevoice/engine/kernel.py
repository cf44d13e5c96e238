"""The one way a function becomes a kernel, and where compiled kernels are kept.

Numba's own cache does not notice changes in functions that a kernel calls from other files, so the cache folder is
named by a digest of every source file that a kernel is made from and of the versions that compile it.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import llvmlite
import numba
import numpy as np
from numba.types import unliteral  # pyright: ignore[reportAttributeAccessIssue]

# Kernels, and what they read constants from.
_SOURCES: Final = ("engine/*.py", "events/*.py", "conditions/opcodes.py", "conditions/tree.py", "program.py", "tables.py")

P = ParamSpec("P")
R = TypeVar("R")


def _digest() -> str:
    versions = f"{platform.python_version()} {platform.machine()} {np.__version__} {numba.__version__} {llvmlite.__version__}"
    digest = hashlib.sha256(versions.encode())
    package = Path(__file__).parent.parent
    for pattern in _SOURCES:
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of this version's compiled kernels, under the user's cache directory."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "onevoice" / "kernels" / _digest()


numba.config.CACHE_DIR = str(cache_folder())  # pyright: ignore[reportAttributeAccessIssue]


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first call, cached on disk; no fastmath, no threads, so that results are the same everywhere.

    Without the runtime that counts references (`_nrt=False`) a kernel cannot allocate, and reading a table costs nothing.
    A literal argument compiles as its plain type: numba would compile a function anew for each constant it is given.
    """
    compiled: Any = numba.njit(cache=True, error_model="numpy", nogil=True, _nrt=".events." in function.__module__)(function)
    if not numba.config.DISABLE_JIT:  # pyright: ignore[reportAttributeAccessIssue]
        template = compiled.get_call_template
        compiled.get_call_template = lambda args, kws: template(tuple(map(unliteral, args)), kws)
    return cast("Callable[P, R]", compiled)
