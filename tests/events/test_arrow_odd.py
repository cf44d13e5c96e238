"""A bad cell of a table costs its own row, with the reason a line would have; what is odd but plain is read."""

import json

import pyarrow as pa
import pytest

from onevoice.errors import EventError
from onevoice.events.batch import LINE, Reason
from onevoice.events.decode import decode_arrow, decode_ndjson
from tests.events.material import SCHEMA, SECRET, same

DAY_MS = 86_400_000
BROKEN = b"\xff\xfe"


def texts(*cells, kind=None):
    """Return cells as Arrow keeps them, whatever their bytes."""
    kind = kind or pa.string()
    if kind == pa.string_view():
        raw = pa.array(cells, pa.binary()).cast(pa.binary_view())
    else:
        raw = pa.array(cells, pa.large_binary() if kind == pa.large_string() else pa.binary())
    return pa.Array.from_buffers(kind, len(raw), raw.buffers())


def table(**columns):
    given = {name.replace("__", "."): column for name, column in columns.items()}
    return pa.table({"type": ["order_placed"] * 3, "identifiers.user_id": ["u", "v", "w"], **given})


def reasons(batch):
    return [(rejection.line, rejection.reason) for rejection in batch.rejected]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize(
    ("column", "good"),
    [
        ("type", "order_placed"),
        ("id", "a"),
        ("source", "till"),
        ("channel", "web"),
        ("fields.order_id", "A-1"),
        ("fields.page", "é"),
        ("fields.note", "a"),
        ("fields.product", "p"),
        ("fields.amount", "12"),
        ("identifiers.user_id", "u"),
        ("identifiers.email", "a@b.lt"),
        ("identifiers.phone", "+37061234567"),
        ("traits.tier", "gold"),
    ],
)
def test_a_broken_text_costs_its_own_row(column, good, kind):
    plain = table(id=["a", "b", "c"])
    cells = texts(good.encode(), BROKEN, None, kind=kind)
    whole = pa.array([good, None, None], pa.string())
    mended = plain.drop_columns([column]) if column in plain.column_names else plain
    found = decode_arrow(mended.append_column(column, cells), SCHEMA, SECRET)
    expected = decode_arrow(mended.append_column(column, whole), SCHEMA, SECRET)
    assert (1, Reason.NOT_UTF8) in reasons(found)
    assert [one for one in found.rejected if one.line != 1] == [one for one in expected.rejected if one.line != 1]
    assert [row[LINE] for row in found.rows] == [row[LINE] for row in expected.rows if row[LINE] != 1]
    line = b'{"type":"page_viewed","fields":{"page":"\xff"}}'
    assert decode_ndjson(line, SCHEMA, SECRET).rejected[0].reason is Reason.NOT_UTF8
    where = f"line 2: $.{column}: not UTF-8; save or send the text as UTF-8"
    assert where in [str(rejection) for rejection in found.rejected]


def test_a_broken_text_of_a_dictionary_costs_the_rows_that_use_it():
    names = texts(b"home", BROKEN, b"never used \xff")
    coded = pa.DictionaryArray.from_arrays(pa.array([1, 0, None], pa.int8()), names)
    found = decode_arrow(table(traits__tier=coded), SCHEMA, SECRET)
    assert reasons(found) == [(0, Reason.NOT_UTF8)]
    assert found.names == ["home"]


def test_a_broken_text_of_an_item_costs_the_event():
    item = pa.StructArray.from_arrays([texts(b"p", b"q", BROKEN), texts(BROKEN, b"", b"")], names=["product", "spare"])
    found = decode_arrow(table(fields__items=pa.ListArray.from_arrays([0, 1, 3, 3], item)), SCHEMA, SECRET)
    assert [str(rejection) for rejection in found.rejected] == [
        "line 2: $.fields.items.product: not UTF-8; save or send the text as UTF-8"
    ]
    assert found.names == ["p"]


def test_what_is_broken_does_not_depend_on_the_rows_beside_it():
    item = pa.StructArray.from_arrays([texts(BROKEN, b"q", BROKEN)], names=["product"])
    whole = table(fields__items=pa.ListArray.from_arrays([0, 1, 2, 3], item))
    whole = whole.set_column(0, "type", pa.array(["page_viewed", "order_placed", "order_placed"]))
    assert reasons(decode_arrow(whole, SCHEMA, SECRET)) == [(2, Reason.NOT_UTF8)]
    assert reasons(decode_arrow(whole.slice(0, 1), SCHEMA, SECRET)) == []  # a page has no items: they are not read


