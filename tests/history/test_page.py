"""A page is whole in itself: its data is the records', its scripts are the ones it allows, a text stays a text."""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given as drawn
from hypothesis import strategies

from onevoice.history.page import (
    _AUDIT_SCRIPTS,
    _REHEARSAL_SCRIPTS,
    _RESULTS_SCRIPTS,
    _SCRIPTS,
    _inert,
    audit_page,
    page,
    rehearsal_page,
    results_page,
    timeline_page,
)
from tests.history import given

PARTS = files("onevoice.history").joinpath("page")
# What makes a browser ask for something.
FETCHED = re.compile(r"""\b(?:src|href|srcset|action|poster)\s*=|<link|<base|url\(|@import|http-equiv="refresh""")


class Scripts(HTMLParser):
    """The script elements as a browser tells them apart, and all other elements by name."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.others, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append((dict(attrs), []))
        else:
            self.others.append(tag)

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1][1].append(data)

    def handle_endtag(self, tag):
        self.inside = False

    @property
    def data(self):
        return next("".join(text) for attrs, text in self.scripts if attrs.get("id") == "data")

    @property
    def run(self):
        return ["".join(text) for attrs, text in self.scripts if "id" not in attrs]


@pytest.mark.parametrize("name", ["spring_sale", given.HOSTILE, "\u2028 <!-- <script> ]]> ž 語"])
def test_the_data_is_that_of_the_records(name):
    records = {"report": given.report(name), "timeline": given.timeline(name), "why": given.why(name)}
    found = msgspec.json.decode(Scripts(page(**records, took_s=2.5)).data)
    assert found.pop("title") == "shop: what was said, and what was not"
    assert found.pop("took_s") == 2.5
    assert found == msgspec.json.decode(msgspec.json.encode(records))


def test_the_data_of_a_rehearsal_is_its_own():
    rehearsal = given.rehearsal(given.HOSTILE)
    found = msgspec.json.decode(Scripts(rehearsal_page(rehearsal)).data)
    assert found == {
        "title": "shop: what would have been said",
        "rehearsal": msgspec.json.decode(msgspec.json.encode(rehearsal)),
    }


def test_the_data_of_results_is_that_of_each_kind_of_parts():
    parts = given.results(given.HOSTILE)
    found = msgspec.json.decode(Scripts(results_page(parts, "owner")).data)
    assert (found["title"], found["by"]) == ("shop: what campaigns brought about", "owner")
    assert found["results"] == msgspec.json.decode(msgspec.json.encode([*parts.values()]))


def test_no_text_makes_an_element():
    plain, hostile = (Scripts(page(given.report(name), title=name)) for name in ("spring_sale", given.HOSTILE))
    assert hostile.others == plain.others
    assert len(hostile.scripts) == len(plain.scripts) == 1 + len(_SCRIPTS)


@drawn(strategies.text())
def test_whatever_the_data_says_it_is_inert(text):
    found = _inert({text: text})
    assert not set(found) & set("<>&\u2028\u2029")
    assert msgspec.json.decode(found) == {text: text}


def test_a_title_is_a_text():
    (title,) = re.findall("<title>(.*?)</title>", page(given.NOTHING, title=given.HOSTILE))
    assert unescape(title) == given.HOSTILE


def test_nothing_is_fetched():
    """What the browser does with the scripts is watched in test_browser.py; this is what the page itself says."""
    shell = re.sub(r"<script.*?</script>", "", page(given.report(), given.timeline(), given.why()), flags=re.DOTALL)
    assert FETCHED.findall(shell) == []
    assert FETCHED.findall("<img src=x>") != []


@pytest.mark.parametrize(
    "text",
    [
        page(given.report()),
        timeline_page(given.timeline()),
        audit_page(given.audit()),
        rehearsal_page(given.rehearsal()),
        results_page(given.results()),
    ],
    ids=["page", "timeline", "audit", "rehearsal", "results"],
)
def test_only_its_own_scripts_may_run(text):
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
    allowed = re.findall(r"'sha256-(.*?)'", policy)
    assert allowed == [b64encode(sha256(script.encode()).digest()).decode() for script in Scripts(text).run]
    assert policy.startswith("default-src 'none';")


def test_every_part_is_used():
    scripts = {*_SCRIPTS, *_AUDIT_SCRIPTS, *_REHEARSAL_SCRIPTS, *_RESULTS_SCRIPTS}
    assert {part.name for part in PARTS.iterdir()} == {*scripts, "page.css"}


def test_a_timeline_brings_no_charts():
    assert "Apache ECharts" in page(given.NOTHING)
    assert "Apache ECharts" not in timeline_page(given.timeline())


def test_the_charts_keep_their_notice():
    head = PARTS.joinpath("echarts.min.js").read_text("utf-8")[:3000]
    for notice in ("Apache License, Version 2.0", "The Apache Software Foundation", "Copyright (c) 2017, Baidu Inc."):
        assert notice in head
