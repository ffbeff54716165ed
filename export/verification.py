"""Does a model file compute what the trained network computes? Every answer is a figure with a bound.

Two kinds of check complement each other. The comparisons run the file and the unfolded PyTorch network on the same
frames: they find a wrong connection, order, border or rounding, and a wrong weight where its effect is larger than the
bound. The inventory compares the file's stored numbers with the checkpoint's bit for bit: it finds any changed weight,
however little it does to the frames.
"""

from collections.abc import Iterator
from itertools import cycle, product

import numpy as np
import onnx
import torch

from rdi.checkpoint import Checkpoint, weights_digest
from rdi.errors import VerificationError
from rdi.export.deployment import DeploymentNetwork
from rdi.export.frames import PATTERNS, amplifier_frames, mosaic_of
from rdi.export.graph import graph_of
from rdi.export.half import stored_weights
from rdi.export.half_checks import check_overflow, check_psnr
from rdi.export.onnx_graph import default_inputs, require_contract
from rdi.export.picture_checks import (
    PSNR_CHECK,
    PSNR_MARGIN,
    SEED,
    all_cases,
    camera_levels,
    check_pictures,
    difference,
    expectation,
    worse,
)
from rdi.export.reference import expected_amplification
from rdi.export.report import Check
from rdi.export.session import GraphSession
from rdi.export.settings import DEFAULT_MIN_PSNR
from rdi.export.strip_checks import check_strips
from rdi.metadata import ModelMetadata, Precision
from rdi.network import fold_weight_norm, plain_network

AMPLIFICATION_BOUND = 1e-6
FOLDING_BOUND = 1e-6
DEPLOYMENT_BOUND = 5e-6  # float32 sums of up to thousands of products in another order
AMPLIFIER_SIZES = ((64, 96), (256, 256), (352, 480))

# What a file must say as its checkpoint does; the other fields are figures and texts that no computation rests on.
RULES = ("network", "variant", "rendering", "curve", "size_multiple", "cfa", "white_balance", "m", "m_convention")


def verify(
    content: bytes,
    checkpoint: Checkpoint,
    provider: str = "cpu",
    min_psnr: float | None = None,
    strips: bytes | None = None,
) -> Iterator[Check]:
    """All checks of a model file's bytes against a checkpoint, one after the other, cheap ones first.

    min_psnr: dB, of a file in half precision; None: what the file was exported with
    strips:   of the same model, for the CPU; None: without this check
    """
    model = onnx.load_from_string(content)
    metadata = metadata_of(model)
    precision = metadata.precision
    yield check_folding(checkpoint)
    yield check_deployment(checkpoint)
    yield check_file(model)
    yield check_metadata(metadata, checkpoint)
    yield check_weights(model, checkpoint, precision)
    session = GraphSession(content, provider)
    yield check_amplifier(session, checkpoint)
    yield check_estimated_picture(session, checkpoint, precision)
    yield check_defaults(session, checkpoint)
    least = least_psnr(metadata) if min_psnr is None else min_psnr
    if precision is not Precision.FP32:
        near = check_psnr(checkpoint, precision, least)
        yield near
        least = max(least, near.figure - PSNR_MARGIN)
    if precision is Precision.FP16_COMPUTE:
        yield check_overflow(checkpoint)
    if strips is not None and provider == "cpu":
        yield check_strips(content, strips, metadata)
    yield from check_pictures(content, checkpoint, provider, precision, least)


def metadata_of(model: onnx.ModelProto) -> ModelMetadata:
    """What a model says of itself; ModelError where it is not ours."""
    return ModelMetadata.from_strings({item.key: item.value for item in model.metadata_props}, "the model")


def least_psnr(metadata: ModelMetadata) -> float:
    """The bound that a file was exported with, dB, or the usual one."""
    check = metadata.parity.get(PSNR_CHECK)
    return float(check["bound"]) if isinstance(check, dict) and "bound" in check else DEFAULT_MIN_PSNR


def check_folding(checkpoint: Checkpoint) -> Check:
    """The network without weight normalisation against the one with it, both in PyTorch."""
    folded = plain_network(fold_weight_norm(checkpoint.network))
    x = torch.rand((1, 1, 128, 160), generator=torch.Generator().manual_seed(SEED))
    with torch.inference_mode():
        difference = (folded.unclamped(x) - checkpoint.network.unclamped(x)).abs().max()
    return Check("weight normalisation folded", float(difference), FOLDING_BOUND, "largest difference")


