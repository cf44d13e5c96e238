"""Plays a page: writes the files it shows, types its commands, runs its Python, and tells what came out.

Run as `python -m tests.docs.play PAGE` in an empty folder; prints a list with the output of each block, as JSON.
What a block is follows from its language:

- `sh`: commands, one a line; those of `onevoice` run;
- `python`: one program over the whole page;
- `yaml`, `csv`, `json`: a file, whose path is the last in backquotes in the paragraph before the block; with it the
  playbook that it belongs to must be without mistakes;
- `diff`: a change of such a file;
- `text`: what the block before it prints.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from onevoice import cli
from onevoice.playbook.load import load

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w./-]+\.(?:yaml|csv|ndjson))`")
FILES = ("yaml", "csv", "json", "diff")
DEMO = "onevoice demo"
ONLY_SHOWN = ("pip ", "make ")


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, its text, where it stands, and the path named before it, if any."""

    language: str
    text: str
    start: int
    path: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page's text in order."""
    found, end = [], 0
    for block in BLOCK.finditer(page):
        named = FILE.findall(page[end : block.start()].rstrip().rpartition("\n\n")[2])
        found.append(Block(block[1], block[2], block.start(2), named[-1] if named else ""))
        end = block.end()
    return found


def play(page: str) -> list[str]:
    """Play each block of a page in turn, in the present folder; return what each printed."""
    names: dict[str, object] = {"__name__": "__main__"}
    return [_played(block, names) for block in blocks(page)]


def _played(block: Block, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        if block.language in FILES:
            _written(block)
        elif block.language == "python":
            exec(compile(block.text, "<page>", "exec"), names)
        elif block.language == "sh":
            for command in block.text.splitlines():
                _typed(command)
        else:
            assert block.language == "text", f"a block of {block.language}"
    return out.getvalue()


def _written(block: Block) -> None:
    """Write or change a file; if it is a playbook's, read that."""
    assert block.path, f"no path is named before the block that begins {block.text.splitlines()[0]!r}"
    path, text = Path(block.path), block.text
    if block.language == "diff":
        old, new = (_side(block.text, sign) for sign in "-+")
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{path} has not once what is to be changed: {old}"
        text = text.replace(old, new)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    if path.suffix == ".yaml":
        load(path.parent)


def _side(diff: str, sign: str) -> str:
    """Return one side of a diff, its lines without their signs."""
    return "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in f" {sign}")


def _typed(command: str) -> None:
    """Run a command; the demo, which decides for a whole year, with the compiler on."""
    if command.startswith(ONLY_SHOWN):
        return
    if command == DEMO:
        compiled = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
        demo = [sys.executable, "-m", "onevoice.cli", "demo"]
        done = subprocess.run(demo, env=compiled, capture_output=True, text=True, check=False)
        print(done.stderr, done.stdout, done.returncode or "", sep="\n")
        return
    program, *arguments = shlex.split(command, comments=True)
    assert program == "onevoice", command
    with contextlib.suppress(SystemExit):
        cli.main(arguments)


if __name__ == "__main__":
    json.dump(play(Path(sys.argv[1]).read_text("utf-8")), sys.stdout)
