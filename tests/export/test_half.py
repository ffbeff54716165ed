from pathlib import Path

import numpy as np
import onnx
import pytest

from rdi.checkpoint import Checkpoint, load_checkpoint
from rdi.errors import UsageError, VerificationError
from rdi.export import ExportSettings, Report, export, inspect_model, picture_checks
from rdi.export.graph import graph_of
from rdi.export.half import SUFFIX, stored_weights
from rdi.export.session import GraphSession
from rdi.metadata import ModelMetadata, Precision

HALF = ExportSettings(precision=Precision.FP16)


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
def exported(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    path = tmp_path_factory.mktemp("half") / "model.onnx"
    return path, export(checkpoint, path, HALF)


def test_weights_in_half_precision_halve_the_file_and_say_how_near_they_come(
    exported: tuple[Path, Report], exported_model: Path
) -> None:
    path, report = exported
    assert report.passed
    assert report.precision is Precision.FP16
    assert report.to_dict()["precision"] == "fp16"
    assert path.stat().st_size < 0.55 * exported_model.stat().st_size
    psnr = next(check for check in report.checks if check.name == "PSNR against float32")
    assert psnr.bound == 60
    assert 60 < psnr.figure < 110, "as good as float32: was nothing rounded?"


def test_the_rounded_weights_stand_in_the_file_and_its_metadata_say_so(
    exported: tuple[Path, Report], checkpoint: Checkpoint
) -> None:
    model = onnx.load(exported[0])
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    trained = graph_of(checkpoint).state_dict()
    halves = [name for name in stored if name.endswith(SUFFIX)]
    assert len(halves) == sum(tensor.ndim == 4 for tensor in trained.values())
    for name in halves:
        assert stored[name].dtype == np.float16
        assert np.array_equal(stored[name], trained[name.removesuffix(SUFFIX)].numpy().astype(np.float16))
    metadata = ModelMetadata.from_strings({item.key: item.value for item in model.metadata_props}, "it")
    assert metadata.precision is Precision.FP16
    assert metadata.parity["PSNR against float32"]["bound"] == 60


def test_its_picture_is_near_that_of_float32_but_not_the_same(
    exported: tuple[Path, Report], exported_model: Path
) -> None:
    mosaic = np.random.default_rng(3).integers(500, 900, (64, 96)).astype(np.uint16)
    half, _ = GraphSession(exported[0].read_bytes()).run(mosaic)
    full, _ = GraphSession(exported_model.read_bytes()).run(mosaic)
    assert not np.array_equal(half, full)
    assert np.abs(half.astype(np.int64) - full).mean() < 65535 / 1000


def test_the_file_verifies_by_the_bound_that_it_was_exported_with(
    exported: tuple[Path, Report], checkpoint: Checkpoint
) -> None:
    report = inspect_model(exported[0], checkpoint)
    assert report.passed
    assert report.precision is Precision.FP16


def test_a_file_that_comes_less_near_than_asked_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    out = tmp_path / "model.onnx"
    out.write_bytes(b"the old one")
    with pytest.raises(VerificationError, match=r"'PSNR against float32' gives .* dB, asked is 120"):
        export(checkpoint, out, ExportSettings(precision=Precision.FP16, min_psnr=120))
    assert out.read_bytes() == b"the old one"


def test_a_changed_half_is_found(exported: tuple[Path, Report], checkpoint: Checkpoint, tmp_path: Path) -> None:
    model = onnx.load(exported[0])
    item = next(item for item in model.graph.initializer if item.name == f"network.medium.conv2.weight{SUFFIX}")
    values = onnx.numpy_helper.to_array(item).copy()
    values.flat[7] = np.nextafter(values.flat[7], np.float16(9))
    item.CopyFrom(onnx.numpy_helper.from_array(values, item.name))
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    failed = [check.name for check in inspect_model(path, checkpoint).checks if not check.passed]
    assert "weights in the graph" in failed


def test_float32_weights_are_stored_as_they_are(checkpoint: Checkpoint) -> None:
    module = graph_of(checkpoint)
    weights = stored_weights(module, Precision.FP32)
    assert set(weights) == set(module.state_dict())
    assert {values.dtype for values in weights.values()} == {np.dtype(np.float32)}


def test_a_least_psnr_is_for_rounded_weights_and_a_number() -> None:
    assert ExportSettings(precision=Precision.FP16, min_psnr=55).min_psnr == 55
    with pytest.raises(UsageError, match="give it with precision fp16"):
        ExportSettings(min_psnr=55)
    for nonsense in (0.0, -3.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="give a number above 0"):
            ExportSettings(precision=Precision.FP16, min_psnr=nonsense)


def test_an_export_without_simplification_computes_the_same(
    checkpoint: Checkpoint, exported_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.onnx"
    assert export(checkpoint, out, ExportSettings(simplify=False)).passed
    assert len(onnx.load(out).graph.node) > len(onnx.load(exported_model).graph.node)
    mosaic = np.random.default_rng(3).integers(500, 900, (64, 96)).astype(np.uint16)
    picture, used = GraphSession(out.read_bytes()).run(mosaic)
    simplified, used_there = GraphSession(exported_model.read_bytes()).run(mosaic)
    assert used == used_there
    assert np.abs(picture.astype(np.int64) - simplified).max() <= 1
    assert b"stack_trace" not in out.read_bytes()
    assert str(Path.cwd()).encode() not in out.read_bytes()
