"""The model in strips: the second file that export writes, beside the model; see `rdi.strips`."""

import hashlib
import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.errors import ModelError
from rdi.metadata import ModelMetadata
from rdi.regular_file import read_regular
from rdi.runtime.contents import read_description
from rdi.runtime.model import MAX_BYTES, ModelFile
from rdi.strict_json import read_object
from rdi.strips import FORMAT, MANIFEST, OWNERS, UNSAID, Part, strip_path

# What zipfile and json raise for bytes that are no zip file, no JSON, or JSON of another shape.
_DAMAGE = (
    zipfile.BadZipFile,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    struct.error,
)


@dataclass(frozen=True, eq=False)
class StripFile:
    """A checked file: its graphs' bytes, and what it says of itself."""

    path: Path
    graphs: dict[Part, bytes]
    manifest: dict[str, Any]


def strips_of(model: ModelFile) -> str:
    """Of a model's strips, for people: the file and that it is of the same weights, or what is wrong with it."""
    path = strip_path(model.path)
    try:
        open_strip_file(model)
    except ModelError as error:
        return str(error) if path.exists() else f"none ({path.name} does not exist; a memory limit needs it)"
    return f"{path}, of the same weights"


def read_manifest(path: Path) -> dict[str, Any]:
    """What a file of strips says of itself; ModelError for a file that is damaged or no such file."""
    return _graphs_and_manifest(read_strips(path), path)[1]


def open_strip_file(model: ModelFile) -> StripFile:
    """The strips beside a model, checked; ModelError where they are missing, damaged or of other weights."""
    path = strip_path(model.path)
    return strip_file_of(read_strips(path), path, model.metadata)


def strip_file_of(content: bytes, path: Path, model: ModelMetadata) -> StripFile:
    """A file's bytes, checked against its own manifest and against what the model says of itself.

    path: for messages; ModelError for a file that is damaged, foreign or of other weights
    """
    graphs, manifest = _graphs_and_manifest(content, path)
    found = tuple(str(manifest[name]) for name in OWNERS)
    wanted = tuple(str(getattr(model, name)) for name in OWNERS)
    if found != wanted:
        raise ModelError(
            f"{path} belongs to another model: {_named(found)}; wanted are {_named(wanted)}; export the model again"
        )
    return StripFile(path, graphs, manifest)


def _named(values: Sequence[str]) -> str:
    return ", ".join(f"{name} {value[:12]}" for name, value in zip(OWNERS, values, strict=True))


def read_strips(path: Path) -> bytes:
    """The bytes of a file that may be one of strips; ModelError where it is missing, no regular file or too large."""
    try:
        return read_regular(path, MAX_BYTES, "file of strips")
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} does not exist; to keep to a memory limit rdi needs the model in strips too, which `rdi export` "
            "writes beside it"
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path} {error}; export the model again") from error


def _graphs_and_manifest(content: bytes, path: Path) -> tuple[dict[Part, bytes], dict[str, Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = read_object(_read(archive, MANIFEST))
            graphs = {part: _read(archive, part.file_name) for part in Part}
        sums = {part: manifest["sha256"][str(part)] for part in Part}
        manifest = UNSAID | manifest
        named = {name: manifest[name] for name in ("format", *OWNERS)}
    except _DAMAGE as error:
        raise ModelError(f"{path} is damaged or no file of strips ({error}); export the model again") from error
    if named["format"] != FORMAT:
        raise ModelError(f"{path} has format {named['format']!r}; this rdi reads {FORMAT!r}: export the model again")
    for part, graph in graphs.items():
        if hashlib.sha256(graph).hexdigest() != sums[part]:
            raise ModelError(
                f"{path} is damaged: {part.file_name} is not what its manifest says; export the model again"
            )
        read_description(graph, f"{part.file_name} in {path}")
    return graphs, manifest


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > MAX_BYTES or info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed or too large")
    return archive.read(info)
