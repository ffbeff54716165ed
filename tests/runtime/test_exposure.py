from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdi.amplifier import MConvention, count_raw_values, estimate_amplification
from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.errors import UsageError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.runtime import Exposure, ExposureMode
from rdi.runtime.exposure import bracket_from, choose_amplification, exposure_from, parse_exposure, stops_name

MODEL = ModelMetadata()
PAPER = Exposure(ExposureMode.PAPER)


def photo_of(mosaic: np.ndarray, white: float = 16383.0, cfa: Cfa = Cfa.RGGB) -> RawPhoto:
    return RawPhoto(mosaic.astype(np.uint16), cfa, np.array([512.0]), white, np.array([2.4, 1.0, 1.6]))


def burnt_share(photo: RawPhoto, amplification: float, gains: np.ndarray | None = None) -> float:
    """Share of the pixels below white that the graph, in float32, would see above 1."""
    black = photo.cfa.tile(photo.black_level, *photo.mosaic.shape).astype(np.float32)
    gain = photo.cfa.tile(photo.gains if gains is None else gains, *photo.mosaic.shape).astype(np.float32)
    x = np.maximum(photo.mosaic.astype(np.float32) - black, 0) / (np.float32(photo.white_level) - black)
    below = photo.mosaic < photo.white_level
    return float((x * np.float32(amplification) * gain > 1)[below].mean()) if below.any() else 0.0


def a_dark_hall_with_lights(share: float, light: int = 9000) -> RawPhoto:
    mosaic = np.random.default_rng(3).poisson(40, (80, 100)) + 512
    mosaic.ravel()[np.random.default_rng(4).permutation(mosaic.size)[: int(share * mosaic.size)]] = light
    return photo_of(mosaic)


def test_paper_is_eq_5_alone() -> None:
    photo = a_dark_hall_with_lights(0.05)
    alone = estimate_amplification(count_raw_values(photo), photo.black_level, photo.white_level, MODEL.m)
    chosen = choose_amplification(photo, MODEL, PAPER)
    assert chosen.value == chosen.estimate == alone
    assert not chosen.held_back


def test_auto_is_eq_5_where_hardly_a_light_would_burn_out() -> None:
    photo = a_dark_hall_with_lights(0.005)
    chosen = choose_amplification(photo, MODEL, Exposure())
    assert chosen.value == chosen.estimate
    assert chosen.describe() == "auto; Eq. 5"


def test_auto_holds_back_for_lights() -> None:
    photo = a_dark_hall_with_lights(0.05, light=3000)
    chosen = choose_amplification(photo, MODEL, Exposure())
    assert chosen.estimate is not None
    assert chosen.value < chosen.estimate
    assert chosen.held_back
    assert "held back" in chosen.describe()
    assert burnt_share(photo, chosen.estimate) > 0.01 >= burnt_share(photo, chosen.value)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3), st.integers(600, 16382), st.sampled_from([Cfa.RGGB, Cfa.GBRG]))
def test_auto_burns_one_per_cent_at_most_and_is_as_bright_as_that_allows(
    seed: int, share: float, light: int, cfa: Cfa
) -> None:
    generator = np.random.default_rng(seed)
    mosaic = generator.poisson(generator.uniform(1, 300), (40, 60)) + 512
    mosaic[generator.random(mosaic.shape) < share] = light
    mosaic[generator.random(mosaic.shape) < share / 2] = 16383
    photo = photo_of(mosaic, cfa=cfa)
    chosen = choose_amplification(photo, MODEL, Exposure())
    assert burnt_share(photo, chosen.value) <= 0.01 or chosen.value == 1
    assert chosen.value == chosen.estimate or chosen.value == 1 or burnt_share(photo, chosen.value * 1.0001) > 0.01


def test_saturated_pixels_do_not_hold_it_back() -> None:
    photo = a_dark_hall_with_lights(0.3, light=16383)
    assert not choose_amplification(photo, MODEL, Exposure()).held_back


def test_auto_never_darkens_a_bright_photo() -> None:
    mosaic = np.full((40, 60), 12_000)
    chosen = choose_amplification(photo_of(mosaic), MODEL, Exposure())
    assert burnt_share(photo_of(mosaic), 1.0) > 0.01
    assert chosen.value == 1.0


def test_the_gains_count_only_for_models_that_apply_them() -> None:
    photo = a_dark_hall_with_lights(0.05)
    baked = choose_amplification(photo, MODEL.replace(white_balance=WhiteBalance.BAKED), Exposure())
    balanced = choose_amplification(photo, MODEL, Exposure())
    assert baked.value > balanced.value
    assert burnt_share(photo, baked.value, np.ones(4)) <= 0.01 < burnt_share(photo, baked.value)


@pytest.mark.parametrize(("raw", "cap"), [(512, 300.0), (16383, 1.0), (540, None)])
def test_black_and_white_frames_run_into_the_bounds_of_eq_5(raw: int, cap: float | None) -> None:
    chosen = choose_amplification(photo_of(np.full((8, 8), raw)), MODEL, PAPER)
    assert chosen.cap == cap
    assert (cap is None) == ("bound" not in chosen.describe())


