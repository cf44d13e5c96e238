"""The binary form of a row's header is fixed: a change of it would make every journal look damaged."""

from dataclasses import replace

import pytest

from onevoice.errors import JournalDamaged
from onevoice.journal.memory import MemoryJournal
from onevoice.journal.port import Kind, Meta, Mode, Row, genesis, seal

META = Meta(secret=bytes(range(16)), created_us=1_700_000_000_000_000, shard=3)
ROW = Row(
    Kind.EVENTS, 0, 2, 1_700_000_000_000_001, Mode.IMPORT | Mode.OBSERVE, b'{"type":"a"}\n{"type":"b"}\n', "ndjson"
)


def test_the_chain_is_what_it_was_when_format_1_was_fixed():
    sealed, head = seal(ROW, genesis(META), META, "journal")
    assert genesis(META).chain.hex() == "f30c87eae6c6d45f5de91db6ea44899b7189e9d63741da37a1192ed8ad7f5663"
    assert sealed.digest.hex() == "034ec6d866ff163c536491b49ca851b262a4e554f5ede8c9f02b369509f8269d"
    assert head.chain.hex() == "8895053ed4bb685339554e4b178470030dbbd2e23614c807dffd38f8ad2603a9"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.DECISIONS},
        {"position": 1},
        {"count": 3},
        {"stamp_us": 5},
        {"mode": Mode.LIVE},
        {"form": "arrow"},
        {"payload": b"{}\n"},
        {"digest": bytes(32)},
        {"chain": bytes(32)},
    ],
)
def test_no_part_of_a_row_can_change_unnoticed(change):
    journal = MemoryJournal(META)
    journal.append([ROW, replace(ROW, position=2)])
    first, second = journal.read()
    with pytest.raises(JournalDamaged, match="journal in memory row 1: "):
        MemoryJournal(META, [first, replace(second, **change)])


@pytest.mark.parametrize("change", [{"secret": bytes(16)}, {"created_us": 0}, {"shard": 4}])
def test_rows_belong_to_one_journal(change):
    journal = MemoryJournal(META)
    journal.append([ROW])
    with pytest.raises(JournalDamaged, match="row 0: the row breaks the chain"):
        MemoryJournal(replace(META, **change), journal.read())


def test_every_new_journal_has_a_secret_of_its_own():
    assert Meta.fresh().secret != Meta.fresh().secret
    assert len(Meta.fresh(shard=7).secret) == 16
    assert Meta.fresh(shard=7).shard == 7
