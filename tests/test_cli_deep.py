"""`onevoice check --deep`: what is dead on standard error, as records in the answer, as an exit code; no engine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from onevoice.playbook.deep.finding import Because, Finding
from tests.playbook.deep_cases import cases

WARNED_OF_NOTHING = """
playbook: one
identifiers: {email: {format: email}}
traits: {age: number}
events: {visited: {}}
campaigns:
  hello: {class: sales, when: event visited, if: age < 5 and age > 6, send: [email], valid_for: 1 day}
policies:
  classes: {sales: {}}
  caps:
    - {max: 1, per: day}
"""
WARNED_OF_BOTH = WARNED_OF_NOTHING.replace(
    "  hello:",
    """  first: {class: sales, when: event visited, send: [email]}
  hello:""",
).replace("policies:", "  last: {class: sales, when: event visited, send: [email]}\npolicies:")
TELECOM = Path(__file__).parents[1] / "examples" / "telecom"


@pytest.fixture
def dead(tmp_path):
    """A folder with a playbook in which one campaign is dead."""
    case = next(each for each in cases() if each.name == "segment_that_excludes_it")
    for name, content in case.dead.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_what_is_dead_is_told_only_where_it_is_asked_for(call, dead):
    assert "never fires: " not in call("check", dead)[2]
    code, out, err = call("check", dead, "--deep")
    assert (code, out.startswith("cases ")) == (0, True)
    told = err[err.index("never fires: ") :].splitlines()
    assert told[0] == "never fires: case.yaml:4:3 campaigns.dead: nobody can meet its conditions"
    assert [line.startswith("  ") for line in told[1:5]] == [True] * 4


def test_what_is_dead_and_what_is_unwise_is_one_list_in_the_order_of_the_file(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text(WARNED_OF_BOTH, "utf-8")
    _, _, err = call("check", tmp_path, "--deep")
    told = [line.partition(" campaigns.")[0] for line in err.splitlines() if not line.startswith("  ")]
    assert told[-3:] == [
        "warning: playbook.yaml:7:3",
        "never fires: playbook.yaml:8:3",
        "warning: playbook.yaml:9:3",
    ]


def test_strict_counts_what_is_dead(call, tmp_path):
    (tmp_path / "playbook.yaml").write_text(WARNED_OF_NOTHING, "utf-8")
    assert call("check", tmp_path, "--strict")[0] == 0
    assert call("check", tmp_path, "--deep")[0] == 0
    assert call("check", tmp_path, "--deep", "--strict")[0] == 1


def test_as_json_findings_are_records(call, dead):
    _, out, err = call("check", dead, "--deep", "--json")
    told = json.loads(out)
    (record,) = told["dead"]
    finding = Finding(**record | {"because": tuple(Because(**each) for each in record["because"])})
    assert f"{finding.claim}: {finding.where}: nobody can meet its conditions" in err
    assert (finding.claim, finding.path, told["undecided"]) == ("never fires", "campaigns.dead", 0)
    assert "dead" not in json.loads(call("check", dead, "--json")[1])


def test_a_living_playbook_has_nothing_dead(call):
    code, _, err = call("check", TELECOM, "--deep")
    assert (code, "never " in err) == (0, False)


def test_proofs_need_no_engine():
    code = f"""
import sys
from onevoice import cli
try:
    cli.main(["check", {str(TELECOM)!r}, "--deep"])
except SystemExit as end:
    assert not end.code
print(*sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"numpy", "numba", "pyarrow", "duckdb"} & set(found[-1].split()) == set()
