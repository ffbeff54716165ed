"""The header of a safetensors file, read without torch or safetensors: 8 bytes of length, then JSON."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.errors import CheckpointError

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
    if path.exists() and not path.is_file():  # a pipe would hang
        raise CheckpointError(f"cannot read {path}: it is no regular file; give weights from `rdi train`")
    try:
        with path.open("rb") as file:
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            text = file.read(length) if length <= MAX_HEADER else b""
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}; give weights from `rdi train`") from error
    try:
        if len(text) != length:
            raise ValueError("the header is cut or absurdly long")
        return _parse(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is no safetensors file; give weights from `rdi train`") from error


def _parse(header: Any) -> WeightsHeader:
    metadata = header.pop("__metadata__", {})
    shapes = {str(name): tuple(int(size) for size in entry["shape"]) for name, entry in header.items()}
    return WeightsHeader(shapes, {str(key): str(value) for key, value in metadata.items()})
