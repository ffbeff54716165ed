"""X-Trans from the file to the picture, with a model whose metadata says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.errors import UnsupportedMosaicError
from rdi.metadata import ModelMetadata
from rdi.runtime import Exposure, ExposureMode, Restorer
from rdi.seal import seal

BALANCE = np.array([2.0, 1.0, 1.5])
THIRTY = Exposure(ExposureMode.NUMBER, 30.0)
REACH = 3  # pixels that the miniature network looks to each side
STEP = 1.5 / 65535  # a rounding, and float32's


@pytest.fixture(scope="module")
def xtrans_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for X-Trans: the graph that `rdi.export` writes, around one random convolution."""
    import torch
    from torch import Tensor, nn

    from rdi.export.deployment.picture import quantise
    from rdi.export.graph import RestorationGraph
    from rdi.export.onnx_graph import build_model
    from rdi.export.settings import ExportSettings

    class Miniature(nn.Module):
        """(1, 1, H, W) float32 -> (1, H, W, 3) uint16."""

        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(1, 3, 2 * REACH + 1, padding=REACH)

        def forward(self, x: Tensor) -> Tensor:
            picture: Tensor = quantise(torch.sigmoid(self.convolution(x)).permute(0, 2, 3, 1))
            return picture

    metadata = ModelMetadata(variant="xtrans", cfa=Cfa.XTRANS)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        graph = RestorationGraph(Miniature(), metadata).eval()
    path = tmp_path_factory.mktemp("xtrans") / "xtrans.onnx"
    path.write_bytes(seal(build_model(graph, metadata, ExportSettings()).SerializeToString()))
    return path


def photo_of(phase: tuple[int, int], size: tuple[int, int] = (60, 81)) -> RawPhoto:
    """The same scene of 66x87 pixels, seen by a frame that begins later by the phase; a black level for each site."""
    whole = 600 + np.random.default_rng(8).poisson(150, (66, 87))
    black = 500.0 + np.arange(36)
    mosaic = whole[phase[0] :, phase[1] :][: size[0], : size[1]]
    own = np.roll(black.reshape(6, 6), (-phase[0], -phase[1]), axis=(0, 1)).ravel()
    return RawPhoto(mosaic.astype(np.uint16), Cfa.XTRANS, own, 16383.0, BALANCE, phase=phase)


def infer(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["infer", *map(str, arguments)])


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (2, 0), (3, 3), (5, 4), (4, 5)])
def test_every_phase_of_a_scene_gives_the_same_picture_up_to_the_border(
    xtrans_model: Path, phase: tuple[int, int]
) -> None:
    restorer = Restorer(xtrans_model, threads=1)
    whole = restorer.restore(photo_of((0, 0), (66, 87)), THIRTY).image / 65535
    picture = restorer.restore(photo_of(phase), THIRTY).image / 65535
    assert picture.shape == (60, 81, 3)
    expected = whole[phase[0] :, phase[1] :][:60, :81]
    inside = np.s_[REACH:-REACH, REACH:-REACH]
    assert np.abs(picture - expected)[inside].max() <= STEP
    assert expected.std() > 0.02


def test_levels_and_gains_reach_their_sites(xtrans_model: Path) -> None:
    """A grey card gives one colour only if all 36 sites have their own black level and gain."""
    photo = photo_of((2, 1))
    black, gain = (photo.cfa.tile(values, 60, 81).astype(float) for values in (photo.black_level, photo.gains))
    light = 0.4 / 30 / gain * (photo.white_level - black)
    card = photo.replace(mosaic=np.rint(black + light).astype(np.uint16))
    picture = Restorer(xtrans_model, threads=1).restore(card, THIRTY).image[8:-8, 8:-8] / 65535
    assert picture.std(axis=(0, 1)).max() < 0.004  # counts are whole numbers
    skewed = card.replace(black_level=np.roll(card.black_level, 1), white_balance=np.array([1.0, 1.0, 1.0]))
    picture = Restorer(xtrans_model, threads=1).restore(skewed, THIRTY).image[8:-8, 8:-8] / 65535
    assert picture.std(axis=(0, 1)).max() > 0.012


@pytest.mark.parametrize("phase", [(0, 0), (1, 4)])
def test_an_xtrans_file_becomes_a_picture(xtrans_model: Path, tmp_path: Path, phase: tuple[int, int]) -> None:
    write_dng(photo_of(phase), tmp_path / "fuji.dng")
    result = infer(tmp_path / "fuji.dng", "--model", xtrans_model, "--exposure", 30, "--format", "png", "--sidecar")
    assert result.exit_code == 0, result.output
    assert '"cfa": "XTRANS"' in (tmp_path / "fuji_restored.png.json").read_text()
    expected = Restorer(xtrans_model).restore(read_photo(tmp_path / "fuji.dng"), THIRTY).image
    with Image.open(tmp_path / "fuji_restored.png") as image:
        assert np.abs(np.asarray(image) - expected / 257).max() <= 0.5
    by_hand = Restorer(xtrans_model).restore(photo_of(phase), THIRTY).image
    assert np.abs(expected.astype(int) - by_hand).max() <= 65535 * 1e-4  # a DNG keeps gains within 1e-5


def test_the_exposure_is_chosen_on_all_sites(xtrans_model: Path) -> None:
    restored = Restorer(xtrans_model, threads=1).restore(photo_of((2, 1)))
    assert 1 < restored.amplification.value < 300


def test_the_smallest_frame_is_one_cell(xtrans_model: Path) -> None:
    assert Restorer(xtrans_model, threads=1).restore(photo_of((2, 1), (6, 6)), THIRTY).image.shape == (6, 6, 3)
    with pytest.raises(UnsupportedMosaicError, match="6x6 is the smallest"):
        photo_of((2, 1), (5, 60))


def test_a_bayer_file_is_refused_by_an_xtrans_model_by_name(xtrans_model: Path, tmp_path: Path) -> None:
    photo = photo_of((0, 0))
    write_dng(photo.replace(cfa=Cfa.GRBG, black_level=np.array([512.0])), tmp_path / "bayer.dng")
    result = infer(tmp_path / "bayer.dng", "--model", xtrans_model)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the mosaic of the photo is Bayer, but the model was trained for X-Trans" in result.stderr
    assert "choose a model that was trained for Bayer" in result.stderr
    assert not (tmp_path / "bayer_restored.jpg").exists()


def test_an_xtrans_file_is_refused_by_a_bayer_model_by_name(tiny_model: Path, tmp_path: Path) -> None:
    write_dng(photo_of((0, 0)), tmp_path / "fuji.dng")
    result = infer(tmp_path / "fuji.dng", "--model", tiny_model)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the mosaic of the photo is X-Trans, but the model was trained for Bayer" in result.stderr
