"""Every kind of mess in a line: it becomes an event, or is kept aside for one reason; its neighbours do not mind."""

import datetime as dt
import gzip
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onevoice.errors import EventError
from onevoice.importing import mapped as workshop
from onevoice.importing import sources
from onevoice.importing.load import load_bytes
from onevoice.importing.mapped import open_mapped

from .bed import MAPPING, PLAYBOOK, csv, mapped, reasons

HEAD = "at,card,price\n"
LINE = "2026-03-01 10:00,ann,2.5\n"
EVENT = {"type": "sold", "time": "2026-03-01T08:00:00Z", "identifiers.card": "ann", "fields.total": 2.5}


def with_time(formats, zone="zone: Europe/Vilnius"):
    return MAPPING.replace(b"zone: Europe/Vilnius", f"formats: {json.dumps(formats)}, {zone}".encode())


@pytest.mark.parametrize(
    "text",
    [
        HEAD + LINE,
        "\ufeff" + HEAD + LINE,
        (HEAD + LINE).replace("\n", "\r\n"),
        HEAD + "\n\n" + LINE.removesuffix("\n"),
        'at,card,"price"\n"2026-03-01 10:00"," ann ","2.5"\n',
        "price,unused,card,at\n2.5,x,ann,2026-03-01T10:00:00+02:00\n",
        "at, card ,price\n2026-03-01T08:00Z,ann\u00a0,+2.50e0\n",
    ],
)
def test_one_sale_however_it_is_written(tmp_path, text):
    events, summary, _ = mapped(csv(tmp_path, text))
    assert (events, summary.lines) == ([EVENT], 1)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ('{delimiter: ";"}', "at;card;price\n2026-03-01 10:00;ann;2.5\n"),
        ("{delimiter: tab}", "at\tcard\tprice\n2026-03-01 10:00\tann\t2.5\n"),
        ('{quote: "\'"}', "at,card,price\n'2026-03-01 10:00','ann',2.5\n"),
        ("{header: [at, card, price]}", LINE),
        ("{encoding: latin-1}", (HEAD + LINE).replace("ann", "ann").encode("latin-1")),
    ],
)
def test_signs_and_headers_of_csv(tmp_path, form, text):
    assert mapped(csv(tmp_path, text), MAPPING + b"csv: " + form.encode())[0] == [EVENT]


def test_a_packed_file(tmp_path):
    assert mapped(csv(tmp_path, gzip.compress((HEAD + LINE).encode()), "sales.csv.gz"))[0] == [EVENT]


@pytest.mark.parametrize(
    ("numbers", "text", "value"),
    [
        ("", "1234.5", 1234.5),
        ("", ".5", 0.5),
        ("", "-3", -3),
        ("", "1,234", None),
        ("", "1e400", None),
        ("", "0x10", None),
        ("", "nan", None),
        ('{decimal: ","}', "12,5", 12.5),
        ('{decimal: ","}', "12.5", None),
        ('{decimal: ",", thousands: "."}', "1.234.567,5", 1234567.5),
        ('{decimal: ",", thousands: "."}', "1.23", None),
        ('{thousands: ","}', "1,234.5", 1234.5),
        ('{thousands: "\'"}', "1'234", 1234),
    ],
)
def test_a_number_is_read_as_it_is_meant_or_kept_aside(tmp_path, numbers, text, value):
    mapping = MAPPING + (f"numbers: {numbers}\n".encode() if numbers else b"")
    events, summary, kept = mapped(csv(tmp_path, f'{HEAD}2026-03-01 10:00,ann,"{text}"\n'), mapping)
    assert [event["fields.total"] for event in events] == ([] if value is None else [value])
    if value is None:
        assert reasons(summary) == {"not a number: price": (1, [2])}
        assert kept[0]["found"] == text


