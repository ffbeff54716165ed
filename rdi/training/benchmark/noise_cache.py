"""A cache of noise, to measure reading and memory with: real files, in which no two pages are alike."""

from pathlib import Path

import numpy as np

from rdi.amplifier import count_raw_values, weighted_sums
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.training.cache.decoding import write_array
from rdi.training.cache.entries import (
    MOSAICS,
    TARGETS,
    MosaicEntry,
    SourceFile,
    TargetEntry,
    array_name,
    describe_photo,
)
from rdi.training.cache.manifest import Manifest, PairEntry, write_manifest

SID_FRAME = (2848, 4256)  # SID's Sony frames: a pair takes 97 MB
RATIO = 100.0


def write_noise_cache(cache: Path, size: int, frame: tuple[int, int] = SID_FRAME, cfa: Cfa = Cfa.RGGB) -> Manifest:
    """Write a cache of at least `size` bytes, two pairs at least, of which the last one is for validation."""
    for kind in (MOSAICS, TARGETS):
        (cache / kind).mkdir(parents=True, exist_ok=True)
    count = max(2, -(-size // (frame[0] * frame[1] * 8)))
    names = [(f"short/{number:05d}.raw", f"long/{number:05d}.raw") for number in range(count)]
    entries = [_write_pair(cache, dark, bright, frame, cfa, seed) for seed, (dark, bright) in enumerate(names)]
    pairs = tuple(PairEntry(dark, bright, RATIO, f"pair {seed}") for seed, (dark, bright) in enumerate(names))
    manifest = Manifest(
        kind="noise",
        complete=True,
        splits={"train": pairs[:-1], "val": pairs[-1:]},
        mosaics={mosaic.source.name: mosaic for mosaic, _ in entries},
        targets={target.source.name: target for _, target in entries},
    )
    write_manifest(cache, manifest)
    return manifest


def _write_pair(
    cache: Path, dark: str, bright: str, frame: tuple[int, int], cfa: Cfa, seed: int
) -> tuple[MosaicEntry, TargetEntry]:
    generator = np.random.default_rng(seed)
    mosaic = generator.integers(512, 768, frame, dtype=np.uint16)
    photo = RawPhoto(mosaic, cfa, np.array([512.0]), 16383.0, iso=800, make="Noise")
    sums = weighted_sums(count_raw_values(photo), photo.black_level, photo.white_level)
    array = write_array(cache, array_name(MOSAICS, dark), mosaic)
    target = generator.integers(0, 65_536, (*frame, 3), dtype=np.uint16)
    return (
        MosaicEntry(SourceFile(dark, 0, 0, ""), array, describe_photo(photo), sums),
        TargetEntry(SourceFile(bright, 0, 0, ""), write_array(cache, array_name(TARGETS, bright), target), False, None),
    )
