"""The starters run, decide what is shown here, and every comment in them that claims something is true.

`UPDATE_GOLDEN=1 python -m pytest tests/starter` writes what they decide anew; read the difference before keeping it.
"""

import json
import os
import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import onevoice
from onevoice.errors import OnevoiceError
from onevoice.playbook.load import load_files, load_with_report, read_files
from onevoice.playbook.unwise import unwise
from onevoice.starter.start import EVENTS, PLAYBOOK, STARTERS, next_commands, start

HERE = Path(__file__).parent
LINES = range(90, 121)  # what a newcomer reads in one go
WIDTH = 150


@pytest.fixture
def begun(tmp_path):
    """Write a starter and return its folder, some of its text replaced."""

    def begin(kind, zone="UTC", changes=()):
        folder = tmp_path / kind
        start(folder, kind, zone)
        playbook = folder / PLAYBOOK
        text = playbook.read_text("utf-8")
        for old, new in dict(changes).items():
            assert old in text
            text = text.replace(old, new)
        playbook.write_text(text, "utf-8")
        return folder

    return begin


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """What a starter decides as it is."""

    @cache
    def unchanged(kind):
        folder = tmp_path_factory.mktemp(kind) / kind
        start(folder, kind)
        return told(folder)

    return unchanged


def names(folder):
    """The first names of the customers, in the order in which they were founded."""
    lines = map(json.loads, (folder / EVENTS).read_text("utf-8").splitlines())
    return [line["traits"]["first_name"] for line in lines if "first_name" in line.get("traits", {})]


def told(folder, zone="UTC"):
    """Every line of every decision over a starter's week, as (local time, first name, what is said)."""
    people, found = names(folder), []
    with onevoice.open(folder) as engine:
        taken = engine.run([folder / EVENTS])
        assert (taken.rejected, taken.unknown_types, taken.unknown_names, taken.left_out) == ([], {}, {}, {})
        for decision in engine.decisions():
            when = f"{decision.time.astimezone(ZoneInfo(zone)):%a %d %H:%M}"
            place = f" at {decision.placement}" if decision.placement else ""
            for line in decision.lines:
                said = re.sub(r"[<>]|( until \S*)", "", repr(replace(line, value=None, score=None)))
                found.append((when, people[decision.customer], f"{said}{place}"))
    return found


def leave_out(folder, text):
    """Take the one event with this text out of a starter's week."""
    events = folder / EVENTS
    lines = events.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if text not in line]
    assert len(kept) == len(lines) - 1
    events.write_text("".join(kept), "utf-8")


def about(person, lines):
    """What is said about one person, without the times."""
    return [said for _, name, said in lines if name == person]


def sent(lines):
    return [(when, name, said.split(":")[0]) for when, name, said in lines if "won by" in said]


@pytest.mark.parametrize("kind", STARTERS)
def test_what_a_starter_decides(week, kind):
    lines = [f"{when} {name:5} {said}" for when, name, said in week(kind)]
    golden = HERE / f"{kind}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text("\n".join(lines) + "\n", "utf-8")
    assert lines == golden.read_text("utf-8").splitlines()


@pytest.mark.parametrize("kind", STARTERS)
def test_every_campaign_of_a_starter_is_heard_of(begun, week, kind):
    said = {line.split(":")[0] for _, _, line in week(kind)}
    assert said == set(onevoice.load(begun(kind)).campaigns)


@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_gives_no_warnings(begun, kind):
    assert unwise(*load_with_report(read_files(begun(kind)))) == ()


@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_is_read_in_one_go(kind):
    lines = files("onevoice.starter").joinpath(kind, PLAYBOOK).read_text("utf-8").splitlines()
    assert len(lines) in LINES
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_the_week_is_the_same_in_every_zone(begun, zone):
    """Events happen at the same hours of the clock, and the same is decided at them."""
    here = begun("shop", zone)
    assert told(here, zone) == told_of_golden("shop")


def told_of_golden(kind):
    lines = (HERE / f"{kind}.txt").read_text("utf-8").splitlines()
    return [(line[:12], line[13:18].strip(), line[19:]) for line in lines]


# What the comments claim, one test for each person, and the same with the deciding thing changed.


def test_shop_ann_bought_so_nobody_reminds_her(week):
    assert not [said for said in about("Ann", week("shop")) if said.startswith("cart_reminder")]


def test_shop_without_the_tills_word_she_would_be_reminded(begun):
    folder = begun("shop")
    leave_out(folder, "a-1")
    assert "cart_reminder: won by email" in about("Ann", told(folder))


