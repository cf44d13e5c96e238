"""What is decided about a customer among all is decided about them alone: small cases in which others have a part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onevoice.playbook.load import load_files
from onevoice.runtime import what_if
from onevoice.runtime.alone import Alone

from .cases import opened

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLAYBOOK = """
playbook: shop
identifiers: {email: {unique: true}, phone: {}}
events: {order: {}, visit: {}}
offers: {boots: {}}
campaigns:
  thanks: {class: service, when: event order, wait: 10 minutes, send: [mail]}
  spring: {class: sales, when: once 2026-03-02 12:00, send: [mail], wait: 1 hour, at_most: 2}
  banner: {class: sales, when: asked, placements: [home], offer: boots}
policies: {classes: {service: {}, sales: {}}}
placements: {home: {fatigue: {times: 1, pause: 2 days}}}
channels: {mail: {}}
"""


class Shop:
    """An engine, and events in minutes after nine on a Monday; people are numbers."""

    def __init__(self, text: str = PLAYBOOK) -> None:
        self.engine = opened(load_files({"playbook.yaml": text.encode()}))

    def says(self, minute: float, kind: str, *who: int, **fields: object) -> None:
        names = {kind: f"{number}" for kind, number in zip(("email", "phone"), who, strict=False)}
        line = {"type": kind, "identifiers": names, "fields": fields}
        self.engine.ingest([line], time=MONDAY + timedelta(minutes=minute))

    def until(self, minute: float) -> None:
        self.engine.tick(time=MONDAY + timedelta(minutes=minute))

    def both(self, number: int) -> tuple[list[object], list[object]]:
        """Return what was decided about a customer among all, and what is alone."""
        self.engine._writer.flush()
        alone = Alone(self.engine._journal, self.engine._writer.fold, number).decisions()
        among = self.engine.decisions(number)
        return [*map(told, among)], [*map(told, alone)]


def told(decision):
    lines = [(x.campaign, x.reason, x.channel, x.rule, x.value, x.limit, x.until, x.score) for x in decision.lines]
    return decision.time, decision.kind, lines


def test_a_response_names_the_same_ask_whatever_time_brings_before_it():
    shop = Shop()
    for number in (1, 2, 3):
        shop.says(number, "order", number)
    shop.says(5, "order", 0)
    shop.says(30, "asked", 0, placement="home")  # the fifth that is decided; what the order brings is the fourth
    shop.says(31, "offer_not_now", 0, decision=4)
    shop.says(32, "asked", 0, placement="home")
    among, alone = shop.both(3)
    assert [lines[-1][1] for _, _, lines in among] == ["won", "won", "won"]
    assert alone == among


def test_a_campaign_that_pauses_itself_between_two_who_hang_together_does_so_alone():
    shop = Shop()
    for number in range(6):
        shop.says(number, "visit", number)
    for number in (1, 4):
        shop.says(10, "visit", number, 9)  # a phone that both say is theirs; what is unique keeps them two
    shop.until(300)
    for number in range(6):
        among, alone = shop.both(number)
        assert alone == among, number
        assert [line[1] for _, _, lines in among for line in lines] == [["won"], ["paused"]][number > 1]


FAILING = PLAYBOOK.replace("thanks: {", "thanks: {failures: {share: 30%, of_at_least: 2}, ")


def test_a_pause_for_failures_tells_how_many_of_all_failed():
    shop = Shop(FAILING.replace("wait: 10 minutes, ", "").replace("mail: {}", "mail: {receipts: 5 hours}"))
    for number in range(4):
        shop.says(number, "order", number)
    for number in (0, 2):  # of four contacts: two are not less than 1.2
        shop.says(10 + number, "contact_failed", number, contact=number)
    shop.says(20, "order", 4)
    among, alone = shop.both(4)
    assert [lines for _, _, lines in among] == [[("thanks", "paused", "", "failures", 2, 2, None, None)]]
    assert alone == among
    shop.says(30, "campaign_resumed", campaign="thanks")
    shop.says(31, "contact_failed", 4, contact=4)  # the only one of a new run
    shop.says(32, "order", 4)
    among, alone = shop.both(4)
    assert [lines[0][1] for _, _, lines in among] == ["paused", "won", "failed", "won"]
    assert alone == among


def test_who_wants_when_others_have_had_all_contacts_of_a_run_is_told_how_many_those_were():
    shop = Shop(PLAYBOOK.replace("thanks: {", "thanks: {at_most: 2, ").replace("wait: 10 minutes, ", ""))
    for number in range(4):
        shop.says(number, "order", number)
    among, alone = shop.both(3)
    assert among[-1][2] == [("thanks", "paused", "", "campaign", 2, 2, None, None)]
    assert alone == among


DESK = """
playbook: desk
identifiers: {email: {unique: true}}
events: {hello: {}, asked_us: {}, order: {}, paid: {}, talked: {}}
campaigns:
  welcome: {class: sales, priority: 50, when: event hello, send: [mail]}
  advice: {class: sales, priority: 90, when: event asked_us, send: [visit], valid_for: 3 days}
  either: {class: sales, priority: 90, when: event paid, send: [visit, mail], valid_for: 3 days}
  thanks: {class: service, priority: 10, when: event order, send: [push]}
