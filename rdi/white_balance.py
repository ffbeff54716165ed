"""Where a model applies the white balance; apart from the metadata that name it, which load numpy."""

from enum import StrEnum


class WhiteBalance(StrEnum):
    """Where the white balance is applied."""

    INPUT = "input"  # gains multiply the mosaic before the network: colours follow each file
    BAKED = "baked"  # the paper's way: the network learned one camera's balance; gains stay 1
