"""The demonstration: a dark photo as it was shot, brightened the plain way, and restored, side by side."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError
from rdi.runtime.restorer import Restored, Restorer

Picture = NDArray[np.uint16]

_GAP = 12  # pixels between the panels
_WHITE = 65_535


@dataclass(frozen=True, eq=False)
class Demonstration:
    """A dark photo in three forms, and what they came from.

    photo:        the raw photo
    restored:     the restored picture
    side_by_side: the same with three captioned panels as its image: as shot, brightened, restored
    """

    photo: RawPhoto
    restored: Restored
    side_by_side: Restored


def demonstrate(sample: Path, restorer: Restorer) -> Demonstration:
    """Restore a dark raw file, and develop it twice without the network: as shot, and as bright as the restored one.

    The plain pictures are LibRaw's, with the same curve, primaries and white balance. Raises InputError where LibRaw
    and rdi disagree on the frame.
    """
    from rdi.camera.reading import read_photo
    from rdi.camera.rendering import develop

    photo = read_photo(sample)
    restored = restorer.restore(photo)
    factor, curve = restored.amplification.value, restored.model.curve
    panels = {
        "as shot": develop(sample, 1.0, photo.white_balance, curve=curve),
        f"brightened {factor:.3g} times": develop(sample, factor, photo.white_balance, curve=curve),
        f"restored by rdi in {restored.timings['network']:.0f} ms": restored.image,
    }
    if len({panel.shape for panel in panels.values()}) > 1:
        raise InputError(
            f"{sample} is developed by LibRaw at another size than {restored.image.shape}; use another file"
        )
    joined = np.concatenate([_captioned(panel, text) for text, panel in panels.items()], axis=1)
    return Demonstration(photo, restored, replace(restored, image=joined[:, :-_GAP]))


def _captioned(panel: Picture, text: str) -> Picture:
    """A panel with its caption above it and the gap to the next one at its right."""
    strip = _caption(text, panel.shape[1])
    column = np.concatenate([strip, panel])
    gap = np.full((column.shape[0], _GAP, 3), _WHITE, dtype=np.uint16)
    return np.concatenate([column, gap], axis=1)


def _caption(text: str, width: int) -> Picture:
    """Black on white, as high as a line of text, (height, width, 3)."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(12, width // 24)
    strip = Image.new("L", (width, size * 2), 255)
    font: Any = ImageFont.load_default(size)
    ImageDraw.Draw(strip).text((width // 2, size), text, fill=0, font=font, anchor="mm")
    grey = np.asarray(strip, dtype=np.uint16) * np.uint16(257)
    return np.repeat(grey[:, :, None], 3, axis=2)
