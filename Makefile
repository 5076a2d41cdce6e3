# The habits of the project. What needs more than a line stands in scripts/; nothing is hidden.
.PHONY: help run test check bench
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python

help:  ## list the habits
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

run:  ## start the server; without a key it brings its own emulator
	@scripts/venv requirements.txt
	@exec $(PYTHON) app.py

test:  ## run every test, offline (installs Debian packages when it may)
	@scripts/venv requirements-test.txt
	@scripts/debian-packages
	$(PYTHON) -m pytest $(ARGS)

check:  ## ruff, mypy --strict, the laws of the house
	@scripts/venv requirements-test.txt
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest --noconftest test/laws

bench:  ## measure the numbers of bench/ on this machine
	@scripts/venv requirements-test.txt
	$(PYTHON) -m bench $(ARGS)
