"""How many of what, in plain English."""

from __future__ import annotations


def many(count: int, name: str, names: str = "") -> str:
    """Return a count with the name of what is counted, of one or of several; `names` where an `s` is not enough.

    >>> many(1, "contact"), many(2_000, "contact"), many(0, "wish", "wishes")
    ('1 contact', '2,000 contacts', '0 wishes')
    """
    return f"{count:,} {name if count == 1 else names or f'{name}s'}"
