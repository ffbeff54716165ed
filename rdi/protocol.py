"""The quality protocol: dark captures of known photos, always the same ones, so that figures can be compared.

A Sony A7S II at ISO 3200 with Gaussian read noise; photo i of a list takes balance i mod 3 and seed i, so
that at another place it is another capture. The true exposure ratio is the amplification: what is measured is the
network and not the estimate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.noise import ReadNoise
from rdi.pictures import load_picture
from rdi.simulate import Exposure, Sensor, render_clean, simulate, to_camera

ISO = 3200.0
WHITE_BALANCES = ((2.1, 1.0, 1.6), (1.6, 1.0, 2.2), (2.6, 1.0, 1.4))  # red, green, blue gains; in turn


@dataclass(frozen=True, eq=False)
class Capture:
    """One photo taken in the dark, and what it should look like.

    name:   of the photo's file
    raw:    the dark capture
    target: (H, W, 3) float32 sRGB in [0, 1]
    ratio:  the true exposure ratio
    source: of a mix, which part of the data it belongs to
    """

    name: str
    raw: RawPhoto
    target: NDArray[np.float32]
    ratio: float
    source: str = ""


class BrightPhoto:
    """A photo of the list, decoded once for all ratios.

    path, place: of the photo, and of it in the list, from 0: that decides balance and seed
    """

    def __init__(self, path: Path, place: int, sensor: Sensor | None = None, max_pixels: int | None = None) -> None:
        self.path, self.place = path, place
        self._sensor = sensor or Sensor()
        self._picture = load_picture(path, max_pixels)
        self._target = render_clean(to_camera(self._picture, self._sensor), self._sensor)

    def capture(self, ratio: float, iso: float = ISO) -> Capture:
        """Take it in the dark."""
        balance = np.array(WHITE_BALANCES[self.place % len(WHITE_BALANCES)])
        exposure = Exposure(iso=iso, ratio=ratio, white_balance=balance)
        raw = simulate(self._picture, exposure, sensor=self._sensor, read_noise=ReadNoise.GAUSSIAN, seed=self.place)
        return Capture(self.path.name, raw, self._target, ratio)


def captures(
    photos: Sequence[Path],
    ratio: float,
    iso: float = ISO,
    sensor: Sensor | None = None,
    max_pixels: int | None = None,
) -> Iterator[Capture]:
    """Take each photo in the dark, in the order given.

    With another sensor, or photos halved until they have no more than `max_pixels`, they are not the protocol's own.
    """
    for place, path in enumerate(photos):
        yield BrightPhoto(path, place, sensor, max_pixels).capture(ratio, iso)
