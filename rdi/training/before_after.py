"""Pictures of a validation: what the camera saw, what the network made of it, what it should be."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.atomic import atomic_path
from rdi.camera.photo import align
from rdi.color import encode
from rdi.levels import to_light
from rdi.metadata import ModelMetadata
from rdi.pictures import shrink
from rdi.training.validation import Frame

PANEL = 720  # pixels, the longer side of each of the three panels
QUALITY = 92
BAND = 256  # rows

Picture = NDArray[np.uint8]


def before_after(frame: Frame, metadata: ModelMetadata) -> Picture:
    """Three panels beside each other, (H, W, 3) uint8: the amplified mosaic, the restored picture, the target."""
    height, width = frame.restored.shape[:2]
    scale = min(PANEL / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    before = amplified(frame, metadata)
    return np.concatenate([_panel(picture, size) for picture in (before, frame.restored, frame.capture.target)], axis=1)


def amplified(frame: Frame, metadata: ModelMetadata) -> NDArray[np.float32]:
    """The dark capture merely brightened, in [0, 1]: each cell of the mosaic is one pixel of this picture.

    X-Trans has all three colours in every 3x3 pixels, Bayer in 2x2.
    """
    cell = 3 if metadata.cfa.period == 6 else 2
    raw = frame.capture.raw
    aligned = align(raw, metadata.cfa, metadata.size_multiple)
    gains = aligned.gains  # for a model with the balance baked in too: this picture is for people
    light = to_light(aligned.mosaic, metadata.cfa, aligned.black_level, raw.white_level, frame.capture.ratio, gains)
    height, width = (side // metadata.cfa.period * metadata.cfa.period for side in light.shape)
    colours = np.tile(metadata.cfa.colours, (height // metadata.cfa.period, width // metadata.cfa.period))
    planes = [_cell_mean(light[:height, :width], colours == colour, cell) for colour in range(3)]
    picture = encode(np.stack(planes, axis=-1))
    rows, columns = (
        (first, first + extent) for first, extent in ((aligned.top, raw.height), (aligned.left, raw.width))
    )
    return picture[rows[0] // cell : rows[1] // cell, columns[0] // cell : columns[1] // cell]


def _cell_mean(light: NDArray[np.float32], mask: NDArray[np.bool_], cell: int) -> NDArray[np.float32]:
    shape = (light.shape[0] // cell, cell, light.shape[1] // cell, cell)
    total = np.where(mask, light, 0).reshape(shape).sum(axis=(1, 3))
    return np.asarray(total / mask.reshape(shape).sum(axis=(1, 3)), dtype=np.float32)


def save_pictures(frame: Frame, metadata: ModelMetadata, folder: Path, step: int) -> Picture:
    """Write the restored picture and the three panels as JPEG files named by step and frame; returns the panels."""
    panels = before_after(frame, metadata)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"step-{step:08d}_{Path(frame.capture.name).stem}"
    _save(_to_bytes(frame.restored), folder / f"{name}.jpg")
    _save(panels, folder / f"{name}_before-after.jpg")
    return panels


def _panel(picture: NDArray[np.float32], size: tuple[int, int]) -> Picture:
    from PIL import Image

    image = Image.fromarray(shrink(_to_bytes(picture), max(size)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC), dtype=np.uint8)


def _to_bytes(picture: NDArray[np.float32]) -> Picture:
    rounded = np.empty(picture.shape, dtype=np.uint8)
    for first in range(0, len(picture), BAND):  # a full frame of floats three times over would take half a gigabyte
        rows = slice(first, first + BAND)
        rounded[rows] = np.rint(np.clip(picture[rows], 0, 1) * 255)
    return rounded


def _save(picture: Picture, path: Path) -> None:
    from PIL import Image

    buffer = BytesIO()  # Pillow calls a disk that is full an "encoder error -2"
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
