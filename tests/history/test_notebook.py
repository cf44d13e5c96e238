"""What a notebook shows is small, well formed, without a script, and says the names as they are."""

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from onevoice.history.timeline import Band
from tests.history import given


class Shown(HTMLParser):
    """Which elements there are, and their texts; each is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts = set(), [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.open.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def records(name):
    return {
        "report": given.report(name),
        "timeline": given.timeline(name),
        "why": given.why(name),
        "decision": given.decision(name),
        "ask": given.ask(name),
    }


@pytest.mark.parametrize("record", records("spring_sale"))
def test_names_are_texts(record):
    shown = Shown(records(given.HOSTILE)[record]._repr_html_())
    assert not shown.tags & {"script", "img", "style", "link"}
    assert any(given.HOSTILE in text for text in shown.texts)


def test_a_decision_says_the_values_as_used():
    texts = Shown(given.decision()._repr_html_()).texts
    assert [text for text in texts if text in ("1 of 1", "12.5", "policies.caps[0]")] == [
        "12.5",
        "1 of 1",
        "policies.caps[0]",
    ]


def drawing(timeline):
    return ET.fromstring("<svg" + timeline._repr_html_().partition("<svg")[2].removesuffix("</div>"))


def test_a_timeline_has_a_lane_for_each_name():
    lanes = [lane.find("text").text for lane in drawing(given.timeline()).iter("g")]
    assert lanes == [
        "how_was_it",
        "spring_sale",
        "late",
        "home_banner",
        "spring_sale",
        "asked",
        "premium",
        "owns",
        "open_case",
    ]


def test_bands_that_overlap_are_one():
    """Three products owned one after another, each two days from the day after the one before: four days, one band."""
    (lane,) = [lane for lane in drawing(given.timeline()).iter("g") if lane.find("text").text == "owns"]
    (band,) = lane.iter("rect")
    assert band.find("title").text == "owns, Mon 02 Mar 2026 11:30 to Fri 06 Mar 2026 11:30"


def test_bands_apart_stay_apart():
    day = timedelta(days=1)
    bands = tuple(
        Band("fact", "owns", f"{n}", given.START + 3 * n * day, given.START + (3 * n + 1) * day) for n in range(3)
    )
    found = drawing(replace(given.timeline(), now=given.START + 20 * day, bands=bands))
    assert len(list(found.iter("rect"))) == 3


def test_many_marks_stay_small():
    one = given.timeline().events[0]
    events = tuple(replace(one, time=one.time + timedelta(minutes=n)) for n in range(5000))
    html = replace(given.timeline(), events=events)._repr_html_()
    assert len(html) < 100_000
    assert "5000, first 400" in html


def test_nothing_is_shown_of_nothing():
    Shown(given.NOTHING._repr_html_())
    Shown(replace(given.timeline(), events=(), bands=(), decisions=())._repr_html_())
