"""The network in strips: in PyTorch the same picture, in a file the same weights."""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from rdi.camera.cfa import Cfa
from rdi.checkpoint import Checkpoint, load_checkpoint
from rdi.errors import OutputError, VerificationError
from rdi.export import ExportSettings, export, inspect_model, picture_checks
from rdi.export import strip_graphs as graphs
from rdi.export.graph import graph_of
from rdi.export.strip_checks import check_strips
from rdi.export.strip_file import remove_strips
from rdi.export.strip_graphs import Context, ReduceStrip, RestoreStrip
from rdi.runtime.model import read_metadata
from rdi.strips import BLOCK, FEATURE_HALO, HALO, REDUCE_ROWS, Part, strip_path

HEIGHT, WIDTH = 8 * REDUCE_ROWS, 5 * REDUCE_ROWS


@pytest.fixture(scope="module")
def checkpoint(checkpoint_file: Path) -> Checkpoint:
    return load_checkpoint(checkpoint_file)


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures are compared in the exporter's own tests."""
    monkeypatch.setattr(picture_checks, "SIZES", ((64, 96),))
    monkeypatch.setattr(picture_checks, "LARGE", (96, 64))


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.XTRANS])
def test_three_modules_one_after_the_other_are_the_network(checkpoint: Checkpoint, cfa: Cfa) -> None:
    graph = graph_of(Checkpoint(checkpoint.network, checkpoint.metadata.replace(cfa=cfa)))
    generator = torch.Generator().manual_seed(2)
    mosaic = torch.randint(500, 900, (1, 1, HEIGHT, WIDTH), generator=generator, dtype=torch.int32)
    levels = (torch.full((cfa.sites,), 512.0), torch.tensor(16383.0), torch.full((cfa.sites,), 30.0))
    beyond = torch.zeros((1, 1, 3 * REDUCE_ROWS, WIDTH), dtype=torch.int32)  # 3: X-Trans' period begins anew with it
    around = torch.cat((beyond, mosaic, beyond), dim=2)
    inside = torch.nn.functional.pad(torch.ones(HEIGHT // REDUCE_ROWS), (3, 3))
    with torch.inference_mode():
        whole = graph.network(graph.normalise(mosaic.to(torch.uint16), *levels))
        reduced = ReduceStrip(graph)(around.to(torch.uint16), *levels, inside)[:, :, 2:-2]
        features = Context(graph)(reduced)
        first, count = 9, 12
        assert (first - HALO) * BLOCK % 2 == 0
        rows = slice(BLOCK * (first - HALO), BLOCK * (first + count + HALO))
        if cfa is Cfa.XTRANS:  # a strip that begins elsewhere in the cell than the frame
            levels = tuple(turned(values, rows.start) for values in levels)  # type: ignore[assignment]
        strip = RestoreStrip(graph)(
            mosaic[:, :, rows].to(torch.uint16),
            *levels,
            features[:, :, first - FEATURE_HALO : first + count + FEATURE_HALO],
        )
    expected = whole[:, BLOCK * first : BLOCK * (first + count)]
    assert strip.shape == expected.shape == (1, BLOCK * count, WIDTH, 3)
    assert (strip.int() - expected.int()).abs().max() <= 1  # PyTorch adds up in an order of its own for each shape
    assert expected.float().std() > 1000


def turned(values: torch.Tensor, first: int) -> torch.Tensor:
    return values if values.ndim == 0 else values.view(6, 6).roll(-first, 0).flatten()


def test_the_file_names_its_weights_and_holds_them_once(exported_model: Path) -> None:
    path = strip_path(exported_model)
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert sorted(archive.namelist()) == sorted(["manifest.json", *(part.file_name for part in Part)])
    metadata = read_metadata(exported_model)
    assert manifest["weights_sha256"] == metadata.weights_sha256
    assert path.stat().st_size < 1.2 * exported_model.stat().st_size
    assert metadata.parity["strips against the whole frame"]["figure"] == 0


def test_verification_compares_the_strips_that_lie_beside_a_model(
    exported_model: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    copy = tmp_path / "model.onnx"
    copy.write_bytes(exported_model.read_bytes())
    names = [check.name for check in inspect_model(copy, checkpoint).checks]
    assert "strips against the whole frame" not in names
    strip_path(copy).write_bytes(strip_path(exported_model).read_bytes()[:-100])
    report = inspect_model(copy, checkpoint)
    assert [check.name for check in report.checks if not check.passed] == ["strips against the whole frame"]
    assert re.search(r"strips against the whole frame .* FAILED  \(.*strips.* is damaged", report.table())
    with pytest.raises(VerificationError, match=r"fails check 'strips against the whole frame': .* is damaged"):
        report.require_passed()
    assert "damaged" in report.parity()["strips against the whole frame"]["reason"]


def test_strips_of_other_weights_are_called_that(exported_model: Path) -> None:
    other = read_metadata(exported_model).replace(weights_sha256="ab" * 32)
    check = check_strips(exported_model.read_bytes(), strip_path(exported_model).read_bytes(), other)
    assert not check.passed
    assert "belongs to another model" in check.reason
    assert "wanted are weights_sha256 abababababab" in check.reason


def test_strips_that_are_no_graphs_are_called_that(exported_model: Path) -> None:
    """The manifest vouches for the bytes, not for their sense."""
    graphs = {part.file_name: b"\x08\x07nonsense" for part in Part}
    with zipfile.ZipFile(strip_path(exported_model)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["sha256"] = {str(part): hashlib.sha256(graphs[part.file_name]).hexdigest() for part in Part}
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **graphs}.items():
            archive.writestr(name, content)
    check = check_strips(exported_model.read_bytes(), changed.getvalue(), read_metadata(exported_model))
    assert not check.passed
    assert "is no ONNX file" in check.reason


def test_strips_that_differ_in_one_row_fail(
    exported_model: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, strips = exported_model.read_bytes(), strip_path(exported_model).read_bytes()
    metadata = read_metadata(exported_model)
    assert check_strips(content, strips, metadata).passed
    from rdi.export import strip_checks

    original = strip_checks._in_strips

    def off_by_one(*arguments: object) -> np.ndarray:
        picture = original(*arguments).copy()  # type: ignore[arg-type]
        picture[-1, 0, 0] ^= 1
        return picture

    monkeypatch.setattr(strip_checks, "_in_strips", off_by_one)
    assert not check_strips(content, strips, metadata).passed


def test_nothing_is_written_where_the_strips_are_wrong(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "SIDES", (0, 2, 0, 0))  # everything a column off
    with pytest.raises(VerificationError, match="strips against the whole frame"):
        export(checkpoint, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [None, 1000], ids=["whole", "cut off"])
def test_an_export_without_strips_leaves_none(
    exported_model: Path, checkpoint: Checkpoint, tmp_path: Path, left: int | None, quick_checks: None
) -> None:
    out = tmp_path / "model.onnx"
    strip_path(out).write_bytes(strip_path(exported_model).read_bytes()[:left])
    report = export(checkpoint, out, ExportSettings(strips=False))
    assert report.passed
    assert report.strips_size is None
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert inspect_model(out, checkpoint).passed


def test_a_foreign_file_with_the_name_of_strips_stays(tmp_path: Path) -> None:
    foreign = strip_path(tmp_path / "model.onnx")
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("holiday.txt", "mine")
    remove_strips(tmp_path / "model.onnx")
    assert foreign.exists()
    foreign.unlink()
    foreign.mkdir()
    remove_strips(tmp_path / "model.onnx")
    assert foreign.is_dir()


def test_where_strips_cannot_be_written_no_model_is(checkpoint: Checkpoint, tmp_path: Path) -> None:
    strip_path(tmp_path / "model.onnx").mkdir()
    with pytest.raises(OutputError, match=r"model\.strips\.zip is a folder"):
        export(checkpoint, tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.strips.zip"]
