"""Compare the backends on files: one after the other, a damaged one does not stop the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from rdi.atomic import atomic_path
from rdi.errors import InputError, LevelsError, RdiError
from rdi.export.comparison import Comparer, Comparison, Pair
from rdi.export.comparison_page import ComparisonReport
from rdi.export.differences import difference_picture
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.runtime import Exposure
from rdi.runtime.decoding import read_isolated


@dataclass(frozen=True)
class Failure:
    """A photo that could not be compared, and why."""

    photo: Path
    error: RdiError


def compare_files(
    photos: Sequence[Path],
    comparer: Comparer,
    *,
    exposure: Exposure | None = None,
    runs: int = 5,
    differences: Path | None = None,
    report: ComparisonReport | None = None,
) -> Iterator[Comparison | Failure]:
    """Compare each photo, decoded in a process of its own that it may crash, and write what is wanted besides.

    differences: folder for a picture of each photo's differences, NAME_difference.png
    report:      a page, written at the end, or where this is broken off
    Raises OutputError where a picture or the page cannot be written; errors of a photo are its Failure.
    """
    try:
        with IsolatedProcess(PHOTO_READING) as process:
            for photo in photos:
                try:
                    compared, pictures = comparer.compare(read_isolated(process, photo).value, exposure, runs)
                except (InputError, LevelsError) as error:
                    if report:
                        report.add_failed(photo, error)
                    yield Failure(photo, error)
                    continue
                if differences:
                    save_difference(pictures, differences / f"{photo.name}_difference.png")
                if report:
                    report.add(compared, pictures)
                del pictures
                yield compared
    finally:
        if report:
            report.write()


def save_difference(pictures: Pair, path: Path) -> None:
    """Write where two pictures differ as a PNG of 8 bits, the largest difference white; an existing file is replaced.

    The PNG says in its comment how much the differences were brightened. OutputError where it cannot be written.
    """
    from PIL import Image, PngImagePlugin

    picture, factor = difference_picture(pictures.onnxruntime, pictures.pytorch)
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", f"absolute difference, brightened {factor:g} times")
    buffer = BytesIO()  # Pillow calls a disk that is full an "encoder error -2"
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=comment)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
