"""Reading files in a process of its own: LibRaw must not run in forked processes, and a bad file may crash it.

A loader's worker is forked; LibRaw's OpenMP can deadlock there, as rawpy warns.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import read_photo
from rdi.errors import InputError, MemoryLimitError, MissingPackageError
from rdi.isolated import CallLostError, IsolatedProcess, KilledError, NotStartedError
from rdi.training.targets import Target, read_target

Value = TypeVar("Value")


def call_isolated(process: IsolatedProcess, function: Callable[..., Value], path: Path, *arguments: object) -> Value:
    """`function(path, *arguments)` in that process.

    Raises the function's errors, InputError where it crashed or hung, MemoryLimitError where it ran out of memory,
    which is no fault of the file, MissingPackageError where no file can be read at all.
    """
    try:
        return process.call(function, path, *arguments).value
    except (ImportError, NotStartedError) as error:
        raise MissingPackageError(
            f"no raw photo can be read ({error}); pip install --force-reinstall rawpy mends it"
        ) from error
    except (KilledError, MemoryError) as error:
        raise MemoryLimitError(
            f"{path} cannot be decoded: not enough memory ({error}); give fewer --workers"
        ) from error
    except CallLostError as error:
        raise InputError(f"{path} is damaged: LibRaw {error} on it; copy the file again, or leave it out") from error


def read_pair(process: IsolatedProcess, dark: Path, bright: Path) -> tuple[RawPhoto, Target]:
    """The two files of a pair, each by a call of its own: an error names the file that it is of."""
    return call_isolated(process, read_photo, dark), call_isolated(process, read_target, bright)
