"""Simulated captures as a dataset: dark mosaics and the pictures to make of them."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from rdi.camera.cfa import Cfa
from rdi.defects import Defects
from rdi.errors import UsageError
from rdi.levels import to_light
from rdi.lights import draw_white_balance
from rdi.model_kinds import Rendering, WhiteBalance
from rdi.noise import ReadNoise
from rdi.rendering import render_camera
from rdi.sensors.cameras import find_sensor, sensors_of
from rdi.simulate import Exposure, Sensor, expose, render_clean, to_camera
from rdi.training.choices import Camera
from rdi.training.photos import PhotoShelf
from rdi.training.sample import Sample, Samples
from rdi.training.settings import TrainingSettings

RANDOM = "random"
# The camera of a baked balance, by the model's pattern: those of the See-in-the-Dark dataset.
BAKED_SENSORS = {Cfa.RGGB: "Sony ILCE-7SM2", Cfa.XTRANS: "Fujifilm X-T2"}

RELIT_SHARE = 0.3
BRIGHTNESS = (0.3, 12.0)
STAGE_LIT_SHARE = 0.2
STAGE_LIGHT = (0.01, 1.0)  # of each channel
SHINING_SHARE = 0.3
HIGHLIGHTS = (1.0, 40.0)
# Beside the size of their pixels, sensors differ by how much of the light they catch and by how quietly they are read:
# the A7S II's 1.3 electrons at ISO 3200 are few.
GAIN_FACTOR = (0.7, 1.3)
READ_FACTOR = (0.8, 2.5)


@dataclass(frozen=True)
class PhotoWindow:
    """A square crop of a photo, reduced, mirrored and transposed; beyond a photo's border its mirror image.

    top, left: of the crop, in the photo's pixels; may be negative by as much as the photo is too small
    extent:    of the crop, in the photo's pixels
    side:      of what comes of it: `extent` or less
    """

    top: int
    left: int
    extent: int
    side: int
    mirror_rows: bool
    mirror_columns: bool
    transpose: bool

    @classmethod
    def draw(
        cls,
        shape: tuple[int, ...],
        side: int,
        generator: np.random.Generator,
        *,
        transposed: bool = True,
        reduction: float = 1.0,
    ) -> "PhotoWindow":
        """One of all that fit, or, where the photo is smaller, of all that hold it.

        transposed: whether rows and columns may be exchanged, too; else they are only mirrored
        reduction:  how many of the photo's pixels become one, along each side, at most: less where the photo is small
        """
        extent = max(min(round(side * reduction), *shape[:2]), side)
        top, left = (
            int(generator.integers(min(room, 0), max(room, 0) + 1)) for room in (n - extent for n in shape[:2])
        )
        mirror_rows, mirror_columns, transpose = (bool(flag) for flag in generator.integers(2, size=3))
        return cls(top, left, extent, side, mirror_rows, mirror_columns, transpose and transposed)

    def cut(self, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop, (side, side, 3)."""
        top, left, extent = self.top, self.left, self.extent
        patch = photo[max(top, 0) : top + extent, max(left, 0) : left + extent]
        if patch.shape[:2] != (extent, extent):
            before = [max(-start, 0) for start in (top, left)]
            after = [extent - length - pad for length, pad in zip(patch.shape, before, strict=False)]
            patch = np.pad(patch, (*zip(before, after, strict=True), (0, 0)), mode="symmetric")
        if extent != self.side:
            patch = np.asarray(Image.fromarray(patch).resize((self.side, self.side), Image.Resampling.LANCZOS))
        patch = patch[:: -1 if self.mirror_rows else 1, :: -1 if self.mirror_columns else 1]
        return patch.transpose(1, 0, 2) if self.transpose else patch


@dataclass(frozen=True, eq=False)
class Draw:
    """What is drawn for one sample: all but the noise itself.

    path:        of the photo
    patch:       (crop, crop, 3) uint8 sRGB of it
    window:      where that lies
    light:       (3,) factors on the scene's linear red, green and blue
    highlights:  how many times as bright as in the photo its white is
    defects:     of the sensor; None: it has none
    """

    path: Path
    patch: NDArray[np.uint8]
    window: PhotoWindow
    sensor: Sensor
    exposure: Exposure
    light: NDArray[np.float64]
    highlights: float
    defects: Defects | None


