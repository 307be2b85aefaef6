# Everything here needs only Python 3.11 or newer and make; the rest is installed into .venv and .cache.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
UI_SOURCES := $(shell find src/emon/console/ui -type f -not -path '*/node_modules/*' 2>/dev/null)

FOR ?=
SEED ?=
PARTICIPANTS ?=
DEMO_FLAGS = $(if $(FOR),--for $(FOR)) $(if $(SEED),--seed $(SEED)) $(if $(PARTICIPANTS),--participants $(PARTICIPANTS))

.PHONY: help demo test bench soak setup setup-test lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: setup ## the whole chain on simulated devices; FOR=60 runs a minute, prints the score and ends
	@$(BIN)/emon demo $(DEMO_FLAGS)

test: setup-test ## every test, on a real Kafka, PostgreSQL, SMTP server and browser
	@$(BIN)/python -m pytest

bench: setup-test ## measures speed and memory beside this machine's own floors
	@$(BIN)/python -m tests.bench

soak: setup-test ## long property and crash runs with many seeds
	@$(BIN)/python -m pytest -m soak --timeout 7200

setup: $(VENV)/.ready src/emon/console/static/index.html

setup-test: $(VENV)/.ready-test src/emon/console/static/index.html
	@$(BIN)/python scripts/setup_parts.py kafka chromium

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "emon needs Python 3.11 or newer with venv: install it, or say make PYTHON=/path/to/python3"; exit 2; }
	@echo "Setting up: virtual environment ($(PYTHON))"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up: packages that run emon"
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-test: requirements-test.lock $(VENV)/.ready
	@echo "Setting up: packages that test emon"
	@$(PIP) -r requirements-test.lock
	@touch $@

src/emon/console/static/index.html: $(UI_SOURCES) | $(VENV)/.ready
	@echo "Setting up: console"
	@$(BIN)/python scripts/build_console.py

lock: ## pins the newest versions that fit (for maintainers)
	@$(PIP) uv
	@$(BIN)/uv pip compile --quiet --universal --upgrade --no-emit-index-url --no-annotate --no-header --extra build -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --upgrade --no-emit-index-url --no-annotate --no-header --extra build --extra test -o requirements-test.lock pyproject.toml

clean: ## removes what set-up made; data stays
	@rm -rf $(VENV) .cache src/emon/console/static src/emon/console/ui/node_modules
