"""`rdi infer`."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rdi.cli import infer_options as options
from rdi.cli import terminal
from rdi.errors import UsageError
from rdi.isolated import PHOTO_READING, IsolatedProcess

if TYPE_CHECKING:
    from rdi.runtime.report import PhotoReport


def infer(
    context: typer.Context,
    photos: options.Photos,
    recursive: options.Recursive = False,
    model: options.Model = None,
    provider: options.Provider = "cpu",
    device: options.Device = None,
    allow_fallback: options.AllowFallback = False,
    threads: options.Threads = None,
    max_memory: options.MaxMemory = None,
    out: options.Out = None,
    format: options.Format = None,
    bits: options.Bits = None,
    quality: options.Quality = None,
    exposure: options.Exposure = None,
    ratio: options.Ratio = None,
    ev: options.Ev = None,
    bracket: options.Bracket = None,
    white_balance: options.WhiteBalance = "camera",
    color_matrix: options.ColorMatrix = "file",
    gamut: options.Gamut = "compress",
    sidecar: options.Sidecar = False,
    compare_with_camera: options.CompareWithCamera = False,
    report: options.Report = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Restore dark raw photos into bright, clean pictures.

    Example: rdi infer photo.ARW --provider cpu
    """
    process = context.find_object(IsolatedProcess) or IsolatedProcess(PHOTO_READING)
    if photos[0].is_file():  # LibRaw's process decodes it while this one loads numpy and onnxruntime
        process.begin("rdi.camera.reading", "read_photo", photos[0])
    from rdi.cli.reports import reporting
    from rdi.runtime.batch import restore_files
    from rdi.runtime.color_matrix import parse_color_matrix
    from rdi.runtime.exposure import bracket_from, exposure_from
    from rdi.runtime.pictures import choose_settings
    from rdi.runtime.restorer import Restorer
    from rdi.runtime.targets import Extras, find_photos, is_file, plan
    from rdi.runtime.white_balance import parse_white_balance

    chosen_exposure, chosen_balance = exposure_from(exposure, ratio, ev), parse_white_balance(white_balance)
    chosen_matrix = parse_color_matrix(color_matrix)
    extras = Extras(bracket_from(bracket, ev), sidecar, compare_with_camera)
    chosen_exposure.require_bracket(extras.bracket)
    settings = choose_settings(out if out and is_file(out) else None, format=format, bits=bits, quality=quality)
    jobs = plan(find_photos(photos, recursive=recursive), out, settings, extras)
    page = _page(report, len(jobs), overwrite, max_memory) if report else None
    restorer = Restorer(
        model, provider=provider, threads=threads, device=device, gamut=gamut, allow_fallback=allow_fallback
    )
    if restorer.note:
        terminal.tell(f"rdi: {restorer.note}")
    with reporting(jobs, as_json) as tell, _written_at_the_end(page, report):
        outcomes = restore_files(
            jobs,
            restorer,
            exposure=chosen_exposure,
            white_balance=chosen_balance,
            color_matrix=chosen_matrix,
            settings=settings,
            overwrite=overwrite,
            max_memory=max_memory,
            process=process,
            tell=page.told_of(tell) if page else tell,
            show=page.show if page else None,
        )
        with closing(outcomes):
            for _ in outcomes:
                pass


def _page(path: Path, pictures: int, overwrite: bool, max_memory: str | None) -> "PhotoReport":
    """The page to be written at the end, refused now where it could not be."""
    from rdi.page.document import require_page_path
    from rdi.runtime.report import PhotoReport

    if max_memory is not None:
        raise UsageError("the pictures of a report keep to no memory limit; leave --report or --max-memory out")
    require_page_path(path)
    return PhotoReport(path, pictures, replace=overwrite)


@contextmanager
def _written_at_the_end(page: "PhotoReport | None", path: Path | None) -> Iterator[None]:
    """Write the page, if one is wanted, when the batch ends: of what was done where it is broken off."""
    try:
        yield
    finally:
        if page:
            written = page.write()
            if written is None:
                terminal.tell(f"rdi: report {path} is not written: no picture was made")
            elif written != path:
                terminal.tell(f"rdi: report {path} was there and is left as it was; this run's is {written}")
