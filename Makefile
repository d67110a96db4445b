# Everything a contributor types.  `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
REPORT := $(VENV)/report.xml
REQUESTS := $(CURDIR)/$(VENV)/requests
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header --no-annotate
NO_CLUSTER := not control_plane and not simulated_nodes and not real_node
# operator/ must never shadow the standard library's operator; the root is named so that `tests` can be found.
export PYTHONSAFEPATH := 1
export PYTHONPATH := $(CURDIR)

.PHONY: help setup demo test test-fast check lint types layers bench rights budget contest format lock crds chart image docs release clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment from the lock file

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh -eu tests/cluster/venv-packages.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock # complete: nothing to resolve
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	@touch $@

demo: $(STAMP) ## Watch the main job on a real cluster, two minutes (ARGS=--keep leaves it up)
	@$(BIN)/python -m tests.demo $(ARGS)

test: check ## Everything: lint, types, layers, all tests, rights, budgets
	@rm -rf $(REQUESTS)
	PERIODICBUILD_REQUESTS=$(REQUESTS) $(BIN)/python -m tests.side_by_side $(REPORT)
	@$(BIN)/python -m tests.rights $(REQUESTS)
	@$(BIN)/python -m tests.budget
	@$(BIN)/python -m tests.summary "lint, types, layers, dependencies" $(REPORT).nodes $(REPORT).operator $(REPORT).others

test-fast: check ## What needs no cluster, in a minute and a half
	$(BIN)/python -m pytest -q tests/unit -m "$(NO_CLUSTER)" --cov --cov-report=term:skip-covered --junit-xml=$(REPORT)
	$(BIN)/python -m pytest -q tests/property -m "$(NO_CLUSTER)" --junit-xml=$(REPORT).property
	@$(BIN)/python -m tests.summary "lint, types, layers, dependencies" $(REPORT) $(REPORT).property

check: lint types layers

lint: $(STAMP) ## Format and lint, without changing anything
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/deptry --no-ansi operator 2>&1 | tail -n 3

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

layers: $(STAMP) ## Imports point one way, and the core is pure
	$(BIN)/lint-imports --no-logo > $(VENV)/layers.txt || (cat $(VENV)/layers.txt; false)

bench: $(STAMP) ## Measure, and write docs/performance.md and docs/figures.json
	@$(BIN)/python -m tests.bench $(ARGS)

contest: $(STAMP) ## Play against the CronJob controller, two and a half hours, and write docs/contest.md (ARGS=--resume goes on)
	@$(BIN)/python -m tests.contest $(ARGS)

rights: $(STAMP) ## Compare what the operator asked for in the last `make test` with its roles, both ways
	@$(BIN)/python -m tests.rights $(REQUESTS) $(ARGS)

budget: $(STAMP) ## Measure shortly, and fail if a change costs more than it may
	@$(BIN)/python -m tests.budget $(ARGS)

format: $(STAMP) ## Format and mend what can be mended
	$(BIN)/ruff format && $(BIN)/ruff check --fix

crds: $(STAMP) ## Write crds/ and docs/fields.md from their sources
	$(BIN)/python -m tests.schema.generate

chart: $(STAMP) ## Write what is made from other files: the chart's copies, manifests/, the dashboard, tables of pages
	@$(BIN)/python -m tests.chart.generate

image: $(STAMP) ## Build the image into dist/, without a registry
	@$(BIN)/python -m tests.release.image $(ARGS)

docs: $(STAMP) ## Build the documentation as a site into dist/site
	@$(BIN)/mkdocs build --strict --quiet

release: $(STAMP) ## Make wheel, chart, manifests, image and list of materials in dist/, the same each time
	@$(BIN)/python -m tests.release.release $(ARGS)

lock: $(STAMP) ## Write requirements.lock from pyproject.toml
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements.lock
	$(COMPILE) -c requirements.lock pyproject.toml -o requirements-image.lock
	echo hatchling | $(COMPILE) -c requirements.lock - -o requirements-build.lock

clean: ## Remove what make made here; clusters end with `python -m tests.cluster down`
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
