"""`rdi bench`."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from rdi.cli.export import require_packages
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.export.benchmark import Backend

SIZES = "832x1248,1408x2112,2848x4256,4000x6016"
REWRITES_SIZE = "1408x2112"
ENCODERS_SIZE = "2848x4256"


class Figures(Protocol):
    """What a benchmark found."""

    def to_dict(self) -> dict[str, Any]:
        """For programs."""

    def markdown(self) -> str:
        """For people."""


def bench(
    model: Annotated[Path | None, typer.Option(help="ONNX model; default: the one that ships with rdi.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Weights it was exported from; default: .safetensors beside the model.")
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            help=f"HEIGHTxWIDTH in pixels, multiples of 32, comma-separated; default: {SIZES}, "
            f"with --rewrites {REWRITES_SIZE}, with --encoders {ENCODERS_SIZE}."
        ),
    ] = None,
    backends: Annotated[
        str | None, typer.Option(help="Comma-separated, of those that the table names; default: all that can run here.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each; default: physical cores.", min=1)] = None,
    runs: Annotated[int, typer.Option(help="Timed runs of each, interleaved.", min=1)] = 7,
    memory: Annotated[bool, typer.Option(help="Also measure peak memory, in a process for each.")] = True,
    rewrites: Annotated[
        bool,
        typer.Option("--rewrites", help="Time instead each rewrite of docs/deployment.md against what it replaces."),
    ] = False,
    encoders: Annotated[
        bool, typer.Option("--encoders", help="Time instead the picture encoders against Pillow's, at the first size.")
    ] = False,
    batch: Annotated[
        Path | None,
        typer.Option(help="Time instead a batch, this folder of raw photos, against what its CPU work allows."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the table (.md) or the figures (.json) here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Time PyTorch, the plain export, rdi's file and OpenVINO against each other, interleaved, and their memory.

    Example: rdi bench --sizes 2848x4256 --runs 7
    """
    if (rewrites, encoders, bool(batch)).count(True) > 1:
        raise UsageError("--rewrites, --encoders and --batch exclude each other; give one of them")
    if out and out.suffix not in (".md", ".json"):
        raise UsageError(f"--out {out} has no suffix that says what to write; give a .md or .json file")
    result: Figures
    if batch:
        result = _time_batch(batch, model)
    elif encoders:
        result = _time_encoders(sizes or ENCODERS_SIZE, model, threads, runs)
    elif rewrites:
        if model or checkpoint or backends:
            raise UsageError("--rewrites times parts of the network; leave --model, --checkpoint and --backends out")
        result = _time_rewrites(sizes or REWRITES_SIZE, threads, runs)
    else:
        result = _time_backends(model, checkpoint, sizes or SIZES, backends, threads, runs, memory=memory)
    _show(result, out, as_json)


def _show(result: Figures, out: Path | None, as_json: bool) -> None:
    from rdi.atomic import atomic_path

    figures = json.dumps(result.to_dict(), indent=1)
    if out:
        with atomic_path(out) as temporary:
            temporary.write_text((figures if out.suffix == ".json" else result.markdown()) + "\n", encoding="utf-8")
    print(figures if as_json else result.markdown())


def _time_batch(folder: Path, model: Path | None) -> Figures:
    from rdi.runtime.batch_speed import measure_batch
    from rdi.runtime.targets import find_photos

    photos = [photo.path for photo in find_photos([folder])]
    with tempfile.TemporaryDirectory() as out:
        return measure_batch(photos, Path(out), model)


def _time_encoders(sizes: str, model: Path | None, threads: int | None, runs: int) -> Figures:
    from rdi.runtime.encoder_speed import measure_encoders
    from rdi.runtime.restorer import Restorer

    return measure_encoders(Restorer(model, threads=threads), _sizes(sizes)[0], runs)


def _time_rewrites(sizes: str, threads: int | None, runs: int) -> Figures:
    require_packages()
    from rdi.export.rewrite_benchmark import measure_rewrites
    from rdi.runtime.threads import physical_cores

    return measure_rewrites(_sizes(sizes), threads=threads or physical_cores(), runs=runs, observe=_observe)


def _time_backends(
    model: Path | None,
    checkpoint: Path | None,
    sizes: str,
    backends: str | None,
    threads: int | None,
    runs: int,
    *,
    memory: bool,
) -> Figures:
    require_packages()
    from rdi.export.benchmark import default_backends, measure
    from rdi.models import shipped_model
    from rdi.runtime.threads import physical_cores

    model = model or shipped_model()
    with tempfile.TemporaryDirectory() as folder:
        return measure(
            checkpoint or model.with_suffix(".safetensors"),
            model,
            _sizes(sizes),
            backends=_backends(backends) if backends else default_backends(),
            threads=threads or physical_cores(),
            runs=runs,
            folder=Path(folder),
            memory=memory,
            observe=_observe,
        )


def _observe(text: str) -> None:
    print(text, file=sys.stderr)


def _sizes(text: str) -> list[tuple[int, int]]:
    try:
        pairs = [part.split("x") for part in text.split(",")]
        return [(int(height), int(width)) for height, width in pairs]
    except ValueError as error:
        raise UsageError(f"--sizes {text} cannot be read; give HEIGHTxWIDTH, for example 2848x4256,832x1248") from error


def _backends(text: str) -> "list[Backend]":
    from rdi.export.benchmark import Backend

    known = {str(backend): backend for backend in Backend}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise UsageError(f"--backends {unknown[0]} is unknown; give some of {', '.join(known)}")
    return [known[name] for name in text.split(",")]
