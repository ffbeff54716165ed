"""From a bright picture's file to a dark DNG's: what `rdi simulate` does."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.camera.dng import Compression, write_dng
from rdi.camera.photo import RawPhoto
from rdi.errors import OutputError, UsageError
from rdi.gains import Gains, parse_gains
from rdi.lights import draw_white_balance
from rdi.noise import ReadNoise, noise_at
from rdi.pictures import load_picture, shrink
from rdi.simulate import Exposure, Sensor, simulate

RANDOM = "random"


@dataclass(frozen=True)
class DarkCapture:
    """How the dark photo is taken.

    iso:           50 to 25600, sets the noise
    ratio:         how many times less light than the picture had, 1 to 10000
    white_balance: gains of red, green and blue that make the light neutral again; None draws them
    sensor:        the camera
    cfa:           the mosaic's pattern; None is the camera's own
    read_noise:    which fit of the read noise is drawn
    seed:          0 or more; the same seed gives the same file
    max_side:      longer pictures are scaled down to so many pixels; None leaves them as they are
    """

    iso: float = 3200
    ratio: float = 100
    white_balance: Gains | None = None
    sensor: Sensor = field(default_factory=Sensor)
    cfa: Cfa | None = None
    read_noise: ReadNoise = ReadNoise.TUKEY_LAMBDA
    seed: int = 0
    max_side: int | None = None

    def exposure(self) -> Exposure:
        """The same for `simulate`; UsageError for an ISO or ratio out of range."""
        noise_at(self.iso)
        generator = np.random.default_rng([self.seed, 1])
        gains = self.white_balance or draw_white_balance(np.array(self.sensor.camera_from_xyz), generator)
        return Exposure(self.iso, self.ratio, np.array(gains))


def darken_file(
    picture: Path,
    out: Path,
    capture: DarkCapture,
    *,
    compression: Compression = Compression.NONE,
    overwrite: bool = False,
) -> RawPhoto:
    """Simulate the dark raw photo of a picture file and write it as a DNG; returns what was written.

    The file's description names the settings; it has no exposure time, because nobody knows the picture's. Raises
    InputError for a picture that cannot be read, UsageError for settings out of range, OutputError for an output that
    exists (unless `overwrite`) or cannot be written.
    """
    if out.suffix.lower() != ".dng":
        raise UsageError(f"{out} is no name for a DNG file; give one that ends in .dng")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists; choose another name with --out, or replace it with --overwrite")
    exposure = capture.exposure()
    pixels = load_picture(picture)
    if capture.max_side is not None:
        pixels = shrink(pixels, capture.max_side)
    sensor = replace(capture.sensor, cfa=capture.cfa or capture.sensor.cfa)
    photo = simulate(pixels, exposure, sensor=sensor, read_noise=capture.read_noise, seed=capture.seed)
    text = describe(capture, exposure.white_balance)
    write_dng(photo, out, compression=compression, description=text, replace=overwrite)
    return photo


def describe(capture: DarkCapture, white_balance: NDArray[np.float64]) -> str:
    """One line that tells a simulated file from a real one and lets it be made again."""
    gains = ",".join(f"{gain:.4g}" for gain in white_balance)
    return (
        f"Simulated, not taken: ISO {capture.iso:g}, exposure ratio {capture.ratio:g}, white balance {gains}, "
        f"{capture.read_noise} read noise, {capture.cfa or capture.sensor.cfa}, seed {capture.seed}"
    )


def parse_light(text: str) -> Gains | None:
    """`R,G,B` as on the command line, scaled to green = 1; None for `random`. UsageError for anything else."""
    return None if text == RANDOM else parse_gains(text, RANDOM)
