"""What each condition sees, and by which numbers."""

import logging
import re

import pytest
from sqlglot.dialects.duckdb import DuckDB

from onevoice.conditions.tree import FactRead, Read, Scope, Symbol, SymbolKind, Type, walk
from onevoice.conditions.types import check as check_condition
from onevoice.errors import ConditionError
from onevoice.playbook.builtin import BUILTIN_EVENTS, BUILTIN_FACT_NAMES, all_events, all_facts, row_fields
from onevoice.playbook.check import check
from onevoice.playbook.load import load_files
from onevoice.playbook.model import EventMatch, Fact, FieldType, Playbook, Segment, Trait
from onevoice.playbook.scopes import Scopes, conditions_of
from onevoice.playbook.words import SQL_WORDS

TEXT = """
playbook: scoped
traits: {name: text, tier: choice, age: number}
products: {file: products.csv, fields: {category: choice, note: text, price: number}}
events:
  order:
    fields:
      order_id: key
      amount: number
      product: choice
      lines: {product: product, amount: number, size: choice}
  shipped: {fields: {order_id: key, amount: number}}
  packed: {fields: {order_id: key, amount: number}}
  opened: {fields: {amount: number}}
  profile_updated: {fields: {household: key}}
facts:
  owns: {opens: order.lines, per: [product, order_id]}
measures: {last_order: latest order, last_size: latest of order.lines.size, spend: sum of order.amount}
segments: {keen: spend > 3, grown: age > 17}
moments:
  one_end: [order, shipped]
  same_ends: [order, "any of shipped, packed"]
  other_ends: [order, "any of shipped, opened"]
  absence: [order, no shipped for 1 day]
offers:
  one: {value: 3, parameters: {colour: red}}
  two: {parameters: {price: 3, colour: blue}}
campaigns:
  by_event: {class: sales, when: event order.lines, send: push, offer: one}
  by_one_end: {class: sales, when: moment one_end, send: push}
  by_same_ends: {class: sales, when: moment same_ends, send: push}
  by_other_ends: {class: sales, when: moment other_ends, send: push}
  by_absence: {class: sales, when: moment absence, send: push}
  by_segment: {class: sales, when: segment entered keen, send: push}
  by_ask: {class: sales, when: asked, placements: till}
policies: {classes: {sales: {}}, suppress: [{stop: offers, while: owns(offer.product)}]}
placements: {till: {}}
"""


@pytest.fixture(scope="module")
def playbook():
    return load_files({"playbook.yaml": TEXT.encode(), "products.csv": b"product,category,note,price\nred,x,,3\n"})


def index(scope, name):
    return scope.symbols[name].index


def test_numbers_are_positions(playbook):
    scope = Scopes(playbook).customer()
    assert [index(scope, name) for name in ("name", "tier", "age")] == [0, 1, 2]
    assert [index(scope, name) for name in ("last_order", "last_size", "spend")] == [0, 1, 2]
    assert [index(scope, name) for name in ("keen", "grown")] == [0, 1]
    assert [index(scope, name) for name in (*BUILTIN_FACT_NAMES, "owns")] == [0, 1, 2, 3, 4, 5]


def test_built_in_parts_come_first(playbook):
    assert list(all_facts(playbook)) == [*BUILTIN_FACT_NAMES, "owns"]
    assert list(all_events(playbook))[: len(BUILTIN_EVENTS)] == list(BUILTIN_EVENTS)
    assert all_events(playbook)["profile_updated"].fields == {"household": FieldType.KEY}


def test_a_refusal_that_does_not_count_opens_nothing(playbook):
    assert all_facts(playbook)["refused"].opens == ()
    counted = load_files({"a.yaml": b"playbook: a\npolicies: {refusals: {refused: 1 day}}"})
    assert all_facts(counted)["refused"].opens == (EventMatch("offer_refused"),)


