"""The ColorChecker: drawn, photographed in the dark, restored and read again."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rdi import color
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.evaluation.chart import PATCHES, draw_chart, patch_colours, photograph_chart, read_patches
from rdi.evaluation.colours import CAMERAS, LIBRAW, measure_colours
from rdi.evaluation.models import Exposing, Restoration
from rdi.metrics.colour_difference import ciede2000
from rdi.sensors.cameras import find_sensor, sensors_of

EXACT = 0.02  # CIEDE2000: what rounding to float32 leaves


class Painted:
    """A model that shows the chart itself, in colours turned by a matrix."""

    name, digest, cfa = "painted", "", Cfa.RGGB

    def __init__(self, matrix: NDArray[np.float64]) -> None:
        self.matrix = matrix

    def restore(self, photo: RawPhoto, exposing: Exposing, ratio: float | None) -> Restoration:
        assert (photo.orientation, exposing) == (1, Exposing.GT)
        return Restoration(color.encode(color.apply_matrix(draw_chart(), self.matrix)), ratio or 0.0)


def quiet(line: str) -> None:
    assert line


def test_the_chart_is_read_as_it_was_drawn() -> None:
    assert len(PATCHES) == 24
    read = read_patches(color.encode(draw_chart()))
    np.testing.assert_allclose(read, patch_colours(), atol=1e-5)
    assert ciede2000(read, patch_colours()).max() < EXACT


def test_a_grey_patch_has_the_light_that_its_code_stands_for() -> None:
    light = dict(zip(PATCHES, patch_colours(), strict=True))
    np.testing.assert_allclose(light["neutral 5"][:2], 0.195, atol=5e-4)  # 122 of 255 with the curve of sRGB
    assert (patch_colours() > 0).all()
    assert (patch_colours() < 1).all()


@pytest.mark.parametrize("name", CAMERAS)
def test_without_noise_a_cameras_matrix_gives_the_patches_back(name: str) -> None:
    sensor = find_sensor(name)
    photo = photograph_chart(sensor, 50, 1)  # hardly any noise
    black = photo.black_level[0]
    light = (photo.mosaic.astype(np.float32) - black) / (photo.white_level - black)
    balanced = np.zeros((photo.height // 2, photo.width // 2, 3))
    counts = np.zeros(3)
    for row, column in np.ndindex(2, 2):
        colour = int(photo.cfa.colours[row, column])
        balanced[..., colour] += light[row::2, column::2] * photo.white_balance[colour]
        counts[colour] += 1
    linear = (balanced / counts) @ photo.camera_to_srgb.T
    picture = color.encode(np.repeat(np.repeat(linear, 2, axis=0), 2, axis=1).astype(np.float32))
    assert ciede2000(read_patches(picture), patch_colours()).mean() < 0.3


def test_the_default_cameras_are_of_six_makers_or_more() -> None:
    assert len({find_sensor(name).make for name in CAMERAS}) >= 6
    assert len(CAMERAS) == len({*CAMERAS})


def test_figures_are_those_of_the_picture_shown() -> None:
    sensor = find_sensor("Sony ILCE-7SM2")
    warm = np.diag((1.1, 1.0, 0.9))
    told: list[str] = []
    right, wrong = (
        measure_colours([Painted(matrix)], [sensor], 3200, 100, told.append).rows[0] for matrix in (np.eye(3), warm)
    )
    assert right.worst < EXACT
    expected = ciede2000(patch_colours() @ warm.T, patch_colours())
    np.testing.assert_allclose(wrong.patches, expected, atol=0.05)
    assert wrong.mean == pytest.approx(expected.mean(), abs=0.05)
    assert wrong.worst_patch == [*PATCHES][int(expected.argmax())]
    assert wrong.greys == pytest.approx(expected[-6:].mean(), abs=0.05)
    assert any("painted" in line for line in told)


def test_libraw_is_measured_beside_and_close_when_there_is_light() -> None:
    sensor = find_sensor("Nikon D850")
    bright, dark = (measure_colours([], [sensor], iso, ratio, quiet).rows[0] for iso, ratio in ((100, 1), (3200, 300)))
    assert (bright.rendering, bright.camera) == (LIBRAW, "Nikon D850")
    assert bright.mean < 2
    assert dark.mean > bright.mean + 0.5  # clipped noise has a colour of its own


def test_a_table_has_a_row_for_each_camera_and_a_column_for_each_rendering() -> None:
    sensors = [find_sensor(name) for name in CAMERAS[:2]]
    table = measure_colours([Painted(np.eye(3))], sensors, 3200, 100, quiet)
    lines = table.markdown().splitlines()
    assert lines[2] == "| camera | painted | LibRaw |"
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| Sony ILCE-7SM2", "| Sony ILCE-7RM3", "| mean"]
    found = table.to_dict()
    assert len(found["rows"]) == 4
    assert len(found["rows"][0]["patches"]) == len(found["patches"]) == 24


def test_xtrans_charts_are_photographed_too() -> None:
    sensor = sensors_of(Cfa.XTRANS)[0]
    photo = photograph_chart(replace(sensor), 3200, 100)
    assert photo.cfa is Cfa.XTRANS
    assert measure_colours([], [sensor], 100, 1, quiet).rows[0].mean < 2
