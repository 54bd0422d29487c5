# Everything a developer or operator starts by hand. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3.11
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --no-compile
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib
export PORT

.PHONY: help run worker test soak lint types bench demo reset-demo screenshots pins

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# The stamps hold the day the pins were installed; changed pins are newer and install again. The pins are
# complete, so that nothing is resolved; what is installed is compiled on every core.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: $(PYTHON) was not found (set PYTHON=…)."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the pinned requirements …"
	@$(PIP) -r requirements.txt
	@$(COMPILE)
	@touch $@

# The development pins hold the others too.
$(VENV)/.installed-dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing the pinned development requirements …"
	@$(PIP) -r requirements-dev.txt
	@$(COMPILE)
	@touch $(VENV)/.installed $@

run: $(VENV)/.installed ## Prepare everything and run web and worker (PORT=8000); Ctrl-C stops
	@exec $(BIN)/python -m siit_remote.launch

worker: $(VENV)/.installed ## Run only the background worker
	@exec $(BIN)/python manage.py worker

test: $(VENV)/.installed-dev ## Run the default tests on every core
	@$(BIN)/python -m pytest -q -n auto $(ARGS)

soak: $(VENV)/.installed-dev ## Search at full length what the gate searches by a tenth (an hour or more)
	@SIIT_WHOLE=1 $(BIN)/python -m pytest -q -m slow -k "for_many or hundred_thousand or every_fault" $(ARGS)

lint: $(VENV)/.installed-dev ## Check style, formatting, import directions and templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q siit_remote/tests/test_templates.py siit_remote/tests/test_pages.py

types: $(VENV)/.installed-dev ## Check types (mypy, strict)
	@$(BIN)/mypy

bench: $(VENV)/.installed-dev ## Measure against the goals and against others
	@$(BIN)/python -m siit_remote.bench $(ARGS)

demo: $(VENV)/.installed ## Fill an empty database with the demo company
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py createcachetable
	@$(BIN)/python manage.py setup_roles >/dev/null
	@$(BIN)/python manage.py demo

reset-demo: $(VENV)/.installed ## Throw the demo's database away, so that the next run begins anew
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo --reset

screenshots: $(VENV)/.installed-dev ## Take the guide's pictures anew, and more (var/screenshots)
	@$(BIN)/python -m siit_remote.screenshots

pins: $(VENV)/.installed-dev ## Compile requirements*.txt from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/python .ci/pins.py
