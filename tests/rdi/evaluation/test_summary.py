"""Means, and the published table beside them."""

import pytest

from rdi.evaluation.published import TABLE_1, table
from rdi.evaluation.result import Evaluation
from rdi.evaluation.rows import Row
from rdi.evaluation.running import Stages
from rdi.evaluation.summary import summarise


def row(model, ratio, psnr, *, exposure="gt", misaligned=False, niqe=4.0):
    return Row(model, "x", exposure, ratio, 1, misaligned, psnr, 0.5, psnr, 0.5, niqe, None, 1, "")


def test_means_stand_by_ratio_exposure_and_model():
    rows = [
        row("m", 300, 20),
        row("n", 300, 10),
        row("m", 300, 22),
        row("m", 100, 30),
        row("m", 300, 5, exposure="paper"),
    ]
    means = summarise(rows)
    assert [(mean.group, mean.exposure, mean.model, mean.captures, mean.psnr) for mean in means] == [
        ("ratio 100", "gt", "m", 1, 30),
        ("ratio 300", "gt", "m", 2, 21),
        ("ratio 300", "gt", "n", 1, 10),
        ("ratio 300", "paper", "m", 1, 5),
    ]


def test_recorded_captures_have_a_mean_over_all_and_one_without_the_misaligned():
    means = summarise([row("m", 100, 30), row("m", 100, 10, misaligned=True)], overall=True)
    assert [(mean.group, mean.captures, mean.psnr) for mean in means] == [
        ("all", 2, 20),
        ("all but the misaligned", 1, 30),
    ]


def test_captures_without_a_known_ratio_count_in_all():
    means = summarise([row("m", 100, 30), row("m", None, 10), row("m", 250, 20)], overall=True)
    assert [(mean.group, mean.captures) for mean in means] == [("all", 3), ("ratio 100", 1), ("ratio 250", 1)]


def test_a_figure_that_some_pictures_lack_is_the_mean_of_the_others():
    (mean,) = summarise([row("m", 100, 30, niqe=None), row("m", 100, 10, niqe=6.0)])
    assert (mean.niqe, mean.ma) == (6.0, None)


def evaluation(data, **more):
    rows = (row("m", 100, 30),)
    measures = {"ssim": "named", "niqe": "named", "ma": None}
    return Evaluation({"data": data, "iso": 3200.0}, measures, rows, tuple(summarise(rows)), Stages(1, 2, 3, 4), **more)


def test_the_table_says_what_was_not_measured_and_what_it_cost():
    text = evaluation("photos").markdown()
    assert "| ratio 100 | gt | m | 1 | 30.00 | 0.5000 | 30.00 | 0.5000 | 4.00 | not measured |" in text
    assert text.startswith("photos: iso 3200.\n")
    assert "Ma: not measured" in text
    assert "0.67 of their sum" in text
    assert "table 1" not in text


@pytest.mark.parametrize(("data", "compares"), [("See-in-the-Dark (SID), Sony part", True), ("own pairs", False)])
def test_published_figures_are_marked_and_said_not_to_compare_with_other_captures(data, compares):
    result = evaluation(data, with_paper=True)
    text = result.markdown()
    assert "not measured here" in text
    assert "28.66 / 0.790" in text
    assert ("do not compare" in text) is not compares
    assert all(published["published"] for published in result.to_dict()["published"])


def test_table_1_is_the_papers():
    """Its last column is this network by its authors; the best PSNR is LDC's."""
    this = TABLE_1[-1]
    assert (this.bayer, this.xtrans, this.niqe, this.ma) == ((28.66, 0.790), (26.60, 0.682), 4.41, 6.92)
    assert max(TABLE_1, key=lambda row: row.bayer).method == "LDC"
    assert len(table(on_sid=True).splitlines()) == 4 + len(TABLE_1)