policies: {classes: {service: {}, sales: {}}, gap: 4 hours, exempt: {service: [gap]}}
resources: {desk: {capacity: 1 per hour}}
channels: {mail: {}, push: {}, visit: {uses: desk, receipts: 2 hours}}
"""


def test_whom_others_left_no_room_is_told_until_when():
    shop = Shop(DESK)
    for number in range(4):
        shop.says(number, "asked_us", number)
    shop.until(600)
    for number in range(4):
        among, alone = shop.both(number)
        assert alone == among, number
    assert [lines[0][1:5] for _, _, lines in among] == [
        ("no_capacity", "visit", "resources.desk", 1),
        ("won", "visit", "", None),
    ]
    assert [time - MONDAY for time, _, _ in among] == [timedelta(minutes=3), timedelta(hours=3)]


def test_a_place_that_another_gave_back_is_had_at_that_instant():
    shop = Shop(DESK)
    for number in range(3):
        shop.says(number, "asked_us", number)
    shop.says(20, "contact_failed", 0, contact=0)  # number 1 comes next
    shop.until(40)
    for number in range(3):
        among, alone = shop.both(number)
        assert alone == among, number
    among, _ = shop.both(1)
    assert [(time - MONDAY, lines[0][1]) for time, _, lines in among][1] == (timedelta(minutes=20), "won")


def test_two_who_are_called_in_turn_at_one_instant_and_become_one_are_decided_in_that_order():
    text = DESK.replace("1 per hour", "2 per hour").replace("[visit, mail]", "[visit]")
    text = text.replace("event asked_us,", "event asked_us, until: talked,")
    shop = Shop(text.replace("{unique: true}}", "{unique: true}, phone: {}}"))
    shop.engine.ingest([{"type": "talked", "identifiers": {"phone": "7"}}], time=MONDAY)
    for minute, number in enumerate((1, 2, 3, 4, 5, 1, 6), 1):
        shop.says(minute, "asked_us" if minute > 1 else "talked", number)
    shop.engine.ingest([{"type": "paid", "identifiers": {"phone": "7"}}], time=MONDAY + timedelta(minutes=8))
    for number in (4, 5, 6):
        shop.says(20, "talked", number)
    shop.says(61, "order", 1)
    called = [each for each in shop.engine.decisions() if each.time == MONDAY + timedelta(hours=1)]
    assert [(each.customer, each.lines[0].reason) for each in called] == [(1, "won"), (0, "won")]  # by their turns
    shop.says(400, "order", 1, 7)
    among, alone = shop.both(0)
    assert alone == among


def test_a_run_that_begins_and_comes_to_its_limit_in_one_instant_tells_how_many_had_it():
    shop = Shop(PLAYBOOK.replace("wait: 1 hour, at_most: 2", "at_most: 2, wait: 0s"))
    for number in range(4):
        shop.says(number, "visit", number)
    shop.until(600)
    for number in range(4):
        among, alone = shop.both(number)
        assert alone == among, number
    assert among[-1][2] == [("spring", "paused", "", "campaign", 2, 2, None, None)]


def test_why_not_names_a_resource_that_was_short_and_what_is_not_recorded_of_it():
    shop = Shop(
        DESK.replace("policies: {", "policies: {suppress: [{stop: [sales], while: in_talks}], ").replace(
            "campaigns:", "facts: {in_talks: {opens: talked, lasts: 1 hour}}\ncampaigns:"
        )
    )
    for number in range(2):
        shop.says(number, "asked_us", number)
    short = shop.engine.why_not({"email": "1"}, "advice", language="en")
    assert [obstacle.rule for obstacle in short.obstacles] == ["resources.desk"]
    assert [(change.kind, change.name) for change in short.changes if change.kind != "wait"] == [
        ("resource", "resources.desk")
    ]
    assert short.smallest
    shop.says(3, "talked", 2)
    shop.says(4, "asked_us", 2)
    silent = shop.engine.why_not({"email": "2"}, "advice", language="en")
    assert [change.name for change in silent.changes] == ["time", "in_talks", "policies.suppress[0]"]
    assert "resources.desk" in silent.caution  # among all it would have been stopped by that


def test_what_hangs_on_a_turn_that_is_not_recorded_is_told_as_it_was_recorded_and_nothing_is_tried():
    shop = Shop(DESK.replace("gap: 4 hours", "gap: 4 hours, look_ahead: 6 hours"))
    shop.says(0, "asked_us", 0)  # has the desk until ten
    shop.says(1, "hello", 1)
    shop.says(10, "paid", 1)  # by mail not before one o'clock; by a visit at ten, which nobody sees
    shop.says(20, "order", 1)
    among, alone = shop.both(1)
    assert [lines[-1][:2] for _, _, lines in among] == [("welcome", "won"), ("either", "gap"), ("thanks", "won")]
    assert alone[2][2] == [("thanks", "kept_for", *alone[2][2][0][2:])]
    found = shop.engine.why_not({"email": "1"}, "thanks", language="en")
    assert found.caution
    assert not found.obstacles  # as it was recorded it won
    assert not found.changes


def test_a_round_that_is_told_of_does_not_hurry_who_waits_for_a_contact_to_be_seen():
    """Decided otherwise, without the `if`, the wish went out an hour before, and is watched when the round comes."""
    unseen = "if: event.amount > 40, if_unseen: {after: 2 hours, next: [push]}"
    text = DESK.replace("asked_us: {}", "asked_us: {fields: {amount: number}}").replace("valid_for: 3 days", unseen, 1)
    text = text.replace(", receipts: 2 hours", "")
    shop = Shop(text)
    shop.says(0, "asked_us", 0, amount=20)
    shop.says(60, "asked_us", 0, amount=70)
    shop.engine._writer.flush()
    alone = Alone(shop.engine._journal, shop.engine._writer.fold, 0)
    made = alone.decisions(lambda compiled: what_if.without_conditions(compiled.program, 1))
    assert [(each.time, line.reason) for each in made for line in each.lines] == [(MONDAY, "won")]
