"""`rdi simulate`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rdi.cli.terminal import one_line, show
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.camera.dng import Compression
    from rdi.darken import DarkCapture

Choice = TypeVar("Choice", bound=StrEnum)


def _list_sensors(wanted: bool) -> None:
    if not wanted:
        return
    from rdi.sensors.cameras import all_sensors

    for sensor in all_sensors():
        levels = f"{sensor.black_level:>5}-{sensor.white_level:<5}"
        show(f"{sensor.name:32}{sensor.cfa:7}{levels}  pixels of {sensor.pixel_pitch:.2f} µm")
    raise typer.Exit


def simulate(
    picture: Annotated[
        Path,
        typer.Argument(
            help="A bright, finished picture: JPEG, PNG, TIFF, WebP...; with --sid-tree a folder of them.",
            metavar="PHOTO",
        ),
    ],
    iso: Annotated[float, typer.Option(help="ISO of the simulated sensor, 50 to 25600; sets the noise.")] = 3200,
    ratio: Annotated[float, typer.Option(help="How many times less light than the picture had, 1 to 10000.")] = 100,
    out: Annotated[Path | None, typer.Option(help="The DNG file; default: NAME_dark.dng beside the picture.")] = None,
    white_balance: Annotated[
        str,
        typer.Option(help="Gains that will make the simulated light neutral again, or random.", metavar="random|R,G,B"),
    ] = "random",
    sensor: Annotated[
        str, typer.Option(help="Camera that takes it, by make and model; its matrix, levels and pixels.")
    ] = "Sony ILCE-7SM2",
    list_sensors: Annotated[  # noqa: ARG001 (its callback does it)
        bool, typer.Option("--list-sensors", help="List the cameras and end.", callback=_list_sensors, is_eager=True)
    ] = False,
    cfa: Annotated[
        str | None,
        typer.Option(help="Pattern of the mosaic; default: the camera's.", metavar="RGGB|BGGR|GRBG|GBRG|XTRANS"),
    ] = None,
    read_noise: Annotated[
        str, typer.Option(help="Fit of the sensor's read noise.", metavar="tukey-lambda|gaussian")
    ] = "tukey-lambda",
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.", min=0)] = 0,
    max_side: Annotated[
        int | None, typer.Option(help="Scale longer pictures down to so many pixels; default: full size.", min=22)
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="Store as lossless JPEG, less than half the size; needs imagecodecs.")
    ] = False,
    sid_tree: Annotated[
        Path | None,
        typer.Option(
            help="Write instead a miniature of the SID dataset into this folder: each picture of the folder PHOTO as a "
            "long and two short exposures (ratios 100 and 250). Fuji's part for X-Trans, else Sony's."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
) -> None:
    """Turn a bright picture into the dark raw photo that a camera would have taken, as a DNG.

    Example: rdi simulate photo.jpg --iso 3200 --ratio 100 --sensor "Nikon D850" --out dark.dng
    """
    from rdi.camera.cfa import Cfa
    from rdi.camera.dng import Compression
    from rdi.darken import DarkCapture, darken_file, parse_light
    from rdi.noise import ReadNoise
    from rdi.sensors.cameras import find_sensor

    capture = DarkCapture(
        iso=iso,
        ratio=ratio,
        white_balance=parse_light(white_balance),
        sensor=find_sensor(sensor),
        cfa=_choice(Cfa, cfa.upper(), "--cfa") if cfa else None,
        read_noise=_choice(ReadNoise, read_noise, "--read-noise"),
        seed=seed,
        max_side=max_side,
    )
    compression = Compression.LJPEG if compress else Compression.NONE
    if sid_tree:
        if out:
            raise UsageError("--out and --sid-tree exclude each other; give one of them")
        return _write_tree(picture, sid_tree, capture, compression, overwrite=overwrite)
    out = out or picture.with_name(f"{picture.stem}_dark.dng")
    photo = darken_file(picture, out, capture, compression=compression, overwrite=overwrite)
    gains = ",".join(f"{gain:.4g}" for gain in photo.white_balance)
    camera = f"{photo.cfa} of a {photo.camera}"
    show(f"{one_line(picture)}: {photo.width}x{photo.height} {camera}, ISO {iso:g}, ratio {ratio:g}")
    show(f"  white balance {gains}; {read_noise} read noise; seed {seed}")
    show(f"  {one_line(out)} ({out.stat().st_size / 1e6:.1f} MB)")
    return None


def _write_tree(
    pictures: Path, folder: Path, capture: "DarkCapture", compression: "Compression", *, overwrite: bool
) -> None:
    from rdi.sid_tree import write_sid_tree
    from rdi.training.photos import find_photos

    tree = write_sid_tree(find_photos(pictures), folder, capture, compression=compression, overwrite=overwrite)
    show(f"{one_line(folder)}: {tree.frames} raw files of a simulated SID, ISO {capture.iso:g}")
    for file in tree.lists:
        show(f"  {one_line(file)}")


def _choice(choices: type[Choice], text: str, option: str) -> Choice:
    try:
        return choices(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is unknown; give {' or '.join(choices)}") from error
