"""Fixtures that all folders' tests share."""

import io
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import Compression, dng_directory
from rdi.metadata import ModelMetadata
from rdi.seal import seal

ROOT = Path(__file__).resolve().parent.parent

# A shell starts what runs in the background with Ctrl-C ignored, and so would be every process that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("rdi", deadline=None)
hypothesis.settings.load_profile("rdi")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip("needs the real data in ../shared, which is not here")
    return folder


@pytest.fixture(scope="session")
def real_arw(shared: Path) -> Path:
    """A real dark photo: Sony ILCE-7RM3, ISO 3200, blue stage light."""
    return shared / "raws" / "sony_ilce7rm3_iso3200.ARW"


@pytest.fixture
def dark_photo() -> RawPhoto:
    """A small dark RGGB frame with a gradient and shot noise."""
    generator = np.random.default_rng(7)
    gradient = np.linspace(2, 300, 64 * 96).reshape(64, 96)
    mosaic = (512 + generator.poisson(gradient)).astype(np.uint16)
    return RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0)


@pytest.fixture
def small_photo() -> RawPhoto:
    """A noise frame with a different black level at each site."""
    mosaic = np.random.default_rng(3).integers(0, 1024, (40, 56)).astype(np.uint16)
    return RawPhoto(mosaic, Cfa.RGGB, np.array([10.0, 11, 12, 13]), 1023.0, iso=100, make="Acme", model="Night 1")


@pytest.fixture
def libraw_crashes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the processes that decode, LibRaw crashes on crash.dng and crash_long.dng; in this one it does not."""
    from rdi import child

    modules = tmp_path_factory.mktemp("modules")
    (modules / "crashing_libraw.py").write_text(
        "import os, pathlib, rawpy\n"
        "deadly, read = ('crash', 'crash_long'), rawpy.imread\n"
        "rawpy.imread = lambda file: os.abort() if pathlib.Path(file).stem in deadly else read(file)\n"
    )
    monkeypatch.syspath_prepend(str(modules))
    program = child._PROGRAM.replace("serve(sys", "import crashing_libraw; serve(sys")
    assert program != child._PROGRAM
    monkeypatch.setattr(child, "_PROGRAM", program)


@pytest.fixture
def hanging(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file: an isolated call that makes it is given up, as one that hangs; no other is, however long it takes.

    A real time-out would have to be longer than the start of a process on a computer that does something else, too.
    """
    sign = tmp_path_factory.mktemp("hanging") / "sign"

    class Watch(threading.Thread):
        """In place of a timer."""

        def __init__(self, _seconds: float, give_up: Callable[..., object], arguments: tuple[object, ...]) -> None:
            super().__init__()
            self.cancelled = threading.Event()
            self.give_up = partial(give_up, *arguments)

        def run(self) -> None:
            while not self.cancelled.wait(0.01):
                if sign.exists():
                    sign.unlink()
                    self.give_up()
                    return

        def cancel(self) -> None:
            self.cancelled.set()

    monkeypatch.setattr("rdi.isolated.Timer", Watch)
    return sign


@pytest.fixture
def write_variant(tmp_path: Path) -> Callable[..., Path]:
    """Write a photo as a DNG with some tags changed, {tag: (type, value)}, or left out, {tag: None}."""

    def write(photo: RawPhoto, fields: dict[int, Any], strip: bytes | None = None) -> Path:
        strip = photo.mosaic.astype("<u2").tobytes() if strip is None else strip
        directory = dng_directory(photo, len(strip), 16, Compression.NONE, "")
        for tag, field in fields.items():
            if field is None:
                del directory[tag]
            else:
                directory.tagtype[tag] = field[0]
                directory[tag] = field[1]
        buffer = io.BytesIO()
        directory.save(buffer)
        path = tmp_path / "variant.dng"
        path.write_bytes(buffer.getvalue() + strip)
        return path

    return write


