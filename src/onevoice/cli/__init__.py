"""The command line: one module a verb.

What is wrong is told on standard error, one line a mistake. The exit code is 0 when all went well, 1 when something
is wrong with what was given, 2 when the command itself was not understood, and 130 after Ctrl-C. Nothing here imports
the engine before it is needed, so `check`, `init`, `schema` and `--help` answer at once.
"""

from onevoice.cli.app import app, main

__all__ = ["app", "main"]
