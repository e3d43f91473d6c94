PYTHON ?= python3
VENV ?= .venv
INSTALLED := $(VENV)/.installed
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder
BENCHMARKS := startup training evaluation loop_overhead sweep driver report search

.PHONY: help venv quickstart test test-all bench lint typecheck format site audit clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

venv: $(INSTALLED)  ## the environment of the project, at the versions of constraints.txt

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

quickstart: venv  ## a real sweep with what ships in the package: about five minutes on two cores
	HF_HUB_OFFLINE=1 $(VENV)/bin/tuneoff run quickstart

test: venv  ## the tests, without the slow ones; ARGS="-k name" chooses
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

test-all: venv  ## the tests, with the slow ones
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) -m "slow or not slow" $(ARGS)

bench: venv  ## the short benchmarks, nine and a half minutes on two cores; ARGS=--full: the long ones
	set -e; for name in $(BENCHMARKS); do $(VENV)/bin/python -m benchmarks.$$name $(ARGS); done

lint: venv  ## style, formatting and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

typecheck: venv  ## types
	$(VENV)/bin/mypy

format: venv  ## mend style and formatting
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

site: venv  ## the documentation as a site, in site/; a link that leads nowhere is an error
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[site]'
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --clean --quiet

audit: venv  ## known vulnerabilities of the versions in constraints.txt, asked of PyPI
	$(VENV)/bin/python -m pip install --quiet pip-audit
	$(VENV)/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

clean:  ## forget the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache *.egg-info