def test_a_broken_text_that_no_field_reads_does_no_harm():
    spare = texts(b"a", BROKEN, b"c")
    amount = pa.array(["x", "y", "z"])  # each row is read a second time
    found = decode_arrow(table(spare=spare), SCHEMA, SECRET)
    assert (reasons(found), found.unknown) == ([], {"$.spare": 3})
    found = decode_arrow(table(spare=spare, fields__amount=amount), SCHEMA, SECRET)
    assert reasons(found) == [(row, Reason.WRONG_TYPE) for row in range(3)]


def test_a_slice_does_not_answer_for_what_lies_outside():
    whole = table(id=texts(b"a", BROKEN, b"c"), traits__tier=texts("é".encode(), b"b", BROKEN))
    assert reasons(decode_arrow(whole.slice(0, 1), SCHEMA, SECRET)) == []
    assert reasons(decode_arrow(whole.slice(1), SCHEMA, SECRET)) == [(0, Reason.NOT_UTF8), (1, Reason.NOT_UTF8)]


@pytest.mark.parametrize("odd", [1, DAY_MS + 1, -1, 2**62])
def test_a_date64_that_is_no_whole_day_is_a_wrong_value(odd):
    due = pa.array([DAY_MS, odd, None], pa.date64())
    found = decode_arrow(table(fields__due=due), SCHEMA, SECRET)
    assert reasons(found) == [(1, Reason.WRONG_TYPE)]
    days = decode_arrow(table(fields__due=pa.array([1, None, None], pa.date32())), SCHEMA, SECRET)
    column = SCHEMA.layout("order_placed").own["due"].column
    assert found.values[0, column] == days.values[0, column]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**62, 1, None], pa.duration("s")),
        pa.array([2**62, 1, None], pa.duration("ns")),
        pa.array([2**40, 1, None], pa.time64("ns")),
        pa.array([2**62, 1, None], pa.date64()),
    ],
)
def test_a_value_that_python_has_not_is_of_no_type(column):
    amount = pa.array(["x", "y", "z"])
    found = decode_arrow(table(spare=column, fields__amount=amount), SCHEMA, SECRET)
    assert reasons(found) == [(row, Reason.WRONG_TYPE) for row in range(3)]
    found = decode_arrow(table(fields__amount=column), SCHEMA, SECRET)
    assert reasons(found) == [(0, Reason.WRONG_TYPE), (1, Reason.WRONG_TYPE)]


def runs(values, *ends):
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, pa.int32()), values)


def test_runs_are_read_as_the_values_they_stand_for():
    columns = {
        "type": runs(pa.array(["order_placed"]), 3),
        "id": runs(pa.array(["a", None, "c"]), 1, 2, 3),
        "fields.amount": runs(pa.array([1.5, None]), 2, 3),
        "traits.tier": runs(pa.array(["gold", "tin"]).dictionary_encode(), 2, 3),
        "spare": runs(pa.array([None, 1]), 2, 3),
    }
    packed = table().drop_columns(["type"])
    for name, column in columns.items():
        packed = packed.append_column(name, column)
    lines = [
        {"id": "a", "fields": {"amount": 1.5}, "traits": {"tier": "gold"}},
        {"fields": {"amount": 1.5}, "traits": {"tier": "gold"}},
        {"id": "c", "traits": {"tier": "tin"}, "spare": 1},
    ]
    lines = [
        {"type": "order_placed", "identifiers": {"user_id": user}, **line} for user, line in zip("uvw", lines, strict=1)
    ]
    for start in range(3):
        payload = "\n".join(map(json.dumps, lines[start:])).encode()
        same(decode_arrow(packed.slice(start), SCHEMA, SECRET), decode_ndjson(payload, SCHEMA, SECRET))
    twice = pa.concat_tables([packed, packed])
    same(
        decode_arrow(twice, SCHEMA, SECRET),
        decode_ndjson("\n".join(map(json.dumps, lines * 2)).encode(), SCHEMA, SECRET),
    )


def test_two_children_of_one_name_are_two_columns_for_one_path():
    ones, twos = pa.array([1.0, 2.0, 3.0]), pa.array([4.0, 5.0, 6.0])
    double = pa.StructArray.from_arrays([ones, twos], names=["amount", "amount"])
    with pytest.raises(EventError, match=r"two columns for one path; found fields\.amount"):
        decode_arrow(table(fields=double), SCHEMA, SECRET)
    listed = pa.ListArray.from_arrays([0, 1, 2, 3], double)
    with pytest.raises(EventError, match=r"two columns for one path; found fields\.items\.amount"):
        decode_arrow(table(fields__items=listed), SCHEMA, SECRET)
