"""One playbook's schema and hypothesis strategies for lines of events under it."""

import json
import math

import numpy as np
from hypothesis import strategies as st

from onevoice.events.batch import ANY_TIME, LINE, Times
from onevoice.events.schema import Schema
from onevoice.playbook.model import EventType, FieldType, Identifier, Playbook, Source, Trait

SECRET = (0x0706050403020100, -0x0706050403020100)
F = FieldType
PLAYBOOK = Playbook(
    "test",
    identifiers={
        kind.name: kind
        for kind in (
            Identifier("user_id", unique=True),
            Identifier("email", format="email"),
            Identifier("phone", format="phone", region="LT"),
            Identifier("cookie", anonymous=True),
        )
    },
    traits={
        name: Trait(name, kind)
        for name, kind in {"tier": F.CHOICE, "risk": F.NUMBER, "first_name": F.TEXT, "birthday": F.DATE}.items()
    },
    sources={"till": Source("till", 5), "web": Source("web")},
    events={
        event.name: event
        for event in (
            EventType("page_viewed", {"page": F.CHOICE, "product": F.PRODUCT, "note": F.TEXT, "channel": F.CHOICE}),
            EventType(
                "order_placed",
                {"order_id": F.KEY, "amount": F.NUMBER, "paid": F.BOOLEAN, "due": F.DATE, "sent": F.TIME},
                {
                    "items": {"product": F.PRODUCT, "quantity": F.NUMBER, "serial": F.KEY, "amount": F.NUMBER},
                    "gifts": {"product": F.PRODUCT},
                },
            ),
            EventType("product_restocked", {"stock": F.NUMBER}, about="product"),
        )
    },
)
SCHEMA = Schema(PLAYBOOK)

believed = st.sampled_from([ANY_TIME, Times(1_000_000_000_000_000), Times(946_684_800_000_000, needed=True)])  # 2000

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["", " ", "x" * 201, "12.5", "é" * 150, "\ud83d\ude00", 'a"b', "a\\b", "tab\there"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
names = st.sampled_from(["home", "offers", "Šiauliai", "p1", "9", "", "x" * 200])
numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-10000, 10000, places=2).map(float),
)
times = st.one_of(
    st.datetimes().map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0") + "Z"),
    st.datetimes().map(lambda t: t.strftime("%Y-%m-%dt%H:%M:%S").rjust(19, "0") + "+02:30"),
)
dates = st.dates().map(str)
references = st.one_of(st.sampled_from(["A-1", "é", "7", ""]), st.integers(-5, 10**19))


def mostly(usual, rate=40):
    """Draw from `usual`, once in `rate` something odd."""
    return st.integers(1, rate).flatmap(lambda draw: odd if draw == rate else usual)


def record(**parts):
    """Draw an object with any of the parts, seldom with another name, in any order."""
    spare = st.dictionaries(st.sampled_from(["spare", "type2", "é"]), odd, max_size=1)
    without = st.lists(st.sampled_from(sorted(parts)), max_size=2)
    some = st.tuples(st.fixed_dictionaries(parts), without).map(
        lambda pair: {k: v for k, v in pair[0].items() if k not in pair[1]}
    )
    joined = st.tuples(some, st.one_of(st.just({}), st.just({}), spare)).map(lambda pair: {**pair[0], **pair[1]})
    return joined.flatmap(lambda made: st.permutations(list(made.items())).map(dict))


fields = {
    "page_viewed": record(page=mostly(names), product=mostly(references), note=odd, channel=mostly(names)),
    "order_placed": record(
        order_id=mostly(references),
        amount=mostly(numbers),
        paid=mostly(st.booleans()),
        due=mostly(dates),
        sent=mostly(times),
        items=mostly(
            st.lists(
                mostly(
                    record(product=mostly(references), quantity=mostly(numbers), serial=references, amount=numbers), 30
                ),
                max_size=3,
            )
        ),
        gifts=mostly(st.lists(record(product=references), max_size=2)),
    ),
    "product_restocked": record(product=mostly(references), stock=mostly(numbers)),
}
identifiers = record(
    user_id=mostly(references, 40),
    email=mostly(st.sampled_from(["anna@example.org", " Jonas@Shop.LT ", "no", "é@ž.lt", "a@b"]), 40),
    phone=mostly(st.sampled_from(["+37061234567", "8 612 34567", "12"]), 40),
    cookie=mostly(st.sampled_from(["c1", " c2\t", "", "\u00a0c\u00a0"]), 40),
)


