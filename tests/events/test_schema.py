"""Numbers and columns follow the playbook, built-in types first."""

import subprocess
import sys

from onevoice.events.schema import NO_COLUMN, Field, Schema
from onevoice.playbook.builtin import BUILTIN_EVENTS, all_events
from onevoice.playbook.model import EventType, FieldType, Playbook
from tests.events.material import PLAYBOOK, SCHEMA

F = FieldType


def test_types_are_numbered_built_in_first_each_before_its_items():
    names = [layout.name for layout in SCHEMA.types]
    assert names[: len(BUILTIN_EVENTS)] == list(BUILTIN_EVENTS)
    declared = ["page_viewed", "order_placed", "order_placed.items", "order_placed.gifts", "product_restocked"]
    assert names[len(BUILTIN_EVENTS) :] == declared
    assert [SCHEMA.layout(name).number for name in names] == list(range(len(names)))
    assert list(SCHEMA.events) == list(all_events(PLAYBOOK))


def test_an_item_has_its_parents_columns_first_and_its_own_field_wins():
    order, item = SCHEMA.layout("order_placed"), SCHEMA.layout("order_placed.items")
    assert list(item.fields) == ["order_id", "amount", "paid", "due", "sent", "product", "quantity", "serial"]
    assert item.fields["paid"] == order.fields["paid"] == Field("paid", F.BOOLEAN, 1)
    assert order.fields["amount"].column == 0
    assert item.fields["amount"] == Field("amount", F.NUMBER, 6)
    assert item.fields["order_id"] == Field("order_id", F.KEY, 0)
    assert item.fields["serial"] == Field("serial", F.KEY, 1)
    assert (SCHEMA.width_values, SCHEMA.width_keys) == (7, 2)


def test_a_text_has_no_column_and_a_world_event_is_about_its_product():
    assert SCHEMA.layout("page_viewed").fields["note"].column == NO_COLUMN
    assert SCHEMA.layout("product_restocked").fields["product"].type is F.PRODUCT


def test_a_playbook_adds_fields_to_a_built_in_type():
    added = EventType("asked", {"till": F.KEY})
    asked = Schema(Playbook("p", events={"asked": added})).layout("asked")
    assert [(field.name, field.column) for field in asked.fields.values()] == [("placement", 0), ("till", 0)]


def test_the_schema_needs_no_compiler():
    code = "import sys, onevoice.events.schema; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
