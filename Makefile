PYTHON ?= python3
VENV ?= .venv
INSTALLED := $(VENV)/.installed

.PHONY: help venv quickstart test test-all lint typecheck format clean

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
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest $(ARGS)

test-all: venv  ## the tests, with the slow ones
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -m "slow or not slow" $(ARGS)

lint: venv  ## style, formatting and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

typecheck: venv  ## types
	$(VENV)/bin/mypy

format: venv  ## mend style and formatting
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:  ## forget the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache *.egg-info
