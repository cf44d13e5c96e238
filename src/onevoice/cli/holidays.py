"""`onevoice holidays`: a country's holidays as lines of a playbook."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from onevoice.cli.given import Json
from onevoice.cli.output import answer
from onevoice.errors import Mistake, OnevoiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_AHEAD: Final = 4  # years after this one
_YEARS_MAX: Final = 20  # in one answer
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2100

Country = Annotated[str, Parameter(help="The country's two letters, such as `LT`.")]
Years = Annotated[
    str | None, Parameter(help="One year or a range, such as `2026-2030`; five from this one unless said.")
]
Region = Annotated[str | None, Parameter(help="A part of the country with days of its own, such as `BY` of `DE`.")]


def holidays(country: Country, /, *, years: Years = None, region: Region = None, as_json: Json = False) -> None:
    """Print a country's public holidays as a file of a playbook, or for its `policies.holidays`.

    They stand in the playbook as dates, for you to read and change: a later version of this list changes no decision.

    For example: `onevoice holidays LT --years 2026-2030 > crm/holidays.yaml`
    """
    first, last = _years(years)
    found = _named(country.upper(), region, range(first, last + 1))
    span = f"{first}-{last}" if last > first else f"{first}"
    where = f"{country.upper()} {region}" if region else country.upper()
    lines = ["policies:", f"  holidays: # {where}, {span}", *(f"    - {day} # {name}" for day, name in found.items())]
    shown = {"country": country.upper(), "region": region or "", "first_year": first, "last_year": last}
    listed = [{"date": f"{day}", "name": name} for day, name in found.items()]
    answer({**shown, "holidays": listed}, "\n".join(lines), as_json)


def _years(text: str | None) -> tuple[int, int]:
    """Return the first and the last year that are meant."""
    if text is None:
        this = datetime.now(UTC).year
        return this, this + _AHEAD
    match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (_FIRST_YEAR <= first <= last <= _LAST_YEAR and last - first < _YEARS_MAX):
        expected = (
            f"a year or a range such as `2026-2030`, of {_FIRST_YEAR} to {_LAST_YEAR}, {_YEARS_MAX} years at most"
        )
        raise OnevoiceError(Mistake("not years", "--years", expected, f"`{text}`"))
    return first, last


def _named(country: str, region: str | None, years: range) -> Mapping[date, str]:
    """Return the holidays of these years by date."""
    import holidays as library  # noqa: PLC0415 - costs 60 ms

    countries = library.list_supported_countries()
    if country not in countries:
        expected = "the two letters of a country (ISO 3166), such as `LT`"
        raise OnevoiceError(Mistake("no such country", "command", expected, f"`{country}`"))
    if region is not None and region not in (known := countries[country]):
        expected = (
            f"one of {', '.join(f'`{each}`' for each in known)}" if known else "none: this country has no regions"
        )
        raise OnevoiceError(Mistake("no such region", "--region", expected, f"`{region}`"))
    found = library.country_holidays(country, subdiv=region, years=years, language="en_US")
    return dict(sorted(found.items()))
