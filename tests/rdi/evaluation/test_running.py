"""Every model on every capture, with every exposure; known rows are not measured again."""

from collections.abc import Sequence

import numpy as np
import pytest

from rdi.camera import photo_from_array
from rdi.camera.cfa import Cfa
from rdi.errors import TrainingDataError
from rdi.evaluation.captures import Listed, Scene
from rdi.evaluation.measures import Measures
from rdi.evaluation.models import Exposing, Restoration
from rdi.evaluation.result import conclude
from rdi.evaluation.running import Evaluator
from rdi.metrics import psnr, ssim
from rdi.metrics.fidelity import to_bytes


class Flat:
    """Captures whose target is one grey each; the third one is damaged, the last one has no ratio."""

    notes: tuple[str, ...] = ()
    greys = (0.2, 0.4, 0.6, 0.8)

    def __init__(self) -> None:
        self.settings = {"data": "flat"}
        self.opened: list[int] = []
        self.listed: Sequence[Listed] = [Listed(f"{grey}", 100, {"grey": grey}) for grey in self.greys]

    def open(self, index: int) -> Scene:
        self.opened.append(index)
        if index == 2:
            raise TrainingDataError("list.txt, line 3: damaged")
        target = np.full((40, 50, 3), self.greys[index], np.float32)
        target[::2] += 0.05
        photo = photo_from_array(np.full((40, 50), 600 + index), "RGGB", black_level=512, white_level=16383)
        return Scene(photo, target, None if index == 3 else 100.0)


class Shade:
    """A model whose picture is one grey."""

    cfa = Cfa.RGGB

    def __init__(self, grey: float) -> None:
        self.name = self.digest = f"shade {grey}"
        self.grey = grey
        self.seen: list[tuple[int, str, float | None]] = []

    def restore(self, photo, exposing, ratio):
        self.seen.append((int(photo.mosaic[0, 0]), str(exposing), ratio))
        return Restoration(np.full((*photo.mosaic.shape, 3), self.grey, np.float32), ratio or 7.0)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def evaluator(said):
    models = [Shade(0.3), Shade(0.5)]
    exposures = [Exposing.GT, Exposing.PAPER]
    return Evaluator(Flat(), models, exposures, Measures(), skip_damaged=True, tell=said.append)


def opened(evaluator: Evaluator) -> list[int]:
    assert isinstance(evaluator.source, Flat)
    return evaluator.source.opened


def test_each_capture_is_opened_once_and_seen_by_every_model_with_every_exposure(evaluator, said):
    rows = list(evaluator.rows())
    assert opened(evaluator) == [0, 1, 2, 3]
    assert evaluator.models[0].seen == [
        (600, "gt", 100.0),
        (600, "paper", 100.0),
        (601, "gt", 100.0),
        (601, "paper", 100.0),
        (603, "paper", None),
    ]
    assert [(row.capture, row.model, row.exposure) for row in rows[:4]] == [
        ("0.2", "shade 0.3", "gt"),
        ("0.2", "shade 0.3", "paper"),
        ("0.2", "shade 0.5", "gt"),
        ("0.2", "shade 0.5", "paper"),
    ]
    assert len(rows) == 10
    assert said == ["left out: list.txt, line 3: damaged", *["0.8: the true ratio is not known, gt is left out"] * 2]


def test_each_row_has_the_figures_of_its_own_picture(evaluator):
    """Measuring lags behind restoring by one picture: no figure may slip to the next row."""
    for row in evaluator.rows():
        scene = evaluator.source.open([str(grey) for grey in Flat.greys].index(row.capture))
        picture = np.full(scene.target.shape, float(row.model.split()[1]), np.float32)
        assert row.psnr == psnr(picture, scene.target)
        assert row.ssim == ssim(picture, scene.target)
        assert row.psnr_8bit == psnr(to_bytes(picture), to_bytes(scene.target))
        assert row.ratio == scene.ratio


def test_a_damaged_capture_ends_the_run_unless_it_may_be_skipped(evaluator):
    evaluator.skip_damaged = False
    rows = evaluator.rows()
    done = []
    with pytest.raises(TrainingDataError, match="line 3"):
        done.extend(rows)  # extend keeps what came before the error
    assert len(done) == 8  # what waited to be measured is not lost


def test_what_is_known_is_not_measured_again(evaluator):
    first = list(evaluator.rows())
    again = Evaluator(
        Flat(), [Shade(0.3), Shade(0.5)], evaluator.exposures, evaluator.measures, {row.key: row for row in first[:6]},
        skip_damaged=True, tell=lambda _: None,
    )  # fmt: skip
    rest = list(again.rows())
    assert opened(again) == [1, 2, 3]  # the first capture is known with all models
    assert [row.key for row in (*again.known_rows(), *rest)] == [row.key for row in first]
    result = conclude(again, rest, overall=True)
    assert result.reused == 6
    assert [mean.to_dict() for mean in result.means] == [
        mean.to_dict() for mean in conclude(evaluator, first, overall=True).means
    ]


def test_known_rows_have_the_names_of_now_and_stand_where_they_belong(evaluator):
    """A model file that was renamed, or is named with its folder beside another of its name, is the same model."""
    evaluator.models = [evaluator.models[1]]
    evaluator.__post_init__()
    known = {row.key: row for row in evaluator.rows()}
    first, renamed = Shade(0.3), Shade(0.5)
    renamed.name = "renamed"
    again = Evaluator(
        Flat(), [first, renamed], evaluator.exposures, evaluator.measures, known, skip_damaged=True, tell=lambda _: None
    )
    result = conclude(again, list(again.rows()), overall=True)
    assert [(row.capture, row.model, row.exposure) for row in result.rows[:4]] == [
        ("0.2", "shade 0.3", "gt"),
        ("0.2", "shade 0.3", "paper"),
        ("0.2", "renamed", "gt"),
        ("0.2", "renamed", "paper"),
    ]
    assert result.reused == 5
    assert [mean.model for mean in result.means] == ["shade 0.3", "renamed"] * 2


def test_a_key_changes_with_the_model_the_exposure_and_the_capture(evaluator):
    assert len({row.key for row in evaluator.rows()}) == 10
    other = Evaluator(Flat(), [Shade(0.1)], [Exposing.GT], Measures(), tell=lambda _: None)
    assert other.known_rows() == []


def test_the_whole_costs_little_more_than_its_stages(evaluator):
    list(evaluator.rows())
    stages = evaluator.stages
    assert stages.total > 0
    assert min(stages.captures, stages.network, stages.metrics) > 0
    assert stages.to_dict()["cost"] == pytest.approx(stages.total / (stages.captures + stages.network + stages.metrics))


def test_leaving_early_stops_the_work(evaluator):
    rows = evaluator.rows()
    next(rows)
    rows.close()
    assert len(evaluator.models[1].seen) < 3
