"""`rdi export` and `rdi verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdi.cli.terminal import one_line, show, tell
from rdi.errors import CheckpointError, MissingPackageError, UsageError
from rdi.extras import install_hint

if TYPE_CHECKING:
    from rdi.checkpoint import Checkpoint
    from rdi.export.report import Report

SHIPPED = Path("models") / "rdi.safetensors"

CheckpointFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", help="Weights from `rdi train`; default: the newest under runs/, else models/rdi.safetensors."
    ),
]
PaperFile = Annotated[
    Path | None, typer.Option("--from-paper", help="A published checkpoint of the paper's authors (.pth), instead.")
]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Also write the checks to this JSON file.")]


def export(
    out: Annotated[
        Path,
        typer.Option(help="ONNX file to write, its strips beside it; replaced only by one that passes every check."),
    ],
    checkpoint: CheckpointFile = None,
    from_paper: PaperFile = None,
    opset: Annotated[int, typer.Option(help="ONNX operator set, 21 to 23.")] = 21,
    precision: Annotated[
        str,
        typer.Option(
            help="fp32; fp16: weights stored as halves, half of the file, same speed; fp16-compute: computed in halves "
            "too, for a GPU, slower on a CPU.",
            metavar="fp32|fp16|fp16-compute",
        ),
    ] = "fp32",
    min_psnr: Annotated[
        float | None,
        typer.Option(help="Of both fp16: refuse a file whose pictures are less like float32's, dB; default: 60."),
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            help="Tone curve of the pictures, for networks with rendering camera: bt709, as LibRaw's, or srgb, for "
            "viewers without colour management. Default: bt709.",
            metavar="bt709|srgb",
        ),
    ] = None,
    no_simplify: Annotated[
        bool, typer.Option("--no-simplify", help="Leave the graph as PyTorch's exporter makes it.")
    ] = False,
    no_strips: Annotated[
        bool, typer.Option("--no-strips", help="Write no strips: `rdi infer --max-memory` cannot use the model then.")
    ] = False,
    report: ReportFile = None,
) -> None:
    """Write a trained network as one ONNX file and verify it against PyTorch; nothing is written if a check fails.

    Beside it lie its strips (rdi.strips.zip), the same network for memory limits; fp16-compute has none.

    Example: rdi export --out models/rdi.onnx
    """
    require_packages()
    from rdi.export import ExportSettings
    from rdi.export import export as export_model
    from rdi.export.settings import parse_curve, parse_precision
    from rdi.runtime.targets import require_writable
    from rdi.strips import strip_path

    if out.suffix.lower() != ".onnx":
        raise UsageError(f"--out {out} is no name for an ONNX file; give one that ends in .onnx")
    chosen = parse_curve(curve) if curve else None
    settings = ExportSettings(opset, parse_precision(precision), not no_simplify, min_psnr, not no_strips, chosen)
    if report is not None:
        require_writable(report.parent)
    source, weights = load(checkpoint, from_paper)
    if out.parent.name and not out.parent.exists() and out.parent.parent.is_dir():
        out.parent.mkdir()  # `models/`, in a folder that is no checkout
    tell(f"exporting {source}, about half a minute")
    result = export_model(weights, out, settings, lambda found: _show(found, report))
    show(f"wrote {one_line(out)}: {result.size / 1e6:.2f} MB, opset {result.opset}, {result.precision}")
    if result.strips_size is not None:
        show(f"wrote {one_line(strip_path(out))}: {result.strips_size / 1e6:.2f} MB, for memory limits")
    if result.precision.note:
        tell(f"rdi: {result.precision.note}")


def verify(
    model: Annotated[Path, typer.Argument(help="ONNX file from `rdi export`.")],
    checkpoint: CheckpointFile = None,
    from_paper: PaperFile = None,
    provider: Annotated[str, typer.Option(help="Execution provider to check it on: cpu, cuda, ...")] = "cpu",
    report: ReportFile = None,
) -> None:
    """Check an existing ONNX file against the weights it was made from; exits with 1 if a check fails.

    Example: rdi verify models/rdi.onnx --checkpoint models/rdi.safetensors
    """
    require_packages()
    from rdi.export import inspect_model

    beside = model.with_suffix(".safetensors")
    if checkpoint is None and from_paper is None and beside.is_file():
        checkpoint = beside
    source, weights = load(checkpoint, from_paper)
    tell(f"checking {model} against {source} on {provider}")
    result = inspect_model(model, weights, provider)
    _show(result, report)
    result.require_passed()
    show(one_line(f"{model} computes what {source} computes"))


def _show(found: "Report", report: Path | None) -> None:
    """The checks as a table and, where asked for, as a file; those that failed too."""
    if report is not None:
        found.save(report)
    show(found.table())


def load(checkpoint: Path | None, from_paper: Path | None) -> "tuple[Path, Checkpoint]":
    """The weights that the options name, and the file they came from."""
    from rdi.checkpoint import load_checkpoint, load_published

    if from_paper is not None:
        if checkpoint is not None:
            raise UsageError("--checkpoint and --from-paper exclude each other; give one")
        return from_paper, load_published(from_paper)
    path = checkpoint or default_checkpoint()
    return path, load_checkpoint(path)


def default_checkpoint() -> Path:
    """The newest checkpoint under runs/, else the one that ships with the project; both in the current folder."""
    from rdi.runs import CHECKPOINT, RUNS, newest_checkpoint

    newest = newest_checkpoint()
    if newest:
        return newest
    if SHIPPED.is_file():
        return SHIPPED
    raise CheckpointError(
        f"there is no checkpoint here, neither {RUNS}/*/{CHECKPOINT} nor {SHIPPED}; "
        "train with `rdi train` or give --checkpoint FILE"
    )


def require_packages() -> None:
    """Raise MissingPackageError, which names the extra, unless all that export needs is installed."""
    from importlib.util import find_spec

    needed = ("torch", "safetensors", "onnx", "onnxscript", "onnxsim", "onnxruntime")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise MissingPackageError(f"{', '.join(missing)} not installed: {install_hint('export')}")
