"""Settings out of range are refused with the option's name and what is allowed."""

import json

import pytest

from rdi.errors import UsageError
from rdi.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"steps": 0}, "--steps 0"),
        ({"batch": -1}, "--batch -1"),
        ({"crop": 160}, "multiple of 32 above 160"),
        ({"crop": 250}, "--crop 250"),
        ({"learning_rate": 0}, "--learning-rate"),
        ({"workers": -1}, "--workers"),
        ({"iso": (25, 100)}, "within 50-25600"),
        ({"iso": (800, 400)}, "--iso 800-400"),
        ({"ratio": (0.5, 100)}, "--ratio"),
        ({"checkpoint_every": 0}, "--checkpoint-every"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, reason):
    with pytest.raises(UsageError, match=reason):
        TrainingSettings(**wrong)


def test_settings_become_json():
    assert json.loads(json.dumps(TrainingSettings().to_dict()))["iso"] == [400.0, 25600.0]
