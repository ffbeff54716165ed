"""How right colours are: a ColorChecker seen in the dark through cameras' matrices, restored, and read again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.dng import write_dng
from rdi.camera.photo import RawPhoto
from rdi.camera.rendering import develop
from rdi.evaluation.chart import PATCHES, patch_colours, photograph_chart, read_patches
from rdi.evaluation.models import Exposing, Model
from rdi.metrics.colour_difference import ciede2000
from rdi.simulate import Sensor

# Seven of six makers, of 2006 to 2018.
CAMERAS = (
    "Sony ILCE-7SM2",
    "Sony ILCE-7RM3",
    "Canon EOS 30D",
    "Nikon D850",
    "Olympus E-M1MarkII",
    "Panasonic DC-GH5",
    "Pentax K-1",
)
LIBRAW = "LibRaw"  # demosaicked and amplified, denoised by nothing
_PATCH_NAMES = tuple(PATCHES)


@dataclass(frozen=True)
class ColourFigures:
    """CIEDE2000 between the chart's patches and what one rendering shows of them.

    camera, rendering: whose photo, and a model's name or `LibRaw`
    mean, worst:       over the 24 patches; and which one is the worst
    greys:             mean over the six neutral patches: a cast shows there first
    patches:           of each, in the chart's order
    """

    camera: str
    rendering: str
    mean: float
    worst: float
    worst_patch: str
    greys: float
    patches: tuple[float, ...]

    @classmethod
    def of(cls, camera: str, rendering: str, differences: NDArray[np.float64]) -> "ColourFigures":
        """From the 24 differences."""
        worst = int(differences.argmax())
        return cls(
            camera,
            rendering,
            float(differences.mean()),
            float(differences[worst]),
            _PATCH_NAMES[worst],
            float(differences[-6:].mean()),
            tuple(differences.tolist()),
        )


@dataclass(frozen=True)
class ColourTable:
    """Figures of all cameras and renderings, and how the photos were taken."""

    iso: float
    ratio: float
    rows: tuple[ColourFigures, ...]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "data": "ColorChecker Classic, simulated, daylight",
            "iso": self.iso,
            "ratio": self.ratio,
            "patches": [*PATCHES],
            "rows": [asdict(row) for row in self.rows],
        }

    def markdown(self) -> str:
        """For people: a row for each camera, mean (worst) of each rendering."""
        cameras = list(dict.fromkeys(row.camera for row in self.rows))
        renderings = list(dict.fromkeys(row.rendering for row in self.rows))
        found = {(row.camera, row.rendering): row for row in self.rows}
        lines = [
            f"ColorChecker, 24 patches in daylight through cameras' colour matrices, ISO {self.iso:g}, exposure ratio "
            f"{self.ratio:g}; CIEDE2000: mean (worst), and the mean of the six greys.",
            "",
            "| camera | " + " | ".join(name.replace("|", "\\|") for name in renderings) + " |",
            "|---|" + "---|" * len(renderings),
        ]
        for camera in cameras:
            cells = [_cell(found[camera, rendering]) for rendering in renderings]
            lines.append(f"| {camera} | " + " | ".join(cells) + " |")
        means = [np.mean([found[camera, rendering].mean for camera in cameras]) for rendering in renderings]
        lines.append("| mean | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")
        return "\n".join(lines)


def measure_colours(
    models: Sequence[Model], sensors: Sequence[Sensor], iso: float, ratio: float, tell: Callable[[str], None] = print
) -> ColourTable:
    """Photograph the chart with each camera's colours, restore it with each model at the true ratio, and compare.

    sensors: of the models' pattern
    tell:    is told each figure as it is measured
    Raises UsageError for an ISO or ratio out of range, and what restoring raises.
    """
    rows = []
    for sensor in sensors:
        for row in _of_a_camera(models, sensor, iso, ratio):
            tell(f"{row.camera}  {row.rendering}  {row.mean:.2f} (worst {row.worst:.2f}, {row.worst_patch})")
            rows.append(row)
    return ColourTable(iso, ratio, tuple(rows))


def _of_a_camera(models: Sequence[Model], sensor: Sensor, iso: float, ratio: float) -> Iterator[ColourFigures]:
    photo = photograph_chart(sensor, iso, ratio)
    target = patch_colours()
    for model in models:
        picture = model.restore(photo, Exposing.GT, ratio).picture
        yield ColourFigures.of(sensor.name, model.name, ciede2000(read_patches(picture), target))
    yield ColourFigures.of(sensor.name, LIBRAW, ciede2000(read_patches(_by_libraw(photo, ratio)), target))


def _by_libraw(photo: RawPhoto, ratio: float) -> NDArray[np.float32]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "chart.dng")
        write_dng(photo, path)
        picture = develop(path, ratio, photo.white_balance)
    return np.divide(picture, np.iinfo(picture.dtype).max, dtype=np.float32)


def _cell(row: ColourFigures) -> str:
    return f"{row.mean:.2f} ({row.worst:.2f} {row.worst_patch}), greys {row.greys:.2f}"
