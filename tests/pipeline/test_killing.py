import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 1


@pytest.mark.slow
def test_kills_and_faults_change_nothing(tmp_path):
    """A kill at a random moment of every stage, and faults in writes, leave equal contents.

    `python -m tests.pipeline.killing FOLDER 5` kills more often.
    """
    args = [sys.executable, "-m", "tests.pipeline.killing", str(tmp_path), str(KILLS)]
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    out = subprocess.run(args, cwd=ROOT, env=env, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-3000:]
    result = json.loads(out.stdout.splitlines()[-1])
    assert result["killed"], result
    assert len(result["hit"]) >= 8
    assert sum(result["hit"].values()) >= KILLS * len(result["hit"]) // 2, result["hit"]
    assert all(code != 0 for code in result["struck"].values()), result["struck"]
    assert result["faulted"], result
