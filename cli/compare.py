"""`rdi compare`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdi.cli.export import require_packages

if TYPE_CHECKING:
    from rdi.export.comparison import Comparison


def compare(
    photo: Annotated[Path, typer.Argument(help="Raw photo to restore with both.")],
    model: Annotated[Path | None, typer.Option(help="ONNX model; default: the one that ships with rdi.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Weights it was exported from; default: .safetensors beside the model.")
    ] = None,
    provider: Annotated[str, typer.Option(help="ONNX Runtime's execution provider: cpu, cuda, ...")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Threads of both; default: physical cores.", min=1)] = None,
    exposure: Annotated[str, typer.Option(help="auto, paper or an amplification.")] = "auto",
    runs: Annotated[int, typer.Option(help="Timed runs of each, interleaved.", min=1)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Restore a photo with PyTorch and with ONNX Runtime: time, peak memory and difference of the pictures.

    Example: rdi compare photo.ARW --runs 7
    """
    require_packages()
    from rdi.camera.reading import read_photo
    from rdi.export.comparison import compare as compare_backends
    from rdi.models import shipped_model
    from rdi.runtime.exposure import parse_exposure

    model = model or shipped_model()
    raw = read_photo(photo)
    print(f"restoring {photo} {runs + 1} times with each backend", file=sys.stderr)
    result = compare_backends(
        raw,
        model,
        checkpoint or model.with_suffix(".safetensors"),
        exposure=parse_exposure(exposure),
        provider=provider,
        threads=threads,
        runs=runs,
    )
    print(json.dumps(result.to_dict()) if as_json else _table(result))


def _table(result: "Comparison") -> str:
    lines = [
        f"{result.width}x{result.height}, amplification {result.amplification:.2f}, provider {result.provider}, "
        f"{result.threads} thread(s), {result.runs} runs of each, interleaved",
        f"{'':14}{'median':>10}{'minimum':>10}{'peak memory':>14}",
    ]
    for name, side in (("PyTorch", result.pytorch), ("ONNX Runtime", result.onnxruntime)):
        peak = f"{side.peak_bytes / 1e6:.0f} MB"
        lines.append(f"{name:14}{side.median:>7.0f} ms{side.minimum:>7.0f} ms{peak:>14}")
    lines += [
        f"ONNX Runtime is {result.speed_up:.2f}x as fast (minima) and needs "
        f"{result.onnxruntime.peak_bytes / result.pytorch.peak_bytes:.2f}x the memory",
        f"largest difference {result.max_difference:.2e} of full scale, PSNR {result.psnr:.1f} dB",
    ]
    return "\n".join(lines)
