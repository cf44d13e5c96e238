"""What an audit takes for a contact log, and what it says of one that is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

import onevoice
from onevoice.auditing.mappings import READY, given_mapping
from onevoice.errors import EventError, LimitError, MappingError, PlaybookError
from onevoice.importing.model import FileMapping

TELECOM = Path(__file__).resolve().parents[2] / "examples" / "telecom"
EVENTS = '{"type": "purchase", "time": "2026-03-02T08:00:00Z", "identifiers": {"email": "ann@example.org"}}\n'

# As the tools export them: more columns than are read, other events between.
SALESFORCE = """ClientID,SendID,SubscriberKey,EmailAddress,SubscriberID,ListID,EventDate,EventType,BatchID,\
TriggeredSendExternalKey
7,42,k1,ann@example.org,1,3,3/2/2026 8:05:00 AM,Sent,1,
7,42,k2,bob@example.org,2,3,3/2/2026 11:30:00 PM,Sent,1,
7,43,k1,ann@example.org,1,3,yesterday,Sent,1,
"""


def stored(event, at, **told):
    """Give an event as cloud storage has it, its type put beside it from the path of its file."""
    ids = {"id": f"5f{at:030x}", "user_id": "639a35d192b0df004d06514c", "external_user_id": "u1"}
    nothing = {"timezone": "America/Chicago", "canvas_id": None, "canvas_name": None, "send_id": None}
    return {"event_type": event, **ids, **nothing, "time": 1772460000 + at, "app_group_id": "f4", **told}


def connected(event, at, user="u1", **told):
    """Give an event as the custom HTTP connector sends it."""
    inside = {"user": {"user_id": "639a35", "external_user_id": user, "timezone": "America/New_York"}}
    return {"event_type": event, "id": f"5f{at:030x}", "time": 1772460000 + at, **inside, "properties": told}


MAIL = {"email_address": "ann@example.org"}
BRAZE = [
    stored("users.messages.email.Send", 0, campaign_name="spring", dispatch_id="639a", **MAIL),
    stored("users.messages.email.Open", 100, campaign_name="spring", **MAIL),
    stored("users.messages.email.Click", 200, campaign_name="spring", url="https://example.org", **MAIL),
    stored("users.messages.email.Unsubscribe", 300, **MAIL),
    stored("users.messages.email.Send", 400, canvas_name="onboarding", **MAIL),
    stored("users.messages.email.Send", 400, canvas_name="onboarding", **MAIL),  # at least once, they say
    stored("users.messages.pushnotification.Send", 500, external_user_id=None, user_id="b2", canvas_name="onboarding"),
]
CONNECTED = [
    connected("users.messages.sms.Send", 0, campaign_name="spring", to_phone_number="+37060012345"),
    connected("users.messages.sms.ShortLinkClick", 60, campaign_name="spring", user_phone_number="+37060012345"),
    connected("users.messages.pushnotification.Send", 400, campaign_name="summer", platform="ios"),
    connected("users.messages.pushnotification.Open", 460, campaign_name="summer", platform="ios"),
    connected(
        "users.behaviors.subscription.GlobalStateChange", 500, channel="push", subscription_status="Unsubscribed"
    ),
    connected("users.messages.pushnotification.Send", 600, campaign_name="summer", platform="ios"),
    connected("users.behaviors.subscription.GlobalStateChange", 700, channel="push", subscription_status="Opted In"),
    connected("users.messages.pushnotification.Send", 800, campaign_name="summer", platform="ios"),
]


@pytest.fixture
def audited(tmp_path):
    """Give `audited(name, log, …)`: the audit of a log in a file of this name."""

    def audit(name, log, events=EVENTS, **given):
        (tmp_path / name).write_text(log, "utf-8")
        (tmp_path / "events.ndjson").write_text(events, "utf-8")
        return onevoice.audit(tmp_path / "events.ndjson", tmp_path / name, **given)

    return audit


def campaigns(audit):
    return {each.campaign: each.contacts for each in audit.campaigns}


def found(audit):
    return {each.words: each.contacts for each in audit.findings if each.contacts}


def test_what_salesforce_sent(audited):
    audit = audited("Sent.csv", SALESFORCE, contacts_mapping="salesforce")
    assert campaigns(audit) == {"42": 2}
    assert {each.channel for each in audit.weeks} == {"email"}
    assert audit.first.isoformat() == "2026-03-02T14:05:00+00:00"  # their clocks stand six hours behind, also in summer
    assert any("kept aside: a time in no format (line 4)" in line for line in audit.read)


def test_what_braze_sent_and_how_it_was_answered(audited):
    audit = audited("currents.ndjson", "\n".join(map(json.dumps, BRAZE)), contacts_mapping="braze")
    assert campaigns(audit) == {"onboarding": 2, "spring": 1}
    assert found(audit)["opted out"] == 1
    assert [(each.one, each.other, each.other_alone) for each in audit.pairs] == [("onboarding", "spring", 1.0)]
    assert any("kept aside: neither a message nor an answer to one (line 2)" in line for line in audit.read)
    assert any("1 duplicates dropped (line 6)" in line for line in audit.read)


def test_what_braze_sent_as_its_connector_tells_it(audited):
    audit = audited("currents.ndjson", "\n".join(map(json.dumps, CONNECTED)), contacts_mapping="braze")
    assert (campaigns(audit), {each.channel for each in audit.weeks}) == ({"summer": 3, "spring": 1}, {"sms", "push"})
    assert (audit.customers, audit.answers, found(audit)["opted out"]) == (1, 2, 1)


def test_a_record_of_storage_alone_does_not_say_what_it_is(audited):
    record = {name: value for name, value in BRAZE[0].items() if name != "event_type"}
    audit = audited("currents.ndjson", f"{json.dumps(record)}\n{json.dumps(BRAZE[0])}", contacts_mapping="braze")
    assert any("kept aside: no `event_type`: it stands in the path of the file (line 1)" in each for each in audit.read)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_tables_of_events_with_numbers_for_names_fit_a_log_with_texts(tmp_path, form):
    """Also where the log tells of more than contacts, under the same names."""
    rows = {
        "type": ["purchase", "offer_clicked"],
        "time": [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (8, 11)],
        "identifiers": [{"user_id": 1}, {"user_id": 1}],
        "fields": [{"product": 7, "campaign": None}, {"product": None, "campaign": "spring"}],
    }
    table = pa.table(rows).set_column(0, "type", pa.array(rows["type"]).dictionary_encode())
    events, sent = tmp_path / f"events.{form}", tmp_path / "sent.csv"
    pyarrow.parquet.write_table(table, events) if form == "parquet" else pyarrow.feather.write_feather(table, events)
    sent.write_text(
        "at,who,what,product\n2026-03-02 09:00,1,buys,8\n2026-03-02 10:00,1,spring,7\n2026-03-02 12:00,2,spring,8\n"
    )
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "time: {column: at, zone: UTC}\nidentifiers: {user_id: who}\nevents:\n"
        "  - {when: what = 'buys', type: purchase, fields: {product: product}}\n"
        "  - {type: contact_reported, fields: {campaign: what, product: product}}"
    )
    audit = onevoice.audit(events, sent, contacts_mapping=mapping)
    assert found(audit) == {"no offers while bought(offer.product)": 1}
    assert (audit.events, audit.contacts, audit.answers, audit.customers) == (2, 2, 1, 2)


def test_a_table_of_something_else_is_no_table_of_events(tmp_path):
    pyarrow.parquet.write_table(pa.table({"when": ["soon"], "who": ["ann"]}), tmp_path / "events.parquet")
    (tmp_path / "sent.csv").write_text(LOG)
    with pytest.raises(EventError, match=r"no column .type.; .*found when, who; name a mapping"):
        onevoice.audit(tmp_path / "events.parquet", tmp_path / "sent.csv")


def test_what_is_kept_aside_can_be_looked_at(audited, tmp_path):
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("time: {column: at, zone: UTC}\nidentifiers: {email: who}\nevents: [{type: purchase}]")
    (tmp_path / "bought.csv").write_text("at,who\nsoon,ann@example.org\n2026-03-01,ann@example.org")
    (tmp_path / "Sent.csv").write_text(SALESFORCE)
    aside, files = tmp_path / "aside.ndjson", (tmp_path / "bought.csv", tmp_path / "Sent.csv")
    audit = onevoice.audit(*files, mapping=mapping, contacts_mapping="salesforce", aside=aside)
    kept = [json.loads(line) for line in aside.read_text().splitlines()]
    assert sorted((Path(each["file"]).name, each["line"]) for each in kept) == [("Sent.csv", 4), ("bought.csv", 2)]
    assert (audit.events, audit.contacts) == (1, 2)


def test_a_ready_mapping_speaks_of_customers_as_the_playbook_does(audited):
    audit = audited("Sent.csv", SALESFORCE, "", contacts_mapping="salesforce", playbook=TELECOM)
    assert {each.who.split()[0] for each in audit.busiest} == {"user_id"}


@pytest.mark.parametrize("name", READY)
def test_a_ready_mapping_is_one(name):
    assert isinstance(given_mapping(name), FileMapping)


@pytest.mark.parametrize("name", ["sent.ndjson", "sent.csv"])
def test_columns_are_taken_by_their_names(audited, name):
    fields = {"campaign": "spring", "class": "service", "channel": "sms"}
    line = {"time": "2026-03-02 09:00", "identifiers": {"email": "ann@example.org"}, "fields": fields}
    row = "time,email,fields.campaign,class,channel\n2026-03-02 09:00,ann@example.org,spring,service,sms"
    audit = audited(name, json.dumps(line) if name.endswith("ndjson") else row)
    told = [(each.campaign, each.klass, each.channel) for each in audit.weeks]
    assert (told, audit.customers) == ([("spring", "service", "sms")], 1)


def test_where_only_the_day_is_known_nobody_was_woken(audited):
    audit = audited("sent.csv", "time,email\n2026-03-02,ann@example.org\n2026-03-03 00:00:01,bob@example.org")
    assert found(audit) == {"quiet from 21:00 to 8:00 where the customer is": 1}
    assert [(each.hour, each.kind, each.contacts) for each in audit.hours] == [(0, "quiet", 1)]


def test_the_kinds_of_the_mappings_count_without_a_playbook(audited, tmp_path):
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "time: {column: at, zone: Europe/Vilnius}\nidentifiers: {card: who}\n"
        "events: [{type: contact_reported, fields: {campaign: what}}]"
    )
    audit = audited("sent.csv", "at,who,what\n2026-03-02 22:30,c1,spring", contacts_mapping=mapping)
    assert (audit.busiest[0].who, audit.time_zone) == ("card c1", "Europe/Vilnius")
    assert list(found(audit)) == ["quiet from 21:00 to 8:00 where the customer is"]


def test_a_contact_of_nobody_is_told(audited):
    audit = audited("sent.csv", "time,email\n2026-03-02 09:00,ann@example.org\n2026-03-02 10:00,nobody")
    assert (audit.contacts, audit.year.wishes) == (1, 1)
    assert audit.notes == ("1 contact of nobody: what identifies them could not be used",)


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_what_cannot_be_used_is_counted_once_and_under_the_file_it_stands_in(audited, form, tmp_path):
    log = "time,email,campaign\n2026-03-02 09:00,ann@example.org,a\n2026-03-02 10:00,nobody,a\n2026-03-02 11:00,none,b"
    who = [("purchase", "ann@example.org"), ("purchase", "no one"), ("offer_clicked", "no one")]
    events = [{"type": kind, "time": "2026-03-01T10:00:00Z", "identifiers.email": each} for kind, each in who]
    if form == "parquet":
        pa.parquet.write_table(pa.Table.from_pylist(events), tmp_path / "events.parquet")
        (tmp_path / "sent.csv").write_text(log)
        found = onevoice.audit(tmp_path / "events.parquet", tmp_path / "sent.csv")
    else:
        lines = [{"identifiers": {"email": each.pop("identifiers.email")}} | each for each in events]
        found = audited("sent.csv", log, "".join(json.dumps(each) + "\n" for each in lines))
    assert [*found.read] == [
        f"events.{form}: 3 lines",
        "  2 not to be used: no_identifier (line 2, 3)",
        "sent.csv by its columns' names: 3 lines",
        "  3 events made of 3 lines, 2026-03-02T09:00:00Z to 2026-03-02T11:00:00Z",
        "    3 contact_reported",
        "  2 not to be used: no_identifier",
    ]


def test_what_a_playbook_says_of_a_campaign_holds_for_the_log(audited):
    audit = audited("sent.csv", "time,email,campaign\n2026-03-02 09:00,a@b.lt,stay_with_us", "", playbook=TELECOM)
    assert [(each.campaign, each.klass, each.owner) for each in audit.year.campaigns] == [
        ("stay_with_us", "retention", "retention team")
    ]


def test_a_hole_in_the_events_is_counted_and_costs_nothing_else(audited):
    events = EVENTS + "{broken\n" + EVENTS.replace("purchase", "hello")
    audit = audited("sent.csv", "time,email\n2026-03-02 09:00,ann@example.org", events)
    assert audit.read[:3] == (
        "events.ndjson: 3 lines",
        "  1 not to be used: not_json (line 2)",
        "  1 of an unknown type: hello",
    )
    assert (audit.contacts, audit.events) == (1, 2)


def test_lines_that_cannot_be_used_are_named_a_few_of_them_across_pieces(audited, monkeypatch):
    monkeypatch.setattr("onevoice.auditing.weave.PIECE_ROWS", 2)
    events = EVENTS + (EVENTS.replace("2026-", "2099-") + EVENTS) * 7
    audit = audited("sent.csv", "time,email\n2026-03-02 09:00,ann@example.org", events)
    assert audit.read[:2] == ("events.ndjson: 15 lines", "  7 not to be used: bad_time (line 2, 4, 6, 8, 10, …)")


def test_a_contact_that_is_yet_to_come_is_kept_aside_with_its_line(audited, tmp_path):
    log = "time,email\n2026-03-02 09:00,ann@example.org\n2099-03-02 09:00,ann@example.org\n"
    audit = audited("sent.csv", log, aside=tmp_path / "aside.ndjson")
    assert audit.contacts == 1
    assert audit.read[-1] == "  1 kept aside: a time that is yet to come (line 3)"
    (line,) = map(json.loads, (tmp_path / "aside.ndjson").read_text().splitlines())
    assert (line["line"], line["reason"], line["found"]) == (3, "a time that is yet to come", "2099-03-02 09:00")


@pytest.mark.parametrize("kind", ["purchase", "offer_clicked"])
def test_a_file_of_events_is_no_log_of_contacts(tmp_path, kind):
    (tmp_path / "events.ndjson").write_text(EVENTS * 2 + EVENTS.replace("purchase", kind))
    told = r"line 1: not a contact; .* found 3 of 3 lines with another .type.; the file of events comes first"
    with pytest.raises(EventError, match=told):
        onevoice.audit(tmp_path / "events.ndjson", tmp_path / "events.ndjson")


def test_a_type_that_is_that_of_a_contact_or_none_is_taken(audited):
    log = "time,email,type\n2026-03-02 09:00,ann@example.org,\n2026-03-02 10:00,ann@example.org,contact_reported\n"
    assert audited("sent.csv", log).contacts == 2


@pytest.mark.parametrize("names", [("nowhere", "sent.csv"), ("events.ndjson", "nowhere")])
def test_a_file_that_is_missing_is_told_so_whatever_its_ending(tmp_path, names):
    (tmp_path / "events.ndjson").write_text(EVENTS)
    (tmp_path / "sent.csv").write_text(LOG)
    with pytest.raises(EventError, match=r"nowhere: cannot be read; found .*No such file"):
        onevoice.audit(*(tmp_path / name for name in names))


LOG = "time,email,campaign\n2026-03-02 09:00,ann@example.org,spring"
REFUSED = {
    "nothing in it": ("sent.csv", "time,email\n", {}, EventError, "no contact in this file"),
    "no such mapping": ("sent.csv", LOG, {"contacts_mapping": "braz"}, MappingError, "did you mean `braze`"),
    "no time": (
        "sent.csv",
        "when,email\n",
        {},
        MappingError,
        "no column `time`; expected columns by these names; found when, email",
    ),
    "another sign": (
        "sent.csv",
        "time;email\n",
        {},
        MappingError,
        "name a mapping with `csv: {delimiter:",
    ),
    "nobody": (
        "sent.csv",
        "time,mail\n2026-03-02,x",
        {},
        MappingError,
        "no column `user_id` or `email` or `phone`; expected",
    ),
    "no address": ("sent.csv", "time,email\n2026-03-02,x", {}, EventError, "no contact is of anybody; .*found email x"),
    "no form": ("sent.pdf", "", {}, EventError, "unknown form of file"),
    "no playbook": ("sent.csv", LOG, {"playbook": "nowhere"}, PlaybookError, "no such folder"),
    "no such column": ("sent.csv", LOG, {"contacts_mapping": "salesforce"}, MappingError, "EventDate"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_log_is_refused_before_anything_is_made(audited, case):
    name, log, given, error, words = REFUSED[case]
    with pytest.raises(error, match=words.replace("`", ".")):
        audited(name, log, **given)


def test_a_log_that_names_every_sending_is_refused(audited):
    rows = [f"2026-03-02 09:00,ann@example.org,sending {n}" for n in range(1_501)]
    with pytest.raises(LimitError, match="at most 1,500 by channel and class; let the mapping name the campaign"):
        audited("sent.csv", "\n".join(["time,email,campaign", *rows]))


def test_a_log_of_very_many_offers_is_lived_without_them(audited):
    rows = [f"2026-03-02 09:00,ann{n}@example.org,spring,p{n}" for n in range(1_501)]
    audit = audited("sent.csv", "\n".join(["time,email,campaign,product", *rows]))
    assert [(each.campaign, each.sent) for each in audit.year.campaigns] == [("spring", 1_501)]
    assert audit.notes[0].startswith("the log tells of more offers")
