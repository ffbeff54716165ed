"""Does a model file compute what the trained network computes? Every answer is a figure with a bound.

Two kinds of check complement each other. The comparisons run the file and the unfolded PyTorch network on the same
frames: they find a wrong connection, order, border or rounding, and a wrong weight where its effect is larger than the
bound. The inventory compares the file's stored numbers with the checkpoint's bit for bit: it finds any changed weight,
however little it does to the frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product

import numpy as np
import onnx
import torch

from rdi.camera.cfa import Cfa
from rdi.camera.photo import DEFAULT_GAINS
from rdi.checkpoint import Checkpoint, weights_digest
from rdi.errors import VerificationError
from rdi.export.deployment.picture import LARGEST
from rdi.export.frames import PATTERNS, Mosaic, Settings, amplifier_frames, level_sets, mosaic_of
from rdi.export.graph import graph_of
from rdi.export.onnx_graph import default_inputs, require_contract
from rdi.export.reference import Floats, expected_amplification, expected_picture
from rdi.export.report import Check
from rdi.export.session import GraphSession, Picture
from rdi.metadata import ModelMetadata
from rdi.network import fold_weight_norm, plain_network

# Half a step of the integer output, and the rounding of two float32 networks that sum in different orders.
PICTURE_BOUND = 0.5 / LARGEST + 1e-5
AMPLIFICATION_BOUND = 1e-6
FOLDING_BOUND = 1e-6
CLIPPED_BOUND = 0.95  # with more of the output at 0 or 1 than that, comparing pictures would say little

# The smallest frame, all border; a wide and a high one; and, for one pattern, a frame with pixels beyond the reach of
# its borders: the network looks 512 pixels far.
SIZES = ((32, 32), (64, 96), (96, 608), (608, 64), (320, 288))
LARGE = (1088, 1056)
AMPLIFICATIONS = (1.0, 30.0, 300.0)
AMPLIFIER_SIZES = ((64, 96), (256, 256), (352, 480))
SEED = 5

# What a file must say as its checkpoint does; the other fields are figures and texts that no computation rests on.
RULES = ("network", "variant", "rendering", "curve", "size_multiple", "cfa", "white_balance", "m", "m_convention")


def verify(content: bytes, checkpoint: Checkpoint, provider: str = "cpu") -> Iterator[Check]:
    """All checks of a model file's bytes against a checkpoint, one after the other, cheap ones first."""
    model = onnx.load_from_string(content)
    yield check_folding(checkpoint)
    yield check_file(model)
    yield check_metadata(model, checkpoint)
    yield check_weights(model, checkpoint)
    session = GraphSession(content, provider)
    yield check_amplifier(session, checkpoint)
    yield check_estimated_picture(session, checkpoint)
    yield check_defaults(session, checkpoint)
    yield from check_pictures(content, checkpoint, provider)


def check_folding(checkpoint: Checkpoint) -> Check:
    """The network without weight normalisation against the one with it, both in PyTorch."""
    folded = plain_network(fold_weight_norm(checkpoint.network))
    x = torch.rand((1, 1, 128, 160), generator=torch.Generator().manual_seed(SEED))
    with torch.inference_mode():
        difference = (folded.unclamped(x) - checkpoint.network.unclamped(x)).abs().max()
    return Check("weight normalisation folded", float(difference), FOLDING_BOUND, "largest difference")


def check_file(model: onnx.ModelProto) -> Check:
    """ONNX's own checker with shape inference, and the graph contract: inputs, defaults, `If`, names of the sizes."""
    try:
        onnx.checker.check_model(model, full_check=True)
        require_contract(model)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, VerificationError):
        return Check("ONNX checker and graph contract", 1, 0, "complaints")
    return Check("ONNX checker and graph contract", 0, 0, "complaints")


def check_metadata(model: onnx.ModelProto, checkpoint: Checkpoint) -> Check:
    """The rules in the file's metadata are the checkpoint's, and its hash is that of the checkpoint's weights."""
    strings = {item.key: item.value for item in model.metadata_props}
    found = ModelMetadata.from_strings(strings, "the model")
    differing = sum(getattr(found, rule) != getattr(checkpoint.metadata, rule) for rule in RULES)
    differing += found.weights_sha256 != weights_digest(checkpoint.network)
    return Check("rules and weights hash in the metadata", differing, 0, "differing fields")


def check_weights(model: onnx.ModelProto, checkpoint: Checkpoint) -> Check:
    """Every number that the exported module holds stands in the file under its name, bit for bit, and is used."""
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    used = set(_used_names(model.graph))
    differing = 0
    for name, tensor in graph_of(checkpoint).state_dict().items():
        wanted, found = tensor.numpy(), stored.get(name)
        same = found is not None and found.dtype == wanted.dtype and found.tobytes() == wanted.tobytes()
        differing += not (same and found is not None and found.shape == wanted.shape and name in used)
    return Check("weights in the graph", differing, 0, "tensors that differ")


