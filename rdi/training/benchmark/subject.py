"""What is measured on: a cache, a folder of photos, or pictures of noise."""

from pathlib import Path

import numpy as np

from rdi.training.cache.manifest import MANIFEST, read_manifest
from rdi.training.photos import split_photos
from rdi.training.settings import Places


def places_of(folder: Path) -> Places:
    """A cache of `rdi prepare`, as its manifest shows, or else photos."""
    return Places(cache=folder) if (folder / MANIFEST).is_file() else Places(photos=folder)


def data_bytes(places: Places) -> int:
    """Of a cache's arrays, or of the photos that are trained on, as files."""
    if places.cache:
        return read_manifest(places.cache).bytes
    assert places.photos
    return sum(path.stat().st_size for path in split_photos(places.photos)[0])


def write_noise_photos(folder: Path, count: int = 6, size: tuple[int, int] = (1280, 960)) -> Path:
    """Some JPEGs of smooth noise, (width, height) each, which cost as much as others."""
    from PIL import Image

    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=95)
    return folder
