"""When a call acts: now, or at a time that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from onevoice.journal.port import Mode

TIME_PASSES: Final = "time_passes"  # the type of a line that does nothing: no playbook has to know it


class When(NamedTuple):
    """The mode and stamp of the row that a call makes, and the time of its line where one was given."""

    mode: Mode
    stamp: int
    time: datetime | None = None

    def line(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return an event of that time."""
        return event if self.time is None else event | {"time": self.time}
