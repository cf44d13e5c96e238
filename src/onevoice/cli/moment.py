"""When a verb acts: a journal has a clock, and that of imported history stands far behind the one on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from onevoice.cli.given import instant
from onevoice.errors import EventError, Mistake

if TYPE_CHECKING:
    import onevoice

BEHIND_MAX: Final = timedelta(days=1)  # of a journal whose time may pass unasked
NOW: Final = "now"

At: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="When, in the playbook's zone: `2026-03-01T10:00`, or `now`. To be said where the journal is more than a "
        "day behind."
    ),
]


def moment(engine: onevoice.Onevoice, verb: str, given: str | None) -> datetime | None:
    """Return when a verb acts, None for now; EventError where months would pass that nobody asked to let pass."""
    clock, wall = engine.now, datetime.now(UTC)
    if clock is None or given == NOW:
        return None
    there = clock.astimezone(ZoneInfo(engine.playbook.time_zone))
    if given is None:
        if wall - clock > BEHIND_MAX:
            raise EventError(_behind(verb, there, wall))
        return None
    time = instant("--at", given, engine.playbook.time_zone)
    assert time is not None, "it was given"
    if not clock.replace(microsecond=0) <= time <= max(wall, clock):  # within its second it is the journal's own
        begin = there.isoformat(timespec="seconds")
        expected = f"`{NOW}`, or a time from {begin}, where the journal stands, to the present"
        raise EventError(Mistake("not a time at which anything can be done", "--at", expected, repr(given)))
    return time


def _behind(verb: str, there: datetime, wall: datetime) -> Mistake:
    days = (wall - there).days
    passed = "the day" if days == 1 else f"the {days:,} days"
    mend = (
        f"`--at {there.isoformat(timespec='seconds')}` to {verb} there and let no time pass, "
        f"`--at {NOW}` to let {passed} pass first, which decides for all campaigns what is due in them"
    )
    return Mistake(f"the journal stands at {there:%d %b %Y %H:%M}, {passed.removeprefix('the ')} ago", verb, mend=mend)
