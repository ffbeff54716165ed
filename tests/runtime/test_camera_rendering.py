"""Models that give camera RGB: the file's matrix makes the colours, in the whole frame and in strips."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from rdi import reference
from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.checkpoint import load_checkpoint
from rdi.cli.main import app
from rdi.color import A7S2_CAMERA_FROM_XYZ, srgb_from_camera
from rdi.errors import UsageError
from rdi.metadata import Companding, Rendering
from rdi.runtime import Restorer
from rdi.sensors.cameras import find_sensor

BOUND = 1.5e-4  # of 1: the table's step in the shadows, and two networks' roundings


def photo(height: int = 70, width: int = 90) -> RawPhoto:
    generator = np.random.default_rng(4)
    light = np.add.outer(np.linspace(0, 200, height), np.linspace(0, 100, width))
    mosaic = (512 + generator.poisson(light)).astype(np.uint16)
    return RawPhoto(mosaic, Cfa.GRBG, np.full(4, 512.0), 16383, white_balance=np.array([2.0, 1.0, 1.5]))


def expected(checkpoint_file: Path, taken: RawPhoto, amplification: float, compression: float) -> NDArray[np.float32]:
    loaded = load_checkpoint(checkpoint_file)
    metadata = loaded.metadata.replace(rendering=Rendering.CAMERA, companding=Companding.ROOT)
    return reference.restore(loaded.network, metadata, taken, amplification, compression)


@pytest.mark.parametrize("sensor", ["Sony ILCE-7SM2", "Canon EOS 30D", "Nikon D850"])
@pytest.mark.parametrize(("gamut", "compression"), [("compress", 1.0), ("clip", 0.0)])
def test_the_matrix_of_the_file_makes_the_colours(
    camera_model: Path, checkpoint_file: Path, sensor: str, gamut: str, compression: float
) -> None:
    taken = photo().replace(camera_to_srgb=find_sensor(sensor).srgb_from_camera)
    restored = Restorer(camera_model, gamut=gamut).restore(taken, 60.0)
    wanted = expected(checkpoint_file, taken, 60.0, compression)
    assert np.abs(restored.image / 65535 - wanted).max() < BOUND
    assert restored.gamut == gamut


def test_another_matrix_is_another_picture_and_the_gamut_shows(camera_model: Path) -> None:
    taken, scaled = photo(), A7S2_CAMERA_FROM_XYZ * np.array([[1.0], [1.0], [0.6]])
    own, same_again = srgb_from_camera(A7S2_CAMERA_FROM_XYZ), srgb_from_camera(scaled)
    matrices = own, same_again, find_sensor("Nikon D850").srgb_from_camera

    def restored(gamut: str, matrix: NDArray[np.float64]) -> NDArray[np.integer]:
        return Restorer(camera_model, gamut=gamut).restore(taken.replace(camera_to_srgb=matrix), 60.0).image

    compressed, same, other = (restored("compress", matrix) for matrix in matrices)
    clipped = restored("clip", own)
    assert np.array_equal(compressed, same)  # rows are normalised: a factor on a channel is the balance's
    assert (compressed != other).mean() > 0.5
    assert (compressed == 0).mean() < (clipped == 0).mean()


def test_strips_are_the_whole_frames_bytes(camera_model: Path) -> None:
    taken = photo(900, 1300).replace(camera_to_srgb=find_sensor("Nikon D850").srgb_from_camera)
    whole = Restorer(camera_model).restore(taken, 80.0)
    strips = Restorer(camera_model, max_memory="60MB").restore(taken, 80.0)
    assert (whole.in_strips, strips.in_strips) == (False, True)
    assert np.array_equal(whole.image, strips.image)


def test_a_model_that_gives_the_picture_has_no_gamut_to_choose(exported_model: Path, camera_model: Path) -> None:
    with pytest.raises(UsageError, match="gamut clip is for models with rendering camera"):
        Restorer(exported_model, gamut="clip")
    assert Restorer(exported_model).restore(photo(), 60.0).gamut is None
    with pytest.raises(UsageError, match="gamut 'wide' is unknown; give compress or clip"):
        Restorer(camera_model, gamut="wide")


def test_the_command_line_takes_it_and_the_sidecar_tells(camera_model: Path, tmp_path: Path) -> None:
    sensor = find_sensor("Canon EOS 30D")
    taken = photo().replace(
        camera_to_srgb=sensor.srgb_from_camera,
        camera_from_xyz=np.array(sensor.camera_from_xyz),
        make="Canon",
        model="X",
    )
    write_dng(taken, tmp_path / "a.dng")
    command = ["infer", str(tmp_path / "a.dng"), "--model", str(camera_model), "--gamut", "clip", "--sidecar"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    said = json.loads((tmp_path / "a_restored.jpg.json").read_text(encoding="utf-8"))
    assert (said["gamut"], said["model"]["rendering"]) == ("clip", "camera")
    np.testing.assert_allclose(said["camera_to_srgb"], sensor.srgb_from_camera, atol=2e-3)
    other = [*command, "--overwrite", "--color-matrix", "Nikon D850"]
    assert CliRunner().invoke(app, other).exit_code == 0
    said = json.loads((tmp_path / "a_restored.jpg.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(said["camera_to_srgb"], find_sensor("Nikon D850").srgb_from_camera, atol=1e-6)
