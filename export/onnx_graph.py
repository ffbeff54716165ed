"""Module -> ONNX: tracing, simplification, defaults, metadata, in the order in which they do not undo each other.

onnxsim takes defaults for constants (it would remove the inputs and fold the `If` away), so they are added after it; it
writes metadata of its own, so ours come last. Nothing that computes is edited here.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
import onnxscript.optimizer
import onnxsim
import torch
from numpy.typing import NDArray
from onnxscript import opset21
from torch import Tensor, nn

from rdi.camera.photo import DEFAULT_CAMERA_TO_SRGB, DEFAULT_GAINS
from rdi.errors import VerificationError
from rdi.export.deployment.picture import LARGEST
from rdi.export.graph import RestorationGraph
from rdi.export.half import store_as_half
from rdi.export.settings import ExportSettings
from rdi.graph_contract import OUTPUTS, SIZE_NAMES, inputs_of
from rdi.metadata import ModelMetadata, Precision, Rendering, WhiteBalance

# Values: constants above it are computed when a session is made, not stored: the 65,536 raw values of the amplifier's
# table alone would add a twelfth to the file.
LARGEST_CONSTANT = 16_384

Defaults = dict[str, NDArray[np.float32]]


def default_inputs(metadata: ModelMetadata) -> Defaults:
    """What stands for an input that is not given: the levels and the daylight balance of a Sony A7S II."""
    cfa = metadata.cfa
    baked = metadata.white_balance is WhiteBalance.BAKED
    gains = np.ones(cfa.sites) if baked else cfa.per_site(DEFAULT_GAINS)
    defaults = {
        "black_level": np.full(cfa.sites, 512, dtype=np.float32),
        "white_level": np.array(16383, dtype=np.float32),
        "gains": gains.astype(np.float32),
        "amplification": np.array(0, dtype=np.float32),
        "m": np.array(metadata.m, dtype=np.float32),
    }
    return defaults | (rendering_defaults() if metadata.rendering is Rendering.CAMERA else {})


def rendering_defaults() -> Defaults:
    """How a network's camera RGB is rendered if nothing is said: by the matrix of a Sony A7S II, into the gamut."""
    return {
        "camera_to_srgb": DEFAULT_CAMERA_TO_SRGB.astype(np.float32),
        "gamut_compression": np.array(1, dtype=np.float32),
    }


def build_model(module: RestorationGraph, metadata: ModelMetadata, settings: ExportSettings) -> onnx.ModelProto:
    """The finished model: traced, simplified, with named sizes, defaults and metadata.

    Raises VerificationError where a step broke the graph contract.
    """
    defaults = default_inputs(metadata)
    model = trace(module, defaults, metadata.size_multiple, settings.opset)
    if settings.simplify:
        model = simplify(model)
    if metadata.precision is Precision.FP16:
        store_as_half(model)
    drop_notes(model)
    name_sizes(model)
    add_defaults(model, defaults)
    set_metadata(model, metadata)
    require_contract(model, metadata.rendering)
    return model


def trace(module: RestorationGraph, defaults: Defaults, multiple: int, opset: int) -> onnx.ModelProto:
    """Export with torch's dynamo exporter; height and width symbolic, each a multiple of `multiple`."""
    # A size of 1 x multiple would be taken for a constant, and equal ones for one and the same size.
    mosaic = torch.zeros((1, 1, 2 * multiple, 3 * multiple), dtype=torch.int32).to(torch.uint16)
    arguments = (mosaic, *(torch.from_numpy(value) for value in defaults.values()))
    sizes = {axis + 2: multiple * torch.export.Dim(name) for axis, name in enumerate(SIZE_NAMES)}
    shapes = (sizes, *(None for _ in defaults))
    return to_onnx(module, arguments, ["mosaic", *defaults], tuple(OUTPUTS), shapes, opset)


def to_onnx(
    module: nn.Module,
    arguments: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic_shapes: Sequence[dict[int, Any] | None],
    opset: int,
) -> onnx.ModelProto:
    """A module as torch's dynamo exporter writes it, small constants folded.

    dynamic_shapes: for each argument, what is symbolic: axis -> `torch.export.Dim`, or a multiple of one
    """
    with quiet_exporter():
        program = torch.onnx.export(
            module.eval(),
            arguments,
            dynamo=True,
            opset_version=opset,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=tuple(dynamic_shapes) if any(dynamic_shapes) else None,
            custom_translation_table={
                torch.ops.rdi.quantise.default: quantise,
                torch.ops.rdi.look_up.default: look_up,
                torch.ops.rdi.clamp_to.default: clamp_to,
            },
            optimize=False,  # it would store every constant, however large
            verbose=False,
        )
        assert program is not None
        onnxscript.optimizer.optimize(program.model, output_size_limit=LARGEST_CONSTANT)
        return program.model_proto


