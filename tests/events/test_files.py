"""A file in pieces holds the events of the file."""

import datetime as dt
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from onevoice.errors import EventError
from onevoice.events import files
from onevoice.events.built import encode_ndjson
from onevoice.events.decode import decode_arrow, decode_ndjson
from tests.events.material import SCHEMA, SECRET, same

EVENTS = [
    {
        "type": "page_viewed",
        "time": dt.datetime(2026, 3, 1, 10, i % 60, tzinfo=dt.UTC),
        "identifiers": {"user_id": f"u{i}"},
        "fields": {"page": f"p{i % 7}"},
    }
    for i in range(1000)
]
WHOLE = decode_ndjson(encode_ndjson(EVENTS), SCHEMA, SECRET)


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_lines_are_never_cut(tmp_path, monkeypatch, size):
    monkeypatch.setattr(files, "PIECE_BYTES", size)
    payload = encode_ndjson(EVENTS).removesuffix(b"\n")
    (tmp_path / "a.ndjson").write_bytes(files.BYTE_ORDER_MARK + payload)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(payload, 1))
    for name in ("a.ndjson", "a.jsonl.gz"):
        found = list(files.pieces(tmp_path / name))
        assert b"".join(found) == payload
        assert all(piece.endswith(b"\n") for piece in found[:-1])


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_tables_come_in_batches(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "PIECE_ROWS", 300)
    table = pa.Table.from_pylist(EVENTS)
    write = pq.write_table if name == "a.parquet" else feather.write_feather
    write(table, tmp_path / name)
    found = list(files.pieces(tmp_path / name))
    assert [piece.num_rows for piece in found] == [300, 300, 300, 100]
    same(decode_arrow(pa.Table.from_batches(found), SCHEMA, SECRET), WHOLE)


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.parquet").write_text("x" * 100)
    (tmp_path / "a.ndjson.gz").write_text("x")
    with pytest.raises(EventError, match=r"a\.txt: unknown form of file; expected an ending of \.ndjson"):
        list(files.pieces(tmp_path / "a.txt"))
    for name in ("a.parquet", "a.ndjson.gz", "absent.ndjson"):
        with pytest.raises(EventError, match=f"{name}: cannot be read"):
            list(files.pieces(tmp_path / name))