@pytest.mark.parametrize(
    ("formats", "text", "time"),
    [
        (["iso"], "2026-03-01", "2026-02-28T22:00:00Z"),
        (["iso"], "2026-03-01T10:00:00.25-0500", "2026-03-01T15:00:00Z"),
        (["%d.%m.%Y %H:%M"], "1.3.2026 9:05", "2026-03-01T07:05:00Z"),
        (["%m/%d/%Y", "%d/%m/%Y"], "03/04/2026", "2026-03-03T22:00:00Z"),
        (["%m/%d/%Y", "%d/%m/%Y"], "31/03/2026", "2026-03-30T21:00:00Z"),
        (["%d %b %Y %I:%M %p"], "01 Mar 2026 02:30 PM", "2026-03-01T12:30:00Z"),
        (["%Y-%m-%d %H:%M %z"], "2026-03-01 10:00 +0000", "2026-03-01T10:00:00Z"),
        (["unix"], "1772359200", "2026-03-01T10:00:00Z"),
        (["unix ms", "iso"], "1772359200000", "2026-03-01T10:00:00Z"),
        (["iso"], "2026-03-29 03:30", "2026-03-29T01:00:00Z"),  # no clock in Vilnius shows it: the first instant after
        (["iso"], "2026-10-25 03:30", "2026-10-25T00:30:00Z"),  # twice: the first
    ],
)
def test_times_in_several_forms(tmp_path, formats, text, time):
    events, _, _ = mapped(csv(tmp_path, f"{HEAD}{text},ann,1\n"), with_time(formats))
    assert [event["time"] for event in events] == [time]


def test_a_time_is_kept_aside_with_its_number_and_text(tmp_path):
    text = HEAD + "yesterday,ann,1\n" + LINE + ",ann,1\n" + "1969-12-31 10:00,ann,1\n" + "2026-02-30,ann,1\n"
    events, summary, kept = mapped(csv(tmp_path, text))
    assert events == [EVENT]
    assert reasons(summary) == {
        "a time in no format": (2, [2, 6]),
        "a time before 1970": (1, [5]),
        "no time": (1, [4]),
    }
    assert kept[0] == {
        "file": str(tmp_path / "sales.csv"),
        "line": 2,
        "reason": "a time in no format",
        "found": "yesterday",
        "content": {"at": "yesterday", "card": "ann", "price": "1"},
    }


def test_a_time_without_a_zone_is_no_time_where_none_is_named(tmp_path):
    mapping = MAPPING.replace(b", zone: Europe/Vilnius", b"")
    events, summary, _ = mapped(csv(tmp_path, HEAD + LINE + "2026-03-01T10:00+02:00,ann,2.5\n"), mapping)
    assert events == [EVENT]
    assert reasons(summary) == {"a time in no format": (1, [2])}


def test_lines_that_are_no_csv_keep_their_text_and_cost_nothing(tmp_path):
    text = HEAD + "2026-03-01 10:00,ann\n" + '2026-03-01 10:00,"a"b,1\n' + LINE + '"2026-03-01\n10:00",ann,1,2\n' + LINE
    events, summary, kept = mapped(csv(tmp_path, text))
    assert events == [EVENT, EVENT]
    assert reasons(summary) == {"malformed": (3, [2, 3, 5])}
    assert [(each["found"], each["content"]) for each in kept] == [
        ("2 values for 3 columns", "2026-03-01 10:00,ann"),
        ("not CSV: ',' expected after '\"'", '2026-03-01 10:00,"a"b,1'),
        ("4 values for 3 columns", '"2026-03-01\n10:00",ann,1,2'),
    ]


def test_a_line_is_numbered_as_an_editor_does(tmp_path):
    """Whatever line breaks stand between quotes, and whatever was dropped before."""
    text = HEAD + '2026-03-01 10:00,"an\nn",1\n\n' + LINE + LINE + "x,ann,1\n"
    _, summary, _ = mapped(csv(tmp_path, text), MAPPING + b"duplicates: drop")
    assert summary.duplicates.first_lines == [6]
    assert reasons(summary) == {"a time in no format": (1, [7])}


