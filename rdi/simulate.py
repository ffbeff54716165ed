"""Turn a bright sRGB photo into the raw file that a camera would have written in near darkness.

photo -> linear light -> camera space (colour matrix) -> light of another colour (divided by the white balance) ->
mosaic -> divided by the exposure ratio -> sensor noise -> black level, rounding, clipping at white.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rdi import color
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.defects import Defects
from rdi.errors import UsageError
from rdi.noise import ReadNoise, SensorNoise, noise_at

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]

CALIBRATED_PITCH = 8.4  # micrometres: of the sensor whose noise is calibrated, Sony's A7S II
CALIBRATED_SCALE = 16383 - 512  # DN from its black to its white level


@dataclass(frozen=True)
class Sensor:
    """The camera that is simulated; by default a Sony A7S II with its 14-bit levels.

    camera_from_xyz: CIE XYZ (D65) to camera RGB, as published
    cfa:          pattern of the frame
    black_level, white_level: DN
    pixel_pitch:  micrometres from pixel to pixel
    highest_iso:  that the camera offers
    gain_factor:  DN per electron, times what the size of the pixels says: for the spread from sensor to sensor
    read_factor:  read noise in electrons, times the calibrated sensor's
    """

    make: str = "Sony"
    model: str = "ILCE-7SM2"
    camera_from_xyz: tuple[tuple[float, float, float], ...] = tuple(map(tuple, color.A7S2_CAMERA_FROM_XYZ.tolist()))
    cfa: Cfa = Cfa.RGGB
    black_level: int = 512
    white_level: int = 16383
    pixel_pitch: float = CALIBRATED_PITCH
    highest_iso: float = 102_400
    gain_factor: float = 1.0
    read_factor: float = 1.0

    @property
    def name(self) -> str:
        """Make and model."""
        return f"{self.make} {self.model}"

    def with_colours_of(self, other: "Sensor") -> "Sensor":
        """This sensor, its levels and its noise, with another one's name and colour matrix."""
        return replace(self, make=other.make, model=other.model, camera_from_xyz=other.camera_from_xyz)

    @property
    def full_scale(self) -> int:
        """DN from black to white."""
        return self.white_level - self.black_level

    def noise_at(self, iso: float) -> SensorNoise:
        """The noise at an ISO: the calibrated sensor's, for pixels of this size and levels of this depth.

        At one ISO all sensors get the same light per area, so the electrons of a pixel at white go with its area. The
        read noise is the calibrated one's in electrons. Raises UsageError outside ISO 50 to 25600.
        """
        area = (CALIBRATED_PITCH / self.pixel_pitch) ** 2
        depth = self.full_scale / CALIBRATED_SCALE
        return noise_at(iso).scaled(area * depth * self.gain_factor, self.read_factor)

    @property
    def black_levels(self) -> NDArray[np.float64]:
        """Black level of each site, (sites,)."""
        return np.full(self.cfa.sites, float(self.black_level))

    @property
    def camera_from_srgb(self) -> NDArray[np.float64]:
        """Linear sRGB to white-balanced camera RGB, (3, 3)."""
        return color.camera_from_srgb(np.array(self.camera_from_xyz))

    @property
    def srgb_from_camera(self) -> NDArray[np.float64]:
        """White-balanced camera RGB to linear sRGB, (3, 3)."""
        return color.srgb_from_camera(np.array(self.camera_from_xyz))

    @property
    def daylight(self) -> NDArray[np.float64]:
        """White-balance gains for D65 light, (3,), green = 1."""
        return color.daylight_gains(np.array(self.camera_from_xyz))


@dataclass(frozen=True, eq=False)
class Exposure:
    """How the dark photo is taken.

    iso:           50 to 25600, sets the noise
    ratio:         how many times less light than the photo had, 1 or more
    white_balance: (3,) gains that will make the light neutral again, green = 1
    """

    iso: float
    ratio: float
    white_balance: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not 1 <= self.ratio <= 10_000:
            raise UsageError(f"exposure ratio {self.ratio:g} is out of range; give 1 to 10000")


