"""The ways of running the network that are timed. Each imports only what it needs, when it is prepared.

Frames are simulated dark mosaics, the amplification is given except to one, all get the same threads. Times are from
memory to memory: what runs on a GPU takes the frame there and brings the picture back.

| backend | what runs | from -> to |
|---|---|---|
| pytorch | the training form, weight normalisation folded, eager, inference mode | float mosaic -> float picture |
| compiled | the same by `torch.compile`, which needs a C++ compiler | |
| plain | `torch.onnx.export` of the same as it comes, static size, in ONNX Runtime | float -> float |
| rdi | the exported file in ONNX Runtime, as `rdi infer` runs it | integer mosaic -> integer picture |
| rdi-estimating | the same file, the amplification estimated inside the graph | |
| rdi-paper, rdi-camera | the same weights, exported as if their output were the picture, or camera RGB | |
| rdi-light, rdi-root | the same weights, exported as if they worked on light, or on its root (`rdi.companding`) | |
| rdi-strips | its strips, as `rdi infer --max-memory` runs them, on a frame with the rows around it they need | |
| openvino-plain, openvino-rdi | the same two files in OpenVINO, float32 | |
| openvino-plain-bf16, openvino-rdi-bf16 | the same with the bfloat16 hint | |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.errors import UsageError
from rdi.graph_contract import WITH_DEFAULTS
from rdi.metadata import Companding, ModelMetadata, Rendering

Size = tuple[int, int]
Run = Callable[[], object]

CPU = "cpu"
BLACK, WHITE = 512.0, 16383.0
AMPLIFICATION = 100.0


class Backend(StrEnum):
    """A way of running the network; see the module."""

    PYTORCH = "pytorch"
    COMPILED = "compiled"
    PLAIN = "plain"
    RDI = "rdi"
    RDI_ESTIMATING = "rdi-estimating"
    RDI_PAPER = "rdi-paper"
    RDI_CAMERA = "rdi-camera"
    RDI_LIGHT = "rdi-light"
    RDI_ROOT = "rdi-root"
    RDI_STRIPS = "rdi-strips"
    OPENVINO_PLAIN = "openvino-plain"
    OPENVINO_RDI = "openvino-rdi"
    OPENVINO_PLAIN_BF16 = "openvino-plain-bf16"
    OPENVINO_RDI_BF16 = "openvino-rdi-bf16"

    @property
    def needs_openvino(self) -> bool:
        """Whether the package openvino is needed."""
        return self.value.startswith("openvino")

    @property
    def pretended(self) -> Mapping[str, Any]:
        """Fields of the metadata with which the weights are exported anew; none for what takes the model as it is."""
        return _PRETENDED.get(self, {})


_PRETENDED: Mapping[Backend, Mapping[str, Any]] = {
    Backend.RDI_PAPER: {"rendering": Rendering.PAPER},
    Backend.RDI_CAMERA: {"rendering": Rendering.CAMERA},
    Backend.RDI_LIGHT: {"companding": Companding.NONE},
    Backend.RDI_ROOT: {"companding": Companding.ROOT},
}


@dataclass(frozen=True)
class Candidate:
    """A backend, and the provider that it runs on: one of ONNX Runtime's by rdi's name; PyTorch knows cpu and cuda."""

    backend: Backend
    provider: str = CPU

    def __str__(self) -> str:
        return str(self.backend) if self.provider == CPU else f"{self.backend} on {self.provider}"


@dataclass(frozen=True)
class Files:
    """What the backends run: the weights, the exported model, and in a folder other exports of the weights."""

    checkpoint: Path
    model: Path
    folder: Path

    def plain(self, size: Size) -> Path:
        """The plain export for frames of one size."""
        return self.folder / f"plain-{size[0]}x{size[1]}.onnx"

    def pretending(self, backend: Backend) -> Path:
        """The export with a backend's metadata."""
        return self.folder / f"{backend}.onnx"


def require_multiple(size: Size) -> None:
    """UsageError for a size against the network's rule."""
    height, width = size
    if height % 32 or width % 32 or min(height, width) < 32:
        raise UsageError(f"size {height}x{width} is no multiple of 32; give HEIGHTxWIDTH, for example 2848x4256")


def prepare(candidate: Candidate, files: Files, size: Size, threads: int) -> Run:
    """A function that restores a frame of this size once. Imports only what the backend needs."""
    backend, provider = candidate.backend, candidate.provider
    match backend:
        case Backend.PYTORCH | Backend.COMPILED:
            return _pytorch(files.checkpoint, size, threads, provider, compiled=backend is Backend.COMPILED)
        case Backend.PLAIN:
            return _onnxruntime(files.plain(size), {"mosaic": _light(size)}, threads, provider)
        case Backend.RDI:
            return _rdi(files.model, size, threads, AMPLIFICATION, provider)
        case Backend.RDI_ESTIMATING:
            return _rdi(files.model, size, threads, 0.0, provider)
        case Backend.RDI_PAPER | Backend.RDI_CAMERA | Backend.RDI_LIGHT | Backend.RDI_ROOT:
            return _rdi(files.pretending(backend), size, threads, AMPLIFICATION, provider)
        case Backend.RDI_STRIPS:
            return _rdi_strips(files.model, size, threads)
        case _:
            precision = "bf16" if backend.endswith("bf16") else "f32"
            if backend in (Backend.OPENVINO_RDI, Backend.OPENVINO_RDI_BF16):
                return _openvino(*given_model(files.model, size), threads, precision)
            return _openvino(files.plain(size).read_bytes(), {"mosaic": _light(size)}, threads, precision)


