"""`rdi simulate`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from rdi.cli.terminal import printable
from rdi.errors import UsageError

Choice = TypeVar("Choice", bound=StrEnum)


def simulate(
    picture: Annotated[
        Path, typer.Argument(help="A bright, finished picture: JPEG, PNG, TIFF, WebP...", metavar="PHOTO")
    ],
    iso: Annotated[float, typer.Option(help="ISO of the simulated sensor, 50 to 25600; sets the noise.")] = 3200,
    ratio: Annotated[float, typer.Option(help="How many times less light than the picture had, 1 to 10000.")] = 100,
    out: Annotated[Path | None, typer.Option(help="The DNG file; default: NAME_dark.dng beside the picture.")] = None,
    white_balance: Annotated[
        str,
        typer.Option(help="Gains that will make the simulated light neutral again, or random.", metavar="random|R,G,B"),
    ] = "random",
    cfa: Annotated[str, typer.Option(help="Pattern of the mosaic.", metavar="RGGB|BGGR|GRBG|GBRG|XTRANS")] = "RGGB",
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
) -> None:
    """Turn a bright picture into the dark raw photo that a Sony A7S II would have taken, as a DNG.

    Example: rdi simulate photo.jpg --iso 3200 --ratio 100 --out dark.dng
    """
    from rdi.camera.cfa import Cfa
    from rdi.camera.dng import Compression
    from rdi.darken import DarkCapture, darken_file, parse_light
    from rdi.noise import ReadNoise

    capture = DarkCapture(
        iso=iso,
        ratio=ratio,
        white_balance=parse_light(white_balance),
        cfa=_choice(Cfa, cfa.upper(), "--cfa"),
        read_noise=_choice(ReadNoise, read_noise, "--read-noise"),
        seed=seed,
        max_side=max_side,
    )
    out = out or picture.with_name(f"{picture.stem}_dark.dng")
    photo = darken_file(
        picture, out, capture, compression=Compression.LJPEG if compress else Compression.NONE, overwrite=overwrite
    )
    gains = ",".join(f"{gain:.4g}" for gain in photo.white_balance)
    print(f"{printable(picture)}: {photo.width}x{photo.height} {photo.cfa}, ISO {iso:g}, ratio {ratio:g}")
    print(f"  white balance {gains}; {read_noise} read noise; seed {seed}")
    print(f"  {printable(out)} ({out.stat().st_size / 1e6:.1f} MB)")


def _choice(choices: type[Choice], text: str, option: str) -> Choice:
    try:
        return choices(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is unknown; give {' or '.join(choices)}") from error
