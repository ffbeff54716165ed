# `make check` is what must pass before a change lands; .ci/run calls it too.
PYTHON ?= python

.PHONY: check format lint types test

check: lint types test

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy rdi tests

test:
	$(PYTHON) -m pytest
