# `make` alone lists the targets; each is one command that CI and people share.
SHELL := /bin/bash
PYTHON ?= python3
RUN := .venv/bin
TEMPLATES := templates

.DEFAULT_GOAL := help
.PHONY: help up demo-models test check fix bench docs browser install install-dev

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: install  ## install what is missing and run the whole hub, until Ctrl-C
	@exec $(RUN)/python manage.py up

demo-models: install  ## train small real models and upload them to the hub that runs here
	@$(PYTHON) bootstrap.py --no-dev --group ml
	$(RUN)/python manage.py train_demo_models

test: install-dev  ## all tests
	$(RUN)/pytest

check: install-dev  ## everything that can be said without running the tests
	$(RUN)/uv lock --check --quiet
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy .
	$(RUN)/lint-imports
	@if [ -d $(TEMPLATES) ]; then $(RUN)/djlint $(TEMPLATES) --lint --check; fi
	WEIGHHOUSE_URL=https://hub.example.org $(RUN)/python -W ignore manage.py check --deploy --fail-level ERROR
	$(RUN)/python -W ignore manage.py makemigrations --check --dry-run

fix: install-dev  ## format, and repair what tools can repair
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .
	@if [ -d $(TEMPLATES) ]; then $(RUN)/djlint $(TEMPLATES) --reformat --quiet; fi

bench: install-dev  ## the measured comparisons; each file prints its ratios
	@for file in $$(grep -l __main__ bench/*.py); do echo "== $$file"; $(RUN)/python "$$file" || exit 1; done

docs: install-dev  ## write the generated pages of docs/, after all wire tests
	$(RUN)/python manage.py list_routes
	$(RUN)/pytest --write-wire-table tests/wire

browser: install-dev  ## the journeys in a browser, with screenshots
	$(RUN)/pytest -m browser tests/browser

install:
	@$(PYTHON) bootstrap.py --no-dev

install-dev:
	@$(PYTHON) bootstrap.py --group dev
