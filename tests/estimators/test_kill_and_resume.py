"""Trainings that are killed go on to the same bits: `make kill` says more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

if hasattr(os, "fork"):

    @pytest.mark.parametrize("trials", [1, pytest.param(20, marks=pytest.mark.slow)])
    def test_killed_trainings_resume_to_the_same_bits(trials):
        script = Path(__file__).with_name("kill_and_resume.py")
        done = subprocess.run([sys.executable, script, "--trials", str(trials)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count(f"{trials} of {trials} equal to the bit") == 3