def _pytorch(checkpoint: Path, size: Size, threads: int, device: str, *, compiled: bool) -> Run:
    import torch

    from rdi.checkpoint import load_checkpoint
    from rdi.network import fold_weight_norm, plain_network

    torch.set_num_threads(threads)
    network = plain_network(fold_weight_norm(load_checkpoint(checkpoint).network)).to(device)
    restore = torch.compile(network) if compiled else network
    light = torch.from_numpy(_light(size))

    def run() -> object:
        with torch.inference_mode():
            return restore(light.to(device)).cpu()

    return run


def _onnxruntime(path: Path, inputs: dict[str, Any], threads: int, provider: str) -> Run:
    from rdi.runtime.providers import Provider
    from rdi.runtime.sessions import make_session, run_session

    return partial(run_session, make_session(path.read_bytes(), Provider(provider), threads), inputs, "rgb")


def _rdi(path: Path, size: Size, threads: int, amplification: float, provider: str) -> Run:
    from rdi.runtime.model import open_model
    from rdi.runtime.providers import Provider
    from rdi.runtime.sessions import Sessions, run_session

    model = open_model(path)
    session = Sessions(model, Provider(provider), threads).get(*size)
    inputs = {**frame_levels(), **rendering_of(model.metadata), **inputs_of(size, amplification)}
    return partial(run_session, session, inputs, "rgb")


def _rdi_strips(path: Path, size: Size, threads: int) -> Run:
    from rdi.camera import Cfa, RawPhoto
    from rdi.camera.photo import MARGIN, plan_alignment
    from rdi.runtime.budget import TALLEST, heights_of
    from rdi.runtime.model import open_model
    from rdi.runtime.providers import Provider
    from rdi.runtime.strip_file import open_strip_file
    from rdi.runtime.strips import Levels, StripSessions, restore_photo

    photo = RawPhoto(_mosaic(size)[0, 0], Cfa.RGGB, np.array(BLACK), WHITE)
    frame = plan_alignment(photo, Cfa.RGGB, 32, MARGIN)
    levels = Levels(frame.black_level, WHITE, (frame.gains * AMPLIFICATION).astype(np.float32))
    model = open_model(path)
    sessions = StripSessions(open_strip_file(model), Provider.CPU, threads)
    heights = heights_of(TALLEST, frame.shape[0])
    rendering = rendering_of(model.metadata)

    def run() -> object:
        picture = np.empty((*photo.mosaic.shape, 3), dtype=np.uint16)
        for rows, strip in restore_photo(sessions, frame, levels, heights, rendering):
            picture[rows] = strip
        return picture

    return run


def _openvino(content: bytes, inputs: dict[str, Any], threads: int, precision: str) -> Run:
    import openvino

    core = openvino.Core()
    model = core.read_model(content)
    model.reshape({name: list(values.shape) for name, values in inputs.items()})
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return partial(request.infer, inputs, share_inputs=True, share_outputs=True)


def given_model(path: Path, size: Size) -> tuple[bytes, dict[str, NDArray[Any]]]:
    """The model with all inputs to be given, and their values: OpenVINO takes a default for a constant."""
    from rdi.runtime.given_inputs import without_defaults
    from rdi.runtime.model import read_metadata

    scalars = {"m": np.array(1, dtype=np.float32)}
    inputs = {**frame_levels(), **scalars, **rendering_of(read_metadata(path)), **inputs_of(size)}
    return without_defaults(path.read_bytes(), WITH_DEFAULTS), inputs


def frame_levels() -> dict[str, NDArray[Any]]:
    """The levels of the frame, and gains of one."""
    values = {"black_level": np.full(4, BLACK), "white_level": np.array(WHITE), "gains": np.ones(4)}
    return {name: value.astype(np.float32) for name, value in values.items()}


def rendering_of(metadata: ModelMetadata) -> Mapping[str, NDArray[Any]]:
    """How camera RGB becomes a picture, for a model that gives it: as if a Sony A7S II had taken the frame."""
    from rdi.camera import Cfa, RawPhoto
    from rdi.runtime.gamut import Gamut, rendering_inputs

    photo = RawPhoto(np.zeros((2, 2), dtype=np.uint16), Cfa.RGGB, np.array(BLACK), WHITE)
    return rendering_inputs(metadata, photo, Gamut.COMPRESS)


def inputs_of(size: Size, amplification: float = AMPLIFICATION) -> dict[str, NDArray[Any]]:
    """A dark frame and the amplification, as the graph contract names them; 0: to be estimated."""
    return {"mosaic": _mosaic(size), "amplification": np.array(amplification, dtype=np.float32)}


def _mosaic(size: Size) -> NDArray[np.uint16]:
    generator = np.random.default_rng(0)
    light = np.linspace(2, 250, size[1])
    return (BLACK + generator.poisson(light, size)).astype(np.uint16)[None, None]


def _light(size: Size) -> NDArray[np.float32]:
    """The same frame as float, amplified: what the network itself is given."""
    light = (_mosaic(size) - BLACK) * (AMPLIFICATION / (WHITE - BLACK))
    return np.asarray(np.maximum(light, 0), dtype=np.float32)
