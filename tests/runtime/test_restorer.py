import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from rdi.camera import Cfa, RawPhoto, align
from rdi.errors import ModelError, UnsupportedMosaicError, UsageError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.orientation import upright
from rdi.runtime import Exposure, ExposureMode, Provider, Restorer
from rdi.runtime import sessions as sessions_module
from rdi.runtime.model import open_model
from rdi.runtime.sessions import Sessions

BAYER = [cfa for cfa in Cfa if cfa is not Cfa.XTRANS]
SIXTY = Exposure(ExposureMode.NUMBER, 60.0)


def noisy_photo(cfa: Cfa = Cfa.RGGB, size: tuple[int, int] = (37, 51), orientation: int = 1) -> RawPhoto:
    mosaic = 512 + np.random.default_rng(11).poisson(60, size)
    black = np.array([508.0, 512.0, 514.0, 520.0])
    balance = np.array([2.4, 1.0, 1.6])
    return RawPhoto(mosaic.astype(np.uint16), cfa, black, 16383.0, balance, orientation=orientation)


def by_numpy(photo: RawPhoto, amplification: float, balanced: bool = True) -> np.ndarray:
    """What the miniature model must return: the colour of each RGGB cell."""
    frame = align(photo, Cfa.RGGB, 32)
    black, gains = (Cfa.RGGB.tile(values, *frame.mosaic.shape) for values in (frame.black_level, frame.gains))
    x = np.maximum(frame.mosaic - black, 0) / (photo.white_level - black) * amplification
    x = np.clip(x * gains if balanced else x, 0, 1)
    cells = np.stack([x[0::2, 0::2], x[0::2, 1::2], x[1::2, 1::2]], axis=-1)
    return np.asarray(frame.crop(np.rint(cells.repeat(2, axis=0).repeat(2, axis=1) * 65535)))


@pytest.mark.parametrize("cfa", BAYER)
def test_levels_gains_and_amplification_reach_the_network(tiny_model: Path, cfa: Cfa) -> None:
    photo = noisy_photo(cfa)
    restored = Restorer(tiny_model).restore(photo, SIXTY)
    assert restored.image.dtype == np.uint16
    assert restored.image.shape == (37, 51, 3)
    assert np.abs(restored.image.astype(int) - by_numpy(photo, 60)).max() <= 1


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("size", [(2, 2), (33, 32), (64, 95)])
def test_a_plain_colour_stays_that_colour_in_every_phase_up_to_the_border(
    tiny_model: Path, cfa: Cfa, size: tuple[int, int]
) -> None:
    counts = np.array([40.0, 90.0, 70.0])
    mosaic = 512 + cfa.tile(cfa.per_site(counts), *size)
    photo = RawPhoto(mosaic.astype(np.uint16), cfa, np.array([512.0]), 16383.0, np.array([2.0, 1.0, 1.5]))
    image = Restorer(tiny_model).restore(photo, SIXTY).image
    expected = np.rint(counts / 15871 * 60 * [2.0, 1.0, 1.5] * 65535)
    assert image.shape == (*size, 3)
    assert np.abs(image - expected).max() <= 1


