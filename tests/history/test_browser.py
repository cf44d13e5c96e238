"""The page as a browser shows it: opened from a file with the network off."""

import re
import shutil
from dataclasses import replace

import pytest

from onevoice.history.page import audit_page, page, rehearsal_page, results_page, timeline_page
from tests.history import given

sync_api = pytest.importorskip("playwright.sync_api", reason="the page is not looked at: playwright is not installed")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("the page is not looked at: there is no Chromium (Debian's package is `chromium`)")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens a text as a page. At the end nothing else was asked for, nothing complained, no dialog came up."""
    heard, asked, contexts = [], [], []

    def opens(text, viewport=WIDE, scheme="light"):
        file = tmp_path / "page.html"
        file.write_text(text, "utf-8")
        contexts.append(
            chromium.new_context(offline=True, viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        )
        tab = contexts[-1].new_page()
        tab.on("console", lambda said: heard.append(said.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(file.as_uri())
        assert asked[-1] == file.as_uri()
        return tab

    yield opens
    assert heard == []
    assert len(asked) == len(contexts)
    for context in contexts:
        context.close()


def whole(name="spring_sale", many=0):
    return page(given.report(name, many), given.timeline(name), given.why(name), took_s=2.0)


def names(tab, section):
    return tab.locator(f"#{section} tbody th").all_inner_texts()


OFF = ["paused", "Tue 3 Mar 2026 11:30", "ann of spring_sale", "the price of spring_sale", "12"]


def drawn(tab, section):
    """How many shapes the charts of a section have."""
    return tab.locator(f"#{section} .chart svg path").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_everything_is_drawn(opened, viewport, scheme):
    tab = opened(whole(), viewport, scheme)
    sections = tab.locator("section").evaluate_all("all => all.map(each => each.id)")
    assert sections == ["off", "weeks", "campaigns", "reasons", "load", "crowded", "collisions", "timeline", "why"]
    assert drawn(tab, "weeks") >= 6
    assert drawn(tab, "load") >= 3
    assert tab.locator("#timeline path.band").count() >= 3
    assert tab.locator(".figures dd").all_inner_texts()[:2] == ["123,400", "61,728"]
    assert tab.locator(".figures dt").first.inner_text() == "events came in, in 123,456 lines"
    off = tab.locator("#off tbody tr").inner_text().split("\t")
    assert [each.strip() for each in off[1:]] == OFF
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_an_audit_is_drawn(opened, viewport):
    tab = opened(audit_page(given.audit()), viewport, "dark")
    sections = tab.locator("section").evaluate_all("all => all.map(each => each.id)")
    names = ["found", "heard", "busiest", "hours", "logged", "eating", "year", "campaigns", "reasons", "rules"]
    assert sections == names
    assert [drawn(tab, name) >= 2 for name in ("found", "heard", "hours", "year")] == [True] * 4
    assert tab.locator(".figures dd").all_inner_texts() == ["300", "50", "900", "40", "20", "1,550"]
    assert tab.locator("#year h2").inner_text() == "The same 26 days under these rules"
    full, against = (tab.locator(each).first.bounding_box()["width"] for each in ("#found .bar", "#found .bar i"))
    assert against / full == pytest.approx(40 / 300, abs=0.02)  # the bar is of all contacts
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_the_load_of_an_audit_is_that_of_the_period_one_chooses(opened):
    tab = opened(audit_page(given.audit()))
    told = tab.locator("#heard .chart")
    assert told.get_attribute("aria-label") == "Contacts in a week: 1 contact: 19, 2 contacts: 18, more than 8: 8"
    tab.locator("#heard").get_by_text("30 days", exact=True).click()
    assert told.get_attribute("aria-label").startswith("Contacts in 30 days: ")
    assert drawn(tab, "heard") >= 3


def test_an_audit_that_found_nothing_says_so(opened):
    tab = opened(audit_page(given.audit(broken=False)))
    assert tab.locator("#found .lead").inner_text() == "No contact of the log broke a rule."
    assert tab.locator("#eating .lead").inner_text().startswith("No two campaigns")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_rehearsal_is_drawn(opened, viewport):
    tab = opened(rehearsal_page(given.rehearsal("a_campaign_of_a_long_name_" * 3)), viewport)
    sections = tab.locator("section").evaluate_all("all => all.map(each => each.id)")
    assert sections == ["weeks", "campaigns", "groups", "reasons", "customers", "differences"]
    assert drawn(tab, "weeks") >= 6
    assert drawn(tab, "customers") >= 4
    assert tab.locator(".figures dd").all_inner_texts() == ["101", "72", "21", "0"]
    assert tab.locator(".figures dt").all_inner_texts() == [
        "wishes: times that a campaign wanted a customer, instead of 100",
        "contacts, instead of 60",
        "customers not contacted, instead of 20",
        "customers over the limit, instead of 3",
    ]
    assert tab.locator("#campaigns tbody tr").first.locator("td").all_inner_texts()[:3] == ["30", "36", "+6"]
    assert "nobody knows" in tab.locator("p.honest").inner_text()
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_a_differing_decision_is_explained_from_both_sides(opened):
    tab = opened(rehearsal_page(given.rehearsal(given.HOSTILE)))
    for summary in tab.locator("summary").all()[1:]:
        summary.click()
    assert tab.locator(".example .told").count() == 3
    assert "Nothing was decided about this campaign." in tab.locator(".example").nth(1).inner_text()
    assert given.HOSTILE in tab.locator(".example .told").first.inner_text()
    assert tab.evaluate("window.hit") is None


def test_the_weeks_of_a_rehearsal_are_those_of_the_class_one_chooses(opened):
    tab = opened(rehearsal_page(given.rehearsal()))
    before = tab.locator("#weeks svg").inner_html()
    tab.locator("#weeks").get_by_text("service", exact=True).click()
    assert tab.locator("#weeks svg").inner_html() != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("held_out", [True, False], ids=["held out", "nobody held out"])
def test_results_are_drawn(opened, viewport, scheme, held_out):
    tab = opened(results_page(given.results(given.HOSTILE, many=80, held_out=held_out)), viewport, scheme)
    assert tab.locator("section").evaluate_all("all => all.map(each => each.id)") == ["weeks", "parts"]
    assert drawn(tab, "weeks") >= 6
    assert tab.locator(".figures dd").count() == (5 if held_out else 3)
    assert tab.locator("#parts .interval").count() == (3 if held_out else 0)
    assert ("holdout: {share: 10%}" in tab.locator(".honest").inner_text()) is not held_out
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert tab.evaluate("window.hit") is None
    assert given.HOSTILE in names(tab, "parts")


def test_an_uplift_is_a_bar_about_zero_and_too_few_are_words(opened):
    tab = opened(results_page(given.results()))
    places = tab.locator("#parts .interval").evaluate_all(
        "all => all.map(each => ['.zero', '.within', '.point'].map(name => each.querySelector(name))"
        ".map(mark => mark.getBoundingClientRect()).map(box => [box.left, box.right]))"
    )
    assert len({zero for (zero, _), _, _ in places}) == 1  # one scale: the line of zero is one through all rows
    assert all(low < point < high for _, (low, high), (point, _) in places)
    assert [low > zero for (zero, _), (low, _), _ in places] == [True, False, False]
    assert [high < zero for (zero, _), (_, high), _ in places] == [False, True, False]
    words = tab.locator("#parts tbody tr").all_inner_texts()
    assert "too few to tell: 80 contacted and 12 held out, 100 of each are needed" in words[4]
    assert "nobody was held out" in words[3]
    assert "everybody was held out" in words[5]


def test_results_are_sorted_and_those_of_the_parts_one_chooses(opened):
    tab = opened(results_page(given.results()))
    uplift = tab.locator("#parts thead th", has_text="Uplift").get_by_role("button")
    assert names(tab, "parts")[:3] == ["more", "fewer", "nothing_shown"]
    uplift.click()
    assert names(tab, "parts")[:3] == ["more", "nothing_shown", "fewer"]
    assert tab.locator("#parts .lead").inner_text() == (
        "In 1 of 6 campaigns more of those contacted come to the goal, in 1 fewer do, "
        "in 1 no difference is shown and in 3 nothing can be said."
    )
    tab.locator("#parts").get_by_text("week", exact=True).click()
    assert names(tab, "parts") == ["2 Mar 2026", "9 Mar 2026", "23 Mar 2026"]
    tab.locator("#parts").get_by_text("owner", exact=True).click()
    assert names(tab, "parts") == ["(none)", "more"]
    tab.locator("#parts").get_by_text("class", exact=True).click()
    assert "sales: of 100 contacted" in tab.locator("#parts .lead").inner_text()


def test_results_may_begin_with_weeks(opened):
    tab = opened(results_page(given.results(held_out=False), "week"))
    assert names(tab, "parts") == ["2 Mar 2026", "9 Mar 2026", "23 Mar 2026"]
    heads = tab.locator("#parts thead th").all_inner_texts()
    assert [head.rstrip(" ↑") for head in heads] == ["Week of", "Contacts", "Came", "Share", "Compared"]


def test_both_schemes_have_colours_of_their_own(opened):
    papers = {
        opened(whole(), scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert len(papers) == 2


def test_the_colours_can_be_switched(opened):
    tab = opened(whole())
    seen = "[getComputedStyle(document.body).backgroundColor, document.querySelector('#weeks svg').innerHTML]"
    paper, bars = tab.evaluate(seen)
    tab.get_by_text("dark", exact=True).click()
    dark_paper, dark_bars = tab.evaluate(seen)
    assert dark_paper != paper
    assert dark_bars != bars
    tab.get_by_text("light", exact=True).click()
    assert tab.evaluate(seen)[0] == paper


@pytest.mark.parametrize(
    "made", [whole, lambda name: timeline_page(given.timeline(name), given.why(name))], ids=["page", "timeline"]
)
def test_a_name_cannot_do_anything(opened, made):
    tab = opened(made(given.HOSTILE))
    for summary in tab.locator("summary").all():
        summary.click()
    tab.locator(".lane .plot").first.hover()
    assert tab.evaluate("window.hit") is None
    assert tab.locator("img").count() == 0
    assert given.HOSTILE in tab.locator("#why .told").inner_text()


def test_a_name_in_an_audit_cannot_do_anything_either(opened):
    tab = opened(audit_page(given.audit(given.HOSTILE)))
    assert tab.evaluate("window.hit") is None
    assert tab.locator("img").count() == 0
    assert given.HOSTILE in tab.locator("#rules").inner_text()


def test_a_table_is_sorted_by_the_column_one_presses(opened):
    tab = opened(whole())
    assert names(tab, "campaigns") == ["how_was_it", "spring_sale", "banner"]
    head = tab.locator("#campaigns thead th", has_text="Share sent")
    head.get_by_role("button").click()
    assert names(tab, "campaigns") == ["how_was_it", "spring_sale", "banner"]
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").click()
    assert names(tab, "campaigns") == ["banner", "spring_sale", "how_was_it"]
    tab.locator("#campaigns thead th", has_text="Campaign").get_by_role("button").press("Enter")
    assert names(tab, "campaigns") == ["banner", "how_was_it", "spring_sale"]


def test_a_long_table_is_shown_in_part_and_searched(opened):
    tab = opened(whole(many=300))
    assert len(names(tab, "campaigns")) == 12
    tab.locator("#campaigns").get_by_text("Show all 303").click()
    assert len(names(tab, "campaigns")) == 303
    tab.locator("#campaigns input[type=search]").fill("CARE")
    assert names(tab, "campaigns") == ["how_was_it"]
    tab.locator("#campaigns input[type=search]").fill("nobody")
    assert tab.locator("#campaigns tbody").inner_text() == "None."


def test_the_weeks_are_stacked_by_what_one_chooses(opened):
    tab = opened(whole())
    legend = tab.locator("#weeks .legend button")
    assert legend.all_inner_texts() == ["sales\n160", "service\n160"]
    before = tab.locator("#weeks svg").inner_html()
    tab.locator("#weeks").get_by_text("channel", exact=True).click()
    assert legend.all_inner_texts() == ["email\n160", "call\n160"]
    legend.first.click()
    assert legend.first.get_attribute("aria-pressed") == "false"
    assert tab.locator("#weeks svg").inner_html() != before


def test_a_week_without_contacts_is_shown_as_one(opened):
    tab = opened(whole())
    tab.locator("#weeks summary").click()
    rows = [re.split(r"\s*\t\s*", row) for row in tab.locator("#weeks tbody tr").all_inner_texts()]
    assert rows == [
        ["2 Mar 2026", "40", "40"],
        ["9 Mar 2026", "50", "50"],
        ["16 Mar 2026", "0", "0"],
        ["23 Mar 2026", "70", "70"],
    ]


def test_a_fact_of_many_keys_is_one_lane_until_opened(opened):
    tab = opened(whole())
    lanes = tab.locator("#timeline .lane .name")
    closed = lanes.count()
    owns = tab.get_by_role("button", name="owns 3 keys")
    assert owns.get_attribute("aria-expanded") == "false"
    owns.click()
    assert lanes.count() == closed + 3
    owns.click()
    assert lanes.count() == closed


def test_the_timeline_is_zoomed_and_moved_by_keys(opened):
    tab = opened(whole())
    shown = tab.locator("#timeline .range")
    everything = shown.inner_text()
    lanes = tab.locator("#timeline .lanes")
    lanes.press("+")
    lanes.press("+")
    zoomed = shown.inner_text()
    lanes.press("ArrowRight")
    lanes.press("ArrowRight")
    lanes.press("ArrowRight")
    moved = shown.inner_text()
    assert len({everything, zoomed, moved}) == 3
    lanes.press("0")
    assert shown.inner_text() == everything


def test_what_is_in_view_can_be_read_as_a_list(opened):
    tab = opened(whole())
    tab.locator("#timeline summary").click()
    rows = tab.locator("#timeline .listed tr").all_inner_texts()
    assert len(rows) == 2 + 3 + 2
    assert rows[0].startswith("Mon 2 Mar 2026 11:30\tspring_sale\tfrom till, by shop · amount: 12.5")


def test_a_mark_says_what_it_is(opened):
    tab = opened(whole())
    plot = tab.locator("#timeline .lane:not(.axis) .plot").first
    plot.scroll_into_view_if_needed()
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")  # a scroll hides it
    box, dot = plot.bounding_box(), plot.locator("path.dot").bounding_box()
    plot.hover(position={"x": dot["x"] - box["x"] + 5, "y": 10})
    assert tab.locator(".tip").inner_text().split("\n")[:2] == ["how_was_it: goes out by call", "Tue 3 Mar 2026 11:30"]


def test_each_candidate_is_stopped_at_its_gate(opened):
    tab = opened(whole())
    tracks = tab.locator("#why .track").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))")
    assert tracks == [
        "passes all gates",
        "stopped at gate 10, room in the caps",
        "stopped at gate 9, long enough after the last",
    ]


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_and_long_names_are_shown_as_well(opened, viewport):
    unbroken = given.HOSTILE + "x" * 80
    texts = (page(given.NOTHING), whole("a_campaign_of_a_very_long_name_" * 8, many=300), whole(unbroken))
    for text in (*texts, results_page(given.results(unbroken)), results_page(given.results(unbroken, held_out=False))):
        tab = opened(text, viewport)
        assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_no_column_of_the_campaigns_is_cut_off_on_a_wide_page(opened):
    report = given.report("weekly_shopper_missing")
    campaigns = [replace(each, owner="category managers", klass="promotion") for each in report.campaigns]
    large = [replace(each, wishes=44_692, sent=26_957, asks=141_871, shown=47_577) for each in campaigns]
    tab = opened(page(replace(report, campaigns=tuple(large))), {"width": 1280, "height": 900})
    scroll = tab.locator("#campaigns .scroll")
    assert scroll.evaluate("node => node.scrollWidth") == scroll.evaluate("node => node.clientWidth")
