"""What kinds of models there are; apart from the metadata that name them, which load numpy."""

from enum import StrEnum


class Rendering(StrEnum):
    """What the network's output is; see `rdi.rendering`."""

    PAPER = "paper"  # a finished picture in sRGB's primaries; its curve is named apart
    CAMERA = "camera"  # white-balanced linear camera RGB, from which a matrix, gamut mapping and curve make the picture


class Curve(StrEnum):
    """The tone curve of a picture: how code values follow linear light; see `rdi.color`."""

    BT709 = "bt709"  # LibRaw's default
    SRGB = "srgb"  # IEC 61966-2-1: brighter shadows, for viewers without colour management


class WhiteBalance(StrEnum):
    """Where the white balance is applied."""

    INPUT = "input"  # gains multiply the mosaic before the network: colours follow each file
    BAKED = "baked"  # the paper's way: the network learned one camera's balance; gains stay 1


class Companding(StrEnum):
    """Whether the network works on light as it is or on its root; see `rdi.companding`."""

    NONE = "none"  # the paper's way
    ROOT = "root"  # noise is as strong in highlights as in shadows: one filter is right for both


class BelowBlack(StrEnum):
    """What becomes of counts below the black level; see `rdi.levels`."""

    KEPT = "kept"  # negative light: the mean of the noise stays right
    CUT = "cut"  # the paper's way: as if the sensor had counted black
