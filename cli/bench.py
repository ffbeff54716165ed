"""`rdi bench`: its options, and the table of what it can measure; each mode is a module of `rdi.cli.benchmarks`."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from rdi.cli.benchmarks.request import RUNS, Request
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.cli.benchmarks.request import Figures
    from rdi.runtime.machine import Machine


class Mode(NamedTuple):
    """Something that can be measured.

    takes: which of the shared options matter to it; the others are refused
    """

    takes: tuple[str, ...]

    def refuse_what_does_not_apply(self, name: str, request: Request) -> None:
        """UsageError for an option that this mode would ignore."""
        given = request._replace(subject=None)._asdict()
        ignored = [f"--{option}" for option, value in given.items() if value is not None and option not in self.takes]
        if ignored:
            allowed = ", ".join(f"--{option}" for option in (*self.takes, "out", "json"))
            raise UsageError(f"--{name} takes no {', '.join(ignored)}; leave it out (of use with it: {allowed})")


BACKENDS = "backends"  # what is measured where no mode is named
# A mode is a flag of `bench`, a line here, and a module of that name in rdi/cli/benchmarks with `measure(request)`.
MODES = {
    BACKENDS: Mode(("model", "checkpoint", "sizes", "backends", "threads", "runs", "memory")),
    "rewrites": Mode(("sizes", "threads", "runs")),
    "encoders": Mode(("model", "sizes", "threads", "runs")),
    "batch": Mode(("model",)),
}

ModelFile = Annotated[Path | None, typer.Option("--model", help="ONNX model; default: the one that ships with rdi.")]
CheckpointFile = Annotated[
    Path | None,
    typer.Option("--checkpoint", help="Weights it was exported from; default: .safetensors beside the model."),
]
Sizes = Annotated[
    str | None,
    typer.Option(
        help="HEIGHTxWIDTH in pixels, multiples of 32, comma-separated; default: "
        "832x1248,1408x2112,2848x4256,4000x6016, with --rewrites 1408x2112, with --encoders 2848x4256 (one size)."
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
    request = Request(model, checkpoint, sizes, backends, threads, runs, memory, batch)
    name = _chosen({"rewrites": rewrites, "encoders": encoders, "batch": batch is not None})
    MODES[name].refuse_what_does_not_apply(name, request)
    if out and out.suffix not in (".md", ".json"):
        raise UsageError(f"--out {out} has no suffix that says what to write; give a .md or .json file")
    from rdi.runtime.machine import this_machine

    machine = this_machine()  # before it gets busy
    _show(import_module(f"rdi.cli.benchmarks.{name}").measure(request), machine, out, as_json)


def _chosen(flags: dict[str, bool]) -> str:
    """The mode that was asked for; UsageError for two at once."""
    chosen = [name for name, wanted in flags.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"--{' and --'.join(chosen)} exclude each other; give one of them")
    return chosen[0] if chosen else BACKENDS


def _show(result: "Figures", machine: "Machine", out: Path | None, as_json: bool) -> None:
    from rdi.atomic import atomic_path

    figures = json.dumps({"machine": machine.to_dict(), **result.to_dict()}, indent=1)
    table = f"{machine.describe()}\n\n{result.markdown()}"
    if out:
        with atomic_path(out) as temporary:
            temporary.write_text((figures if out.suffix == ".json" else table) + "\n", encoding="utf-8")
    print(figures if as_json else table)
