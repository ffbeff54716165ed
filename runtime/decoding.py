"""LibRaw in a process of its own: a file that crashes or hangs it is reported as damaged, and the next one is read."""

from pathlib import Path

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import read_photo
from rdi.errors import InputError
from rdi.isolated import Answer, CallLostError, IsolatedProcess

PRELOAD = (
    "rdi.camera.reading",
    "rawpy",
    "PIL.Image",
)  # what decoding needs: it loads while this process loads the rest


def read_isolated(process: IsolatedProcess, path: Path) -> Answer[RawPhoto]:
    """`read_photo` in that process: its errors, and InputError for a file that LibRaw does not survive."""
    try:
        return process.call(read_photo, path)
    except CallLostError as error:
        raise InputError(f"{path} is damaged: LibRaw {error} on it; copy the file again, or leave it out") from error
