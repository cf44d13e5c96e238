"""Kernels for a few bytes at a time, where what a call costs is most of the cost.

`onevoice.engine.kernel` widens constant arguments to their type, which spares the engine many compilations; here the
constants matter (measured: the scanner takes 0.46 µs a line with them, 1.32 µs without).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba

from onevoice.engine.kernel import SETTINGS, cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

settings: Any = cast("Any", numba).config
assert str(cache_folder()) == settings.CACHE_DIR


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first call, cached on disk, anew for each constant that it is given."""
    njit: Any = numba.njit
    compiled = njit(**SETTINGS)(function)
    return cast("Callable[P, R]", compiled)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` into each kernel that calls it."""
    njit: Any = numba.njit
    compiled = njit(inline="always", error_model="numpy", nogil=True, _nrt=False)(function)
    return cast("Callable[P, R]", compiled)
