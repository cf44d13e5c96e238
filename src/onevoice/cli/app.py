"""The verbs in the order in which one meets them, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from cyclopts import App, CycloptsError, Group

from onevoice.cli.audit import audit
from onevoice.cli.check import check
from onevoice.cli.conflicts import conflicts
from onevoice.cli.decide import decide
from onevoice.cli.demo import demo
from onevoice.cli.holidays import holidays
from onevoice.cli.init import init
from onevoice.cli.output import FAILED, tell
from onevoice.cli.report import report
from onevoice.cli.results import results
from onevoice.cli.run import run
from onevoice.cli.schema import schema
from onevoice.cli.simulate import simulate
from onevoice.cli.split import split
from onevoice.cli.switch import pause, resume, stop
from onevoice.cli.timeline import timeline
from onevoice.cli.why import why
from onevoice.cli.why_not import why_not
from onevoice.errors import OnevoiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

MISUSED: Final = 2
STOPPED: Final = 130
MISTAKES_SHOWN: Final = 100

_BEGIN: Final = Group("Begin", sort_key=1)
_DECIDE: Final = Group("Decide", sort_key=2)
_LOOK: Final = Group("Look", sort_key=3)
_REHEARSE: Final = Group("Rehearse", sort_key=4)

_VERBS: Final = {
    _BEGIN: (demo, init, check, holidays, schema),
    _DECIDE: (run, decide, pause, resume, stop, split),
    _LOOK: (report, results, timeline, why, why_not, audit),
    _REHEARSE: (simulate, conflicts),
}


def _version() -> str:
    """Return the version installed; asked for by name, it is found also where this file is run by itself."""
    from importlib.metadata import version  # noqa: PLC0415 - costs 10 ms

    return version("onevoice")


app = App(
    name="onevoice",
    version=_version,
    help=(
        "One place that decides what a company says to each customer.\n\n"
        "A playbook is a folder of YAML files: what is known about customers, what can happen, what you would like to "
        "say and how important it is. Events go into a journal; decisions come out, with a reason for everything held "
        "back.\n\nBegin with `onevoice demo` to see a grocer's year, or with `onevoice init shop` to write a playbook "
        "of your own."
    ),
    help_epilogue="Exit codes: 0 done, 1 something is wrong with what was given, 2 not understood, 130 stopped.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # it is told below
)
for _group, _verbs in _VERBS.items():
    for _place, _verb in enumerate(_verbs):
        app.command(_verb, group=_group, sort_key=_place)
cast("Any", app).register_install_completion_command()  # its keywords are not typed


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        print(end="", flush=True)  # what cannot be written is told here, not at the end of the process
    except CycloptsError as error:
        tell(f"{error}".strip() or "the command was not understood")
        tell("`onevoice --help` says how it is used")
        sys.exit(MISUSED)
    except OnevoiceError as error:
        for mistake in error.mistakes[:MISTAKES_SHOWN]:
            tell(f"error: {mistake}")
        if len(error.mistakes) > MISTAKES_SHOWN:
            tell(f"error: {len(error.mistakes) - MISTAKES_SHOWN:,} more")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        tell("stopped")
        sys.exit(STOPPED)
    except BrokenPipeError:
        _drop_output()  # whoever read it has seen enough
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _drop_output()  # the same, of a page of help: its console ends the process
    except OSError as error:
        tell(f"error: {error}")
        _drop_output()
        sys.exit(FAILED)
    sys.exit(0)


def _drop_output() -> None:
    """Let what waits to be written go nowhere, so that the end of the process does not try it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
