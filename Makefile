# `make help` lists the targets. Everything is made by the first target that needs it.

SHELL := /bin/sh
VENV := $(or $(SB_VENV),$(CURDIR)/.venv)
PYTHON = "$(VENV)/bin/python" -I
# For the pytest or the benchmarks that are run through us, e.g.: make test ARGS='-k launcher'
ARGS :=
# Figures of the benchmarks, e.g.: make bench F=restart,status
F :=

# Tests start make and sbctl themselves: neither may inherit what this make was called with.
unexport MAKEFLAGS MFLAGS MAKELEVEL
.NOTPARALLEL:
.PHONY: help setup check fix test test-all faults soak bench bench-check release-check demo clean

help:
	@echo "make setup     the environment for the tests, in .venv (or SB_VENV)"
	@echo "make check     style, format, types"
	@echo "make fix       mends style and format where a program can"
	@echo "make test      setup, check, and all tests but the slow ones; ARGS goes to pytest"
	@echo "make test-all  the slow ones too"
	@echo "make faults    whatever can break, broken on purpose, in all rounds"
	@echo "make soak      random faults on many services and schedules, then a checker; e.g. ARGS='--seconds 120 --seed 7'"
	@echo "make bench     what sbctl costs beside its peers, kept in benchmarks/RESULTS.md; e.g. F=restart, ARGS='--quick'"
	@echo "make bench-check    what has got worse than the kept results, by its ratio to the others; e.g. F=restart"
	@echo "make release-check  whatever must be fine before a release: check, test-all, bench-check"
	@echo "make demo      a home in a temporary folder with a service that crashes on purpose"
	@echo "make clean     removes what the targets above made, .venv included"

setup:
	@bin/debian-packages
	@bin/set-up "$(CURDIR)" "$(VENV)" '' test,dev

check: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@if command -v shellcheck >/dev/null 2>&1; then shellcheck $$(grep -lE '^#!/bin/(ba)?sh' bin/* .ci/*); fi

fix: setup
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

test: check
	$(PYTHON) -m pytest -n 4 --dist worksteal -m 'not slow' $(ARGS) </dev/null

test-all: check
	$(PYTHON) -m pytest -n 2 --dist worksteal $(ARGS) </dev/null

# Whatever can break, broken on purpose, in all rounds; a short form of each is in `make test`.
faults: setup
	$(PYTHON) -m pytest -n 2 --dist worksteal $$(PYTHONPATH=tests "$(VENV)/bin/python" -m support.fault_rows) $(ARGS) </dev/null

# Quarter of an hour, unless ARGS says otherwise; docs/soak.md
soak: setup
	@PYTHONPATH="$(CURDIR):$(CURDIR)/tests" "$(VENV)/bin/python" -m support.soak $(ARGS)

# Whole, or F's parts of it: kept. With an option that makes it less (ARGS=--quick) only if --write is among them.
bench: setup
	@"$(VENV)/bin/python" -m benchmarks $(if $(F),--only "$(F)") $(ARGS)

# Ten minutes. Not of `make test`: a machine that does something else as well can fail it.
bench-check: setup
	@"$(VENV)/bin/python" -m benchmarks.check $(if $(F),--only "$(F)") $(ARGS)

release-check: test-all bench-check

demo:
	@bin/demo

# An environment that SB_VENV names may be somebody else's; it stays.
clean:
	rm -rf .venv .venv-* .venv.upgrade .venv.checked .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
