"""Files that compute in half precision: what runs in halves, what stays float32, and that a broken one is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from rdi.camera.photo import RawPhoto
from rdi.checkpoint import Checkpoint, load_checkpoint
from rdi.errors import VerificationError
from rdi.export import ExportSettings, Report, export, inspect_model, picture_checks
from rdi.export.graph import graph_of
from rdi.export.half_checks import check_overflow
from rdi.export.picture_checks import HALF_PICTURE_BOUND, check_pictures
from rdi.metadata import Precision
from rdi.runtime import Exposure, ExposureMode, Restorer
from rdi.strips import strip_path

COMPUTE = ExportSettings(precision=Precision.FP16_COMPUTE)
Break = Callable[[onnx.ModelProto], None]


@pytest.fixture(scope="module", autouse=True)
def few_frames() -> object:
    """All of them run for float32."""
    patch = pytest.MonkeyPatch()
    patch.setattr(picture_checks, "SIZES", ((32, 32), (64, 96)))
    patch.setattr(picture_checks, "LARGE", (96, 352))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def checkpoint(checkpoint_file: Path) -> Checkpoint:
    return load_checkpoint(checkpoint_file)


@pytest.fixture(scope="module")
def exported(
    checkpoint: Checkpoint, exported_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Report]:
    path = tmp_path_factory.mktemp("compute") / "model.onnx"
    strip_path(path).write_bytes(strip_path(exported_model).read_bytes())  # of the model that was here before
    return path, export(checkpoint, path, COMPUTE)


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    """Name of a value -> its type."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.input)}
    return types | {item.name: item.data_type for item in inferred.initializer}


def test_every_convolution_computes_in_halves_and_what_needs_float32_has_it(exported: tuple[Path, Report]) -> None:
    model = onnx.load(exported[0])
    types = types_of(model)
    wanted = {"Conv": onnx.TensorProto.FLOAT16, "LeakyRelu": onnx.TensorProto.FLOAT16}
    wanted |= {"ScatterElements": onnx.TensorProto.FLOAT, "Round": onnx.TensorProto.FLOAT}
    nodes = [node for node in model.graph.node if node.op_type in wanted]
    assert {node.op_type for node in nodes} == set(wanted)
    for node in nodes:
        assert types[node.input[0]] == wanted[node.op_type], node.name
    assert all(types[name] == onnx.TensorProto.FLOAT for name in ("black_level", "gains", "amplifier.weights"))
    assert "QuantizeLinear" not in {node.op_type for node in model.graph.node}, "CUDA has none to uint16"


def test_it_is_half_as_large_says_what_it_is_and_how_near_it_comes(
    exported: tuple[Path, Report], exported_model: Path, checkpoint: Checkpoint
) -> None:
    path, report = exported
    assert report.passed
    assert report.to_dict()["precision"] == "fp16-compute"
    assert path.stat().st_size < 0.55 * exported_model.stat().st_size
    figures = {check.name: check.figure for check in report.checks}
    assert 60 < figures["PSNR against float32"] < 90
    assert figures["PSNR against float32"] - 6 < figures["PSNR of these pictures against float32"] < 90
    assert 1e-5 < figures["picture, ramp frames"] < HALF_PICTURE_BOUND / 2, "as good as float32: what was halved?"
    assert inspect_model(path, checkpoint).passed
    assert not strip_path(path).exists()


def test_the_runtime_restores_with_it_and_notes_that_a_cpu_is_not_its_place(
    exported: tuple[Path, Report], exported_model: Path, dark_photo: RawPhoto
) -> None:
    given = Exposure(ExposureMode.NUMBER, 50)
    half, full = Restorer(exported[0]), Restorer(exported_model)
    assert "made for a GPU" in half.note
    assert full.note == ""
    pictures = [restorer.restore(dark_photo, given).image.astype(np.int64) for restorer in (half, full)]
    assert 0 < np.abs(pictures[0] - pictures[1]).max() < HALF_PICTURE_BOUND * 65535