def check_amplifier(session: GraphSession, checkpoint: Checkpoint) -> Check:
    """The estimate in the graph against `rdi.amplifier`, black, white and mixed frames among them."""
    worst = 0.0
    generator = np.random.default_rng(SEED)
    for settings, (height, width) in product(_level_sets(checkpoint), AMPLIFIER_SIZES):
        for mosaic, m in zip(amplifier_frames(height, width, settings, generator), cycle((1.0, 5.0, 8.0))):
            expected = expected_amplification(checkpoint, mosaic, settings, m)
            worst = max(worst, abs(session.estimate(mosaic, settings, m) / expected - 1))
    return Check("amplifier", worst, AMPLIFICATION_BOUND, "relative difference")


def check_estimated_picture(session: GraphSession, checkpoint: Checkpoint) -> Check:
    """A frame that the graph amplifies itself: the estimate reaches the picture."""
    settings = _level_sets(checkpoint)[1]
    mosaic = mosaic_of(PATTERNS["ramp"](96, 128, np.random.default_rng(SEED)), settings, checkpoint.metadata.cfa, 50)
    amplification = expected_amplification(checkpoint, mosaic, settings, 5.0)
    picture, _ = session.run_with(mosaic, settings, amplification=0, m=5.0)
    expected = expected_picture(checkpoint, mosaic, settings, amplification)
    return Check(
        "picture, amplification estimated", _difference(picture, expected), PICTURE_BOUND, "largest difference"
    )


def check_defaults(session: GraphSession, checkpoint: Checkpoint) -> Check:
    """A run with the mosaic alone equals one in which every default is given."""
    defaults = default_inputs(checkpoint.metadata)
    settings = _level_sets(checkpoint)[0]
    mosaic = mosaic_of(PATTERNS["random"](64, 96, np.random.default_rng(SEED)), settings, checkpoint.metadata.cfa, 100)
    alone, used_alone = session.run(mosaic)
    given, used_given = session.run(mosaic, defaults)
    differing = int((alone != given).sum()) + (used_alone != used_given)
    return Check("defaults", differing, 0, "differing values")


def check_pictures(content: bytes, checkpoint: Checkpoint, provider: str) -> Iterator[Check]:
    """The file's picture against PyTorch's float picture: patterns x sizes x levels x amplifications, open and fixed.

    Also that a given amplification is used as it is, and that enough of the pictures is not clipped.
    """
    worst = dict.fromkeys(PATTERNS, 0.0)
    wrongly_used, clipped, values = 0, 0, 0
    opened = GraphSession(content, provider)
    for size, cases in _cases(checkpoint):
        sessions = (opened, GraphSession(content, provider, size))
        for case in cases:
            mosaic = case.mosaic(size, checkpoint.metadata.cfa)
            expected = expected_picture(checkpoint, mosaic, case.settings, case.amplification)
            clipped += int(((expected <= 0) | (expected >= 1)).sum())
            values += expected.size
            for session in sessions:
                picture, used = session.run_with(mosaic, case.settings, amplification=case.amplification)
                worst[case.pattern] = max(worst[case.pattern], _difference(picture, expected))
                wrongly_used += used != case.amplification
    for pattern, figure in worst.items():
        yield Check(f"picture, {pattern} frames", figure, PICTURE_BOUND, "largest difference")
    yield Check("amplification given is used", wrongly_used, 0, "frames where not")
    yield Check("clipped part of these pictures", clipped / values, CLIPPED_BOUND, "of all values")


@dataclass(frozen=True, eq=False)
class Case:
    """One comparison of pictures."""

    pattern: str
    amplification: float
    settings: Settings

    def mosaic(self, size: tuple[int, int], cfa: Cfa) -> Mosaic:
        """Its frame, (H, W) uint16."""
        signal = PATTERNS[self.pattern](*size, np.random.default_rng(SEED))
        return mosaic_of(signal, self.settings, cfa, self.amplification)


def _cases(checkpoint: Checkpoint) -> Iterator[tuple[tuple[int, int], list[Case]]]:
    """Each size with its cases; levels rotate, so that they meet every pattern and every amplification."""
    levels = _level_sets(checkpoint)
    cases = [
        Case(pattern, amplification, levels[(i + k) % len(levels)])
        for i, pattern in enumerate(PATTERNS)
        for k, amplification in enumerate(AMPLIFICATIONS)
    ]
    yield from ((size, cases) for size in SIZES)
    yield LARGE, cases[1:2]


def _difference(picture: Picture, expected: Floats) -> float:
    """The largest difference in [0, 1] between an integer and a float picture; not a number where either has one."""
    return float(np.abs(picture / LARGEST - expected).max())


def _level_sets(checkpoint: Checkpoint) -> list[Settings]:
    cfa = checkpoint.metadata.cfa
    return level_sets(cfa, cfa.per_site(DEFAULT_GAINS))


def _used_names(graph: onnx.GraphProto) -> Iterator[str]:
    """Names that nodes read, in branches too."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _used_names(attribute.g)
