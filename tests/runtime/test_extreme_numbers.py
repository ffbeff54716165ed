"""Frames at the ends of what can be counted, through the graph and through PyTorch: defined, and the same in both."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rdi import reference
from rdi.amplifier import HIGHEST, LOWEST
from rdi.camera import Cfa, RawPhoto, photo_from_array
from rdi.checkpoint import Checkpoint, load_checkpoint
from rdi.color import srgb_from_camera
from rdi.errors import LevelsError, RdiError, UnsupportedMosaicError, UsageError
from rdi.export import verification
from rdi.export.picture_checks import all_cases, worse
from rdi.models import shipped_model
from rdi.runtime import Exposure, ExposureMode, Restorer, engine
from rdi.runtime.color_matrix import parse_color_matrix
from rdi.runtime.exposure import choose_amplification
from rdi.runtime.strips import StripHeights
from rdi.runtime.white_balance import WhiteBalance, WhiteBalanceMode, parse_white_balance

HEIGHT, WIDTH = 48, 64
BLACK, WHITE = 512.0, 16383.0
# Black and white: usual ones, a single step, all that 16 bits can count.
LEVELS = ((BLACK, WHITE), (512.0, 513.0), (0.0, 65535.0))
NONE = (float("nan"), float("inf"), -float("inf"))


def filled(value: int) -> NDArray[np.uint16]:
    return np.full((HEIGHT, WIDTH), value, np.uint16)


def hot() -> NDArray[np.uint16]:
    mosaic = filled(520)
    mosaic[20, 30] = 65535
    return mosaic


def half() -> NDArray[np.uint16]:
    mosaic = filled(530)
    mosaic[:, WIDTH // 2 :] = 65535
    return mosaic


FRAMES = {
    "nothing": filled(0),
    "black": filled(512),
    "white": filled(16383),
    "above white": filled(65535),
    "one hot pixel": hot(),
    "half above white": half(),
    "anything": np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16),
}


def photo(mosaic: NDArray[np.uint16], levels: tuple[float, float] = (BLACK, WHITE), **changes: Any) -> RawPhoto:
    balance = np.array([2.1, 1.0, 1.6])
    return RawPhoto(mosaic, Cfa.RGGB, np.array([levels[0]]), levels[1], white_balance=balance).replace(**changes)


@pytest.fixture(scope="module", params=["rdi", "rdi-srgb"])
def both(request: pytest.FixtureRequest) -> tuple[Restorer, Checkpoint]:
    """A shipped model and the weights that it was made of."""
    return Restorer(request.param), load_checkpoint(shipped_model(request.param).with_suffix(".safetensors"))


def compared(both: tuple[Restorer, Checkpoint], taken: RawPhoto, amplification: float) -> tuple[float, float]:
    """The largest difference of graph and PyTorch, and the size of the largest input, white = 1."""
    restorer, weights = both
    picture = restorer.restore(taken, amplification).image / 65535
    expected = reference.restore(weights.network, weights.metadata, taken, amplification)
    assert np.isfinite(expected).all()
    # Below black too: what is far below is as hard to add up as what is far above.
    light = np.abs(taken.mosaic.astype(np.float64) - taken.black_level[0]).max()
    light /= taken.white_level - taken.black_level[0]
    return float(np.abs(picture - expected).max()), float(light * amplification * taken.white_balance.max())


def bound(largest: float) -> float:
    """As near as float32 lets them: a millionth of the largest input, times the 4.5 of the curve near black."""
    return 1e-4 + min(5e-6 * largest, 0.05)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("levels", LEVELS)
def test_graph_and_pytorch_agree_at_both_caps(
    both: tuple[Restorer, Checkpoint], frame: str, levels: tuple[float, float]
) -> None:
    for amplification in (LOWEST, HIGHEST):
        found, largest = compared(both, photo(FRAMES[frame], levels), amplification)
        assert found <= bound(largest)


def test_graph_and_pytorch_agree_with_huge_gains_and_amplifications(both: tuple[Restorer, Checkpoint]) -> None:
    for mosaic in (filled(520), FRAMES["anything"]):
        for amplification in (0.01, 10_000.0):
            taken = photo(mosaic, white_balance=np.array([64.0, 1.0, 64.0]))
            found, largest = compared(both, taken, amplification)
            assert found <= bound(largest)


def test_frames_without_light_are_dark_and_frames_full_of_it_white(both: tuple[Restorer, Checkpoint]) -> None:
    for amplification in (LOWEST, HIGHEST):
        dark, light = (
            both[0].restore(photo(FRAMES[name]), amplification).image / 65535 for name in ("black", "above white")
        )
        assert dark.mean() < 0.02
        assert light.mean() > 0.97


def test_strips_of_extreme_frames_have_the_bytes_of_the_whole(
    both: tuple[Restorer, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "choose_heights", lambda *_: StripHeights(3, 1))
    in_strips = Restorer(both[0]._engine.sessions.model.path, max_memory="1GB")
    for name in ("anything", "half above white", "one hot pixel"):
        for levels in LEVELS[:2]:
            taken = photo(FRAMES[name], levels)
            found, whole = in_strips.restore(taken, HIGHEST), both[0].restore(taken, HIGHEST)
            assert (found.in_strips, whole.in_strips) == (True, False)
            assert np.array_equal(found.image, whole.image)


@pytest.mark.parametrize(
    ("frame", "value", "cap"),
    [
        ("nothing", HIGHEST, HIGHEST),
        ("black", HIGHEST, HIGHEST),
        ("one hot pixel", 5 * 0.01 / (8 / (WHITE - BLACK)), None),
        ("white", LOWEST, LOWEST),
        ("above white", LOWEST, LOWEST),
    ],
)
def test_the_amplifier_stops_at_both_caps(
    both: tuple[Restorer, Checkpoint], frame: str, value: float, cap: float
) -> None:
    for mode in (ExposureMode.AUTO, ExposureMode.PAPER):
        chosen = choose_amplification(photo(FRAMES[frame]), both[0].model, Exposure(mode))
        assert chosen.cap == cap
        assert np.isfinite(chosen.value)
        if mode is ExposureMode.PAPER:
            assert chosen.value == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("counts", [1, 2])
def test_the_amplifier_is_within_its_caps_whatever_the_counts(both: tuple[Restorer, Checkpoint], counts: int) -> None:
    generator = np.random.default_rng(counts)
    for _ in range(20):
        values = generator.integers(0, 65536, counts).astype(np.uint16)
        mosaic = generator.choice(values, (HEIGHT, WIDTH))
        for mode in (ExposureMode.AUTO, ExposureMode.PAPER):
            chosen = choose_amplification(photo(mosaic), both[0].model, Exposure(mode))
            assert LOWEST <= chosen.value <= HIGHEST


@pytest.mark.parametrize("none", NONE)
def test_numbers_that_are_none_are_refused_in_place_of_levels_gains_and_matrices(none: float) -> None:
    mosaic, matrix = filled(600), np.eye(3) * 0.7
    given: list[dict[str, Any]] = [
        {"black_level": none},
        {"white_level": none},
        {"white_balance": [none, 1, 1]},
        {"white_balance": [2, 1, none]},
        {"camera_from_xyz": np.where(np.eye(3) > 0, none, matrix)},
        {"black_level": [none, 1, 1, 1]},
    ]
    for changes in given:
        with pytest.raises(LevelsError):
            photo_from_array(mosaic, "RGGB", **({"black_level": 512, "white_level": 16383.0} | changes))
    with pytest.raises(LevelsError):
        photo(mosaic, camera_to_srgb=np.full((3, 3), none))
    with pytest.raises(LevelsError):
        srgb_from_camera(np.full((3, 3), none))


@pytest.mark.parametrize("none", ["nan", "inf", "-inf", "1e999", "-1e999"])
def test_numbers_that_are_none_are_refused_in_place_of_options(none: str) -> None:
    asked: list[Any] = [
        lambda: Exposure(ExposureMode.NUMBER, float(none)),
        lambda: Exposure(ExposureMode.RATIO, float(none)),
        lambda: Exposure(ev=float(none)),
        lambda: parse_white_balance(f"{none},1,1"),
        lambda: parse_white_balance(f"1,{none},1"),
        lambda: parse_color_matrix(f"{none},0,0,0,1,0,0,0,1"),
        lambda: parse_color_matrix(",".join([none] * 9)),
    ]
    for call in asked:
        with pytest.raises(UsageError) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "mosaic",
    [
        np.full((8, 8), np.nan),
        np.full((8, 8), np.inf, np.float32),
        np.zeros((8, 8)),
        np.zeros((8, 8), bool),
        np.full((8, 8), -1),
        np.full((8, 8), 65536),
        np.full((8, 8), 2**63, np.uint64),
        np.zeros((8, 8), object),
        np.zeros((8, 8), "M8[s]"),
        np.zeros((0, 0), np.uint16),
        np.zeros((8, 8, 3), np.uint16),
        np.array(7),
    ],
    ids=lambda mosaic: f"{mosaic.dtype} {mosaic.shape}",
)
def test_arrays_that_are_no_counts_are_refused(mosaic: NDArray[Any]) -> None:
    with pytest.raises(UnsupportedMosaicError) as caught:
        photo_from_array(mosaic, "RGGB", black_level=0, white_level=100)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("black", "white"), [(512, 512), (512, 512.0000001), (512.5, 513.25), (65535, 65535), (-1, 9)])
def test_levels_without_a_step_between_them_are_refused(black: float, white: float) -> None:
    """In float32 such levels are one: the graph would divide by nothing."""
    with pytest.raises(LevelsError):
        photo(filled(600), (black, white))


def test_a_matrix_that_float32_cannot_hold_is_refused() -> None:
    """Its rows sum to 1, as they must."""
    huge = np.array([[1e39, -1e39, 1], [0, 1, 0], [0, 0, 1.0]])
    with pytest.raises(LevelsError, match="from -1000 to 1000"):
        photo(filled(600), camera_to_srgb=huge)


@pytest.mark.parametrize("frame", FRAMES)
def test_white_balance_from_the_photo_is_defined_at_both_ends(frame: str) -> None:
    matrix = np.array([[0.58, -0.14, -0.02], [-0.35, 1.15, 0.23], [-0.07, 0.19, 0.58]])
    taken = photo(FRAMES[frame], camera_from_xyz=matrix)
    gains = WhiteBalance(WhiteBalanceMode.AUTO).apply(taken).white_balance
    assert np.isfinite(gains).all()
    assert (gains > 0).all()


def test_a_matrix_without_sense_in_lamplight_is_no_warning_and_no_gain() -> None:
    matrix = np.array([[-0.5, 1.0, 0.9], [-0.3, 1.1, 0.2], [-0.1, 0.2, 0.6]])
    scene = np.random.default_rng(2).integers(600, 9000, (96, 96)).astype(np.uint16)
    for mode in (WhiteBalanceMode.AUTO, WhiteBalanceMode.DAYLIGHT):
        try:
            gains = WhiteBalance(mode).apply(photo(scene, camera_from_xyz=matrix)).white_balance
        except RdiError:
            continue
        assert (gains > 0).all()


@pytest.fixture
def broken() -> Checkpoint:
    """Weights one of which is not a number, as a run that diverged would leave them."""
    import torch

    loaded = load_checkpoint(shipped_model().with_suffix(".safetensors"))
    with torch.no_grad():
        loaded.network.get_parameter("merge.expand.bias")[0] = float("nan")
    return loaded


def test_weights_that_are_no_numbers_fail_their_verification(
    broken: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not verification.check_folding(broken).passed
    sizes = [next(iter(all_cases(Cfa.RGGB)))]
    monkeypatch.setattr(verification, "all_cases", lambda _: sizes)
    assert not verification.check_deployment(broken).passed


@pytest.mark.parametrize(("first", "second"), [(0.0, float("nan")), (float("nan"), 0.0), (float("nan"), float("inf"))])
def test_a_difference_that_is_no_number_is_never_the_smaller_one(first: float, second: float) -> None:
    """Python's `max(0.0, nan)` is 0.0: a check would pass."""
    assert np.isnan(worse(first, second))
    assert worse(1.0, 2.0) == worse(2.0, 1.0) == 2.0
