"""`rdi bench`: its options, and the table of what it can measure; each mode is a module of `rdi.cli.benchmarks`."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import typer

from rdi.cli import bench_options as options
from rdi.cli.benchmarks.request import Request
from rdi.cli.outputs import require_out
from rdi.cli.terminal import show as show_text
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.cli.benchmarks.request import Drawable, Figures
    from rdi.runtime.machine import Machine


class Mode(NamedTuple):
    """Something that can be measured.

    takes:  which of the shared options matter to it; the others are refused
    writes: suffixes that it can write beside .md and .json
    """

    takes: tuple[str, ...]
    writes: tuple[str, ...] = ()

    def refuse_what_does_not_apply(self, name: str, request: Request) -> None:
        """UsageError for an option that this mode would ignore."""
        given = request._replace(subject=None)._asdict()
        ignored = [f"--{option}" for option, value in given.items() if value is not None and option not in self.takes]
        if ignored:
            allowed = ", ".join(f"--{option}" for option in (*self.takes, "out", "json"))
            raise UsageError(f"--{name} takes no {', '.join(ignored)}; leave it out (of use with it: {allowed})")

    def refuse_output(self, name: str, out: Path | None) -> None:
        """UsageError for a file that this mode cannot write, before anything is measured."""
        require_out(out, (".md", ".json", *self.writes), "" if name == BACKENDS else f" of --{name}")


BACKENDS = "backends"  # what is measured where no mode is named
# A mode is a flag of `bench`, a line here, and a module of that name in rdi/cli/benchmarks with `measure(request)`.
MODES = {
    BACKENDS: Mode(
        ("model", "checkpoint", "sizes", "backends", "providers", "threads", "runs", "memory", "trials"), (".svg",)
    ),
    "macs": Mode(("sizes",)),
    "stages": Mode(("model", "threads", "runs")),
    "branches": Mode(("checkpoint", "sizes", "threads", "runs")),
    "parallel": Mode(("checkpoint", "sizes", "threads", "runs")),
    "rewrites": Mode(("sizes", "threads", "runs")),
    "encoders": Mode(("model", "sizes", "threads", "runs")),
    "batch": Mode(("model",)),
    "training": Mode(("threads", "runs")),
}


def bench(
    photo: options.Photo = None,
    model: options.Model = None,
    checkpoint: options.Checkpoint = None,
    sizes: options.Sizes = None,
    backends: options.Backends = None,
    providers: options.Providers = None,
    threads: options.Threads = None,
    runs: options.Runs = None,
    memory: options.Memory = None,
    trials: options.Trials = None,
    macs: options.Macs = False,
    stages: options.Stages = False,
    branches: options.Branches = False,
    parallel: options.Parallel = False,
    rewrites: options.Rewrites = False,
    encoders: options.Encoders = False,
    batch: options.Batch = None,
    training: options.Training = False,
    out: options.Out = None,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Time PyTorch, the plain export, rdi's file and OpenVINO against each other, interleaved, and their memory.

    Example: rdi bench --sizes 2848x4256 --trials 3
    """
    flags = {"macs": macs, "stages": stages, "branches": branches, "parallel": parallel, "rewrites": rewrites}
    name = chosen_mode({**flags, "encoders": encoders, "batch": batch is not None, "training": training})
    request = Request(batch or photo, model, checkpoint, sizes, backends, providers, threads, runs, memory, trials)
    mode = MODES[name]
    mode.refuse_what_does_not_apply(name, request)
    if photo and name not in ("stages", "training"):
        raise UsageError(f"{photo} is of use to --stages and --training alone; add one of them, or leave it out")
    mode.refuse_output(name, out)
    if report:
        from rdi.page.document import require_page_path

        require_page_path(report)
    from rdi.runtime.machine import this_machine

    machine = this_machine()  # before it gets busy
    result = import_module(f"rdi.cli.benchmarks.{name}").measure(request)
    show(result, machine, out, as_json)
    if report:
        from rdi.cli.benchmarks.page import write_bench_page

        write_bench_page(report, name, result, machine, drawable=".svg" in mode.writes)
    if getattr(result, "broken_off", False):
        raise typer.Exit(130)


def chosen_mode(flags: dict[str, bool]) -> str:
    """The mode that was asked for; UsageError for two at once."""
    chosen = [name for name, wanted in flags.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"--{' and --'.join(chosen)} exclude each other; give one of them")
    return chosen[0] if chosen else BACKENDS


def show(result: "Figures", machine: "Machine", out: Path | None, as_json: bool) -> None:
    """Print what was found, and write it where asked to."""
    from rdi.atomic import atomic_path

    contents = {
        ".json": lambda: json.dumps({"machine": machine.to_dict(), **result.to_dict()}, indent=1) + "\n",
        ".md": lambda: f"{machine.describe()}\n\n{result.markdown()}\n",
        ".svg": lambda: cast("Drawable", result).svg(machine.describe()),
    }
    text = contents[".json" if as_json else ".md"]()
    show_text(text.removesuffix("\n"))
    if out:  # after the figures are shown: a disk that is full must not take hours of measuring along
        with atomic_path(out) as temporary:
            temporary.write_text(contents[out.suffix](), encoding="utf-8", errors="backslashreplace")