def test_a_quote_that_is_never_closed_is_one_line_kept_aside(tmp_path):
    _, summary, kept = mapped(csv(tmp_path, HEAD + LINE + '2026-03-01 10:00,"ann,1\n' + LINE))
    assert reasons(summary) == {"malformed": (1, [3])}
    assert kept[0]["content"] == '2026-03-01 10:00,"ann,1\n' + LINE.rstrip()


def test_another_encoding_is_told_with_the_line(tmp_path):
    path = csv(tmp_path, (HEAD + LINE + LINE.replace("ann", "Zoë")).encode("latin-1"))
    with pytest.raises(EventError) as refused:
        mapped(path)
    assert str(refused.value).removeprefix(str(path)) == (
        " line 3: not a text in utf-8; found byte 0xeb; "
        "name the encoding of the file in the mapping, such as `csv: {encoding: latin-1}`"
    )
    events, _, _ = mapped(path, MAPPING + b"csv: {encoding: latin-1}")
    assert events[1]["identifiers.card"] == "Zoë"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header; expected the names of the columns in the first line; found an empty file"),
        ("at,card,at\n", " line 1: two columns of one name; found at"),
    ],
)
def test_a_header_that_cannot_be_used(tmp_path, text, message):
    with pytest.raises(EventError, match=message):
        mapped(csv(tmp_path, text))


def test_duplicates_are_whole_lines(tmp_path):
    other = LINE.replace("2.5", "2.50")
    text = HEAD + LINE + other + LINE + "2026-03-01 10:00,,2.5\n" * 3 + LINE
    events, summary, _ = mapped(csv(tmp_path, text), MAPPING + b"duplicates: drop")
    assert events == [EVENT, EVENT]
    assert (summary.duplicates.count, summary.duplicates.first_lines) == (4, [4, 6, 7, 8])
    assert reasons(summary) == {"no identifier": (1, [5])}
    assert mapped(csv(tmp_path, text))[1].duplicates.count == 0


def test_texts_that_stand_for_nothing(tmp_path):
    text = HEAD + "2026-03-01 10:00,N/A,1\n2026-03-01 10:00, ,1\n2026-03-01 10:00,ann,-\n"
    events, summary, _ = mapped(csv(tmp_path, text), MAPPING + b"empty: [N/A, '-']")
    assert reasons(summary) == {"no identifier": (2, [2, 3])}
    assert events == [{name: value for name, value in EVENT.items() if name != "fields.total"}]


RULES = b"""
time: {column: at, formats: [iso], zone: Europe/Vilnius}
columns: {price: number, pieces: number}
identifiers: {card: card, email: mail}
source: till
events:
  - {when: price = 0, aside: a line of nothing}
  - when: receipt like 'R%'
    type: sent_back
    per: receipt
    fields: {receipt: receipt, total: {sum: -price * pieces}, items: {each: {product: what}}}
  - when: receipt <> 'X'
    type: sold
    per: [receipt, shop]
    id: receipt
    fields:
      receipt: receipt
      total: {sum: price * pieces}
      shop: shop
      items: {each: {product: what, quantity: pieces}}
    traits: {tier: case when price > 100 then 'gold' end}
"""
RECEIPTS = """at,receipt,shop,card,mail,what,pieces,price
2026-03-01 10:02,1,east,ann,,tea,2,1.1
2026-03-01 10:00,1,east,ann,,milk,1,200
2026-03-01 10:00,1,west,ann,,milk,1,4
2026-03-01 09:00,R7,east,,b@x.org,tea,-2,1.1
2026-03-01 09:00,X,east,ann,,tea,1,1
2026-03-01 09:00,2,east,ann,,tea,1,0
2026-03-01 09:00,2,,ann,,tea,1,1
2026-03-01 09:00,2,east,,,tea,1,1
"""


