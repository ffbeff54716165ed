"""A model that costs nothing: by the graph contract, with a grey picture of the mosaic in place of the network."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera import Cfa
from rdi.metadata import ModelMetadata
from rdi.seal import seal


def write_grey_model(path: Path, cfa: Cfa) -> Path:
    """Write one for Bayer (RGGB) or X-Trans."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    defaults: dict[str, NDArray[Any]] = {
        "black_level": np.full(cfa.sites, 512, dtype=np.float32),
        "white_level": np.array(16383, dtype=np.float32),
        "gains": np.ones(cfa.sites, dtype=np.float32),
        "amplification": np.array(1, dtype=np.float32),
        "m": np.array(5, dtype=np.float32),
    }
    constants: dict[str, NDArray[Any]] = {
        "zero": np.array(0, dtype=np.float32),
        "one": np.array(1, dtype=np.float32),
        "full": np.array(65535, dtype=np.float32),
    }
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Cast", ["mosaic"], "counts", {"to": TensorProto.FLOAT}),
        ("ReduceMean", ["black_level"], "black", {"keepdims": 0}),
        ("ReduceMean", ["gains"], "gain", {"keepdims": 0}),
        ("Sub", ["counts", "black"], "signal", {}),
        ("Sub", ["white_level", "black"], "span", {}),
        ("Div", ["signal", "span"], "x", {}),
        ("Add", ["amplification", "zero"], "amplification_used", {}),
        ("Mul", ["x", "amplification_used"], "amplified", {}),
        ("Mul", ["amplified", "gain"], "balanced", {}),
        ("Clip", ["balanced", "zero", "one"], "clipped", {}),
        ("Mul", ["clipped", "full"], "scaled", {}),
        ("Cast", ["scaled"], "grey", {"to": TensorProto.UINT16}),
        ("Concat", ["grey", "grey", "grey"], "planes", {"axis": 1}),
        ("Transpose", ["planes"], "rgb", {"perm": [0, 2, 3, 1]}),
    ]
    values = {**defaults, **constants}
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], **attributes) for kind, inputs, output, attributes in steps],
        "grey",
        [helper.make_tensor_value_info("mosaic", TensorProto.UINT16, [1, 1, "height", "width"])]
        + [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in defaults.items()],
        [
            helper.make_tensor_value_info("rgb", TensorProto.UINT16, [1, "height", "width", 3]),
            helper.make_tensor_value_info("amplification_used", TensorProto.FLOAT, []),
        ],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    helper.set_model_props(model, ModelMetadata(variant="grey", cfa=cfa).to_strings())
    onnx.checker.check_model(model)
    path.write_bytes(seal(model.SerializeToString()))
    return path
