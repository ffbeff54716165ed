# `make check` is what must pass before a change lands; .ci/run calls it too.
PYTHON ?= python

OPENVINO = build/openvino
AUDIT = build/audit
LOWEST = build/lowest

.PHONY: gallery check format lint types audit test openvino lowest benchmarks

check: lint types audit test

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy rdi tests .ci/supply

# Known vulnerabilities of the packages that are installed here; where nobody can be asked it says so and goes on.
audit:
	PYTHONPATH=.ci $(PYTHON) -m supply.audit $(AUDIT)

# Its onnxruntime and the usual one exclude each other, so it gets an environment of its own.
openvino:
	$(PYTHON) -m venv $(OPENVINO)
	$(OPENVINO)/bin/pip install --quiet --editable ".[openvino]"
	RDI_OPENVINO_PYTHON=$(CURDIR)/$(OPENVINO)/bin/python $(PYTHON) -m pytest tests/runtime/test_openvino.py

# rdi with the lowest versions that pyproject.toml allows. The extras that need PyTorch are for changes of their bounds:
# make lowest LOWEST_LEFT_OUT= EXTRAS=cpu,train,export,eval LOWEST_TESTS="tests/export/test_plain.py tests/rdi/metrics"
EXTRAS = cpu
LOWEST_TESTS = \
	tests/cli/test_infer.py tests/cli/test_info_command.py tests/cli/test_simulate_command.py tests/rdi/camera \
	tests/rdi/test_load_picture.py tests/runtime/test_pictures.py tests/runtime/test_restorer.py
# They export a network, for which PyTorch is needed.
LOWEST_LEFT_OUT = \
	--deselect tests/cli/test_info_command.py::test_a_model_names_its_strips_and_says_what_is_wrong_with_them \
	--deselect tests/runtime/test_restorer.py::test_choosing_the_amplification_costs_little_beside_the_network
lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	PYTHONPATH=.ci $(PYTHON) -m supply.requirements >$(LOWEST)/constraints.txt
	$(LOWEST)/bin/pip install --quiet --constraint $(LOWEST)/constraints.txt \
		--editable ".[$(EXTRAS)]" pytest hypothesis onnx safetensors imagecodecs tifffile psutil
	$(LOWEST)/bin/rdi doctor
	$(LOWEST)/bin/rdi demo --overwrite --out $(LOWEST)/demo.png
	$(LOWEST)/bin/python -m pytest $(LOWEST_TESTS) $(LOWEST_LEFT_OUT)

test:
	$(PYTHON) -m pytest

# Ten minutes on two idle cores; QUICK=1: one run of each, to see that it works. PHOTO: a raw photo.
benchmarks:
	$(PYTHON) -m rdi.export.benchmarks.page $(if $(PHOTO),--photo "$(PHOTO)") $(if $(QUICK),--quick) docs/benchmarks.md README.md

# The pictures of docs/gallery.md, by the commands that stand there; `rdi` must be on the path.
gallery:
	sed -n '/^```sh/,/^```/{/^```/d;p}' docs/gallery.md | sh -e
