"""Files taken in by a mapping go through the same door as files of events: once each, and on from where they ended."""

from __future__ import annotations

import random
from contextlib import suppress

import pyarrow as pa
import pytest

from onevoice.errors import EventError, MappingError
from onevoice.playbook.model import Aggregate, EventMatch, EventType, FieldType, Identifier, Measure, Playbook
from onevoice.runtime.form import FOLDER

from .cases import opened

PLAYBOOK = Playbook(
    "shop",
    identifiers={"user_id": Identifier("user_id"), "email": Identifier("email", "email")},
    events={"bought": EventType("bought", {"amount": FieldType.NUMBER, "shop": FieldType.CHOICE})},
    measures={"spent": Measure("spent", Aggregate.SUM, EventMatch("bought"), "amount")},
)
MAPPING = """
time: {column: at}
columns: {amount: number}
duplicates: drop
identifiers: {user_id: who, email: email}
events: [{type: bought, fields: {amount: amount, shop: shop}}]
"""
HEAD = "at,who,email,amount,shop\n"


class StoppedError(Exception):
    pass


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING)
    return path


def lines(count):
    """In no order of time, with a line without a customer and a repeated one in each dozen."""
    for n in range(count):
        told = n - (n % 12 == 7)  # what the line before told
        who = "" if n % 12 == 5 else "ada"
        yield f"2026-01-01T00:{told * 7 % 60:02d}:00Z,{who},,{told}.5,x\n"


def written(folder, count=120, name="sales.csv"):
    path = folder / name
    path.write_text(HEAD + "".join(lines(count)))
    return path


def spent(engine):
    return engine.state({"user_id": "ada"}).measures["spent"]


EXPECTED = sum(n + 0.5 for n in range(120) if n % 12 not in {5, 7})


@pytest.mark.parametrize("seed", range(4))
def test_a_file_that_was_begun_is_gone_on_with_whatever_the_size_of_its_pieces(seed, mapping, tmp_path):
    file = written(tmp_path)
    dice = random.Random(seed)
    for _ in range(4):
        engine = opened(PLAYBOOK, tmp_path / "data", piece_lines=dice.randint(1, 40))

        def stop(done):
            if dice.random() < 0.4:
                raise StoppedError

        with suppress(StoppedError):
            engine.run([file], stop, mapping=mapping)
        engine.close()
    engine = opened(PLAYBOOK, tmp_path / "data")
    engine.run([file], mapping=mapping)
    assert (engine.position, spent(engine)) == (100, EXPECTED)
    assert engine.run([file], mapping=mapping).lines == 0
    assert not (tmp_path / "data" / FOLDER).exists()
    engine.close()


def test_a_summary_comes_with_the_answer_and_is_of_the_whole_file(mapping, tmp_path):
    engine = opened(PLAYBOOK, piece_lines=10)

    def stop(done):
        raise StoppedError

    with pytest.raises(StoppedError):
        engine.run([written(tmp_path)], stop, mapping=mapping)
    answer = engine.run([tmp_path / "sales.csv"], mapping=mapping)
    (summary,) = answer.summaries
    assert answer.lines < 100
    assert (summary.lines, summary.used, summary.duplicates.count) == (120, 100, 10)
    assert {reason: count.count for reason, count in summary.aside.items()} == {"no identifier": 10}


def test_the_same_file_under_another_mapping_is_refused(mapping, tmp_path):
    engine = opened(PLAYBOOK)
    engine.run([written(tmp_path)], mapping=mapping)
    mapping.write_text("# the same, said otherwise\n" + MAPPING.replace("amount: number", "'amount':   number"))
    assert engine.run([tmp_path / "sales.csv"], mapping=mapping).lines == 0
    mapping.write_text(MAPPING.replace("duplicates: drop", "duplicates: keep"))
    with pytest.raises(EventError, match=r"sales\.csv: the file was taken whole under another mapping, or none"):
        engine.run([tmp_path / "sales.csv"], mapping=mapping)
    assert engine.position == 100


def test_a_mapping_or_a_file_that_changed_in_between_is_noticed(mapping, tmp_path):
    def stop(done):
        raise StoppedError

    engine = opened(PLAYBOOK, piece_lines=10)
    file = written(tmp_path)
    with pytest.raises(StoppedError):
        engine.run([file], stop, mapping=mapping)
    mapping.write_text(MAPPING.replace("drop", "keep"))
    with pytest.raises(EventError, match=r"the file was begun \(\d+ events are taken\) under another mapping"):
        engine.run([file], mapping=mapping)
    mapping.write_text(MAPPING)
    written(tmp_path, 121)
    with pytest.raises(EventError, match=r"the file was begun \(\d+ events are taken\) and has changed since"):
        engine.run([file], mapping=mapping)


def test_an_event_that_the_engine_rejects_is_told_with_its_line(mapping, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(
        HEAD
        + "2026-01-01T10:00:00Z,ada,,1,x\n"
        + f"2026-01-01T09:00:00Z,ada,,1,{'x' * 300}\n"
        + "2199-01-01T09:00:00Z,ada,,1,x\n"
        + "2026-01-01T08:00:00Z,ada,,1,x\n"
    )
    told = []
    answer = opened(PLAYBOOK).run([path], mapping=mapping, on_rejected=told.append)
    assert answer.rejected == told
    assert (answer.lines, answer.rejected_count) == (4, 2)
    assert [mistake.where for mistake in told] == [f"{path} line 3: $.fields.shop", f"{path} line 4: $.time"]


def test_lines_aside_stay_when_their_file_is_passed_over(mapping, tmp_path):
    aside = tmp_path / "aside.ndjson"
    engine = opened(PLAYBOOK)
    engine.run([written(tmp_path)], mapping=mapping, aside=aside)
    engine.run([tmp_path / "sales.csv", written(tmp_path, 13, "more.csv")], mapping=mapping, aside=aside)
    kept = aside.read_text().splitlines()
    assert sum("sales.csv" in line for line in kept) == 10
    assert sum("more.csv" in line for line in kept) == 1


def test_lines_aside_need_a_mapping(tmp_path):
    with pytest.raises(EventError, match="a place for lines kept aside, and no mapping"):
        opened(PLAYBOOK).run([], aside=tmp_path / "aside.ndjson")


def test_a_mapping_that_does_not_fit_takes_nothing(mapping, tmp_path):
    engine = opened(PLAYBOOK, tmp_path / "data")
    (tmp_path / "sales.csv").write_text("when,who\n")
    with pytest.raises(MappingError, match=r"mapping\.yaml:2:16 time\.column: no such column"):
        engine.run([tmp_path / "sales.csv"], mapping=mapping)
    assert engine.position == 0
    assert not (tmp_path / "data" / FOLDER).exists()
    engine.close()


def test_what_a_killed_import_left_is_cleared_away(mapping, tmp_path):
    left = tmp_path / "data" / FOLDER
    left.mkdir(parents=True)
    (left / "lines.duckdb").write_text("torn")
    engine = opened(PLAYBOOK, tmp_path / "data")
    assert engine.run([written(tmp_path)], mapping=mapping).lines == 100
    engine.close()
    assert not left.exists()


def test_a_reader_of_batches_is_a_form_of_events():
    table = pa.table(
        {
            "type": ["bought"] * 3,
            "time": pa.array([1, 2, 3], pa.timestamp("us", "UTC")),
            "identifiers.user_id": ["ada"] * 3,
            "fields.amount": [1.0, 2.0, 3.0],
        }
    )
    engine = opened(PLAYBOOK)
    assert engine.ingest(table.to_reader(2), imported=True).lines == 3
    assert spent(engine) == 6
