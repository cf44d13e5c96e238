"""What a line that cannot be used is told. `refused.txt` is the golden table: line, tab, sentence.

Renew it with `python -m tests.events.test_refusals`.
"""

from pathlib import Path

import pytest

from onevoice.events.batch import (
    AHEAD_US_MAX,
    DEPTH_MAX,
    ITEMS_MAX,
    LINE_BYTES_MAX,
    OCCURRED_AT,
    OTHER_NAMES,
    UNKNOWN_NAMES_MAX,
    Reason,
    Times,
)
from onevoice.events.decode import decode_line_by_line, decode_ndjson
from tests.events.material import SCHEMA, SECRET, same

TIMES = Times(1_772_359_200_000_000)  # 2026-03-01 10:00

TABLE = Path(__file__).with_name("refused.txt")
WHO = b'"identifiers":{"user_id":"u"}'
BAD = [
    b"7",
    b"null",
    b'"text"',
    b'{"type":"page_viewed"',
    b'{"type":"page_viewed",}',
    b"{'type': 'page_viewed'}",
    b'{"type":NaN}',
    b'\xef\xbb\xbf{"type":"page_viewed"}',
    b'{"type":"caf\xe9"}',
    b'{"type":"\\ud800"}',
    b'{"x":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
    b'{"type":"page_viewed","note":"' + b"x" * LINE_BYTES_MAX + b'"}',
    b"{}",
    b'{"type":null}',
    b'{"type":7}',
    b'{"type":""}',
    b'{"type":"page_viewed",' + WHO + b',"time":1772359200}',
    b'{"type":"page_viewed",' + WHO + b',"time":"2026-03-01T10:00:00"}',
    b'{"type":"page_viewed",' + WHO + b',"time":"yesterday"}',
    b'{"type":"page_viewed",' + WHO + b',"time":"2026-02-29T10:00:00Z"}',
    b'{"type":"page_viewed",' + WHO + b',"time":"2026-03-02T10:00:00.000001Z"}',
    b'{"type":"never_heard_of","time":"9999-12-31T23:59:59-23:59","id":1.5}',
    b'{"type":"page_viewed","time":"1969-12-31T23:59:59.999999Z"}',
    b'{"type":"page_viewed","time":"0001-01-01T00:00:00+02:00"}',
    b'{"type":"page_viewed",' + WHO + b',"time":1e400}',
    b'{"type":"page_viewed",' + WHO + b',"id":1.5}',
    b'{"type":"page_viewed",' + WHO + b',"source":3}',
    b'{"type":"page_viewed",' + WHO + b',"channel":["web"]}',
    b'{"type":"page_viewed"}',
    b'{"type":"page_viewed","identifiers":"u"}',
    b'{"type":"page_viewed","identifiers":{"emial":"anna@example.org"}}',
    b'{"type":"page_viewed","identifiers":{"facebook":"anna"}}',
    b'{"type":"page_viewed","identifiers":{"email":"anna","phone":"12","cookie":" "}}',
    b'{"type":"page_viewed","identifiers":{"email":true}}',
    b'{"type":"page_viewed",' + WHO + b',"fields":[]}',
    b'{"type":"page_viewed",' + WHO + b',"fields":{"page":7}}',
    b'{"type":"page_viewed",' + WHO + b',"fields":{"page":"' + b"x" * 201 + b'"}}',
    b'{"type":"page_viewed",' + WHO + b',"fields":{"product":{"sku":"p1","name":"a long name that goes on for ever"}}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"amount":"12.50"}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"amount":true}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"amount":-1e400}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"amount":1' + b"0" * 400 + b"}}",
    b'{"type":"order_placed",' + WHO + b',"fields":{"paid":"yes"}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"due":"01.03.2026"}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"sent":"2026-03-01T10:00:00"}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"order_id":1e3}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"items":{"product":"p1"}}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"items":["p1"]}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"items":[{},{"quantity":"2"}]}}',
    b'{"type":"order_placed",' + WHO + b',"fields":{"items":[' + b"{}," * ITEMS_MAX + b"{}]}}",
    b'{"type":"product_restocked","fields":{"stock":5}}',
    b'{"type":"page_viewed",' + WHO + b',"traits":{"risk":"high"}}',
    b'{"type":"page_viewed",' + WHO + b',"traits":{"risk":1e309}}',
    b'{"type":"page_viewed",' + WHO + b',"traits":"gold"}',
]


