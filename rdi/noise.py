"""The noise of a real sensor, by its calibration: shot, read, row and quantisation noise, in DN.

`sensors/sony_a7s2.json` carries the figures and their source. Two rules matter. The read noise is *either* Tukey-lambda
*or* Gaussian: two fits of the same noise, never both. And the sensor switches its conversion gain between ISO 1600 and
2000, where its read noise drops by more than half, so nothing is interpolated across that step.
"""

import json
import math
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rdi.errors import UsageError

Floats = NDArray[np.float32]

CONVERSION_GAIN_SWITCH = 1600  # the last ISO of the low-gain branch; the next calibrated one is 2000


class ReadNoise(StrEnum):
    """Which of the two fits of the read noise is drawn."""

    TUKEY_LAMBDA = "tukey-lambda"  # heavy tails, as real sensors have them: for training
    GAUSSIAN = "gaussian"  # the quality protocol's


@dataclass(frozen=True)
class SensorNoise:
    """The noise of one sensor at one ISO; all but the shape in DN of the raw file.

    gain:           DN per electron
    gaussian_sigma: standard deviation of the read noise, Gaussian fit
    tukey_lambda:   shape of the Tukey-lambda fit (0 = logistic, below 0 = heavier tails)
    tukey_scale:    scale of the Tukey-lambda fit
    row_sigma:      standard deviation of the offset that a whole row shares
    """

    iso: float
    gain: float
    gaussian_sigma: float
    tukey_lambda: float
    tukey_scale: float
    row_sigma: float

    @property
    def tukey_sigma(self) -> float:
        """Standard deviation of the Tukey-lambda fit, in closed form."""
        shape = self.tukey_lambda
        if abs(shape) < 1e-6:
            return self.tukey_scale * math.pi / math.sqrt(3)
        variance = 2 / shape**2 * (1 / (1 + 2 * shape) - math.gamma(shape + 1) ** 2 / math.gamma(2 * shape + 2))
        return self.tukey_scale * math.sqrt(variance)

    def scaled(self, gain: float, read: float) -> "SensorNoise":
        """The noise of a sensor with `gain` times the DN per electron and `read` times the read noise in electrons."""
        factor = gain * read
        return replace(
            self,
            gain=self.gain * gain,
            gaussian_sigma=self.gaussian_sigma * factor,
            tukey_scale=self.tukey_scale * factor,
            row_sigma=self.row_sigma * factor,
        )

    def add(self, signal: Floats, read_noise: ReadNoise, generator: np.random.Generator) -> Floats:
        """Expose: (H, W) expected DN above black -> (H, W) float32 DN above black with noise, not yet quantised.

        Rounding the result to integers adds the quantisation noise, uniform over 1 DN.
        """
        electrons = generator.poisson(np.maximum(signal, 0) / self.gain)
        noisy = (electrons * self.gain).astype(np.float32)
        noisy += self.draw_read_noise(signal.shape, read_noise, generator)
        noisy += generator.standard_normal((signal.shape[0], 1), dtype=np.float32) * np.float32(self.row_sigma)
        return noisy

    def draw_read_noise(self, shape: tuple[int, ...], kind: ReadNoise, generator: np.random.Generator) -> Floats:
        """Read noise alone, float32 DN."""
        if kind is ReadNoise.GAUSSIAN:
            return (generator.standard_normal(shape, dtype=np.float32) * self.gaussian_sigma).astype(np.float32)
        uniform = np.clip(generator.random(shape, dtype=np.float32), 1e-7, 1 - 1e-7)
        return (self.tukey_scale * _tukey_quantile(uniform, self.tukey_lambda)).astype(np.float32)


def _tukey_quantile(p: Floats, shape: float) -> Floats:
    """Quantile function of the Tukey-lambda distribution: (p^l - (1-p)^l) / l, the logistic's for l = 0."""
    if abs(shape) < 1e-6:
        return (np.log(p) - np.log1p(-p)).astype(np.float32)
    return ((np.power(p, shape) - np.power(1 - p, shape)) / shape).astype(np.float32)


@cache
def calibration() -> tuple[SensorNoise, ...]:
    """The Sony A7S II's calibration at its 28 ISOs, ascending."""
    figures = json.loads((files("rdi.sensors") / "sony_a7s2.json").read_text(encoding="utf-8"))
    return tuple(
        SensorNoise(
            iso=row["iso"],
            gain=row["gain_dn_per_electron"],
            gaussian_sigma=row["gaussian_sigma_dn"],
            tukey_lambda=row["tukey_lambda"],
            tukey_scale=row["tukey_scale_dn"],
            row_sigma=row["row_sigma_dn"],
        )
        for row in figures["per_iso"]
    )


def noise_at(iso: float) -> SensorNoise:
    """The sensor's noise at any ISO within the calibration (50 to 25600).

    Between two calibrated ISOs of one conversion gain, figures are interpolated over log ISO; the gain is linear in
    ISO. Between 1600 and 2000 the read noise stays that of ISO 1600. Raises UsageError outside the calibrated range.
    """
    table = calibration()
    if not table[0].iso <= iso <= table[-1].iso:
        raise UsageError(f"ISO {iso:g} is outside the sensor's calibration; give {table[0].iso} to {table[-1].iso}")
    low = iso < next(row.iso for row in table if row.iso > CONVERSION_GAIN_SWITCH)
    branch = [row for row in table if (row.iso <= CONVERSION_GAIN_SWITCH) == low]
    position = [math.log(row.iso) for row in branch]

    def at(values: list[float]) -> float:
        return float(np.interp(math.log(iso), position, values))

    return SensorNoise(
        iso=iso,
        gain=table[-1].gain * iso / table[-1].iso,
        gaussian_sigma=math.exp(at([math.log(row.gaussian_sigma) for row in branch])),
        tukey_lambda=at([row.tukey_lambda for row in branch]),
        tukey_scale=math.exp(at([math.log(row.tukey_scale) for row in branch])),
        row_sigma=math.exp(at([math.log(row.row_sigma) for row in branch])),
    )