def test_lines_are_joined_to_events_and_returns_are_told_apart(tmp_path, monkeypatch):
    path = csv(tmp_path, RECEIPTS)
    events, summary, _ = mapped(path, RULES)
    sent_back, west, east = events[0], events[2], events[1]
    assert sent_back == {
        "type": "sent_back",
        "time": "2026-03-01T07:00:00Z",
        "source": "till",
        "identifiers.email": "b@x.org",
        "fields.receipt": "R7",
        "fields.total": 2.2,
        "fields.items": [{"product": "tea", "quantity": None}],
    }
    assert east == {
        "type": "sold",
        "time": "2026-03-01T08:00:00Z",
        "source": "till",
        "id": "1",
        "identifiers.card": "ann",
        "fields.receipt": "1",
        "fields.total": 202.2,
        "fields.shop": "east",
        "fields.items": [{"product": "tea", "quantity": 2.0}, {"product": "milk", "quantity": 1.0}],
        "traits.tier": "gold",
    }
    assert (west["fields.shop"], west["fields.total"]) == ("west", 4.0)
    assert reasons(summary) == {
        "a line of nothing": (1, [7]),
        "no entry for it": (1, [6]),
        "no identifier": (1, [9]),
        "no shop": (1, [8]),
    }
    assert (summary.events, summary.first, summary.last) == (
        {"sold": 2, "sent_back": 1},
        "2026-03-01T07:00:00Z",
        "2026-03-01T08:00:00Z",
    )
    monkeypatch.setattr(workshop, "PART_LINES", 3)
    assert mapped(path, RULES)[:2] == (events, summary)


def test_lines_of_two_customers_are_never_one_event(tmp_path):
    text = RECEIPTS.splitlines()[0] + "\n2026-03-01,1,east,ann,,tea,1,1\n2026-03-01,1,east,bob,,tea,1,1\n"
    events, _, _ = mapped(csv(tmp_path, text), RULES)
    assert [event["identifiers.card"] for event in events] == ["ann", "bob"]


def test_json_lines(tmp_path):
    lines = [
        {"at": "2026-03-01T10:00:00+02:00", "who": {"card": 9007199254740993}, "price": 2.5},
        {"at": 1772352000, "who": {"card": "ann"}, "price": "2.5", "gift": True},
        {"at": "2026-03-01", "who": None, "price": 1},
        {"at": "2026-03-01", "who": {"card": "ann"}, "price": "much"},
    ]
    text = b"\n".join(json.dumps(line).encode() for line in lines)
    text = b"\xef\xbb\xbf" + text + b'\n\n{"at": \n[1]\n"caf\xe9"\n'
    mapping = with_time(["iso", "unix"]).replace(b"card: card", b"card: who.card")
    mapping = mapping.replace(b"price: number", b"price: number, gift: boolean").replace(
        b"price}}", b"price, gift: gift}}"
    )
    events, summary, kept = mapped(csv(tmp_path, text, "sales.ndjson"), mapping)
    assert events == [EVENT | {"identifiers.card": "9007199254740993"}, EVENT | {"fields.gift": True}]
    assert reasons(summary) == {
        "malformed": (3, [6, 7, 8]),
        "no identifier": (1, [3]),
        "not a number: price": (1, [4]),
    }
    assert kept[-1]["content"] == '"caf\\xe9"'
    assert kept[-1]["found"] == "not UTF-8: byte 0xe9"


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        (pa.array([1772359200 * 10**9], pa.timestamp("ns")), ", zone: Europe/Vilnius"),
        (pa.array([1772352000000], pa.timestamp("ms", "Asia/Tokyo")), ""),
        (pa.array(["2026-03-01 10:00"]).dictionary_encode(), ", zone: Europe/Vilnius"),
    ],
)
def test_parquet_keeps_its_types(tmp_path, at, zone):
    table = pa.table(
        {
            "at": at,
            "who": pa.array([{"card": 17850.0}]),
            "price": pa.array([Decimal(250)], pa.decimal128(5, 2)),
            "tags": [["a", "b"]],
        }
    )
    pq.write_table(table, tmp_path / "sales.parquet")
    mapping = MAPPING.replace(b", zone: Europe/Vilnius", zone.encode()).replace(b"card: card", b"card: who.card")
    mapping = mapping.replace(b"columns: {price: number}", b"").replace(b"total: price", b"total: price / 100")
    events, _, _ = mapped(tmp_path / "sales.parquet", mapping)
    assert events == [EVENT | {"identifiers.card": "17850"}]


