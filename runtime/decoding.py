"""LibRaw in a process of its own: a file that crashes or hangs it is reported as damaged, and the next one is read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import read_photo
from rdi.camera.rendering import develop
from rdi.errors import InputError, MissingPackageError
from rdi.isolated import Answer, CallLostError, IsolatedProcess, KilledError, NotStartedError
from rdi.model_kinds import Curve

Value = TypeVar("Value")

_LIBRAW_LINES = 3  # that a warning quotes


def read_isolated(process: IsolatedProcess, path: Path) -> Answer[RawPhoto]:
    """`read_photo` in that process; what LibRaw prints meanwhile is a warning of the photo.

    Raises the errors of `call_on_photo`.
    """
    answer = call_on_photo(process, read_photo, path)
    return answer._replace(value=_with_warning(answer.value, path, answer.printed))


def call_on_photo(process: IsolatedProcess, function: Callable[[Path], Value], path: Path) -> Answer[Value]:
    """A function that reads a raw photo, called in that process.

    Raises its errors, InputError where LibRaw or the memory fails, MissingPackageError where there is no LibRaw.
    """
    try:
        with _libraw_needed():
            return process.call(function, path)
    except KilledError as error:
        raise InputError(f"{path} cannot be read: LibRaw {error}; close other programs, or leave it out") from error
    except CallLostError as error:
        raise InputError(f"{path} is damaged: LibRaw {error} on it; copy the file again, or leave it out") from error
    except MemoryError as error:
        raise InputError(f"{path} needs more memory than there is; close other programs, or leave it out") from error


def develop_isolated(
    process: IsolatedProcess, path: Path, brightness: float, gains: NDArray[np.float64], bits: int, curve: Curve
) -> NDArray[Any]:
    """`develop` in that process: its errors, and InputError for a file that LibRaw does not survive."""
    try:
        with _libraw_needed():
            return process.call(develop, path, brightness, gains, bits, curve).value
    except CallLostError as error:
        raise InputError(
            f"{path} has no rendering to compare with: LibRaw {error}; leave the comparison out"
        ) from error


@contextmanager
def _libraw_needed() -> Iterator[None]:
    """Tell a rawpy that is missing or broken from a photo that is: the next photo would fare no better."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "rawpy").partition(".")[0]
        raise MissingPackageError(
            f"no raw photo can be read: {package} cannot be loaded ({error}); pip install --force-reinstall {package}"
        ) from error
    except NotStartedError as error:
        raise MissingPackageError(
            f"no raw photo can be read: LibRaw's process {error}; pip install --force-reinstall rawpy mends it"
        ) from error


def _with_warning(photo: RawPhoto, path: Path, printed: str) -> RawPhoto:
    """LibRaw goes on after damage that it notices, with pixels that it makes up."""
    lines = list(dict.fromkeys(line.removeprefix(f"{path}: ").strip() for line in printed.splitlines()))
    if not lines:
        return photo
    said = "; ".join(lines[:_LIBRAW_LINES])
    return photo.replace(warnings=(*photo.warnings, f"LibRaw says {said!r}: a part of the picture may be made up"))
