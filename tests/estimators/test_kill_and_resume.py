"""Trainings that are killed go on to the same bits: `make kill` says more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

if hasattr(os, "fork"):

    @pytest.mark.slow
    def test_killed_trainings_resume_to_the_same_bits():
        script = Path(__file__).with_name("kill_and_resume.py")
        done = subprocess.run([sys.executable, script, "--trials", "20"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("20 of 20 equal to the bit") == 3
