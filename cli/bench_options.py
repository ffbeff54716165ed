"""The options of `rdi bench`."""

from pathlib import Path
from typing import Annotated

import typer

Photo = Annotated[
    Path | None,
    typer.Argument(
        help="Raw photo, for --stages; default: the one that ships with rdi. For --training a cache of "
        "`rdi prepare`, or a folder of photos."
    ),
]
Model = Annotated[Path | None, typer.Option(help="ONNX model; default: the one that ships with rdi.")]
Checkpoint = Annotated[
    Path | None, typer.Option(help="Weights it was exported from; default: .safetensors beside the model.")
]
Sizes = Annotated[
    str | None,
    typer.Option(
        help="HEIGHTxWIDTH in pixels, multiples of 32, comma-separated; default: "
        "832x1248,1408x2112,2848x4256,4000x6016, with --macs 2848x4256,4032x5984, with --rewrites 1408x2112, with "
        "--encoders, --branches and --parallel 2848x4256 (one size)."
    ),
]
Backends = Annotated[
    str | None, typer.Option(help="Comma-separated, of those that the table names; default: all that can run here.")
]
Providers = Annotated[
    str | None,
    typer.Option(help="Comma-separated, for PyTorch and ONNX Runtime: cpu, cuda, ...; default: all that work here."),
]
Threads = Annotated[int | None, typer.Option(help="Threads of each; default: physical cores.", min=1)]
Runs = Annotated[int | None, typer.Option(help="Timed runs of each, interleaved; default: 7.", min=1)]
Memory = Annotated[
    bool | None,
    typer.Option("--memory/--no-memory", help="Also measure peak memory, in processes of its own; default: do."),
]
Trials = Annotated[
    int | None,
    typer.Option(
        help="Processes for each peak of memory, a few seconds each; default: 100, as the paper, which takes hours.",
        min=1,
    ),
]
Macs = Annotated[
    bool, typer.Option("--macs", help="Count instead parameters and multiply-accumulates; nothing is timed.")
]
Stages = Annotated[
    bool, typer.Option("--stages", help="Time instead what a photo goes through, from raw file to JPEG.")
]
Branches = Annotated[bool, typer.Option("--branches", help="Time instead each part of the network, alone.")]
Parallel = Annotated[
    bool, typer.Option("--parallel", help="Time instead the network's branches in sequence against all at once.")
]
Rewrites = Annotated[
    bool, typer.Option("--rewrites", help="Time instead each rewrite of docs/deployment.md against what it replaces.")
]
Encoders = Annotated[bool, typer.Option("--encoders", help="Time instead the picture encoders against Pillow's.")]
Batch = Annotated[
    Path | None, typer.Option(help="Time instead a batch, this folder of raw photos, against what its CPU work allows.")
]
Training = Annotated[
    bool,
    typer.Option(
        "--training",
        help="Time instead training steps against a plain loop's (--runs: 50 of each); on a cache or photos the "
        "data and the memory too.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Also write the tables (.md), the figures (.json) or, of the backends, a plot (.svg) here."),
]
Report = Annotated[
    Path | None,
    typer.Option(help="Also write a page (.html) that needs no network: the tables and, of the backends, plots."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of the tables.")]
