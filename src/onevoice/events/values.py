"""From the texts of an event to what the columns hold. Pure Python: the meaning that the fast paths must match."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

import phonenumbers

from onevoice.playbook.model import DAY, HOUR, MINUTE, SECOND

EMAIL_CHARACTERS_MAX: Final = 254  # RFC 5321
PHONES_CACHED: Final = 1 << 18

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def date_us(text: str) -> int | None:
    """Return the µs of the UTC midnight of a date written `2026-03-01`, or None when it is not one."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return (day.toordinal() - _EPOCH_DAY) * DAY


def time_us(text: str) -> int | None:
    """Return the µs UTC of an RFC 3339 time with an offset, cut to whole µs, or None when it is not one."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    day = date_us(match[1])
    hour, minute, second = int(match[2]), int(match[3]), int(match[4])
    offset_hour, offset_minute = int(match[7] or 0), int(match[8] or 0)
    if day is None or hour > 23 or minute > 59 or second > 59 or offset_hour > 23 or offset_minute > 59:
        return None
    offset = offset_hour * HOUR + offset_minute * MINUTE
    fraction = int((match[5] or "").ljust(6, "0")[:6])
    return day + hour * HOUR + minute * MINUTE + second * SECOND + fraction + (offset if match[6] == "-" else -offset)


def normal_email(text: str) -> str:
    """Return an e-mail address without case and outer blanks, or "" when it cannot be one."""
    address = text.strip().lower()
    local, at, domain = address.partition("@")
    usable = (
        at
        and local
        and len(address) <= EMAIL_CHARACTERS_MAX
        and "@" not in domain
        and "." in domain
        and all(domain.split("."))
        and not any(character.isspace() for character in address)
    )
    return address if usable else ""


@lru_cache(maxsize=PHONES_CACHED)
def normal_phone(text: str, region: str) -> str:
    """Return a phone number as E.164, read in `region` unless it begins with +, or "" when its length cannot be right.

    Costs about 15 µs for a text not seen lately.
    """
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal(text: str, form: str, region: str) -> str:
    """Return an identifier's value in the one spelling that is compared, or "" when it is none of the form."""
    if form == "email":
        return normal_email(text)
    if form == "phone":
        return normal_phone(text.strip(), region)
    return text.strip()