def test_a_model_with_a_balance_of_its_own_gets_gains_of_one(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    baked = make_tiny_model(ModelMetadata(white_balance=WhiteBalance.BAKED))
    restored = Restorer(baked).restore(noisy_photo(), SIXTY)
    assert np.abs(restored.image.astype(int) - by_numpy(noisy_photo(), 60, balanced=False)).max() <= 1


def test_the_amplification_is_chosen_on_the_visible_frame(tiny_model: Path) -> None:
    photo = noisy_photo()
    restored = Restorer(tiny_model).restore(photo)
    assert restored.amplification.mode is ExposureMode.AUTO
    assert np.abs(restored.image.astype(int) - by_numpy(photo, restored.amplification.value)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright_as_pillow_turns_it(orientation: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(picture)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(upright(picture.astype(np.uint16), orientation), np.asarray(ImageOps.exif_transpose(image)))


def test_a_restored_photo_is_upright(tiny_model: Path) -> None:
    restorer = Restorer(tiny_model)
    lying = restorer.restore(noisy_photo(), SIXTY).image
    standing = restorer.restore(noisy_photo(orientation=6), SIXTY).image
    assert np.array_equal(standing, np.rot90(lying, -1))


def test_equal_frames_share_a_session_and_few_sizes_are_kept(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []
    original = Sessions._make

    def counted(self: Sessions, height: int, width: int) -> object:
        made.append((height, width))
        return original(self, height, width)

    monkeypatch.setattr(Sessions, "_make", counted)
    restorer = Restorer(tiny_model)
    for size in [(30, 40), (31, 44), (32, 33), (70, 40), (30, 40), (70, 40)]:
        restorer.restore(noisy_photo(size=size), SIXTY)
    assert made == [(128, 128), (160, 128)]
    restorer.restore(noisy_photo(size=(10, 10)), SIXTY)
    restorer.restore(noisy_photo(size=(70, 40)), SIXTY)
    assert made == [(128, 128), (160, 128), (96, 96)]
    restorer.restore(noisy_photo(size=(30, 40)), SIXTY)
    assert len(made) == 4
    assert len(restorer._engine.sessions._sessions) == sessions_module.KEPT


def test_a_frame_against_the_size_rule_is_refused_before_onnxruntime_sees_it(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="multiples of 32, not 33x64"):
        Sessions(open_model(tiny_model), Provider.CPU).get(64, 33)


def test_an_xtrans_photo_is_refused_by_a_bayer_model(tiny_model: Path) -> None:
    photo = RawPhoto(np.full((12, 12), 600, dtype=np.uint16), Cfa.XTRANS, np.array([512.0]), 16383.0)
    with pytest.raises(UnsupportedMosaicError, match="X-Trans"):
        Restorer(tiny_model).restore(photo)


def test_the_result_names_the_white_balance_that_was_used(
    tiny_model: Path, make_tiny_model: Callable[[ModelMetadata], Path]
) -> None:
    photo = noisy_photo().replace(white_balance=np.array([2.5, 1.0, 1.5]))
    assert Restorer(tiny_model).restore(photo, SIXTY).white_balance == (2.5, 1.0, 1.5)
    baked = make_tiny_model(ModelMetadata(white_balance=WhiteBalance.BAKED))
    assert Restorer(baked).restore(photo, SIXTY).white_balance is None


def test_the_result_says_how_it_was_made(tiny_model: Path) -> None:
    photo = noisy_photo().replace(exif=b"II*\0")
    restored = Restorer(tiny_model, threads=1).restore(photo, SIXTY)
    first, *at_once, last = restored.timings
    assert (first, {*at_once}, last) == ("align", {"exposure", "session"}, "network")
    assert all(time >= 0 for time in restored.timings.values())
    assert (restored.provider, restored.model.variant, restored.exif) == (Provider.CPU, "tiny", b"II*\0")


def test_threads_are_the_callers_or_the_physical_cores(tiny_model: Path) -> None:
    assert Restorer(tiny_model, threads=3).threads == 3
    assert Restorer(tiny_model).threads >= 1


def test_an_unknown_provider_is_refused_before_any_work(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown provider 'gpu'.*cpu, cuda"):
        Restorer(tiny_model, provider="gpu")


def test_a_dropped_restorer_frees_its_sessions(tiny_model: Path) -> None:
    restorer = Restorer(tiny_model)
    restorer.restore(noisy_photo(), SIXTY)
    sessions = weakref.ref(restorer._engine.sessions)
    del restorer
    gc.collect()
    assert sessions() is None


def test_importing_the_runtime_loads_nothing_heavy() -> None:
    heavy = {"rawpy", "PIL", "typer", "torch", "onnx", "onnxruntime"}
    script = f"import sys; from rdi.runtime import Restorer; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_restoring_needs_neither_torch_nor_onnx_nor_typer(tiny_model: Path) -> None:
    script = f"""
import sys
from pathlib import Path
import numpy as np
from rdi.camera import Cfa, RawPhoto
from rdi.runtime import Restorer
photo = RawPhoto(np.full((10, 10), 600, dtype=np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0)
print(Restorer(Path({str(tiny_model)!r})).restore(photo).image.shape)
print(*{{"rawpy", "PIL", "typer", "torch", "onnx"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "(10, 10, 3)\n\n"


def test_choosing_the_amplification_costs_little_beside_the_network(exported_model: Path) -> None:
    mosaic = (512 + np.random.default_rng(1).poisson(60, (1024, 1536))).astype(np.uint16)
    photo = RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0)
    restorer = Restorer(exported_model, threads=1)
    timings = [restorer.restore(photo).timings for _ in range(4)]
    exposure, network = (min(timing[stage] for timing in timings) for stage in ("exposure", "network"))
    assert exposure < network / 8  # a twentieth on a quiet machine
