# Veil. `make` lists the targets. Everything that is made or fetched goes into .venv and .veil.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
export UV_LINK_MODE ?= copy
export UV_COMPILE_BYTECODE := 1
export PYTHONDONTWRITEBYTECODE :=
export VEIL_HOME ?= $(CURDIR)/.veil/home
export VEIL_JARS ?= $(CURDIR)/.veil/jars
export VEIL_CONFIG ?= $(CURDIR)/dags/config
UV := .veil/boot/bin/uv
VEIL := .venv/bin/veil
PYTEST := .venv/bin/python -m pytest

.PHONY: help setup demo up down veil test test-slow fuzz kills check bench clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile

setup: .veil/ready ## Install what Veil needs: uv, the locked packages, Delta's jars

.veil/boot/bin/uv:
	@echo "Setting up uv $(UV_VERSION)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
	  { echo "Python 3.11 or 3.12 is needed: install it, or run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .veil/boot || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	@.veil/boot/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || \
	  { echo "uv could not be installed: is a package index reachable?"; exit 1; }

.veil/ready: $(UV) uv.lock pyproject.toml jobs/veil/jars.toml
	@bash .ci/java
	@echo "Installing the locked packages (about a minute the first time)"
	@"$(UV)" sync --frozen --quiet --python $(PYTHON) || { echo "uv sync failed: is a package index reachable, and 4 GB of disk free?"; exit 1; }
	@echo "Fetching Delta's jars"
	@$(VEIL) jars > /dev/null
	@touch $@

demo: setup ## Take one generated drop from landing to publication; the gate blocks a planted leak
	@$(VEIL) demo

up: setup ## Start Airflow and Spark, and leave them running for the browser
	@$(VEIL) up

down: setup ## Stop what `make up` started, and nothing else
	@$(VEIL) down

veil: setup ## Run the command line: make veil ARGS='report --json'
	@$(VEIL) $(ARGS)

test: setup ## Run the tests
	@bash .ci/packages
	@$(PYTEST) -n 2

test-slow: setup ## Run the tests that take minutes each: kills, a backfill, and a cluster
	@bash .ci/packages
	@$(PYTEST) -m slow

kills: setup ## Kill writers of the privacy ledger 1,000 times on each kind of control store
	@bash .ci/packages
	@VEIL_KILLS=1000 VEIL_WRITERS=6 $(PYTEST) --timeout 0 tests/unit/test_ledger.py -k killed

fuzz: setup ## Feed damaged and hostile DICOM objects to the anonymizer for 10 minutes
	@for kind in damaged elements; do \
	  VEIL_FUZZ_EXAMPLES=1000000 timeout 300 $(PYTEST) --timeout 0 tests/property/test_dicom_hostile.py -k $$kind; \
	  code=$$?; [ $$code = 124 ] || exit $$code; \
	done; echo "Nothing found in 10 minutes"

check: setup ## Lint, types, layers and the DAG-integrity test
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PYTEST) -q tests/dags

bench: setup ## Seconds per stage and rows per second by number of patients
	@.venv/bin/python benchmarks/pipeline.py

clean: ## Remove what was installed (not the data in VEIL_HOME)
	@rm -rf .venv .veil/boot .veil/ready
