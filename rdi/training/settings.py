"""Everything that can be chosen about a training run."""

from dataclasses import asdict, dataclass
from typing import Any

from rdi.errors import UsageError
from rdi.metadata import WhiteBalance
from rdi.network import SIZE_MULTIPLE
from rdi.noise import calibration
from rdi.training.loss import SMALLEST_CROP


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one run; all of them are stored in the checkpoint.

    steps:          optimiser steps, 1 or more
    batch:          crops in a step
    crop:           side of a square crop in pixels, a multiple of 32 above 160
    learning_rate:  AdamW's, at its highest; cosine decay to a hundredth of it over the run
    warm_up:        steps over which the learning rate rises to it
    weight_decay:   AdamW's
    iso:            range of the simulated ISO, drawn log-uniformly; within the calibration (50 to 25600)
    ratio:          range of the exposure ratio, drawn log-uniformly
    white_balance:  gains at the input (colours follow each file) or baked in (the paper's way)
    seed:           of data and initialisation
    mixed_precision: convolutions in bfloat16, weights and loss in float32
    workers:        processes that simulate captures; 0 = in the training process
    checkpoint_every, validate_every: steps
    """

    steps: int = 20_000
    batch: int = 8
    crop: int = 256
    learning_rate: float = 1e-3
    warm_up: int = 200
    weight_decay: float = 1e-4
    iso: tuple[float, float] = (400.0, 12_800.0)
    ratio: tuple[float, float] = (2.0, 300.0)
    white_balance: WhiteBalance = WhiteBalance.INPUT
    seed: int = 0
    mixed_precision: bool = True
    workers: int = 1
    checkpoint_every: int = 500
    validate_every: int = 2_000

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "checkpoint_every", "validate_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} {getattr(self, name)} is too small; give 1 or more")
        if self.crop % SIZE_MULTIPLE or self.crop <= SMALLEST_CROP:
            raise UsageError(
                f"--crop {self.crop} does not fit; give a multiple of {SIZE_MULTIPLE} above {SMALLEST_CROP}, "
                "which MS-SSIM's five scales need"
            )
        if not 0 < self.learning_rate < 1:
            raise UsageError(f"--learning-rate {self.learning_rate} is out of range; give one between 0 and 1")
        if self.workers < 0:
            raise UsageError(f"--workers {self.workers} is negative; give 0 or more")
        _check_range("iso", self.iso, calibration()[0].iso, calibration()[-1].iso)
        _check_range("ratio", self.ratio, 1, 10_000)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the checkpoint's description."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def _check_range(name: str, given: tuple[float, float], lowest: float, highest: float) -> None:
    low, high = given
    if not lowest <= low <= high <= highest:
        raise UsageError(f"--{name} {low:g}-{high:g} is out of range; give LOW-HIGH within {lowest:g}-{highest:g}")
