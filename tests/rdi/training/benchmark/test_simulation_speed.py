"""The measurement of simulated captures: it counts what it says, on any folder."""

import pytest

from rdi.errors import UsageError
from rdi.training.benchmark.simulation import measure_simulation, write_noise_photos


def test_twice_the_crop_takes_longer_and_every_round_is_counted(tmp_path):
    folder = write_noise_photos(tmp_path, count=3, size=(700, 640))
    small, large = (measure_simulation(folder, crop=crop, batch=2, workers=1, batches=8) for crop in (192, 576))
    assert small.batches == large.batches == 8
    assert small.images_per_second > 2 * large.images_per_second
    assert small.to_dict()["crop"] == 192


def test_without_a_folder_pictures_are_made():
    assert measure_simulation(crop=192, batch=1, workers=2, batches=4).images_per_second > 0


def test_no_worker_cannot_be_timed():
    with pytest.raises(UsageError, match="give 1 or more"):
        measure_simulation(workers=0)