def test_shop_the_wait_of_an_absence_grows_by_the_lag(week):
    at = [when for when, name, campaign in sent(week("shop")) if (name, campaign) == ("Ben", "cart_reminder")]
    assert at == ["Mon 02 20:00"]  # 12:00, four hours, and the four of the tills


def test_shop_without_a_lag_it_does_not(begun):
    lines = told(begun("shop", changes={"lag: 4 hours, ": ""}))
    assert ("Mon 02 16:00", "Ben", "cart_reminder") in sent(lines)


def test_shop_cleo_hears_a_day_after_her_case_is_solved(week):
    lines = week("shop")
    assert [each for each in sent(lines) if each[1] == "Cleo"] == [("Sat 07 09:00", "Cleo", "cart_reminder")]
    assert about("Cleo", lines)[-1] == "weekend_news: expired"


def test_shop_without_that_day_she_hears_at_once(begun):
    lines = told(begun("shop", changes={"then: 1 day, ": ""}))
    assert ("Fri 06 09:00", "Cleo", "cart_reminder") in sent(lines)


def test_shop_dan_is_asked_and_gets_a_gift_card(week):
    assert [said.split(":")[0] for said in about("Dan", week("shop")) if "won" in said] == [
        "thanks",
        "how_was_it",
        "apology",
        "weekend_news",
    ]


def test_shop_a_happy_answer_gets_none(begun):
    folder = begun("shop")
    events = folder / EVENTS
    events.write_text(events.read_text("utf-8").replace('"happy": false', '"happy": true'), "utf-8")
    assert "apology: won by email with gift_card" not in about("Dan", told(folder))


def test_shop_eves_welcome_waits_for_the_gap(week):
    assert [each for each in sent(week("shop")) if each[0].startswith("Thu") and each[1] == "Eve"] == [
        ("Thu 05 09:10", "Eve", "thanks"),
        ("Thu 05 17:10", "Eve", "regular_welcome"),
    ]


def test_shop_finn_is_not_shown_what_he_has_and_his_reminder_is_taken_back(week):
    said = about("Finn", week("shop"))
    assert said[0] == "banner_care: won with care_kit at home_page"
    assert said[3] == "banner_care: suppressed policies.suppress[1] at home_page"
    assert said[4] == "banner_club: won at home_page"
    assert "cart_reminder: ended" in said


def test_shop_a_no_counts_in_whatever_channel(week):
    assert "banner_care: suppressed policies.suppress[2] at home_page" in about("Ann", week("shop"))


def test_shop_a_no_counts_as_long_as_is_said(begun):
    lines = told(begun("shop", changes={"refused: 90 days": "refused: 1 day"}))
    assert "banner_care: won with care_kit at home_page" in about("Ann", lines)


def test_telecom_ada_gets_a_better_offer_half_an_hour_after_the_shop(week):
    lines = week("telecom")
    assert ("Wed 04 17:30", "Ada", "stay_with_us") in sent(lines)
    assert "screen_contract: suppressed policies.suppress[1] at call_screen" in about("Ada", lines)
    assert "screen_phone: won with new_phone at call_screen" in about("Ada", lines)


def test_telecom_nobody_asks_bo_or_cy_to_stay(week):
    wanted = {name for _, name, said in week("telecom") if said.startswith(("stay_with_us", "screen_contract"))}
    assert wanted == {"Ada"}


def test_telecom_had_cy_been_premium_he_were_asked_too(begun):
    lines = told(begun("telecom", changes={"paid_365d > 1000": "paid_365d > 10"}))
    assert ("Wed 04 15:30", "Cy", "stay_with_us") in sent(lines)


def test_telecom_dee_is_called(week):
    assert ("Tue 03 14:10", "Dee", "help_to_connect") in sent(week("telecom"))


def test_telecom_two_failures_are_not_three(begun):
    folder = begun("telecom")
    leave_out(folder, "T11:50")
    assert "help_to_connect" not in {campaign for _, _, campaign in sent(told(folder))}


def test_telecom_elis_sale_waits_and_lets_the_question_go_first(week):
    assert [each for each in sent(week("telecom")) if each[1] == "Eli"] == [
        ("Tue 10 09:30", "Eli", "was_it_solved"),
        ("Wed 11 08:00", "Eli", "weekend_sale"),
    ]


def test_telecom_fays_bill_goes_first(week):
    assert [each for each in sent(week("telecom")) if each[1] == "Fay"] == [
        ("Sat 07 10:05", "Fay", "bill_reminder"),
        ("Sun 08 08:00", "Fay", "weekend_sale"),
    ]


