"""Each kind of single change that `why_not` names is brought about, by events or in the playbook: then it goes out.

One unit less of it does not. One shop, by hand: a playbook with one campaign in question, and what happened.
"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

import onevoice
from onevoice.playbook.load import load_files

from .shop import ANN, MONDAY, asked, book, goes_out, order, shop, visit

# What the triggering event itself changes is known when the conditions are judged.


@pytest.mark.parametrize("seed", range(20))
def test_what_is_lacking_is_counted_from_behind_the_event_that_triggers(seed):
    draw = random.Random(seed)
    amounts = [draw.randint(1, 9_000) / 100 for _ in range(draw.randint(1, 4))]
    limit = round(sum(amounts) + draw.choice([0, 0.01, 5.5, 100]), 2)
    text = book(f"when: event order, if: spend > {limit}, send: [mail]")
    events = [order(hour, amount) for hour, amount in enumerate(amounts)]
    answer = asked(shop(text, *events))
    lacking = round(limit - sum(amounts) + 0.01, 2)
    assert answer.values == {"spend": f"{sum(amounts):.10g}"}, f"seed {seed}"
    assert answer.smallest.sentence.startswith(f"with {lacking:,.2f} more of spend: "), f"seed {seed}"
    last = len(amounts) - 1
    assert goes_out(shop(text, *events[:-1], order(last, round(amounts[-1] + lacking, 2)))), f"seed {seed}"
    assert not goes_out(shop(text, *events[:-1], order(last, round(amounts[-1] + lacking - 0.01, 2)))), f"seed {seed}"


def test_traits_that_come_with_the_triggering_event_are_known():
    text = book("when: event visit, if: n > 5 and agrees, send: [mail]")
    answer = asked(shop(text, visit(0, n=9, agrees=False)))
    assert answer.values == {"n": "9", "agrees": "false"}
    assert [each.sentence for each in answer.changes] == ["if agrees were true instead of false"]
    assert goes_out(shop(text, visit(0, n=9, agrees=True)))


def test_what_comes_after_the_wish_was_dropped_is_not_known_then():
    text = book("when: event visit, if: n > 5, send: [mail]")
    answer = asked(shop(text, visit(0, n=1), (1, "profile_updated", {}, {"n": 3})))
    assert answer.values == {"n": "1"}


def test_what_comes_until_a_round_is_known_to_it():
    text = book("when: event visit, if: n > 5, wait: 2 hours, send: [mail]")
    answer = asked(shop(text, visit(0, n=9), (1, "profile_updated", {}, {"n": 3}), until=5))
    assert answer.headline == "hello: no longer true: n > 5"


# A wish that waits.


@pytest.mark.parametrize("key", ["wait", "after"])
def test_a_wish_that_waits_says_until_when_and_goes_out_then(key):
    text = book(f"when: event visit, {key}: 2 hours, send: [mail]")
    answer = asked(shop(text, visit(0)))
    assert answer.headline == "hello waits, and is looked at on Mon 02 Mar 2026 11:00"
    assert [(each.kind, each.at) for each in answer.changes] == [("wait", MONDAY + timedelta(hours=2))]
    assert not goes_out(shop(text, visit(0), until=1.99))
    assert goes_out(shop(text, visit(0), until=2))


def test_a_wish_that_waits_says_what_will_be_in_its_way():
    rules = "suppress: [{stop: [sales], while: open_case}]"
    text = book("when: event visit, wait: 2 hours, send: [mail]", policies=rules)
    answer = asked(shop(text, visit(0), (1, "case_opened", {"case_id": "1"}, {})))
    assert answer.headline.startswith("hello waits")
    assert [(each.reason, each.rule) for each in answer.obstacles] == [("suppressed", "policies.suppress[0]")]
    assert answer.changes == ()


def test_a_second_wish_that_waits_is_told_and_not_the_first_that_went_out():
    text = book("when: event visit, wait: 2 hours, send: [mail]")
    answer = asked(shop(text, visit(0), visit(30)))
    assert answer.headline == "hello waits, and is looked at on Tue 03 Mar 2026 17:00"
    assert asked(shop(text, visit(0), visit(30), until=32)).headline.startswith("hello: goes out")


# Never triggered, or not in its days.


@pytest.mark.parametrize(
    ("when", "before", "enough", "one_less", "sentence"),
    [
        (
            "event order where event.amount > 10",
            order(0, 4),
            order(0, 10.01),
            order(0, 10),
            "with 6.01 more of order.amount: 10.01 instead of 4.00",
        ),
        (
            "event order where event.shop = 'Riga'",
            order(0, 4, shop="Kaunas"),
            order(0, 4, shop="Riga"),
            order(0, 4, shop="Kaunas"),
            "if order.shop were Riga instead of Kaunas",
        ),
        (
            "event order where event.gift",
            order(0, 4),
            order(0, 4, gift=True),
            order(0, 4, gift=False),
            "if order.gift were true instead of unknown",
        ),
    ],
)
def test_an_event_that_is_not_quite_what_is_waited_for(when, before, enough, one_less, sentence):
    text = book(f'when: "{when}", send: [mail]')
    answer = asked(shop(text, order(-1, 1), before, visit(3)))
    assert (answer.headline, answer.obstacles[0].sentence) == ("hello was never triggered", f"waits for {when}")
    assert [(each.kind, each.sentence) for each in answer.changes] == [("event", sentence)]
    assert goes_out(shop(text, enough))
    assert not goes_out(shop(text, one_less))


def test_a_segment_that_was_not_entered():
    text = book("when: segment entered regular, send: [mail], wait: 1 hour")
    answer = asked(shop(text, order(0, 56.8)))
    assert answer.obstacles[0].sentence == "waits until the customer enters segment regular: spend >= 100"
    assert answer.values == {"spend": "56.8"}
    assert [each.sentence for each in answer.changes] == ["with 43.20 more of spend: 100.00 instead of 56.80"]
    assert goes_out(shop(text, order(0, 56.8), order(1, 43.2), until=3))
    assert not goes_out(shop(text, order(0, 56.8), order(1, 43.19), until=3))


def test_a_segment_that_was_not_left():
    text = book("when: segment left regular, send: [mail]").replace("spend >= 100", "n > 5")
    answer = asked(shop(text, visit(0, n=9)))
    assert answer.values == {"n": "9"}
    assert [each.sentence for each in answer.changes] == ["with 4.00 less of n: 5.00 instead of 9.00"]
    assert goes_out(shop(text, visit(0, n=9), (1, "profile_updated", {}, {"n": 5})))
    assert not goes_out(shop(text, visit(0, n=9), (1, "profile_updated", {}, {"n": 5.01})))


@pytest.mark.parametrize(
    ("day", "sentence", "enough", "one_less"),
    [
        (
            "to: 2026-02-27",
            "if campaigns.hello.to were 2026-03-02 instead of 2026-02-27",
            "to: 2026-03-02",
            "to: 2026-03-01",
        ),
        (
            "from: 2026-03-06",
            "if campaigns.hello.from were 2026-03-04 instead of 2026-03-06",
            "from: 2026-03-04",
            "from: 2026-03-05",
        ),
    ],
)
def test_a_campaign_that_was_triggered_outside_of_its_days(day, sentence, enough, one_less):
    visits = [visit(0), visit(50)]
    answer = asked(shop(book(f"when: event visit, send: [mail], {day}"), *visits))
    assert answer.headline == "hello was triggered outside of its days"
    assert answer.obstacles[0].sentence == day
    assert [each.sentence for each in answer.changes] == [sentence]
    assert goes_out(shop(book(f"when: event visit, send: [mail], {enough}"), *visits))
    assert not goes_out(shop(book(f"when: event visit, send: [mail], {one_less}"), *visits))


# What held back a wish.


@pytest.mark.parametrize(
    ("purpose", "before"),
    [("consent_required: true", []), ("", [(0, "consent_withdrawn", {"channel": "mail"}, {})])],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_consent(purpose, before, is_known):
    text = book("when: event visit, send: [mail]", klass=purpose)
    before = [*before, order(0, 1)] if is_known else before
    answer = asked(shop(text, *before, visit(1)))
    assert [each.reason for each in answer.obstacles] == ["no_consent"]
    assert [each.sentence for each in answer.changes] == ["with consent to sales by mail"]
    given = (0.5, "consent_given", {"channel": "mail", "purpose": "sales"}, {})
    assert goes_out(shop(text, *before, given, visit(1)))


def test_an_address():
    text = book("when: event visit, send: [sms]")
    answer = asked(shop(text, visit(0)))
    assert [each.reason for each in answer.obstacles] == ["no_address"]
    assert [each.sentence for each in answer.changes] == ["if an identifier phone were known"]
    engine = shop(text)
    engine.ingest([{"type": "visit", "identifiers": ANN | {"phone": "+37060000001"}}], time=MONDAY)
    assert goes_out(engine)


def test_a_suppression_that_goes_on_for_a_while():
    def text(span):
        rule = f"suppress: [{{stop: [sales], while: open_case, then: {span}}}]"
        return book("when: event visit, send: [mail], valid_for: 30 days", policies=rule)

    events = [(0, "case_opened", {"case_id": "1"}, {}), (1, "case_closed", {"case_id": "1"}, {}), visit(6)]
    answer = asked(shop(text("1 day"), *events))
    assert [each.sentence for each in answer.changes] == [
        "if nothing else happens, it goes out on Tue 03 Mar 2026 10:00",
        "with policies.suppress[0].then of 5 hours instead of 1 day",
        "without policies.suppress[0]",
    ]
    assert goes_out(shop(text("300 minutes"), *events))
    assert not goes_out(shop(text("301 minutes"), *events))


def test_a_pause():
    text = book("when: event visit, send: [mail]")
    for scope in ({"campaign": "hello"}, {"class": "sales"}):
        paused = (0, "campaign_paused", scope, {})
        answer = asked(shop(text, paused, visit(1)))
        assert [each.reason for each in answer.obstacles] == ["paused"]
        assert [each.sentence for each in answer.changes] == ["without the pause"]
        assert goes_out(shop(text, paused, (0.5, "campaign_resumed", scope, {}), visit(1)))


def test_behind_a_pause_stands_what_comes_next():
    rules = "suppress: [{stop: [sales], while: open_case}]"
    text = book("when: event visit, send: [mail]", policies=rules)
    events = [(0, "campaign_paused", {"campaign": "hello"}, {}), (0, "case_opened", {"case_id": "1"}, {}), visit(1)]
    answer = asked(shop(text, *events))
    assert [each.reason for each in answer.obstacles] == ["paused", "suppressed"]
    assert answer.changes == ()


@pytest.mark.parametrize(
    ("own", "everywhere", "rule"),
    [
        (", holdout: 99.99999%", "", "campaigns.hello.holdout"),
        ("", "holdout: {share: 99.99999%, classes: [sales]}", "policies.holdout"),
    ],
)
def test_a_holdout(own, everywhere, rule):
    text = book(f"when: event visit, send: [mail]{own}", policies=everywhere)
    answer = asked(shop(text, visit(0)))
    assert [each.reason for each in answer.obstacles] == ["would_have_won"]
    assert [each.sentence for each in answer.changes] == [f"without {rule}"]
    assert goes_out(shop(book("when: event visit, send: [mail]"), visit(0)))


def test_fatigue():
    def shown(times):
        text = book(
            "when: asked, placements: [page]",
            more=f"placements: {{page: {{fatigue: {{times: {times}, pause: 7 days}}}}}}",
        )
        return shop(text, *((hours, "asked", {"placement": "page"}, {}) for hours in range(3)))

    answer = asked(shown(2))
    assert [each.reason for each in answer.obstacles] == ["fatigue"]
    assert [each.sentence for each in answer.changes] == ["if placements.page.fatigue.times were 3 instead of 2"]
    assert len([line for each in shown(3).decisions() for line in each.won]) == 3
    assert len([line for each in shown(2).decisions() for line in each.won]) == 2


# Other playbooks, and who became two.


def test_a_decision_is_told_by_the_playbook_that_made_it():
    engine = shop(book("when: event visit, if: n > 5, send: [mail]"), visit(0, n=3))
    engine.publish(load_files({"playbook.yaml": book("when: event visit, if: n > 50, send: [mail]").encode()}))
    answer = asked(engine)
    assert [each.sentence for each in answer.obstacles] == ["not true: n > 5"]
    assert answer.changes[0].needed == "5.01"
    assert engine.why_not(ANN, "hello", MONDAY - timedelta(hours=1)).headline == "hello was never triggered"


def test_a_playbook_that_takes_over_at_the_instant_of_a_decision_makes_it():
    engine = shop(book("when: event visit, if: n > 5, send: [mail]"), (0, "profile_updated", {}, {"n": 3}))
    engine.publish(load_files({"playbook.yaml": book("when: event visit, if: n > 50, send: [mail]").encode()}))
    engine.ingest([{"type": "visit", "identifiers": ANN}], time=MONDAY)
    assert asked(engine).changes[0].needed == "50.01"


def test_what_a_split_gives_to_somebody_waits_until_time_passes():
    """The e-mail's line is theirs now, and so is what waits for it; nothing is decided until something comes."""
    text = book("when: event visit, send: [mail], again_after: 30 days")
    engine = onevoice.open(load_files({"playbook.yaml": text.encode()}))
    phone = {"phone": "+37060000001"}
    for hours, identifiers in ((0, phone), (25, phone | ANN), (26, ANN)):
        engine.ingest([{"type": "visit", "identifiers": identifiers}], time=MONDAY + timedelta(hours=hours))
    engine.split(phone, ANN)
    assert list(engine.decisions(ANN)) == []
    assert asked(engine).headline == "hello waits, and is looked at on Tue 03 Mar 2026 11:00"
    engine.tick(MONDAY + timedelta(hours=27))
    assert asked(engine).headline.startswith("hello: goes out")
    assert [line.reason for each in engine.decisions(ANN) for line in each.lines] == ["won"]
