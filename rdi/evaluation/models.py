"""What is measured: anything that makes a picture of a dark photo."""

from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto


class Exposing(StrEnum):
    """Where the amplification comes from."""

    GT = "gt"  # the true exposure ratio, as the paper's table 1 has it
    PAPER = "paper"  # the paper's estimate (Eq. 5) with the model's m
    AUTO = "auto"  # the estimate held back to keep the lights: what `rdi infer` does


class Restoration(NamedTuple):
    """A picture, (H, W, 3) float32 sRGB in [0, 1], in the sensor's direction, and the amplification that was used."""

    picture: NDArray[np.float32]
    amplification: float


class Model(Protocol):
    """A model under test.

    name:   as tables have it
    digest: tells it from every other, and from itself before it was changed
    cfa:    what it was trained for: RGGB or XTRANS
    """

    name: str
    digest: str
    cfa: Cfa

    def restore(self, photo: RawPhoto, exposing: Exposing, ratio: float | None) -> Restoration:
        """Restore a photo whose orientation is 1; `ratio` is known for GT."""
