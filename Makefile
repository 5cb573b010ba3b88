# Every target works in a path with spaces: nothing here holds an absolute path.
.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench bench-partition chaos lock clean
export PYTHONPATH := $(CURDIR)
PYTHON := .venv/bin/python
SETUP := python3 .ci/setup.py

help:  ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup:  ## Make this machine ready for everything (run and test do it by themselves)
	@$(SETUP) test

run:  ## Load the demo villages and serve them on http://127.0.0.1:8000
	@$(SETUP) run
	@$(PYTHON) -m web demo

test: setup lint  ## Lint, check types and layers, then run all tests
	$(PYTHON) -m pytest -n 2

lint: setup  ## Lint, check types and layers
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m numpydoc lint $$(git ls-files 'mapgrid/*.py')
	$(PYTHON) -m djlint --quiet --lint web/templates
	node_modules/.bin/eslint web/static/js

bench: setup  ## Measure against other tools and print the ratios
	$(PYTHON) -m pytest -m bench -s tests/bench

bench-partition: setup  ## Measure the partition beside its peers: ONLY=ruggell,800 FAST=1 FRESH=1
	$(PYTHON) tests/bench/partition

chaos: setup  ## Kill what serves 50 times while people write, and count what was lost: KILLS=200
	$(PYTHON) tests/chaos_drill.py $(or $(KILLS),50)

lock: setup  ## Write requirements*.txt anew from pyproject.toml
	$(PYTHON) .ci/lock.py

clean:  ## Remove what set-up made; the database in var/ stays
	rm -rf .venv .setup node_modules web/static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
