"""LibRaw's own rendering of a raw photo: what a converter without a network makes of it.

LibRaw knows neither the amplification nor Eq. 5; it is told by its `bright`, a factor on the linear values. Its
automatic brightness and its guess at another white level are off. It renders the frame as a whole, in about 14 bytes a
pixel.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.reading import open_raw
from rdi.color import TONES
from rdi.errors import InputError
from rdi.model_kinds import Curve

Picture = NDArray[Any]

DARKEST, BRIGHTEST = 1e-4, 3e4  # of LibRaw's brightness; beyond them a picture is black or white anyway


def develop(
    raw: Path,
    brightness: float,
    gains: NDArray[np.float64],
    bits: int = 16,
    curve: Curve = Curve.BT709,
    *,
    half: bool = False,
) -> Picture:
    """A plain rendering by LibRaw: (H, W, 3) uint16 or uint8, upright.

    brightness: factor on the linear values, as an amplification
    gains:      (3,) white balance of red, green and blue
    bits:       16 or 8
    curve:      tone curve
    half:       half as wide and high, a pixel of each cell: four times as fast
    Raises the errors of `open_raw`, InputError where LibRaw cannot render the file: an X-Trans frame of less than 512
    pixels, say.
    """
    from rawpy import _rawpy

    red, green, blue = gains.tolist()
    tone = TONES[curve]
    with open_raw(raw) as (file, _):
        try:
            return file.postprocess(
                user_wb=[red, green, blue, green],
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
                output_bps=bits,
                gamma=(1 / tone.power, tone.slope),
                half_size=half,
                # LibRaw divides the gains by the smallest one, and 65536 by this, into an integer.
                bright=float(np.clip(brightness * min(red, green, blue), DARKEST, BRIGHTEST)),
            )
        except _rawpy.LibRawError as error:
            raise InputError(
                f"LibRaw has no rendering of {raw} to compare with ({type(error).__name__}); leave the comparison out"
            ) from error
