# `make check` is what must pass before a change lands; .ci/run calls it too.
PYTHON ?= python

OPENVINO = build/openvino

.PHONY: check format lint types test openvino benchmarks

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

# Ten minutes on two idle cores; QUICK=1: one run of each, to see that it works. PHOTO: a raw photo.
benchmarks:
	$(PYTHON) -m rdi.export.benchmarks.page $(if $(PHOTO),--photo "$(PHOTO)") $(if $(QUICK),--quick) docs/benchmarks.md README.md
