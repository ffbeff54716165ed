"""Ma's metric: features as the authors' program has them, forests and files."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from scipy.io import savemat

from rdi.errors import InputError
from rdi.metrics.grey import Grey, to_grey
from rdi.metrics.ma import SMALLEST, MaMetric, blocks, features, wavelets
from rdi.metrics.ma.forest import FEATURES, read_forests
from rdi.metrics.ma.patches import patch_features
from rdi.metrics.ma.pyramid import Pyramid

# What the authors' program (github.com/chaoma99/sr-metric in Octave, without its forests) gives for the luma of two
# scikit-image photos without 4 pixels on each side; published in github.com/mxzhuang/parallel-perceptual-index.
AUTHORS = json.loads((Path(__file__).parent / "ma_features.json").read_text(encoding="utf-8"))


def stump(feature: int, threshold: float, low: float, high: float) -> dict[str, object]:
    """A forest of two trees: one asks a single question, the other is a leaf that says 1; MATLAB counts from 1."""
    return {
        "lDau": np.array([[2, 0], [0, 0], [0, 0]], dtype=np.int32),
        "rDau": np.array([[3, 0], [0, 0], [0, 0]], dtype=np.int32),
        "nodestatus": np.array([[-3, -1], [-1, 0], [-1, 0]], dtype=np.int8),
        "nrnodes": 3.0,
        "upper": np.array([[threshold, 0], [0, 0], [0, 0]]),
        "avnode": np.array([[9.0, 1.0], [low, 0], [high, 0]]),
        "mbest": np.array([[feature, 0], [0, 0], [0, 0]], dtype=np.int32),
        "coef": np.zeros((0, 0)),
    }


def write_model(path: Path, forests: list[dict[str, object]], *, as_row: bool = False) -> Path:
    cells = np.empty((1, len(forests)) if as_row else (len(forests), 1), dtype=object)
    cells.ravel()[:] = forests
    savemat(path, {"model": {"rf": cells, "linear": np.array([[0.5], [1.0], [2.0], [4.0]])}})
    return path


@pytest.fixture
def forests() -> list[dict[str, object]]:
    return [stump(1, 0.3, 2, 4), stump(45, 0.5, 6, 8), stump(75, 0.1, 10, 12)]


@pytest.mark.parametrize("name", AUTHORS)
def test_the_features_are_the_authors(name):
    grey = to_grey(getattr(skimage.data, name)(), Grey.Y)[4:-4, 4:-4]
    for found, kind in zip(features(grey), ("blocks", "wavelets", "patches"), strict=True):
        assert found == pytest.approx(AUTHORS[name][kind], abs=2e-6)


@pytest.mark.parametrize("as_row", [False, True])
def test_the_score_is_a_linear_combination_of_what_the_forests_say(tmp_path, forests, as_row):
    grey = to_grey(skimage.data.chelsea())[:120, :140]
    found = features(grey)
    asked = [(found[0][0], 0.3, 2, 4), (found[1][44], 0.5, 6, 8), (found[2][74], 0.1, 10, 12)]
    said = [((low if value <= threshold else high) + 1) / 2 for value, threshold, low, high in asked]
    expected = 0.5 + said[0] + 2 * said[1] + 4 * said[2]
    assert MaMetric(write_model(tmp_path / "model.mat", forests, as_row=as_row))(grey) == pytest.approx(expected)


def test_a_value_at_the_threshold_goes_left_and_trees_go_deep(tmp_path, forests):
    deep: dict[str, object] = {
        "lDau": np.array([[2], [0], [4], [0], [0]], dtype=np.int32),
        "rDau": np.array([[3], [0], [5], [0], [0]], dtype=np.int32),
        "upper": np.array([[1.0], [0], [2.0], [0], [0]]),
        "avnode": np.array([[0], [10.0], [0], [20.0], [30.0]]),
        "mbest": np.array([[2], [0], [3], [0], [0]], dtype=np.int32),
    }
    (forest, *_), _ = read_forests(write_model(tmp_path / "model.mat", [deep, *forests[1:]]))
    values = np.zeros(18)
    answers = []
    for values[1], values[2] in ((1.0, 9), (1.1, 2.0), (1.1, 2.1)):
        answers.append(forest.predict(values))
    assert answers == [10, 20, 30]


def test_a_forests_bias_is_corrected_where_the_file_says_so(tmp_path, forests):
    forests[0]["coef"] = np.array([3.0, 2.0])
    (forest, *_), _ = read_forests(write_model(tmp_path / "model.mat", forests))
    assert forest.predict(np.zeros(18)) == 3 + 2 * (2 + 1) / 2


def test_a_picture_too_small_for_the_second_scale_is_not_measured(tmp_path, forests):
    metric = MaMetric(write_model(tmp_path / "model.mat", forests))
    noise = np.random.default_rng(0).integers(0, 256, (SMALLEST, SMALLEST)).astype(np.float64)
    assert metric(noise[1:]) is None
    assert np.isfinite(metric(noise) or np.nan)


def test_a_black_picture_has_features():
    assert all(np.isfinite(found).all() for found in features(np.zeros((60, 70))))


def test_how_many_rows_are_worked_on_at_once_does_not_show(monkeypatch):
    grey = to_grey(skimage.data.chelsea())[:110, :100]
    at_once = features(grey)
    for module in (blocks, wavelets):
        monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    for found, expected in zip(features(grey), at_once, strict=True):
        assert found == pytest.approx(expected, abs=1.1e-3)  # rounding may move a shape by one step of its table


def test_patches_have_the_energy_of_the_picture():
    grey = to_grey(skimage.data.chelsea())[:112, :93]  # no multiples of five: what lacks is zero
    singular = patch_features(grey / 255)
    assert np.square(singular).sum() == pytest.approx(np.square(grey / 255).sum())
    assert (np.diff(singular) <= 0).all()


@pytest.mark.parametrize("shape", [(64, 64), (75, 82)])
def test_the_pyramid_keeps_the_energy_of_what_it_separates(shape):
    """Its masks' squares sum to 1 at every frequency, but for the rest below the second scale."""
    picture = np.random.default_rng(1).standard_normal(shape)
    fine = Pyramid(picture)
    energy = np.square(fine.high).sum() + sum(np.square(band).sum() for band in fine.bands[0])
    energy += sum(np.square(band).sum() for band in fine.bands[1]) / 4
    assert 0.85 < energy / np.square(picture).sum() < 1.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lDau": np.array([[1, 0], [0, 0], [0, 0]])}, "leads nowhere"),
        ({"rDau": np.array([[4, 0], [0, 0], [0, 0]])}, "leads nowhere"),
        ({"mbest": np.array([[19, 0], [0, 0], [0, 0]])}, "beyond 18"),
        ({"upper": np.zeros((2, 2))}, "differ in shape"),
    ],
)
def test_forests_that_make_no_sense_are_refused(tmp_path, forests, change, reason):
    forests[0].update(change)
    with pytest.raises(InputError, match=reason):
        read_forests(write_model(tmp_path / "model.mat", forests))


def test_other_files_are_refused_with_what_to_give(tmp_path, forests):
    text = tmp_path / "text.mat"
    text.write_text("forests, lots of them " * 30)
    other = tmp_path / "other.mat"
    savemat(other, {"mu": np.zeros(3)})
    bare = tmp_path / "bare.mat"
    savemat(bare, {"model": np.zeros(3)})
    fewer = write_model(tmp_path / "fewer.mat", forests[:2])
    modern = tmp_path / "modern.mat"
    modern.write_bytes(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM" + b"\x89HDF" + bytes(512))
    cases = {
        text: "no MATLAB file",
        other: "no variable",
        bare: "not Ma's model",
        fewer: "2 forests",
        modern: "MATLAB 7.3",
        tmp_path / "none.mat": "does not exist",
    }
    for file, reason in cases.items():
        with pytest.raises(InputError, match=reason) as caught:
            read_forests(file)
        assert "sr-metric" in str(caught.value)


def test_the_forests_look_at_as_many_features_as_there_are():
    assert tuple(map(len, features(np.random.default_rng(0).random((50, 50)) * 255))) == FEATURES
