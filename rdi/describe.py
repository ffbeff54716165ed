"""What a file says of itself, as plain values for people and programs: raw photos, weights."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rdi.amplifier import count_raw_values, estimate_amplification
from rdi.camera import RawPhoto
from rdi.metadata import ModelMetadata
from rdi.weights_header import read_weights_header

PERCENTILES = (1, 50, 99)


def describe_photo(photo: RawPhoto) -> dict[str, Any]:
    """A raw photo: camera, frame, levels, colours, exposure, raw values and the amplifier's estimate."""
    return {
        "kind": "raw photo",
        "camera": photo.camera,
        "width": photo.width,
        "height": photo.height,
        "cfa": str(photo.cfa),
        "phase": list(photo.phase),
        "black_level": photo.black_level.tolist(),
        "white_level": photo.white_level,
        "white_balance": _rounded(photo.white_balance),
        "camera_to_srgb": _rounded(photo.camera_to_srgb),
        "iso": photo.iso,
        "exposure_time": photo.exposure_time,
        "orientation": photo.orientation,
        "warnings": list(photo.warnings),
    } | _raw_values(photo)


def describe_weights(path: Path) -> dict[str, Any]:
    """A safetensors file: how much it holds and its own description. CheckpointError, ModelError for damage."""
    header = read_weights_header(path)
    found: dict[str, Any] = {"kind": "weights", "tensors": len(header.shapes), "parameters": header.parameters}
    if "rdi.format" in header.metadata:
        return found | describe_metadata(ModelMetadata.from_strings(header.metadata, str(path)))
    return found | header.metadata | found  # whatever a foreign file calls its own entries


def describe_metadata(metadata: ModelMetadata) -> dict[str, Any]:
    """A model's description, fields that are empty left out, and a note where there is one."""
    described = asdict(metadata) | {"note": metadata.precision.note}
    return {name: value for name, value in described.items() if value not in ("", {})}


def _raw_values(photo: RawPhoto) -> dict[str, Any]:
    """The raw histogram in a few numbers (DN, shares of the frame), and how much Eq. 5 would amplify."""
    histogram = count_raw_values(photo)
    counts = histogram.counts.sum(axis=0)
    cumulated = np.cumsum(counts)
    values = np.nonzero(counts)[0]
    percentiles = np.searchsorted(cumulated, np.array(PERCENTILES) / 100 * histogram.pixels)
    dark = sum(int(c[: int(b) + 1].sum()) for c, b in zip(histogram.counts, photo.black_level, strict=True))
    saturated = int(counts[int(np.ceil(photo.white_level)) :].sum())
    usual = ModelMetadata()  # m = 5, before the clip
    estimate = estimate_amplification(histogram, photo.black_level, photo.white_level, usual.m, usual.m_convention)
    return {
        "raw_min": int(values[0]),
        "raw_max": int(values[-1]),
        "raw_percentiles": {str(p): int(v) for p, v in zip(PERCENTILES, percentiles, strict=True)},
        "share_at_or_below_black": round(dark / histogram.pixels, 6),
        "share_at_or_above_white": round(saturated / histogram.pixels, 6),
        "estimated_amplification": round(estimate, 4),
    }


def _rounded(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    return np.round(numbers, 6).tolist()
