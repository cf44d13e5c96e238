"""Reading text that people really write, and text that nobody should."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onevoice.errors import PlaybookError
from onevoice.playbook import load as loader
from onevoice.playbook import tree
from onevoice.playbook.load import load_files, read_files
from onevoice.playbook.record import SECTION_MAX

TELECOM = read_files(Path(__file__).parents[2] / "examples" / "telecom")


def read(text, **more):
    return load_files({"playbook.yaml": text.encode(), **more})


def mistakes(text, **more):
    with pytest.raises(PlaybookError) as caught:
        read(text, **more)
    return caught.value.mistakes


SOUND = b"playbook: one\nidentifiers: {email: {}}\nevents: {a: {}}\n"
LOG = {"mapping.yaml": b"columns: {a: b}\n"}


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (LOG | {"book/playbook.yaml": SOUND}, "there is one in `crm/book`"),
        (LOG | {"a/deep/playbook.yaml": SOUND, "a/deep/more.yaml": b"events: {b: {}}"}, "in `crm/a/deep`"),
        ({"a/p.yaml": SOUND, "b/p.yaml": SOUND}, "there are some in `crm/a`, `crm/b`"),
    ],
)
def test_a_playbook_in_a_folder_below_is_named(files, named):
    with pytest.raises(PlaybookError) as caught:
        load_files(files, "crm")
    (mistake,) = caught.value.mistakes
    assert named in mistake.what
    folder = named.partition("`")[2].partition("`")[0]
    assert mistake.mend.endswith(f"`onevoice check {folder}`")


@pytest.mark.parametrize(
    "files",
    [
        {"playbook.yaml": SOUND + b"odd: 1\n", "book/more.yaml": b"events: {b: {}}\n"},
        {"book/playbook.yaml": SOUND + b"odd: 1\n"},  # and that one is told what is wrong with it
        {"book/playbook.yaml": SOUND + b"odd: 1\n", "events.yaml": b"events: {b: {}}\n"},
    ],
)
def test_a_playbook_with_a_mistake_is_told_the_mistake(files):
    with pytest.raises(PlaybookError, match="unknown key `odd`"):
        load_files(files, "crm")


def test_a_playbook_may_be_spread_over_folders():
    assert list(load_files({"book/playbook.yaml": SOUND, "events.yaml": b"events: {b: {}}\n"}).events) == ["a", "b"]


def test_a_text_is_the_text_that_was_written():
    book = read(
        "playbook: 2026\nlanguages: [no, en]\nevents: {on: {}, off: {}, y: {}}\n"
        "placements: {banner: {default: 1:30}}\npolicies: {classes: {sales: {purpose: 0x1F}}}\n"
        "campaigns: {a: {class: sales, when: event on, send: push, owner: yes}}\n"
    )
    assert book.name == "2026"
    assert book.languages == ("no", "en")
    assert list(book.events) == ["on", "off", "y"]
    assert book.placements["banner"].default == "1:30"
    assert book.campaigns["a"].owner == "yes"
    assert book.policies.classes["sales"].purpose == "0x1F"


def test_an_alias_is_its_anchor_written_out():
    book = read("playbook: a\noffers:\n  one: &one {value: 3, family: x}\n  two: *one\n")
    assert book.offers["two"].value == 3
    assert book.offers["two"].name == "two"


def test_a_mistake_in_an_anchored_value_is_told_for_each_use():
    found = mistakes("playbook: a\noffers:\n  one: &one {value: x}\n  two: *one\n")
    assert [mistake.where for mistake in found] == [
        "playbook.yaml:3:21 offers.one.value",
        "playbook.yaml:3:21 offers.two.value",
    ]


def test_a_mistake_in_a_block_of_text_is_told_by_its_line_and_column_in_the_file():
    (mistake,) = mistakes("playbook: a\ntraits: {age: number}\nsegments:\n  grown: |\n    age > 17\n    and aged\n")
    assert mistake.where == "playbook.yaml:6:9 segments.grown"


def test_a_byte_order_mark_and_windows_lines_are_read():
    assert load_files({"a.yaml": b"\xef\xbb\xbfplaybook: a\r\ntime_zone: UTC\r\n"}).name == "a"


def test_a_file_that_cannot_be_read_hides_no_mistake_of_another():
    with pytest.raises(PlaybookError) as caught:
        load_files({"a.yaml": b"playbook: {", "b.yaml": b"offers: {one: {valeu: 3, product: x}}"})
    assert [mistake.where for mistake in caught.value.mistakes] == ["a.yaml:2:1", "b.yaml:1:16 offers.one.valeu"]


def test_a_section_has_a_limit():
    names = "".join(f"  s{i}: {{}}\n" for i in range(SECTION_MAX + 1))
    (mistake,) = mistakes(f"playbook: a\nevents:\n{names}")
    assert (mistake.what, mistake.expected, mistake.found) == ("too many names", "at most 4,096", "4,097")
    assert len(read("playbook: a\nevents:\n" + names.replace("  s0: {}\n", "")).events) == SECTION_MAX


def test_a_playbook_has_a_limit(tmp_path, monkeypatch):
    (tmp_path / "a.yaml").write_text("playbook: a\n")
    (tmp_path / "b.yaml").write_text("offers: {}\n")
    monkeypatch.setattr(loader, "FILES_MAX", 1)
    with pytest.raises(PlaybookError, match="too much for a playbook"):
        loader.load(tmp_path)


def test_depth_does_not_crash_the_parser():
    (mistake,) = mistakes("playbook: a\ntraits: " + "[" * 200_000 + "]" * 200_000)
    assert mistake.what == "nested too deeply"


def test_a_catalogue_full_of_mistakes_does_not_fill_the_screen():
    rows = "".join(f"p{i},dear\n" for i in range(100))
    text = "playbook: a\nproducts: {file: p.csv, fields: {price: number}}"
    found = mistakes(text, **{"p.csv": f"product,price\n{rows}".encode()})
    assert len(found) == 21
    assert found[0].what == "80 more mistakes in this file"


def test_a_quoted_cell_may_hold_a_line_break_and_the_lines_stay_right():
    text = "playbook: a\nproducts: {file: p.csv, fields: {note: text, price: number}}"
    found = mistakes(text, **{"p.csv": b'product,note,price\na,"two\nlines",3\nb,one,x\n'})
    assert [mistake.where for mistake in found] == ["p.csv:4"]


def test_loading_needs_no_kernel():
    code = (
        "import sys; from onevoice.playbook.load import load; load(sys.argv[1]); "
        "assert 'numba' not in sys.modules and 'numpy' not in sys.modules and 'pyarrow' not in sys.modules"
    )
    folder = Path(__file__).parents[2] / "examples" / "telecom"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_playbook_is_read_or_refused_and_nothing_else(data):
    name = data.draw(st.sampled_from(sorted(TELECOM)))
    content = TELECOM[name]
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 12)))
    piece = data.draw(
        st.binary(max_size=6) | st.sampled_from([b": ", b"- ", b"{", b"[", b"'", b"\n", b"&a ", b"*a", b","])
    )
    try:
        load_files({**TELECOM, name: content[:start] + piece + content[stop:]})
    except PlaybookError as error:
        assert all(mistake.what and mistake.where for mistake in error.mistakes)  # noqa: PT017 - both answers are good


def test_the_limits_of_a_file_are_stated():
    assert (tree.VALUES_MAX, tree.DEPTH_MAX) == (100_000, 16)
