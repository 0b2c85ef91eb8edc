# Every target does its own set-up; `make demo` and `make test` are the two a newcomer needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help venv demo test unit lint format docs images cluster cluster-down bench sweeps crds clean

help:
	@echo "make demo          a session of 4 qubits x 6 tasks on a simulated chip, here, without a cluster"
	@echo "make test          everything: lint, unit, controller and kind tests (builds and starts what they need)"
	@echo "make unit          lint and unit tests only"
	@echo "make cluster       a kind cluster with images and chart, kept; prints the KUBECONFIG to export"
	@echo "make cluster-down  removes it"
	@echo "make docs          the documents as a site, in site/"
	@echo "make images        the operator's, the task and the test image"
	@echo "make bench         measures what docs/design.md promises, and checks it"
	@echo "make sweeps        the operator disturbed at every step of a session, and whether planted bugs are caught"

# The stamp is newer than pyproject.toml exactly when the environment was made from it.
$(VENV)/.stamp: pyproject.toml
	@.ci/venv $(VENV) $(PYTHON)
	@touch $@

venv: $(VENV)/.stamp

# --- what a newcomer runs ---------------------------------------------------------------------------------
demo: venv
	@kubecal run examples/demo.yaml

# Lint and unit tests first: they fail within seconds. One pytest run, so that its closing line counts everything.
test: lint
	pytest

# --- parts of it --------------------------------------------------------------------------------------------
lint: venv
	ruff check .
	ruff format --check .
	mypy
	lint-imports

unit: lint
	pytest tests/unit

format: venv
	ruff check --fix .
	ruff format .

docs: venv
	NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict

crds: venv
	kubecal crds crds
	python -c "from pathlib import Path; from kubecal.api import crds; crds.write_chart_templates(Path('charts/kubecal/templates/crds'))"

# --- clusters and images ------------------------------------------------------------------------------------
cluster: venv
	python -m tests.e2e.install

cluster-down: venv
	python -m tests.cluster down

images: venv
	python -m tests.cluster build

bench: venv
	python -m tests.bench

# Every sweep, then every planted bug, then the sum. A failing case prints how to run it again.
sweeps: venv
	python -m tests.sweeps

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
