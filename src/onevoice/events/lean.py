"""Small kernels compiled into each kernel that calls them: a call would cost more than the few bytes they look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` into each kernel that calls it."""
    njit: Any = numba.njit
    compiled = njit(inline="always", error_model="numpy", nogil=True, _nrt=False)(function)
    return cast("Callable[P, R]", compiled)
