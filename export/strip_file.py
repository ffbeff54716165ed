"""The second file that export writes: the network in strips, for runtimes with bounded memory; see `rdi.strips`."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import onnx
import torch

from rdi.errors import OutputError
from rdi.export.graph import RestorationGraph
from rdi.export.half import store_as_half
from rdi.export.onnx_graph import default_inputs, drop_notes, rendering_defaults, simplify, to_onnx
from rdi.export.settings import ExportSettings
from rdi.export.strip_graphs import Context, ReduceStrip, RestoreStrip
from rdi.metadata import ModelMetadata, Precision, Rendering
from rdi.strips import (
    BLOCK,
    FEATURE_HALO,
    FEATURES,
    FORMAT,
    HALO,
    MANIFEST,
    REDUCE_ROWS,
    REDUCED_CHANNELS,
    Part,
    strip_path,
)

# What a session can fix the sizes of a graph's inputs by: input -> names of rows and columns.
SIZE_NAMES: dict[Part, dict[str, tuple[str, ...]]] = {
    Part.REDUCE: {"mosaic": ("height", "width"), "inside": ("rows",)},
    Part.CONTEXT: {"reduced": ("rows", "columns")},
    Part.RESTORE: {"mosaic": ("height", "width"), "features": ("rows", "columns")},
}
OUTPUTS = {Part.REDUCE: "reduced", Part.CONTEXT: "features", Part.RESTORE: "rgb"}
DATE = (1980, 1, 1, 0, 0, 0)  # of every part: the same weights give the same file

# Early in a file of any version, damaged ones too: the manifest comes first, and nothing is compressed.
MARK, MARK_WITHIN = b'"format": "rdi-strips-', 512


def build_strip_file(graph: RestorationGraph, metadata: ModelMetadata, settings: ExportSettings) -> bytes:
    """The three graphs of a network and a manifest, in one zip file that is not compressed.

    metadata: of the model that the strips belong to; they are found to be its own by weights, precision, curve
    """
    graphs = {part: build_part(part, graph, metadata, settings).SerializeToString() for part in Part}
    manifest = {
        "format": FORMAT,
        "weights_sha256": metadata.weights_sha256,
        "precision": str(metadata.precision),
        "curve": str(metadata.curve),
        "licence": metadata.licence,
        "patent_notice": metadata.patent_notice,
        "sha256": {str(part): hashlib.sha256(content).hexdigest() for part, content in graphs.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST, DATE), json.dumps(manifest, indent=1))
        for part, content in graphs.items():
            archive.writestr(zipfile.ZipInfo(part.file_name, DATE), content)
    return out.getvalue()


def remove_strips(model: Path) -> None:
    """Remove the strips beside a model that has none: they were the model's that it replaced.

    A file of that name that `rdi export` did not write stays. Raises OutputError where it cannot be removed.
    """
    path = strip_path(model)
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            ours = MARK in file.read(MARK_WITHIN)
        if ours:
            path.unlink()
    except OSError as error:
        raise OutputError(f"cannot remove {path}, of the model that was replaced: {error.strerror}") from error


def build_part(
    part: Part, graph: RestorationGraph, metadata: ModelMetadata, settings: ExportSettings
) -> onnx.ModelProto:
    """One of the three graphs."""
    module = {Part.REDUCE: ReduceStrip, Part.CONTEXT: Context, Part.RESTORE: RestoreStrip}[part](graph)
    arguments, shapes = example(part, metadata)
    model = to_onnx(module, tuple(arguments.values()), list(arguments), [OUTPUTS[part]], shapes, settings.opset)
    if settings.simplify:
        model = simplify(model)
    if metadata.precision is Precision.FP16:
        store_as_half(model)
    drop_notes(model)
    name_sizes(model, part)
    props = {"rdi.strips": FORMAT, "rdi.part": str(part), "rdi.weights_sha256": metadata.weights_sha256}
    onnx.helper.set_model_props(model, props)
    return model


def example(part: Part, metadata: ModelMetadata) -> tuple[dict[str, torch.Tensor], list[dict[int, Any] | None]]:
    """Inputs to trace a graph with, and which of their sizes are symbolic."""
    rows, columns = torch.export.Dim("n_rows", min=1), torch.export.Dim("n_columns", min=1)
    if part is Part.CONTEXT:
        return {"reduced": torch.zeros((1, REDUCED_CHANNELS, 5, 3))}, [{2: rows, 3: columns}]
    defaults = default_inputs(metadata)
    levels = {"black_level": defaults["black_level"], "white_level": defaults["white_level"]}
    tensors = {name: torch.from_numpy(value) for name, value in (levels | {"factor": defaults["gains"]}).items()}
    rendering: dict[str, torch.Tensor] = {}
    if part is Part.REDUCE:
        mosaic, features = torch.zeros((1, 1, REDUCE_ROWS * 5, REDUCE_ROWS * 3), dtype=torch.int32), {}
        tensors["inside"] = torch.ones(5)
        sizes = [{2: REDUCE_ROWS * rows, 3: REDUCE_ROWS * columns}, None, None, None, {0: rows}]
    else:
        count, around = 6, 2 * HALO
        mosaic = torch.zeros((1, 1, BLOCK * (count + around), REDUCE_ROWS * 3), dtype=torch.int32)
        features = {"features": torch.zeros((1, FEATURES, count + 2 * FEATURE_HALO, 4 * 3))}
        height, width = BLOCK * rows + BLOCK * around, REDUCE_ROWS * columns
        sizes = [{2: height, 3: width}, None, None, None, {2: rows + 2 * FEATURE_HALO, 3: 4 * columns}]
        if metadata.rendering is Rendering.CAMERA:
            rendering = {name: torch.from_numpy(value) for name, value in rendering_defaults().items()}
            sizes += [None] * len(rendering)
    return {"mosaic": mosaic.to(torch.uint16), **tensors, **features, **rendering}, sizes


def name_sizes(model: onnx.ModelProto, part: Part) -> None:
    """Give the symbolic sizes of the inputs plain names, by which a session can fix them; the output's are dropped."""
    del model.graph.value_info[:]
    for value in model.graph.input:
        names = SIZE_NAMES[part].get(value.name, ())
        dimensions = value.type.tensor_type.shape.dim
        for dimension, name in zip(dimensions[len(dimensions) - len(names) :], names, strict=True):
            dimension.dim_param = name
    for value in model.graph.output:
        for dimension in value.type.tensor_type.shape.dim:
            dimension.ClearField("dim_param")
