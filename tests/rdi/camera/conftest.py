"""Fixtures of the camera tests: DNG files that differ from what rdi writes."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import Compression, dng_directory

Fields = dict[int, tuple[int, Any] | None]
WriteVariant = Callable[..., Path]


@pytest.fixture
def small_photo() -> RawPhoto:
    """A noise frame with a different black level at each site."""
    mosaic = np.random.default_rng(3).integers(0, 1024, (40, 56)).astype(np.uint16)
    return RawPhoto(mosaic, Cfa.RGGB, np.array([10.0, 11, 12, 13]), 1023.0, iso=100, make="Acme", model="Night 1")


@pytest.fixture
def write_variant(tmp_path: Path) -> WriteVariant:
    """Write a photo as a DNG with some tags changed, {tag: (type, value)}, or left out, {tag: None}."""

    def write(photo: RawPhoto, fields: Fields, strip: bytes | None = None, name: str = "variant.dng") -> Path:
        strip = photo.mosaic.astype("<u2").tobytes() if strip is None else strip
        directory = dng_directory(photo, len(strip), 16, Compression.NONE, "")
        for tag, field in fields.items():
            if field is None:
                del directory[tag]
            else:
                directory.tagtype[tag] = field[0]
                directory[tag] = field[1]
        buffer = io.BytesIO()
        directory.save(buffer)
        path = tmp_path / name
        path.write_bytes(buffer.getvalue() + strip)
        return path

    return write