def sentences():
    batch = decode_ndjson(b"\n".join(BAD), SCHEMA, SECRET, TIMES)
    shown = [line if len(line) < 200 else line[:60] + b"..." for line in BAD]
    told = {rejection.line: f"{rejection.reason}: {rejection}" for rejection in batch.rejected}
    return "".join(f"{line.decode(errors='replace')}\t{told.get(i, 'accepted')}\n" for i, line in enumerate(shown))


def test_every_bad_line_is_told_why():
    assert sentences() == TABLE.read_text(encoding="utf-8")


def test_every_reason_has_its_line():
    batch = decode_ndjson(b"\n".join(BAD), SCHEMA, SECRET, TIMES)
    assert {rejection.reason for rejection in batch.rejected} == set(Reason)
    same(batch, decode_line_by_line(b"\n".join(BAD), SCHEMA, SECRET, TIMES))


@pytest.mark.parametrize("decode", [decode_ndjson, decode_line_by_line])
def test_the_first_and_the_last_instant_that_are_believed(decode):
    line = b'{"type":"page_viewed",' + WHO + b',"time":"%s"}\n'
    batch = decode(line % b"1970-01-01T00:00:00Z" + line % b"2026-03-02T10:00:00Z", SCHEMA, SECRET, TIMES)
    assert batch.rejected == []
    assert batch.rows[:, OCCURRED_AT].tolist() == [0, TIMES.stamp + AHEAD_US_MAX]


def test_a_rejection_names_file_and_line():
    (rejection,) = decode_ndjson(b"\n\n7", SCHEMA, SECRET).rejected
    assert str(rejection.at(40, "a.ndjson")).startswith("a.ndjson line 41: $: the line is not an event")


@pytest.mark.parametrize("decode", [decode_ndjson, decode_line_by_line])
def test_at_each_limit_a_line_is_still_good(decode):
    good = [
        b'{"type":"page_viewed",' + WHO + b',"fields":{"page":"' + "é".encode() * 200 + b'"}}',
        b'{"type":"order_placed",' + WHO + b',"fields":{"items":[' + b"{}," * (ITEMS_MAX - 1) + b"{}]}}",
        b'{"type":"other","x":' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}",
    ]
    good.append(b'{"type":"other"' + b" " * (LINE_BYTES_MAX - 16) + b"}")
    assert len(good[-1]) == LINE_BYTES_MAX
    assert not decode(b"\n".join(good), SCHEMA, SECRET).rejected


@pytest.mark.parametrize("decode", [decode_ndjson, decode_line_by_line])
def test_names_beyond_the_limit_are_counted_together(decode):
    lines = [b'{"type":"other%d"}' % i for i in range(UNKNOWN_NAMES_MAX + 5)]
    unknown = decode(b"\n".join(lines), SCHEMA, SECRET).unknown
    assert len(unknown) == UNKNOWN_NAMES_MAX + 1
    assert unknown[OTHER_NAMES] == 5


def test_names_aimed_at_one_place_are_read_all_the_same():
    import numpy as np

    from onevoice.events.words import hash_of

    crowd, size = {}, 1 << 13
    for i in range(60_000):
        letters = np.frombuffer(b"n%d" % i, np.uint8)
        crowd.setdefault(int(hash_of(letters, 0, len(letters))) & (size - 1) & ~63, []).append(i)
    most = max(crowd.values(), key=len)
    payload = b"\n".join(b'{"type":"page_viewed",' + WHO + b',"fields":{"page":"n%d"}}' % i for i in most)
    same(decode_ndjson(payload, SCHEMA, SECRET), decode_line_by_line(payload, SCHEMA, SECRET))


if __name__ == "__main__":
    TABLE.write_text(sentences(), encoding="utf-8")
