"""A table means what its rows mean as lines."""

import datetime as dt
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.errors import EventError
from onevoice.events.batch import MISSING_TIME, OCCURRED_AT, Reason
from onevoice.events.decode import decode_arrow, decode_ndjson
from tests.events.material import SCHEMA, SECRET, believed, same

REFERENCES = st.sampled_from(["A-1", "é", "7", "x" * 201])
NAMES = st.sampled_from(["home", "Šiauliai", "", "x" * 200, "x" * 201])
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
WHEN = st.one_of(st.none(), st.datetimes(timezones=st.just(dt.UTC)))
ITEM = st.fixed_dictionaries(
    {
        "product": st.one_of(st.none(), REFERENCES),
        "quantity": NUMBERS,
        "serial": st.one_of(st.none(), REFERENCES),
        "spare": st.none() | st.booleans(),
    }
)
FIELDS = st.fixed_dictionaries(
    {
        "page": st.none() | NAMES,
        "product": st.none() | REFERENCES,
        "note": st.none() | st.text(),
        "channel": st.none() | NAMES,
        "order_id": st.none() | REFERENCES,
        "amount": NUMBERS,
        "paid": st.none() | st.booleans(),
        "due": st.none() | st.dates(),
        "sent": WHEN,
        "items": st.none() | st.lists(st.one_of(ITEM, ITEM, ITEM, st.none()), max_size=3),
        "gifts": st.none() | st.lists(st.fixed_dictionaries({"product": REFERENCES}), max_size=2),
        "stock": NUMBERS,
    }
)
EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from([None, "", "page_viewed", "order_placed", "product_restocked", "other"]),
        "time": WHEN,
        "id": st.none() | REFERENCES,
        "source": st.sampled_from([None, "", "till", "shop"]),
        "channel": st.none() | NAMES,
        "identifiers": st.none()
        | st.fixed_dictionaries(
            {
                "user_id": st.none() | st.sampled_from(["u1", " u2 ", "", "\u00a0u\u00a0"]),
                "email": st.none() | st.sampled_from(["A@b.lt", "no", "é@ž.lt"]),
                "phone": st.none() | st.sampled_from(["+37061234567", "8 612 34567", "12"]),
                "emial": st.sampled_from([None] * 9 + ["a@b.lt"]),
            }
        ),
        "fields": st.none() | FIELDS,
        "traits": st.none()
        | st.fixed_dictionaries(
            {"tier": st.none() | NAMES, "risk": NUMBERS, "birthday": st.none() | st.dates(), "spare": st.text()}
        ),
        "spare": st.none() | st.booleans(),
    }
)


ITEM_TYPE = pa.struct({"product": pa.string(), "quantity": pa.float64(), "serial": pa.string(), "spare": pa.bool_()})
GIFT_TYPE = pa.struct({"product": pa.string()})
FIELDS_TYPE = pa.struct(
    dict.fromkeys(("page", "product", "note", "channel", "order_id"), pa.string())
    | {"amount": pa.float64(), "paid": pa.bool_(), "due": pa.date32(), "sent": pa.timestamp("us", "UTC")}
    | {"items": pa.list_(ITEM_TYPE), "gifts": pa.large_list(GIFT_TYPE), "stock": pa.float64()}
)
TABLE = pa.schema(
    dict.fromkeys(("type", "id", "source", "channel"), pa.string())
    | {
        "time": pa.timestamp("us", "Europe/Vilnius"),
        "identifiers": pa.struct(dict.fromkeys(("user_id", "email", "phone", "emial"), pa.string())),
        "fields": FIELDS_TYPE,
        "traits": pa.struct({"tier": pa.string(), "risk": pa.float64(), "birthday": pa.date32(), "spare": pa.string()}),
        "spare": pa.bool_(),
    }
)


