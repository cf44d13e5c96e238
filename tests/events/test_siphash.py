"""The hash equals the reference implementation's published vectors and a plain Python twin."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onevoice.events.siphash import hash_texts_64, hash_texts_128, prefixes

MASK = 2**64 - 1
# Key 00 01 … 0f, message 00 01 … (n-1): first vectors of the reference implementation's vectors.h.
KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
VECTORS_64 = [
    "310e0edd47db6f72", "fd67dc93c539f874", "5a4fa9d909806c0d", "2d7efbd796666785",
    "b7877127e09427cf", "8da699cd64557618", "cee3fe586e46c9cb", "37d1018bf50002ab",
]  # fmt: skip
VECTORS_128 = [
    "a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
    "8177228da4a45dc7fca38bdef60affe4", "9c70b60c5267a94e5f33b6b02985ed51",
]  # fmt: skip


def spans_of(texts):
    stops = np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = stops - np.array([len(text) for text in texts], np.int64)
    return np.frombuffer(b"".join(texts) + b"\0", np.uint8), np.column_stack([starts, stops])


def twin(text, k0, k1, *, wide):
    """SipHash-2-4 on Python's integers."""

    def rotate(x, by):
        return ((x << by) | (x >> (64 - by))) & MASK

    def rounds(v, count):
        a, b, c, d = v
        for _ in range(count):
            a = (a + b) & MASK
            b = rotate(b, 13) ^ a
            a = rotate(a, 32)
            c = (c + d) & MASK
            d = rotate(d, 16) ^ c
            a = (a + d) & MASK
            d = rotate(d, 21) ^ a
            c = (c + b) & MASK
            b = rotate(b, 17) ^ c
            c = rotate(c, 32)
        return [a, b, c, d]

    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    v[1] ^= 0xEE if wide else 0
    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) & 255])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i : i + 8], "little")
        v[3] ^= word
        v = rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xEE if wide else 0xFF
    v = rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    v = rounds(v, 4)
    return first, v[0] ^ v[1] ^ v[2] ^ v[3]


def test_reference_vectors_of_64_bits():
    letters, spans = spans_of([bytes(range(n)) for n in range(len(VECTORS_64))])
    hashes = hash_texts_64(letters, spans, KEY)
    assert [hashes[i].tobytes().hex() for i in range(len(spans))] == VECTORS_64


def test_reference_vectors_of_128_bits():
    letters, spans = spans_of([bytes(range(n)) for n in range(len(VECTORS_128))])
    hashes = hash_texts_128(letters, np.zeros(len(spans), np.int64), spans, prefixes([b""], [False]), KEY)
    assert [hashes[i].tobytes().hex() for i in range(len(spans))] == VECTORS_128


@given(
    st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=300)), max_size=5),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 2**64 - 1),
)
def test_kernel_equals_its_twin(texts, k0, k1):
    before = [b"email\0", b"cookie\0"]
    letters, spans = spans_of([text for _, text in texts])
    kinds = np.array([kind for kind, _ in texts], np.int64)
    wide = hash_texts_128(letters, kinds, spans, prefixes(before, [False, False]), (k0, k1))
    narrow = hash_texts_64(letters, spans, (k0, k1))
    for i, (kind, text) in enumerate(texts):
        expected = twin(before[kind] + text, k0 & MASK, k1, wide=True)
        assert tuple(int(half) & MASK for half in wide[i]) == expected
        assert int(narrow[i]) & MASK == (twin(text, k0 & MASK, k1, wide=False)[0] or 1)


def test_folding_hashes_capitals_as_small_letters():
    letters, spans = spans_of([b"Anna@Example.ORG", b"anna@example.org", "ŽANNA".encode()])
    kinds = np.zeros(3, np.int64)
    folded = hash_texts_128(letters, kinds, spans, prefixes([b"email\0"], [True]), KEY)
    exact = hash_texts_128(letters, kinds, spans, prefixes([b"email\0"], [False]), KEY)
    assert (folded[0] == folded[1]).all()
    assert (exact[0] != exact[1]).any()
    assert (exact[2] != folded[2]).any()


def test_the_same_without_the_compiler():
    code = (
        "import warnings; warnings.simplefilter('error');"
        "import numpy as np; from onevoice.events.siphash import hash_texts_64 as h;"
        "print(h(np.arange(64, dtype=np.uint8), np.array([[0, n] for n in range(64)]), (-1, 5)).tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"NUMBA_DISABLE_JIT": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = hash_texts_64(np.arange(64, dtype=np.uint8), np.array([[0, n] for n in range(64)]), (-1, 5))
    assert run.stdout.strip() == str(expected.tolist())
