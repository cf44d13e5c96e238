"""A character of a text is found where it stands in the file, in whatever form the text is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevoice.playbook.tree import parse

WORDS = st.lists(st.text("ab<>='()", min_size=1, max_size=6), min_size=1, max_size=8)


def value_of(content):
    mistakes = []
    root = parse("a.yaml", content.encode(), mistakes)
    assert mistakes == []
    return root.value["section"].value["name"]


def points_right(content):
    """Every character that is no white space is found under its own line and column."""
    node = value_of(content)
    lines = content.split("\n")
    places = [node.at(i) for i, letter in enumerate(node.value) if letter.strip()]
    letters = [letter for letter in node.value if letter.strip()]
    return [lines[place.line - 1][place.column - 1] for place in places] == letters


@given(WORDS)
def test_in_quotes(words):
    text = " ".join(words)
    assert points_right(f"section:\n  name: {json.dumps(text)}\n")
    quoted = text.replace("'", "''")
    assert points_right(f"section: {{other: 3, name: '{quoted}'}}\n")


@given(WORDS, st.sampled_from(["|", ">", "|-", ">-", "> # a folded text", "|2"]))
def test_in_a_block(words, header):
    body = "\n".join(f"    {word}" for word in words)
    assert points_right(f"section:\n  name: {header}\n{body}\n  other: 3\n")


@pytest.mark.parametrize("text", ["age > 17\n    and tier", "age > 17", "age\n\n    > 17"])
def test_without_quotes(text):
    assert points_right(f"section:\n  name: {text}\n  other: 3\n")


def test_an_escaped_character_is_one_character():
    node = value_of('section: {name: "a\\x27b\\tc"}\n')
    assert node.value == "a'b\tc"
    assert [node.at(i).column for i in range(5)] == [18, 19, 23, 24, 26]


def test_a_quoted_text_over_lines_is_known_by_its_beginning():
    node = value_of('section:\n  name: "age >\n    17"\n')
    assert str(node.at(6)) == "a.yaml:2:9 section.name"


def test_the_end_of_a_text_is_behind_its_last_character():
    node = value_of("section: {name: age}\n")
    assert node.at(3).column == 20