def without_nulls(value):
    """Return what a line says when the table's null is absent; a null in a list stays."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_nulls(part) for part in value]
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    return str(value) if isinstance(value, dt.date) else value


def as_lines(events):
    return b"\n".join(json.dumps(without_nulls(event)).encode() for event in events)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=8), st.integers(0, 3), believed)
def test_a_table_means_what_its_lines_mean(events, chunk, times):
    table = pa.Table.from_pylist(events, TABLE)
    if chunk:
        table = pa.Table.from_batches(table.to_batches(max_chunksize=chunk), TABLE)
    found = decode_arrow(table, SCHEMA, SECRET, times=times)
    same(found, decode_ndjson(as_lines(events), SCHEMA, SECRET, times))


@settings(max_examples=50, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=6), st.data())
def test_a_slice_and_flat_columns_mean_the_same(events, data):
    table = pa.Table.from_pylist(events, TABLE)
    start = data.draw(st.integers(0, len(events) - 1))
    part = table.slice(start)
    flat = part.flatten()
    same(decode_arrow(flat, SCHEMA, SECRET), decode_arrow(part, SCHEMA, SECRET))
    same(decode_arrow(part, SCHEMA, SECRET), decode_ndjson(as_lines(events[start:]), SCHEMA, SECRET))


def one(**columns):
    return pa.table({"type": ["page_viewed"], "identifiers.user_id": ["u"], **columns})


def test_columns_are_found_through_a_mapping():
    table = pa.table({"what": ["page_viewed"], "customer": ["u"], "where": pa.array(["home"]).dictionary_encode()})
    mapping = {"type": "what", "identifiers.user_id": "customer", "fields.page": "where"}
    same(decode_arrow(table, SCHEMA, SECRET, mapping), decode_arrow(one(**{"fields.page": ["home"]}), SCHEMA, SECRET))
    with pytest.raises(EventError, match="mapping type: no such column; expected what, customer, where; found who"):
        decode_arrow(table, SCHEMA, SECRET, {"type": "who"})
    with pytest.raises(EventError, match="two columns for one path"):
        decode_arrow(table, SCHEMA, SECRET, {"type": "what", "where": "customer"})


def test_a_dictionary_may_be_full_and_may_hold_null():
    pages = pa.array([*(f"page_{i}" for i in range(127)), None], pa.string())
    index = pa.array([*range(128), None], pa.int8())
    table = pa.table({"type": ["page_viewed"] * 129, "identifiers.user_id": ["u"] * 129})
    coded = table.append_column("fields.page", pa.DictionaryArray.from_arrays(index, pages))
    plain = table.append_column("fields.page", pa.array([*pages.to_pylist(), None], pa.string()))
    same(decode_arrow(coded, SCHEMA, SECRET), decode_arrow(plain, SCHEMA, SECRET))


def test_whole_numbers_name_products_keys_and_people():
    table = pa.table(
        {"type": ["page_viewed"], "identifiers.user_id": [17], "fields.product": pa.array([9], pa.uint16()), "id": [5]}
    )
    line = b'{"type":"page_viewed","identifiers":{"user_id":"17"},"fields":{"product":"9"},"id":"5"}'
    same(decode_arrow(table, SCHEMA, SECRET), decode_ndjson(line, SCHEMA, SECRET))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit_are_cut_to_whole_microseconds(unit):
    late = {"s": 1, "ms": 1, "us": 1, "ns": 1_999}[unit]
    expected = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}[unit]
    table = one(time=pa.array([late], pa.timestamp(unit, "UTC")))
    assert decode_arrow(table, SCHEMA, SECRET).rows[:, OCCURRED_AT].tolist() == [expected]
    early = pa.table(
        {
            "type": ["order_placed"],
            "identifiers.user_id": ["u"],
            "fields.sent": pa.array([-1], pa.timestamp(unit, "UTC")),
        }
    )
    column = SCHEMA.layout("order_placed").own["sent"].column
    expected = {"s": -1_000_000, "ms": -1_000, "us": -1, "ns": -1}[unit]
    assert decode_arrow(early, SCHEMA, SECRET).values[:, column].tolist() == [expected]


def test_a_time_without_a_zone_is_refused():
    batch = decode_arrow(one(time=pa.array([0], pa.timestamp("us"))), SCHEMA, SECRET)
    assert [rejection.reason for rejection in batch.rejected] == [Reason.BAD_TIME]
    assert 'add the offset from UTC, for example "1970-01-01T00:00:00.000000Z"' in str(batch.rejected[0])


def test_a_time_beyond_the_calendar_is_refused():
    batch = decode_arrow(one(time=pa.array([2**62], pa.timestamp("us", "UTC"))), SCHEMA, SECRET)
    assert [rejection.reason for rejection in batch.rejected] == [Reason.BAD_TIME]


def test_a_column_of_another_type_refuses_its_rows_only():
    table = pa.table(
        {
            "type": ["order_placed", "page_viewed"],
            "identifiers.user_id": ["u", "u"],
            "fields.amount": ["12.5", "12.5"],
        }
    )
    batch = decode_arrow(table, SCHEMA, SECRET)
    assert [str(rejection) for rejection in batch.rejected] == [
        'line 1: $.fields.amount: wrong type; expected a number; found "12.5"; write the number without quotes'
    ]
    assert batch.unknown == {"page_viewed.amount": 1}
    assert len(batch.rows) == 1


def test_not_a_number_is_null_infinity_is_refused_and_decimals_are_numbers():
    table = pa.table(
        {
            "type": ["order_placed"] * 3,
            "identifiers.user_id": ["u", "u", "u"],
            "fields.amount": [float("nan"), float("inf"), 3],
            "traits.risk": pa.array([1, 2, 3], pa.decimal128(5, 2)),
        }
    )
    batch = decode_arrow(table, SCHEMA, SECRET)
    assert batch.rows[:, OCCURRED_AT].tolist() == [MISSING_TIME] * 2
    line = b'{"type":"order_placed","identifiers":{"user_id":"u"},"fields":{"amount":%b},"traits":{"risk":%d}}\n'
    lines = [line % (amount, risk) for risk, amount in enumerate((b"null", b"1e999", b"3"), 1)]
    same(batch, decode_ndjson(b"".join(lines), SCHEMA, SECRET))


def test_an_empty_table_gives_an_empty_batch():
    same(decode_arrow(TABLE.empty_table(), SCHEMA, SECRET), decode_ndjson(b"", SCHEMA, SECRET))
    assert decode_arrow(pa.table({"x": [1, 2]}), SCHEMA, SECRET).rejected[1].reason is Reason.NO_TYPE
