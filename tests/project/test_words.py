"""What must not be left in a text of ours: work put off, and places that only one machine has."""

import re

import pytest

from tests.project.sources import shown, text_files

PUT_OFF = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
# A path from the root of a disk, not part of an address or of a longer path; the home directory is `~`.
MACHINE = re.compile(r"(?<![\w.:/~>)}\]])/(work|root|home|Users|tmp|mnt|opt|var)/|\b[A-Z]:\\\\?Users\b")
# An executable's first line names a path that every machine has.
SHEBANG = re.compile(r"\A#!.*\n")

FILES = text_files()


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_nothing_is_put_off(path):
    assert PUT_OFF.findall(path.read_text("utf-8", "replace")) == []


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_no_path_of_one_machine(path):
    text = SHEBANG.sub("", path.read_text("utf-8", "replace"))
    assert [found.group() for found in MACHINE.finditer(text)] == []


@pytest.mark.parametrize("text", ["see {}work/x", "`{}home/ann/x`", "('{}tmp/x')"])
def test_such_a_path_is_seen(text):
    assert MACHINE.search(text.format("/")) is not None


@pytest.mark.parametrize("text", ["src/work/x", "https://example.org/home/x", "~/.cache/onevoice", "a/tmp/b"])
def test_other_paths_are_left_alone(text):
    assert MACHINE.search(text) is None


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_work_put_off_is_seen(word):
    assert PUT_OFF.search(f"# {word}: later") is not None
