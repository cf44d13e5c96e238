"""The parts of pyarrow that read and write files, named once as untyped: it ships no type stubs."""

from __future__ import annotations

from typing import Any

import pyarrow.csv as _csv  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.dataset as _dataset  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.parquet as _parquet  # pyright: ignore[reportMissingTypeStubs]

csv: Any = _csv
dataset: Any = _dataset
parquet: Any = _parquet
