"""Every `make` target that the workflows and the documents name is in the Makefile."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMING = [
    path
    for pattern in (".github/workflows/*.yml", ".ci/run", "README.md", "CONTRIBUTING.md")
    for path in ROOT.glob(pattern)
]
TARGETS = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1].split())
# after `make` in code: its words, or the matrix that lists them
COMMANDS = re.compile(r"(?:`|\$ |run: |^)make((?: [a-z][a-z-]*)+)|^ +target: \[([a-z, -]+)\]", re.MULTILINE)


@pytest.mark.parametrize("path", NAMING, ids=lambda path: path.name)
def test_named_targets_exist(path):
    found = COMMANDS.findall(path.read_text("utf-8"))
    named = set(" ".join(words for pair in found for words in pair).replace(",", " ").split())
    assert named
    assert named <= TARGETS


def test_every_phony_target_has_its_line_of_help():
    helped = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert helped == TARGETS
