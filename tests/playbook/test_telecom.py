"""The example of the design is a playbook that loads, and means what the design says."""

from pathlib import Path

import pytest

from onevoice.errors import PlaybookError
from onevoice.playbook.load import digest, digest_files, load, load_files, read_files
from onevoice.playbook.model import (
    DAY,
    HOUR,
    MINUTE,
    Aggregate,
    EventMatch,
    Fact,
    FieldType,
    Measure,
    Step,
    Trigger,
    TriggerKind,
)

TELECOM = Path(__file__).parents[2] / "examples" / "telecom"


@pytest.fixture(scope="module")
def telecom():
    return load(TELECOM)


def test_orders_are_kept(telecom):
    assert list(telecom.identifiers) == ["user_id", "email", "phone", "cookie"]
    assert list(telecom.policies.classes) == ["service", "retention", "sales"]
    assert telecom.campaigns["stay_with_us"].send == ("push", "sms", "email")


def test_a_moment_is_its_steps(telecom):
    assert telecom.moments["retention_risk"].steps == (
        Step((EventMatch("page_viewed", "page = 'retention-offers'"),)),
        Step((EventMatch("store_visited"),), within_us=7 * DAY),
        Step((EventMatch("contract_extended"),), within_us=30 * MINUTE, absent=True),
    )
    assert telecom.moments["cannot_connect"].steps[1] == Step(
        (EventMatch("connection_failed"),), count=3, within_us=DAY
    )
    assert telecom.moments["delivered_not_opened"].per == "order_id"


def test_facts_and_measures_are_read(telecom):
    assert telecom.facts["pending"] == Fact(
        "pending",
        opens=(EventMatch("order_placed.items"), EventMatch("offer_accepted")),
        closes=(EventMatch("order_delivered"), EventMatch("order_cancelled")),
        per=("product", "order_id"),
        lasts_us=30 * DAY,
    )
    assert telecom.measures["spend_365d"] == Measure(
        "spend_365d", Aggregate.SUM, EventMatch("order_placed"), "amount", 365 * DAY
    )


def test_what_is_not_written_follows_from_what_is(telecom):
    assert telecom.events["product_restocked"].fields == {"product": FieldType.PRODUCT}
    assert telecom.offers["red_case"].family == "red_case"
    assert telecom.policies.classes["sales"].purpose == "sales"
    assert {name: channel.address for name, channel in telecom.channels.items()} == {
        "email": "email",
        "sms": "phone",
        "call": "phone",
        "push": "",
    }


def test_times_are_local_and_the_last_day_is_included(telecom):
    sale = telecom.campaigns["spring_sale"]
    # Vilnius is two hours ahead on 1 March, three on 1 April.
    assert sale.when == Trigger(TriggerKind.ONCE, at_us=sale.from_us + 10 * HOUR)
    assert sale.to_us - sale.from_us == 31 * DAY - HOUR


def test_the_catalogue_keeps_unknown_values_unknown(telecom):
    assert telecom.products.names[0] == "contract_plus"
    assert telecom.products.columns["stock"][:3] == (None, None, 14.0)


def test_a_playbook_in_memory_is_the_playbook_in_the_folder(telecom):
    assert load_files(read_files(TELECOM)) == telecom


def test_any_split_into_files_is_the_same_playbook(telecom):
    files = read_files(TELECOM)
    joined = b"\n".join(files[name] for name in sorted(files) if name.endswith(".yaml"))
    assert load_files({"all.yaml": joined, "products.csv": files["products.csv"]}) == load_files(files)


def test_the_digest_is_of_names_and_contents():
    files = read_files(TELECOM)
    known = {digest_files(files)}
    assert known == {digest(TELECOM)}
    for name in files:
        known.add(digest_files({**files, name: files[name] + b" "}))
        known.add(digest_files({("x" + each if each == name else each): text for each, text in files.items()}))
        known.add(digest_files({each: text for each, text in files.items() if each != name}))
    assert len(known) == 1 + 3 * len(files)


@pytest.mark.parametrize("content", [None, "readme.txt"])
def test_a_folder_without_a_playbook_is_refused(tmp_path, content):
    folder = tmp_path / "playbook"
    if content:
        folder.mkdir()
        (folder / content).write_text("hello")
    with pytest.raises(PlaybookError):
        load(folder)


def test_hidden_files_are_no_part_of_a_playbook(tmp_path):
    (tmp_path / "a.yaml").write_text("playbook: hidden\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "b.yaml").write_text("nonsense: {")
    assert load(tmp_path).name == "hidden"
    assert list(read_files(tmp_path)) == ["a.yaml"]
