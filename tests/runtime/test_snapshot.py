"""A snapshot is whole or not there; a damaged one is named and passed over."""

import os
import random
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from onevoice.errors import SnapshotError
from onevoice.runtime import faults, snapshot
from onevoice.runtime.snapshot import load, load_newest, save


def state(seed, rows=1_000):
    draw = np.random.default_rng(seed)
    return {
        "customers": draw.integers(-(2**63), 2**63 - 1, (rows, 7)),
        "sums": np.where(draw.random((rows, 3)) < 0.2, np.nan, draw.random((rows, 3))),
        "bits": draw.random(rows * 2) < 0.5,
        "codes": draw.integers(0, 255, (rows, 3), dtype=np.uint8),
        "none": np.empty((0, 5), np.int64),
        "one": np.asarray(42, np.int32),
        "names": np.array(["anna", "jonas", "žydrė"]),
    }


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(found[name], array)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("chunk_bytes", [64, 1_000, 8 * 1024 * 1024])
def test_it_gives_back_what_was_saved(tmp_path, monkeypatch, chunk_bytes):
    monkeypatch.setattr(snapshot, "_CHUNK_BYTES", chunk_bytes)
    header = {"position": 2**62, "playbook": "telecom", "secret": [1, 2.5, None, "ž"]}
    path = save(tmp_path / "new" / "folder", state(1), header)
    monkeypatch.undo()  # a file says how it was cut; who reads it need not know
    found, mistakes = load_newest(tmp_path / "new" / "folder")
    assert mistakes == []
    assert (found.header, found.path) == (header, path)
    assert_same(found.arrays, state(1))


def test_loaded_arrays_can_be_written_and_lie_in_order(tmp_path):
    save(tmp_path, {"turned": np.arange(12).reshape(3, 4).T, "big": np.arange(3, dtype=">i8")}, {"position": 0})
    arrays = load_newest(tmp_path)[0].arrays
    assert arrays["turned"].tolist() == np.arange(12).reshape(3, 4).T.tolist()
    assert arrays["turned"].flags.c_contiguous
    assert arrays["big"].dtype == np.dtype("<i8")
    arrays["turned"][0, 0] = 7


def test_an_empty_folder_has_none(tmp_path):
    assert load_newest(tmp_path) == (None, [])
    assert load_newest(tmp_path / "missing") == (None, [])


def test_arrays_begin_at_multiples_of_64_bytes(tmp_path):
    path = save(tmp_path, {"a": np.full(3, 0x41, np.uint8), "b": np.full(100, 0x42, np.uint8)}, {"position": 0})
    raw = path.read_bytes()
    assert (raw.index(b"AAA"), raw.index(b"B" * 100)) == (64, 128)


def test_the_newest_two_stay(tmp_path):
    for position in (5, 10, 900, 1_000):
        save(tmp_path, state(position, 10), {"position": position})
    assert names(tmp_path) == ["state-0000000000000000900.snapshot", "state-0000000000000001000.snapshot"]
    assert load_newest(tmp_path)[0].header == {"position": 1_000}
    assert load_newest(tmp_path, at_most=999)[0].header == {"position": 900}
    assert load_newest(tmp_path, at_most=899) == (None, [])


def test_what_lies_beyond_a_journal_that_was_cut_back_goes(tmp_path):
    for position in (10, 20, 15):
        save(tmp_path, state(1, 10), {"position": position})
    assert names(tmp_path) == ["state-0000000000000000010.snapshot", "state-0000000000000000015.snapshot"]


def test_saving_again_at_one_position_replaces(tmp_path):
    save(tmp_path, state(1), {"position": 3})
    save(tmp_path, state(2), {"position": 3})
    assert len(names(tmp_path)) == 1
    assert_same(load_newest(tmp_path)[0].arrays, state(2))


def test_a_damaged_one_is_named_and_the_older_is_taken(tmp_path):
    save(tmp_path, state(1), {"position": 1})
    path = save(tmp_path, state(2), {"position": 2})
    raw = bytearray(path.read_bytes())
    raw[1_000] ^= 1
    path.write_bytes(raw)
    found, mistakes = load_newest(tmp_path)
    assert found.header == {"position": 1}
    assert_same(found.arrays, state(1))
    assert [(mistake.what, mistake.where) for mistake in mistakes] == [("array 'customers' is damaged", str(path))]
    assert mistakes[0].mend == "an older snapshot and the journal replace it"


def test_a_bit_flipped_anywhere_is_found_or_lies_between_the_arrays(tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    draw = random.Random(seed)
    path = save(tmp_path, state(1, 20), {"position": 1})
    raw = path.read_bytes()
    found = 0
    for offset in draw.sample(range(len(raw)), 300):
        path.write_bytes(raw[:offset] + bytes([raw[offset] ^ 1 << draw.randrange(8)]) + raw[offset + 1 :])
        try:
            assert_same(load(path).arrays, state(1, 20))
        except SnapshotError:
            found += 1
    assert found > 200


def test_a_file_cut_anywhere_is_found(tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    path = save(tmp_path, state(1, 20), {"position": 1})
    size = path.stat().st_size
    for length in sorted([0, 1, 64, size - 1, *random.Random(seed).sample(range(size), 50)], reverse=True):
        os.truncate(path, length)
        with pytest.raises(SnapshotError, match=r"state-0000000000000000001\.snapshot: "):
            load(path)


def test_a_file_of_another_format_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "FORMAT", 2)
    save(tmp_path, state(1), {"position": 1})
    monkeypatch.undo()
    found, mistakes = load_newest(tmp_path)
    assert found is None
    assert "the snapshot is of another format; expected 1; found 2" in str(mistakes[0])


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError, match=r"the snapshot was not written; .*see that the folder may be written"):
        save(tmp_path / "file", state(1), {"position": 1})


def test_a_full_disk_leaves_the_older_snapshot_and_no_litter(tmp_path):
    """The limit on the size of a file is the same to the writer as a disk that is full."""
    save(tmp_path, state(1), {"position": 1})
    code = f"""if True:
        import resource, signal
        import numpy as np
        from onevoice.errors import SnapshotError
        from onevoice.runtime.snapshot import save
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            save({str(tmp_path)!r}, {{"large": np.zeros(1_000_000)}}, {{"position": 2}})
        except SnapshotError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the snapshot was not written; found [Errno 27] File too large" in done.stdout
    assert names(tmp_path) == ["state-0000000000000000001.snapshot"]
    assert_same(load_newest(tmp_path)[0].arrays, state(1))


@pytest.mark.parametrize("crash_at", ["in_snapshot:2", "before_rename:2"])
def test_a_kill_while_saving_leaves_the_one_before(tmp_path, crash_at):
    code = f"""if True:
        import numpy as np
        from onevoice.runtime.snapshot import save
        for position in (1, 2, 3):
            save({str(tmp_path)!r}, {{"a": np.full(5_000_000, position)}}, {{"position": position}})
    """
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ, faults.VARIABLE: crash_at}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path) == ["state-0000000000000000001.snapshot", "state-0000000000000000002.part"]
    found, mistakes = load_newest(tmp_path)
    assert (found.header, mistakes) == ({"position": 1}, [])
    assert (found.arrays["a"] == 1).all()
    shutil.copytree(tmp_path, tmp_path / "copy")
    save(tmp_path / "copy", state(2), {"position": 2})
    assert names(tmp_path / "copy") == ["state-0000000000000000001.snapshot", "state-0000000000000000002.snapshot"]
