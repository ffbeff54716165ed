"""LibRaw in a process of its own: a file that crashes or hangs it is reported as damaged, and the next one is read."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import read_photo
from rdi.camera.rendering import develop
from rdi.errors import InputError
from rdi.isolated import Answer, CallLostError, IsolatedProcess


def read_isolated(process: IsolatedProcess, path: Path) -> Answer[RawPhoto]:
    """`read_photo` in that process: its errors, and InputError where LibRaw or the memory fails."""
    try:
        return process.call(read_photo, path)
    except CallLostError as error:
        raise InputError(f"{path} is damaged: LibRaw {error} on it; copy the file again, or leave it out") from error
    except MemoryError as error:
        raise InputError(f"{path} needs more memory than there is; close other programs, or leave it out") from error


def develop_isolated(
    process: IsolatedProcess, path: Path, brightness: float, gains: NDArray[np.float64], bits: int
) -> NDArray[Any]:
    """`develop` in that process: its errors, and InputError for a file that LibRaw does not survive."""
    try:
        return process.call(develop, path, brightness, gains, bits).value
    except CallLostError as error:
        raise InputError(
            f"{path} has no rendering to compare with: LibRaw {error}; leave the comparison out"
        ) from error