def test_an_item_has_its_events_fields_first_and_its_own_win(playbook):
    row = row_fields(all_events(playbook), "order.lines")
    assert list(row) == ["order_id", "amount", "product", "size"]
    assert row["product"] is FieldType.PRODUCT
    scope = Scopes(playbook).event("order.lines")
    assert index(scope, "event.size") == 3
    assert scope.symbols["event.product.price"] == Symbol(SymbolKind.EVENT_PRODUCT_FIELD, 2, Type.NUMBER, column=2)
    assert "event.product.price" not in Scopes(playbook).event("order").symbols


def test_types_follow_from_what_is_measured(playbook):
    symbols = Scopes(playbook).customer().symbols
    assert [symbols[name].type for name in ("last_order", "last_size", "spend", "tier", "name")] == [
        Type.TIME,
        Type.TEXT,
        Type.NUMBER,
        Type.TEXT,
        None,
    ]
    assert symbols["owns"].components == (Type.TEXT, None)
    assert symbols["ignored"].components == (Type.TEXT,)
    assert symbols["consent"].components == (Type.TEXT, Type.TEXT)


@pytest.mark.parametrize(
    ("campaign", "fields"),
    [
        ("by_event", {"event.order_id", "event.amount", "event.product", "event.size"}),
        ("by_one_end", {"event.order_id", "event.amount"}),
        ("by_same_ends", {"event.order_id", "event.amount"}),
        ("by_other_ends", set()),
        ("by_absence", set()),
        ("by_segment", set()),
        ("by_ask", {"event.placement"}),
    ],
)
def test_a_campaign_sees_the_event_that_triggers_it(playbook, campaign, fields):
    symbols = Scopes(playbook).campaign(playbook.campaigns[campaign]).symbols
    assert {name for name in symbols if name.startswith("event.") and name.count(".") == 1} == fields


def test_offers_share_their_parameters(playbook):
    scope = Scopes(playbook).rank()
    assert [index(scope, f"offer.{name}") for name in ("value", "product", "family", "colour", "price")] == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert scope.symbols["offer.colour"].type is Type.TEXT
    assert scope.symbols["offer.product.price"].column == 2
    assert Scopes(playbook).campaign(playbook.campaigns["by_one_end"]).symbols["offer.value"].type is None
    assert "offer.value" in Scopes(playbook).suppression().symbols


def test_every_condition_is_listed_once_and_can_be_read(playbook):
    written = list(conditions_of(playbook))
    assert [each.path for each in written] == [
        "segments.keen",
        "segments.grown",
        "policies.rank",
        "policies.suppress[0].while",
    ]
    for each in written:
        assert check_condition(each.text, each.scope, each.expected, each.path).type is each.expected


def test_a_playbook_built_in_python_is_checked_too():
    book = Playbook(
        "built",
        traits={"tier": Trait("tier", FieldType.CHOICE)},
        segments={"gold": Segment("gold", "teir = 'gold'")},
        facts={"seen": Fact("seen", (EventMatch("visit"),))},
    )
    assert [mistake.where for mistake in check(book)] == ["facts.seen.opens[0]", "segments.gold, column 1"]


def test_every_word_that_sql_reads_otherwise_is_reserved():
    """A name that is allowed can stand wherever a condition may name it."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    words = {word.lower() for word in DuckDB.Tokenizer.KEYWORDS} | {word.lower() for word in DuckDB.Parser.FUNCTIONS}
    unread = {word for word in words if re.fullmatch("[a-z][a-z0-9_]*", word) and not reads_back(word)}
    assert unread <= SQL_WORDS


def reads_back(word):
    number = Symbol(SymbolKind.EVENT_FIELD, 0, Type.NUMBER)
    for text in (
        f"{word} > 1",
        f"1 < {word}",
        f"not {word} between 1 and 2",
        f"event.{word} is null",
        f"{word} in (1)",
    ):
        try:
            found = check_condition(f"({text})", Scope({f"event.{word}": number}), None, "")
        except ConditionError:
            return False
        if not any(isinstance(each, Read | FactRead) and each.symbol is number for each in walk(found)):
            return False
    return True