def test_the_bound_is_seen_through_a_factor_after_the_clip() -> None:
    model = MODEL.replace(m=5.0, m_convention=MConvention.AFTER_CLIP)
    chosen = choose_amplification(photo_of(np.full((8, 8), 512)), model, PAPER)
    assert (chosen.value, chosen.cap) == (1500.0, 300.0)


@pytest.mark.real_data
def test_on_a_real_concert_paper_burns_the_stage_light_out_and_auto_does_not(real_arw: Path) -> None:
    photo = read_photo(real_arw)
    paper, auto = (choose_amplification(photo, MODEL, exposure) for exposure in (PAPER, Exposure()))
    assert MODEL.m == 5
    assert burnt_share(photo, paper.value) > 0.2
    assert 0.009 < burnt_share(photo, auto.value) <= 0.01
    assert auto.held_back


@pytest.mark.parametrize("mode", [ExposureMode.NUMBER, ExposureMode.RATIO])
def test_a_given_factor_is_used_as_it_is(mode: ExposureMode) -> None:
    chosen = choose_amplification(a_dark_hall_with_lights(0.05), MODEL, Exposure(mode, 123.0))
    assert (chosen.value, chosen.estimate, chosen.cap, chosen.held_back) == (123.0, None, None, False)
    assert "given" in chosen.describe()


@pytest.mark.parametrize("text", ["loud", "", "0", "-3", "nan", "inf", "1e9"])
def test_an_unusable_exposure_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="give"):
        parse_exposure(text)


def test_exposure_and_ratio_exclude_each_other() -> None:
    assert exposure_from(None, None) == Exposure()
    assert exposure_from("paper", None) == PAPER
    assert exposure_from("80", None) == Exposure(ExposureMode.NUMBER, 80.0)
    assert exposure_from(None, 100.0) == Exposure(ExposureMode.RATIO, 100.0)
    with pytest.raises(UsageError, match="exclude"):
        exposure_from("auto", 100.0)


def test_a_mode_without_its_factor_is_refused() -> None:
    with pytest.raises(UsageError):
        Exposure(ExposureMode.RATIO)
    with pytest.raises(UsageError):
        Exposure(ExposureMode.AUTO, 3.0)


@given(st.sampled_from([Exposure(), PAPER, Exposure(ExposureMode.NUMBER, 60.0), Exposure(ExposureMode.RATIO, 60.0)]))
def test_ev_scales_whatever_was_chosen(exposure: Exposure) -> None:
    photo = a_dark_hall_with_lights(0.05, light=3000)
    plain = choose_amplification(photo, MODEL, exposure)
    brighter = choose_amplification(photo, MODEL, replace(exposure, ev=1.5))
    assert brighter.value == pytest.approx(plain.value * 2**1.5)
    assert (brighter.chosen, brighter.held_back) == (plain.value, plain.held_back)
    assert brighter.describe() == f"{plain.describe()}; +1.5 EV"


def test_ev_comes_after_the_bounds_of_eq_5() -> None:
    black, white = photo_of(np.full((8, 8), 512)), photo_of(np.full((8, 8), 16383))
    assert choose_amplification(black, MODEL, Exposure(ev=2)).value == 1200
    assert choose_amplification(white, MODEL, Exposure(ev=-1)).value == 0.5


def test_ev_joins_exposure_and_ratio() -> None:
    assert exposure_from("80", None, -1.0) == Exposure(ExposureMode.NUMBER, 80.0, -1.0)
    assert exposure_from(None, 80.0, -1.0) == Exposure(ExposureMode.RATIO, 80.0, -1.0)
    assert exposure_from(None, None, 0.5) == Exposure(ev=0.5)


@pytest.mark.parametrize("ev", [10.5, -11.0, float("nan"), float("inf")])
def test_an_ev_beyond_ten_stops_is_refused(ev: float) -> None:
    with pytest.raises(UsageError, match="-10 to 10 stops"):
        exposure_from(None, None, ev)


def test_a_bracket_is_a_list_of_stops() -> None:
    assert bracket_from(None, 1.0) == ()
    assert bracket_from("-1, 0,+1.5") == (-1.0, 0.0, 1.5)
    assert [stops_name(stops) for stops in (-1.0, 0.0, 1.5)] == ["-1EV", "0EV", "+1.5EV"]


@pytest.mark.parametrize(
    "text", ["", "1", "1,1", "0,-0", "a,b", "-11,0", "nan,0", "0,1,,", ",".join(map(str, range(-8, 8)))]
)
def test_an_unusable_bracket_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"bracket .*give"):
        bracket_from(text)


def test_a_bracket_and_an_ev_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        bracket_from("-1,0,1", 0.0)


@pytest.mark.parametrize(("value", "ev"), [(9000.0, 10.0), (0.02, -2.0)])
def test_a_factor_is_in_range_after_its_ev_too(value: float, ev: float) -> None:
    with pytest.raises(UsageError, match=rf"amplification {value:g} with .*{ev:g} EV is .* out of range; give 0.01 to"):
        Exposure(ExposureMode.NUMBER, value, ev)
    with pytest.raises(UsageError, match="out of range"):
        Exposure(ExposureMode.RATIO, value).require_bracket((0.0, ev))
    assert Exposure(ExposureMode.NUMBER, value, -ev).ev == -ev
    Exposure().require_bracket((0.0, ev))
