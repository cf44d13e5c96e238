"""Calls between kernels that cost little: arrays without reference counts, and small kernels without a call.

Numba counts a reference to each array argument at each call of a kernel from a kernel, atomically. Where small kernels
pass five arrays on for every few bytes of a payload that is most of the time (measured: half of the scanner's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba
from numba.core import cgutils
from numba.extending import intrinsic, overload

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

tools: Any = cgutils


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` into each kernel that calls it."""
    compiled: Any = numba.njit(inline="always", error_model="numpy", nogil=True)(function)
    return cast("Callable[P, R]", compiled)


def borrowed(array: Any) -> Any:
    """Return the same array; compiled, one that owns nothing: the caller must keep `array` alive meanwhile."""
    return array


def _without_owner(_: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = tools.create_struct_proxy(signature.args[0])(context, builder, value=arguments[0])
        view.meminfo = tools.get_null_value(view.meminfo.type)
        view.parent = tools.get_null_value(view.parent.type)
        return view._getvalue()  # noqa: SLF001 - numba's own name for it

    return array(array), generate


_owned_by_none: Any = cast("Any", intrinsic)(_without_owner)


def _compiled(array: Any) -> Any:  # noqa: ARG001 - numba reads the argument's type
    def view(array: Any) -> Any:
        return _owned_by_none(array)

    return view


cast("Any", overload)(borrowed)(_compiled)
