"""`rdi compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdi.cli.export import require_packages
from rdi.cli.terminal import one_line, show, show_json, tell
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.export.comparison import Comparison


def compare(
    photos: Annotated[
        list[Path], typer.Argument(help="Raw photos to restore with both, or folders of them.", metavar="PHOTO")
    ],
    model: Annotated[Path | None, typer.Option(help="ONNX model; default: the one that ships with rdi.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Weights it was exported from; default: .safetensors beside the model.")
    ] = None,
    provider: Annotated[str, typer.Option(help="ONNX Runtime's execution provider: cpu, cuda, ...")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Threads of both; default: physical cores.", min=1)] = None,
    exposure: Annotated[str, typer.Option(help="auto, paper or an amplification.")] = "auto",
    runs: Annotated[int, typer.Option(help="Timed runs of each, interleaved.", min=1)] = 5,
    memory: Annotated[
        bool,
        typer.Option(help="Measure peak memory, in a process for each backend, once for each size of photo."),
    ] = True,
    max_diff: Annotated[
        float | None,
        typer.Option(help="Largest difference of any pixel, of full scale 1; beyond it the exit code is 1."),
    ] = None,
    difference: Annotated[
        Path | None,
        typer.Option(help="Folder, made if missing, for a picture of each photo's differences, the largest white."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write a page (.html) that needs no network: pictures, figures, plots.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a photo, each on a line.")] = False,
) -> None:
    """Restore photos with PyTorch and with ONNX Runtime: time, peak memory and differences of the pictures.

    Example: rdi compare photo.ARW --runs 7 --max-diff 1e-4 --report compared.html
    """
    _refuse_what_is_out_of_range(max_diff, report)
    require_packages()
    from rdi.export.comparing_files import Failure, compare_files
    from rdi.export.comparison import Comparer
    from rdi.export.comparison_page import ComparisonReport
    from rdi.models import shipped_model
    from rdi.runtime.exposure import parse_exposure
    from rdi.runtime.targets import find_photos

    model, paths = model or shipped_model(), [found.path for found in find_photos(photos)]
    comparer = Comparer(
        model, checkpoint or model.with_suffix(".safetensors"), provider=provider, threads=threads, memory=memory
    )
    if difference:
        difference.mkdir(parents=True, exist_ok=True)
    page = ComparisonReport(report, len(paths), max_diff) if report else None
    tell(f"rdi: restoring {len(paths)} photo(s) {runs + 1} times with each backend")
    wanted, failed = parse_exposure(exposure), False
    for result in compare_files(paths, comparer, exposure=wanted, runs=runs, differences=difference, report=page):
        if isinstance(result, Failure):
            failed = True
            tell(f"rdi: {result.error}")
            continue
        if as_json:
            show_json(result.to_dict())
        else:
            show(_table(result))
        if not result.within(max_diff):
            failed = True
            tell(f"rdi: {result.photo} differs by {result.max_difference:.2e}, more than --max-diff {max_diff:g}")
    if failed:
        raise typer.Exit(1)


def _refuse_what_is_out_of_range(max_diff: float | None, report: Path | None) -> None:
    if max_diff is not None and not 0 <= max_diff <= 1:
        raise UsageError(f"--max-diff {max_diff:g} is out of range; give 0 to 1, of full scale, for example 1e-4")
    if report:
        from rdi.page.document import require_page_path

        require_page_path(report)


def _table(result: "Comparison") -> str:
    lines = [
        f"{one_line(result.photo)}: {result.width}x{result.height}, amplification {result.amplification:.2f}, provider "
        f"{result.provider}, {result.threads} thread(s), {result.runs} runs of each, interleaved",
        f"{'':14}{'median':>10}{'minimum':>10}{'peak memory':>14}",
    ]
    for name, side in (("PyTorch", result.pytorch), ("ONNX Runtime", result.onnxruntime)):
        peak = "not measured" if side.peak_bytes is None else f"{side.peak_bytes / 1e6:.0f} MB"
        lines.append(f"{name:14}{side.median:>7.0f} ms{side.minimum:>7.0f} ms{peak:>14}")
    memory = f" and needs {result.memory_ratio:.2f}x the memory" if result.memory_ratio else ""
    lines += [
        f"ONNX Runtime is {result.speed_up:.2f}x as fast (minima){memory}",
        f"{'difference':14}{'largest':>10}{'99.9 %':>10}{'RMS':>10}{'mean':>10}{'bias':>11}{'differing':>12}",
    ]
    lines += [
        f"{one.channel:14}{one.largest:>10.2e}{one.p999:>10.2e}{one.rms:>10.2e}{one.mean:>10.2e}{one.bias:>11.2e}"
        f"{100 * one.differing:>10.3g} %"
        for one in result.channels
    ]
    return "\n".join([*lines, f"largest {result.max_difference:.2e} of full scale, PSNR {result.psnr:.1f} dB"])
