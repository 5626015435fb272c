# One thing each. Needs python3 (3.11 or newer for the sandbox), make, and PyPI; uv is bootstrapped into .tools.
SHELL := /bin/bash
PYTHON ?= python3
TOOLS := .tools
# compiled once, as every process of the suite would else compile what it imports where bytecode is not written
UV := UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 $(TOOLS)/bin/uv
BIN := .venv/bin
PACKAGES := ml-connector tap-sage300 tap-sageintacct tap-sagex3 target-snowflake-ml erp-sandbox
MODULES := ml_connector tap_sage300 tap_sageintacct tap_sagex3 target_snowflake_ml erp_sandbox

.PHONY: setup demo test stress lint types format bench bench-taps settings docs clean help

help: ## What there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(TOOLS)/bin/uv:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

setup: .venv/.done .venv-connector5/.done ## Make the environments

.venv/.done: $(TOOLS)/bin/uv pyproject.toml uv.lock $(PACKAGES:%=%/pyproject.toml)
	$(UV) sync --locked --quiet --python $(PYTHON)
	@touch $@

# The target supports two generations of Snowflake's connector; the second one lives here, for the tests.
.venv-connector5/.done: .venv/.done
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-connector5
	$(UV) pip install --quiet --python .venv-connector5 -e './ml-connector[load]' -e ./target-snowflake-ml \
		'snowflake-connector-python>=5,<6' 'singer-sdk[testing]>=0.54' 'pytest>=8.4' 'pytest-timeout>=2.4' 'hypothesis>=6.140'
	@touch $@

demo: .venv/.done ## A company's books into Snowflake, twice, on this machine
	$(BIN)/python demo/run.py

lint: .venv/.done ## Style, types and arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(MAKE) --no-print-directory types

types: .venv/.done
	@set -e; for module in $(MODULES); do echo "mypy $$module"; $(BIN)/mypy -p $$module; done

format: .venv/.done ## Let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup ## The whole suite
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# STRESS_SEED chooses other instants, STRESS_PARTS how many kills (30 each), STRESS_OUTAGES the seconds of outages
STRESSED := $(addprefix target-snowflake-ml/tests/test_,crash.py cuts.py half_done.py concurrency.py outages.py)
stress: setup ## Two hundred kills, every cut, outages of minutes, runs at once: takes hours
	STRESS=1 $(BIN)/python -m pytest $(STRESSED) -n 2 -s --timeout 1800

bench: .venv/.done ## Side-by-side figures into benchmarks/results
	$(BIN)/python benchmarks/run.py

bench-taps: .venv/.done ## How fast taps read, and in how much memory
	$(BIN)/python benchmarks/taps.py

settings: .venv/.done ## The READMEs' tables of settings, and the lists of streams
	$(BIN)/python docs/settings.py
	$(BIN)/python docs/streams.py

docs: .venv/.done ## The site, into site/
	$(UV) sync --locked --quiet --all-groups --python $(PYTHON)
	$(BIN)/mkdocs build --strict

clean: ## Forget everything that was made
	rm -rf .venv .venv-connector5 $(TOOLS) .meltano .demo site