def write_scene_pictures(folder: Path, count: int, height: int, width: int) -> None:
    """Bright pictures, each with gradients of its own and blurred noise, so that places can be told apart."""
    from PIL import Image

    folder.mkdir()
    rows, columns = np.mgrid[0:height, 0:width]
    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 90, (height // 12, width // 12, 3)).astype(np.uint8)
        noise = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.int64)
        ramps = np.stack([60 + 120 * rows // height, 50 + 120 * columns // width, 170 - 120 * rows // height], axis=2)
        Image.fromarray((ramps + noise - 45).clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")


@pytest.fixture(scope="session")
def sid_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature of SID by `rdi.sid_tree`, not to be changed: two training scenes (four pairs), one for validation.

    The Sony part has frames of 260x210 pixels, the Fuji part (X-Trans) of 560x520: LibRaw develops no smaller ones.
    """
    from rdi.darken import DarkCapture
    from rdi.sid_tree import write_sid_tree

    folder = tmp_path_factory.mktemp("sid")
    for cfa, height, width in ((Cfa.RGGB, 210, 260), (Cfa.XTRANS, 520, 560)):
        pictures = folder / f"pictures-{cfa}"
        write_scene_pictures(pictures, 4, height, width)
        capture = DarkCapture(iso=800, white_balance=(2.0, 1.0, 1.5), cfa=cfa, seed=3)
        write_sid_tree(sorted(pictures.iterdir()), folder, capture)
    return folder


@pytest.fixture
def sid_copy(sid_tree: Path, tmp_path: Path) -> Path:
    """A copy of the miniature's Sony part, to be damaged."""
    import shutil

    folder = tmp_path / "SID"
    folder.mkdir()
    shutil.copytree(sid_tree / "Sony", folder / "Sony")
    for file in sid_tree.glob("Sony_*.txt"):
        shutil.copy(file, folder)
    return folder


def build_tiny_model(path: Path, metadata: ModelMetadata) -> Path:
    """Write a model that obeys the graph contract with a nearest-neighbour demosaic in place of the network.

    Each cell of 2x2 pixels gets one colour: red from its first site, green from its second, blue from its fourth. So
    numpy can tell what the runtime must return; `amplification` 0 takes m.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    defaults: dict[str, NDArray[Any]] = {
        "black_level": np.full(4, 512, dtype=np.float32),
        "white_level": np.array(16383, dtype=np.float32),
        "gains": np.ones(4, dtype=np.float32),
        "amplification": np.array(0, dtype=np.float32),
        "m": np.array(metadata.m, dtype=np.float32),
    }
    constants: dict[str, NDArray[Any]] = {
        "per_site": np.array([1, 4, 1, 1], dtype=np.int64),
        "zero": np.array(0, dtype=np.float32),
        "one": np.array(1, dtype=np.float32),
        "full": np.array(65535, dtype=np.float32),
        "colours": np.array([0, 1, 3], dtype=np.int64),
        "scales": np.array([1, 1, 2, 2], dtype=np.float32),
    }
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Cast", ["mosaic"], "counts", {"to": TensorProto.FLOAT}),
        ("SpaceToDepth", ["counts"], "sites", {"blocksize": 2}),
        ("Reshape", ["black_level", "per_site"], "black", {}),
        ("Reshape", ["gains", "per_site"], "gain", {}),
        ("Sub", ["sites", "black"], "above", {}),
        ("Max", ["above", "zero"], "signal", {}),
        ("Sub", ["white_level", "black"], "span", {}),
        ("Div", ["signal", "span"], "x", {}),
        ("Equal", ["amplification", "zero"], "estimate_it", {}),
        ("Where", ["estimate_it", "m", "amplification"], "amplification_used", {}),
        ("Mul", ["x", "amplification_used"], "amplified", {}),
        ("Mul", ["amplified", "gain"], "balanced", {}),
        ("Clip", ["balanced", "zero", "one"], "clipped", {}),
        ("Gather", ["clipped", "colours"], "cells", {"axis": 1}),
        (
            "Resize",
            ["cells", "", "scales"],
            "pixels",
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        ),
        ("Transpose", ["pixels"], "picture", {"perm": [0, 2, 3, 1]}),
        ("Mul", ["picture", "full"], "scaled", {}),
        ("Round", ["scaled"], "rounded", {}),
        ("Cast", ["rounded"], "rgb", {"to": TensorProto.UINT16}),
    ]
    values = {**defaults, **constants}
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], **attributes) for kind, inputs, output, attributes in steps],
        "tiny",
        [helper.make_tensor_value_info("mosaic", TensorProto.UINT16, [1, 1, "height", "width"])]
        + [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in defaults.items()],
        [
            helper.make_tensor_value_info("rgb", TensorProto.UINT16, [1, "height", "width", 3]),
            helper.make_tensor_value_info("amplification_used", TensorProto.FLOAT, []),
        ],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    helper.set_model_props(model, metadata.to_strings())
    onnx.checker.check_model(model)
    path.write_bytes(seal(model.SerializeToString()))
    return path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature model by the graph contract, white balance at the input; see `build_tiny_model`."""
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx", ModelMetadata(variant="tiny"))


@pytest.fixture
def make_tiny_model(tmp_path: Path) -> Callable[[ModelMetadata], Path]:
    """Write such a model with metadata of the test's choice."""
    return lambda metadata: build_tiny_model(tmp_path / "tiny.onnx", metadata)


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights whose output lies mostly within 0 and 1, so that comparing pictures means something."""
    import torch

    from rdi.checkpoint import save_checkpoint
    from rdi.network import RestorationNetwork

    with torch.random.fork_rng():
        torch.manual_seed(11)
        network = RestorationNetwork().eval()
    with torch.no_grad():
        network.get_parameter("output.parametrizations.weight.original0").mul_(0.2)
        assert network.output.bias is not None
        network.output.bias.fill_(0.5)
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.safetensors"
    save_checkpoint(network, ModelMetadata(variant="test"), path)
    return path


@pytest.fixture(scope="session")
def exported_model(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `rdi.export` makes of `checkpoint_file`: a whole network of random weights, exported once a session."""
    from rdi.checkpoint import load_checkpoint
    from rdi.export import export

    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export(load_checkpoint(checkpoint_file), path)
    return path


@pytest.fixture(scope="session")
def camera_model(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights taken for a network that gives the root of camera RGB, exported with its strips."""
    from rdi.checkpoint import Checkpoint, load_checkpoint
    from rdi.export import export
    from rdi.metadata import Companding, Rendering

    loaded = load_checkpoint(checkpoint_file)
    path = tmp_path_factory.mktemp("exported") / "camera.onnx"
    described = loaded.metadata.replace(rendering=Rendering.CAMERA, companding=Companding.ROOT)
    export(Checkpoint(loaded.network, described), path)
    return path
