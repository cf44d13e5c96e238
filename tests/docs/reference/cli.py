"""The page of the command line, as the application describes itself."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Final

from onevoice.cli.app import FAILED, MISUSED, STOPPED

# In a process of its own: how a program is called leaks into what it says of its usage.
DESCRIBE: Final = "from onevoice.cli import app; print(app.generate_docs(output_format='markdown'))"
HEAD: Final = f"""\
# Command line

<!-- Generated from the application: `UPDATE_GOLDEN=1 python -m pytest tests/docs/test_reference.py` writes this page anew. -->

`onevoice VERB --help` says the same in the terminal; `onevoice --install-completion` teaches it to your shell.

Answers go to standard output, everything else to standard error; with `--json` the answer is one line of JSON.

| exit code | when |
|---|---|
| 0 | all went well |
| {FAILED} | something is wrong with what was given: each mistake on a line of its own |
| {MISUSED} | the command itself was not understood |
| {STOPPED} | it was stopped with Ctrl-C; the same command goes on where the journal ends |

"""
# Written by the application about itself; the page has its own title and the site a table of contents.
NOT_OURS: Final = re.compile(r"\A.*?(?=^## onevoice )", re.MULTILINE | re.DOTALL)


def page() -> str:
    """Return the page, in Markdown."""
    text = subprocess.run([sys.executable, "-c", DESCRIBE], capture_output=True, text=True, check=True).stdout
    verbs = [f"## {part.strip()}\n" for part in NOT_OURS.sub("", text).split("## ") if part.strip()]
    return HEAD + "\n".join(verb for verb in verbs if not verb.startswith("## onevoice --"))
