"""The plain export: what `torch.onnx.export` makes of the folded network as it was trained.

It is the baseline that the deployment form is measured against: static size, float32 in and out, nothing re-arranged.
"""

import onnx
import torch

from rdi.checkpoint import Checkpoint
from rdi.export.onnx_graph import quiet_exporter
from rdi.export.settings import OPSETS
from rdi.network import fold_weight_norm, plain_network


def plain_model(checkpoint: Checkpoint, height: int, width: int, opset: int = OPSETS.start) -> onnx.ModelProto:
    """The training form with weight normalisation folded, for frames of one size.

    The model takes `mosaic` (1, 1, height, width) float32, normalised and amplified, and gives `rgb` (1, 3, height,
    width) float32 in [0, 1]; both sizes are multiples of 32.
    """
    network = plain_network(fold_weight_norm(checkpoint.network))
    with quiet_exporter():
        program = torch.onnx.export(
            network,
            (torch.zeros((1, 1, height, width)),),
            dynamo=True,
            opset_version=opset,
            input_names=["mosaic"],
            output_names=["rgb"],
            verbose=False,
        )
    assert program is not None
    return program.model_proto
