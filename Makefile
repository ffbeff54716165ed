# `make check` is what must pass before a change lands; .ci/run calls it too.
PYTHON ?= python

OPENVINO = build/openvino

.PHONY: check format lint types test openvino

check: lint types test

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy rdi tests

# Its onnxruntime and the usual one exclude each other, so it gets an environment of its own.
openvino:
	$(PYTHON) -m venv $(OPENVINO)
	$(OPENVINO)/bin/pip install --quiet --editable ".[openvino]"
	RDI_OPENVINO_PYTHON=$(CURDIR)/$(OPENVINO)/bin/python $(PYTHON) -m pytest tests/runtime/test_openvino.py

test:
	$(PYTHON) -m pytest
