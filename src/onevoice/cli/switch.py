"""`onevoice pause`, `resume` and `stop`: a campaign, a class or everything held back, let go on, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Json, OldData, check_data
from onevoice.cli.moment import At, moment
from onevoice.cli.output import answer
from onevoice.errors import EventError, Mistake
from onevoice.many import many

if TYPE_CHECKING:
    from pathlib import Path

    from onevoice.runtime.controls import Switched

Campaign: TypeAlias = Annotated[str, Parameter(help="The campaign.")]
Klass: TypeAlias = Annotated[str, Parameter(name="--class", help="Or all campaigns of a class.")]
Everything: TypeAlias = Annotated[bool, Parameter(name="--all", negative="", help="Or everything.")]
Reason: TypeAlias = Annotated[str, Parameter(help="Why; it is kept in the journal.")]
By: TypeAlias = Annotated[str, Parameter(help="Who does it; it is kept in the journal.")]


def pause(
    campaign: Campaign = "",
    /,
    *,
    data: OldData,
    klass: Klass = "",
    everything: Everything = False,
    reason: Reason = "",
    by: By = "",
    at: At = None,
    as_json: Json = False,
) -> None:
    """Hold back a campaign, a class of campaigns or everything from now on, until it is resumed.

    What waits goes on waiting, and expires as ever.

    For example: `onevoice pause spring_sale --data data --reason "wrong price"`
    """
    _switch("pause", data, (campaign, klass, everything, reason, by), at, as_json)


def resume(
    campaign: Campaign = "",
    /,
    *,
    data: OldData,
    klass: Klass = "",
    everything: Everything = False,
    reason: Reason = "",
    by: By = "",
    at: At = None,
    as_json: Json = False,
) -> None:
    """Let go on what was paused or stopped, by hand or by its own limit; what waited is looked at again at once.

    For example: `onevoice resume spring_sale --data data`
    """
    _switch("resume", data, (campaign, klass, everything, reason, by), at, as_json)


def stop(
    campaign: Campaign = "",
    /,
    *,
    data: OldData,
    klass: Klass = "",
    everything: Everything = False,
    reason: Reason = "",
    by: By = "",
    at: At = None,
    as_json: Json = False,
) -> None:
    """End a campaign, a class of campaigns or everything: what waits ends, and nothing new begins until it is resumed.

    For example: `onevoice stop --class sales --data data --reason "the recall"`
    """
    _switch("stop", data, (campaign, klass, everything, reason, by), at, as_json)


def _switch(verb: str, data: Path, given: tuple[str, str, bool, str, str], at: str | None, as_json: bool) -> None:
    campaign, klass, everything, reason, by = given
    check_data(data)
    if bool(campaign) + bool(klass) + everything != 1:
        expected = f"a campaign, as `onevoice {verb} NAME`, or `--class NAME`, or `--all`"
        raise EventError(Mistake(f"not one thing to {verb}", verb, expected))
    with onevoice.open(data_dir=data) as engine:
        turn = getattr(engine, verb)
        time = moment(engine, verb, at)
        done = turn(campaign, klass=klass, everything=everything, reason=reason, by=by, time=time)
    what = campaign or (f"class {klass}" if klass else "everything")
    run = "; a new run of it begins" if campaign and verb == "resume" and done.was == "on" else ""
    answer(done, f"{what}: {_told(verb, done)}{run}", as_json)


def _told(verb: str, done: Switched) -> str:
    """Say how many candidates a verb concerned, and what it found otherwise than is to be expected."""
    if verb == "pause":
        return f"paused; {many(done.waiting, 'wish', 'wishes')} waiting, held until it is resumed"
    if verb == "stop":
        return f"stopped; {many(done.ended, 'wish', 'wishes')} that waited ended"
    off = {"class": "its class is", "all": "everything is"}.get(done.off)
    beside = f"; {off} paused or stopped still" if off else ""
    if done.was == "on":
        return f"was neither paused nor stopped{beside}"
    return f"resumed; {many(done.woken, 'held wish', 'held wishes')} looked at again{beside}"
