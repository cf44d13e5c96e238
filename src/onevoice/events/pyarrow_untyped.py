"""pyarrow, which has no type stubs, named once as untyped; what our own functions make of it is typed."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as _pa  # noqa: ICN001 # pyright: ignore[reportMissingTypeStubs]
import pyarrow.compute as _pc  # pyright: ignore[reportMissingTypeStubs]

pa: Any = _pa
pc: Any = _pc

Array: TypeAlias = Any  # pyarrow.Array
Table: TypeAlias = Any  # pyarrow.Table or pyarrow.RecordBatch
