"""Picture formats: which there are, how many bits they hold, and which one an output path asks for."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rdi.errors import UsageError

DEFAULT_QUALITY = 95  # of a JPEG


class Format(StrEnum):
    """What rdi writes."""

    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"

    @property
    def suffix(self) -> str:
        """The suffix of a new file."""
        return {Format.JPEG: ".jpg", Format.PNG: ".png", Format.TIFF: ".tif"}[self]

    @property
    def bits(self) -> tuple[int, ...]:
        """Bits per channel that it is written with; the first is the default."""
        return {Format.JPEG: (8,), Format.PNG: (8, 16), Format.TIFF: (16,)}[self]


SUFFIXES = {
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".png": Format.PNG,
    ".tif": Format.TIFF,
    ".tiff": Format.TIFF,
}


@dataclass(frozen=True)
class PictureSettings:
    """How a picture is written.

    format:  JPEG, PNG or TIFF
    bits:    per channel: 8 (JPEG, PNG) or 16 (PNG, TIFF)
    quality: of a JPEG, 1 to 100; colours are never subsampled
    Raises UsageError for a combination that does not exist.
    """

    format: Format = Format.JPEG
    bits: int = 8
    quality: int = DEFAULT_QUALITY

    def __post_init__(self) -> None:
        if self.bits not in self.format.bits:
            allowed = " or ".join(map(str, self.format.bits))
            holds = " or ".join(item for item in Format if self.bits in item.bits)
            advice = f"choose {holds} for {self.bits} bits" if holds else "give 8 or 16"
            raise UsageError(f"a {self.format.upper()} is written with {allowed} bits, not {self.bits}; {advice}")
        if not 1 <= self.quality <= 100:
            raise UsageError(f"JPEG quality {self.quality} is out of range; give 1 to 100")


def format_of(path: Path) -> Format | None:
    """The format that a file's suffix names; None for any other suffix."""
    return SUFFIXES.get(path.suffix.lower())


def choose_settings(
    path: Path | None = None, *, format: str | None = None, bits: int | None = None, quality: int | None = None
) -> PictureSettings:
    """Settings from what was asked for: the suffix of the output, a format's name, bits, quality.

    Without suffix and name it is a JPEG. Raises UsageError for what contradicts itself.
    """
    by_suffix = format_of(path) if path else None
    if path and by_suffix is None:
        raise UsageError(f"{path.name!r} ends with no suffix that rdi writes; give {', '.join(SUFFIXES)}")
    chosen = (parse_format(format) if format is not None else None) or by_suffix or Format.JPEG
    if by_suffix not in (None, chosen):
        raise UsageError(f"{path} is a {by_suffix} by its suffix, but the format asked for is {chosen}; name one")
    if quality is not None and chosen is not Format.JPEG:
        raise UsageError(f"quality is a JPEG's setting; a {chosen.upper()} is exact: leave it out")
    default = PictureSettings(chosen, chosen.bits[0])
    return PictureSettings(
        chosen, default.bits if bits is None else bits, default.quality if quality is None else quality
    )


def parse_format(name: str) -> Format:
    """The format of this name (jpg and tif are understood); UsageError lists the known ones."""
    known = {**{str(item): item for item in Format}, **{suffix[1:]: item for suffix, item in SUFFIXES.items()}}
    if name.lower() not in known:
        raise UsageError(f"unknown format {name!r}; choose one of {', '.join(Format)}")
    return known[name.lower()]
