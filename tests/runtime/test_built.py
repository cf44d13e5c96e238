"""A playbook built in Python is checked like one that is read, before the engine sees it."""

from __future__ import annotations

import pytest

import onevoice
from onevoice.errors import PlaybookError
from onevoice.playbook.load import load_files
from onevoice.playbook.model import (
    DAY,
    Aggregate,
    Campaign,
    CampaignClass,
    EventMatch,
    EventType,
    Identifier,
    Measure,
    Playbook,
    Policies,
    Trigger,
    TriggerKind,
)


def built(**parts):
    return Playbook(
        "built",
        identifiers={"card": Identifier("card")},
        events={"order": EventType("order")},
        policies=Policies(classes={"sales": CampaignClass("sales")}),
        **parts,
    )


def test_latest_over_a_window_is_refused():
    measure = Measure("last", Aggregate.LATEST, EventMatch("order"), over_us=DAY)
    with pytest.raises(PlaybookError, match="`latest` over a window"):
        onevoice.open(built(measures={"last": measure}))


def test_a_campaign_without_a_channel_is_refused():
    silent = Campaign("silent", "sales", Trigger(TriggerKind.EVENT, "order"))
    with pytest.raises(PlaybookError, match="no channel to send by"):
        onevoice.open(built(campaigns={"silent": silent}))


def test_an_empty_list_of_channels_is_refused_where_it_is_written():
    text = """
playbook: empty
identifiers: {card: {}}
events: {order: {}}
policies: {classes: {sales: {}}}
campaigns:
  silent: {class: sales, when: event order, send: []}
"""
    with pytest.raises(PlaybookError, match=r"playbook.yaml:7:.*no channel to send by"):
        load_files({"playbook.yaml": text.encode()})
