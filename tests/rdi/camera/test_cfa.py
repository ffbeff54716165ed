"""The colour filter array: names, phases, mirroring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdi.camera.cfa import BLUE, GREEN, RED, Cfa, cfa_of, mirror_axes, mirror_indices, shift_to

BAYER = [cfa for cfa in Cfa if cfa.period == 2]


def test_a_bayer_name_reads_its_cell_in_raster_order() -> None:
    assert Cfa.GRBG.colours.tolist() == [[GREEN, RED], [BLUE, GREEN]]


def test_xtrans_has_as_many_of_each_colour_as_fujifilm_says() -> None:
    counts = np.bincount(Cfa.XTRANS.colours.ravel())
    assert counts.tolist() == [8, 20, 8]


def test_every_row_and_column_of_xtrans_has_all_colours() -> None:
    colours = Cfa.XTRANS.colours
    assert all(len(set(line)) == 3 for line in (*colours.tolist(), *colours.T.tolist()))


@pytest.mark.parametrize("cfa", list(Cfa))
def test_a_pattern_is_recognised_by_its_cell(cfa: Cfa) -> None:
    assert cfa_of(cfa.colours) == (cfa, (0, 0))


@pytest.mark.parametrize("shift", list(np.ndindex(6, 6)))
def test_xtrans_is_recognised_in_every_phase(shift: tuple[int, int]) -> None:
    cell = np.roll(Cfa.XTRANS.colours, (-shift[0], -shift[1]), axis=(0, 1))
    found = cfa_of(cell)
    assert found is not None
    # Half a cell down and half a cell right the pattern is itself again, so two phases share each name.
    again = np.roll(Cfa.XTRANS.colours, (-found[1][0], -found[1][1]), axis=(0, 1))
    assert found[0] is Cfa.XTRANS
    assert np.array_equal(again, cell)
    assert found[1] in (shift, ((shift[0] + 3) % 6, (shift[1] + 3) % 6))


@pytest.mark.parametrize("cell", [[[0, 1], [1, 0]], [[1, 1], [1, 1]], [[0, 1], [2, 1]]])
def test_other_patterns_have_no_name(cell: list[list[int]]) -> None:
    assert cfa_of(np.array(cell, dtype=np.uint8)) is None


def test_values_per_colour_spread_over_the_sites() -> None:
    assert Cfa.BGGR.per_site(np.array([2.0, 1.0, 1.5])).tolist() == [1.5, 1.0, 1.0, 2.0]


def test_tiling_repeats_the_cell_and_cuts_it_at_the_frame() -> None:
    assert Cfa.RGGB.tile(np.array([1.0, 2, 3, 4]), 3, 3).tolist() == [[1, 2, 1], [3, 4, 3], [1, 2, 1]]


@pytest.mark.parametrize("target", BAYER)
@pytest.mark.parametrize("cfa", BAYER)
def test_shifting_a_bayer_phase_gives_the_target(cfa: Cfa, target: Cfa) -> None:
    assert np.array_equal(np.roll(cfa.colours, shift_to(cfa, target), axis=(0, 1)), target.colours)


@given(
    cfa=st.sampled_from(list(Cfa)),
    shift=st.integers(0, 5),
    cells=st.integers(0, 20),
    before=st.integers(0, 70),
    after=st.integers(0, 70),
)
def test_mirrored_rows_keep_their_colours(cfa: Cfa, shift: int, cells: int, before: int, after: int) -> None:
    shift = shift if cfa is Cfa.XTRANS else 0
    size = cfa.period + cells
    indices = mirror_indices(size, before, after, mirror_axes(cfa, size, shift))
    wanted = np.arange(-before, size + after)
    assert indices.min() >= 0
    assert indices.max() < size
    assert np.array_equal(indices[before : before + size], np.arange(size))
    assert np.array_equal(cfa.colours[(indices + shift) % cfa.period], cfa.colours[(wanted + shift) % cfa.period])
