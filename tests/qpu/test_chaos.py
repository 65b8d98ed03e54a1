"""A training through faults and kills: `chaos.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":  # which has no SIGKILL

    @pytest.mark.parametrize(
        ("jobs", "kills"), [(20, 1), pytest.param(300, 10, marks=pytest.mark.slow)], ids=["quick", "full"]
    )
    def test_no_job_is_lost_or_paid_twice(jobs, kills):
        script = Path(__file__).with_name("chaos.py")
        run = subprocess.run(
            [sys.executable, script, "--jobs", str(jobs), "--kills", str(kills)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert f"{kills} kills" in run.stdout
        assert "answered, accepted and billed once" in run.stdout