class SimulatedCaptures(Samples):
    """Sample i is the same whoever asks for it: its random numbers come from (seed, i) alone.

    A sample is a random crop of a random photo, flipped and turned at random *before* the mosaic is taken, so that
    every mosaic begins on the model's phase; lit otherwise than it was (`draw_light`); taken by a random camera of the
    table, with its levels, its colours, its noise and the white balance that the light has on it; at a random ISO, up
    to the camera's highest, and exposure ratio (both log-uniform).
    """

    def __init__(self, photos: PhotoShelf, settings: TrainingSettings, cfa: Cfa | None = None) -> None:
        """cfa: the model's pattern; by default as the settings say.

        Raises UsageError for a sensor that is unknown or has another pattern than the model.
        """
        self.photos = photos
        self.settings = settings
        self.cfa = cfa or pattern_of(settings)
        self.sensors = sensor_pool(settings, self.cfa)

    def __len__(self) -> int:
        return self.settings.steps * self.settings.batch

    def __getitem__(self, index: int) -> Sample:
        """Sample i; its target is what the sensor saw, without noise, rendered as the network's output will be."""
        drawn, generator = self._draw(index)
        sensor, exposure = drawn.sensor, drawn.exposure
        camera = to_camera(drawn.patch, sensor, drawn.light, drawn.highlights)
        mosaic = expose(camera, sensor, exposure, ReadNoise.TUKEY_LAMBDA, generator, drawn.defects)
        gains = self.cfa.per_site(exposure.white_balance) if self._balanced else None
        levels, kind = (sensor.black_levels, sensor.white_level), (self.settings.below_black, self.settings.companding)
        inputs = to_light(mosaic, self.cfa, *levels, exposure.ratio, gains, *kind)
        rendered = self.settings.rendering is Rendering.CAMERA
        # Light beyond white is clipped in camera RGB, as raw developers do, or goes to white as all colours do.
        target = render_camera(camera, sensor.srgb_from_camera) if rendered else render_clean(camera, sensor)
        return Sample(
            torch.from_numpy(inputs)[None],
            torch.from_numpy(np.ascontiguousarray(target.transpose(2, 0, 1))),
            torch.tensor(sensor.srgb_from_camera, dtype=torch.float32),
            torch.tensor(float(rendered)),
        )

    def describe(self, index: int) -> str:
        """Where sample i comes from."""
        drawn, _ = self._draw(index)
        window, exposure = drawn.window, drawn.exposure
        flips = [name for name in ("mirror_rows", "mirror_columns", "transpose") if getattr(window, name)]
        red, _, blue = exposure.white_balance
        return (
            f"{drawn.path}, {window.extent}x{window.extent} pixels from row {window.top}, column "
            f"{window.left} ({', '.join(flips) or 'as it is'}), as a {drawn.sensor.name} at ISO {exposure.iso:.0f}, "
            f"ratio {exposure.ratio:.1f}, white balance {red:.2f},1,{blue:.2f}, "
            f"light times {','.join(f'{factor:.2f}' for factor in drawn.light)}"
            + (f", highlights times {drawn.highlights:.1f}" if drawn.highlights != 1 else "")
            + (f", {drawn.defects}" if drawn.defects else "")
        )

    @property
    def _balanced(self) -> bool:
        return self.settings.white_balance is WhiteBalance.INPUT

    def _draw(self, index: int) -> tuple[Draw, np.random.Generator]:
        """What sample i is, and the generator that goes on to draw its noise."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        generator = np.random.default_rng((self.settings.seed, index))
        number = int(generator.integers(len(self.photos)))
        photo = self.photos[number]  # once: one that is not kept is decoded for it
        settings = self.settings
        patch, window = self._draw_patch(photo, generator)
        sensor = self.draw_sensor(generator)
        exposure, light = self.draw_exposure(sensor, generator), draw_light(generator)
        highlights = draw_highlights(generator)
        defects = Defects.draw(generator) if settings.defects else None
        return Draw(self.photos.paths[number], patch, window, sensor, exposure, light, highlights, defects), generator

    def _draw_patch(
        self, photo: NDArray[np.uint8], generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], PhotoWindow]:
        """Of some random crops the one with most detail: (crop, crop, 3), and where it lies."""
        settings = self.settings
        drawn = []
        for _ in range(settings.detail):
            reduction = draw_log_uniform((1.0, settings.reduction), generator) if settings.reduction > 1 else 1.0
            window = PhotoWindow.draw(
                photo.shape, settings.crop, generator, transposed=settings.transpose, reduction=reduction
            )
            drawn.append((window.cut(photo), window))
        return max(drawn, key=lambda one: detail_of(one[0])) if len(drawn) > 1 else drawn[0]

    def draw_sensor(self, generator: np.random.Generator) -> Sensor:
        """One of the cameras; but for the one whose noise is calibrated, with noise that differs a little each time."""
        sensor = self.sensors[int(generator.integers(len(self.sensors)))]
        factors = [draw_log_uniform(bounds, generator) for bounds in (GAIN_FACTOR, READ_FACTOR)]
        if sensor.name != Sensor().name:
            sensor = replace(sensor, gain_factor=factors[0], read_factor=factors[1])
        return replace(sensor, cfa=self.cfa)

    def draw_exposure(self, sensor: Sensor, generator: np.random.Generator) -> Exposure:
        """ISO and ratio log-uniform within the settings' ranges; the light at random, or the sensor's own if baked."""
        iso, ratio = (draw_log_uniform(bounds, generator) for bounds in (self.settings.iso, self.settings.ratio))
        # A network with the balance baked in must see what one camera's daylight looks like, or it could not learn it.
        balance = draw_white_balance(np.array(sensor.camera_from_xyz), generator) if self._balanced else sensor.daylight
        return Exposure(iso=min(iso, sensor.highest_iso), ratio=ratio, white_balance=balance)


def pattern_of(settings: TrainingSettings) -> Cfa:
    """The pattern of the model that captures are simulated for: X-Trans for Fuji or a sensor that has it, else RGGB."""
    named = None if settings.sensor == RANDOM else find_sensor(settings.sensor)
    xtrans = settings.camera is Camera.FUJI or (named is not None and named.cfa is Cfa.XTRANS)
    return Cfa.XTRANS if xtrans else Cfa.RGGB


def sensor_pool(settings: TrainingSettings, cfa: Cfa) -> tuple[Sensor, ...]:
    """The cameras to draw from: the one that is named, all of the model's pattern, or one for a baked balance."""
    if settings.sensor != RANDOM:
        named = find_sensor(settings.sensor)
        if named.cfa.period != cfa.period:
            names = ", ".join(sensor.name for sensor in sensors_of(cfa)[:5])
            raise UsageError(
                f"--sensor {named.name} has a mosaic of {named.cfa}, but this run's other data or --camera are {cfa}; "
                f"give random or one such as {names}"
            )
        return (named,)
    if settings.white_balance is WhiteBalance.BAKED:
        return (find_sensor(BAKED_SENSORS[cfa]),)
    return sensors_of(cfa)


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


def draw_highlights(generator: np.random.Generator) -> float:
    """How many times as bright as in the photo its white is: 1 in most scenes.

    A network that never met a small lamp of ten times white beside darkness puts a dark or coloured rim around it.
    """
    return draw_log_uniform(HIGHLIGHTS, generator) if generator.random() < SHINING_SHARE else 1.0


def detail_of(picture: NDArray[np.uint8]) -> float:
    """How much neighbouring pixels of green differ, down and across, in codes: what noise hides first.

    picture: (H, W, 3)
    """
    green = picture[..., 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


def draw_log_uniform(bounds: tuple[float, float], generator: np.random.Generator) -> float:
    """A number within the bounds whose logarithm is uniform."""
    low, high = bounds
    return min(max(math.exp(generator.uniform(math.log(low), math.log(high))), low), high)