def test_telecom_without_hours_her_sale_comes_at_midnight(begun):
    lines = told(begun("telecom", changes={'{all: "08:00-21:00", call': "{call"}))
    assert ("Sun 08 00:00", "Fay", "weekend_sale") in sent(lines)


def test_bank_gil_is_offered_a_loan_at_once_and_not_again(week):
    lines = week("bank")
    assert ("Wed 04 18:03", "Gil", "instant_loan") in sent(lines)
    asked = [said for _, name, said in lines if name == "Gil" and said.startswith("loan_on_screen")]
    assert asked == [
        "loan_on_screen: won with small_loan at cash_machine",
        "loan_on_screen: suppressed policies.suppress[1] at cash_machine",
    ]


def test_bank_hana_hears_nothing(week):
    assert about("Hana", week("bank")) == []


def test_bank_at_a_lower_risk_she_would(begun):
    lines = told(begun("bank", changes={"risk < 0.4": "risk < 0.8"}))
    assert ("Wed 04 19:00", "Hana", "instant_loan") in sent(lines)


def test_bank_ivos_savings_plan_is_for_the_next_day(week):
    assert [each for each in sent(week("bank")) if each[1] == "Ivo"] == [
        ("Thu 05 09:10", "Ivo", "insurance_for_trip"),
        ("Fri 06 08:00", "Ivo", "save_some"),
    ]


def test_bank_without_hours_it_comes_at_midnight(begun):
    lines = told(begun("bank", changes={'hours: {email: "08:00-21:00"}': "hours: {}"}))
    assert ("Fri 06 00:00", "Ivo", "save_some") in sent(lines)


def test_bank_jo_hears_when_she_agrees(week):
    lines = week("bank")
    assert about("Jo", lines) == [
        "insurance_for_trip: no_consent by push",
        "insurance_for_trip: won by email with trip_insurance",
    ]


def test_bank_where_silence_is_consent_she_hears_at_once(begun):
    lines = told(begun("bank", changes={", consent_required: true": ""}))
    assert about("Jo", lines) == ["insurance_for_trip: won by push with trip_insurance"]


def test_bank_kim_is_called_and_sold_nothing_until_a_day_after(week):
    assert [each for each in sent(week("bank")) if each[1] == "Kim"] == [
        ("Fri 06 07:48", "Kim", "security_call"),
        ("Sun 08 10:00", "Kim", "insurance_for_trip"),
    ]


# Writing one.


def test_the_commands_in_the_first_lines_are_those_to_type(tmp_path):
    folder = tmp_path / "my crm"
    start(folder, "shop")
    text = (folder / PLAYBOOK).read_text("utf-8")
    assert all(f"#     {command}" in text for command in next_commands(folder, "shop")[:2])


@pytest.mark.parametrize("name", ["crm", "our shop: 2026", "true", "žalia", "'", "#1"])
def test_any_name_is_the_playbooks(tmp_path, name):
    start(tmp_path / "x", "bank", name=name)
    files = {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir() if path.suffix != ".ndjson"}
    assert load_files(files).name == name


def test_the_zone_is_the_playbooks(tmp_path):
    start(tmp_path / "x", "bank", "Asia/Tokyo")
    assert onevoice.load(tmp_path / "x").time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("kind", STARTERS)
def test_events_are_in_order_of_time(begun, kind):
    times = [json.loads(line)["time"] for line in (begun(kind) / EVENTS).read_text("utf-8").splitlines()]
    assert times == sorted(times)


@pytest.mark.parametrize("there", ["playbook.yaml", "products.csv", "events.ndjson", "other.yml"])
def test_nothing_is_written_over(tmp_path, there):
    (tmp_path / there).write_text("mine")
    with pytest.raises(OnevoiceError, match=f"files are there already.*{re.escape(there)}"):
        start(tmp_path, "shop")
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_beside_other_files_it_is_written(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    assert len(start(tmp_path, "shop")) == 3


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(OnevoiceError, match="cannot be written"):
        start(tmp_path / "x", "shop")


@pytest.mark.parametrize(
    ("kind", "zone", "message"),
    [
        ("shap", "UTC", "--kind: no such kind; .*; did you mean `shop`?"),
        ("shop", "Europe/Vilnus", "--time-zone: an unknown time zone; .*; did you mean `Europe/Vilnius`?"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_made(tmp_path, kind, zone, message):
    with pytest.raises(OnevoiceError, match=message):
        start(tmp_path / "x", kind, zone)
    assert not (tmp_path / "x").exists()