@st.composite
def events(draw):
    """Draw an event, mostly usable."""
    kind = draw(st.sampled_from([*fields, "order_placed", "unheard_of", "order_placed.items"]))
    event = {"type": kind}
    if draw(st.integers(0, 5)):
        event["identifiers"] = {"user_id": draw(st.integers(1, 9)), **draw(st.one_of(st.just({}), identifiers))}
    event |= draw(
        record(
            time=mostly(times),
            id=mostly(references),
            channel=mostly(names),
            source=mostly(st.sampled_from(["till", "web", "shop", ""])),
            fields=mostly(fields.get(kind, fields["page_viewed"]), 40),
            traits=mostly(
                record(tier=mostly(names), risk=mostly(numbers), first_name=st.text(), birthday=mostly(dates)), 40
            ),
        )
    )
    order = draw(st.permutations(list(event)))
    return {key: event[key] for key in order}


@st.composite
def lines(draw):
    """Draw one line as JSON in one of the usual spellings."""
    event = draw(events())
    ascii_only = draw(st.booleans())
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    text = json.dumps(event, ensure_ascii=ascii_only, separators=separators)
    return text.encode("utf-8", "surrogatepass") + draw(st.sampled_from([b"", b"", b"\r", b"  "]))


@st.composite
def damaged(draw, whole=None):
    """Draw a line with some bytes changed, cut out or put in."""
    line = bytearray(draw(whole or lines()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        bit = draw(
            st.sampled_from(
                [b"", b"\xff", b'"', b"{", b"}", b"[", b",", b"\\", b"0", b"null", b"\xc3", b"1e999", b"\x00"]
            )
        )
        line[at : at + draw(st.integers(0, 2))] = bit
    return bytes(line).replace(b"\n", b"")


def same(first, second):
    """Assert that two batches are the same, bit for bit."""
    for name, one, other in zip(first._fields, first, second, strict=True):
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, name
            assert one.shape == other.shape, name
            assert one.flags.c_contiguous, name
            np.testing.assert_array_equal(one, other, name)
            assert not (one.dtype == np.float64 and np.signbit(one[one == 0]).any()), name
        else:
            assert one == other, name


def resolved(batch, schema=SCHEMA):
    """Return a batch as plain objects with names in place of codes and lines: what it says, cut as you like."""
    events = []
    for number, row in enumerate(batch.rows.tolist()):
        layout = schema.types[row[0]] if row[0] >= 0 else None
        kinds = {} if layout is None else all_kinds(schema, layout)
        values = [
            None
            if math.isnan(value)
            else batch.names[int(value)]
            if kinds.get(column) in (F.CHOICE, F.PRODUCT)
            else value
            for column, value in enumerate(batch.values[number].tolist())
        ]
        named = [trait.type is F.CHOICE for trait in schema.traits]
        traits = [
            (trait, None if math.isnan(value) else batch.names[int(value)] if named[int(trait)] else value)
            for trait, value in batch.traits[row[7] : row[8]].tolist()
        ]
        identifiers = batch.identifiers[row[5] : row[6]].tolist()
        events.append(
            (row[0], row[1], row[3], row[4], row[9], values, batch.keys[number].tolist(), identifiers, traits)
        )
    return events, batch.rows[:, LINE].tolist()


def all_kinds(schema, layout):
    """Return the kind of each column of `values`, hidden fields of a parent included."""
    lineage = [schema.types[layout.parent], layout] if layout.parent >= 0 else [layout]
    return {field.column: field.type for level in lineage for field in level.own.values() if field.type is not F.KEY}
