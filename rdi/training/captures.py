"""Simulated captures as a dataset: dark mosaics and the pictures to make of them."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from rdi.levels import to_light
from rdi.metadata import WhiteBalance
from rdi.noise import ReadNoise
from rdi.simulate import Exposure, Sensor, draw_white_balance, expose, render_clean, to_camera
from rdi.training.photos import PhotoShelf
from rdi.training.settings import TrainingSettings

RELIT_SHARE = 0.4
BRIGHTNESS = (0.3, 3.0)
STAGE_LIT_SHARE = 0.2
STAGE_LIGHT = (0.01, 1.0)  # of each channel


class SimulatedCaptures(Dataset[tuple[Tensor, Tensor]]):
    """Sample i is the same whoever asks for it: its random numbers come from (seed, i) alone.

    A sample is a random crop of a random photo, flipped and turned at random *before* the mosaic is taken, so that
    every mosaic begins on a red site; lit otherwise than it was (`draw_light`), under a random white balance, at a
    random ISO and exposure ratio (both log-uniform).
    """

    def __init__(self, photos: PhotoShelf, settings: TrainingSettings, sensor: Sensor | None = None) -> None:
        self.photos = photos
        self.settings = settings
        self.sensor = sensor or Sensor()

    def __len__(self) -> int:
        return self.settings.steps * self.settings.batch

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """The network's input (1, crop, crop) float32 and its target (3, crop, crop) float32 in [0, 1]."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        generator = np.random.default_rng((self.settings.seed, index))
        photo = self.photos[int(generator.integers(len(self.photos)))]
        patch = random_patch(photo, self.settings.crop, generator)
        exposure = self.draw_exposure(generator)
        sensor = self.sensor
        camera = to_camera(patch, sensor, draw_light(generator))
        mosaic = expose(camera, sensor, exposure, ReadNoise.TUKEY_LAMBDA, generator)
        gains = (
            sensor.cfa.per_site(exposure.white_balance) if self.settings.white_balance is WhiteBalance.INPUT else None
        )
        inputs = to_light(mosaic, sensor.cfa, sensor.black_levels, sensor.white_level, exposure.ratio, gains)
        target = render_clean(camera, sensor)
        return torch.from_numpy(inputs)[None], torch.from_numpy(np.ascontiguousarray(target.transpose(2, 0, 1)))

    def draw_exposure(self, generator: np.random.Generator) -> Exposure:
        """ISO and ratio log-uniform within the settings' ranges; the light at random, or the sensor's own if baked."""
        iso, ratio = (draw_log_uniform(bounds, generator) for bounds in (self.settings.iso, self.settings.ratio))
        # A network with the balance baked in must see what one camera's daylight looks like, or it could not learn it.
        baked = self.settings.white_balance is WhiteBalance.BAKED
        balance = self.sensor.daylight if baked else draw_white_balance(generator)
        return Exposure(iso=iso, ratio=ratio, white_balance=balance)


def draw_light(generator: np.random.Generator) -> NDArray[np.float64]:
    """Factors (3,) on the scene's linear red, green and blue.

    Most scenes keep their brightness, the others get darker or brighter: a network that never met light beyond white
    paints saturated areas grey. Some are lit in one strong colour, as a stage is: ordinary photos hardly ever are, and
    a network that knows only them leaves a grid on areas where one channel is all there is.
    """
    light = np.ones(3)
    if generator.random() < RELIT_SHARE:
        light *= draw_log_uniform(BRIGHTNESS, generator)
    if generator.random() < STAGE_LIT_SHARE:
        stage = np.array([draw_log_uniform(STAGE_LIGHT, generator) for _ in range(3)])
        light *= stage / stage.max()
    return light


def draw_log_uniform(bounds: tuple[float, float], generator: np.random.Generator) -> float:
    """A number within the bounds whose logarithm is uniform."""
    low, high = bounds
    return min(max(math.exp(generator.uniform(math.log(low), math.log(high))), low), high)


def random_patch(photo: NDArray[np.uint8], side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """A random square crop, mirrored and transposed at random: (side, side, 3)."""
    top, left = (int(generator.integers(extent - side + 1)) for extent in photo.shape[:2])
    patch = photo[top : top + side, left : left + side]
    mirror_rows, mirror_columns, transpose = generator.integers(2, size=3)
    patch = patch[:: -1 if mirror_rows else 1, :: -1 if mirror_columns else 1]
    return patch.transpose(1, 0, 2) if transpose else patch
