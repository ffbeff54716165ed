"""The options of `rdi infer`, one name each, so that the command itself can be read."""

from pathlib import Path
from typing import Annotated

import typer

# readable=False: one that cannot be read is a failed photo, not the end of the command.
Photos = Annotated[
    list[Path], typer.Argument(help="Camera raw files, or folders of them.", metavar="PHOTO", readable=False)
]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-r", help="Also the photos in folders below; --out gets the same folders.")
]

# What runs.
Model = Annotated[
    Path | None, typer.Option(help="ONNX file from `rdi export`, or one that ships: rdi (default) or rdi-srgb.")
]
Provider = Annotated[
    str, typer.Option(help="cpu, cuda, openvino, tensorrt, coreml or dml: used, or refused with the reason.")
]
Device = Annotated[
    str | None,
    typer.Option(help="Of openvino: CPU (default), GPU or GPU.1; of cuda, tensorrt and dml: the GPU's number, from 0."),
]
AllowFallback = Annotated[
    bool, typer.Option("--allow-fallback", help="Where the provider cannot be used, warn and run on the cpu.")
]
Threads = Annotated[
    int | None,
    typer.Option(help="CPU threads, 1 to 4 for each CPU; default: the physical cores rdi may use.", min=1),
]

# What is written.
MaxMemory = Annotated[
    str | None,
    typer.Option(
        help="Of the whole process, such as 400MB or 1.5GB (cpu only; LibRaw has a process of its own): one photo at a "
        "time, in strips where needed; the picture is the same. Default: no limit."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="File (.jpg, .png, .tif) or folder, made if missing; default: NAME_restored.jpg beside the photo."
    ),
]
Format = Annotated[str | None, typer.Option(help="jpeg, png or tiff; default: by the suffix of --out, else jpeg.")]
Bits = Annotated[
    int | None, typer.Option(help="Bits per channel of a PNG, 8 or 16; default: 8. JPEG has 8 only, TIFF 16 only.")
]
Quality = Annotated[int | None, typer.Option(help="Of a JPEG, 1 to 100; default: 95.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace outputs that exist; default: only the missing ones are made.")
]
Sidecar = Annotated[
    bool, typer.Option("--sidecar", help="Also write NAME_restored.jpg.json: how the picture was made.")
]
CompareWithCamera = Annotated[
    bool,
    typer.Option(
        "--compare-with-camera",
        help="Also write NAME_compared.jpg: LibRaw's own rendering, equally amplified, left of the restored one.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        help="Also write a page (.html) that needs no network: each photo before and after, and why it is as bright as "
        "it is. 8 MB at most, whatever the number of photos."
    ),
]
Gamut = Annotated[
    str,
    typer.Option(
        help="Colours that sRGB cannot show: compress (less saturated, same hue) or clip (each channel cut off); for "
        "models with rendering camera.",
        metavar="compress|clip",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a picture.")]

# How bright, and in which light.
Exposure = Annotated[
    str | None,
    typer.Option(
        help="auto: the paper's estimate (Eq. 5), held back to keep the lights, never below 1; paper: the estimate "
        "alone; NUMBER: the amplification itself, 0.01 to 10000. Default: auto.",
        metavar="auto|paper|NUMBER",
    ),
]
Ratio = Annotated[
    float | None, typer.Option(help="Known exposure ratio, in place of --exposure, 0.01 to 10000.", metavar="NUMBER")
]
Ev = Annotated[
    float | None,
    typer.Option(help="Stops brighter (below 0: darker) than the exposure chosen, -10 to 10; default: 0."),
]
Bracket = Annotated[
    str | None,
    typer.Option(
        help="A picture for each of these stops, in place of --ev: NAME_restored_-1EV.jpg and so on; default: one.",
        metavar="-1,0,1",
    ),
]
ColorMatrix = Annotated[
    str,
    typer.Option(
        help="Of models with rendering camera: file (its own), a camera of `rdi simulate --list-sensors`, or nine "
        "numbers, XYZ to camera, as DNG's ColorMatrix2.",
        metavar="file|CAMERA|M11,...,M33",
    ),
]
WhiteBalance = Annotated[
    str,
    typer.Option(
        help="camera (as shot), daylight, auto (estimated from the photo), or three gains.",
        metavar="camera|daylight|auto|R,G,B",
    ),
]
