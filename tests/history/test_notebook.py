"""What a notebook shows is small, well formed, without a script, and says the names as they are."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from onevoice.errors import Mistake
from onevoice.history.timeline import Band
from onevoice.history.why_not import Change, WhyNot
from onevoice.runtime.customer import Contact, Customer, Interval, Progress, Waiting
from onevoice.runtime.ingested import Ingested
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


def customer(name="spring_sale", facts=1):
    """A customer of whom something of every kind is known."""
    return Customer(
        number=17,
        time=given.START,
        identifiers={name: 2, "email": 1},
        traits={name: name, "score": 1234.5, "birthday": given.START.date(), "adult": True},
        facts={name: tuple(Interval((f"{name} {n}", 7), given.START + n * given.DAY, None) for n in range(facts))},
        measures={name: 120.0, "last_order": given.START},
        segments={name: given.START},
        moments={name: (Progress(0, 1, 3, None), Progress(5, 2, 3, given.START))},
        candidates=(
            Waiting(name, 0, given.START, None, None, "suppressed"),
            Waiting(name, 0, None, given.START, None, ""),
        ),
        contacts=(Contact(1, name, "email", given.START), Contact(None, "", "", None)),
    )


def ingested(name="spring_sale", mistakes=1):
    """Events of which something became of every kind."""
    return Ingested(
        position=5_040,
        lines=40,
        accepted=36 - mistakes,
        rejected_count=mistakes,
        reasons=Counter({name: mistakes}),
        unknown_types=Counter({name: 3}),
        duplicates=1,
        unknown_names=Counter({name: 1}),
        left_out=Counter({name: 1}),
        rejected=[Mistake("no such field", f"line {n + 1}: $.{name}") for n in range(mistakes)],
    )


def records(name):
    return {
        "customer": customer(name),
        "ingested": ingested(name),
        "report": given.report(name),
        "timeline": given.timeline(name),
        "why": given.why(name),
        "audit": given.audit(name),
        "results": given.results(name)["campaign"],
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


def cells(record):
    """The rows of all tables, each cell a text."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", record._repr_html_())
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_customer_is_a_row_for_each_thing_known():
    assert cells(customer(facts=5))[1:] == [
        ["trait", "spring_sale", "spring_sale", ""],
        ["trait", "score", "1,234.5", ""],
        ["trait", "birthday", "2026-03-02", ""],
        ["trait", "adult", "True", ""],
        ["measure", "spring_sale", "120", ""],
        ["measure", "last_order", "2026-03-02 09:30", ""],
        ["segment", "spring_sale", "", "since 2026-03-02 09:30"],
        ["fact", "spring_sale", "5 keys: spring_sale 0; spring_sale 1; spring_sale 2; …", "since 2026-03-02 09:30"],
        ["moment", "spring_sale", "1 of 3", ""],
        ["moment", "spring_sale", "2 of 3", "due 2026-03-02 09:30"],
        ["waits", "spring_sale", "suppressed", ""],
        ["waits", "spring_sale", "", "until 2026-03-02 09:30"],
        ["contact", "spring_sale", "email", "2026-03-02 09:30"],
        ["contact", "", "", ""],
    ]


def test_much_that_is_known_stays_small():
    html = replace(customer(), traits={f"t{n}": n for n in range(4_000)})._repr_html_()
    assert len(html) < 100_000
    assert "3,950 more" in html
    many = replace(ingested(mistakes=20), unknown_names=Counter({f"n{n}": 1 for n in range(1_000)}))
    assert cells(many)[-9] == ["why, the first 8"]
    assert len(many._repr_html_()) < 100_000


def test_what_came_in_says_what_was_not_taken_up():
    assert cells(ingested())[1:] == [
        ["rejected", "spring_sale", "1"],
        ["unknown type", "spring_sale", "3"],
        ["unknown name", "spring_sale", "1"],
        ["left out", "spring_sale", "1"],
        ["why"],
        ["line 1: $.spring_sale: no such field"],
    ]
    lead = "35 of 40 lines accepted, 1 seen before; the journal is at 5,040"
    assert lead in Shown(ingested()._repr_html_()).texts


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
    assert cells(Ingested(7)) == []
    assert cells(Customer(0, None, {}, {}, {}, {}, {}, {}, (), ())) == []
    Shown(replace(given.timeline(), events=(), bands=(), decisions=())._repr_html_())


def test_why_not_tells_its_times_by_the_playbooks_clock():
    """It was half past nine in UTC; what is needed is told in the zone, too."""
    due, heard = given.START + timedelta(hours=4), given.START - timedelta(hours=2)
    changes = (
        Change("wait", "if nothing else happens, it goes out", "time", "", due.isoformat(), due),
        Change("source", "if something of tills had come", "sources.tills", heard.isoformat(), given.START.isoformat()),
        Change("customer", "with 3 more of orders", "orders", "0", "3"),
    )
    why_not = WhyNot("news", 17, given.START, "news: held", (), {}, changes, time_zone="Europe/Vilnius")
    texts = Shown(why_not._repr_html_()).texts
    assert "Mon 02 Mar 2026 11:30: news: held." in texts
    assert texts[-8:] == [
        *("if nothing else happens, it goes out", "Mon 02 Mar 2026 15:30"),
        *("if something of tills had come", "Mon 02 Mar 2026 09:30", "Mon 02 Mar 2026 11:30"),
        *("with 3 more of orders", "0", "3"),
    ]


@pytest.mark.parametrize(
    ("days", "span"),
    [(1, "1 day"), (27, "27 days"), (350, "350 days"), (365, "year"), (366, "year"), (700, "700 days")],
)
def test_an_audit_says_how_long_the_same_time_is(days, span):
    assert replace(given.audit(), last=given.START + timedelta(days=days - 1)).span == span


def test_an_audit_counts_the_days_of_its_own_zone():
    late = given.START.replace(hour=23)  # one o'clock of the next day in Vilnius
    assert replace(given.audit(), first=late, last=late + timedelta(hours=2)).span == "1 day"
    assert replace(given.audit(), first=given.START, last=late).span == "2 days"
