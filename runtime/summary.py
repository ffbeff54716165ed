"""How a picture was made: everything but its pixels, for people, for programs and for the side-car file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi import __version__
from rdi.camera.photo import RawPhoto
from rdi.metadata import ModelMetadata
from rdi.runtime.exposure import Amplification
from rdi.runtime.providers import Provider
from rdi.runtime.restorer import Restored
from rdi.strict_json import write_json

SIDECAR_FORMAT = "rdi-sidecar-1"


@dataclass(frozen=True)
class Summary:
    """How a photo was restored; everything but the pixels, so that a batch keeps no picture in memory.

    camera, iso:   as the file says; iso is None where it does not
    width, height: of the picture, pixels, upright
    levels:        how the frame was read: cfa, phase, crop, orientation, black and white levels
    white_balance: gains of red, green and blue; those of the file where the model has its own baked in
    white_balance_from: camera, daylight, auto, gains, or model
    amplification: the factor and why
    provider:      what ran the network
    camera_to_srgb: (3, 3) the matrix of the file
    gamut:         compress or clip; None for a model whose output is the picture
    in_strips:     whether a memory limit had it restored in strips
    fallback:      why it is not the one that was asked for; None where it is
    model:         what the model says of itself
    milliseconds:  by stage: decode, align, exposure, session, network, encode; in a bracket all but the last two are
                   those of the whole bracket
    warnings:      what the file lacked
    """

    camera: str
    iso: float | None
    width: int
    height: int
    levels: Mapping[str, Any]
    white_balance: tuple[float, ...]
    white_balance_from: str
    amplification: Amplification
    provider: Provider
    camera_to_srgb: tuple[tuple[float, ...], ...]
    gamut: str | None
    in_strips: bool
    fallback: str | None
    model: ModelMetadata
    milliseconds: Mapping[str, float]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        model = self.model
        return {
            **vars(self),
            "levels": dict(self.levels),
            "amplification": self.amplification.as_json(),
            "provider": str(self.provider),
            "model": {
                "name": model.variant,
                "weights_sha256": model.weights_sha256,
                "format": model.format,
                "precision": str(model.precision),
                "rendering": str(model.rendering),
            },
            "milliseconds": {stage: round(time, 1) for stage, time in self.milliseconds.items()},
            "rdi": __version__,
        }


def summarise(photo: RawPhoto, restored: Restored, milliseconds: Mapping[str, float]) -> Summary:
    """What is worth knowing of a photo and its restored picture.

    milliseconds: of all stages; `restored.timings` has only its own
    """
    height, width = restored.image.shape[:2]
    return Summary(
        camera=photo.camera,
        iso=photo.iso,
        width=width,
        height=height,
        levels={
            "cfa": str(photo.cfa),
            "phase": photo.phase,
            "crop": photo.crop,
            "orientation": photo.orientation,
            "black_level": photo.black_level.tolist(),
            "white_level": photo.white_level,
        },
        white_balance=tuple(photo.white_balance.tolist()),
        white_balance_from=restored.white_balance_from,
        amplification=restored.amplification,
        provider=restored.provider,
        camera_to_srgb=tuple(tuple(round(value, 6) for value in row) for row in photo.camera_to_srgb.tolist()),
        gamut=restored.gamut,
        in_strips=restored.in_strips,
        fallback=restored.fallback,
        model=restored.model,
        milliseconds=milliseconds,
        warnings=photo.warnings,
    )


def write_sidecar(photo: Path, picture: Path, summary: Summary, path: Path) -> None:
    """Write how a picture was made, as JSON, into a file that nobody knows of yet.

    photo, picture: the files it came from and goes into
    """
    content = {"format": SIDECAR_FORMAT, "photo": str(photo.absolute()), "picture": picture.name, **summary.as_json()}
    path.write_text(write_json(content, indent=2, ascii_only=False) + "\n", encoding="utf-8")
