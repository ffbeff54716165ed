"""`rdi infer`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdi.cli.terminal import printable

if TYPE_CHECKING:
    from rdi.runtime.batch import Outcome


def infer(
    photos: Annotated[list[Path], typer.Argument(help="Camera raw files, or folders of them.", metavar="PHOTO")],
    model: Annotated[
        Path | None, typer.Option(help="ONNX file from `rdi export`; default: the one that ships with rdi.")
    ] = None,
    provider: Annotated[
        str, typer.Option(help="cpu, cuda, openvino, tensorrt, coreml or dml: used, or refused with the reason.")
    ] = "cpu",
    threads: Annotated[
        int | None,
        typer.Option(help="CPU threads, 1 to 4 for each CPU; default: the physical cores rdi may use.", min=1),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File (.jpg, .png, .tif) or existing folder; default: NAME_restored.jpg beside the photo."),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="jpeg, png or tiff; default: by the suffix of --out, else jpeg.")
    ] = None,
    bits: Annotated[
        int | None, typer.Option(help="Bits per channel, 8 or 16; default: 8, TIFF 16. JPEG has 8.")
    ] = None,
    quality: Annotated[int | None, typer.Option(help="Of a JPEG, 1 to 100; default: 95.")] = None,
    exposure: Annotated[
        str | None,
        typer.Option(
            help="auto: the paper's estimate (Eq. 5), held back to keep the lights, never below 1; paper: the estimate "
            "alone; NUMBER: the amplification itself, 0.01 to 10000. Default: auto.",
            metavar="auto|paper|NUMBER",
        ),
    ] = None,
    ratio: Annotated[
        float | None, typer.Option(help="Known exposure ratio, in place of --exposure, 0.01 to 10000.")
    ] = None,
    white_balance: Annotated[
        str, typer.Option(help="camera (as shot), daylight, or three gains.", metavar="camera|daylight|R,G,B")
    ] = "camera",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a photo.")] = False,
) -> None:
    """Restore dark raw photos into bright, clean pictures.

    Example: rdi infer photo.ARW --provider cpu
    """
    from rdi.runtime.batch import Status, restore_files
    from rdi.runtime.exposure import exposure_from
    from rdi.runtime.pictures import choose_settings
    from rdi.runtime.restorer import Restorer
    from rdi.runtime.targets import find_photos, is_file, plan
    from rdi.runtime.white_balance import parse_white_balance

    chosen_exposure, chosen_balance = exposure_from(exposure, ratio), parse_white_balance(white_balance)
    found = find_photos(photos)
    settings = choose_settings(out if out and is_file(out) else None, format=format, bits=bits, quality=quality)
    jobs = plan(found, out, settings)
    restorer = Restorer(model, provider=provider, threads=threads)
    outcomes = restore_files(
        jobs,
        restorer,
        exposure=chosen_exposure,
        white_balance=chosen_balance,
        settings=settings,
        overwrite=overwrite,
    )
    failed = False
    for number, outcome in enumerate(outcomes, start=1):
        failed |= outcome.status is Status.FAILED
        _report(outcome, as_json, f"[{number}/{len(jobs)}] " if len(jobs) > 1 else "")
    if failed:
        raise typer.Exit(1)


def _report(outcome: "Outcome", as_json: bool, counter: str) -> None:
    """Results to stdout; warnings and errors to stderr, each with its photo."""
    name = str(outcome.job.photo)
    for warning in outcome.summary.warnings if outcome.summary else ():
        print(printable(f"rdi: {name}: {warning}"), file=sys.stderr)
    if outcome.error:
        text = str(outcome.error)
        print(printable(f"rdi: {counter}{text if name in text else f'{name}: {text}'}"), file=sys.stderr)
    if as_json:
        print(json.dumps(outcome.as_json()))
    elif not outcome.error:
        print(printable(counter + _describe(outcome)))


def _describe(outcome: "Outcome") -> str:
    summary = outcome.summary
    if summary is None:
        return f"{outcome.job.photo}: {outcome.job.target} exists and was left as it is; --overwrite replaces it"
    iso = f"ISO {summary.iso:g}" if summary.iso else "ISO unknown"
    chosen = summary.amplification
    stages = ", ".join(f"{stage} {time:.0f}" for stage, time in summary.milliseconds.items())
    return (
        f"{outcome.job.photo}: {summary.camera}, {iso}, {summary.width}x{summary.height}\n"
        f"  amplification {chosen.value:.4g} ({chosen.describe()})\n"
        f"  provider {summary.provider}; milliseconds: {stages}\n"
        f"  {outcome.job.target}"
    )