def first(model: onnx.ModelProto, kind: str, output: str = "") -> onnx.NodeProto:
    node: onnx.NodeProto = next(item for item in model.graph.node if item.op_type == kind and output in item.output[0])
    return node


def steeper_activation(model: onnx.ModelProto) -> None:
    first(model, "LeakyRelu").attribute[0].f = 0.25


def turned_padding(model: onnx.ModelProto) -> None:
    """A phase's neighbours looked for on the other side."""
    pads = next(
        attribute
        for node in model.graph.node
        if node.op_type == "Conv"
        for attribute in node.attribute
        if attribute.name == "pads" and attribute.ints[0] != attribute.ints[2]
    )
    pads.ints[:] = [*pads.ints[2:], *pads.ints[:2]]


def dimmer_picture(model: onnx.ModelProto) -> None:
    scale = first(model, "Mul", first(model, "Round").input[0]).input[1]
    item = next(item for item in model.graph.initializer if item.name == scale)
    item.CopyFrom(onnx.numpy_helper.from_array(np.array(65535 * 0.995, dtype=np.float32), scale))


def one_border_missing(model: onnx.ModelProto) -> None:
    """The last correction of an edge is not added."""
    node = [node for node in model.graph.node if node.op_type == "ScatterElements"][-1]
    kept = [item for item in node.attribute if item.name != "reduction"]
    del node.attribute[:]
    node.attribute.extend(kept)


@pytest.mark.parametrize("break_it", [steeper_activation, turned_padding, dimmer_picture, one_border_missing])
def test_a_broken_graph_of_right_weights_is_found(
    exported: tuple[Path, Report], checkpoint: Checkpoint, break_it: Break
) -> None:
    model = onnx.load(exported[0])
    break_it(model)
    least = next(check.bound for check in exported[1].checks if check.name == "PSNR of these pictures against float32")
    checks = list(check_pictures(model.SerializeToString(), checkpoint, "cpu", Precision.FP16_COMPUTE, least))
    assert not all(check.passed for check in checks)


def test_a_changed_half_is_found(exported: tuple[Path, Report], checkpoint: Checkpoint, tmp_path: Path) -> None:
    model = onnx.load(exported[0])
    item = next(item for item in model.graph.initializer if item.name == "network.medium.conv2.bias")
    values = onnx.numpy_helper.to_array(item).copy()
    values.flat[7] = np.nextafter(values.flat[7], np.float16(9))
    item.CopyFrom(onnx.numpy_helper.from_array(values, item.name))
    onnx.save(model, tmp_path / "changed.onnx")
    failed = [check.name for check in inspect_model(tmp_path / "changed.onnx", checkpoint).checks if not check.passed]
    assert failed == ["weights in the graph", "hash of the file"]


def test_a_file_that_comes_less_near_than_asked_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    settings = ExportSettings(precision=Precision.FP16_COMPUTE, min_psnr=90)
    with pytest.raises(VerificationError, match=r"'PSNR against float32' gives .* dB, asked is 90"):
        export(checkpoint, tmp_path / "model.onnx", settings)
    assert list(tmp_path.iterdir()) == []


def test_lights_that_halves_cannot_hold_are_found(checkpoint_file: Path) -> None:
    loud = load_checkpoint(checkpoint_file)
    assert check_overflow(loud).passed
    with torch.no_grad():
        loud.network.get_parameter("medium.conv1.parametrizations.weight.original0").mul_(200)
        loud.network.get_parameter("medium.conv2.parametrizations.weight.original0").mul_(1 / 200)
    assert check_overflow(loud).figure > 0


def test_only_the_network_is_turned_into_halves(checkpoint: Checkpoint) -> None:
    graph = graph_of(checkpoint, Precision.FP16_COMPUTE)
    assert {tensor.dtype for tensor in graph.network.state_dict().values()} == {torch.float16}
    assert {tensor.dtype for tensor in graph.amplifier.state_dict().values()} == {torch.float32}
    assert graph_of(checkpoint).computes_in is torch.float32
