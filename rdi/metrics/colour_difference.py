"""CIEDE2000, how different two colours look, by scikit-image; 1 is about what an eye can just tell apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.color import XYZ_FROM_SRGB
from rdi.errors import MissingPackageError
from rdi.extras import install_hint

Array = NDArray[np.float64]


def ciede2000(linear: Array, target: Array) -> Array:
    """CIEDE2000 (CIE 142:2001, all k = 1) between linear sRGB colours (..., 3), white being D65: (...)."""
    deltae_ciede2000 = _colour().deltaE_ciede2000
    return np.asarray(deltae_ciede2000(to_lab(linear), to_lab(target)), dtype=np.float64)


def to_lab(linear: Array) -> Array:
    """CIELAB (L*, a*, b*) of linear sRGB (..., 3), relative to D65."""
    xyz = np.asarray(linear, dtype=np.float64) @ XYZ_FROM_SRGB.T
    # Relative to sRGB's own white: the tables' D65 differs in the fourth digit, and grey would not be neutral.
    white = XYZ_FROM_SRGB.sum(axis=1)
    return np.asarray(_colour().xyz2lab(xyz / white * _d65(), illuminant="D65"), dtype=np.float64)


def _d65() -> Array:
    return np.asarray(_colour().xyz_tristimulus_values(illuminant="D65", observer="2"), dtype=np.float64)


def _colour() -> Any:  # scikit-image has no types
    try:
        from skimage import color
    except ImportError as error:
        raise MissingPackageError(f"colour differences need scikit-image: {install_hint('eval')}") from error
    return color
