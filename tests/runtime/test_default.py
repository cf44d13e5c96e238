"""A placement shows its default where nothing won, and only there."""

from __future__ import annotations

import onevoice
from onevoice.playbook.load import load_files

PLAYBOOK = """
playbook: shop
identifiers: {card: {}}
traits: {tier: choice}
policies: {classes: {sales: {}}}
placements: {banner: {slots: 1, default: brand_banner}, till: {}}
campaigns:
  upgrade: {class: sales, when: asked, placements: [banner, till], if: "tier = 'gold'"}
"""


def asked(placement, tier):
    with onevoice.open(load_files({"playbook.yaml": PLAYBOOK.encode()})) as engine:
        engine.ingest([{"type": "profile_updated", "identifiers": {"card": "1"}, "traits": {"tier": tier}}])
        return engine.decide(placement, {"card": "1"})


def test_the_default_is_shown_where_nothing_won():
    decision = asked("banner", "basic")
    assert (decision.won, decision.default) == ((), "brand_banner")
    assert repr(decision).endswith("no candidate; shows brand_banner>")


def test_a_winner_takes_the_place_of_the_default():
    decision = asked("banner", "gold")
    assert ([line.campaign for line in decision.won], decision.default) == (["upgrade"], "")


def test_a_placement_without_a_default_shows_nothing():
    assert asked("till", "basic").default == ""