def to_camera(
    photo: Picture, sensor: Sensor, light: NDArray[np.float64] | None = None, highlights: float = 1.0
) -> Floats:
    """(H, W, 3) uint8 sRGB -> white-balanced linear camera RGB, as the sensor would see it without noise; 1 = white.

    light: (3,) factors on linear red, green and blue, for a scene that is lit otherwise than the photo was; what gets
           brighter than white stays so here
    highlights: how many times as bright as in the photo its white is. A photo's lamps and reflections are clipped at
           white, the scene's were not; above half of white light grows by the square of the way to it
    """
    linear = _linear_table().take(photo)
    if highlights != 1:
        way = np.clip(linear.mean(axis=2, keepdims=True) * 2 - 1, 0, None)
        linear *= 1 + np.float32(highlights - 1) * way**2
    if light is not None:
        linear *= light.astype(np.float32)
    camera = color.apply_matrix(linear, sensor.camera_from_srgb)
    return np.maximum(camera, 0.0, out=camera)


def render_clean(camera: Floats, sensor: Sensor) -> Floats:
    """White-balanced camera RGB -> (H, W, 3) float32 sRGB code values in [0, 1]: the picture to aim at.

    Each channel is clipped at white before the matrix, as raw developers do: a lamp comes out white, not coloured.
    """
    return color.encode(color.apply_matrix(np.minimum(camera, 1.0), sensor.srgb_from_camera))


def mosaic_of(camera: Floats, cfa: Cfa, divisors: NDArray[np.float64] | None = None) -> Floats:
    """Keep of each (H, W, 3) pixel the colour that its CFA site counts, divided by that of (3,) divisors: (H, W)."""
    divisors = np.ones(3) if divisors is None else divisors
    height, width = camera.shape[:2]
    period = cfa.period
    out = np.empty((height, width), dtype=np.float32)
    for row, column in np.ndindex(period, period):
        colour = cfa.colours[row, column]
        out[row::period, column::period] = camera[row::period, column::period, colour] / divisors[colour]
    return out


def expose(
    camera: Floats,
    sensor: Sensor,
    exposure: Exposure,
    read_noise: ReadNoise,
    generator: np.random.Generator,
    defects: Defects | None = None,
) -> NDArray[np.uint16]:
    """Take the dark photo: (H, W, 3) balanced camera RGB -> (H, W) uint16 mosaic as the sensor counts."""
    signal = mosaic_of(camera, sensor.cfa, exposure.white_balance) * np.float32(sensor.full_scale / exposure.ratio)
    if defects:
        defects.disturb(signal, sensor.cfa, sensor.full_scale, generator)
    noisy = sensor.noise_at(exposure.iso).add(signal, read_noise, generator)
    counted = np.clip(np.rint(noisy + sensor.black_level), 0, sensor.white_level)
    return counted.astype(np.uint16)


def simulate(
    photo: Picture,
    exposure: Exposure,
    *,
    sensor: Sensor | None = None,
    read_noise: ReadNoise = ReadNoise.TUKEY_LAMBDA,
    seed: int = 0,
) -> RawPhoto:
    """Simulate the dark raw photo of a bright picture.

    photo:   (H, W, 3) uint8 sRGB
    returns: RawPhoto with the sensor's levels and matrix and the exposure's white balance; `exposure_time` is left open
    """
    sensor = sensor or Sensor()
    return take(to_camera(photo, sensor), sensor, exposure, read_noise, seed)


def take(camera: Floats, sensor: Sensor, exposure: Exposure, read_noise: ReadNoise, seed: int) -> RawPhoto:
    """The same of what the sensor would see, (H, W, 3) balanced camera RGB."""
    return RawPhoto(
        mosaic=expose(camera, sensor, exposure, read_noise, np.random.default_rng(seed)),
        cfa=sensor.cfa,
        black_level=np.array([sensor.black_level]),
        white_level=sensor.white_level,
        white_balance=exposure.white_balance,
        camera_to_srgb=sensor.srgb_from_camera,
        camera_from_xyz=np.array(sensor.camera_from_xyz),
        iso=exposure.iso,
        make=sensor.make,
        model=sensor.model,
    )


@cache
def _linear_table() -> Floats:
    """Linear light of each of the 256 code values."""
    return color.decode(np.arange(256, dtype=np.float32) / np.float32(255))
