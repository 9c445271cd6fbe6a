# Everything that gilscope needs, from nothing but python3 and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready
WORKERS ?= 2
ARGS ?=

.PHONY: help run test lint types check bench layouts screenshots clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## Watch four CPU-bound threads share one GIL (without a terminal: the summary)
	@$(BIN)/gilscope run gilscope/lessons/four_threads.py || [ $$? -ge 128 ] # stopped by the user

test: $(DEV_READY) lint types ## Lint, types and all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(DEV_READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_READY) ## mypy, strict
	$(BIN)/mypy

bench: $(DEV_READY) ## Measure cost, slowdown and error side by side with py-spy (some minutes)
	$(BIN)/python -m tests.benchmarks $(ARGS)

layouts: $(DEV_READY) ## Compare the table of CPython's offsets with the headers of every Python found (needs gcc)
	$(BIN)/python -m tests.layouts $(ARGS)

screenshots: $(DEV_READY) ## Record real runs and draw the app, its report and its motion from them
	$(BIN)/python -m tests.screenshots $(ARGS)

clean: ## Remove what the targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gilscope needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)." >&2; exit 2; }

$(READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(READY)
