"""The ICC profile that goes with a picture: sRGB's primaries and the curve that the model's metadata names.

A display profile of version 2, because every program reads those; three kilobytes, the same bytes on every run.
"""

import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rdi import color
from rdi.metadata import Curve

SAMPLES = 1024  # of the curve; programs interpolate linearly between them
_D50 = np.array([0.9642, 1.0, 0.82491])  # the white of every ICC profile
_D65 = color.XYZ_FROM_SRGB.sum(axis=1)
# Bradford's cone responses, by which ICC adapts one white to another.
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_DATE = (2026, 1, 1, 0, 0, 0)  # of the profile's definition: the clock would make every file differ


_NAMES = {Curve.BT709: "BT.709", Curve.SRGB: "sRGB"}


@cache
def icc_profile(curve: Curve) -> bytes:
    """The profile of pictures with this tone curve."""
    red, green, blue = _colorants()
    trc = _curve(color.decode(np.linspace(0, 1, SAMPLES, dtype=np.float32), curve))
    return _profile(
        {
            b"desc": _description(f"sRGB primaries, {_NAMES[curve]} curve (rdi)"),
            b"cprt": b"text\0\0\0\0" + b"CC0\0",
            b"wtpt": _xyz(_fixed(_D50)),
            b"rXYZ": _xyz(red),
            b"gXYZ": _xyz(green),
            b"bXYZ": _xyz(blue),
            b"rTRC": trc,
            b"gTRC": trc,
            b"bTRC": trc,
        }
    )


def _colorants() -> NDArray[np.int64]:
    """XYZ of red, green and blue under D50, (3, 3), in 1/65536; they add up to white exactly, so that grey is grey."""
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ _D65)) @ _BRADFORD
    colorants = _fixed((adapt @ color.XYZ_FROM_SRGB).T)
    colorants[1] += _fixed(_D50) - colorants.sum(axis=0)
    return colorants


def _fixed(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values * 65536).astype(np.int64)


def _xyz(fixed: NDArray[np.int64]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *fixed.tolist())


def _curve(linear: NDArray[np.float32]) -> bytes:
    table = np.rint(linear.astype(np.float64) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", table.size) + table.tobytes()


def _description(text: str) -> bytes:
    ascii_text = text.encode("ascii") + b"\0"
    no_unicode, no_macintosh = bytes(8), bytes(3 + 67)
    return b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + no_unicode + no_macintosh


def _profile(tags: dict[bytes, bytes]) -> bytes:
    """Header, tag table and the tags' data; equal data are stored once."""
    start = 128 + 4 + 12 * len(tags)
    table, data, offsets = struct.pack(">I", len(tags)), b"", {}
    for name, value in tags.items():
        if value not in offsets:
            offsets[value] = start + len(data)
            data += value + bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, offsets[value], len(value))
    return _header(start + len(data)) + table + data


def _header(size: int) -> bytes:
    version, intent = 0x02400000, 1  # 2.4; relative colorimetric
    header = struct.pack(">I4xI4s4s4s6H4s", size, version, b"mntr", b"RGB ", b"XYZ ", *_DATE, b"acsp")
    header += bytes(24) + struct.pack(">I", intent) + _xyz(_fixed(_D50))[8:]
    return header + bytes(128 - len(header))
