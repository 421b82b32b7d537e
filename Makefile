# One command for each thing a developer does; each sets up what it needs first.
PYTHON ?= python3
RUN := .venv/bin
# Most tests wait most of the time. `tests/flows` takes as long as all others together.
SIDE_BY_SIDE := --numprocesses 2 --dist loadscope --no-loadscope-reorder

.PHONY: help setup demo test long quick docker check lint types layers roles packer reference bench faults clean

help:      ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: .tools/ready ## install the locked dependencies into .venv

.tools/ready: uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	@$(PYTHON) -m venv .tools || { echo "Python's venv module is needed (Debian: apt install python3-venv)"; exit 1; }
	.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'
	.tools/bin/uv sync --frozen --quiet --compile-bytecode --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	touch $@

demo: setup ## a whole stack on the embedded cloud, until Ctrl-C
	$(RUN)/tyrell demo

test: setup ## every test that needs no Docker Engine, but for the long ones
	$(RUN)/pytest $(SIDE_BY_SIDE) -m "not docker and not long"

long: setup ## the long tests: more cases, kills at random; each night
	$(RUN)/pytest $(SIDE_BY_SIDE) -m long

quick: setup ## the plain tests only: no Prefect server, no whole cloud
	$(RUN)/pytest $(SIDE_BY_SIDE) -m "not flow and not cloud and not docker and not influxdb and not grafana and not long"

docker: setup ## the tests that build images and machines with the Docker Engine
	$(RUN)/pytest $(SIDE_BY_SIDE) -m docker

check: lint types layers roles packer test ## everything that needs no Docker Engine

lint: setup ## style
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: setup ## mypy, strict
	$(RUN)/mypy
	$(RUN)/mypy packer/files/opt/link/lib/registered.py

layers: setup ## who may import whom
	$(RUN)/lint-imports

packer: ## Packer's validation of the machine image's template, where Packer is
	@if command -v packer >/dev/null; then \
	    packer fmt -check packer && packer fmt -check packer/current && \
	    packer validate -var-file=packer/example.pkrvars.hcl $(CURDIR)/packer; \
	else echo "packer is not installed: its template is not checked"; fi

roles: setup ## cfn-lint over the rendered template of every role
	$(RUN)/python -m tests.rendered .tools/rendered
	$(RUN)/cfn-lint '.tools/rendered/*.yaml'

reference: setup ## writes docs/reference from the code
	$(RUN)/python -m docs.generate

faults: setup ## the fault matrix: every write of the commands meets every fault; writes docs/fault-matrix.md
	rm -f docs/fault-matrix.json
	$(RUN)/python -m tests.faults

bench: setup ## every measurement the pages name
	$(RUN)/python -m benchmarks

clean: ## remove what setup made
	rm -rf .venv .tools
