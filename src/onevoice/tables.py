"""Many arrays as one argument of a kernel.

Numba passes a tuple of arrays by value: a hundred arrays are seven hundred scalars at each of two hundred call sites,
which took seven minutes to compile (decision 0001). A `Tables` object is passed as one pointer to a header of addresses
and shapes; inside a kernel `tables.name` reads them from there. With the compiler off the same attribute is the array
itself.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingParameterType=false, reportUntypedBaseClass=false, reportUntypedFunctionDecorator=false
# ruff: noqa: ANN001, ANN202, ARG001 - numba's extension interface has no types

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any, ClassVar, Final, Self

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ENTRY: Final = 3  # header numbers per field: address, rows, columns
_POINTER: Final = ir.IntType(64).as_pointer()
_DTYPES: Final = {"i1": (np.int64, 1), "i2": (np.int64, 2), "f1": (np.float64, 1), "f2": (np.float64, 2)}


class Tables:
    """Arrays by name, for Python as attributes and for kernels as one pointer.

    A subclass lists its `fields`: name and kind, "i1" or "i2" for int64 of one or two dimensions, "f1" or "f2" for
    float64, or another subclass of Tables. Arrays are C-contiguous and writeable; one that is not is copied.
    """

    fields: ClassVar[dict[str, str | type[Tables]]] = {}
    address: int

    def __init__(self, **arrays: Any) -> None:
        assert arrays.keys() == self.fields.keys(), arrays.keys() ^ self.fields.keys()
        self._head(np.zeros((len(self.fields), _ENTRY), np.int64), arrays)

    def _head(self, header: NDArray[np.int64], arrays: dict[str, Any]) -> None:
        """Take a header for its own, and enter arrays in it."""
        self._header = header
        self.address = header.ctypes.data
        for place, (name, kind) in enumerate(self.fields.items()):
            if name not in arrays:
                continue
            found = arrays[name]
            if isinstance(kind, str):
                dtype, dimensions = _DTYPES[kind]
                found = np.require(found, dtype, ["C", "W"])
                assert found.ndim == dimensions, name
                header[place, 0] = found.ctypes.data
                header[place, 1 : 1 + dimensions] = found.shape
            else:
                header[place, 0] = found.address
            setattr(self, name, found)

    def replaced(self, **arrays: Any) -> Self:
        """Return the same tables with some exchanged; the others are shared."""
        assert arrays.keys() <= self.fields.keys(), arrays.keys() - self.fields.keys()
        other = copy(self)
        other._head(self._header.copy(), arrays)  # noqa: SLF001 - it is one of these
        return other


class _TablesType(types.Type):
    """The type of one subclass of Tables in compiled code."""

    def __init__(self, kind: type[Tables]) -> None:
        self.kind = kind
        super().__init__(name=f"Tables({kind.__module__}.{kind.__qualname__})")

    def place(self, name: str):
        """Return the position and the type of a field, or None."""
        found = self.kind.fields.get(name)
        if found is None:
            return None
        place = list(self.kind.fields).index(name)
        if not isinstance(found, str):
            return place, _TablesType(found)
        dtype, dimensions = _DTYPES[found]
        return place, types.Array(types.int64 if dtype is np.int64 else types.float64, dimensions, "C")


@cache
def _type_of(kind):
    return _TablesType(kind)


@typeof_impl.register(Tables)
def _typeof(value, context):
    return _type_of(type(value))  # made once: this is asked for each table at each call of a kernel


@register_model(_TablesType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, kind) -> None:
        super().__init__(manager, kind, _POINTER)


@infer_getattr
class _Attributes(AttributeTemplate):
    key = _TablesType

    def generic_resolve(self, kind, name):
        found = kind.place(name)
        return found[1] if found else None


@lower_getattr_generic(_TablesType)
def _lower(context, builder, kind, header, name):
    """Build the array `name` from its entry of the header. It is borrowed: no reference is counted."""
    place, found = kind.place(name)

    def entry(column):
        return builder.load(builder.gep(header, [ir.Constant(ir.IntType(64), place * _ENTRY + column)]))

    if isinstance(found, _TablesType):
        return builder.inttoptr(entry(0), _POINTER)
    array = make_array(found)(context, builder)
    shape = [entry(1 + axis) for axis in range(found.ndim)]
    size = context.get_constant(types.intp, 8)
    strides = [size] if found.ndim == 1 else [builder.mul(shape[1], size), size]
    data = builder.inttoptr(entry(0), array.data.type)
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return array._getvalue()  # noqa: SLF001 - numba's own way to read a struct proxy


@unbox(_TablesType)
def _unbox(kind, value, c):
    address = c.pyapi.object_getattr_string(value, "address")
    pointer = c.builder.inttoptr(c.pyapi.long_as_longlong(address), _POINTER)
    c.pyapi.decref(address)
    return NativeValue(pointer, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))
