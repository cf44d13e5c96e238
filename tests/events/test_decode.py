"""Laws of decoding: one meaning by every path, no line costs another, any cut gives the same."""

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.events.batch import LINE
from onevoice.events.decode import decode_line_by_line, decode_ndjson
from tests.events.material import SCHEMA, SECRET, believed, damaged, lines, resolved, same


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.one_of(lines(), lines(), damaged(), st.just(b""), st.just(b" \t")), max_size=8), st.booleans(), believed
)
def test_the_scanner_means_what_a_line_means(some, ended, times):
    payload = b"\n".join(some) + (b"\n" if ended else b"")
    same(decode_ndjson(payload, SCHEMA, SECRET, times), decode_line_by_line(payload, SCHEMA, SECRET, times))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(lines(), damaged()), max_size=8), st.integers(0, 8), believed)
def test_a_payload_cut_at_any_line_gives_its_parts(some, cut, times):
    whole = decode_ndjson(b"\n".join(some), SCHEMA, SECRET, times)
    first = decode_ndjson(b"\n".join(some[:cut]), SCHEMA, SECRET, times)
    second = decode_ndjson(b"\n".join(some[cut:]), SCHEMA, SECRET, times)
    (events, places), (before, places_before), (after, places_after) = map(resolved, (whole, first, second))
    assert events == before + after
    assert places == places_before + [place + first.lines for place in places_after]
    assert whole.lines == first.lines + second.lines
    moved = [rejection._replace(line=rejection.line + first.lines) for rejection in second.rejected]
    assert whole.rejected == first.rejected + moved
    assert whole.unknown == Counter(first.unknown) + Counter(second.unknown)
    assert whole.dropped == Counter(first.dropped) + Counter(second.dropped)
    assert list(dict.fromkeys(first.names + second.names)) == whole.names


@settings(max_examples=300, deadline=None)
@given(lines(), damaged(), lines(), st.binary(max_size=40))
def test_a_bad_line_costs_its_neighbours_nothing(before, bad, after, noise):
    alone = [resolved(decode_ndjson(line, SCHEMA, SECRET))[0] for line in (before, after)]
    for line in (bad, noise.replace(b"\n", b"")):
        batch = decode_ndjson(b"\n".join([before, line, after]), SCHEMA, SECRET)
        events, places = resolved(batch)
        middle = batch.lines - 2
        assert [event for event, place in zip(events, places, strict=True) if place == 0] == alone[0]
        assert [event for event, place in zip(events, places, strict=True) if place == 1 + middle] == alone[1]


@settings(max_examples=100, deadline=None)
@given(lines())
def test_a_plain_line_is_read_by_the_scanner_and_kept_or_named(line):
    batch = decode_ndjson(line, SCHEMA, SECRET)
    assert batch.lines == 1
    assert (len(batch.rejected) == 1) == (len(batch.rows) == 0)
    assert set(batch.rows[:, LINE].tolist()) <= {0}
    json.dumps([str(rejection) for rejection in batch.rejected])
