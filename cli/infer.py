"""`rdi infer`."""

import json
import sys
from typing import TYPE_CHECKING

import typer

from rdi.cli import infer_options as options
from rdi.cli.terminal import printable

if TYPE_CHECKING:
    from rdi.runtime.batch import Outcome


def infer(
    photos: options.Photos,
    model: options.Model = None,
    provider: options.Provider = "cpu",
    device: options.Device = None,
    allow_fallback: options.AllowFallback = False,
    threads: options.Threads = None,
    out: options.Out = None,
    format: options.Format = None,
    bits: options.Bits = None,
    quality: options.Quality = None,
    exposure: options.Exposure = None,
    ratio: options.Ratio = None,
    ev: options.Ev = None,
    bracket: options.Bracket = None,
    white_balance: options.WhiteBalance = "camera",
    sidecar: options.Sidecar = False,
    compare_with_camera: options.CompareWithCamera = False,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Restore dark raw photos into bright, clean pictures.

    Example: rdi infer photo.ARW --provider cpu
    """
    from rdi.runtime.batch import Status, restore_files
    from rdi.runtime.exposure import bracket_from, exposure_from
    from rdi.runtime.pictures import choose_settings
    from rdi.runtime.restorer import Restorer
    from rdi.runtime.targets import Extras, find_photos, is_file, plan
    from rdi.runtime.white_balance import parse_white_balance

    chosen_exposure, chosen_balance = exposure_from(exposure, ratio, ev), parse_white_balance(white_balance)
    extras = Extras(bracket_from(bracket, ev), sidecar, compare_with_camera)
    found = find_photos(photos)
    settings = choose_settings(out if out and is_file(out) else None, format=format, bits=bits, quality=quality)
    jobs = plan(found, out, settings, extras)
    restorer = Restorer(model, provider=provider, threads=threads, device=device, allow_fallback=allow_fallback)
    if restorer.note:
        print(f"rdi: {restorer.note}", file=sys.stderr)
    outcomes = restore_files(
        jobs,
        restorer,
        exposure=chosen_exposure,
        white_balance=chosen_balance,
        settings=settings,
        overwrite=overwrite,
    )
    failed, told = False, set[str]()
    for number, outcome in enumerate(outcomes, start=1):
        counter = f"[{number}/{len(jobs)}] " if len(jobs) > 1 else ""
        failed |= outcome.status is Status.FAILED
        for text in _complaints(outcome):
            if text not in told:  # the pictures of a bracket share what there is to say of their photo
                print(printable(f"rdi: {text}"), file=sys.stderr)
        told.update(_complaints(outcome))
        if as_json:
            print(json.dumps(outcome.as_json()))
        elif not outcome.error:
            print(printable(counter + _describe(outcome)))
    if failed:
        raise typer.Exit(1)


def _complaints(outcome: "Outcome") -> list[str]:
    """Warnings and the error, each with its photo."""
    name = str(outcome.job.photo)
    texts = [*(outcome.summary.warnings if outcome.summary else ()), *([str(outcome.error)] if outcome.error else [])]
    return [text if name in text else f"{name}: {text}" for text in texts]


def _describe(outcome: "Outcome") -> str:
    summary = outcome.summary
    if summary is None:
        return f"{outcome.job.photo}: {outcome.existing} exists and was left as it is; --overwrite replaces it"
    iso = f"ISO {summary.iso:g}" if summary.iso else "ISO unknown"
    chosen = summary.amplification
    stages = ", ".join(f"{stage} {time:.0f}" for stage, time in summary.milliseconds.items())
    return (
        f"{outcome.job.photo}: {summary.camera}, {iso}, {summary.width}x{summary.height}\n"
        f"  amplification {chosen.value:.4g} ({chosen.describe()})\n"
        f"  provider {summary.provider}; milliseconds: {stages}\n"
        f"  {', '.join(map(str, outcome.job.outputs))}"
    )