def check_deployment(checkpoint: Checkpoint) -> Check:
    """The deployment form against the trained network, both in PyTorch and before the clip: of the largest value."""
    network = graph_of(checkpoint).network
    assert isinstance(network, DeploymentNetwork)
    worst = 0.0
    for size, cases in all_cases(checkpoint.metadata.cfa):
        for case in cases[::3]:  # one of each pattern: the amplification is not the networks' business
            x = torch.from_numpy(case.light(size, checkpoint.metadata))[None, None]
            with torch.inference_mode():
                trained = checkpoint.network.unclamped(x).permute(0, 2, 3, 1)
                error = (network.unclamped(x) - trained).abs().max() / trained.abs().max()
            worst = worse(worst, float(error))
    return Check("deployment form against training form", worst, DEPLOYMENT_BOUND, "of the largest value")


def check_file(model: onnx.ModelProto) -> Check:
    """ONNX's own checker with shape inference, and the graph contract: inputs, defaults, `If`, names of the sizes."""
    try:
        onnx.checker.check_model(model, full_check=True)
        require_contract(model, metadata_of(model).rendering)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, VerificationError):
        return Check("ONNX checker and graph contract", 1, 0, "complaints")
    return Check("ONNX checker and graph contract", 0, 0, "complaints")


def check_metadata(found: ModelMetadata, checkpoint: Checkpoint) -> Check:
    """The rules in the file's metadata are the checkpoint's, and its hash is that of the checkpoint's weights."""
    differing = sum(getattr(found, rule) != getattr(checkpoint.metadata, rule) for rule in RULES)
    differing += found.weights_sha256 != weights_digest(checkpoint.network)
    return Check("rules and weights hash in the metadata", differing, 0, "differing fields")


def check_weights(model: onnx.ModelProto, checkpoint: Checkpoint, precision: Precision) -> Check:
    """Every number that the exported module holds stands in the file under its name, bit for bit, and is used."""
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    used = set(_used_names(model.graph))
    differing = 0
    for name, wanted in stored_weights(graph_of(checkpoint, precision), precision).items():
        found = stored.get(name)
        same = found is not None and found.dtype == wanted.dtype and found.tobytes() == wanted.tobytes()
        differing += not (same and found is not None and found.shape == wanted.shape and name in used)
    return Check("weights in the graph", differing, 0, "tensors that differ")


def check_amplifier(session: GraphSession, checkpoint: Checkpoint) -> Check:
    """The estimate in the graph against `rdi.amplifier`, black, white and mixed frames among them."""
    worst = 0.0
    generator = np.random.default_rng(SEED)
    for settings, (height, width) in product(camera_levels(checkpoint.metadata.cfa), AMPLIFIER_SIZES):
        for mosaic, m in zip(amplifier_frames(height, width, settings, generator), cycle((1.0, 5.0, 8.0))):
            expected = expected_amplification(checkpoint, mosaic, settings, m)
            worst = worse(worst, abs(session.estimate(mosaic, settings, m) / expected - 1))
    return Check("amplifier", worst, AMPLIFICATION_BOUND, "relative difference")


def check_estimated_picture(session: GraphSession, checkpoint: Checkpoint, precision: Precision) -> Check:
    """A frame that the graph amplifies itself: the estimate reaches the picture."""
    settings = camera_levels(checkpoint.metadata.cfa)[1]
    mosaic = mosaic_of(PATTERNS["ramp"](96, 128, np.random.default_rng(SEED)), settings, checkpoint.metadata.cfa, 50)
    amplification = expected_amplification(checkpoint, mosaic, settings, 5.0)
    picture, _ = session.run_with(mosaic, settings, amplification=0, m=5.0)
    reference, bound = expectation(checkpoint, precision)
    expected = reference.picture(mosaic, settings, amplification)
    return Check("picture, amplification estimated", difference(picture, expected), bound, "largest difference")


def check_defaults(session: GraphSession, checkpoint: Checkpoint) -> Check:
    """A run with the mosaic alone equals one in which every default is given."""
    defaults = default_inputs(checkpoint.metadata)
    settings = camera_levels(checkpoint.metadata.cfa)[0]
    mosaic = mosaic_of(PATTERNS["random"](64, 96, np.random.default_rng(SEED)), settings, checkpoint.metadata.cfa, 100)
    alone, used_alone = session.run(mosaic)
    given, used_given = session.run(mosaic, defaults)
    differing = int((alone != given).sum()) + (used_alone != used_given)
    return Check("defaults", differing, 0, "differing values")


def _used_names(graph: onnx.GraphProto) -> Iterator[str]:
    """Names that nodes read, in branches too."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _used_names(attribute.g)
