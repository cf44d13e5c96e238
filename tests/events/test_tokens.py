"""Each kernel on text equals the plain Python that means the same."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onevoice.events import tokens
from onevoice.events.spelling import AS_IT_IS, EMAIL, trim
from onevoice.events.values import date_us, normal, normal_email, normal_phone, time_us


def letters(text):
    return np.frombuffer(text.encode() + b"\n" + bytes(32), np.uint8)


FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[-+0-9.eE]{1,8}", fullmatch=True),
)


@settings(deadline=None)
@given(FLOATS)
@example("9007199254740993")
@example("1e23")
@example("-0.0")
@example("123456789012345678e-22")
def test_a_number_is_the_nearest_or_unclear(text):
    after, value = tokens.number(letters(text), 0)
    if after == len(text):
        assert struct.pack("<d", value) == struct.pack("<d", json.loads(text) + 0.0)
    whole = tokens.after_number(letters(text), 0)
    try:
        json.loads(text)
    except ValueError:
        assert whole != len(text)
    else:
        assert whole == len(text)


def test_plain_prices_are_not_unclear():
    for cents in range(-300, 100_000, 37):
        text = f"{cents / 100:.2f}"
        assert tokens.number(letters(text), 0) == (len(text), cents / 100)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(VALUES, st.booleans(), st.integers(0, 60), st.sampled_from(["", " ", "]", "}", ",", '"', "0", "\\", "nul"]))
def test_a_value_ends_where_json_says(value, ascii_only, at, change):
    text = json.dumps(value, ensure_ascii=ascii_only)
    whole = len(text.encode())
    assert tokens.after_value(letters(text), 0, True) in (whole, tokens.UNCLEAR if "\\ud" in text else whole)
    text = text[:at] + change + text[at + 1 :]
    after = tokens.after_value(letters(text), 0, True)
    if after != tokens.UNCLEAR:
        json.loads(text.encode()[:after], strict=True)


TIMES = st.one_of(
    st.datetimes().map(lambda t: t.isoformat() + "Z"),
    st.from_regex(
        r"[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{0,13})?"
        r"([Zz]|[+-][0-2][0-9]:[0-6][0-9])",
        fullmatch=True,
    ),
    st.from_regex(r"[-0-9T:.Z+ ]{18,30}", fullmatch=True),
)


@settings(deadline=None)
@given(TIMES)
@example("0000-01-01T00:00:00Z")
@example("2024-02-29T23:59:59.999999999+23:59")
@example("1900-02-29T00:00:00Z")
def test_times_and_dates_are_those_of_plain_python(text):
    found = int(tokens.time_in(letters(text), 0, len(text)))
    assert (None if found == tokens.MISSING else found) == time_us(text)
    found = int(tokens.date_in(letters(text), 0, min(10, len(text))))
    assert (None if found == tokens.MISSING else found) == date_us(text[:10])


@settings(deadline=None)
@given(st.text(st.sampled_from("a@. \t\x1c\x85\u00a0éA"), max_size=9))
def test_what_is_usable_at_once_is_what_plain_python_makes_of_it(text):
    for form, name in ((AS_IT_IS, ""), (EMAIL, "email")):
        spans, usable = np.array([[0, len(text.encode())]]), np.zeros(1, np.bool_)
        trim(letters(text), spans, form, usable)
        expected = normal(text, name, "")
        if usable[0]:
            start, stop = spans[0].tolist()
            found = text.encode()[start:stop].decode()
            assert (found.lower() if form == EMAIL else found) == expected
        elif text.isascii():
            assert expected == ""


def test_spellings_of_one_identifier():
    assert normal_email(" Anna.B@Example.ORG ") == "anna.b@example.org"
    for wrong in ("", "a", "a@b", "@b.lt", "a@b..lt", "a@.lt", "a@b.lt.", "a b@c.lt", "a@b@c.lt", "x" * 250 + "@b.lt"):
        assert normal_email(wrong) == ""
    spellings = ("+37061234567", "8 612 34567", "(8-612) 34567", "0037061234567", "+370 612 34567")
    assert {normal_phone(text, "LT") for text in spellings} == {"+37061234567"}
    assert [normal_phone(text, "LT") for text in ("", "12", "phone", "+1")] == [""] * 4


def test_decoding_is_the_same_without_the_compiler():
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "from tests.events.material import SCHEMA, SECRET, resolved\n"
        "from tests.events.test_refusals import BAD\n"
        "from onevoice.events.decode import decode_ndjson\n"
        "import bench.decode as bench, msgspec\n"
        "short = [line for line in BAD if len(line) < 2000]\n"
        "print(decode_ndjson(b'\\n'.join(short), SCHEMA, SECRET).rejected)\n"
        "made = msgspec.json.encode(bench.events(40, 1)).replace(b'},{\"type', b'}\\n{\"type')[1:-1]\n"
        "batch = decode_ndjson(made, bench.Schema(bench.PLAYBOOK), SECRET)\n"
        "print(len(batch.rows), resolved(batch, bench.Schema(bench.PLAYBOOK)), batch.unknown)\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disabled in ("0", "1")
    ]
    assert runs[0] == runs[1]
    assert "\n40 (" in runs[0]
