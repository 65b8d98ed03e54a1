# Each target sets up what it needs in .venv. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
DEFINITION := pyproject.toml setup.cfg

.PHONY: help optdigits evidence test test-slow lint env clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

optdigits: $(STAMPS)/main  ## train on OptDigits, embedded in a processor's graph, and write the report
	$(BIN)/annealnn optdigits $(ARGS)

evidence: $(STAMPS)/main  ## measure every figure that the README states about OptDigits (about 10 minutes)
	$(BIN)/python -m annealnn.experiments.evidence

test: $(STAMPS)/test  ## run the test suite
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(STAMPS)/test  ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: $(STAMPS)/lint  ## style, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

env: $(STAMPS)/test $(STAMPS)/lint  ## build the environment with every extra, run nothing

clean:  ## remove the environment and what was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(STAMPS)/main: $(DEFINITION)
	$(call install,.)

$(STAMPS)/%: $(DEFINITION)
	$(call install,.[$*])

define install
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable "$(1)"
	mkdir -p $(STAMPS) && touch $@
endef
