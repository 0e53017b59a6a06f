# Two commands set a newcomer up: `make demo` and `make test`. Each target installs what it needs into .venv by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# one stamp per lock and project file: a changed dependency or entry point installs again, anything else costs nothing
INSTALLED := .venv/installed-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
DRAWS := .venv/draws-$(shell cksum < benchmarks/requirements.lock | cut -d' ' -f1)
SAY := @printf '== %s\n'

.PHONY: help install demo up down test compose k8s-check k8s-proof chaos check format bench bench-full lock
help:  ## what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## everything into .venv, from requirements.lock (hashes checked)

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is none: make PYTHON=/path/to/python3.11 install"; exit 1; }
	$(SAY) "creating .venv with $$($(PYTHON) --version)"
	@rm -rf .venv; $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "'$(PYTHON) -m venv' failed. Debian and Ubuntu ship it apart: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(INSTALLED): | .venv/bin/uv
	$(SAY) "installing requirements.lock into .venv (a minute the first time)"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@rm -f .venv/installed-* && touch $@

$(DRAWS): | $(INSTALLED)
	$(SAY) "installing what the benchmarks draw with"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r benchmarks/requirements.lock
	@rm -f .venv/draws-* && touch $@

demo: install  ## start everything, load a sample company, run a whole performance cycle
	$(SAY) "starting PostgreSQL, the broker and the four services"
	@$(BIN)/trellis up
	$(SAY) "importing the people of a sample company"
	@$(BIN)/trellis people import launcher/company/hr_employees.csv
	$(SAY) "running one performance cycle over HTTP"
	@$(BIN)/trellis demo
	$(SAY) "everything is still running; look around with:"
	@printf '   %s\n' "$(BIN)/trellis status                  how each service is" \
		"$(BIN)/trellis tail                    the events as they come" \
		"$(BIN)/trellis reconcile               rewards against payroll" \
		"$(BIN)/trellis --help                  what else there is; README.md says where to go next" \
		"make demo                            another cycle" \
		"make down                            stop; the data stay under .trellis/"

up: install  ## start PostgreSQL, the broker and all services
	$(SAY) "starting PostgreSQL, the broker and the four services"
	@$(BIN)/trellis up

down: install  ## stop them; the data stay under .trellis/
	$(SAY) "stopping; the data stay under .trellis/"
	@$(BIN)/trellis down

test: install  ## the whole suite, on real servers, in three processes (ARGS='-n0 -k goal_plan' for a part, in one)
	$(SAY) "running the tests on a real PostgreSQL and a real broker"
	@$(BIN)/python -m pytest -n3 --dist=loadscope --no-loadscope-reorder $(ARGS)

compose: install  ## everything in containers, with an issuer for development (ARGS='--profile observability' for more)
	$(SAY) "making passwords and keys that are not there"
	@sh deploy/secrets.sh deploy/compose/secrets
	$(SAY) "building the images and starting everything"
	@docker compose --env-file deploy/compose/development.env $(ARGS) up --build --wait
	@printf '   %s\n' "$(BIN)/trellis people import launcher/company/hr_employees.csv --target compose" \
		"$(BIN)/trellis demo --target compose" \
		"docker compose --env-file deploy/compose/development.env down    stop; the data stay (--volumes: they are gone)"

k8s-check: install  ## render the overlays of Kubernetes and hold them against its schemas (SCHEMAS=FOLDER offline)
	@sh deploy/secrets.sh deploy/k8s/overlays/development/secrets
	@$(BIN)/python -m tests.k8s.check $(if $(SCHEMAS),--schemas $(SCHEMAS))

k8s-proof: install  ## the development overlay on a cluster that has the images, and what is seen there (KUBECONFIG=FILE INGRESS=http://HOST)
	$(SAY) "seven steps on a real cluster; docs/operations.md says which, and what they showed"
	@$(BIN)/python -m tests.k8s.cluster --kubeconfig "$(KUBECONFIG)" --ingress "$(INGRESS)" $(ARGS)

chaos: install  ## the fault matrix on Apache Kafka: faults under load, then the proof (DURATION=600 SEED=7 BREAK=fence|chain|keys|barrier|seek)
	$(SAY) "faults under load; docs/fault-matrix.md says which, and what is compared afterwards"
	@$(BIN)/python -m tests.chaos $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED)) $(if $(BREAK),--break $(BREAK))

check: install  ## style, types, rooms, lock
	$(SAY) "style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(SAY) "rooms: who may import whom"
	@$(BIN)/lint-imports --no-cache --no-logo
	$(SAY) "the locks against pyproject.toml"
	@$(BIN)/python .ci/lock.py check
	$(SAY) "published schemas against the released ones"
	@$(BIN)/trellis schemas check
	$(SAY) "types"
	@$(BIN)/basedpyright
	$(SAY) "all good"

format: install  ## let ruff format the code and sort the imports
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

bench: install $(DRAWS)  ## what is measured, at a tenth of the sizes: ten minutes (ARGS='end_to_end --seed 2' for one)
	$(SAY) "measuring; benchmarks/README.md says what, docs/performance.md what to make of it"
	@$(BIN)/python -m benchmarks $(ARGS)

bench-full: install $(DRAWS)  ## the same at the whole sizes: hours
	$(SAY) "measuring at the whole sizes"
	@$(BIN)/python -m benchmarks --full $(ARGS)

lock: install  ## write the locks again from pyproject.toml (ARGS=--upgrade for newer versions)
	$(SAY) "resolving pyproject.toml into requirements.lock, deploy/requirements.lock and benchmarks/requirements.lock"
	@$(BIN)/python .ci/lock.py write $(ARGS)
