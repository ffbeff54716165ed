"""The header of a safetensors file, read without torch or safetensors: 8 bytes of length, then JSON."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.errors import CheckpointError
from rdi.regular_file import require_regular

LARGEST = 4 << 30  # bytes of a file; ours have three million, an optimiser's state a few times as much
MOST_DIMENSIONS = 16
MAX_HEADER = 16 << 20  # bytes; ours has some twenty thousand, and a hostile length must not be believed


@dataclass(frozen=True)
class WeightsHeader:
    """What a safetensors file says of itself.

    shapes:   tensor name -> shape
    metadata: the strings beside them
    """

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]

    @property
    def parameters(self) -> int:
        """How many numbers the file holds."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def read_weights_header(path: Path) -> WeightsHeader:
    """Read the header; CheckpointError for a file that is missing, damaged or no safetensors file."""
    try:
        require_regular(path, LARGEST, "weights file")
        with path.open("rb") as file:
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            text = file.read(length) if length <= MAX_HEADER else b""
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}; give weights from `rdi train`") from error
    except ValueError as error:
        raise CheckpointError(f"cannot read {path}: it {error}; give weights from `rdi train`") from error
    try:
        if len(text) != length:
            raise ValueError("the header is cut or absurdly long")
        return _parse(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError) as error:
        raise CheckpointError(f"{path} is no safetensors file; give weights from `rdi train`") from error


def _parse(header: Any) -> WeightsHeader:
    metadata = header.pop("__metadata__", {})
    shapes = {str(name): _shape(entry["shape"]) for name, entry in header.items()}
    return WeightsHeader(shapes, {str(key): str(value) for key, value in metadata.items()})


def _shape(sizes: Any) -> tuple[int, ...]:
    shape = tuple(int(size) for size in sizes)
    if len(shape) > MOST_DIMENSIONS or not all(0 <= size < 1 << 63 for size in shape):
        raise ValueError("a tensor that no memory could hold")
    return shape
