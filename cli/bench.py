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
    from rdi.export.backends import Backend

SIZES = "832x1248,1408x2112,2848x4256,4000x6016"
REWRITES_SIZE = "1408x2112"
ENCODERS_SIZE = "2848x4256"
RUNS = 7
# What is timed instead of the backends, and which of their options matter to it.
APPLIES = {
    "rewrites": ("sizes", "threads", "runs"),
    "encoders": ("model", "sizes", "threads", "runs"),
    "batch": ("model",),
}


class Figures(Protocol):
    """What a benchmark found."""

    def to_dict(self) -> dict[str, Any]:
        """For programs."""

    def markdown(self) -> str:
        """For people."""


ModelFile = Annotated[Path | None, typer.Option("--model", help="ONNX model; default: the one that ships with rdi.")]
CheckpointFile = Annotated[
    Path | None,
    typer.Option("--checkpoint", help="Weights it was exported from; default: .safetensors beside the model."),
]
Sizes = Annotated[
    str | None,
    typer.Option(
        help=f"HEIGHTxWIDTH in pixels, multiples of 32, comma-separated; default: {SIZES}, "
        f"with --rewrites {REWRITES_SIZE}, with --encoders {ENCODERS_SIZE} (one size)."
    ),
]
Backends = Annotated[
    str | None, typer.Option(help="Comma-separated, of those that the table names; default: all that can run here.")
]
Threads = Annotated[int | None, typer.Option(help="Threads of each; default: physical cores.", min=1)]
Runs = Annotated[int | None, typer.Option(help=f"Timed runs of each, interleaved; default: {RUNS}.", min=1)]
Memory = Annotated[
    bool | None,
    typer.Option("--memory/--no-memory", help="Also measure peak memory, in a process for each; default: do."),
]
RewritesFlag = Annotated[
    bool, typer.Option("--rewrites", help="Time instead each rewrite of docs/deployment.md against what it replaces.")
]
EncodersFlag = Annotated[bool, typer.Option("--encoders", help="Time instead the picture encoders against Pillow's.")]
BatchFolder = Annotated[
    Path | None, typer.Option(help="Time instead a batch, this folder of raw photos, against what its CPU work allows.")
]
OutFile = Annotated[Path | None, typer.Option(help="Also write the table (.md) or the figures (.json) here.")]


def bench(
    model: ModelFile = None,
    checkpoint: CheckpointFile = None,
    sizes: Sizes = None,
    backends: Backends = None,
    threads: Threads = None,
    runs: Runs = None,
    memory: Memory = None,
    rewrites: RewritesFlag = False,
    encoders: EncodersFlag = False,
    batch: BatchFolder = None,
    out: OutFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Time PyTorch, the plain export, rdi's file and OpenVINO against each other, interleaved, and their memory.

    Example: rdi bench --sizes 2848x4256 --runs 7
    """
    given = {"model": model, "checkpoint": checkpoint, "sizes": sizes, "backends": backends, "threads": threads}
    given |= {"runs": runs, "memory": memory}
    _refuse_what_does_not_apply(given, {"rewrites": rewrites, "encoders": encoders, "batch": batch is not None})
    if out and out.suffix not in (".md", ".json"):
        raise UsageError(f"--out {out} has no suffix that says what to write; give a .md or .json file")
    runs = runs or RUNS
    result: Figures
    if batch:
        result = _time_batch(batch, model)
    elif encoders:
        result = _time_encoders(sizes or ENCODERS_SIZE, model, threads, runs)
    elif rewrites:
        result = _time_rewrites(sizes or REWRITES_SIZE, threads, runs)
    else:
        result = _time_backends(model, checkpoint, sizes or SIZES, backends, threads, runs, memory=memory is not False)
    _show(result, out, as_json)


def _refuse_what_does_not_apply(given: dict[str, Any], modes: dict[str, bool]) -> None:
    """UsageError for two modes at once, and for an option that the chosen one would ignore."""
    chosen = [mode for mode, wanted in modes.items() if wanted]
    if len(chosen) > 1:
        raise UsageError("--rewrites, --encoders and --batch exclude each other; give one of them")
    for mode in chosen:
        ignored = [f"--{name}" for name, value in given.items() if value is not None and name not in APPLIES[mode]]
        if ignored:
            allowed = ", ".join(f"--{name}" for name in (*APPLIES[mode], "out", "json"))
            raise UsageError(f"--{mode} takes no {', '.join(ignored)}; leave it out (of use with it: {allowed})")


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

    size, *more = _sizes(sizes)
    if more:
        raise UsageError(f"--encoders writes pictures of one size; --sizes {sizes} has {1 + len(more)}: give one")
    return measure_encoders(Restorer(model, threads=threads), size, runs)


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
    from rdi.export.backends import default_backends
    from rdi.export.benchmark import measure
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
    from rdi.export.backends import Backend

    known = {str(backend): backend for backend in Backend}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise UsageError(f"--backends {unknown[0]} is unknown; give some of {', '.join(known)}")
    return [known[name] for name in text.split(",")]
