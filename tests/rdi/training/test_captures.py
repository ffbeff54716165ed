"""Simulated training pairs: repeatable, on the model's phase, and true to their target."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from rdi.camera import Cfa
from rdi.errors import UsageError
from rdi.model_kinds import BelowBlack, Companding, Rendering, WhiteBalance
from rdi.pictures import load_picture
from rdi.rendering import render_camera
from rdi.simulate import Sensor, render_clean, to_camera
from rdi.training import captures as captures_module
from rdi.training.captures import (
    PhotoWindow,
    SimulatedCaptures,
    detail_of,
    draw_highlights,
    draw_light,
    draw_log_uniform,
)
from rdi.training.choices import Camera
from rdi.training.photos import PhotoShelf
from rdi.training.settings import TrainingSettings

SETTINGS = TrainingSettings(
    steps=5, batch=2, crop=192, iso=(400, 12_800), ratio=(10, 300), workers=0, companding=Companding.NONE
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rows, columns = np.mgrid[0:200, 0:260]
    picture = np.stack([rows, columns, 255 - rows], axis=2).clip(20, 255).astype(np.uint8)
    Image.fromarray(picture).save(folder / "ramp.png")
    return PhotoShelf([folder / "ramp.png"], smallest=192)


def test_a_sample_is_the_same_whoever_asks_for_it(shelf):
    first, second = SimulatedCaptures(shelf, SETTINGS), SimulatedCaptures(shelf, SETTINGS)
    second[0]
    for a, b in zip(first[3], second[3], strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first[3][0], first[4][0])
    other = SimulatedCaptures(shelf, replace(SETTINGS, seed=1))
    assert not torch.equal(first[3][0], other[3][0])


def test_a_sample_has_the_networks_shapes_and_ranges(shelf):
    captures = SimulatedCaptures(shelf, SETTINGS)
    assert len(captures) == 10
    inputs, target, *_ = captures[0]
    assert inputs.shape == (1, 192, 192)
    assert target.shape == (3, 192, 192)
    assert inputs.dtype == target.dtype == torch.float32
    assert inputs.min() < 0
    cut = SimulatedCaptures(shelf, replace(SETTINGS, below_black=BelowBlack.CUT))[0]
    assert torch.equal(cut.inputs, inputs.clamp(min=0))
    assert 0 <= target.min() <= target.max() <= 1
    with pytest.raises(IndexError):
        captures[10]


@pytest.mark.parametrize("index", range(8))
def test_however_it_is_flipped_the_mosaic_begins_on_red_and_shows_the_target(shelf, index, monkeypatch):
    """Demosaicked by hand and rendered, the input is the target: a wrong phase would swap its colours."""
    monkeypatch.setattr(captures_module, "draw_light", lambda _: np.ones(3))
    monkeypatch.setattr(captures_module, "draw_highlights", lambda _: 1.0)
    bright = SimulatedCaptures(shelf, replace(SETTINGS, steps=100, iso=(50, 50), ratio=(1, 1), sensor="Sony ILCE-7SM2"))
    inputs, target, *_ = bright[index]
    mosaic = inputs[0].numpy()
    cell = np.stack([mosaic[::2, ::2], (mosaic[::2, 1::2] + mosaic[1::2, ::2]) / 2, mosaic[1::2, 1::2]], axis=2).clip(
        0, 1
    )
    rendered = render_clean(cell, Sensor())
    wanted = target.numpy().transpose(1, 2, 0).reshape(96, 2, 96, 2, 3).mean((1, 3))
    assert np.abs(rendered - wanted).mean() < 0.02
    assert np.abs(rendered[..., ::-1] - wanted).mean() > 0.05


def test_an_xtrans_mosaic_shows_the_target_on_its_own_phase(shelf, monkeypatch):
    monkeypatch.setattr(captures_module, "draw_light", lambda _: np.ones(3))
    monkeypatch.setattr(captures_module, "draw_highlights", lambda _: 1.0)
    settings = replace(SETTINGS, camera=Camera.FUJI, steps=100, iso=(50, 50), ratio=(1, 1))
    captures = SimulatedCaptures(shelf, settings)
    assert captures.cfa is Cfa.XTRANS
    assert {sensor.make for sensor in captures.sensors} == {"Fujifilm"}
    inputs, target, *_ = captures[0]
    colours = np.tile(Cfa.XTRANS.colours, (32, 32))
    mosaic = inputs[0].numpy()
    sensor = captures._draw(0)[0].sensor
    means = [[mosaic[:96][colours[:96] == c].mean(), mosaic[96:][colours[96:] == c].mean()] for c in range(3)]
    rendered = render_clean(np.array(means, dtype=np.float32).T[None], sensor)[0]
    wanted = target.numpy().transpose(1, 2, 0)
    halves = np.stack([wanted[:96].mean((0, 1)), wanted[96:].mean((0, 1))])
    assert np.abs(rendered - halves).max() < 0.08


def test_every_flip_and_turn_occurs():
    photo = np.arange(200 * 260 * 3, dtype=np.uint32).astype(np.uint8).reshape(200, 260, 3)
    photo[..., 0], photo[..., 1] = np.arange(200)[:, None], np.arange(260)[None] // 2
    seen = set()
    for seed in range(60):
        patch = PhotoWindow.draw(photo.shape, 64, np.random.default_rng(seed)).cut(photo).astype(int)
        rows, columns = patch[-1, 0] - patch[0, 0], patch[0, -1] - patch[0, 0]
        seen.add((rows[0] > 0, rows[0] < 0, columns[0] > 0, columns[0] < 0, rows[1] > 0, columns[1] > 0))
    assert len(seen) == 8


@pytest.mark.parametrize("shape", [(40, 100, 3), (100, 40, 3), (33, 40, 3)])
def test_a_photo_smaller_than_the_crop_is_mirrored_to_fill_it(shape):
    photo = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for seed in range(20):
        window = PhotoWindow.draw(shape, 64, np.random.default_rng(seed))
        patch = replace(window, mirror_rows=False, mirror_columns=False, transpose=False).cut(photo)
        assert patch.shape == (64, 64, 3)
        inside = patch[max(-window.top, 0) :, max(-window.left, 0) :]
        inside = inside[: shape[0] - max(window.top, 0), : shape[1] - max(window.left, 0)]
        start = max(window.top, 0), max(window.left, 0)
        assert np.array_equal(inside, photo[start[0] :, start[1] :][: inside.shape[0], : inside.shape[1]])
        if window.top < 0:
            assert np.array_equal(patch[-window.top - 1], patch[-window.top])


@pytest.mark.parametrize(("reduction", "extent"), [(1.0, 64), (1.5, 96), (2.0, 128), (8.0, 150)])
def test_a_reduced_crop_covers_more_of_the_photo_and_keeps_its_means(reduction, extent):
    rows, columns = np.mgrid[0:150, 0:260]
    photo = np.stack([rows, columns * 0.9, rows * 0 + 40], axis=2).astype(np.uint8)
    for seed in range(10):
        window = PhotoWindow.draw(photo.shape, 64, np.random.default_rng(seed), reduction=reduction)
        assert (window.extent, window.side) == (extent, 64)
        assert 0 <= window.top <= 150 - extent
        assert 0 <= window.left <= 260 - extent
        patch = window.cut(photo)
        assert patch.shape == (64, 64, 3)
        source = photo[window.top : window.top + extent, window.left : window.left + extent]
        np.testing.assert_allclose(patch.mean((0, 1)), source.mean((0, 1)), atol=0.6)


def test_a_photo_smaller_than_the_crop_is_not_reduced():
    window = PhotoWindow.draw((40, 300, 3), 64, np.random.default_rng(0), reduction=2.0)
    assert (window.extent, window.side) == (64, 64)


def test_of_several_crops_the_one_with_most_detail_is_taken(tmp_path):
    half = np.full((400, 200, 3), 120, np.uint8)
    busy = np.random.default_rng(0).integers(0, 256, (400, 200, 3), dtype=np.uint8)
    Image.fromarray(np.concatenate([half, busy], axis=1)).save(tmp_path / "half.png")
    shelf = PhotoShelf([tmp_path / "half.png"], smallest=192)

    def detail(**given):
        captures = SimulatedCaptures(shelf, replace(SETTINGS, steps=20, **given))
        return np.mean([detail_of(captures._draw(index)[0].patch) for index in range(20)])

    assert detail_of(half) == 0
    assert detail(detail=4) > 1.3 * detail()
    captures = SimulatedCaptures(shelf, replace(SETTINGS, steps=20, reduction=2.0))
    extents = {captures._draw(index)[0].window.extent for index in range(20)}
    assert min(extents) >= 192
    assert 300 < max(extents) <= 384
    assert f"{captures._draw(0)[0].window.extent}x" in captures.describe(0)


def test_a_baked_balance_is_one_cameras_daylight_and_not_applied(shelf, monkeypatch):
    monkeypatch.setattr(captures_module, "draw_light", lambda _: np.ones(3))
    monkeypatch.setattr(captures_module, "draw_highlights", lambda _: 1.0)
    settings = replace(SETTINGS, rendering=Rendering.PAPER, white_balance=WhiteBalance.BAKED)
    baked = SimulatedCaptures(shelf, replace(settings, iso=(50, 50), ratio=(1, 1), defects=False))
    assert [sensor.name for sensor in baked.sensors] == ["Sony ILCE-7SM2"]
    inputs, *_ = baked[0]
    exposure = baked.draw_exposure(baked.sensors[0], np.random.default_rng(0))
    assert np.allclose(exposure.white_balance, Sensor().daylight)
    red = inputs[0, ::2, ::2]
    assert float(red.max()) < 1.05 / Sensor().daylight[0]


def test_each_sample_is_taken_by_one_of_many_cameras_within_its_isos(shelf):
    captures = SimulatedCaptures(shelf, replace(SETTINGS, steps=400, iso=(400, 25_600)))
    drawn = [captures._draw(index)[0] for index in range(600)]
    assert len({draw.sensor.name for draw in drawn}) == len(captures.sensors) == 46
    assert all(draw.exposure.iso <= draw.sensor.highest_iso for draw in drawn)
    assert all(draw.sensor.cfa is Cfa.RGGB for draw in drawn)
    factors = {(d.sensor.gain_factor, d.sensor.read_factor) for d in drawn if d.sensor.name == Sensor().name}
    assert factors == {(1.0, 1.0)}
    others = np.array([d.sensor.gain_factor for d in drawn if d.sensor.name != Sensor().name])
    assert 0.7 <= others.min() < 0.8 < 1.2 < others.max() <= 1.3


def test_a_named_camera_takes_all_samples(shelf):
    captures = SimulatedCaptures(shelf, replace(SETTINGS, sensor="d850"))
    assert {captures._draw(index)[0].sensor.name for index in range(10)} == {"Nikon D850"}
    assert SimulatedCaptures(shelf, replace(SETTINGS, sensor="X-T3")).cfa is Cfa.XTRANS


def test_a_camera_that_the_model_cannot_read_is_refused(shelf):
    with pytest.raises(UsageError, match="not in the table"):
        SimulatedCaptures(shelf, replace(SETTINGS, sensor="Nikon D85"))
    with pytest.raises(UsageError, match=r"Nikon D850 has a mosaic of RGGB, but .* are XTRANS"):
        SimulatedCaptures(shelf, replace(SETTINGS, sensor="Nikon D850", camera=Camera.FUJI))


def test_a_samples_description_names_photo_window_camera_and_exposure(shelf):
    said = SimulatedCaptures(shelf, SETTINGS).describe(3)
    drawn = SimulatedCaptures(shelf, SETTINGS)._draw(3)[0]
    for part in ("ramp.png, 192x192", drawn.sensor.name, f"ISO {drawn.exposure.iso:.0f}", "white balance", "ratio"):
        assert part in said


def test_scenes_are_lit_as_they_were_or_otherwise_up_to_beyond_white():
    generator = np.random.default_rng(0)
    lights = np.array([draw_light(generator) for _ in range(4000)])
    assert (lights == 1).all(axis=1).mean() == pytest.approx(0.7 * 0.8, abs=0.03)
    coloured = lights.max(axis=1) / lights.min(axis=1) > 1
    assert coloured.mean() == pytest.approx(0.2, abs=0.03)
    assert lights.max() > 10
    assert lights[~coloured].min() < 0.4


def test_highlights_shine_in_some_scenes():
    generator = np.random.default_rng(0)
    drawn = np.array([draw_highlights(generator) for _ in range(2000)])
    assert (drawn > 1).mean() == pytest.approx(0.3, abs=0.04)
    assert drawn.min() == 1
    assert 30 < drawn.max() <= 40


def test_what_is_brighter_than_white_is_white_in_the_target_and_brighter_at_the_input(shelf, monkeypatch):
    monkeypatch.setattr(captures_module, "draw_light", lambda _: np.full(3, 20.0))
    inputs, target, *_ = SimulatedCaptures(
        shelf, replace(SETTINGS, iso=(100, 100), ratio=(100, 100), sensor="Sony ILCE-7SM2")
    )[0]
    bright = target.min(dim=0).values > 0.999
    assert bright.float().mean() > 0.5
    assert float(inputs[0][bright].mean()) > 2


def test_a_log_uniform_number_has_its_median_at_the_geometric_mean():
    generator = np.random.default_rng(0)
    drawn = [draw_log_uniform((50, 25_600), generator) for _ in range(4000)]
    assert min(drawn) >= 50
    assert max(drawn) <= 25_600
    assert np.median(drawn) == pytest.approx(np.sqrt(50 * 25_600), rel=0.15)


def test_iso_and_ratio_are_drawn_so(shelf):
    captures = SimulatedCaptures(shelf, replace(SETTINGS, iso=(400, 12_800), ratio=(2, 300)))
    generator = np.random.default_rng(1)
    exposures = [captures.draw_exposure(Sensor(), generator) for _ in range(2000)]
    assert np.median([e.iso for e in exposures]) == pytest.approx(np.sqrt(400 * 12_800), rel=0.15)
    assert np.median([e.ratio for e in exposures]) == pytest.approx(np.sqrt(2 * 300), rel=0.2)


def test_a_photo_that_is_not_kept_is_decoded_once_for_a_sample(shelf, monkeypatch):
    decoded = []

    def load(path, most):
        decoded.append(path)
        return load_picture(path, most)

    monkeypatch.setattr("rdi.training.photos.load_picture", load)
    captures = SimulatedCaptures(PhotoShelf(shelf.paths, smallest=192, budget=0), SETTINGS)
    assert torch.equal(captures[2][0], SimulatedCaptures(shelf, SETTINGS)[2][0])
    assert len(decoded) == 1


def test_light_beyond_white_is_clipped_before_the_matrix_or_goes_to_white_after_it(shelf, monkeypatch):
    monkeypatch.setattr(captures_module, "draw_light", lambda _: np.array([0.5, 1.0, 6.0]))
    targets = []
    for rendering in Rendering:
        captures = SimulatedCaptures(shelf, replace(SETTINGS, rendering=rendering))
        drawn, _ = captures._draw(0)
        camera = to_camera(drawn.patch, drawn.sensor, drawn.light)
        wanted = {
            Rendering.PAPER: render_clean(camera, drawn.sensor),
            Rendering.CAMERA: render_camera(camera, drawn.sensor.srgb_from_camera),
        }[rendering]
        targets.append(captures[0].target.permute(1, 2, 0).numpy())
        np.testing.assert_array_equal(targets[-1], wanted)
    assert np.abs(targets[0] - targets[1]).max() > 0.1
