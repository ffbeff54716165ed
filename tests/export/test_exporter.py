from pathlib import Path

import numpy as np
import onnx
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.checkpoint import Checkpoint, load_checkpoint, load_published, weights_digest
from rdi.errors import CheckpointError, ModelError, OutputError, UsageError, VerificationError
from rdi.export import ExportSettings, export, exporter, inspect_model, picture_checks, verification, verify_model
from rdi.export.picture_checks import PICTURE_BOUND, check_pictures
from rdi.export.session import GraphSession
from rdi.metadata import Curve, ModelMetadata, Precision, Rendering, WhiteBalance
from rdi.reference import restore
from rdi.runtime import Restorer
from rdi.seal import KEY

WEIGHT = "network.higher.blocks.1.dense.2.1.weight"  # deep inside: little of it reaches the picture


def change_one_value(path: Path, name: str, change: float) -> onnx.ModelProto:
    """The model of a file with one stored value changed, relative to the tensor's mean size."""
    model = onnx.load(path)
    item = next(item for item in model.graph.initializer if item.name == name)
    values = onnx.numpy_helper.to_array(item).copy()
    values.flat[values.size // 2] += change * np.abs(values).mean()
    item.CopyFrom(onnx.numpy_helper.from_array(values, name))
    return model


@pytest.fixture(scope="module")
def checkpoint(checkpoint_file: Path) -> Checkpoint:
    return load_checkpoint(checkpoint_file)


def test_an_exported_file_passes_every_check_on_its_own_weights(exported_model: Path, checkpoint: Checkpoint) -> None:
    report = inspect_model(exported_model, checkpoint)
    assert report.passed
    assert report.size == exported_model.stat().st_size < 4_100_000
    figures = {check.name: check.figure for check in report.checks}
    assert figures["amplifier"] < 1e-6
    assert all(figures[f"picture, {name} frames"] <= PICTURE_BOUND for name in ("random", "ramp", "checker", "border"))
    assert figures["clipped part of these pictures"] < 0.2, "the fixture's weights no longer show much"


def test_the_file_carries_the_rules_the_weights_hash_and_the_figures(
    exported_model: Path, checkpoint: Checkpoint
) -> None:
    strings = {item.key: item.value for item in onnx.load(exported_model).metadata_props}
    metadata = ModelMetadata.from_strings(strings, "it")
    assert metadata.weights_sha256 == weights_digest(checkpoint.network)
    assert metadata.variant == "test"
    assert metadata.parity["amplifier"]["figure"] <= metadata.parity["amplifier"]["bound"] == 1e-6
    assert set(strings) == {*metadata.to_strings(), KEY}, "a tool's own metadata came along"


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.BGGR])
def test_the_runtime_restores_with_it_what_pytorch_restores(
    exported_model: Path, checkpoint: Checkpoint, cfa: Cfa
) -> None:
    mosaic = (512 + np.random.default_rng(4).poisson(np.linspace(1, 200, 101 * 75))).reshape(101, 75).astype(np.uint16)
    photo = RawPhoto(mosaic, cfa, np.array([511.0, 512, 512.5, 510]), 16000.0, white_balance=np.array([2.1, 1, 1.6]))
    restored = Restorer(exported_model).restore(photo)
    expected = restore(checkpoint.network, checkpoint.metadata, photo, restored.amplification.value)
    assert restored.image.shape == (101, 75, 3)
    assert np.abs(restored.image / 65535 - expected).max() <= PICTURE_BOUND


def test_the_file_tells_nothing_of_the_machine_that_made_it(exported_model: Path) -> None:
    content = exported_model.read_bytes()
    for trace in (b"site-packages", str(Path.cwd()).encode(), str(Path.home()).encode(), b"stack_trace"):
        assert trace not in content


def test_export_is_refused_when_a_single_weight_of_its_graph_is_changed(
    exported_model: Path, checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = change_one_value(exported_model, WEIGHT, 1e-4)
    monkeypatch.setattr(exporter, "build_model", lambda *_: changed)
    out = tmp_path / "model.onnx"
    out.write_bytes(b"the old one")
    with pytest.raises(VerificationError, match=r"'weights in the graph' gives 1 tensors that differ, allowed is 0"):
        export(checkpoint, out)
    assert out.read_bytes() == b"the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_an_existing_file_with_a_single_changed_weight_is_refused(
    exported_model: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "changed.onnx"
    onnx.save(change_one_value(exported_model, WEIGHT, 1e-4), path)
    with pytest.raises(VerificationError, match="weights in the graph"):
        verify_model(path, checkpoint)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (WEIGHT, 1.0),
        ("network.output.merged.own.weight", 0.05),
        ("network.output.lower.bias", 0.05),
        ("amplifier.edges", 0.1),
    ],
)
def test_the_comparisons_alone_find_a_wrong_value(
    exported_model: Path, checkpoint: Checkpoint, name: str, change: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_checks, "SIZES", ((64, 96),))
    monkeypatch.setattr(picture_checks, "LARGE", (96, 64))
    content = change_one_value(exported_model, name, change).SerializeToString()
    checks = [*check_pictures(content, checkpoint, "cpu", Precision.FP32)]
    checks.append(verification.check_amplifier(GraphSession(content), checkpoint))
    assert not all(check.passed for check in checks)