def test_every_type_of_field(tmp_path):
    fields = b"{receipt: n, gift: gift, due: due, paid_at: paid}"
    mapping = MAPPING.replace(b"price: number", b"n: text, gift: boolean, due: date, paid: time")
    mapping = mapping.replace(b"{total: price}", fields)
    text = "at,card,n,gift,due,paid\n2026-03-01,ann,007,Yes,2026-03-05,2026-03-01 12:00\n2026-03-01,ann,1,maybe,,\n"
    events, summary, _ = mapped(csv(tmp_path, text), mapping)
    assert {name: value for name, value in events[0].items() if name.startswith("fields.")} == {
        "fields.receipt": "007",
        "fields.gift": True,
        "fields.due": dt.date(2026, 3, 5),
        "fields.paid_at": dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC),
    }
    assert reasons(summary) == {"not a boolean: gift": (1, [3])}


def test_an_empty_file_makes_nothing(tmp_path):
    events, summary, kept = mapped(csv(tmp_path, HEAD))
    assert (events, summary.lines, summary.first, kept) == ([], 0, "", [])


def test_an_empty_table_makes_nothing(tmp_path):
    schema = {"at": pa.timestamp("us", "UTC"), "card": pa.dictionary(pa.int8(), pa.string()), "price": pa.float64()}
    pq.write_table(pa.schema(schema).empty_table(), tmp_path / "sales.parquet")
    assert mapped(tmp_path / "sales.parquet", MAPPING + b"duplicates: drop")[0] == []


@pytest.mark.parametrize("name", ["a.xls", "b.csv.gz", "absent.csv", "c.parquet"])
def test_what_cannot_be_read_is_named(tmp_path, name):
    if name != "absent.csv":
        (tmp_path / name).write_text("x" * 100)
    with pytest.raises(EventError, match=f"{name}: (unknown form of file|cannot be read)"):
        mapped(tmp_path / name)


def test_batches_do_not_show(tmp_path, monkeypatch):
    text = HEAD + "".join(f"2026-03-01 10:{n % 60:02d},c{n % 7},{n}\n" for n in range(100))
    whole = mapped(csv(tmp_path, text), MAPPING + b"duplicates: drop")
    monkeypatch.setattr(sources, "BATCH_LINES", 7)
    monkeypatch.setattr(workshop, "BATCH_EVENTS", 3)
    monkeypatch.setattr(workshop, "PIECE_BYTES", 10)
    assert mapped(csv(tmp_path, text), MAPPING + b"duplicates: drop") == whole


@pytest.mark.parametrize("name", ["aside.ndjson", "aside.parquet"])
def test_lines_aside_of_one_file_leave_those_of_another(tmp_path, name):
    aside = tmp_path / name
    for file in ("a.csv", "b.csv", "a.csv"):
        with open_mapped(csv(tmp_path, HEAD + "x,ann,1\n", file), load_bytes("m", MAPPING), PLAYBOOK) as found:
            found.write_aside(aside)
    if name.endswith("parquet"):
        found = pq.read_table(aside).to_pylist()
    else:
        found = [json.loads(line) for line in aside.read_text().splitlines()]
    assert [each["file"].rpartition("/")[2] for each in found] == ["a.csv", "b.csv"]
    assert [each["line"] for each in found] == [2, 2]


def test_a_place_for_lines_aside_that_cannot_be_written(tmp_path):
    path = csv(tmp_path, HEAD)
    with (
        open_mapped(path, load_bytes("m", MAPPING), PLAYBOOK) as found,
        pytest.raises(EventError, match="the lines kept aside cannot be written"),
    ):
        found.write_aside(tmp_path / "absent" / "aside.ndjson")
