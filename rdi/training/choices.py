"""The words that settings choose among."""

from enum import StrEnum


class Amplification(StrEnum):
    """Where the factor comes from by which a dark mosaic is multiplied."""

    GT = "gt"  # long / short exposure, at most 300
    ESTIMATED = "estimated"  # the paper's amplifier, Eq. 5


class Camera(StrEnum):
    """Part of the See-in-the-Dark dataset."""

    SONY = "sony"
    FUJI = "fuji"


class Optimiser(StrEnum):
    """Who turns gradients into steps."""

    ADAM = "adam"
    ADAMW = "adamw"
    MUON = "muon"  # for kernels; see `rdi.training.optimisation`


class Schedule(StrEnum):
    """How the learning rate changes after the warm-up."""

    COSINE = "cosine"  # down to final_share over the run
    STEP = "step"  # times reduce_by at each of reduce_at: the paper's
    CONSTANT = "constant"


class PixelLoss(StrEnum):
    """How the distance of two pixels counts."""

    L1 = "l1"
    L2 = "l2"


class Device(StrEnum):
    """What computes."""

    CPU = "cpu"
    CUDA = "cuda"
