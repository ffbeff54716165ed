"""How far a restored picture is from what it should be."""

import numpy as np
from numpy.typing import NDArray

from rdi.errors import MissingPackageError
from rdi.extras import install_hint

Floats = NDArray[np.float32]


def psnr(picture: Floats, target: Floats) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; values in [0, 1], peak 1; inf where equal."""
    error = float(np.mean(np.square(picture.astype(np.float64) - target)))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(picture: Floats, target: Floats) -> float:
    """Structural similarity as scikit-image computes it by default: 7x7 uniform window, (H, W, 3) in [0, 1].

    Raises MissingPackageError without the `eval` extra.
    """
    try:
        from skimage.metrics import structural_similarity
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"SSIM needs scikit-image: {install_hint('eval')}") from error
    return float(structural_similarity(picture, target, channel_axis=2, data_range=1.0))  # type: ignore[no-untyped-call]
