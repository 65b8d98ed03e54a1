# Each target sets up what it needs, in .venv or an environment of its own. `make help` lists them.
ifeq ($(OS),Windows_NT)
PYTHON ?= python
SCRIPTS := Scripts
else
PYTHON ?= python3
SCRIPTS := bin
endif
VENV := .venv
BIN := $(VENV)/$(SCRIPTS)
STAMPS := $(VENV)/.stamps
# Windows would read the sources in its own code page
export PYTHONUTF8 := 1
DEFINITION := pyproject.toml setup.cfg
# tests on all cores
ABREAST := -n auto --maxprocesses=8 --dist=worksteal

.PHONY: help optdigits optdigits-all benchmark evidence evidence-learners evidence-dynamics evidence-qpu evidence-benchmark speed speed-learners speed-dynamics speed-qpu test test-slow kill chaos test-lowest test-newest test-interop test-wheel dist lint api docs changelog env clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

optdigits: $(STAMPS)/main  ## train on OptDigits, embedded in a processor's graph, and write the report
	$(BIN)/annealnn optdigits $(ARGS)

benchmark: $(STAMPS)/standin  ## a processor against simulated annealing, a SIMULATED one unless ARGS="--profile NAME" (3 minutes)
	$(BIN)/annealnn benchmark run $(ARGS)

evidence: $(STAMPS)/main  ## measure every figure of docs/results.md (a minute or two)
	$(BIN)/python -m annealnn.experiments.evidence

evidence-learners: $(STAMPS)/main  ## measure machines with hidden units and quantum ones against their targets (10 minutes)
	$(BIN)/python -m annealnn.experiments.learners
	$(BIN)/python -m annealnn.experiments.quantum

evidence-dynamics: $(STAMPS)/dynamics  ## measure coherent and open annealing against their targets (a few minutes); ARGS=--quick
	$(BIN)/python -m annealnn.experiments.dynamics $(ARGS)

evidence-qpu: $(STAMPS)/standin  ## measure the way to a processor on a SIMULATED one against its targets (3 minutes); ARGS=--quick
	$(BIN)/python -m annealnn.experiments.qpu $(ARGS)

evidence-benchmark: $(STAMPS)/main  ## measure the benchmark against known truths and pitfalls (15 minutes); ARGS=--quick
	$(BIN)/python -m annealnn.experiments.benchmark $(ARGS)

optdigits-all: $(STAMPS)/main .venv-rbms/.stamp  ## every machine and two rivals on all ten digits (half an hour); ARGS=--resume goes on
	$(BIN)/annealnn optdigits --all --rbms-python .venv-rbms/$(SCRIPTS)/python $(ARGS)

speed: .venv-speed/.stamp .venv-peers/.stamp  ## our samplers and the peers' side by side (about 8 minutes); ARGS=--quick tries them
	.venv-speed/$(SCRIPTS)/python speed/samplers.py $(ARGS)

speed-learners: .venv-speed/.stamp  ## the same of our learners (about 3 minutes)
	.venv-speed/$(SCRIPTS)/python speed/learners.py $(ARGS)

speed-dynamics: .venv-speed/.stamp  ## coherent anneals, ours and QuTiP's (about 3 minutes)
	.venv-speed/$(SCRIPTS)/python speed/dynamics.py $(ARGS)

speed-qpu: $(STAMPS)/main  ## the reading of a processor's answers, ours and D-Wave's client's (half a minute)
	$(BIN)/python speed/qpu.py $(ARGS)

test: $(STAMPS)/test  ## run the test suite, then the kernels once more as plain Python
	$(BIN)/python -m pytest $(ABREAST)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q $(ABREAST) tests/kernels

test-slow: $(STAMPS)/test  ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow

kill: $(STAMPS)/test  ## kill trainings (SIGKILL) at random moments, resume them, compare with unbroken ones; ARGS="--trials 100"
	$(BIN)/python tests/estimators/kill_and_resume.py $(ARGS)

chaos: $(STAMPS)/test  ## train through faults of a simulated processor and kills (SIGKILL); ARGS="--seed 1"
	$(BIN)/python tests/qpu/chaos.py $(ARGS)

# An old release of a library warns of what newer releases of its own dependencies deprecate: no error there.
test-lowest: RESOLUTION := lowest-direct
test-lowest:  ## run the test suite on the oldest releases that pyproject.toml allows
	$(call resolve,.venv-lowest)
	.venv-lowest/$(SCRIPTS)/python -m pytest $(ABREAST) -W default::DeprecationWarning

