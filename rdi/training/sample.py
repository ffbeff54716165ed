"""What a dataset gives for each image of a run."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset


class Sample(NamedTuple):
    """One crop, or a batch of them (B in front).

    inputs:            (1, crop, crop) float32, as the network takes it
    target:            (3, crop, crop) float32 sRGB in [0, 1] with the curve
    camera_to_srgb:    (3, 3) float32, the camera's; this and
    gamut_compression: float32 scalar, how the target's colours were brought into sRGB, count for rendering "camera"
    """

    inputs: Tensor
    target: Tensor
    camera_to_srgb: Tensor = torch.eye(3)
    gamut_compression: Tensor = torch.tensor(0.0)


Samples = Dataset[Sample]
