"""What a page claims can be tried: its links and paths lead somewhere. (Its examples: `tests/docs`.)"""

import re

import pytest

from tests.project.sources import ROOT, shown, text_files

PAGES = [path for path in text_files() if path.suffix == ".md"]
README = (ROOT / "README.md").read_text("utf-8")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A path of ours: in backquotes, beginning with one of our folders.
PATH = re.compile(r"`((?:src|tests|docs|bench|examples)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if not re.match(r"https?:|#", target)]
    assert [target for target in targets if not (page.parent / target.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_paths_lead_somewhere(page):
    paths = PATH.findall(page.read_text("utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", README, re.MULTILINE))
def test_what_can_be_made_is_in_the_makefile(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_the_changelog_knows_the_version():
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert version[1] in (ROOT / "CHANGELOG.md").read_text("utf-8")
