"""The header of a safetensors file, and files that only claim to be one."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rdi.errors import CheckpointError
from rdi.weights_header import read_weights_header


def test_shapes_and_metadata_are_what_safetensors_wrote(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": np.zeros((2, 3), np.float32), "b": np.zeros((), np.float32)}, path, metadata={"who": "me"})
    header = read_weights_header(path)
    assert header.shapes == {"a": (2, 3), "b": ()}
    assert header.parameters == 7
    assert header.metadata == {"who": "me"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 40) + b"{}",
        struct.pack("<Q", 3) + b"[1]",
        struct.pack("<Q", 7) + b'{"a":1}',
        struct.pack("<Q", 2**20) + b"[" * 2**20,
        struct.pack("<Q", 21) + b'{"__metadata__": [1]}',
    ],
    ids=["empty", "short", "huge length", "longer than the file", "list", "no tensor", "deep", "metadata of a list"],
)
def test_what_is_no_safetensors_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is no safetensors file"):
        read_weights_header(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match="cannot read"):
            read_weights_header(path)


def test_what_is_no_regular_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    for path in (tmp_path / "pipe.safetensors", Path("/dev/zero")):
        with pytest.raises(CheckpointError, match="is no regular file"):
            read_weights_header(path)
