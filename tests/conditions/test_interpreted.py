"""The kernels give the same bits with the compiler off."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from tests.conditions.interpreted import outcome

SEED = int(os.environ.get("SEED", secrets.randbits(32)))
ROOT = Path(__file__).parents[2]


def test_compiled_and_interpreted_give_the_same_bits() -> None:
    print(f"seed {SEED}")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-m", "tests.conditions.interpreted", str(SEED)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == outcome(SEED), f"seed {SEED}"