def test_a_file_made_from_other_weights_or_rules_is_refused(exported_model: Path, checkpoint: Checkpoint) -> None:
    other = Checkpoint(checkpoint.network, checkpoint.metadata.replace(m=1.0))
    with pytest.raises(VerificationError, match="rules and weights hash in the metadata"):
        verify_model(exported_model, other)


def test_a_file_that_is_no_model_of_ours_is_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("this is no model")
    with pytest.raises(ModelError, match="no ONNX file"):
        verify_model(path, checkpoint)
    with pytest.raises(ModelError, match="does not exist"):
        verify_model(tmp_path / "missing.onnx", checkpoint)
    foreign = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))
    path.write_bytes(foreign.SerializeToString())
    with pytest.raises(ModelError, match="not written by rdi"):
        verify_model(path, checkpoint)


def test_an_unknown_provider_is_answered_with_those_that_are_here(exported_model: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match=r"unknown provider 'abacus'; choose one of cpu, cuda"):
        verify_model(exported_model, checkpoint, "abacus")


def test_bad_arguments_are_refused_before_anything_is_built(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="opset 20 is not supported; give 21 to 23"):
        export(checkpoint, tmp_path / "model.onnx", ExportSettings(opset=20))
    with pytest.raises(OutputError, match="cannot write"):
        export(checkpoint, tmp_path / "missing" / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_for_x_trans_is_exported_by_its_own_pattern(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_checks, "SIZES", ((32, 32), (64, 96)))
    monkeypatch.setattr(picture_checks, "LARGE", (96, 160))
    other = Checkpoint(checkpoint.network, checkpoint.metadata.replace(cfa=Cfa.XTRANS))
    out = tmp_path / "model.onnx"
    assert export(other, out).passed
    values = {item.name: onnx.numpy_helper.to_array(item) for item in onnx.load(out).graph.initializer}
    assert values["black_level"].shape == values["gains"].shape == (36,)
    with pytest.raises(VerificationError, match="rules and weights hash"):
        verify_model(out, checkpoint)  # one for Bayer


@pytest.mark.real_data
def test_the_published_weights_export_with_their_own_rules(shared: Path, tmp_path: Path) -> None:
    published = load_published(shared / "reference" / "paper_weights.pth")
    out = tmp_path / "paper.onnx"
    report = export(published, out, ExportSettings(opset=23))
    assert report.passed
    assert report.opset == 23
    session = GraphSession(out.read_bytes())
    reference = np.load(shared / "reference" / "network_parity.npz")
    case = next(name.removesuffix("_raw") for name in reference.files if name.endswith("_raw"))
    amplification = float(reference[f"{case}_amplification"]) * float(reference[f"{case}_m"])
    picture, _ = session.run(
        np.squeeze(reference[f"{case}_raw"]), {"amplification": np.array(amplification, dtype=np.float32)}
    )
    # Levels and gains of ones are the defaults of a model with the balance baked in.
    expected = np.moveaxis(np.squeeze(reference[f"{case}_rgb"]), 0, -1)
    assert np.abs(picture / 65535 - expected).max() <= PICTURE_BOUND
    assert published.metadata.white_balance is WhiteBalance.BAKED
    assert published.metadata.cfa is Cfa.RGGB


def test_the_published_weights_are_not_a_checkpoint_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"no pickle")
    with pytest.raises(CheckpointError):
        load_published(path)


def test_another_curve_can_be_chosen_for_camera_rgb(checkpoint: Checkpoint, tmp_path: Path) -> None:
    camera = Checkpoint(checkpoint.network, checkpoint.metadata.replace(rendering=Rendering.CAMERA))
    out = tmp_path / "srgb.onnx"
    assert export(camera, out, ExportSettings(curve=Curve.SRGB, simplify=False)).passed
    assert inspect_model(out, camera).passed  # whose own curve is BT.709's
    photo = RawPhoto(np.full((64, 96), 900, np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0)
    restorer = Restorer(out)
    assert restorer.model.curve is Curve.SRGB
    described = camera.metadata.replace(curve=Curve.SRGB)
    expected = restore(camera.network, described, photo, 20.0)
    found = restorer.restore(photo, 20.0).image / 65535
    assert np.abs(found - expected).max() < 13 / 65535 + 2e-5
    assert np.abs(found - restore(camera.network, camera.metadata, photo, 20.0)).max() > 0.02


def test_a_network_that_gives_the_picture_leaves_no_choice_of_its_curve(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="rendering camera only"):
        export(checkpoint, tmp_path / "no.onnx", ExportSettings(curve=Curve.SRGB))
    assert not (tmp_path / "no.onnx").exists()
