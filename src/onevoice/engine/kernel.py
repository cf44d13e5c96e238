"""The one way a function becomes a kernel, and where compiled kernels are kept.

Numba's own cache does not notice changes in functions that a kernel calls from other files, so the cache folder is
named by a digest of every source file of the engine and of the versions that compile it.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import llvmlite
import numba
import numpy as np
from numba.types import unliteral  # pyright: ignore[reportAttributeAccessIssue]

P = ParamSpec("P")
R = TypeVar("R")


def _digest() -> str:
    versions = f"{platform.python_version()} {platform.machine()} {np.__version__} {numba.__version__} {llvmlite.__version__}"
    digest = hashlib.sha256(versions.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of this version's compiled kernels, under the user's cache directory."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "onevoice" / "kernels" / _digest()


numba.config.CACHE_DIR = str(cache_folder())  # pyright: ignore[reportAttributeAccessIssue]


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first call, cached on disk; no fastmath, no threads, so that results are the same everywhere.

    A literal argument compiles as its plain type: numba would compile a function anew for each constant it is given.
    """
    compiled: Any = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    if not numba.config.DISABLE_JIT:  # pyright: ignore[reportAttributeAccessIssue]
        template = compiled.get_call_template
        compiled.get_call_template = lambda args, kws: template(tuple(map(unliteral, args)), kws)
    return cast("Callable[P, R]", compiled)
