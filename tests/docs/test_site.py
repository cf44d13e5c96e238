"""The site builds without a warning, every page is in it, and reading it fetches nothing from elsewhere."""

import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.project.sources import ROOT

CONFIG = "zensical.toml"
# What a browser fetches by itself; links that one follows are not among it.
FETCHED = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)")
IMPORTED = re.compile(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]+)")
# Parts of a page for which the site's script fetches more.
BRINGS_MORE = re.compile(r"class=\"?[^\">]*\b(?:mermaid|glightbox|pyodide|md-source)\b")


def built(folder, text=""):
    """Build the site from a copy of its sources, `text` added to a page."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / CONFIG, folder)
    with (folder / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write(text)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = built(folder)
    assert (done.returncode, done.stderr.strip()) in {(0, "No issues found"), (0, "")}, done.stderr
    return folder / "site"


def listed(entries):
    """The pages of a navigation, however deep."""
    for entry in entries:
        for value in entry.values():
            yield from listed(value) if isinstance(value, list) else [value]


def test_every_page_is_in_the_navigation():
    config = tomllib.loads((ROOT / CONFIG).read_text("utf-8"))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert set(listed(config["project"]["nav"])) == pages


def test_every_page_is_built(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {page.as_posix() for page in pages if not (site / page).exists()} == set()


def test_nothing_is_fetched_from_elsewhere(site):
    pages = {path.name: path.read_text("utf-8") for path in site.rglob("*.html")}
    styles = {path.name: path.read_text("utf-8") for path in site.rglob("*.css")}
    assert {name: found for name, text in pages.items() if (found := FETCHED.findall(text))} == {}
    assert {name: found for name, text in pages.items() if (found := BRINGS_MORE.findall(text))} == {}
    assert {name: found for name, text in styles.items() if (found := IMPORTED.findall(text))} == {}


@pytest.mark.parametrize("link", ["[x](nowhere.md)", "[x](start.md#nowhere)"])
def test_a_broken_link_fails_the_build(tmp_path, link):
    assert built(tmp_path, f"\n{link}\n").returncode != 0


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (FETCHED, '<script src="https://example.org/a.js">'),
        (FETCHED, "<link rel=stylesheet href=//example.org/a.css>"),
        (IMPORTED, "@import 'https://example.org/a.css'"),
        (IMPORTED, "src: url(https://example.org/a.woff2)"),
        (BRINGS_MORE, '<pre class="mermaid">'),
    ],
)
def test_what_would_be_fetched_is_seen(pattern, text):
    assert pattern.search(text)
