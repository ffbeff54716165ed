"""A model file as the runtime sees it: ours or refused, and what it says of itself."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.errors import ModelError
from rdi.graph_contract import OUTPUTS, inputs_of
from rdi.metadata import ModelMetadata
from rdi.models import by_name
from rdi.regular_file import read_regular
from rdi.runtime.contents import read_description
from rdi.runtime.package import first_line, import_onnxruntime, session_errors
from rdi.seal import is_sealed, require_unchanged

MAX_BYTES = 256 << 20  # of a model file; ours have a few million


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A checked model file.

    path:     where it came from
    content:  its bytes; kept, so that sessions made later cannot meet a file that was replaced meanwhile
    metadata: what it says of itself: size rule, CFA, white balance, m
    """

    path: Path
    content: bytes
    metadata: ModelMetadata


def open_model(path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a model file; `rdi` and `rdi-srgb` are those that ship.

    Raises ModelError for a file that is missing, larger than 256 MiB, no ONNX file, not written by `rdi export` or
    changed since (`rdi.seal`), that asks for anything outside of itself (`rdi.runtime.contents`), that onnxruntime
    cannot load, or whose inputs and outputs are not those of rdi's graphs; MissingPackageError without onnxruntime.
    """
    path = by_name(Path(path))
    content = read_model(path)
    if is_sealed(content):  # damage is called that, and not by what it happens to make of the file
        require_unchanged(content, path)
    metadata = ModelMetadata.from_strings(read_description(content, path), str(path))
    require_unchanged(content, path)
    inputs, outputs = _probe(content, path)
    _require(inputs_of(metadata.rendering), inputs, "input", path)
    _require(OUTPUTS, outputs, "output", path)
    return ModelFile(path, content, metadata)


def read_metadata(path: str | os.PathLike[str]) -> ModelMetadata:
    """What a model file says of itself; the errors of `open_model`."""
    return open_model(path).metadata


def read_model(path: Path) -> bytes:
    """The bytes of a file that may be a model; ModelError where it is missing, no regular file or too large."""
    try:
        return read_regular(path, MAX_BYTES, "model")
    except FileNotFoundError as error:
        raise ModelError(f"model {path} does not exist; give another path, or make one with `rdi export`") from error
    except OSError as error:
        raise ModelError(f"model {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path} {error}; give an ONNX file from `rdi export`") from error


def _probe(content: bytes, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Name and type of inputs and outputs, from a session that is never run, and so not optimised."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)
        return _types([*session.get_inputs(), *session.get_overridable_initializers()]), _types(session.get_outputs())
    except session_errors() as error:
        raise ModelError(
            f"{path} is no ONNX file that onnxruntime can load ({first_line(error)}); give one from `rdi export`"
        ) from error


def _types(items: Iterable[Any]) -> dict[str, str]:
    return {item.name: item.type for item in items}


def _require(wanted: dict[str, str], found: dict[str, str], kind: str, path: Path) -> None:
    for name, type_name in wanted.items():
        if found.get(name) != type_name:
            has = f"is {found[name]}" if name in found else "is missing"
            raise ModelError(
                f"{path} does not fit this rdi: its {kind} {name!r} {has}, wanted is {type_name}; export it again"
            )
