"""What must not be left in a text of ours: work put off, and places that only one machine has."""

import re

import pytest

from tests.project.sources import shown, text_files

PUT_OFF = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
# A path from the root of a disk, not part of an address or of a longer path; the home directory is `~`.
MACHINE = re.compile(r"(?<![\w.:/~>)}\]])/(work|root|home|Users|tmp|mnt|opt|var)/|\b[A-Z]:\\\\?Users\b")
# An executable's first line names a path that every machine has.
SHEBANG = re.compile(r"\A#!.*\n")


def found_in_texts(pattern):
    """What a pattern finds in each file that has any."""
    texts = {shown(path): SHEBANG.sub("", path.read_text("utf-8", "replace")) for path in text_files()}
    found = {path: [match.group() for match in pattern.finditer(text)] for path, text in texts.items()}
    return {path: words for path, words in found.items() if words}


def test_nothing_is_put_off():
    assert found_in_texts(PUT_OFF) == {}


def test_no_path_of_one_machine():
    assert found_in_texts(MACHINE) == {}


@pytest.mark.parametrize("text", ["see {}work/x", "`{}home/ann/x`", "('{}tmp/x')"])
def test_such_a_path_is_seen(text):
    assert MACHINE.search(text.format("/")) is not None


@pytest.mark.parametrize("text", ["src/work/x", "https://example.org/home/x", "~/.cache/onevoice", "a/tmp/b"])
def test_other_paths_are_left_alone(text):
    assert MACHINE.search(text) is None


@pytest.mark.parametrize("word", ["TO{}DO", "FIX{}ME", "XX{}X", "HA{}CK"])
def test_work_put_off_is_seen(word):
    assert PUT_OFF.search(f"# {word.format('')}: later") is not None
