"""Parameters and multiply-accumulates, counted."""

import pytest
import torch

from rdi.errors import UsageError
from rdi.export.benchmarks.arithmetic import PUBLISHED, TRAINING, Arithmetic, count_arithmetic
from rdi.network import PARAMETERS, PARAMETERS_FOLDED


@pytest.fixture(scope="module")
def counted() -> Arithmetic:
    return count_arithmetic(list(PUBLISHED))


def test_the_two_published_numbers_come_out(counted: Arithmetic) -> None:
    found = {(work.height, work.width): work.macs for work in counted.work if work.form == TRAINING}
    assert found[2848, 4256] == pytest.approx(59.8e9, rel=0.005)
    assert found[4032, 5984] == pytest.approx(119e9, rel=0.005)


def test_the_parts_add_up_in_both_forms(counted: Arithmetic) -> None:
    assert len(counted.work) == 4
    for work in counted.work:
        assert sum(work.parts.values()) == work.macs
        assert {"MSE", "HSE", "merge", "output"} <= set(work.parts)


def test_parameters_are_counted_with_and_without_weight_normalisation(counted: Arithmetic) -> None:
    assert (counted.parameters, counted.folded) == (PARAMETERS, PARAMETERS_FOLDED) == (784_768, 783_432)
    assert counted.deployed > counted.folded


def test_a_convolution_counts_as_the_paper_counts_it(counted: Arithmetic) -> None:
    """LSE: 4 to 12 channels, 5x5, at half the size."""
    assert counted.work[0].parts["LSE"] == 1424 * 2128 * 4 * 12 * 25


def test_the_table_holds_counted_beside_published(counted: Arithmetic) -> None:
    table = counted.markdown()
    assert "784,768 with weight normalisation, 783,432 folded" in table
    assert "| 2848x4256 | 12.1 | training form | 59.6 | 59.8 (-0.4%) | LSE 3.6," in table
    assert "| 4032x5984 | 24.1 | deployment form | 133.8 | - |" in table


def test_nothing_is_computed_for_it() -> None:
    huge = count_arithmetic([(320_000, 320_000)])  # 400 GB of mosaic
    assert huge.work[0].macs > 5e14
    assert torch.empty(1).device.type == "cpu"


def test_a_size_against_the_networks_rule_is_refused() -> None:
    with pytest.raises(UsageError, match="100x64 is no multiple of 32"):
        count_arithmetic([(100, 64)])
