"""The public names are those that docs/public-api.txt lists."""

import runpy
from pathlib import Path

HERE = Path(__file__).parent


def test_public_names_and_signatures_are_those_on_record():
    found = runpy.run_path(str(HERE / "public_api.py"))["listing"]()
    recorded = (HERE.parents[1] / "docs" / "public-api.txt").read_text(encoding="utf-8")
    message = "the public names changed. If that is meant, run `make api` and add a changelog fragment"
    assert found.splitlines() == recorded.splitlines(), message
