"""The options of `rdi eval`, one name each, so that the command itself can be read."""

from pathlib import Path
from typing import Annotated

import typer

from rdi.cli.eval_sources import ISO, RATIOS

# What to measure on: one of the first four.
Photos = Annotated[
    Path | None, typer.Option(help="Folder of ordinary photos: dark captures of them are simulated, always the same.")
]
Sid = Annotated[Path | None, typer.Option(help="Folder of the SID dataset: holds Sony/ or Fuji/ and the lists.")]
Pairs = Annotated[
    Path | None, typer.Option(help="Folder of your own pairs: NAME.ARW and NAME_long.ARW or NAME.png, and so on.")
]
Chart = Annotated[
    bool,
    typer.Option(
        "--chart",
        help="A ColorChecker in the dark, through cameras' matrices: CIEDE2000 of its patches, and LibRaw's.",
    ),
]
Names = Annotated[
    Path | None,
    typer.Option(
        "--list", help="Of --photos: file that names them, one a line; default: VALIDATION.txt in the folder, else all."
    ),
]
Iso = Annotated[
    float | None, typer.Option(help=f"Of --photos and --chart: ISO of the simulated sensor; default: {ISO:g}.")
]
Ratio = Annotated[
    str | None,
    typer.Option(help=f"Of --photos and --chart: exposure ratios, comma-separated; default: {RATIOS}, --chart: 100."),
]
Sensors = Annotated[
    str | None,
    typer.Option(
        help="Cameras of `rdi simulate --list-sensors`, comma-separated. Their colour matrices, one after the "
        "other, in place of the A7S II's; default: none; of --chart: seven of six makers."
    ),
]
CameraName = Annotated[str | None, typer.Option("--camera", help="Of --sid: sony or fuji; default: sony.")]
Split = Annotated[str | None, typer.Option(help="Of --sid: test, val or train; default: test.")]
SkipMissing = Annotated[
    bool, typer.Option("--skip-missing", help="Go on without pairs that are missing or damaged; they are named.")
]

# What to measure.
ModelFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--model", help="Model (.onnx), weights (.safetensors), rdi, rdi-srgb; may be repeated. Default: rdi."
    ),
]
FromPaper = Annotated[
    Path | None, typer.Option("--from-paper", help="A published checkpoint of the paper's authors (.pth), beside.")
]
Provider = Annotated[str, typer.Option(help="ONNX Runtime's execution provider for .onnx models.")]
ExposureNames = Annotated[
    str | None,
    typer.Option(
        help="Amplifications, comma-separated: gt, the true ratio; paper, the estimate (Eq. 5); auto, as rdi infer. "
        "Default: gt,paper; --chart: gt only."
    ),
]
GamutName = Annotated[
    str | None,
    typer.Option(
        "--gamut",
        help="Of models with rendering camera, colours beyond sRGB: clip, as targets are, or compress, as in infer. "
        "Default: clip; --chart: compress.",
    ),
]
MaModel = Annotated[
    Path | None,
    typer.Option(help="Published forests of Ma's metric (model.mat or NRQM_model.mat); default: Ma is not measured."),
]

# What to write.
CsvFile = Annotated[
    Path | None, typer.Option("--csv", help="Add a row for each picture to this file as it is done; default: none.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the CSV file: what it has of these settings is not measured again.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the CSV file, if it exists.")]
OutFile = Annotated[Path | None, typer.Option(help="Also write the tables (.md) or all figures (.json) here.")]
Report = Annotated[
    Path | None,
    typer.Option(help="Also write a page (.html) that needs no network: tables, plots, the worst and best pictures."),
]
WithPaper = Annotated[
    bool, typer.Option("--with-paper", help="Show the published figures of the paper's table 1 beside.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object: every picture, the means, the stages.")]
