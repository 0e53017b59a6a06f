# Two commands set a newcomer up: `make demo` and `make test`. Each target installs what it needs into .venv by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed-$(shell cksum < requirements.lock | cut -d' ' -f1)

.PHONY: help install demo up down test check bench lock
help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

install: $(INSTALLED)  ## everything into .venv, from requirements.lock (hashes checked)

$(INSTALLED): requirements.lock
	@echo "== installing into .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@rm -f .venv/installed-* && touch $@

demo: install  ## start everything, load a real company, run a whole performance cycle
	@$(BIN)/trellis up
	@$(BIN)/trellis people import launcher/company/hr_employees.csv
	@$(BIN)/trellis demo

up: install  ## start PostgreSQL, the broker and all services
	@$(BIN)/trellis up

down: install  ## stop them; the data stay under .trellis/
	@$(BIN)/trellis down

test: install  ## the whole suite, on real servers
	@$(BIN)/python -m pytest

check: install  ## style, types, room contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/basedpyright

bench: install  ## benchmarks (see benchmarks/README.md)
	@$(BIN)/python -m benchmarks

lock: install  ## write requirements.lock again from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --all-extras pyproject.toml -o requirements.lock
