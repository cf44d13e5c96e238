"""The workload of the whole engine: a playbook of the stated size, and a stream of events for it as NDJSON or Arrow.

20 measures, 10 facts, 10 segments, 100 moments of three steps in a day with conditions, 100 campaigns (80 wait for a
moment, 20 for an event with a condition), 4 suppressions, 4 caps, a gap. 40 event types with a number, a choice, a
product and a key; seven events in ten carry a user_id (half of those a cookie, too), three in ten only the cookie of
a known device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from onevoice.playbook.check import check
from onevoice.playbook.model import (
    DAY,
    HOUR,
    MINUTE,
    Aggregate,
    Campaign,
    CampaignClass,
    Cap,
    Catalogue,
    Channel,
    EventMatch,
    EventType,
    Fact,
    FieldType,
    Identifier,
    Measure,
    Moment,
    Offer,
    Period,
    Placement,
    Playbook,
    Policies,
    Refusals,
    Segment,
    Step,
    Suppression,
    Trait,
    Trigger,
    TriggerKind,
)

SECRET = (7, 9)
START_US = 1_760_000_000_000_000
TYPES = 40
PAGES = 30
PRODUCTS = 500
PIECE = 16_384  # lines of a batch


def named(*things):
    return {thing.name: thing for thing in things}


def type_name(kind):
    return f"ev_{kind:02d}"


def drawn_steps(count, seed):
    """Return int64[count, 3]: three different event types for each moment."""
    draw = np.random.default_rng(seed)
    return np.array([draw.permutation(TYPES)[:3] for _ in range(count)])


def _moments(count, seed):
    """Return moments whose last step has a condition; of every third the first step has one, too."""
    moments = []
    for i, (first, second, third) in enumerate(drawn_steps(count, seed)):
        where = f"page = 'page_{i % PAGES}'" if i % 3 == 0 else ""
        matches = EventMatch(type_name(first), where), EventMatch(type_name(second))
        steps = *map(_step, matches), _step(EventMatch(type_name(third), "val > 50"))
        moments.append(Moment(f"moment_{i}", steps, within_us=DAY))
    return named(*moments)


def _step(match):
    return Step((match,))


def _measures():
    aggregates = [Aggregate.COUNT, Aggregate.SUM, Aggregate.LATEST, Aggregate.MAX, Aggregate.DISTINCT]
    windows = [0, 30 * DAY, 7 * DAY, 365 * DAY]
    measures = []
    for i in range(20):
        aggregate = aggregates[i % 5]
        field = {Aggregate.SUM: "val", Aggregate.MAX: "val", Aggregate.DISTINCT: "page"}.get(aggregate, "")
        over = 0 if aggregate is Aggregate.LATEST else windows[i % 4]
        measures.append(Measure(f"measure_{i}", aggregate, EventMatch(type_name(2 * i)), field, over))
    return named(*measures)


def _facts():
    return named(
        *(
            Fact(
                f"fact_{i}",
                (EventMatch(type_name(i)),),
                (EventMatch(type_name(i + 10)),),
                ("product",) if i % 2 else (),
                30 * DAY if i % 5 == 0 else 0,
            )
            for i in range(10)
        )
    )


def _segments():
    conditions = [
        "measure_0 > 2",
        "measure_1 > 200",
        "measure_2 > now() - interval '3 days'",
        "tier = 'gold' or measure_6 > 100",
        "fact_1 and measure_5 > 0",
        "fact_3('product_7')",
        "measure_10 >= 1 and measure_15 >= 1",
        "count(fact_5) > 1",
        "measure_8 > 90",
        "tier in ('gold', 'silver') and churn_risk > 0.5",
    ]
    return named(*(Segment(f"segment_{i}", condition) for i, condition in enumerate(conditions)))


_CONDITIONS = (
    "not segment_{a}",
    "measure_1 > 20 or segment_{a}",
    "measure_0 < 50 and tier <> 'none'",
    "fact_{a} or not fact_{b}",
    "measure_7 is not null or event.val > 10",
    "",
)


def _condition(i, *, event=True):
    text = _CONDITIONS[i % 6].format(a=i % 10, b=(i + 3) % 10)
    return text if event else text.replace("event.val > 10", "measure_3 is null")


def _campaign(i):
    when = Trigger(TriggerKind.MOMENT, f"moment_{i}")
    if i % 5 == 0:
        when = Trigger(TriggerKind.EVENT, type_name(i % TYPES), "val > 100")
    return Campaign(
        f"campaign_{i}",
        ("service", "retention", "sales", "sales")[i % 4],
        when,
        priority=float(i % 17),
        condition=_condition(i),
        offers=(f"offer_{i % 10}",) if i % 2 else (),
        send=("push", "sms"),
        valid_for_us=2 * DAY,
        again_after_us=(3 * DAY if i % 3 else 0),
    )


def _asked(i):
    condition = _condition(i, event=False)
    when = Trigger(TriggerKind.ASKED)
    return replace(_campaign(i), when=when, condition=condition, send=(), placements=("till",), valid_for_us=0)


def playbook(moments=100, campaigns=100, *, asked=False, seed=7):
    """Return the playbook; with `asked` its campaigns answer a placement instead of waiting for something."""
    classes = CampaignClass("service", strict=True), CampaignClass("retention", 2.0), CampaignClass("sales")
    offers = [Offer(f"offer_{i}", f"product_{i}", value=float(i), family=f"family_{i % 3}") for i in range(10)]
    fields = {"val": FieldType.NUMBER, "page": FieldType.CHOICE, "product": FieldType.PRODUCT, "order": FieldType.KEY}
    made = Playbook(
        "bench",
        identifiers=named(Identifier("user_id", unique=True), Identifier("cookie", anonymous=True)),
        traits=named(Trait("tier", FieldType.CHOICE), Trait("churn_risk", FieldType.NUMBER)),
        products=Catalogue({}, tuple(f"product_{i}" for i in range(PRODUCTS)), {}),
        events=named(*(EventType(type_name(kind), fields) for kind in range(TYPES))),
        facts=_facts(),
        measures=_measures(),
        segments=_segments(),
        moments=_moments(moments, seed),
        offers=named(*offers),
        campaigns=named(*map(_asked if asked else _campaign, range(campaigns))),
        policies=Policies(
            classes=named(*classes),
            rank="weight * priority * lever + coalesce(offer.value, 0)",
            wait_us=5 * MINUTE,
            gap_us=4 * HOUR,
            caps=(
                Cap(1, period=Period.DAY),
                Cap(3, rolling_us=7 * DAY, channel="push"),
                Cap(2, period=Period.WEEK, klass="sales"),
                Cap(1, rolling_us=30 * DAY, campaign="campaign_1"),
            ),
            exempt={"service": frozenset({"caps", "wait"})},
            suppress=(
                Suppression(("retention", "sales"), "fact_0", 3 * DAY, 30 * DAY),
                Suppression(("offers",), "fact_1(offer.product)"),
                Suppression(("offers",), "refused(offer.family)"),
                Suppression(("sales",), "segment_9"),
            ),
            refusals=Refusals(90 * DAY, 14 * DAY, 5, 30 * DAY),
        ),
        placements=named(Placement("till", 3)),
        channels=named(Channel("push"), Channel("sms")),
    )
    mistakes = check(made)
    assert not mistakes, mistakes
    return made


@dataclass(frozen=True)
class Stream:
    """Events in order of time: for each its customer, type, time in µs, value, page, product, and how it is signed."""

    customer: np.ndarray
    kind: np.ndarray
    time: np.ndarray
    val: np.ndarray
    page: np.ndarray
    product: np.ndarray
    signed: np.ndarray  # 0: user_id; 1: user_id and cookie; 2: cookie

    def __len__(self):
        return len(self.kind)

    def part(self, start, stop):
        return Stream(*(getattr(self, name)[start:stop] for name in self.__dataclass_fields__))


def stream(events, customers, days, seed=7):
    """Draw a stream; a customer signs with a cookie alone only after an event with both."""
    draw = np.random.default_rng(seed)
    customer = draw.integers(0, customers, events)
    signed = draw.choice(3, events, p=[0.35, 0.35, 0.30])
    order = np.lexsort((np.arange(events), customer))
    first = np.ones(events, bool)
    first[order[1:]] = customer[order[1:]] != customer[order[:-1]]
    signed[first] = 1
    return Stream(
        customer,
        draw.integers(0, TYPES, events),
        START_US + np.sort(draw.integers(0, days * DAY, events)),
        np.round(draw.gamma(2, 30, events), 2),
        draw.integers(0, PAGES, events),
        draw.integers(0, PRODUCTS, events),
        signed,
    )


def _texts(prefix, codes, where=None):
    """Return an Arrow array of `prefix` and the code; null where `where` is False."""
    texts = pa.array([f"{prefix}{code}" for code in range(int(codes.max(initial=0)) + 1)])
    return texts.take(pa.array(codes, mask=None if where is None else ~where))


def arrow(events):
    """Return a stream as an Arrow table of flat columns."""
    types = pa.array([type_name(kind) for kind in range(TYPES)])
    return pa.table(
        {
            "type": types.take(pa.array(events.kind)),
            "time": pa.array(events.time, pa.timestamp("us", tz="UTC")),
            "identifiers.user_id": _texts("user-", events.customer, events.signed < 2),
            "identifiers.cookie": _texts("cookie-", events.customer, events.signed > 0),
            "fields.val": pa.array(events.val),
            "fields.page": _texts("page_", events.page),
            "fields.product": _texts("product_", events.product),
            "fields.order": _texts("order-", events.time % 1_000_000),
        }
    )


def lines(events):
    """Yield a stream as lines of JSON, without newlines."""
    begin = datetime.fromtimestamp(0, UTC)
    columns = (getattr(events, name).tolist() for name in events.__dataclass_fields__)
    for customer, kind, time, val, page, product, signed in zip(*columns, strict=True):
        who = (f'"user_id":"user-{customer}"', f'"cookie":"cookie-{customer}"')
        identifiers = ",".join(who[signed // 2 : 1 + (signed + 1) // 2])
        moment = (begin + timedelta(microseconds=time)).isoformat(timespec="microseconds")[:26]
        yield (
            f'{{"type":"{type_name(kind)}","time":"{moment}Z","identifiers":{{{identifiers}}},"fields":{{"val":{val},'
            f'"page":"page_{page}","product":"product_{product}","order":"order-{time % 1_000_000}"}}}}'
        )


def ndjson(events):
    """Return a stream as newline-delimited JSON."""
    return "\n".join(lines(events)).encode() + b"\n"
