# Every target does its own set-up in .venv; PYTHON may name another interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup test lint types torture demo docs bench clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[demo]" --group dev
	@touch $(READY)

setup: $(READY)  ## install everything into .venv

lint: $(READY)  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## pyright, strict on src
	$(BIN)/pyright

test: $(READY) lint types  ## what CI runs
	$(BIN)/python -m pytest -m "not torture" -n logical --dist loadfile

torture: $(READY)  ## the long runs
	$(BIN)/python -m pytest -m torture --timeout 0

demo: $(READY)  ## replay a grocer's year, and show it
	$(BIN)/onevoice demo

docs: $(READY)  ## the site, in site/; a broken link fails
	$(BIN)/zensical build --strict

bench: $(READY)  ## measure; figures are ratios within one run
	$(BIN)/python -m bench

clean:  ## forget what was installed and made
	rm -rf $(VENV) demo-data site .pytest_cache .ruff_cache .hypothesis
