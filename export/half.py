"""Half precision: of the weights alone, or of the whole network.

| precision | stored as float16 | computed in | for |
|---|---|---|---|
| fp16 | weights, each with a `Cast` that onnxruntime runs once for a session | float32 | half of the file |
| fp16-compute | weights and biases | float16, first convolution to last | GPUs, half of the file |

One graph cannot serve both: onnxruntime's CPU kernels compute in float32, so that halves between them cost a conversion
each way and the fast layouts. Levels, amplifier, edges and rounding are float32 in either.
"""

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from rdi.export.deployment import DeploymentNetwork
from rdi.export.deployment.convolution import Convolution
from rdi.metadata import Precision

SUFFIX = ".half"  # of a stored weight's name; the name itself stays what the convolutions read


def in_precision(network: DeploymentNetwork, precision: Precision) -> DeploymentNetwork:
    """The network as a file of this precision has it; it is changed in place."""
    match precision:
        case Precision.FP16:
            round_weights(network)
        case Precision.FP16_COMPUTE:
            network.half()
    return network


def round_weights(module: nn.Module) -> None:
    """Round the weights of every convolution to what float16 can hold; they stay float32."""
    for layer in module.modules():
        if isinstance(layer, Convolution):
            layer.weight = layer.weight.to(torch.float16).to(torch.float32)


def store_as_half(model: onnx.ModelProto) -> None:
    """Replace the convolutions' weights, which float16 can hold, by float16 and a `Cast`; nothing else changes."""
    casts = []
    for item in model.graph.initializer:
        if item.data_type == TensorProto.FLOAT and len(item.dims) == 4:
            name, values = item.name, numpy_helper.to_array(item)
            half = values.astype(np.float16)
            assert (half == values).all(), f"{name} was not rounded"
            item.CopyFrom(numpy_helper.from_array(half, name + SUFFIX))
            casts.append(helper.make_node("Cast", [name + SUFFIX], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])  # a graph's nodes stand in the order in which they run


def stored_weights(module: nn.Module, precision: Precision) -> dict[str, NDArray[np.generic]]:
    """Name -> numbers of everything that a module's file holds, in the type in which it is stored."""
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    if precision is not Precision.FP16:
        return arrays
    return {
        name + SUFFIX if values.ndim == 4 else name: values.astype(np.float16) if values.ndim == 4 else values
        for name, values in arrays.items()
    }
