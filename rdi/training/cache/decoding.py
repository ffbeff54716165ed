"""Decode one file into the cache: what the processes of `rdi prepare` do. Loads neither PyTorch nor this one's rest."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.lib.format import header_data_from_array_1_0, write_array_header_1_0
from numpy.typing import NDArray

from rdi.amplifier import count_raw_values, weighted_sums
from rdi.atomic import atomic_path
from rdi.camera.reading import open_raw, read_photo
from rdi.errors import InputError
from rdi.pictures import picture_size
from rdi.training.cache.entries import (
    MOSAICS,
    TARGETS,
    MosaicEntry,
    SourceFile,
    StoredArray,
    TargetEntry,
    array_name,
    describe_photo,
    read_entry,
    write_entry,
)
from rdi.training.pairs import is_raw
from rdi.training.targets import read_target

_HEADER = 128  # bytes of a .npy file before its array
_CHUNK = 1 << 20


def store_mosaic(path: Path, name: str, cache: Path) -> MosaicEntry:
    """Decode a dark raw file; raises InputError or LevelsError for the file, OutputError for the cache."""
    source = describe_source(path, name)
    known = read_entry(cache, MOSAICS, name)
    if isinstance(known, MosaicEntry) and _is_same(known.source, source):
        entry = replace(known, source=source)
    else:
        photo = read_photo(path)
        sums = weighted_sums(count_raw_values(photo), photo.black_level, photo.white_level)
        array = write_array(cache, array_name(MOSAICS, name), photo.mosaic)
        entry = MosaicEntry(source, array, describe_photo(photo), sums)
    write_entry(cache, MOSAICS, entry)
    return entry


def store_target(path: Path, name: str, cache: Path) -> TargetEntry:
    """Decode a bright file; the errors of `store_mosaic`."""
    source = describe_source(path, name)
    known = read_entry(cache, TARGETS, name)
    if isinstance(known, TargetEntry) and _is_same(known.source, source):
        entry = replace(known, source=source)
    else:
        target = read_target(path)
        array = write_array(cache, array_name(TARGETS, name), target.picture)
        entry = TargetEntry(source, array, target.upright, target.exposure)
    write_entry(cache, TARGETS, entry)
    return entry


def array_bytes(path: Path, kind: str) -> int:
    """Bytes that the array of a file will take, by its header alone; raises InputError for a file that is damaged."""
    if is_raw(path):
        with open_raw(path) as (raw, _):
            pixels = int(raw.sizes.height) * int(raw.sizes.width)
    else:
        width, height = picture_size(path)
        pixels = width * height
    return _HEADER + pixels * 2 * (1 if kind == MOSAICS else 3)


def write_array(cache: Path, name: str, array: NDArray[np.uint16]) -> StoredArray:
    """Write an array as .npy, whole or not at all."""
    path, array = cache / name, np.ascontiguousarray(array)
    with atomic_path(path) as temporary:
        # Not `np.save`, which says of a full disk how many numbers it took, and not that it is full.
        with temporary.open("wb") as file:
            write_array_header_1_0(file, header_data_from_array_1_0(array))
            file.write(array.data)
        sha256, size = file_digest(temporary), temporary.stat().st_size
    return StoredArray(name, array.shape, size, sha256)


def describe_source(path: Path, name: str) -> SourceFile:
    """A file as it is before it is decoded."""
    try:
        status = path.stat()
        return SourceFile(name, status.st_size, status.st_mtime_ns, file_digest(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _is_same(known: SourceFile, now: SourceFile) -> bool:
    """Whether a file was only copied or touched since it was decoded; a damaged array's entry is gone by then."""
    return known.sha256 == now.sha256


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def check_array(path: Path, sha256: str) -> str:
    """Hash an array of the cache; what is wrong with it, "" if nothing."""
    try:
        return "" if file_digest(path) == sha256 else f"{path} was changed after it was written"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