def quantise(values: Any) -> Any:
    """`rdi.export.deployment.picture.quantise` in ONNX: one operator, which divides, rounds and clips at once."""
    if values.dtype == onnx.TensorProto.FLOAT16:
        return quantise_halves(values)
    scale = onnx.helper.make_tensor("scale", onnx.TensorProto.FLOAT, [], [1 / LARGEST])
    zero = onnx.helper.make_tensor("zero", onnx.TensorProto.UINT16, [], [0])
    return opset21.QuantizeLinear(values, opset21.Constant(value=scale), opset21.Constant(value=zero))  # type: ignore[type-var]


def quantise_halves(values: Any) -> Any:
    """The same step by step. Halves are for CUDA, whose `QuantizeLinear` knows no uint16: it would run on the CPU."""
    constants: list[Any] = [opset21.Constant(value_float=value) for value in (0.0, 1.0, float(LARGEST))]
    zero, one, largest = constants
    clipped: Any = opset21.Clip(opset21.Cast(values, to=onnx.TensorProto.FLOAT), zero, one)
    scaled: Any = opset21.Mul(clipped, largest)
    rounded: Any = opset21.Round(scaled)
    return opset21.Cast(rounded, to=onnx.TensorProto.UINT16)


def look_up(tables: Any, places: Any) -> Any:
    """`rdi.export.amplifier.look_up` in ONNX."""
    return opset21.GatherElements(tables, places, axis=1)


def clamp_to(values: Any, lowest: Any, highest: Any) -> Any:
    """`rdi.export.deployment.rendering.clamp_to` in ONNX."""
    return opset21.Clip(values, lowest, highest)


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fold and merge what onnxsim can."""
    simplified: onnx.ModelProto
    simplified, _ = onnxsim.simplify(model, tensor_size_threshold=f"{LARGEST_CONSTANT * 4 // 1024}KB")
    return simplified


def drop_notes(model: onnx.ModelProto) -> None:
    """Remove what the tools wrote about their own work: traces of the source with paths, versions, doc strings."""
    del model.metadata_props[:]
    for graph in (model.graph, *_branches(model.graph)):
        del graph.metadata_props[:]
        for item in (*graph.node, *graph.input, *graph.output, *graph.initializer):
            del item.metadata_props[:]
            item.doc_string = ""


def _branches(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield attribute.g
                yield from _branches(attribute.g)


def name_sizes(model: onnx.ModelProto) -> None:
    """Call the symbolic sizes `height` and `width`, on input and outputs; their names in between are dropped.

    The exporter writes "32*height"; a session can fix a size only by a plain name.
    """
    del model.graph.value_info[:]
    for value in (*model.graph.input, *model.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = dimension.dim_param.rpartition("*")[2]


def add_defaults(model: onnx.ModelProto, defaults: Defaults) -> None:
    """Give inputs their defaults: an initialiser of the same name; the inputs stay, so a caller can override them."""
    for name, value in defaults.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))


def set_metadata(model: onnx.ModelProto, metadata: ModelMetadata) -> None:
    """Replace the model's metadata by ours."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata.to_strings())


def require_contract(model: onnx.ModelProto, rendering: Rendering) -> None:
    """Refuse a graph in which a tool folded something away: inputs, outputs, defaults, the `If`, names of the sizes."""
    wanted = inputs_of(rendering)
    shapes = {value.name: _shape(value) for value in (*model.graph.input, *model.graph.output)}
    initialisers = {item.name for item in model.graph.initializer}
    found = {
        "inputs": [(value.name, _type(value)) for value in model.graph.input] == list(wanted.items()),
        "outputs": [(value.name, _type(value)) for value in model.graph.output] == list(OUTPUTS.items()),
        "defaults": initialisers.issuperset(name for name in wanted if name != "mosaic"),
        "sizes": shapes.get("mosaic") == [1, 1, *SIZE_NAMES] and shapes.get("rgb") == [1, *SIZE_NAMES, 3],
        "If": sum(node.op_type == "If" for node in model.graph.node) == 1,
        "standard operators": {item.domain for item in model.opset_import} <= {""} and not model.functions,
    }
    missing = [name for name, there in found.items() if not there]
    if missing:
        raise VerificationError(f"the exported graph broke the graph contract: {', '.join(missing)}")


def _type(value: onnx.ValueInfoProto) -> str:
    """As ONNX Runtime spells it."""
    return f"tensor({onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()})"


def _shape(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dimension.dim_param or dimension.dim_value for dimension in value.type.tensor_type.shape.dim]


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep two known notes of the exporter from the terminal: nobody can act on them. All others come through."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")  # "torchvision is not installed"
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13's exporter trips over its own pytree deprecation.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        registration.setLevel(level)