test-newest: RESOLUTION := highest
test-newest:  ## run the test suite on the newest releases
	$(call resolve,.venv-newest)
	.venv-newest/$(SCRIPTS)/python -m pytest $(ABREAST)

test-interop: .venv-interop/.stamp  ## compare with machines and contestants of other libraries, which bring PyTorch
	.venv-interop/$(SCRIPTS)/python -m pytest tests/interop/graph_rbm.py tests/interop/device.py
	.venv-interop/$(SCRIPTS)/python -m pytest tests/benchmark/contestants/test_contestants.py -k openjij

test-wheel: $(if $(WHEEL),,dist)  ## install the wheel away from the checkout and try it; WHEEL=path tries that file
	$(PYTHON) tests/packaging/try_wheel.py $(or $(WHEEL),dist/*.whl)

dist: .venv-dist/.stamp  ## build the sdist, from it the wheel, and check both
	rm -rf dist
	.venv-dist/$(SCRIPTS)/python -m build
	.venv-dist/$(SCRIPTS)/check-wheel-contents --toplevel annealnn dist/*.whl
	.venv-dist/$(SCRIPTS)/twine check --strict dist/*

lint: $(STAMPS)/lint  ## style, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/typing/mypy.ini tests/typing
	$(BIN)/lint-imports

api: $(STAMPS)/test  ## write docs/public-api.txt, the list of public names that the tests compare with
	$(BIN)/python tests/packaging/public_api.py > docs/public-api.txt

docs: $(STAMPS)/docs  ## build the documentation, its tutorials run, into docs/build/html
	rm -rf docs/generated/api && mkdir -p docs/generated
	$(BIN)/towncrier build --draft --version Unreleased > docs/generated/unreleased.md
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky -d docs/build/doctrees docs docs/build/html

changelog: $(STAMPS)/docs  ## move the fragments of changelog.d into CHANGELOG.md: make changelog VERSION=0.1.0
	$(BIN)/towncrier build --yes --version $(or $(VERSION),$(error say which: make changelog VERSION=0.1.0))

env: $(STAMPS)/test $(STAMPS)/lint $(STAMPS)/docs  ## build the environment with every extra, run nothing

clean:  ## remove the environments and what was built
	rm -rf $(VENV) .venv-dist .venv-interop .venv-lowest .venv-newest .venv-peers .venv-rbms .venv-speed build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache docs/build docs/generated

.venv-dist/.stamp:
	$(PYTHON) -m venv .venv-dist
	.venv-dist/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check build check-wheel-contents twine
	touch $@

.venv-interop/.stamp: tests/interop/requirements.txt $(DEFINITION)
	test -x .venv-interop/$(SCRIPTS)/python || $(PYTHON) -m venv .venv-interop
	.venv-interop/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --editable ".[standin]" --requirement $<
	touch $@

# the peers that may share a process with us
.venv-speed/.stamp: speed/requirements.txt $(DEFINITION)
	test -x .venv-speed/$(SCRIPTS)/python || $(PYTHON) -m venv .venv-speed
	.venv-speed/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --editable . --requirement $<
	touch $@

# those that bring PyTorch or JAX
.venv-peers/.stamp: speed/peers/requirements.txt
	test -x .venv-peers/$(SCRIPTS)/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# the rival of `optdigits --all` that needs PyTorch
.venv-rbms/.stamp: speed/peers/rbms.txt
	test -x .venv-rbms/$(SCRIPTS)/python || $(PYTHON) -m venv .venv-rbms
	.venv-rbms/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(STAMPS)/main: $(DEFINITION)
	$(call install,.)

$(STAMPS)/%: $(DEFINITION)
	$(call install,.[$*])

define install
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable "$(1)"
	mkdir -p $(STAMPS) && touch $@
endef

# compiled on installation, as pip does, so that other packages' syntax warnings are not met in our tests
define resolve
	test -x $(1)/$(SCRIPTS)/python || $(PYTHON) -m venv $(1)
	$(1)/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check uv
	$(1)/$(SCRIPTS)/python -m uv pip install --quiet --python $(1) --compile-bytecode --upgrade --resolution $(RESOLUTION) --editable ".[test]"
endef
